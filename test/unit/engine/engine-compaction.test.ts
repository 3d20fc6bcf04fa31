/**
 * Compaction, of the engine alone: whatever a stack of layers was made of, the compacted backup is the same backup, and where the order of
 * its keys is known it is stored as a full backup of that moment would be.
 */
import fc from 'fast-check';
import type { BackupType } from '../../../src/domain/backup';
import type { BackupId } from '../../../src/domain/ids';
import type { Manifest, StoredManifest } from '../../../src/domain/manifest';
import type { TableStructure } from '../../../src/domain/table';
import { chunkSpans } from '../../../src/engine/reading/backup-rows';
import { backup, compact, restore, type EngineBench } from '../../support/engine-context';
import { fill, memorySource, type MemorySource } from '../../support/engine-memory-source';
import { memoryStore, type MemoryStore } from '../../support/engine-memory-store';
import { stateOf } from '../../support/engine-platform';
import { tableOf, type Row } from '../../support/engine-rows';

const runs = { seed: 20261125, numRuns: process.env.LONG ? 200 : 8 };
const NOTE_BYTES = 4000;

const KNOWN = { ...tableOf({ dataType: 'CONFIG', table: 'known' }, ['id', 'note']) };
/** Text without a collation: nobody here knows its order. */
const UNKNOWN = { ...tableOf({ dataType: 'ALERTS', table: 'unknown' }, ['id', 'note']) };
const PAIR = withBinary(tableOf({ dataType: 'TRENDS', table: 'pair' }, ['name', 'note', 'n'], { keyLength: 1 }));
const PAIRED: TableStructure = { ...PAIR, key: ['name', 'n'] };
const TABLES = [KNOWN, UNKNOWN, PAIRED];

function withBinary(table: TableStructure): TableStructure {
  return { ...table, columns: table.columns.map((column) => ({ ...column, collation: 'BINARY' })) };
}

interface Bench extends EngineBench {
  source: MemorySource;
  store: MemoryStore;
}

function rowOf({ table }: TableStructure, n: number, note: string): Row {
  if (table === 'known') return [n, note];
  return table === 'unknown' ? [`k${n}`, note] : [`name${n % 7}`, note, n];
}

const noteOf = (n: number): string => `${n}-`.repeat(NOTE_BYTES / 4);

function newBench(rows: number): Bench {
  const source = memorySource(TABLES, 100_000);
  for (const table of TABLES)
    fill(
      source,
      table,
      Array.from({ length: rows }, (_, n) => rowOf(table, 3 * n, noteOf(n))),
    );
  return { source, store: memoryStore() };
}

async function take(on: Bench, type: BackupType): Promise<Manifest> {
  return (await backup(on, { type })).stored.manifest;
}

async function restored(on: Bench, backupId: BackupId): Promise<ReturnType<typeof stateOf>> {
  const source = memorySource(TABLES);
  await restore({ ...on, source }, { backupId });
  return stateOf(source);
}

/** A run of keys from `at` on that go, change, or come between those that are there. */
interface Change {
  table: number;
  deed: 'DELETE' | 'UPDATE' | 'INSERT';
  at: number;
  count: number;
}

function apply(on: Bench, { table: index, deed, at, count }: Change): void {
  const table = TABLES[index] as TableStructure;
  const rows = new Map(on.source.tables.get(table.table));
  const keys = [...rows.keys()];
  for (let i = 0; i < count; i++) {
    const key = keys[(at + i) % keys.length];
    if (deed === 'DELETE' && key !== undefined) rows.delete(key);
    if (deed === 'UPDATE' && key !== undefined) rows.set(key, changed(rows.get(key) as Row, at));
  }
  const added =
    deed === 'INSERT' ? Array.from({ length: count }, (_, i) => rowOf(table, 3 * (at + i) + 1, noteOf(at))) : [];
  fill(on.source, table, [...rows.values(), ...added]);
}

function changed(row: Row, by: number): Row {
  return row.map((value, column) => (column === 1 ? `changed by ${by}` : value));
}

const layersOf = ({ tables }: Manifest) => new Map(tables.map(({ table, layers }) => [table, layers]));
const change: fc.Arbitrary<Change> = fc.record({
  table: fc.nat(2),
  deed: fc.constantFrom('DELETE', 'UPDATE', 'INSERT'),
  at: fc.nat(700),
  count: fc.integer({ min: 1, max: 60 }),
});

test('random stacks: the same state, a single base, and for known keys the layers that a full backup has', async () => {
  const histories = fc.array(fc.array(change, { maxLength: 6 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      const on = newBench(600);
      await take(on, 'FULL');
      let last: Manifest | null = null;
      for (const changes of history) {
        for (const one of changes) apply(on, one);
        last = await take(on, 'INCREMENTAL');
      }
      const { backupId } = last as Manifest;
      const { stored } = await compact(on, backupId);
      expect(stored.manifest.tables.map(({ layers }) => layers.length)).toEqual([1, 1, 1]);
      expect(await restored(on, backupId)).toEqual(stateOf(on.source));
      const full = layersOf(await take(on, 'FULL'));
      for (const table of ['known', 'pair']) expect(layersOf(stored.manifest).get(table)).toEqual(full.get(table));
      expect(on.store.openSessions()).toBe(0);
    }),
    runs,
  );
});

test('a backup stays what it is: only its layers, what it stored and its checksum change', async () => {
  const on = newBench(400);
  await take(on, 'FULL');
  apply(on, { table: 0, deed: 'UPDATE', at: 50, count: 5 });
  const { backupId } = await take(on, 'INCREMENTAL');
  const before = on.store.manifests.get(backupId) as StoredManifest;
  const { stored, compactedTables } = await compact(on, backupId);
  expect(compactedTables).toEqual(['known']);
  expect(stored.checksum).not.toBe(before.checksum);
  const { compactedAt, tables, storedBytes, newRawBytes, ...same } = stored.manifest;
  expect(before.manifest).toMatchObject(same);
  expect(Date.parse(compactedAt ?? '')).not.toBeNaN();
  expect(storedBytes).toBeGreaterThan(before.manifest.storedBytes);
  expect(newRawBytes).toBeGreaterThan(before.manifest.newRawBytes ?? 0);
  for (const [i, table] of before.manifest.tables.entries()) {
    expect(tables[i]).toEqual({ ...table, layers: table.table === 'known' ? [expect.anything()] : table.layers });
  }
});

test('what nothing changed is neither read nor stored again', async () => {
  const on = newBench(2_000);
  await take(on, 'FULL');
  apply(on, { table: 0, deed: 'UPDATE', at: 1_000, count: 1 });
  apply(on, { table: 1, deed: 'UPDATE', at: 1_000, count: 1 });
  const { backupId } = await take(on, 'INCREMENTAL');
  let read = 0;
  const store = { ...on.store, readChunk: (id: string) => ((read += 1), on.store.readChunk(id)) };
  const known = on.store.chunks.size;
  await compact({ ...on, store }, backupId);
  const chunks = on.store.manifests.get(backupId)?.manifest.tables.find(({ table }) => table === 'known')?.layers[0];
  expect(chunks?.chunkCount).toBeGreaterThan(8);
  expect(read).toBeLessThanOrEqual(8);
  expect(on.store.chunks.size - known).toBeLessThanOrEqual(4);
});

test('an incremental stands on the compacted backup, and other backups keep their layers', async () => {
  const on = newBench(500);
  await take(on, 'FULL');
  const states: [BackupId, ReturnType<typeof stateOf>][] = [];
  for (const at of [10, 20, 30]) {
    for (const table of [0, 1, 2]) apply(on, { table, deed: 'INSERT', at, count: 3 });
    states.push([(await take(on, 'INCREMENTAL')).backupId, stateOf(on.source)]);
  }
  await compact(on, states[2]![0]);
  apply(on, { table: 1, deed: 'DELETE', at: 12, count: 30 });
  apply(on, { table: 0, deed: 'DELETE', at: 12, count: 30 });
  const next = await take(on, 'INCREMENTAL');
  states.push([next.backupId, stateOf(on.source)]);
  expect(next.tables.map(({ layers }) => layers.map(({ kind }) => kind))).toEqual([
    ['BASE', 'DELTA'],
    ['MERGED', 'DELTA'],
    ['BASE'],
  ]);
  expect(on.store.manifests.get(states[1]![0])?.manifest.tables[0]?.layers).toHaveLength(3);
  for (const [backupId, state] of states) expect(await restored(on, backupId)).toEqual(state);
  await compact(on, next.backupId);
  expect(await restored(on, next.backupId)).toEqual(stateOf(on.source));
});

test('ranges without rows join their neighbours, however many and wherever they are', async () => {
  for (const gone of [
    [0, 300],
    [500, 300],
    [1_700, 300],
    [0, 1_999],
    [0, 2_000],
  ] as const) {
    const on = newBench(2_000);
    await take(on, 'FULL');
    // The small changes below stay below the share from which on a table is taken whole.
    for (let at = 0; at < gone[1]; at += 300) {
      const rest = { deed: 'DELETE', at: gone[0], count: Math.min(300, gone[1] - at) } as const;
      for (const table of [0, 1]) apply(on, { table, ...rest });
    }
    const { backupId } = await take(on, 'INCREMENTAL');
    await compact(on, backupId);
    expect(await restored(on, backupId)).toEqual(stateOf(on.source));
    const { tables } = on.store.manifests.get(backupId)!.manifest;
    for (const table of tables) {
      let end: Buffer | null = null;
      for await (const { range } of chunkSpans(on.store, table)) {
        expect(range.from).toEqual(end);
        end = range.to;
      }
      expect(end).toBeNull();
    }
  }
});

test('where the base contradicts the order that is assumed of the keys, nothing is sorted', async () => {
  const lying: TableStructure = { ...KNOWN, key: ['id'] };
  const codec = {
    ...newBench(1).source.codec,
    sortKey: () => (key: Buffer) => Buffer.from(key.map((byte) => 255 - byte)),
  };
  const on = newBench(300);
  await take(on, 'FULL');
  apply(on, { table: TABLES.indexOf(KNOWN), deed: 'INSERT', at: 5, count: 2 });
  const { backupId } = await take(on, 'INCREMENTAL');
  const { stored } = await compact({ ...on, source: { ...on.source, codec } }, backupId);
  expect(layersOf(stored.manifest).get(lying.table)).toMatchObject([{ kind: 'MERGED' }]);
  expect(await restored(on, backupId)).toEqual(stateOf(on.source));
});

test('without a tall stack nothing is done, and it says so', async () => {
  const on = newBench(20);
  const full = await take(on, 'FULL');
  const before = on.store.manifests.get(full.backupId);
  expect(await compact(on, full.backupId)).toMatchObject({ compactedTables: [], kept: [], stored: before });
  expect(on.store.manifests.get(full.backupId)).toBe(before);
  expect(on.store.openSessions()).toBe(0);
});

test('a backup that is not there is not found; a stack that lost a row is refused and stays', async () => {
  const on = newBench(60);
  await expect(compact(on, 'nothing' as BackupId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await take(on, 'FULL');
  apply(on, { table: 0, deed: 'UPDATE', at: 1, count: 1 });
  const { backupId } = await take(on, 'INCREMENTAL');
  const stored = on.store.manifests.get(backupId) as StoredManifest;
  const tables = stored.manifest.tables.map((table) => ({ ...table, rowCount: table.rowCount + 1 }));
  const wrong = { ...stored, manifest: { ...stored.manifest, tables } };
  on.store.manifests.set(backupId, wrong);
  const chunks = on.store.chunks.size;
  await expect(compact(on, backupId)).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
  expect([on.store.manifests.get(backupId), on.store.chunks.size, on.store.openSessions()]).toEqual([wrong, chunks, 0]);
});
