/**
 * Comparisons of backups, against SQL run on restored copies of both: full, incremental and compacted backups in any pairing, the live
 * source, one business, tables that changed their columns. One suite, run against every kind of source.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChangePlace, ChangesFound, ChangesWanted, FoundChange } from '../../src/domain/backup-reader';
import { ROW_CHANGE_KINDS } from '../../src/domain/change-set';
import type { DataType, RequestedDataType } from '../../src/domain/data-type';
import type { BackupId, JobId } from '../../src/domain/ids';
import type { Source } from '../../src/domain/source';
import type { ComparisonResult } from '../../src/domain/task';
import type { JsonRow } from '../../src/domain/values';
import type { Repository } from '../../src/repository/repository';
import { createSeededRandom } from '../../src/sources/seeded-random';
import type { ContractConnection, ContractDatabase, SourceContractFixture } from '../contract/source-contract';
import { countingStore } from './counting-store';
import { backup, compact, comparisonTask, restore, run, type EngineBench } from './engine-context';
import { flipByte, openStore } from './engine-scenarios';
import { Filters, ITEMS, recordChanges, RECORDS_MAPPING, recordRows, recordTables } from './record-platform';

interface Table {
  dataType: DataType;
  key: string[];
  others: string[];
  /** Whose its rows are: a condition on a table of the name that stands for `T`. */
  owned?: (businessId: string, prefix: string) => string;
}

const TABLES: Record<string, Table> = {
  business: { dataType: 'BUSINESSES', key: ['id'], others: [], owned: (id) => `T.id = '${id}'` },
  item: {
    dataType: 'ASSESSMENTS',
    key: ['id'],
    others: ['business_id', 'n', 'amount', 'ratio', 'note', 'day', 'data', 'pad'],
    owned: (id) => `T.business_id = '${id}'`,
  },
  part: {
    dataType: 'FACTORS',
    key: ['item_id', 'name'],
    others: ['n'],
    owned: (id, prefix) => `T.item_id IN (SELECT id FROM ${prefix}item WHERE business_id = '${id}')`,
  },
  odd: { dataType: 'TRENDS', key: ['k'], others: ['n'] },
  setting: { dataType: 'CONFIG', key: ['name'], others: ['n'] },
};
/** Where a restored copy of the base lies. */
const BASE = 'base_';

interface Found {
  removed: string[];
  added: string[];
  changed: string[];
}

class Stand {
  readonly random = createSeededRandom(77);
  readonly filters: Filters;
  /** Keys of items that come next. */
  private nextItem = ITEMS + 1;

  private constructor(
    readonly database: ContractDatabase,
    readonly sql: ContractConnection,
    readonly source: Source,
    readonly store: Repository,
    readonly folder: string,
    readonly isSqlite: boolean,
  ) {
    this.filters = new Filters(this.random, isSqlite);
  }

  static async open(fixture: SourceContractFixture, isSqlite: boolean): Promise<Stand> {
    const database = await fixture.createDatabase();
    const sql = await database.connect();
    const folder = mkdtempSync(join(tmpdir(), 'riskvault-compare-'));
    const stand = new Stand(database, sql, database.open(RECORDS_MAPPING), await openStore(folder), folder, isSqlite);
    for (const statement of [...recordTables(fixture.types), ...recordRows(stand.random, stand.filters)])
      await sql.exec(statement);
    return stand;
  }

  get bench(): EngineBench {
    return { source: this.source, store: this.store, connections: 2 };
  }

  async change(): Promise<void> {
    for (const statement of recordChanges(this.random, this.filters, this.nextItem)) await this.sql.exec(statement);
    await this.sql.exec(`INSERT INTO setting VALUES ('s${this.nextItem}', 1)`);
    this.nextItem += 100;
  }

  async backup(...args: Parameters<typeof backup> extends [unknown, ...infer Rest] ? Rest : never): Promise<BackupId> {
    return (await backup(this.bench, ...args)).stored.manifest.backupId;
  }

  compare(wanted: Wanted, bench: EngineBench = this.bench): Promise<ComparisonResult> {
    return run(comparisonTask(wanted), bench) as Promise<ComparisonResult>;
  }

  async page(wanted: ChangesWanted, signal?: AbortSignal): Promise<ChangesFound> {
    return (await run({ kind: 'ROW_CHANGES', wanted }, { ...this.bench, signal })) as never;
  }

  /** All changes, a page of any size after the other. */
  async changes({ changeSet }: ComparisonResult, wanted: Partial<ChangesWanted> = {}): Promise<FoundChange[]> {
    const found: FoundChange[] = [];
    for (let from: ChangePlace | null | undefined; from !== null;) {
      const limit = this.random.int(1, 100);
      const all = { comparisonId: changeSet.changeSetId, dataType: null, table: null, kinds: ROW_CHANGE_KINDS };
      const { changes, next } = await this.page({ ...all, ...wanted, limit, from: from ?? null });
      expect(changes.length).toBeLessThanOrEqual(limit);
      found.push(...changes);
      from = this.random.chance(0.2) ? (changes.at(-1)?.next ?? next) : next;
    }
    return found;
  }

  async copyBase(): Promise<void> {
    for (const table of Object.keys(TABLES)) {
      await this.sql.exec(`DROP TABLE IF EXISTS ${BASE}${table}`);
      await this.sql.exec(`CREATE TABLE ${BASE}${table} AS SELECT * FROM ${table}`);
    }
  }

  async expected(name: string, businessId: string | null = null): Promise<Found> {
    const { key, others, owned } = TABLES[name]!;
    const scope = (prefix: string): string =>
      businessId === null ? '1 = 1' : owned!(businessId, prefix).replaceAll('T.', `${prefix}${name}.`);
    const [base, target] = [`${BASE}${name}`, name];
    const same = key.map((column) => `${base}.${column} = ${target}.${column}`).join(' AND ');
    const equal = others.map((column) => this.same(`${base}.${column}`, `${target}.${column}`)).join(' AND ') || '1 = 1'; // prettier-ignore
    const keys = (of: string): string => key.map((column) => `${of}.${column}`).join(', ');
    const alone = (one: string, oneScope: string, other: string, otherScope: string): string =>
      `SELECT ${keys(one)} FROM ${one} WHERE ${oneScope} AND NOT EXISTS (SELECT 1 FROM ${other} WHERE ${same} AND ${otherScope})`;
    const [inBase, inTarget] = [scope(BASE), scope('')];
    const differing = `SELECT ${keys(base)} FROM ${base}, ${target} WHERE ${same} AND ${inBase} AND ${inTarget} AND NOT (${equal})`;
    return {
      removed: await this.keys(alone(base, inBase, target, inTarget)),
      added: await this.keys(alone(target, inTarget, base, inBase)),
      changed: await this.keys(differing),
    };
  }

  async count(sql: string): Promise<number> {
    return Number((await this.sql.query(sql))[0]?.[0]);
  }

  /** Of the rows of both copies, how many differ in a column. */
  differingIn(name: string, column: string): Promise<number> {
    const [base, target] = [`${BASE}${name}`, name];
    const same = TABLES[name]!.key.map((part) => `${base}.${part} = ${target}.${part}`).join(' AND ');
    return this.count(
      `SELECT COUNT(*) FROM ${base}, ${target} WHERE ${same} AND NOT (${this.same(`${base}.${column}`, `${target}.${column}`)})`,
    );
  }

  async close(): Promise<void> {
    await this.source.close();
    await this.sql.close();
    await this.database.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private same(one: string, other: string): string {
    return this.isSqlite ? `${one} IS ${other}` : `CAST(${one} AS BINARY) <=> CAST(${other} AS BINARY)`;
  }

  private async keys(sql: string): Promise<string[]> {
    return (await this.sql.query(sql)).map((row) => row.map(spellValue).join('/')).sort();
  }
}

type Wanted = Parameters<typeof comparisonTask>[0];

/** Numbers as JSON has them: the databases print 1.0 and 1.5e0. */
function spellValue(value: unknown): string {
  const text = String(value);
  return text !== '' && Number.isFinite(Number(text)) ? String(Number(text)) : text;
}

function keyOf(key: JsonRow): string {
  return Object.values(key).map(spellValue).join('/');
}

function foundIn(changes: readonly FoundChange[], table: string): Found {
  const ofKind = (kind: FoundChange['kind']): string[] =>
    changes
      .filter((change) => change.table === table && change.kind === kind)
      .map(({ key }) => keyOf(key))
      .sort();
  return { removed: ofKind('REMOVED'), added: ofKind('ADDED'), changed: ofKind('CHANGED') };
}

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
