/**
 * Incremental backups by the binary log where the server itself deleted or changed rows, as foreign keys told it to, and logged nothing of
 * it: each backup is exactly what the source was, and only what can't be followed is compared.
 */
import type { TableManifest } from '../../src/domain/manifest';
import { backup } from '../support/engine-context';
import { numbers, type MariadbServer, type OwnServer } from '../support/mariadb';
import { describeMariadb, needOwnServer, openTestMysql } from '../support/mysql-source';
import { MysqlStand } from '../support/mysql-stand';

const SCRATCH = 'rv_test_follow_scratch';
const UUID = 'CHAR(36) CHARACTER SET ascii COLLATE ascii_bin';
const CODE = 'VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci';

/** Businesses of tenants, their assessments, factors and notes of these, alerts that only lose what they refer to. */
const PLATFORM = [
  `CREATE TABLE tenants (code ${CODE} PRIMARY KEY, name VARCHAR(40))`,
  `CREATE TABLE businesses (id INT PRIMARY KEY, tenant ${CODE} NOT NULL, name VARCHAR(40),
     CONSTRAINT of_tenant FOREIGN KEY (tenant) REFERENCES tenants (code) ON DELETE CASCADE ON UPDATE CASCADE)`,
  `CREATE TABLE assessments (id ${UUID} PRIMARY KEY, business INT NOT NULL, score DECIMAL(7,4),
     CONSTRAINT of_business FOREIGN KEY (business) REFERENCES businesses (id) ON DELETE CASCADE)`,
  `CREATE TABLE factors (id INT PRIMARY KEY, assessment ${UUID} NOT NULL, note VARCHAR(400),
     CONSTRAINT of_assessment FOREIGN KEY (assessment) REFERENCES assessments (id) ON DELETE CASCADE)`,
  `CREATE TABLE notes (factor INT NOT NULL, n INT NOT NULL, note VARCHAR(40), PRIMARY KEY (factor, n),
     CONSTRAINT of_factor FOREIGN KEY (factor) REFERENCES factors (id) ON DELETE CASCADE)`,
  `CREATE TABLE alerts (id INT PRIMARY KEY, business INT NOT NULL, assessment ${UUID},
     CONSTRAINT of_its_business FOREIGN KEY (business) REFERENCES businesses (id) ON DELETE CASCADE,
     CONSTRAINT of_its_assessment FOREIGN KEY (assessment) REFERENCES assessments (id) ON DELETE SET NULL)`,
  `INSERT INTO tenants SELECT CONCAT('Tenant ', seq), 'x' FROM ${numbers(1, 20)}`,
  `INSERT INTO businesses SELECT seq, CONCAT(IF(seq % 2, 'TENANT ', 'tenant '), 1 + seq % 20), 'b' FROM ${numbers(1, 400)}`,
  `INSERT INTO assessments SELECT CONCAT('00000000-0000-4000-8000-', LPAD(seq, 12, '0')), 1 + seq % 400, seq / 7 FROM ${numbers(1, 2000)}`,
  `INSERT INTO factors SELECT seq, CONCAT('00000000-0000-4000-8000-', LPAD(1 + seq * 7 % 2000, 12, '0')), REPEAT('n', 300) FROM ${numbers(1, 6000)}`,
  `INSERT INTO notes SELECT 1 + seq % 6000, seq, 'n' FROM ${numbers(1, 7000)}`,
  `INSERT INTO alerts SELECT seq, 1 + seq % 400, IF(seq % 3, CONCAT('00000000-0000-4000-8000-', LPAD(1 + seq % 2000, 12, '0')), NULL) FROM ${numbers(1, 3000)}`,
];
const TABLES = ['tenants', 'businesses', 'assessments', 'factors', 'notes', 'alerts'];

describeMariadb('rows that foreign keys deleted or changed', () => {
  let own: OwnServer;
  let server: MariadbServer;
  let stand: MysqlStand;

  beforeAll(async () => {
    ({ own, server } = await needOwnServer());
  });
  afterAll(() => own.remove());
  afterEach(() => stand.close());

  const open = async (statements: string[], tables: string[]): Promise<void> => {
    stand = await MysqlStand.open(statements, tables, { server });
    await stand.backup();
  };

  /** How the changes of each table were found, and why; a restore into a scratch schema gives what the source is now. */
  const take = async (source = stand.source): Promise<Record<string, string>> => {
    const { manifest } = (await backup({ ...stand.bench, source }, { type: 'INCREMENTAL' })).stored;
    await stand.restore(manifest.backupId, { target: { kind: 'SCRATCH', schema: SCRATCH } });
    for (const [table, checksum] of Object.entries(await stand.state())) {
      const [[, restored] = []] = await stand.rows(`CHECKSUM TABLE \`${SCRATCH}\`.\`${table}\` EXTENDED`);
      expect({ table, checksum: restored }).toEqual({ table, checksum });
    }
    await stand.source.dropScratch(SCRATCH);
    for (const { table, rowCount } of manifest.tables) {
      expect({ table, rowCount: [[rowCount]] }).toEqual({
        table,
        rowCount: await stand.rows(`SELECT COUNT(*) FROM ${table}`),
      });
    }
    const how = ({ changeDetection, changeDetectionReason: reason }: TableManifest): string =>
      changeDetection === 'BINLOG' ? changeDetection : `${changeDetection}: ${reason}`;
    return Object.fromEntries(manifest.tables.map((table) => [table.table, how(table)]));
  };

  const allByLog = (tables: readonly string[]): Record<string, string> =>
    Object.fromEntries(tables.map((table) => [table, 'BINLOG']));

  test('are found four levels deep, in other case, with those that only lost what they referred to', async () => {
    await open(PLATFORM, TABLES);
    await stand.exec("DELETE FROM assessments WHERE id LIKE '%00000007' OR id LIKE '%00000100'");
    expect(await take()).toEqual(allByLog(TABLES));
    await stand.exec('DELETE FROM businesses WHERE id IN (5, 6)', 'UPDATE factors SET note = 1 WHERE id = 77');
    expect(await take()).toEqual(allByLog(TABLES));
    await stand.exec("DELETE FROM tenants WHERE code = 'TENANT 3'");
    expect(await take()).toEqual(allByLog(TABLES));
    expect(Number((await stand.rows("SELECT COUNT(*) FROM businesses WHERE tenant = 'tenant 3'"))[0]![0])).toBe(0);
  });

  test('are found where the row that took them along had come to its parent only after the last backup', async () => {
    await open(PLATFORM, TABLES);
    await stand.exec(
      'UPDATE assessments SET business = 9 WHERE business = 8',
      'INSERT INTO businesses VALUES (900, "Tenant 1", "new")',
      "UPDATE assessments SET business = 900 WHERE id LIKE '%00000011'",
      'DELETE FROM businesses WHERE id IN (9, 900)',
    );
    expect(await take()).toEqual(allByLog(TABLES));
  });

  test('are found where they came back, under the same keys, before the next backup', async () => {
    await open(PLATFORM, TABLES);
    await stand.exec(
      'CREATE TEMPORARY TABLE kept AS SELECT * FROM assessments WHERE business = 11',
      'CREATE TEMPORARY TABLE kept_factors AS SELECT f.* FROM factors f JOIN kept k ON f.assessment = k.id',
      'DELETE FROM businesses WHERE id = 11',
      "INSERT INTO businesses VALUES (11, 'Tenant 12', 'again')",
      'INSERT INTO assessments SELECT * FROM kept',
      'INSERT INTO factors SELECT * FROM kept_factors WHERE id % 2',
      'DELETE FROM businesses WHERE id = 11',
      "INSERT INTO businesses VALUES (11, 'Tenant 12', 'and again')",
      'INSERT INTO assessments SELECT * FROM kept LIMIT 1',
    );
    expect(await take()).toEqual(allByLog(TABLES));
  });

  test('are found by a natural key that changed, and once more by its new value', async () => {
    await open(PLATFORM, TABLES);
    await stand.exec("UPDATE tenants SET code = 'Renamed' WHERE code = 'tenant 4'");
    expect(await take()).toEqual(allByLog(TABLES));
    await stand.exec(
      "UPDATE tenants SET code = 'RENAMED' WHERE code = 'renamed'",
      "DELETE FROM tenants WHERE code = 'renamed'",
    );
    expect(await take()).toEqual(allByLog(TABLES));
  });

  test('of tables that refer to themselves or to each other in a circle', async () => {
    await open(
      [
        'CREATE TABLE nodes (id INT PRIMARY KEY, above INT, CONSTRAINT of_node FOREIGN KEY (above) REFERENCES nodes (id) ON DELETE CASCADE)',
        'INSERT INTO nodes VALUES (1, NULL)',
        `INSERT INTO nodes SELECT seq, 1 + (seq - 2) DIV 3 FROM ${numbers(2, 3000)}`,
        'CREATE TABLE a (id INT PRIMARY KEY, b INT)',
        'CREATE TABLE b (id INT PRIMARY KEY, a INT, CONSTRAINT of_a FOREIGN KEY (a) REFERENCES a (id) ON DELETE CASCADE)',
        'ALTER TABLE a ADD CONSTRAINT of_b FOREIGN KEY (b) REFERENCES b (id) ON DELETE CASCADE',
        `INSERT INTO a SELECT seq, NULL FROM ${numbers(1, 900)}`,
        `INSERT INTO b SELECT seq, seq FROM ${numbers(1, 900)}`,
        'UPDATE a SET b = IF(id % 5, id - 1, NULL) WHERE id > 1',
      ],
      ['nodes', 'a', 'b'],
    );
    await stand.exec(
      'DELETE FROM nodes WHERE id IN (40, 700)',
      'DELETE FROM a WHERE id = 101',
      'DELETE FROM b WHERE id = 555',
    );
    expect(await take()).toEqual(allByLog(['nodes', 'a', 'b']));
  });

  test('are compared where a table on the way is not backed up, and nowhere else', async () => {
    await open(PLATFORM, TABLES.filter((table) => table !== 'factors')); // prettier-ignore
    await stand.exec('DELETE FROM businesses WHERE id = 5');
    expect(await take()).toEqual({
      ...allByLog(['tenants', 'businesses', 'assessments', 'alerts']),
      notes: expect.stringContaining('SCAN: Every row was compared'),
    });
  });

  test('are compared where they refer to generated values, which no row of a backup holds', async () => {
    await open(
      [
        'CREATE TABLE p (id INT PRIMARY KEY)',
        `CREATE TABLE c (id INT PRIMARY KEY, p INT, twice INT AS (id * 2) STORED UNIQUE,
           CONSTRAINT of_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)`,
        'CREATE TABLE g (id INT PRIMARY KEY, c INT, CONSTRAINT of_c FOREIGN KEY (c) REFERENCES c (twice) ON DELETE CASCADE)',
        'INSERT INTO p VALUES (1), (2)',
        'INSERT INTO c (id, p) VALUES (1, 1), (2, 2)',
        'INSERT INTO g VALUES (1, 2), (2, 4)',
      ],
      ['p', 'c', 'g'],
    );
    await stand.exec('DELETE FROM p WHERE id = 1');
    expect(await take()).toEqual({ ...allByLog(['p', 'c']), g: expect.stringContaining('not logged') });
  });

  test('are compared where an unlogged change goes on to other columns, or to the own key', async () => {
    await open(
      [
        'CREATE TABLE p (code VARCHAR(9) PRIMARY KEY)',
        'CREATE TABLE c (code VARCHAR(9) PRIMARY KEY, CONSTRAINT of_p FOREIGN KEY (code) REFERENCES p (code) ON UPDATE CASCADE)',
        'CREATE TABLE q (id INT PRIMARY KEY, code VARCHAR(9), UNIQUE (code), CONSTRAINT of_p_too FOREIGN KEY (code) REFERENCES p (code) ON UPDATE CASCADE)',
        'CREATE TABLE d (id INT PRIMARY KEY, code VARCHAR(9), CONSTRAINT of_q FOREIGN KEY (code) REFERENCES q (code) ON UPDATE CASCADE)',
        "INSERT INTO p VALUES ('a'), ('b')",
        "INSERT INTO c VALUES ('a'), ('b')",
        "INSERT INTO q VALUES (1, 'a'), (2, 'b')",
        "INSERT INTO d VALUES (1, 'a'), (2, 'b'), (3, 'a')",
      ],
      ['p', 'c', 'q', 'd'],
    );
    await stand.exec("UPDATE p SET code = 'z' WHERE code = 'a'");
    expect(await take()).toEqual({
      ...allByLog(['p', 'q']),
      c: expect.stringContaining('not logged'),
      d: expect.stringContaining('not logged'),
    });
  });

  const CHILDREN = [
    'CREATE TABLE c (id INT PRIMARY KEY, code VARCHAR(9), CONSTRAINT of_p FOREIGN KEY (code) REFERENCES p (code) ON DELETE CASCADE ON UPDATE CASCADE)',
    'CREATE TABLE g (id INT PRIMARY KEY, c INT, CONSTRAINT of_c FOREIGN KEY (c) REFERENCES c (id) ON DELETE CASCADE)',
    "INSERT INTO p (code) VALUES ('a'), ('b')",
    "INSERT INTO c VALUES (1, 'a'), (2, 'b')",
    'INSERT INTO g VALUES (1, 1), (2, 2)',
  ];

  test('are found below rows that had themselves changed unlogged before they went', async () => {
    await open(['CREATE TABLE p (code VARCHAR(9) PRIMARY KEY)', ...CHILDREN], ['p', 'c', 'g']);
    await stand.exec("UPDATE p SET code = 'z' WHERE code = 'a'", "DELETE FROM p WHERE code = 'z'");
    expect(await take()).toEqual(allByLog(['p', 'c', 'g']));
  });

  test('are found where one foreign key changed the columns of another, by which the rows then went', async () => {
    await open(
      [
        'CREATE TABLE a (t INT, x INT, PRIMARY KEY (t, x))',
        'CREATE TABLE b (t INT, y INT, PRIMARY KEY (t, y))',
        `CREATE TABLE c (id INT PRIMARY KEY, t INT, x INT, y INT,
           CONSTRAINT of_a FOREIGN KEY (t, x) REFERENCES a (t, x) ON UPDATE CASCADE,
           CONSTRAINT of_b FOREIGN KEY (t, y) REFERENCES b (t, y) ON DELETE CASCADE)`,
        'CREATE TABLE g (id INT PRIMARY KEY, c INT, CONSTRAINT of_c FOREIGN KEY (c) REFERENCES c (id) ON DELETE CASCADE)',
        'INSERT INTO a VALUES (1, 1), (1, 2)',
        'INSERT INTO b VALUES (1, 1), (2, 1), (1, 2)',
        'INSERT INTO c VALUES (1, 1, 1, 1), (2, 1, 2, 2)',
        'INSERT INTO g VALUES (1, 1), (2, 2)',
      ],
      ['a', 'b', 'c', 'g'],
    );
    await stand.exec('UPDATE a SET t = 2 WHERE x = 1', 'DELETE FROM b WHERE t = 2');
    expect(await take()).toEqual(allByLog(['a', 'b', 'c', 'g']));
  });

  test('are compared below rows that changed in a chain of updates and then went', async () => {
    await open(
      [
        'CREATE TABLE top (code VARCHAR(9) PRIMARY KEY)',
        "INSERT INTO top VALUES ('a'), ('b')",
        `CREATE TABLE p (id INT AUTO_INCREMENT PRIMARY KEY, code VARCHAR(9) UNIQUE,
           CONSTRAINT of_top FOREIGN KEY (code) REFERENCES top (code) ON UPDATE CASCADE)`,
        ...CHILDREN,
      ],
      ['top', 'p', 'c', 'g'],
    );
    await stand.exec("UPDATE top SET code = 'z' WHERE code = 'a'", "DELETE FROM p WHERE code = 'z'");
    const compared = expect.stringContaining('SCAN: Every row was compared') as string;
    expect(await take()).toEqual({ ...allByLog(['top', 'p']), c: compared, g: compared });
  });

  test.each([
    ['DECIMAL(10,1)', 'DECIMAL(10,2)', '12.3', '12.03'],
    ['DATETIME(1)', 'DATETIME(2)', "'2026-01-02 03:04:05.1'", "'2026-01-02 03:04:05.10'"],
    ['DATETIME', 'DATETIME(2)', "'2026-01-02 03:04:05'", "'2026-01-02 03:04:05.32'"],
  ])('are compared where the server takes %s for a %s by the bytes that it stores', async (below, above, ...texts) => {
    if (!server.isMariadb) return open(PLATFORM, TABLES);
    await open(
      [
        `CREATE TABLE p (k ${above} PRIMARY KEY)`,
        `CREATE TABLE c (id INT PRIMARY KEY, k ${below}, CONSTRAINT of_p FOREIGN KEY (k) REFERENCES p (k) ON DELETE CASCADE)`,
        `INSERT INTO p VALUES (${texts[1]})`,
        `INSERT INTO c VALUES (1, ${texts[0]})`,
      ],
      ['p', 'c'],
    );
    await stand.exec('DELETE FROM p');
    expect(await stand.rows('SELECT COUNT(*) FROM c')).toEqual([[0]]);
    expect(await take()).toEqual({ p: 'BINLOG', c: expect.stringContaining('not logged') });
  });

  test('are compared below a table that keeps its deleted rows as history', async () => {
    if (!server.isMariadb) return open(PLATFORM, TABLES);
    await open(
      [
        `CREATE TABLE p (id INT PRIMARY KEY, since TIMESTAMP(6) GENERATED ALWAYS AS ROW START, till TIMESTAMP(6) GENERATED ALWAYS AS ROW END,
           PERIOD FOR SYSTEM_TIME (since, till)) WITH SYSTEM VERSIONING`,
        'CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT of_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)',
        'INSERT INTO p (id) VALUES (1), (2)',
        'INSERT INTO c VALUES (1, 1), (2, 2)',
      ],
      ['c'],
    );
    await stand.exec('DELETE FROM p WHERE id = 1');
    expect(await take()).toEqual({ c: expect.stringContaining('system-versioned') });
  });

  test('are found by a user who may read, and nothing else', async () => {
    await open(PLATFORM, TABLES);
    const user = `rv_reader_${process.pid}`;
    await stand.exec(
      `CREATE USER ${user} IDENTIFIED BY 'secret'`,
      `GRANT SELECT ON \`${stand.schema.name}\`.* TO ${user}`,
      `GRANT RELOAD, REPLICATION SLAVE, ${server.isMariadb ? 'BINLOG MONITOR, SLAVE MONITOR' : 'REPLICATION CLIENT'} ON *.* TO ${user}`,
    );
    const url = Object.assign(new URL(stand.schema.url), { username: user, password: 'secret' });
    const reader = openTestMysql(url.href, stand.mapping);
    try {
      await backup({ ...stand.bench, source: reader }, { type: 'FULL' });
      await stand.exec('DELETE FROM businesses WHERE id IN (5, 6)', "DELETE FROM tenants WHERE code = 'TENANT 3'");
      expect(await take(reader)).toEqual(allByLog(TABLES));
    } finally {
      await reader.close();
      await stand.exec(`DROP USER ${user}`);
    }
  });

  test('are compared where only the server can tell what is equal, and what follows them too', async () => {
    await open(PLATFORM, TABLES);
    await stand.exec(
      "INSERT INTO tenants VALUES ('Größe', 'x')",
      "UPDATE businesses SET tenant = 'GRÖSSE' WHERE id = 3",
    );
    expect(await take()).toEqual(allByLog(TABLES));
    await stand.exec("DELETE FROM tenants WHERE code = 'größe'");
    const compared = expect.stringMatching(/SCAN: .*only the server can tell/) as string;
    expect(await take()).toEqual({
      tenants: 'BINLOG',
      businesses: compared,
      assessments: compared,
      factors: compared,
      notes: compared,
      alerts: compared,
    });
  });
});
