/** Rows that refer to given keys are found in a backup, all of them, whatever stood in its layers; or the reader is told why not. */
import { mkdtempSync, readdirSync, readlinkSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { BackupId } from '../../../src/domain/ids';
import type { TableManifest } from '../../../src/domain/manifest';
import type { TableStructure } from '../../../src/domain/table';
import { childrenOf } from '../../../src/engine/reading/backup-children';
import type { EngineStore } from '../../../src/engine/ports';
import { decodeFields, mysqlCodec } from '../../../src/sources/mysql/row-encoding';
import { actingPlatformAt } from '../../support/engine-acting-platform';
import { backup } from '../../support/engine-context';
import { memoryStore, type MemoryStore } from '../../support/engine-memory-store';
import { batchOf, rowsOf } from '../../support/engine-rows';
import {
  childTable, encodeTexts, keyOn, storeBase, storeChange, type Change, type COLUMNS, type LayersOf, type TextRow,
} from '../../support/foreign-key-rows'; // prettier-ignore

const RUNS = { seed: 20261125, numRuns: process.env.LONG ? 600 : 80 };

type ColumnName = keyof typeof COLUMNS;

async function layersOf(structure: TableStructure, options: Partial<LayersOf> = {}): Promise<LayersOf> {
  const store = options.store ?? memoryStore();
  const session = await store.beginWrite('backup' as BackupId);
  return { structure, store, session, folder: tmpdir(), rowsPerChunk: 4, maxPairs: 1000, ...options };
}

/** Keys of the rows found, or the reason. */
async function find(
  table: TableManifest,
  store: EngineStore,
  { columns, values }: { columns: string[]; values: readonly TextRow[] },
): Promise<string[] | string> {
  const wanted = { table, key: keyOn(columns), values: batchOf(values.map(encodeTexts)) };
  const found = await childrenOf(wanted, { store, codec: mysqlCodec });
  if (found.kind === 'UNKNOWN') return found.reason;
  return rowsOf(found.rows).map((row) => decodeFields(row)[0]!.toString()).sort(); // prettier-ignore
}

/** What the values' columns may be equal by; null for a value that may be equal to any. */
const plainOf: Record<ColumnName, (value: string) => string | null> = {
  caseless: (value) => (/^[ -~]*$/.test(value) ? value.replace(/ +$/, '').toLowerCase() : null),
  byBytes: (value) => value.replace(/ +$/, ''),
  number: (value) => String(Number(value)),
  czech: () => null,
};

function refers(row: TextRow, values: readonly TextRow[], names: readonly ColumnName[]): boolean {
  const plain = (fields: TextRow): (string | null)[] => fields.map((field, i) => plainOf[names[i]!](field!));
  if (row.includes(null)) return false;
  const own = plain(row);
  if (own.includes(null)) return true;
  return values.some((value) => !value.includes(null) && plain(value).join('\0') === own.join('\0'));
}

const text = fc.string({ unit: fc.constantFrom('a', 'A', 'b', 'Z', ' ', '['), maxLength: 3 });
const anyText = fc.oneof({ weight: 12, arbitrary: text }, fc.constantFrom('é', 'aÅ', 'x\t'));
const number = fc.nat(12).chain((value) => fc.constantFrom(String(value), String(value).padStart(5, '0')));
const valueOf = { caseless: text, byBytes: anyText, number, czech: text } satisfies Record<
  ColumnName,
  fc.Arbitrary<string>
>;
const storedValueOf = { ...valueOf, caseless: anyText };
const COLUMN_LISTS = [['caseless'], ['number'], ['number', 'caseless'], ['byBytes'], ['caseless', 'byBytes']] as const;

const id = fc.nat(60).map((value) => `k${String(value).padStart(2, '0')}`);
const cell = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> => fc.option(value, { freq: 8 });
const row = fc.tuple(id, cell(storedValueOf.caseless), cell(storedValueOf.byBytes), cell(storedValueOf.number));
const change = fc.record({ upserts: fc.array(row, { maxLength: 8 }), deletes: fc.array(id, { maxLength: 4 }) });

const NAMES: readonly ColumnName[] = ['caseless', 'byBytes', 'number'];

function applied(state: ReadonlyMap<string, TextRow>, { upserts, deletes }: Change): Map<string, TextRow> {
  const next = new Map(state);
  for (const key of deletes) next.delete(key);
  for (const upsert of upserts) next.set(upsert[0]!, upsert);
  return next;
}

const byKey = (rows: Iterable<TextRow>): TextRow[] => [...rows].sort(([a], [b]) => (a! < b! ? -1 : 1));

it('finds exactly the rows whose foreign key may equal one of the values, in stacks of layers, spilled or not', async () => {
  const scene = fc.record({
    rows: fc.array(row, { maxLength: 60 }),
    changes: fc.array(change, { maxLength: 3 }),
    columns: fc.constantFrom(...COLUMN_LISTS),
    rowsPerChunk: fc.integer({ min: 1, max: 9 }),
    maxPairs: fc.constantFrom(1, 3, 10, 1000),
  });
  await fc.assert(
    fc.asyncProperty(scene, fc.gen(), async ({ rows, changes, columns, rowsPerChunk, maxPairs }, gen) => {
      const structure = childTable(NAMES, COLUMN_LISTS.map((list) => keyOn([...list]))); // prettier-ignore
      const layers = await layersOf(structure, { rowsPerChunk, maxPairs });
      let state = applied(new Map(), { upserts: rows, deletes: [] });
      let table = await storeBase(byKey(state.values()), layers);
      for (const next of changes) {
        const upserts = [...applied(new Map(), { upserts: next.upserts, deletes: [] }).values()];
        table = await storeChange(table, { ...next, upserts }, layers);
        state = applied(state, next);
      }
      const values = Array.from({ length: 3 }, () => columns.map((name) => gen(() => valueOf[name])));
      const keyOf = (found: TextRow): TextRow => columns.map((name) => found[1 + NAMES.indexOf(name)]!);
      const expected = byKey(state.values()).filter((found) => refers(keyOf(found), values, columns));
      expect(await find(table, layers.store, { columns: [...columns], values })).toEqual(expected.map(([key]) => key));
    }),
    RUNS,
  );
}, 120_000);

/** Files that this process has open there, whether they have a name any more or not. */
function openFilesIn(folder: string): string[] {
  const links = readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`);
    } catch {
      return ''; // because the listing's own descriptor is gone again
    }
  });
  return links.filter((link) => link.startsWith(folder));
}

describe('an index of many rows', () => {
  const structure = childTable(['number'], [keyOn(['number'])]);
  const numbered = (count: number, of: (i: number) => number): TextRow[] =>
    Array.from({ length: count }, (_, i) => [`k${String(i).padStart(6, '0')}`, String(of(i))]);

  it('is the same whether its pairs were merged from hundreds of runs on disk or sorted in memory; no file is left', async () => {
    const rows = numbered(4_000, (i) => (i * 7919) % 997);
    const store = memoryStore();
    const roots: unknown[] = [];
    const folder = mkdtempSync(join(tmpdir(), 'rv-runs-'));
    for (const maxPairs of [5, 100, 1_000_000]) {
      const table = await storeBase(rows, await layersOf(structure, { store, folder, maxPairs, rowsPerChunk: 40 }));
      roots.push(table.layers[0]!.valueIndexes);
    }
    expect(roots[1]).toEqual(roots[0]);
    expect(roots[2]).toEqual(roots[0]);
    expect(openFilesIn(folder)).toEqual([]);
    rmdirSync(folder);
  });

  it('lets few chunks be read, and refuses where most would have to be', async () => {
    const store = memoryStore();
    const rows = numbered(60_000, (i) => Math.floor(i / 5));
    const table = await storeBase(rows, await layersOf(structure, { store, rowsPerChunk: 20 }));
    const read = jest.spyOn(store, 'readChunk');
    const values = [['77'], ['9000']];
    const expected = [77, 9000].flatMap((n) => [0, 1, 2, 3, 4].map((i) => `k${String(5 * n + i).padStart(6, '0')}`));
    expect(await find(table, store, { columns: ['number'], values })).toEqual(expected);
    expect(read).toHaveBeenCalledTimes(2);
    const many = Array.from({ length: 12_000 }, (_, i) => [String(i)]);
    expect(await find(table, store, { columns: ['number'], values: many })).toContain('too much');
  });
});

describe('a reader is told to compare rows', () => {
  const table = async (structure: TableStructure, store: MemoryStore): Promise<TableManifest> =>
    storeBase([['k1', 'a', '1'], ['k2', 'B', '2']], await layersOf(structure, { store })); // prettier-ignore

  it.each<[string, TableStructure, string[], string]>([
    [
      'the key sets nothing off',
      childTable(['caseless', 'number'], [keyOn(['caseless'], {})]),
      ['caseless'],
      'no index',
    ],
    [
      'its collation is of one language',
      childTable(['czech', 'number'], [keyOn(['czech'])]),
      ['czech'],
      'only the server',
    ],
    [
      'another list of columns is indexed',
      childTable(['caseless', 'number'], [keyOn(['number'])]),
      ['caseless'],
      'no index',
    ],
  ])('where %s', async (_, structure, columns, reason) => {
    const store = memoryStore();
    expect(await find(await table(structure, store), store, { columns, values: [['a']] })).toContain(reason);
  });

  const structure = childTable(['caseless', 'number'], [keyOn(['caseless'])]);

  it('where the collation may call the value equal to anything', async () => {
    const store = memoryStore();
    const found = await find(await table(structure, store), store, { columns: ['caseless'], values: [['ä']] });
    expect(found).toContain('only the server');
  });

  it('where a layer was made before the key was, or under another collation', async () => {
    const store = memoryStore();
    const before = await table(childTable(['caseless', 'number'], []), store);
    const rekeyed = await storeChange(
      { ...before, structure },
      { upserts: [['k3', 'a', '1']], deletes: [] },
      await layersOf(structure, { store }),
    );
    expect(rekeyed.layers[1]!.valueIndexes).toHaveLength(1);
    expect(await find(rekeyed, store, { columns: ['caseless'], values: [['a']] })).toContain('no index');
    const now = await table(structure, store);
    const columns = structure.columns.map((column) =>
      column.name === 'caseless' ? { ...column, collation: 'utf8mb4_bin' } : column,
    );
    const recollated = { ...now, structure: { ...structure, columns } };
    expect(await find(recollated, store, { columns: ['caseless'], values: [['a']] })).toContain('no index');
  });

  it('where the index is damaged', async () => {
    const store = memoryStore();
    const whole = await table(structure, store);
    const [{ root }] = whole.layers[0]!.valueIndexes as unknown as [{ root: string }];
    store.chunks.set(root, Buffer.from([5, 0, 9]));
    expect(await find(whole, store, { columns: ['caseless'], values: [['a']] })).toContain('damaged');
  });
});

it('a backup of all rows has an index for each key that acts, and for what tells whose rows are, in each of its layers; one of a business has none', async () => {
  const bench = { source: actingPlatformAt(0), store: memoryStore() };
  await backup(bench, { type: 'FULL' });
  bench.source.tables = actingPlatformAt(1).tables;
  const incremental = (await backup(bench, { type: 'INCREMENTAL' })).stored.manifest;
  const indexed = incremental.tables.map(({ table, layers }) => [
    table,
    ...layers.map(({ valueIndexes }) => valueIndexes?.flatMap(({ columns }) => columns.map(({ name }) => name))),
  ]);
  expect(indexed).toEqual([
    ['tenants', ['id']],
    ['businesses', ['tenant_id', 'id']],
    ['factors', ['assessment_id'], ['assessment_id']],
    ['assessments', ['business_id']],
    ['config', undefined],
  ]);
  const business = (await backup(bench, { type: 'BUSINESS', businessId: 'b7' })).stored.manifest;
  expect(JSON.stringify(business)).not.toContain('valueIndexes');
});
