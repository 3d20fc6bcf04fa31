/** Compaction on real databases and a real repository: the backup stays exact, what comes after it stands on it, and fulls find it stored. */
import type { BackupId } from '../../src/domain/ids';
import type { SourceMapping } from '../../src/domain/mapping';
import { compact } from '../support/engine-context';
import { numbers, stopMariadb } from '../support/mariadb';
import { describeMariadb } from '../support/mysql-source';
import { MysqlStand } from '../support/mysql-stand';

jest.setTimeout(120_000);

const TABLES = [
  `CREATE TABLE number_key (id BIGINT PRIMARY KEY, note TEXT, at TIMESTAMP(6) DEFAULT NOW(6), parent BIGINT NULL,
     FOREIGN KEY (parent) REFERENCES number_key (id) ON DELETE SET NULL)`,
  'CREATE TABLE text_key (id VARCHAR(40) COLLATE utf8mb4_bin, day DATE, note TEXT, PRIMARY KEY (id, day))',
  'CREATE TABLE caseless_key (id VARCHAR(40) COLLATE utf8mb4_general_ci PRIMARY KEY, note TEXT)',
  'CREATE TABLE odd_key (id VARCHAR(40) COLLATE utf8mb4_general_ci PRIMARY KEY, note TEXT)',
  `INSERT INTO number_key (id, note) SELECT seq * 10 - 5000, REPEAT(SHA2(seq, 512), 12) FROM ${numbers(1, 3000)}`,
  'UPDATE number_key SET parent = id - 10 WHERE id > 0',
  `INSERT INTO text_key SELECT CONCAT('k', seq), '2026-01-01', REPEAT(SHA2(seq, 512), 12) FROM ${numbers(1, 3000)}`,
  `INSERT INTO caseless_key SELECT CONCAT('K-', seq), REPEAT(SHA2(seq, 512), 12) FROM ${numbers(1, 3000)}`,
  `INSERT INTO odd_key SELECT CONCAT(IF(seq % 2, 'Ä', 'a_'), seq), REPEAT(SHA2(seq, 512), 12) FROM ${numbers(1, 3000)}`,
];
const NAMES = ['number_key', 'text_key', 'caseless_key', 'odd_key'];
const MAPPING: SourceMapping = NAMES.map((table) => ({ dataType: 'CONFIG', table }));

/** Some rows go, some change, some come between others, in every table. */
function changesOf(n: number): string[] {
  return [
    `DELETE FROM number_key WHERE id % 700 = ${n * 10}`,
    `UPDATE number_key SET note = 'changed ${n}' WHERE id BETWEEN ${n * 900} AND ${n * 900 + 60}`,
    `INSERT INTO number_key (id, note) SELECT seq * 10 + ${n}, REPEAT('new', 200) FROM ${numbers(900 * n, 900 * n + 25)}`,
    `DELETE FROM text_key WHERE id LIKE '%${n}7'`,
    `INSERT INTO text_key SELECT CONCAT('k', seq), '2026-0${n}-15', 'another day' FROM ${numbers(1, 40)}`,
    `UPDATE caseless_key SET id = LOWER(id) WHERE id LIKE 'K-${n}1%'`,
    `INSERT INTO caseless_key SELECT CONCAT('k-', seq, '-', ${n}), 'new' FROM ${numbers(1, 30)}`,
    `UPDATE odd_key SET note = 'changed' WHERE id LIKE '%${n}3'`,
    `INSERT INTO odd_key VALUES ('ß${n}', 'sharp'), ('z${n}', 'last')`,
  ];
}

describeMariadb('a compacted backup', () => {
  let stand: MysqlStand;
  afterAll(() => stopMariadb());
  beforeEach(async () => {
    stand = await MysqlStand.open(TABLES, MAPPING);
  });
  afterEach(() => stand.close());

  const storedBytes = async (): Promise<number> => (await stand.store.info()).packBytes;
  const layersOf = async (id: BackupId): Promise<string[]> =>
    (await stand.store.findManifest(id))!.manifest.tables.map(({ layers }) => layers.map(({ kind }) => kind).join());

  async function expectRestored(id: BackupId, state: unknown): Promise<void> {
    const { mode } = await stand.restore(id);
    expect([mode, await stand.state()]).toEqual(['IN_PLACE', state]);
    for (const table of NAMES) await stand.exec(`DROP TABLE ${table}`);
    expect((await stand.restore(id)).mode).toBe('BULK');
    expect(await stand.state()).toEqual(state);
  }

  test('restores exactly, bears the next incremental, and a later full stores almost nothing', async () => {
    await stand.backup();
    const states: [BackupId, unknown][] = [];
    for (const n of [1, 2, 3]) {
      await stand.exec(...changesOf(n));
      states.push([await stand.backup({ type: 'INCREMENTAL' }), await stand.state()]);
    }
    const [compacted, state] = states[2]!;
    expect((await compact(stand.bench, compacted)).compactedTables).toEqual(NAMES);
    expect(await layersOf(compacted)).toEqual(['BASE', 'BASE', 'BASE', 'MERGED']);

    const before = await storedBytes();
    await stand.backup();
    const oddKeys = 3000 * 1600; // what a new full stores anew is this table at most, compressed
    expect((await storedBytes()) - before).toBeLessThan(oddKeys / 2);
    const full = (await stand.store.findManifest(await stand.backup()))!.manifest;
    const merged = (await stand.store.findManifest(compacted))!.manifest;
    expect(merged.tables.slice(0, 3).map(({ layers }) => layers)).toEqual(
      full.tables.slice(0, 3).map(({ layers }) => layers),
    );
    expect(merged.tables[0]?.layers[0]?.valueIndexes).toHaveLength(1);
    await stand.store.deleteManifest(full.backupId);

    await stand.exec(...changesOf(4));
    await compact(stand.bench, compacted); // nothing to do
    states.push([await stand.backup({ type: 'INCREMENTAL' }), await stand.state()]);
    expect((await stand.store.check({ level: 'DATA' })).findings).toEqual([]);
    for (const [id, of] of states) await expectRestored(id, of);
    await expectRestored(compacted, state);
  });

  test('takes less to read than its layers did, and frees them once nothing else needs them', async () => {
    await stand.backup();
    const ids: BackupId[] = [];
    for (const n of [1, 2, 3, 4, 5, 6]) {
      await stand.exec(...changesOf(n));
      ids.push(await stand.backup({ type: 'INCREMENTAL' }));
    }
    const state = await stand.state();
    const last = ids.pop() as BackupId;
    await compact(stand.bench, last);
    for (const id of ids) await stand.store.deleteManifest(id);
    const before = await storedBytes();
    await stand.store.collectGarbage({ dryRun: false });
    await stand.store.collectGarbage({ dryRun: false });
    expect(await storedBytes()).toBeLessThan(before);
    await expectRestored(last, state);
  });
});
