/** The binary log tells the keys of rows that changed between two reads, byte for byte as rows hold them. */
import fc from 'fast-check';
import type { RowDataPacket } from 'mysql2';
import type { LoggedKey } from '../../src/domain/source';
import { stopMariadb } from '../support/mariadb';
import { ChangeLogStand, differingKeys, expectTold } from '../support/change-log-stand';
import { describeMariadb, needServer } from '../support/mysql-source';

const RUNS = process.env.LONG === '1' ? 60 : 6;

/** Column type, a first set of values, and one that differs from each. */
const KEY_TYPES: [string, string[], string][] = [
  ['TINYINT', ['-128', '0', '127'], '5'],
  ['TINYINT UNSIGNED', ['0', '255', '128'], '5'],
  ['TINYINT(3) UNSIGNED ZEROFILL', ['0', '7', '255'], '5'],
  ['SMALLINT', ['-32768', '32767', '-1'], '5'],
  ['SMALLINT UNSIGNED', ['65535'], '5'],
  ['MEDIUMINT', ['-8388608', '8388607', '-1'], '5'],
  ['MEDIUMINT UNSIGNED', ['16777215'], '5'],
  ['INT', ['-2147483648', '2147483647', '-1'], '5'],
  ['INT UNSIGNED', ['4294967295'], '5'],
  ['INT(10) UNSIGNED ZEROFILL', ['42', '4294967295'], '5'],
  ['BIGINT', ['-9223372036854775808', '9223372036854775807', '9007199254740993', '-1'], '5'],
  ['BIGINT UNSIGNED', ['18446744073709551615', '0'], '5'],
  ['BIGINT(20) UNSIGNED ZEROFILL', ['12'], '5'],
  ['DECIMAL(10,0)', ['-9999999999', '0', '9999999999'], '5'],
  ['DECIMAL(5,5)', ['0.00001', '-0.99999', '0'], '0.5'],
  ['DECIMAL(7,4)', ['-999.9999', '0.0001', '-0.0001', '10', '0'], '5'],
  ['DECIMAL(20,9)', ['12345678901.123456789', '-1'], '5'],
  [
    'DECIMAL(65,30)',
    ['-99999999999999999999999999999999999.999999999999999999999999999999', '0.000000000000000000000000000001'],
    '5',
  ],
  ['DECIMAL(18,2) UNSIGNED', ['1234567890123456.78'], '5'],
  ['CHAR(10) CHARACTER SET utf8mb4', ["'a'", "'trail   '", "''", "'é😀'"], "'z'"],
  ['CHAR(255) CHARACTER SET utf8mb4', ["'a'", "REPEAT('😀', 255)"], "'z'"],
  ['CHAR(36) CHARACTER SET ascii', ["'01890b0e-0000-7000-8000-000000000001'", "'x'"], "'z'"],
  ['CHAR(10) CHARACTER SET latin1', ["_latin1 X'E9FF00'", "'a'"], "'z'"],
  ['VARCHAR(20) CHARACTER SET utf8mb4', ["'😀 é'", "'  both  '", "''", "'\\0'"], "'z'"],
  ['VARCHAR(400) CHARACTER SET utf8mb4', ["REPEAT('é', 400)", "'a'", "REPEAT('x', 251)"], "'z'"],
  ['VARCHAR(63) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci', ["'Straße'", "'AB'"], "'z'"],
  ['VARCHAR(20) CHARACTER SET latin1', ["_latin1 X'80FE'", "'b'"], "'z'"],
  ['VARCHAR(300) CHARACTER SET ascii', ["REPEAT('y', 300)", "'b'"], "'z'"],
  ['BINARY(8)', ["X'00'", "X'FF000A0D095C2700'", "X'2020202020202020'", "X''"], "X'05'"],
  ['BINARY(16)', ["X'01890B0E000070008000000000000001'", "X'01890B0E000070008000000000000000'"], "X'05'"],
  ['BINARY(255)', ["X'0100'"], "X'05'"],
  ['VARBINARY(300)', ["X''", "X'00'", "X'FB'", "REPEAT(X'09', 251)", "X'2000'", "REPEAT(X'00', 300)"], "X'05'"],
  ['DATE', ["'0000-00-00'", "'0001-01-01'", "'9999-12-31'", "'2024-02-30'", "'2024-00-15'"], "'2026-05-05'"],
  ['DATETIME', ["'0000-00-00 00:00:00'", "'9999-12-31 23:59:59'", "'2024-02-31 12:34:56'"], "'2026-05-05 05:05:05'"],
  ['DATETIME(1)', ["'2024-03-31 02:30:00.7'"], "'2026-05-05 05:05:05.5'"],
  ['DATETIME(3)', ["'2024-03-31 02:30:00.007'", "'0000-00-00 00:00:00.000'"], "'2026-05-05 05:05:05.5'"],
  ['DATETIME(6)', ["'2024-03-31 02:30:00.123456'", "'1000-01-01 16:00:00.000001'"], "'2026-05-05 05:05:05.5'"],
  ['TIMESTAMP', ["'0000-00-00 00:00:00'", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'"], "'2026-05-05 05:05:05'"],
  ['TIMESTAMP(2)', ["'2024-10-27 01:30:00.05'"], "'2026-05-05 05:05:05.5'"],
  ['TIMESTAMP(6)', ["'1970-01-01 00:00:01.000001'", "'0000-00-00 00:00:00'"], "'2026-05-05 05:05:05.5'"],
  ["ENUM('a','it''s','b,c','c(d)')", ["'a'", "'it''s'", "'b,c'"], "'c(d)'"],
  ["ENUM('LOW','HIGH') CHARACTER SET latin1", ["'LOW'"], "'HIGH'"],
];

/** MariaDB's own. */
const UUIDS = [
  '01890b0e-1234-7000-8abc-000000000001',
  '6ccd780c-baba-1026-9564-5b8c656024db',
  '00000000-0000-0000-0000-000000000000',
];

/** Nothing shows that the log's form of these can be turned into the rows' form. */
const OTHER_KEY_TYPES: [string, string][] = [
  ['FLOAT', '1.5'],
  ['DOUBLE', '1.5'],
  ['BIT(10)', "b'1'"],
  ['TIME', "'01:00:00'"],
  ['YEAR', "'2026'"],
  ["SET('a','b')", "'a'"],
  ['VARCHAR(20) CHARACTER SET ucs2', "'a'"],
  ["ENUM('ä','b')", "'b'"],
  ['DECIMAL(5,2) ZEROFILL', '1'],
];

const LENIENT = "SET time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES'";

describeMariadb('reading the binary log', () => {
  let stand: ChangeLogStand;

  const open = async (statements: string[], tables: string[]): Promise<ChangeLogStand> =>
    (stand = await ChangeLogStand.open(await needServer(), [LENIENT, ...statements], tables));
  /** Until the server has noticed that the readers of its log that there are now are gone; others may come. */
  const noReaders = async (): Promise<void> => {
    const sql = "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'";
    const readers = async () => {
      const [rows] = await stand.schema.connection.query<RowDataPacket[]>(sql);
      return rows.map(({ ID: id }) => Number(id));
    };
    const ours = await readers();
    const left = async () => (await readers()).filter((id) => ours.includes(id));
    const deadline = Date.now() + 5000;
    while ((await left()).length > 0 && Date.now() < deadline);
    expect(await left()).toEqual([]);
  };

  afterEach(() => stand.close());
  afterAll(() => stopMariadb());

  test('a UUID in a key comes as rows have it, where the server has that type', async () => {
    if (!(await needServer()).isMariadb) return void (await open(['CREATE TABLE t (k INT PRIMARY KEY)'], ['t']));
    await open(['CREATE TABLE t (k UUID PRIMARY KEY)'], ['t']);
    const told = await stand.after(
      ...[...UUIDS, '01890b0e-1234-4000-8abc-000000000000'].map((id) => `INSERT INTO t VALUES ('${id}')`),
    );
    expect(told.unusable).toEqual({});
    expect(told.keys.get('t')).toEqual(new Set(told.to.rows.get('t')?.keys()));
  });

  test.each(KEY_TYPES)('a key of type %s comes as rows have it', async (type, values, other) => {
    await open([`CREATE TABLE t (k ${type} NOT NULL, id INT NOT NULL, v INT, PRIMARY KEY (k, id))`], ['t']);
    const inserts = values.map((value, i) => `INSERT INTO t VALUES (${value}, ${i}, 1)`);
    const inserted = await stand.after(...inserts);
    expect(inserted.unusable).toEqual({});
    expect(inserted.keys.get('t')).toEqual(new Set(inserted.to.rows.get('t')?.keys()));
    expect(inserted.keys.get('t')?.size).toBe(values.length);
    const updated = await stand.after('UPDATE t SET v = 2');
    expect(updated.keys.get('t')).toEqual(inserted.keys.get('t'));
    const moved = await stand.after(`UPDATE t SET k = ${other}`);
    expect(moved.keys.get('t')).toEqual(differingKeys(moved.from, moved.to, 't'));
    const deleted = await stand.after('DELETE FROM t');
    expect(deleted.keys.get('t')).toEqual(new Set(deleted.from.rows.get('t')?.keys()));
  });

  test.each(OTHER_KEY_TYPES)('a key of type %s is not told', async (type, value) => {
    await open([`CREATE TABLE t (k ${type} NOT NULL PRIMARY KEY)`], ['t']);
    const { unusable } = await stand.after(`INSERT INTO t VALUES (${value})`);
    expect(unusable).toEqual({ t: expect.stringMatching(/^column k of its key is a .*not read from the log$/) });
  });

  test('only what changed is told, by its old and its new key, whatever the other columns are', async () => {
    const server = await needServer();
    await open(
      [
        `CREATE TABLE t (big BIGINT AS (id * 2) VIRTUAL, b BIT(11), f FLOAT, d DOUBLE, id BIGINT NOT NULL, de DECIMAL(20,7), y YEAR,
           ti TIME(3), ts TIMESTAMP(6) NULL, e ENUM('x','y'), s SET('p','q','r'), c CHAR(200) CHARACTER SET utf8mb4, vb VARBINARY(5),
           tx TEXT, mb MEDIUMBLOB, lb LONGBLOB, j JSON, g POINT, st INT AS (id + 1) STORED, tail INT NOT NULL,
           ${server.isMariadb ? 'u UUID, i INET6, ' : 've VECTOR(3), '} KEY (big), PRIMARY KEY (tail, id))`,
        'INSERT INTO t (id, tail) VALUES (1, 1), (2, 2), (3, 3), (4, 4)',
      ],
      ['t'],
    );
    const full = `b = 5, f = 1, d = 2, de = -3.5, y = 2024, ti = '01:02:03.4', ts = '2024-01-01 00:00:00', e = 'y', s = 'p,r', c = 'é',
      vb = X'00', tx = REPEAT('t', 70000), mb = REPEAT(X'00', 100000), lb = X'01', j = '{"a":[1]}', g = ST_GeomFromText('POINT(1 2)')`;
    const told = await stand.after(
      `UPDATE t SET ${full} WHERE id = 2`,
      'UPDATE t SET tail = 30 WHERE id = 3',
      'DELETE FROM t WHERE id = 4',
      'INSERT INTO t (id, tail, tx) VALUES (5, 5, NULL)',
      'INSERT INTO t (id, tail) VALUES (6, 6)',
      'DELETE FROM t WHERE id = 6',
      'START TRANSACTION',
      'DELETE FROM t WHERE id = 1',
      'ROLLBACK',
    );
    const key = (tail: number, id: number) =>
      Buffer.from(`\x01${tail}`.replace('\x0130', '\x0230') + `\x01${id}`).toString('hex');
    expect(told.unusable).toEqual({});
    expect(told.keys.get('t')).toEqual(new Set([key(2, 2), key(3, 3), key(30, 3), key(4, 4), key(5, 5), key(6, 6)]));
  });

  test('goes over several files, and reads nothing where nothing happened', async () => {
    await open(['CREATE TABLE t (id INT PRIMARY KEY)'], ['t']);
    const moment = await stand.moment();
    const nothing = await stand.between(moment, moment);
    expect(nothing.events).toBe(0);
    expectTold(nothing);
    const rotated = await stand.after('FLUSH BINARY LOGS');
    expectTold(rotated);
    const flush = 'FLUSH BINARY LOGS';
    const told = await stand.after(
      'INSERT INTO t VALUES (1)',
      flush,
      flush,
      'INSERT INTO t VALUES (2)',
      flush,
      'DELETE FROM t',
    );
    expect(told.unusable).toEqual({});
    expect([...(told.keys.get('t') ?? [])].sort()).toEqual(['0131', '0132']);
  });

  test('stops at the later position, though the log goes on', async () => {
    await open(['CREATE TABLE t (id INT PRIMARY KEY)'], ['t']);
    const told = await stand.after('INSERT INTO t VALUES (1)');
    await stand.exec('INSERT INTO t VALUES (2)', 'TRUNCATE t');
    const { was: _, ...again } = await stand.between(told.from, told.to);
    expect(again).toEqual({ keys: new Map([['t', new Set(['0131'])]]), unusable: {}, events: told.events });
  });

  test('waits for the taker of keys, and a large transaction is read in constant memory', async () => {
    await open(['CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT)'], ['t']);
    const from = await stand.moment();
    const rows = 60;
    const megabyte = "REPEAT('x', 1000000)";
    await stand.exec('START TRANSACTION');
    for (let id = 0; id < rows; id++) await stand.exec(`INSERT INTO t VALUES (${id}, ${megabyte})`);
    await stand.exec('COMMIT');
    const to = await stand.moment();
    let told = 0;
    let largest = 0;
    global.gc?.();
    const before = process.memoryUsage().rss;
    const onKeys = async (_: string, keys: LoggedKey[]): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      told += keys.length;
      largest = Math.max(largest, process.memoryUsage().rss - before);
    };
    await stand.between(from, to, { onKeys });
    expect(told).toBe(rows);
    expect(largest).toBeLessThan(45 * 1024 * 1024);
  });

  test('ends when it is cancelled, and leaves no connection', async () => {
    await open(['CREATE TABLE t (id INT PRIMARY KEY)'], ['t']);
    const { from, to } = await stand.after('INSERT INTO t VALUES (1)', 'INSERT INTO t VALUES (2)');
    const controller = new AbortController();
    const onKeys = () => controller.abort();
    await expect(stand.between(from, to, { onKeys, signal: controller.signal })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    await expect(stand.between(from, to, { onKeys: () => Promise.reject(new Error('full')) })).rejects.toThrow('full');
    await noReaders();
  });

  test('a transaction that was open at the earlier read is told when it commits', async () => {
    await open(['CREATE TABLE t (id INT PRIMARY KEY)'], ['t']);
    await stand.exec('START TRANSACTION', 'INSERT INTO t VALUES (1)');
    const from = await stand.moment();
    await stand.exec('INSERT INTO t VALUES (2)', 'COMMIT');
    const to = await stand.moment();
    expect((await stand.between(from, to)).keys.get('t')).toEqual(new Set(['0131', '0132']));
  });

  test('whatever changes, every key whose row differs is told or its table given up', async () => {
    await open(
      [
        'CREATE TABLE p (id VARCHAR(20) PRIMARY KEY, v INT)',
        `CREATE TABLE c (id INT PRIMARY KEY AUTO_INCREMENT, p_id VARCHAR(20), v INT,
           FOREIGN KEY (p_id) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE)`,
        `CREATE TABLE g (id INT PRIMARY KEY, c_id INT, FOREIGN KEY (c_id) REFERENCES c (id) ON DELETE SET NULL)`,
        'CREATE TABLE free (id DECIMAL(10,2), at DATETIME(3), v INT, PRIMARY KEY (id, at))',
      ],
      ['p', 'c', 'g', 'free'],
    );
    const id = fc.integer({ min: 0, max: 12 });
    const statement = fc.oneof(
      id.map((n) => `REPLACE INTO p VALUES ('k${n}', ${n})`),
      fc.tuple(id, id).map(([n, m]) => `UPDATE IGNORE p SET id = 'k${m}' WHERE id = 'k${n}'`),
      id.map((n) => `DELETE FROM p WHERE id = 'k${n}'`),
      id.map((n) => `INSERT IGNORE INTO c (p_id, v) VALUES ('k${n}', ${n})`),
      id.map((n) => `INSERT IGNORE INTO g SELECT id, id FROM c WHERE p_id = 'k${n}'`),
      id.map((n) => `UPDATE c SET v = v + 1 WHERE id % 5 = ${n % 5}`),
      id.map((n) => `DELETE FROM c WHERE id % 7 = ${n % 7}`),
      id.map(
        (n) => `INSERT INTO free VALUES (${n}.5, '2026-01-01 00:00:00.${n}', 0) ON DUPLICATE KEY UPDATE v = v + 1`,
      ),
      id.map((n) => `UPDATE IGNORE free SET id = id + ${n} WHERE v < 3`),
      id.map((n) => `DELETE FROM free WHERE id > ${n}`),
      fc.constantFrom(
        'FLUSH BINARY LOGS',
        'START TRANSACTION',
        'COMMIT',
        'ROLLBACK',
        'TRUNCATE free',
        'OPTIMIZE TABLE c',
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(statement, { minLength: 1, maxLength: 12 }), async (statements) => {
        const told = await stand.after(...statements);
        for (const { table } of told.to.tables) {
          if (table in told.unusable) continue;
          const missed = [...differingKeys(told.from, told.to, table)].filter((key) => !told.keys.get(table)?.has(key));
          expect({ table, missed, statements }).toEqual({ table, missed: [], statements });
        }
        await stand.exec('COMMIT');
      }),
      { numRuns: RUNS * 5 },
    );
  });
});
