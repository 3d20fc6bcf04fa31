/**
 * Comparisons of backups, against SQL run on restored copies of both: full, incremental and compacted backups in any pairing, the live
 * source, one business, tables that changed their columns. One suite, run against every kind of source.
 */
import type { FoundChange } from '../../src/domain/backup-reader';
import type { RequestedDataType } from '../../src/domain/data-type';
import type { BackupId, JobId } from '../../src/domain/ids';
import type { ComparisonResult } from '../../src/domain/task';
import type { SourceContractFixture } from '../contract/source-contract';
import { BASE, foundIn, Stand, TABLES } from './compare-stand';
import { countingStore } from './counting-store';
import { backup, compact, comparisonTask, restore, run } from './engine-context';
import { flipByte, openStore } from './engine-scenarios';
import { RECORDS_MAPPING } from './record-platform';

const refused = (code: string, more: object = {}) => expect.objectContaining({ code, ...more });

/** Base and target: which of the backups. Full and incremental, neighbours or not, of one base or not, forth and back, compacted on either side. */
const PAIRS: [number, number][] = [[0, 1], [1, 0], [1, 2], [0, 3], [3, 1], [2, 4], [4, 3], [3, 5], [5, 0]]; // prettier-ignore

export function describeComparisons(
  name: string,
  fixture: SourceContractFixture,
  { isSqlite }: { isSqlite: boolean },
): void {
  describe(`comparing backups of ${name}`, () => {
    let stand: Stand;
    /** Full, two incrementals, a full without parents, an incremental on it that was compacted, and another one on that. */
    let backups: BackupId[];

    beforeAll(async () => {
      stand = await Stand.open(fixture, isSqlite);
      backups = [await stand.backup()];
      for (const type of ['INCREMENTAL', 'INCREMENTAL', 'FULL', 'INCREMENTAL', 'INCREMENTAL'] as const) {
        await stand.change();
        backups.push(await stand.backup({ type }));
        if (backups.length === 5) await compact(stand.bench, backups[4]!);
      }
    });
    afterAll(() => stand.close());

    async function bothCopies(base: number, target: number): Promise<void> {
      await restore(stand.bench, { backupId: backups[base]! });
      await stand.copyBase();
      await restore(stand.bench, { backupId: backups[target]! });
    }

    it.each(PAIRS)('tells what SQL on restored copies tells, row by row: %i and %i, and live', async (base, target) => {
      await bothCopies(base, target);
      const [backupId, targetId] = [backups[base]!, backups[target]!];
      const results = [await stand.compare({ backupId, targetId }), await stand.compare({ backupId, targetId: null })];
      for (const result of results) {
        const changes = await stand.changes(result);
        for (const [table, { others, dataType }] of Object.entries(TABLES)) {
          const expected = await stand.expected(table);
          expect({ table, ...foundIn(changes, table) }).toEqual({ table, ...expected });
          const { removed, added, changed, unchanged, ...rest } = result.tables.find((found) => found.table === table)!;
          expect([removed, added, changed]).toEqual([expected.removed, expected.added, expected.changed].map(({ length }) => length)); // prettier-ignore
          expect(unchanged + removed + changed).toBe(await stand.count(`SELECT COUNT(*) FROM ${BASE}${table}`));
          expect(rest).toEqual({ dataType, table, inBase: true, inTarget: true, notes: [] });
          for (const column of others) {
            const differing = changes.filter((change) => change.table === table && change.fields.some((field) => field.name === column)); // prettier-ignore
            expect([column, differing.length]).toEqual([column, await stand.differingIn(table, column)]);
          }
        }
        const total = (of: 'removed' | 'added' | 'changed'): number => result.tables.reduce((sum, table) => sum + table[of], 0); // prettier-ignore
        expect(changes).toHaveLength(total('removed') + total('added') + total('changed'));
      }
    });

    it.each(PAIRS.slice(2, 6))('tells what is different of one business: %i and %i, and live', async (base, target) => {
      await bothCopies(base, target);
      for (const businessId of ['b0', `b${stand.random.int(1, 11)}`]) {
        for (const targetId of [backups[target]!, null]) {
          const result = await stand.compare({ backupId: backups[base]!, targetId, businessId });
          expect(result.tables.map(({ table }) => table).sort()).toEqual(['business', 'item', 'part']);
          const changes = await stand.changes(result);
          for (const { table, unchanged, removed, changed } of result.tables) {
            expect({ table, ...foundIn(changes, table) }).toEqual({ table, ...(await stand.expected(table, businessId)) }); // prettier-ignore
            const owned = TABLES[table]!.owned!(businessId, BASE).replaceAll('T.', `${BASE}${table}.`);
            const rows = await stand.count(`SELECT COUNT(*) FROM ${BASE}${table} WHERE ${owned}`);
            expect(unchanged + removed + changed).toBe(rows);
          }
        }
      }
      const unknown = stand.compare({ backupId: backups[base]!, targetId: backups[target]!, businessId: 'nobody' });
      await expect(unknown).rejects.toEqual(refused('NOT_FOUND'));
    });

    it('shows both images, by kind, by table and by data type', async () => {
      await bothCopies(0, 1);
      const result = await stand.compare({ backupId: backups[0]!, targetId: backups[1]! });
      const changed = await stand.changes(result, { table: 'item', kinds: ['CHANGED'] });
      expect(changed.length).toBeGreaterThan(10);
      const rows = await stand.sql.query(`SELECT b.id, b.n, t.n FROM ${BASE}item b, item t WHERE b.id = t.id`);
      const byKey = new Map(rows.map(([id, ...values]) => [id, values.map((value) => value && Number(value))]));
      for (const { key, before, after, fields } of changed) {
        expect([before!.n, after!.n]).toEqual(byKey.get(String(key.id as number)));
        const differing = Object.keys(before!).filter((column) => JSON.stringify(before![column]) !== JSON.stringify(after![column])); // prettier-ignore
        expect(fields.map(({ name: column }) => column)).toEqual(differing);
        for (const field of fields) expect([field.before, field.after]).toEqual([before![field.name], after![field.name]]); // prettier-ignore
      }
      const gone = await stand.changes(result, { dataType: 'FACTORS', kinds: ['REMOVED'] });
      expect(gone.length).toBeGreaterThan(0);
      for (const change of gone)
        expect(change).toMatchObject({ table: 'part', kind: 'REMOVED', after: null, fields: [] });
    });

    it('compares the data types asked for, and refuses those that one side does not hold', async () => {
      const config = await stand.backup({ dataTypes: ['CONFIG'] });
      const both = await stand.compare({ backupId: backups[5]!, targetId: config });
      expect(both.tables.map(({ table }) => table)).toEqual(['setting']);
      expect(both.notes.join()).toMatch(/target holds no BUSINESSES, ASSESSMENTS/);
      const asked = (dataTypes: RequestedDataType[]) => stand.compare({ backupId: backups[5]!, targetId: config, dataTypes }); // prettier-ignore
      expect((await asked(['CONFIG'])).notes).toEqual([]);
      await expect(asked(['CONFIG', 'TRENDS'])).rejects.toEqual(refused('INVALID_INPUT', { path: ['input', 'dataTypes'] })); // prettier-ignore
    });

    it('compares a backup of one business with one of all by what both have of it', async () => {
      await restore(stand.bench, { backupId: backups[5]! });
      const one = await stand.backup({ type: 'BUSINESS', businessId: 'b0' });
      await stand.sql.exec(`UPDATE item SET n = 77 WHERE business_id IN ('b0', 'b1') AND id % 10 = 0`);
      const all = await stand.backup();
      const changedOf = async (id: string): Promise<number> =>
        stand.count(`SELECT COUNT(*) FROM item WHERE business_id = '${id}' AND n = 77`);
      const result = await stand.compare({ backupId: one, targetId: all });
      expect(result).toMatchObject({ removed: 0, added: 0, changed: await changedOf('b0') });
      expect(result.changed).toBeGreaterThan(0);
      await expect(stand.compare({ backupId: all, targetId: one, businessId: 'b1' })).rejects.toEqual(refused('INVALID_INPUT')); // prettier-ignore
    });

    it('is the same when its job is tried again, though the backups have gone meanwhile', async () => {
      const base = await stand.backup();
      const task = comparisonTask({ backupId: base, targetId: backups[0]! });
      const first = (await run(task, stand.bench)) as ComparisonResult;
      await run({ kind: 'CLEANUP', jobId: 'j' as JobId, backupIds: [base], dryRun: false }, stand.bench);
      expect(await run(task, stand.bench)).toEqual(first);
      expect(await stand.changes(first)).toHaveLength(first.removed + first.added + first.changed);
      await expect(stand.compare({ backupId: base, targetId: null })).rejects.toEqual(refused('NOT_FOUND'));
    });

    it('reads of a full backup and its incremental no more than what changed', async () => {
      await restore(stand.bench, { backupId: backups[5]! });
      const base = await stand.backup();
      await stand.sql.exec(`UPDATE item SET n = 5 WHERE id = (SELECT id FROM (SELECT MIN(id) AS id FROM item) one)`);
      const target = await stand.backup({ type: 'INCREMENTAL' });
      const { store, reads } = countingStore(stand.store);
      const result = await stand.compare({ backupId: base, targetId: target }, { ...stand.bench, store });
      expect(result.removed + result.added + result.changed).toBeLessThanOrEqual(1);
      expect([reads.base.length, reads.delta.length]).toEqual([1, 1]);
    });

    it('leaves nothing behind when it is cancelled', async () => {
      const cancel = new AbortController();
      const signal = cancel.signal;
      const packs = async (): Promise<number> => (await stand.store.info()).packCount;
      const before = await packs();
      const onProgress = ({ phase }: { phase: string }): void => void (phase === 'comparing' && cancel.abort());
      const wanted = { backupId: backups[0]!, targetId: null };
      await expect(stand.compare(wanted, { ...stand.bench, signal, onProgress })).rejects.toEqual(refused('CANCELLED'));
      expect(await packs()).toBe(before);
    });
  });

  describe(`comparing backups of ${name}, once tables have changed`, () => {
    let stand: Stand;
    beforeEach(async () => {
      stand = await Stand.open(fixture, isSqlite);
    });
    afterEach(() => stand.close());

    it('compares the columns that both have, and names the others', async () => {
      await stand.sql.exec(`INSERT INTO setting VALUES ('a', 1), ('b', 2), ('c', 3)`);
      const base = await stand.backup();
      await stand.sql.exec(`ALTER TABLE setting ADD COLUMN extra INT NULL`);
      await stand.sql.exec(`UPDATE setting SET extra = 9`);
      await stand.sql.exec(`UPDATE setting SET n = 22 WHERE name = 'b'`);
      await stand.sql.exec(`DELETE FROM setting WHERE name = 'c'`);
      await stand.sql.exec(`INSERT INTO setting (name, n, extra) VALUES ('d', 4, 4)`);
      const target = await stand.backup();
      for (const targetId of [target, null]) {
        const result = await stand.compare({ backupId: base, targetId, dataTypes: ['CONFIG'] });
        expect(result.tables).toEqual([
          expect.objectContaining({ table: 'setting', removed: 1, added: 1, changed: 1, unchanged: 1, notes: [expect.stringMatching(/^Column extra is in the target alone/)] }),
        ]); // prettier-ignore
        const [gone, changed, come] = await stand.changes(result);
        expect(gone).toMatchObject({ kind: 'REMOVED', key: { name: 'c' }, before: { name: 'c', n: 3 }, after: null });
        expect(changed).toMatchObject({ before: { name: 'b', n: 2 }, after: { name: 'b', n: 22, extra: 9 }, fields: [{ name: 'n', before: 2, after: 22 }] }); // prettier-ignore
        expect(come).toMatchObject({ kind: 'ADDED', after: { name: 'd', n: 4, extra: 4 } });
      }
      const back = await stand.compare({ backupId: target, targetId: base, dataTypes: ['CONFIG'] });
      expect(back).toMatchObject({ removed: 1, added: 1, changed: 1 });
    });

    /** Makes `setting` anew with other columns, of which those named get the values that are there. */
    async function remakeSetting(columns: string, names: string): Promise<void> {
      await stand.sql.exec(`CREATE TABLE setting_next (${columns})`);
      await stand.sql.exec(`INSERT INTO setting_next (${names}) SELECT ${names} FROM setting`);
      await stand.sql.exec('DROP TABLE setting');
      await stand.sql.exec('ALTER TABLE setting_next RENAME TO setting');
    }

    /** Of a table of many rows one was removed, one added and one changed since the base; from the live source, and from a backup. */
    async function expectOneOfEach(base: BackupId, unchanged: number): Promise<void> {
      const target = await stand.backup();
      for (const targetId of [null, target]) {
        const result = await stand.compare({ backupId: base, targetId, dataTypes: ['CONFIG'] });
        expect(result.tables).toMatchObject([{ removed: 1, added: 1, changed: 1, unchanged, notes: [] }]);
        const kinds = (await stand.changes(result)).map(({ kind, key }) => [kind, key.name]);
        expect(kinds).toEqual([['REMOVED', 'K1'], ['CHANGED', 'k2'], ['ADDED', 'new']]); // prettier-ignore
      }
    }

    it('finds the same rows of keys that sort another way since', async () => {
      const caseless = isSqlite ? 'TEXT COLLATE NOCASE' : 'VARCHAR(40) COLLATE utf8mb4_general_ci';
      const exact = isSqlite ? 'TEXT COLLATE BINARY' : 'VARCHAR(40) COLLATE utf8mb4_bin';
      const rest = 'NOT NULL PRIMARY KEY, n INT NULL, pad TEXT NULL';
      await remakeSetting(`name ${caseless} ${rest}`, 'name, n');
      const rows = Array.from({ length: 6_000 }, (_, i) => `('${i % 2 ? 'K' : 'k'}${i}', ${i}, '${'x'.repeat(900)}')`);
      await stand.sql.exec(`INSERT INTO setting VALUES ${rows.join()}`);
      const base = await stand.backup();
      await remakeSetting(`name ${exact} ${rest}`, 'name, n, pad');
      await stand.sql.exec(`DELETE FROM setting WHERE name = 'K1'`);
      await stand.sql.exec(`UPDATE setting SET n = -1 WHERE name = 'k2'`);
      await stand.sql.exec(`INSERT INTO setting VALUES ('new', 1, '')`);
      await expectOneOfEach(base, 5_998);
    });

    if (!isSqlite) {
      it('finds the same rows of keys whose members stand in another order since', async () => {
        const columns = (members: string): string =>
          `kind ENUM(${members}) NOT NULL, name VARCHAR(40) NOT NULL, n INT NULL, pad TEXT NULL, PRIMARY KEY (kind, name)`;
        await remakeSetting(columns(`'a','b','c'`), 'name, n');
        const rows = Array.from({ length: 6_000 }, (_, i) => `('${'abc'[i % 3]}', '${i % 2 ? 'K' : 'k'}${i}', ${i}, '${'x'.repeat(900)}')`); // prettier-ignore
        await stand.sql.exec(`INSERT INTO setting VALUES ${rows.join()}`);
        const base = await stand.backup();
        await stand.sql.exec(`ALTER TABLE setting MODIFY kind ENUM('c','b','a') NOT NULL`);
        await stand.sql.exec(`DELETE FROM setting WHERE name = 'K1'`);
        await stand.sql.exec(`UPDATE setting SET n = -1 WHERE name = 'k2'`);
        await stand.sql.exec(`INSERT INTO setting VALUES ('b', 'new', 1, '')`);
        await expectOneOfEach(base, 5_998);
      });

      it('calls values the same that the source itself would make of the others', async () => {
        const columns = `name VARCHAR(40) NOT NULL PRIMARY KEY, n INT NULL, amount DECIMAL(10,2) NULL, at DATETIME NULL, lost SMALLINT NULL`;
        await remakeSetting(columns, 'name, n');
        const rows = ['K1', 'k2', 'k3'].map((row, i) => `('${row}', ${i}, ${i}.25, '2026-11-25 10:00:0${i}', 1)`);
        await stand.sql.exec(`INSERT INTO setting VALUES ${rows.join()}, ('empty', NULL, NULL, NULL, NULL)`);
        const base = await stand.backup();
        await stand.sql.exec('ALTER TABLE setting MODIFY n DECIMAL(14,2) NULL, MODIFY amount DECIMAL(12,4) NULL, MODIFY at DATETIME(3) NULL, MODIFY lost VARCHAR(9) NULL'); // prettier-ignore
        const target = await stand.backup();
        await stand.sql.exec(`UPDATE setting SET amount = 1.2501 WHERE name = 'k2'`);
        const between = (backupId: BackupId, targetId: BackupId | null) => stand.compare({ backupId, targetId, dataTypes: ['CONFIG'] }); // prettier-ignore
        for (const result of [await between(base, target), await between(target, base)])
          expect(result).toMatchObject({ removed: 0, added: 0, changed: 0, unchanged: 4 });
        const live = await between(base, null);
        expect(live.tables).toMatchObject([{ removed: 0, added: 0, changed: 1, unchanged: 3, notes: [expect.stringMatching(/^Column lost is varchar\(9\)/)] }]); // prettier-ignore
        const [{ fields }] = (await stand.changes(live)) as [FoundChange];
        expect(fields).toEqual([{ name: 'amount', before: '1.25', after: '1.2501' }]);
      });
    }

    it('tells a table that one side alone has, with all its rows, and copies none of them', async () => {
      const base = await stand.backup();
      const rows = await stand.count('SELECT COUNT(*) FROM odd');
      await stand.sql.exec('DROP TABLE odd');
      const live = await stand.compare({ backupId: base, targetId: null });
      expect(live.tables.find(({ table }) => table === 'odd')).toMatchObject({
        inBase: true,
        inTarget: false,
        removed: rows,
        notes: ['The target has no such table.'],
      });
      expect(await stand.changes(live)).toHaveLength(rows);
      expect(live.notes).toEqual([]);
      const mapping = RECORDS_MAPPING.filter(({ table }) => table !== 'odd');
      const other = stand.database.open([...mapping, { dataType: 'TRENDS', table: 'trend' }]);
      await stand.sql.exec('CREATE TABLE trend (id BIGINT NOT NULL PRIMARY KEY)');
      await stand.sql.exec('INSERT INTO trend VALUES (1), (2)');
      try {
        const bench = { ...stand.bench, source: other };
        const target = (await backup(bench)).stored.manifest.backupId;
        const { changeSet, ...both } = await stand.compare({ backupId: base, targetId: target }, bench);
        expect(both).toMatchObject({ removed: rows, added: 2, changed: 0 });
        const stored = (await stand.store.findChangeSet(changeSet.changeSetId))!.changeSet;
        expect(stored.tables.flatMap(({ table, load }) => (load ? [`${table} ${load.direction}`] : []))).toEqual(['odd OUT', 'trend IN']); // prettier-ignore
        const shown = await stand.changes({ changeSet, ...both });
        expect(shown.filter(({ table }) => table === 'odd')).toHaveLength(rows);
        expect(shown.filter(({ kind }) => kind === 'ADDED').map(({ key }) => key)).toEqual([{ id: 1 }, { id: 2 }]);
        const equal = await stand.compare({ backupId: target, targetId: null }, bench);
        expect(equal).toMatchObject({ removed: 0, added: 0, changed: 0, notes: [] });
        await stand.sql.exec('CREATE TABLE odd (k DOUBLE NOT NULL PRIMARY KEY, n INT NULL)');
        await stand.sql.exec('INSERT INTO odd VALUES (1, 1), (2, 2), (3, 3)');
        const newer = await stand.compare({ backupId: target, targetId: null });
        expect(newer).toMatchObject({ removed: 0, added: 3, changed: 0 });
        expect(newer.tables.find(({ table }) => table === 'odd')).toMatchObject({ inBase: false, inTarget: true });
        expect(newer.notes).toEqual([expect.stringMatching(/^Table trend is not mapped any more/)]);
        expect((await stand.changes(newer)).map(({ key }) => key)).toEqual([{ k: 1 }, { k: 2 }, { k: 3 }]);
      } finally {
        await other.close();
      }
    });

    it('compares a table under the name that it has now with what it was under its former one', async () => {
      const base = await stand.backup();
      await stand.sql.exec('ALTER TABLE item RENAME TO entry');
      await stand.sql.exec('UPDATE entry SET n = 99 WHERE id = 7');
      await stand.sql.exec('DROP TABLE odd');
      const mapping = RECORDS_MAPPING.map((entry) => {
        if (entry.table === 'item') return { ...entry, table: 'entry', formerly: ['item'] };
        return entry.business?.kind === 'PATH' ? { ...entry, business: { ...entry.business, referencedTable: 'entry' } } : entry; // prettier-ignore
      });
      const other = stand.database.open(mapping.filter(({ table }) => table !== 'odd'));
      try {
        const bench = { ...stand.bench, source: other };
        const target = (await backup(bench)).stored.manifest.backupId;
        for (const targetId of [target, null]) {
          const result = await stand.compare(
            { backupId: base, targetId, dataTypes: ['ASSESSMENTS', 'FACTORS'] },
            bench,
          );
          expect(result).toMatchObject({ removed: 0, added: 0, changed: 1, notes: [] });
          expect(await stand.changes(result)).toEqual([expect.objectContaining({ table: 'entry', key: { id: 7 } })]);
          const [owner] = (await stand.sql.query('SELECT business_id FROM entry WHERE id = 7'))[0] as string[];
          const one = await stand.compare({ backupId: base, targetId, businessId: owner }, bench);
          expect(one).toMatchObject({ removed: 0, added: 0, changed: 1 });
        }
      } finally {
        await other.close();
      }
    });

    it('names the tables that say on one side alone whose their rows are', async () => {
      const base = await stand.backup();
      const mapping = RECORDS_MAPPING.map(({ business, ...table }) => (table.table === 'business' ? { ...table, business } : table)); // prettier-ignore
      const other = stand.database.open(mapping);
      try {
        const target = (await backup({ ...stand.bench, source: other })).stored.manifest.backupId;
        const notes = ['item', 'part'].map((table) => expect.stringMatching(new RegExp(`^Table ${table} tells whose`)) as string); // prettier-ignore
        const stored = await stand.compare({ backupId: base, targetId: target, businessId: 'b0' });
        expect(stored).toMatchObject({ tables: [{ table: 'business', unchanged: 1 }], unchanged: 1 });
        expect([...stored.notes].sort()).toEqual(notes);
        const live = await stand.compare({ backupId: target, targetId: null, businessId: 'b0' });
        expect(live).toMatchObject({ tables: [{ table: 'business' }], removed: 0, added: 0, changed: 0 });
        expect([...live.notes].sort()).toEqual(notes);
      } finally {
        await other.close();
      }
    });

    it('names what is damaged', async () => {
      const base = await stand.backup();
      await stand.sql.exec(`UPDATE item SET n = 1000 + id`);
      const target = await stand.backup();
      flipByte(stand.folder);
      const fresh = { ...stand.bench, store: await openStore(stand.folder) };
      await expect(stand.compare({ backupId: base, targetId: target }, fresh)).rejects.toEqual(
        refused('INTEGRITY_FAILURE', { message: expect.stringMatching(/^Table \w+ can't be compared/) as string }),
      );
    });
  });
}
