/**
 * Incremental and differential backups of a MySQL or MariaDB server of this suite's own, by its binary log where that holds every
 * change, by comparing where not: whatever happened, each backup is exactly what the source was, and says how it was found.
 */
import type { BackupType, ChangeDetection } from '../../src/domain/backup';
import type { BackupId } from '../../src/domain/ids';
import type { TableManifest } from '../../src/domain/manifest';
import type { Source } from '../../src/domain/source';
import type { EngineStore } from '../../src/engine/ports';
import { backup } from '../support/engine-context';
import { numbers, type MariadbServer, type OwnServer } from '../support/mariadb';
import { connectMysql, describeMariadb, needOwnServer, openTestMysql } from '../support/mysql-source';
import { MysqlStand } from '../support/mysql-stand';

const SCRATCH = 'rv_test_incremental_scratch';
const MANY = 6000;
const T = 'CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(600), updated_at TIMESTAMP NULL ON UPDATE CURRENT_TIMESTAMP)';
/** Rows of many chunks. */
const FILL = `INSERT INTO t SELECT seq * 2, REPEAT(SHA2(seq, 512), 4), NULL FROM ${numbers(1, MANY)}`;
const NAMED = 'CREATE TABLE named (name VARCHAR(40) COLLATE utf8mb4_general_ci, n INT, v INT, PRIMARY KEY (name, n))';

describeMariadb('changes since the last backup', () => {
  let own: OwnServer;
  let server: MariadbServer;
  let stand: MysqlStand;

  beforeAll(async () => {
    ({ own, server } = await needOwnServer());
  });
  afterAll(() => own.remove());
  afterEach(() => stand.close());

  const open = async (statements: string[], tables = ['t']): Promise<BackupId> => {
    stand = await MysqlStand.open(statements, tables, { server });
    return stand.backup();
  };

  /** What a restore of the backup into a scratch schema gives is what the source is now. */
  const expectExact = async (backupId: BackupId): Promise<void> => {
    await stand.restore(backupId, { target: { kind: 'SCRATCH', schema: SCRATCH } });
    for (const [table, checksum] of Object.entries(await stand.state())) {
      const [[, restored] = []] = await stand.rows(`CHECKSUM TABLE \`${SCRATCH}\`.\`${table}\` EXTENDED`);
      expect({ table, checksum: restored }).toEqual({ table, checksum });
    }
    await stand.source.dropScratch(SCRATCH);
  };

  const take = async (type: BackupType = 'INCREMENTAL', of: { source?: Source; store?: EngineStore } = {}) => {
    const { manifest } = (await backup({ ...stand.bench, ...of }, { type })).stored;
    await expectExact(manifest.backupId);
    return new Map(manifest.tables.map((table) => [table.table, table]));
  };

  const by = (changeDetection: ChangeDetection, reason: RegExp, changedRowCount = expect.anything() as number) =>
    expect.objectContaining({ changeDetection, changeDetectionReason: expect.stringMatching(reason) as string, changedRowCount }) as TableManifest; // prettier-ignore
  const byLog = (changed?: number): TableManifest => by('BINLOG', /binary log/, changed);
  const byComparing = (reason: RegExp, changed?: number): TableManifest => by('SCAN', reason, changed);

  /** Files that a reader of the log is still seen to be in stay for a moment. */
  const purge = async (): Promise<void> => {
    const deadline = Date.now() + 5000;
    for (
      let files = await stand.rows('SHOW BINARY LOGS');
      files.length > 1;
      files = await stand.rows('SHOW BINARY LOGS')
    ) {
      if (Date.now() > deadline) throw new Error('the server does not purge its log');
      await stand.exec(`PURGE BINARY LOGS TO '${String(files.at(-1)?.[0])}'`);
    }
  };

  const CHANGES = [
    'INSERT INTO t (id, v) VALUES (-5, NULL), (7, 7), (99999, 9)',
    'UPDATE t SET v = REVERSE(v) WHERE id % 1000 = 2',
    'UPDATE t SET v = 5, updated_at = updated_at WHERE id = 44',
    'DELETE FROM t WHERE id IN (2, 6000, 12000)',
    'UPDATE t SET id = id + 1 WHERE id = 4000',
    'DELETE FROM t WHERE id = 100',
    "INSERT INTO t (id, v) VALUES (100, 'again')",
    'INSERT INTO t (id) VALUES (55)',
    'DELETE FROM t WHERE id = 55',
    "REPLACE INTO t (id, v) VALUES (200, 'replaced')",
    'START TRANSACTION',
    'DELETE FROM t',
    'ROLLBACK',
  ];

  test('are told by the log, whatever they were, and neither chunks nor other rows are read for them', async () => {
    await open([T, FILL]);
    await stand.exec(...CHANGES, 'FLUSH BINARY LOGS', 'UPDATE t SET v = 1 WHERE id = 8000', 'FLUSH BINARY LOGS');
    const read: string[] = [];
    const store = Object.create(stand.store, {
      readChunk: { value: (id: string) => (read.push(id), stand.store.readChunk(id)) },
    }) as EngineStore;
    const { manifest } = (await backup({ ...stand.bench, store }, { type: 'INCREMENTAL' })).stored;
    await expectExact(manifest.backupId);
    // 3 added, 12 reversed of which one is deleted, 44, 2 more deleted, two keys of a moved one, 100, 200, 8000.
    expect(manifest.tables).toEqual([byLog(3 + 12 + 1 + 2 + 2 + 1 + 1 + 1)]);
    expect(manifest.rowCount).toBe(MANY + 3 - 3);
    expect(read).toEqual([]);
    expect((await take()).get('t')).toEqual(byLog(0));
  });

  test('stack up, and a differential has all since the last full one', async () => {
    await open([T, FILL]);
    for (const id of [10, 12, 14]) {
      await stand.exec(`UPDATE t SET v = ${id} WHERE id = ${id}`, `DELETE FROM t WHERE id = ${id} + 1000`);
      expect((await take()).get('t')).toEqual(byLog(2));
    }
    expect((await take('DIFFERENTIAL')).get('t')).toEqual(byLog(6));
  });

  test('of keys that only a collation calls equal, and of keys with several columns', async () => {
    const rows = `INSERT INTO named SELECT CONCAT(CHAR(97 + seq % 26), 'É', seq % 50), seq, 1 FROM ${numbers(1, 3000)}`;
    await open([NAMED, rows], ['named']);
    await stand.exec(
      "UPDATE named SET name = UPPER(name) WHERE n % 700 = 3 AND name LIKE 'd%'",
      "UPDATE named SET name = CONCAT('ß', name) WHERE n = 5",
      'DELETE FROM named WHERE n = 6',
      "INSERT INTO named SELECT LOWER(name), n, 9 FROM (SELECT 'GÉ6' AS name, 6 AS n) AS again",
      "INSERT INTO named VALUES ('ss', 1, 1), ('Z', 1, 1), ('_', -1, 1)",
    );
    expect((await take()).get('named')).toEqual(byLog());
  });

  test('that commit after a backup began are in the next one', async () => {
    await open([T, FILL]);
    const late = await connectMysql(stand.schema.url);
    try {
      await late.exec('BEGIN');
      await late.exec("UPDATE t SET v = 'late' WHERE id = 20");
      await late.exec('INSERT INTO t (id) VALUES (21)');
      await stand.exec('UPDATE t SET v = 1 WHERE id = 22');
      expect((await take()).get('t')).toEqual(byLog(1));
      await late.exec('COMMIT');
      expect((await take()).get('t')).toEqual(byLog(2));
    } finally {
      await late.close();
    }
  });

  test('are found by comparing where the log was purged', async () => {
    await open([T, FILL]);
    await stand.exec('UPDATE t SET v = 1 WHERE id = 30', 'FLUSH BINARY LOGS', 'FLUSH BINARY LOGS');
    await purge();
    expect((await take()).get('t')).toEqual(byComparing(/was compared with the parent backup: .*purged or reset/, 1));
    await stand.exec('UPDATE t SET v = 2 WHERE id = 30');
    expect((await take()).get('t')).toEqual(byLog(1));
  });

  test('are found by comparing after TRUNCATE, and taken whole after ALTER', async () => {
    await open([T, FILL]);
    await stand.exec('TRUNCATE t', 'INSERT INTO t (id) VALUES (4), (5)');
    expect((await take()).get('t')).toEqual(byComparing(/its definition was changed: TRUNCATE \(t\)/));
    await stand.exec('ALTER TABLE t ADD COLUMN w INT', 'INSERT INTO t (id) VALUES (6)');
    expect((await take()).get('t')).toEqual(by('NONE', /structure changed/));
    await stand.exec('INSERT INTO t (id) VALUES (7)');
    expect((await take()).get('t')).toEqual(byLog(1));
  });

  test('are found by comparing where XA transactions were at work', async () => {
    await open([T, FILL]);
    await stand.exec("XA START 'x'", 'INSERT INTO t (id) VALUES (1)', "XA END 'x'", "XA PREPARE 'x'");
    expect((await take()).get('t')).toEqual(byComparing(/XA/, 0));
    await stand.exec("XA COMMIT 'x'");
    expect((await take()).get('t')).toEqual(byComparing(/XA/, 1));
    await stand.exec('UPDATE t SET v = 2 WHERE id = 30');
    expect((await take()).get('t')).toEqual(byLog(1));
  });

  test('that foreign keys made are found without comparing', async () => {
    const tables = [
      'CREATE TABLE p (id VARCHAR(20) PRIMARY KEY, v INT)',
      `CREATE TABLE c (id INT PRIMARY KEY, p_id VARCHAR(20), FOREIGN KEY (p_id) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE)`,
      `CREATE TABLE g (id INT PRIMARY KEY, c_id INT, FOREIGN KEY (c_id) REFERENCES c (id) ON DELETE SET NULL)`,
      `INSERT INTO p SELECT CONCAT('p', seq), 0 FROM ${numbers(1, 50)}`,
      `INSERT INTO c SELECT seq, CONCAT('p', 1 + seq % 50) FROM ${numbers(1, 500)}`,
      `INSERT INTO g SELECT seq, seq FROM ${numbers(1, 500)}`,
    ];
    await open(tables, ['p', 'c', 'g']);
    await stand.exec("UPDATE p SET v = 1 WHERE id = 'p7'", 'INSERT INTO c VALUES (900, NULL)');
    const quiet = await take();
    expect([...quiet.values()]).toEqual([byLog(1), byLog(1), byLog(0)]);
    await stand.exec("UPDATE p SET id = 'moved' WHERE id = 'p3'");
    const moved = await take();
    expect(moved.get('p')).toEqual(byLog(2));
    expect(moved.get('c')).toEqual(byLog(10));
    expect(moved.get('g')).toEqual(byLog(0));
    await stand.exec("DELETE FROM p WHERE id = 'p9'");
    const deleted = await take();
    expect(deleted.get('p')).toEqual(byLog(1));
    expect(deleted.get('c')).toEqual(byLog(10));
    expect(deleted.get('g')).toEqual(byLog(10));
  });

  test('that a restore in place made are told by the log, those of a table that it built are found by comparing', async () => {
    const full = await open([T, FILL]);
    await stand.exec(...CHANGES);
    await take();
    await stand.restore(full);
    await stand.exec('UPDATE t SET v = 3 WHERE id = 300');
    expect((await take()).get('t')).toEqual(byLog());
    await stand.exec('DROP TABLE t');
    await stand.restore(full);
    await stand.exec('UPDATE t SET v = 4 WHERE id = 400');
    expect((await take()).get('t')).toEqual(byComparing(/its definition was changed/, 2));
  });

  test('are found by comparing for a user who may not read the log', async () => {
    await open([T, FILL]);
    const user = `${stand.schema.name}_u`;
    await stand.exec(
      `CREATE USER '${user}'@'%' IDENTIFIED BY 'x'`,
      `GRANT ALL ON \`${stand.schema.name}\`.* TO '${user}'@'%'`,
      `GRANT RELOAD ON *.* TO '${user}'@'%'`,
      'UPDATE t SET v = 1 WHERE id = 50',
    );
    const url = Object.assign(new URL(stand.schema.url), { username: user, password: 'x' }).href;
    const source = openTestMysql(url, stand.mapping);
    try {
      const reason = /not known|not granted/;
      expect((await take('INCREMENTAL', { source })).get('t')).toEqual(byComparing(reason, 1));
    } finally {
      await source.close();
      await stand.exec(`DROP USER '${user}'@'%'`);
    }
  });

  test('are found by comparing where so many changed that one by one is no faster', async () => {
    await open([T, FILL]);
    await stand.exec("UPDATE t SET v = 'x' WHERE id % 8 = 0");
    expect((await take()).get('t')).toEqual(byComparing(/more than 1200 of its rows changed/, 1500));
  });

  test('are found by comparing where the order of the keys can not be told for certain', async () => {
    const table = 'CREATE TABLE named (name VARCHAR(600) COLLATE utf8mb4_bin PRIMARY KEY, v VARCHAR(600))';
    const fill = `INSERT INTO named SELECT CONCAT(SHA2(seq, 256), ' '), REPEAT(SHA2(seq, 512), 4) FROM ${numbers(1, 6000)}`;
    await open([table, fill], ['named']);
    await stand.exec("UPDATE named SET v = 'x' LIMIT 3");
    expect((await take()).get('named')).toEqual(byComparing(/where keys such as these stand/, 3));
  });

  test('of tables without rows, and down to none', async () => {
    await open([T]);
    await stand.exec('INSERT INTO t (id) VALUES (3), (1), (2)');
    expect((await take()).get('t')).toEqual(byLog(3));
    await stand.exec('DELETE FROM t');
    const emptied = (await take()).get('t');
    expect(emptied).toEqual(byLog(3));
    expect(emptied).toMatchObject({ rowCount: 0, rawBytes: 0 });
  });
});
