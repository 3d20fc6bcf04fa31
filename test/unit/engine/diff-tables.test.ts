/**
 * The rows in which two backups differ, of the engine alone: always those that a look at both states side by side finds, whatever the
 * backups share, and read at no greater price than what they do not share.
 */
import fc from 'fast-check';
import type { BackupType } from '../../../src/domain/backup';
import type { Manifest, TableManifest } from '../../../src/domain/manifest';
import type { TableStructure } from '../../../src/domain/table';
import type { DiffCounts } from '../../../src/domain/task';
import { diffTables } from '../../../src/engine/reading/diff-tables';
import { comparedColumns } from '../../../src/engine/reading/compared-columns';
import type { TableInBackup } from '../../../src/engine/reading/state-rows';
import { unsharedRuns } from '../../../src/engine/reading/unshared-runs';
import type { RowSlice } from '../../../src/engine/rows/compare-rows';
import type { DiffSink } from '../../../src/engine/rows/join-states';
import { SpilledJoin } from '../../../src/engine/rows/spilled-join';
import { mysqlCodec } from '../../../src/sources/mysql/row-encoding';
import { createSeededRandom, type SeededRandom } from '../../../src/sources/seeded-random';
import { sqliteCodec } from '../../../src/sources/sqlite/row-encoding';
import { countingStore } from '../../support/counting-store';
import { backup, compact, engineDeps, taskContext, type EngineBench } from '../../support/engine-context';
import { fill, memorySource, type MemorySource } from '../../support/engine-memory-source';
import { memoryStore, type MemoryStore } from '../../support/engine-memory-store';
import { ASSESSMENTS, CONFIG, FACTORS, platformSource, stateOf } from '../../support/engine-platform';
import { decodeRow, encodeRow, tableOf, type Row } from '../../support/engine-rows';

const LONG = process.env.LONG !== undefined;

interface Bench extends EngineBench {
  source: MemorySource;
  store: MemoryStore;
}

const newBench = (keepsLog = false, businesses = 60): Bench => ({
  source: platformSource(businesses, 400, keepsLog),
  store: memoryStore(),
});

async function take(on: EngineBench, type: BackupType = 'FULL'): Promise<Manifest> {
  return (await backup(on, { type })).stored.manifest;
}

function tableIn(manifest: Manifest, name: string): TableInBackup | null {
  const table = manifest.tables.find(({ table: found }) => found === name);
  return table === undefined ? null : { table, manifest };
}

interface Told {
  removed: Row[];
  added: Row[];
  changed: [Row, Row][];
}

type Wanted = { table: string; businessId?: string | null; joinedBytes?: number };

/** What `diffTables` tells, in the order of keys. */
async function diff(
  on: EngineBench,
  [before, after]: readonly [Manifest, Manifest],
  { table, businessId = null, joinedBytes }: Wanted,
): Promise<Told & { counts: DiffCounts }> {
  const states = { before: tableIn(before, table), after: tableIn(after, table) };
  const told = gatherer({
    before: states.before?.table.structure.columns.length ?? 0,
    after: states.after?.table.structure.columns.length ?? 0,
  });
  const context = taskContext(on);
  const store = await context.deps.store();
  const counts = await diffTables(states, { store, codec: sqliteCodec, businessId, context, ...(joinedBytes ? { joinedBytes } : {}) }, told.sink); // prettier-ignore
  return { ...told.sorted(), counts };
}

function gatherer(columns: { before: number; after: number }): { sink: DiffSink; sorted(): Told } {
  const told: Told = { removed: [], added: [], changed: [] };
  const rowOf = ({ bytes, start, end }: RowSlice, count: number): Row =>
    decodeRow(Buffer.from(bytes.subarray(start, end)), count);
  const sink: DiffSink = {
    removed: (row) => void told.removed.push(rowOf(row, columns.before)),
    added: (row) => void told.added.push(rowOf(row, columns.after)),
    changed: (before, after) => void told.changed.push([rowOf(before, columns.before), rowOf(after, columns.after)]),
    settle: async () => undefined,
  };
  const byKey = ([a]: Row, [b]: Row): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  const sorted = (): Told => ({
    removed: told.removed.sort(byKey),
    added: told.added.sort(byKey),
    changed: told.changed.sort(([a], [b]) => byKey(a, b)),
  });
  return { sink, sorted };
}

/** The same, found by looking at both states side by side. */
function expected(before: readonly Row[], after: readonly Row[]): Told & { counts: DiffCounts } {
  const [was, is] = [before, after].map((rows) => new Map(rows.map((row) => [JSON.stringify(row[0]), row])));
  const told: Told = { removed: [], added: [], changed: [] };
  let unchanged = 0;
  for (const [key, row] of was!) {
    const now = is!.get(key);
    if (now === undefined) told.removed.push(row);
    else if (JSON.stringify(now) === JSON.stringify(row)) unchanged++;
    else told.changed.push([row, now]);
  }
  for (const [key, row] of is!) if (!was!.has(key)) told.added.push(row);
  const byKey = ([a]: Row, [b]: Row): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  told.removed.sort(byKey);
  told.added.sort(byKey);
  told.changed.sort(([a], [b]) => byKey(a, b));
  const counts = { removed: told.removed.length, added: told.added.length, changed: told.changed.length, unchanged };
  return { ...told, counts };
}

type State = ReturnType<typeof stateOf>;

const memoryKey = (id: string | number): string =>
  JSON.stringify([typeof id === 'number' ? String(id + 1e12).padStart(16, '0') : id]);

const STRUCTURES: Record<string, TableStructure> = { factors: FACTORS, assessments: ASSESSMENTS, config: CONFIG };
let nextKey = 0;

/** Rows change, go, come in the middle and at the end, get other keys, and move to another owner. */
function change(source: MemorySource, random: SeededRandom): void {
  const name = random.pick(['factors', 'factors', 'assessments', 'config']);
  const rows = source.tables.get(name)!;
  const last = STRUCTURES[name]!.columns.length - 1;
  const put = (row: Row): void => void rows.set(memoryKey(row[0] as string | number), row);
  if (random.chance(0.02)) return rows.clear();
  for (let n = random.int(1, 30); n > 0; n--) {
    const keys = [...rows.keys()];
    const row = keys.length === 0 ? undefined : rows.get(random.pick(keys));
    const deed = row === undefined ? 'INSERT' : random.pick(['UPDATE', 'DELETE', 'INSERT', 'REKEY', 'MOVE'] as const);
    if (row !== undefined && deed !== 'INSERT' && deed !== 'UPDATE' && deed !== 'MOVE') rows.delete(memoryKey(row[0] as string)); // prettier-ignore
    const id = name === 'assessments' ? `new${++nextKey}` : 100_000 + ((++nextKey * 7919) % 900_000);
    if (deed === 'INSERT') put([id, ...Array.from({ length: last }, (_, i) => `v${nextKey}-${i}`.repeat(20))]);
    if (deed === 'UPDATE') put([...row!.slice(0, last), `changed ${++nextKey}`]);
    if (deed === 'REKEY') put([id, ...row!.slice(1)]);
    if (deed === 'MOVE') put([row![0]!, name === 'assessments' ? `b${random.int(0, 5)}` : `a${random.int(0, 5)}-0`, ...row!.slice(2)]); // prettier-ignore
  }
}

/** Of a business, in a state. */
function ownedRows(state: State, table: string, businessId: string): Row[] {
  const assessments = state.assessments!.filter((row) => row[1] === businessId);
  if (table === 'assessments') return assessments;
  const ids = new Set(assessments.map(([id]) => id));
  return state.factors!.filter((row) => ids.has(row[1] as string));
}

describe('two backups differ in the rows that a look at both states finds', () => {
  const seeds = Array.from({ length: LONG ? 60 : 8 }, (_, i) => 400 + i);

  it.each(seeds)(
    'whatever happened between them and to them, all rows and those of one business: history %i',
    async (seed) => {
      const random = createSeededRandom(seed);
      const on = newBench(random.chance(0.5));
      const taken: { manifest: Manifest; state: State }[] = [];
      for (let step = 0; step < 25; step++) {
        if (step % 5 !== 0) change(on.source, random);
      else taken.push({ manifest: await take(on, random.pick(['FULL', 'INCREMENTAL', 'INCREMENTAL', 'DIFFERENTIAL'])), state: stateOf(on.source) }); // prettier-ignore
        if (step % 7 !== 6) continue;
        const one = random.pick(taken);
        one.manifest = (await compact(on, one.manifest.backupId)).stored.manifest;
      }
      for (const before of taken) {
        for (const after of taken) {
          const manifests = [before.manifest, after.manifest] as const;
          const joinedBytes = random.pick([undefined, 1, 20_000]);
          for (const table of Object.keys(before.state)) {
            const found = await diff(on, manifests, { table, joinedBytes });
            expect(found).toEqual(expected(before.state[table]!, after.state[table]!));
          }
          const businessId = `b${random.int(0, 8)}`;
          for (const table of ['assessments', 'factors']) {
            const owned = [before, after].map(({ state }) => ownedRows(state, table, businessId));
            expect(await diff(on, manifests, { table, businessId, joinedBytes })).toEqual(
              expected(owned[0]!, owned[1]!),
            );
          }
        }
      }
    },
    60_000,
  );

  it('where nothing of the one is shared with the other, and keys moved to the other end of the table', async () => {
    const on = newBench();
    const [first, was] = [await take(on), stateOf(on.source)];
    const rows = was.factors!.map(([id, ...rest], i) => [(id as number) + (i % 2) * 1_000_000, ...rest.map((value) => `${value}.`)]); // prettier-ignore
    fill(on.source, FACTORS, rows);
    const second = await take(on);
    for (const joinedBytes of [undefined, 1, 10_000])
      expect(await diff(on, [first, second], { table: 'factors', joinedBytes })).toEqual(
        expected(was.factors!, stateOf(on.source).factors!),
      );
  });
});

describe('what two backups share is not read', () => {
  const manyRows = (): Row[] => Array.from({ length: 2_000 }, (_, i) => [i, `value ${i} `.repeat(250)]);

  it('nothing at all where nothing changed, whatever the type', async () => {
    const on = newBench();
    const manifests = [await take(on), await take(on), await take(on, 'INCREMENTAL')];
    const { store, reads } = countingStore(on.store);
    for (const before of manifests)
      for (const after of manifests) await diff({ ...on, store }, [before, after], { table: 'factors' });
    expect(reads.bytes).toBe(0);
  });

  it('of a full backup and its incremental only the changed ranges are', async () => {
    const on = newBench();
    fill(on.source, CONFIG, manyRows());
    const full = await take(on);
    const rows = on.source.tables.get('config')!;
    rows.set(memoryKey(900), [900, 'changed']);
    const incremental = await take(on, 'INCREMENTAL');
    const { store, reads } = countingStore(on.store);
    const { counts } = await diff({ ...on, store }, [full, incremental], { table: 'config' });
    expect(counts).toEqual({ removed: 0, added: 0, changed: 1, unchanged: 1_999 });
    expect([reads.base.length, reads.delta.length]).toEqual([1, 1]);
    expect(full.tables.find(({ table }) => table === 'config')!.layers[0]!.chunkCount).toBeGreaterThan(5);
  });

  it('of two full backups only the chunks that one of them alone has are', async () => {
    const on = newBench();
    fill(on.source, CONFIG, manyRows());
    const first = await take(on);
    on.source.tables.get('config')!.set(memoryKey(1200), [1200, 'changed']);
    const second = await take(on);
    const { store, reads } = countingStore(on.store);
    const { counts } = await diff({ ...on, store }, [first, second], { table: 'config' });
    expect(counts).toEqual({ removed: 0, added: 0, changed: 1, unchanged: 1_999 });
    const [one, other] = [await chunksOf(on, first), await chunksOf(on, second)];
    const alone = [...one.filter((id) => !other.includes(id)), ...other.filter((id) => !one.includes(id))];
    expect(reads.base.sort()).toEqual(alone.sort());
    expect(alone.length).toBeLessThan(one.length);
  });

  it('of a backup and what compacting made of it only the ranges that had changes are, and chunks that were cut anew', async () => {
    const on = newBench();
    fill(on.source, CONFIG, manyRows());
    await take(on);
    on.source.tables.get('config')!.set(memoryKey(900), [900, 'changed']);
    const stacked = await take(on, 'INCREMENTAL');
    const compacted = (await compact(on, stacked.backupId)).stored.manifest;
    const { store, reads } = countingStore(on.store);
    const { counts } = await diff({ ...on, store }, [stacked, compacted], { table: 'config' });
    expect(counts).toEqual({ removed: 0, added: 0, changed: 0, unchanged: 2_000 });
    const [one, other] = [await chunksOf(on, stacked), await chunksOf(on, compacted)];
    const shared = one.filter((id) => other.includes(id));
    expect(shared.length).toBeGreaterThan(5);
    expect(reads.base.filter((id) => shared.includes(id)).length).toBeLessThanOrEqual(1);
  });
});

/** Of the base layer. */
async function chunksOf({ store }: Bench, manifest: Manifest): Promise<string[]> {
  const found: string[] = [];
  const { layers } = manifest.tables.find(({ table }) => table === 'config')!;
  for await (const { id } of store.layerEntries(layers[0]!)) found.push(id);
  return found;
}

describe('damage', () => {
  it('of a chunk that has to be read is told', async () => {
    const on = newBench();
    const first = await take(on);
    on.source.tables.get('config')!.set(memoryKey(3), [3, 'changed']);
    const second = await take(on);
    const root = second.tables.find(({ table }) => table === 'config')!.layers[0]!;
    for await (const { id } of on.store.layerEntries(root)) on.store.chunks.set(id, Buffer.from('x'));
    await expect(diff(on, [first, second], { table: 'config' })).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
  });

  it('that shows only in what the manifests count is told', async () => {
    const on = newBench();
    const first = await take(on);
    on.source.tables.get('config')!.set(memoryKey(3), [3, 'changed']);
    const second = await take(on);
    const wrong = (table: TableManifest): TableManifest => ({ ...table, rowCount: table.rowCount + 1 });
    const lying = { ...second, tables: second.tables.map(wrong) };
    await expect(diff(on, [first, lying], { table: 'config' })).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
  });

  it('cancelling ends it', async () => {
    const on = newBench();
    const first = await take(on);
    on.source.tables.get('config')!.set(memoryKey(3), [3, 'changed']);
    const second = await take(on, 'INCREMENTAL');
    const wanted = diff({ ...on, signal: AbortSignal.abort() }, [first, second], { table: 'config' });
    await expect(wanted).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('a table that has other columns in one of the backups', () => {
  const config = (columns: string[], options: Parameters<typeof tableOf>[2] = {}): TableStructure =>
    tableOf({ dataType: 'CONFIG', table: 'config' }, columns, options);

  async function bothOf(first: [TableStructure, Row[]], second: [TableStructure, Row[]]) {
    const store = memoryStore();
    const manifests: Manifest[] = [];
    for (const [structure, rows] of [first, second]) {
      const source = memorySource([structure]);
      fill(source, structure, rows);
      manifests.push(await take({ source, store }));
    }
    const on = { source: memorySource([first[0]]), store };
    return { found: await diff(on, [manifests[0]!, manifests[1]!], { table: 'config' }), on };
  }

  it('is compared by those that both have, wherever they stand', async () => {
    const { found } = await bothOf(
      [config(['id', 'a', 'b']), [[1, 'x', 'old'], [2, 'y', 'old'], [3, 'z', 'old']]],
      [config(['id', 'c', 'a']), [[1, 'new', 'x'], [2, 'new', 'other'], [4, 'new', 'z']]],
    ); // prettier-ignore
    expect(found).toEqual({
      removed: [[3, 'z', 'old']],
      added: [[4, 'new', 'z']],
      changed: [[[2, 'y', 'old'], [2, 'new', 'other']]],
      counts: { removed: 1, added: 1, changed: 1, unchanged: 1 },
    }); // prettier-ignore
  });

  it('has no row that is the same where its key is another one', async () => {
    const rows: Row[] = [[1, 'x'], [2, 'y']]; // prettier-ignore
    const { found } = await bothOf([config(['id', 'a']), rows], [config(['id', 'a'], { keyLength: 2 }), rows]);
    expect(found.counts).toEqual({ removed: 2, added: 2, changed: 0, unchanged: 0 });
  });

  it('is told as it is: what is not compared, and why', () => {
    const text = (name: string, type: string, charset: string) => ({ name, type, kind: 'TEXT' as const, nullable: true, charset }); // prettier-ignore
    const before = { ...CONFIG, columns: [...CONFIG.columns, text('gone', 'text', 'latin1'), text('set', 'text', 'latin1'), text('wider', 'varchar(20)', 'utf8mb4')] }; // prettier-ignore
    const after = { ...CONFIG, columns: [...CONFIG.columns, text('wider', 'varchar(90)', 'utf8mb4'), text('set', 'text', 'utf8mb4'), text('new', 'text', 'latin1')] }; // prettier-ignore
    const { columns, isSameLayout, hasSameKey, notes } = comparedColumns({ before, after }, mysqlCodec);
    const names = columns.map(({ name }) => name);
    expect({ names, isSameLayout, hasSameKey }).toEqual({ names: ['id', 'value', 'wider'], isSameLayout: false, hasSameKey: true }); // prettier-ignore
    expect(notes).toEqual([
      expect.stringMatching(/^Column gone is in the base alone/),
      expect.stringMatching(/^Column set is text utf8mb4 in the target and text latin1 in the base/),
      expect.stringMatching(/^Column new is in the target alone/),
    ]);
  });

  it('that is in one of them alone, comes or goes whole', async () => {
    const on = newBench();
    const full = await take(on);
    const without = { ...full, tables: full.tables.filter(({ table }) => table !== 'config') };
    const { config: rows } = stateOf(on.source);
    expect(await diff(on, [without, full], { table: 'config' })).toEqual(expected([], rows!));
    expect(await diff(on, [full, without], { table: 'config' })).toEqual(expected(rows!, []));
  });
});

describe('the parts of it', () => {
  it('find all that two sequences in one order share, and never lose or double an item', async () => {
    const names = fc.uniqueArray(fc.nat(400), { maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(names, names, fc.boolean(), async (before, after, isOrdered) => {
        if (isOrdered) for (const list of [before, after]) list.sort((a, b) => a - b);
        const left: [number[], number[]] = [[], []];
        for await (const run of unsharedRuns(each(before), each(after), String)) {
          left[0].push(...run.before);
          left[1].push(...run.after);
        }
        const onlyIn = (one: number[], other: number[]): number[] => one.filter((item) => !other.includes(item));
        if (isOrdered) return expect(left).toEqual([onlyIn(before, after), onlyIn(after, before)]);
        const [shared] = [before.filter((item) => !left[0].includes(item))];
        expect(after.filter((item) => !left[1].includes(item)).sort()).toEqual(shared.sort());
        return expect(left.map((list) => list.length)).toEqual(left.map((list) => new Set(list).size));
      }),
      { seed: 5, numRuns: 200 },
    );
  });

  it('join what does not fit in memory part by part, and parts again', async () => {
    const random = createSeededRandom(9);
    const rows = (from: number): Row[] => Array.from({ length: 800 }, (_, i) => [from + i, 'x'.repeat(random.int(0, 60))]); // prettier-ignore
    const [before, after] = [rows(0), rows(300)];
    const on = newBench();
    const { tempDir, random: ambient } = engineDeps(on);
    const keyColumns = { before: [0], after: [0] };
    const join = new SpilledJoin({ matching: { codec: sqliteCodec, keyColumns }, tempDir, random: ambient, signal: new AbortController().signal, expectedBytes: Infinity, heldBytes: 700 }); // prettier-ignore
    for (const [side, list] of [
      ['after', after],
      ['before', before],
    ] as const) {
      for (const row of list) {
        const bytes = encodeRow(row);
        join.add(side, { bytes, start: 0, end: bytes.length });
      }
      await join.settle();
    }
    const told = gatherer({ before: 2, after: 2 });
    const unchanged = await join.join(told.sink);
    await join.close();
    const { counts, ...rest } = expected(before, after);
    expect({ ...told.sorted(), unchanged }).toEqual({ ...rest, unchanged: counts.unchanged });
  });
});

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}
