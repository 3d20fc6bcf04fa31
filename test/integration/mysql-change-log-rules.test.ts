/** Where the binary log may not hold every change of a table, the table is given up, and the reason says why. */
import { stopMariadb, type MariadbServer } from '../support/mariadb';
import { ChangeLogStand, expectTold, type Moment } from '../support/change-log-stand';
import { describeMariadb, needServer, openTestMysql } from '../support/mysql-source';

describeMariadb('giving up a table of the binary log', () => {
  let server: MariadbServer;
  let stand: ChangeLogStand;

  const open = async (statements: string[], tables = ['t']): Promise<ChangeLogStand> => {
    server = await needServer();
    return (stand = await ChangeLogStand.open(server, statements, tables));
  };
  const openPlain = () =>
    open(['CREATE TABLE t (id INT PRIMARY KEY, v JSON)', 'INSERT INTO t VALUES (1, \'{"a": "x"}\')']);
  const insert = 'INSERT INTO t (id) VALUES (9)';
  const reason = (pattern: RegExp) => ({ t: expect.stringMatching(pattern) });

  afterEach(() => stand.close());
  afterAll(() => stopMariadb());

  test.each([
    ['ALTER TABLE', ['ALTER TABLE t ADD COLUMN w INT']],
    ['a changed key', ['ALTER TABLE t MODIFY id BIGINT NOT NULL']],
    ['TRUNCATE', ['TRUNCATE TABLE `t`']],
    ['DROP and CREATE', ['DROP TABLE t', 'CREATE TABLE t (id INT PRIMARY KEY, v JSON)']],
    ['a swap by RENAME', ['CREATE TABLE t_new LIKE t', 'RENAME TABLE t TO t_old, t_new TO t']],
    ['an index', ['CREATE INDEX i ON t (id)']],
    [
      'a commented statement',
      ['/* from a tool */ alter /*! table */ /* in */ T ADD COLUMN w INT'.replace(' T ', ' t ')],
    ],
    ['ALTER from another schema', ['USE mysql', 'ALTER TABLE `%`.t ADD COLUMN w INT', 'USE `%`']],
    ['partitions', ['ALTER TABLE t PARTITION BY HASH (id) PARTITIONS 2']],
  ])('%s', async (_, statements) => {
    await openPlain();
    const told = await stand.after(...statements.map((statement) => statement.replace('%', stand.schema.name)));
    expect(told.unusable).toEqual(reason(/^its definition was changed: [A-Z ]+ \(\w+\)$/));
  });

  test.each([
    ['a table of a longer name', ['CREATE TABLE t_2 (id INT)', 'ALTER TABLE t_2 ADD COLUMN w INT']],
    ['a view', ['CREATE VIEW seen AS SELECT id FROM t', 'DROP VIEW seen']],
    ['a trigger', ['CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.v = NULL', 'DROP TRIGGER tr']],
    ['a procedure', ['CREATE PROCEDURE proc() DELETE FROM t WHERE id = 77', 'CALL proc()', 'DROP PROCEDURE proc']],
    ['statistics', ['ANALYZE TABLE t', 'OPTIMIZE TABLE t', 'FLUSH TABLES']],
    [
      'a temporary table of its name',
      ['CREATE TEMPORARY TABLE t (id INT)', 'INSERT INTO t VALUES (5)', 'DROP TEMPORARY TABLE t'],
    ],
    [
      'savepoints',
      ['START TRANSACTION', 'SAVEPOINT `t s`', 'INSERT INTO t (id) VALUES (5)', 'ROLLBACK TO `t s`', 'COMMIT'],
    ],
    ['another schema', ['CREATE DATABASE `%x`', 'CREATE TABLE `%x`.q (id INT)', 'DROP DATABASE `%x`']],
  ])('but not for %s', async (_, statements) => {
    await openPlain();
    const told = await stand.after(
      ...statements.map((statement) => statement.replaceAll('%', stand.schema.name)),
      insert,
    );
    expect(told.unusable).toEqual({});
    expect([...(told.keys.get('t') ?? [])]).toContain('0139');
  });

  test('changes logged as statements', async () => {
    await openPlain();
    const told = await stand.after("SET SESSION binlog_format = 'STATEMENT'", 'DELETE FROM t');
    expect(told.unusable).toEqual(reason(/^changes are logged as statements: DELETE FROM \(it names t\)$/));
  });

  test.each(['MINIMAL', 'NOBLOB'])('row image %s', async (image) => {
    await open(['CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT, w INT)', "INSERT INTO t VALUES (1, 'x', 1)"]);
    const told = await stand.after(`SET SESSION binlog_row_image = '${image}'`, 'UPDATE t SET w = 2');
    expect(told.unusable).toEqual(reason(/binlog_row_image/));
  });

  test('a foreign key that was dropped once the later backup had begun to read', async () => {
    await open([
      'CREATE TABLE p (id INT PRIMARY KEY)',
      'CREATE TABLE middle (id INT PRIMARY KEY, CONSTRAINT of_p FOREIGN KEY (id) REFERENCES p (id) ON DELETE CASCADE)',
      'CREATE TABLE t (id INT PRIMARY KEY, FOREIGN KEY (id) REFERENCES middle (id) ON DELETE CASCADE)',
      ...['p', 'middle', 't'].map((table) => `INSERT INTO ${table} VALUES (1), (2)`),
    ]);
    const from = await stand.moment();
    await stand.exec('DELETE FROM p WHERE id = 1');
    const to = await stand.moment();
    await stand.exec('ALTER TABLE middle DROP FOREIGN KEY of_p');
    expect((await stand.between(from, to)).unusable).toEqual(
      reason(/^its definition was changed: ALTER TABLE \(middle\)$/),
    );
  });

  test('parts of JSON values, or compressed transactions, where the server logs such', async () => {
    await openPlain();
    if (server.isMariadb) return;
    const update = `UPDATE t SET v = JSON_SET(v, '$.a', 'y')`;
    const partial = await stand.after("SET SESSION binlog_row_value_options = 'PARTIAL_JSON'", update);
    expect(partial.unusable).toEqual(reason(/binlog_row_value_options/));
    const off = "SET SESSION binlog_row_value_options = ''";
    const packed = await stand.after(off, 'SET SESSION binlog_transaction_compression = ON', insert);
    expect(packed.unusable).toEqual(reason(/compressed/));
  });

  describe('foreign keys that act', () => {
    const parent = 'CREATE TABLE p (id INT PRIMARY KEY, code VARCHAR(9) UNIQUE, v INT)';
    const child = (action: string, columns = 'id') =>
      `CREATE TABLE t (id INT PRIMARY KEY, ref ${columns === 'id' ? 'INT' : 'VARCHAR(9)'} NULL, FOREIGN KEY (ref) REFERENCES p (${columns}) ${action})`;
    const fill = ["INSERT INTO p VALUES (1, 'a', 1), (2, 'b', 1)", 'INSERT INTO t VALUES (1, 1)'];
    const fillByCode = [fill[0] as string, "INSERT INTO t VALUES (1, 'a')"];
    /** MySQL sees to foreign keys itself by now, and logs what they do: then the child's own keys are told. */
    const expectFollowed = async (told: Awaited<ReturnType<ChangeLogStand['after']>>, pattern: RegExp) => {
      const [[setting]] = (await stand.schema.connection.query(
        "SHOW GLOBAL VARIABLES LIKE 'innodb_native_foreign_keys'",
      )) as unknown as [{ Value: string }[]];
      if (setting?.Value !== 'OFF') return expect(told.unusable).toEqual(reason(pattern));
      expect(told.unusable).toEqual({});
      expect(told.keys.get('t')).toEqual(new Set(['0131']));
    };

    test.each([
      [
        'a deleted parent, CASCADE',
        [parent, child('ON DELETE CASCADE'), ...fill],
        'DELETE FROM p WHERE id = 1',
        /deleted from p/,
      ],
      [
        'a deleted parent, SET NULL',
        [parent, child('ON DELETE SET NULL'), ...fill],
        'DELETE FROM p WHERE id = 1',
        /deleted from p/,
      ],
      [
        'a changed key, CASCADE',
        [parent, child('ON UPDATE CASCADE', 'code'), ...fillByCode],
        "UPDATE p SET code = 'z' WHERE id = 1",
        /changed in column code of p/,
      ],
      [
        'a changed key, SET NULL',
        [parent, child('ON UPDATE SET NULL', 'code'), ...fillByCode],
        'UPDATE p SET code = NULL WHERE id = 1',
        /changed in column code of p/,
      ],
    ])('%s, mapped or not', async (_, statements, change, pattern) => {
      await open(statements);
      await expectFollowed(await stand.after(change), pattern);
    });

    test('through tables that are not mapped, a SET NULL on the way', async () => {
      await open([
        parent,
        'CREATE TABLE middle (id INT PRIMARY KEY, ref INT NULL UNIQUE, FOREIGN KEY (ref) REFERENCES p (id) ON DELETE SET NULL)',
        'CREATE TABLE t (id INT PRIMARY KEY, ref INT NULL, FOREIGN KEY (ref) REFERENCES middle (ref) ON UPDATE SET NULL ON DELETE RESTRICT)',
        "INSERT INTO p VALUES (1, 'a', 1)",
        'INSERT INTO middle VALUES (5, 1)',
        'INSERT INTO t VALUES (1, 1)',
      ]);
      const told = await stand.after('DELETE FROM p');
      expect([...told.to.rows.get('t')!.values()]).toEqual(['0131fb']);
      await expectFollowed(told, /deleted from p/);
    });

    test('a table that refers to itself', async () => {
      await open([
        'CREATE TABLE t (id INT PRIMARY KEY, ref INT NULL, FOREIGN KEY (ref) REFERENCES t (id) ON DELETE CASCADE)',
        'INSERT INTO t VALUES (2, NULL), (1, 2)',
      ]);
      const told = await stand.after('DELETE FROM t WHERE id = 2');
      expect(told.to.rows.get('t')?.size).toBe(0);
      if (Object.keys(told.unusable).length === 0) expect(told.keys.get('t')).toEqual(new Set(['0131', '0132']));
      else expect(told.unusable).toEqual(reason(/deleted from t/));
    });

    test('a changed definition on the way, since nobody knows what it did before', async () => {
      await open([parent, child('ON DELETE CASCADE'), ...fill]);
      const told = await stand.after('ALTER TABLE p ADD COLUMN w INT');
      if (server.isMariadb)
        expect(told.unusable).toEqual(
          reason(/^p, which it follows .*definition was changed|^its definition was changed/),
        );
    });

    test.each([
      ['columns that nothing refers to', 'ON DELETE CASCADE ON UPDATE CASCADE', 'UPDATE p SET v = 2'],
      ['inserts', 'ON DELETE CASCADE ON UPDATE CASCADE', "INSERT INTO p VALUES (3, 'c', 1)"],
      ['deletes where only updates act', 'ON UPDATE CASCADE', 'DELETE FROM p WHERE id = 2'],
      ['keys that forbid', 'ON DELETE RESTRICT', 'DELETE FROM p WHERE id = 2'],
      ['keys that are switched off', 'ON DELETE CASCADE', 'SET foreign_key_checks = 0; DELETE FROM p WHERE id = 2'],
    ])('but not for %s', async (_, action, change) => {
      await open([parent, child(action), ...fill], ['p', 't']);
      expect((await stand.after(change)).unusable).toEqual({});
    });
  });

  describe('another log than the earlier read saw', () => {
    const cases: [string, (position: Moment['position']) => Moment['position'], RegExp][] = [
      ['another server id', (at) => ({ ...at, serverId: '4711' }), /another server/],
      ['another server of the same id', (at) => ({ ...at, serverUid: 'other' }), /another server/],
      ['a file created at another time', (at) => ({ ...at, createdAt: '2020-01-01T00:00:00.000Z' }), /created anew/],
      ['a creation time that is not known', ({ createdAt: _, ...at }) => at, /REPLICATION SLAVE/],
      ['a file that is gone', (at) => ({ ...at, file: at.file.replace(/\d+$/, '000000') }), /purged or reset/],
      ['files of another name', (at) => ({ ...at, file: 'other-bin.000001' }), /reset/],
      [
        'a position between two events',
        (at) => ({ ...at, offset: String(Number(at.offset) + 3) }),
        /event|purged or reset/,
      ],
      ['a position after the later one', (at) => ({ ...at, offset: '4294960000' }), /went back/],
      ['a position beyond 4 GiB', (at) => ({ ...at, offset: '4294967297' }), /4 GiB/],
      ['an XA transaction', (at) => ({ ...at, preparedXa: true }), /XA/],
    ];
    test.each(cases)('%s', async (_, change, pattern) => {
      await openPlain();
      const { from, to } = await stand.after(insert);
      expect((await stand.between({ position: change(from.position) }, to)).unusable).toEqual(reason(pattern));
    });

    test('transactions that are gone', async () => {
      await openPlain();
      const { from, to } = await stand.after(insert);
      const gtid = server.isMariadb ? `${from.position.gtid},4711-1-5` : 'aaaaaaaa-e6c9-11f1-8b5b-02fc00000001:1-4';
      const told = await stand.between({ position: { ...from.position, gtid } }, to);
      expect(told.unusable).toEqual(reason(/transactions of the earlier backup are gone/));
    });

    test('a later position that the log has not reached, or that no event ends at', async () => {
      await openPlain();
      const { from, to } = await stand.after(insert);
      const at = (offset: number) => ({ ...to, position: { ...to.position, offset: String(offset) } });
      const end = Number(to.position.offset);
      expect((await stand.between(from, at(end + 100_000))).unusable).toEqual(reason(/ends before/));
      expect((await stand.between(from, at(end - 1))).unusable).toEqual(reason(/no event/));
    });
  });

  describe('privileges', () => {
    let account: string;
    const as = async (grants: string[]): Promise<ReturnType<typeof openTestMysql>> => {
      account = `'rv_log_${process.pid}'@'%'`;
      await stand.exec(`DROP USER IF EXISTS ${account}`, `CREATE USER ${account} IDENTIFIED BY 'secret'`);
      for (const grant of [`SELECT ON \`${stand.schema.name}\`.*`, ...grants]) {
        await stand.exec(`GRANT ${grant} TO ${account}`);
      }
      const url = new URL(stand.schema.url);
      url.username = `rv_log_${process.pid}`;
      url.password = 'secret';
      return openTestMysql(url.href, [{ dataType: 'CONFIG', table: 't' }]);
    };
    const monitor = () => (server.isMariadb ? 'BINLOG MONITOR, SLAVE MONITOR' : 'REPLICATION CLIENT');
    afterEach(() => stand.exec(`DROP USER ${account}`));

    test('are enough with what the doctor prints', async () => {
      await openPlain();
      const bare = await as([]);
      const needed = (await bare.diagnose()).filter(({ check }) => /log|consistent/.test(check));
      const statements = needed.flatMap(({ statement }) => (statement?.startsWith('GRANT') ? [statement] : []));
      expect(statements.length).toBeGreaterThan(1);
      await bare.close();
      await stand.exec(...statements);
      const source = openTestMysql(
        Object.assign(new URL(stand.schema.url), { username: account.slice(1, -5), password: 'secret' }).href,
        [{ dataType: 'CONFIG', table: 't' }],
      );
      const from = await stand.moment(source);
      await stand.exec(insert);
      const to = await stand.moment(source);
      const told = await stand.between(from, to, { source });
      expectTold(told, '0139');
      await source.close();
    });

    test.each([
      ['REPLICATION SLAVE', () => [`${monitor()} ON *.*`], /REPLICATION SLAVE is not granted/],
      ['seeing the position', () => ['REPLICATION SLAVE ON *.*'], /privilege .* is not granted/],
    ])('without %s', async (_, grants, pattern) => {
      await openPlain();
      const { from, to } = await stand.after(insert);
      const source = await as(grants());
      expect((await stand.between(from, to, { source })).unusable).toEqual(reason(pattern));
      await source.close();
    });

    test('without them a read tells when nothing was created', async () => {
      await openPlain();
      const source = await as(['RELOAD ON *.*', `${monitor()} ON *.*`]);
      const { position } = await stand.moment(source);
      expect(position.file).toMatch(/\.\d+$/);
      expect(position.createdAt).toBeUndefined();
      expect((await stand.moment()).position.createdAt).toMatch(/^20.*Z$/);
      await source.close();
    });

    test('a parent in a schema that can not be seen', async () => {
      await open(['CREATE TABLE t (id INT PRIMARY KEY)']);
      const other = await ChangeLogStand.open(
        server,
        ['CREATE TABLE p (id INT PRIMARY KEY)', 'INSERT INTO p VALUES (1)'],
        ['p'],
      );
      try {
        await stand.exec(
          `ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES \`${other.schema.name}\`.p (id) ON DELETE CASCADE`,
          'INSERT INTO t VALUES (1)',
        );
        const { from, to } = await stand.after(`DELETE FROM \`${other.schema.name}\`.p`);
        const source = await as([`${monitor()} ON *.*`, 'REPLICATION SLAVE ON *.*']);
        const told = await stand.between(from, to, { source });
        if (Object.keys(told.unusable).length > 0) expect(told.unusable).toEqual(reason(/SELECT on it is not granted/));
        else expect(told.keys.get('t')).toEqual(new Set(['0131']));
        await source.close();
      } finally {
        await stand.exec('DROP TABLE t');
        await other.close();
      }
    });
  });
});
