/**
 * Incremental and differential backups by SCAN, of the engine alone: whatever happened to the source between them, each backup is
 * exactly what the source was at its moment, and stands alone.
 */
import fc from 'fast-check';
import { decodeDeltaChunk, encodeDeltaChunk } from '../../../src/engine/rows/delta-chunk';
import type { BackupType } from '../../../src/domain/backup';
import { expandDataTypes } from '../../../src/domain/data-type';
import type { BackupId } from '../../../src/domain/ids';
import type { StoredManifest } from '../../../src/domain/manifest';
import { backup, restore, type EngineBench } from '../../support/engine-context';
import { memorySource, type MemorySource } from '../../support/engine-memory-source';
import { memoryStore, type MemoryStore } from '../../support/engine-memory-store';
import { ASSESSMENTS, CONFIG, FACTORS, PLATFORM, platformSource, stateOf } from '../../support/engine-platform';

const runs = { seed: 20261122, numRuns: process.env.LONG ? 300 : 30 };

interface Bench extends EngineBench {
  source: MemorySource;
  store: MemoryStore;
}

const bench = (businesses?: number, keepsLog = false): Bench => ({
  source: platformSource(businesses, 400, keepsLog),
  store: memoryStore(),
});

async function take(on: Bench, type: BackupType): Promise<StoredManifest['manifest']> {
  return (await backup(on, { type })).stored.manifest;
}

/** What a restore into an empty place gives. */
async function restored(on: Bench, backupId: BackupId): Promise<ReturnType<typeof stateOf>> {
  const source = memorySource(PLATFORM);
  await restore({ ...on, source }, { backupId, target: { kind: 'IN_PLACE' } });
  return stateOf(source);
}

/** Key of a row as the memory source sorts it. */
const keysOf = (on: Bench, table: string): string[] => [...(on.source.tables.get(table)?.keys() ?? [])];

function update(on: Bench, table: string, key: string, column: number): void {
  const rows = on.source.tables.get(table)!;
  rows.set(key, rows.get(key)!.map((value, i) => (i === column ? `changed ${String(value).slice(-40)}` : value))); // prettier-ignore
}

describe('an incremental backup', () => {
  it('stores what changed and nothing else, and says against what', async () => {
    const on = bench(200);
    const full = await take(on, 'FULL');
    const factors = keysOf(on, 'factors');
    update(on, 'factors', factors[10]!, 3);
    update(on, 'factors', factors[700]!, 3);
    on.source.tables.get('factors')!.delete(factors[300]!);
    on.source.tables.get('config')!.set('new', [900, 'added']);
    const incremental = await take(on, 'INCREMENTAL');
    expect(incremental).toMatchObject({ type: 'INCREMENTAL', parentId: full.backupId, changedRowCount: 4 });
    const changed = incremental.tables.map(({ table, changedRowCount, layers }) => [
      table,
      changedRowCount,
      layers.length,
    ]);
    expect(changed).toEqual([['tenants', 0, 1], ['businesses', 0, 1], ['factors', 3, 2], ['assessments', 0, 1], ['config', 1, 2]]); // prettier-ignore
    expect(incremental.tables.every(({ changeDetection }) => changeDetection === 'SCAN')).toBe(true);
    expect(incremental.storedBytes).toBeLessThan(full.storedBytes / 50);
    expect(incremental.rowCount).toBe(full.rowCount);
    expect(incremental.rawBytes).toBe((await take(on, 'FULL')).rawBytes);
  });

  it('without anything to stand on is taken as FULL and says so', async () => {
    const on = bench();
    const first = await take(on, 'DIFFERENTIAL');
    expect(first).toMatchObject({ type: 'FULL', parentId: null });
    expect(first.tables[0]).toMatchObject({ changeDetection: 'NONE' });
    expect(first.tables[0]?.changeDetectionReason).toContain('taken as FULL');
  });

  it('stands on the newest backup of the same data types, a differential on the newest full one', async () => {
    const on = bench();
    const full = await take(on, 'FULL');
    const config = (await backup(on, { type: 'FULL', dataTypes: ['CONFIG'] })).stored.manifest;
    const first = await take(on, 'INCREMENTAL');
    const second = await take(on, 'INCREMENTAL');
    const differential = await take(on, 'DIFFERENTIAL');
    const third = await take(on, 'INCREMENTAL');
    expect([first, second, differential, third].map(({ parentId }) => parentId)).toEqual([
      full.backupId, first.backupId, full.backupId, differential.backupId,
    ]); // prettier-ignore
    const ofConfig = (await backup(on, { type: 'INCREMENTAL', dataTypes: ['CONFIG'] })).stored.manifest;
    expect(ofConfig.parentId).toBe(config.backupId);
  });

  it('stands on a backup whose manifest still names data types that it has no table of', async () => {
    const on = bench();
    const { backupId } = await take(on, 'FULL');
    const older = on.store.manifests.get(backupId)!;
    const dataTypes = expandDataTypes(['ALL']);
    on.store.manifests.set(backupId, { ...older, manifest: { ...older.manifest, dataTypes } });
    expect(await take(on, 'INCREMENTAL')).toMatchObject({ type: 'INCREMENTAL', parentId: backupId });
  });

  it('takes a table whole where its structure changed, or so much of it that a base is better, and says why', async () => {
    const on = bench(100);
    await take(on, 'FULL');
    for (const key of keysOf(on, 'factors')) update(on, 'factors', key, 3);
    const rows = on.source.tables.get('factors')!;
    for (const [key, row] of rows) rows.set(key, [...row.slice(0, 3), `anew ${key}`.padEnd(3_000, 'x')]);
    const churned = await take(on, 'INCREMENTAL');
    expect(churned.tables.find(({ table }) => table === 'factors')).toMatchObject({
      changeDetection: 'NONE',
      changeDetectionReason: expect.stringContaining('new base') as string,
      layers: [{ kind: 'BASE' }],
    });
    const altered = { ...CONFIG, columns: CONFIG.columns.map((column) => ({ ...column, type: 'VARCHAR(9)' })) };
    const source = memorySource(PLATFORM.map((table) => (table === CONFIG ? altered : table)));
    source.tables = on.source.tables;
    const after = (await backup({ ...on, source }, { type: 'INCREMENTAL' })).stored.manifest;
    expect(after.tables.find(({ table }) => table === 'config')).toMatchObject({
      changeDetection: 'NONE',
      changeDetectionReason: expect.stringContaining('structure changed') as string,
    });
    expect(await restored(on, churned.backupId)).toEqual(stateOf(on.source));
  });

  it('begins a new base once the stack is tall', async () => {
    const on = bench(4);
    await take(on, 'FULL');
    const heights: number[] = [];
    for (let n = 0; n < 20; n++) {
      on.source.tables.get('config')!.set(`n${n}`, [1000 + n, 'added']);
      heights.push((await take(on, 'INCREMENTAL')).tables.find(({ table }) => table === 'config')!.layers.length);
    }
    expect(Math.max(...heights)).toBe(17);
    expect(heights.slice(-4)).toEqual([1, 2, 3, 4]);
  });

  it('does not build on damage: the table is taken whole, and says so', async () => {
    const on = bench();
    const full = await take(on, 'FULL');
    const factors = full.tables.find(({ table }) => table === 'factors')!;
    for await (const { id } of on.store.layerEntries(factors.layers[0]!))
      on.store.chunks.set(id, Buffer.from([1, 1, 9]));
    const incremental = await take(on, 'INCREMENTAL');
    expect(incremental.tables.find(({ table }) => table === 'factors')?.changeDetectionReason).toContain('damaged');
  });

  it('is not restored, in part or silently, without one of its deltas', async () => {
    const on = bench(120);
    await take(on, 'FULL');
    update(on, 'factors', keysOf(on, 'factors')[5]!, 3);
    const { backupId, tables } = await take(on, 'INCREMENTAL');
    const [, delta] = tables.find(({ table }) => table === 'factors')!.layers;
    for await (const { id } of on.store.layerEntries(delta!)) on.store.chunks.delete(id);
    await expect(restored(on, backupId)).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
  });
});

type Step =
  | {
      do: 'update' | 'delete' | 'insert' | 'rekey';
      table: 'factors' | 'assessments' | 'config';
      at: number;
      many: number;
    }
  | { do: 'empty'; table: 'config' | 'factors' }
  | { do: 'backup'; type: 'FULL' | 'INCREMENTAL' | 'DIFFERENTIAL' }
  | { do: 'forget'; at: number };

const tableName = fc.constantFrom('factors' as const, 'assessments' as const, 'config' as const);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('update' as const, 'delete' as const, 'insert' as const, 'rekey' as const), table: tableName, at: fc.nat(), many: fc.integer({ min: 1, max: 40 }) }) }, // prettier-ignore
  { weight: 1, arbitrary: fc.record({ do: fc.constant('empty' as const), table: fc.constantFrom('config' as const, 'factors' as const) }) }, // prettier-ignore
  { weight: 4, arbitrary: fc.record({ do: fc.constant('backup' as const), type: fc.constantFrom('FULL' as const, 'INCREMENTAL' as const, 'DIFFERENTIAL' as const) }) }, // prettier-ignore
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), at: fc.nat() }) },
);

const STRUCTURES = { factors: FACTORS, assessments: ASSESSMENTS, config: CONFIG };
let nextKey = 0;

function change(on: Bench, { do: what, table, at, many }: Extract<Step, { many: number }>): void {
  const rows = on.source.tables.get(table)!;
  for (let n = 0; n < many; n++) {
    const keys = [...rows.keys()];
    const key = keys[(at + 7 * n) % Math.max(1, keys.length)];
    if (what === 'insert' || key === undefined) {
      nextKey++;
      const columns = STRUCTURES[table].columns.length;
      const id = table === 'assessments' ? `new${nextKey}` : 100_000 + ((nextKey * 7919) % 900_000);
      const row = [id, ...Array.from({ length: columns - 1 }, (_, i) => `v${nextKey}-${i}`)];
      rows.set(memoryKey(id), row);
    } else if (what === 'update') update(on, table, key, STRUCTURES[table].columns.length - 1);
    else {
      const row = rows.get(key)!;
      rows.delete(key);
      if (what === 'rekey') rows.set(memoryKey(`re${++nextKey}`), [`re${nextKey}`, ...row.slice(1)]);
    }
  }
}

/** As the memory source keys its rows. */
function memoryKey(id: string | number): string {
  return JSON.stringify([typeof id === 'number' ? String(id + 1e12).padStart(16, '0') : id]);
}

const withoutAndWithLog = [
  ['by comparing', false],
  ['by the log', true],
] as const;

it.each(withoutAndWithLog)(
  '%s, every backup that is left is the source at its moment, whatever happened',
  async (_, log) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 30 }), async (steps) => {
        const on = bench(40, log);
        const taken = new Map<BackupId, ReturnType<typeof stateOf>>();
        for (const next of steps) {
          if (next.do === 'backup') {
            const { backupId, rowCount, rawBytes, tables } = await take(on, next.type);
            taken.set(backupId, stateOf(on.source));
            expect(rowCount).toBe(Object.values(stateOf(on.source)).flat().length);
            expect(rawBytes).toBe(tables.reduce((sum, table) => sum + table.rawBytes, 0));
          } else if (next.do === 'empty') on.source.tables.set(next.table, new Map());
          else if (next.do === 'forget') {
            const [backupId] = [...taken.keys()].slice(next.at % Math.max(1, taken.size));
            if (backupId === undefined) continue;
            taken.delete(backupId);
            on.store.manifests.delete(backupId);
          } else change(on, next);
        }
        for (const [backupId, state] of taken) expect(await restored(on, backupId)).toEqual(state);
        const [last] = [...taken].slice(-1);
        if (last === undefined) return;
        await restore(on, { backupId: last[0] });
        expect(stateOf(on.source)).toEqual(last[1]);
      }),
      runs,
    );
  },
  240_000,
);

it('a delta chunk reads back as it was written, and no other bytes are one', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((value) => Buffer.from(value));
  const list = fc.array(bytes, { maxLength: 20 }).map((parts) => {
    let end = 0;
    return { bytes: Buffer.concat(parts), ends: Uint32Array.from(parts, (part) => (end += part.length)) };
  });
  const bound = fc.option(bytes, { nil: null });
  fc.assert(
    fc.property(bound, bound, list, list, (from, to, tombstones, upserts) => {
      const payload = encodeDeltaChunk({ range: { from, to }, tombstones, upserts });
      expect(decodeDeltaChunk(payload)).toEqual({ range: { from, to }, tombstones, upserts });
      for (const cut of [1, 2, payload.length - 1]) {
        if (cut < payload.length) expect(() => decodeDeltaChunk(payload.subarray(0, cut))).toThrow(/malformed/);
      }
      expect(() => decodeDeltaChunk(Buffer.concat([payload, Buffer.from([0])]))).toThrow(/malformed/);
    }),
    { ...runs, numRuns: 200 },
  );
});
