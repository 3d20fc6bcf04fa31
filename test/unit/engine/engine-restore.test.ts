/** Backups and restores of the engine alone, on a source and a store in memory: what comes back, what stays, what is refused. */
import { AppError } from '../../../src/domain/errors';
import fc from 'fast-check';
import { decodeRowChunk } from '../../../src/engine/rows/row-chunk';
import type { BackupId } from '../../../src/domain/ids';
import type { Progress } from '../../../src/domain/job';
import type { EngineTask } from '../../../src/domain/task';
import { backup, restore, restoreTask, run, backupTask, type EngineBench } from '../../support/engine-context';
import { fill, memorySource, type MemorySource } from '../../support/engine-memory-source';
import { memoryStore, type MemoryStore } from '../../support/engine-memory-store';
import { CONFIG, PLATFORM, platformSource, stateOf, TENANTS } from '../../support/engine-platform';
import type { Row } from '../../support/engine-rows';
import { jobOf } from '../../support/job-of';

const runs = { seed: 20261122, numRuns: process.env.LONG ? 400 : 40 };

interface Bench extends EngineBench {
  source: MemorySource;
  store: MemoryStore;
}

function bench(source = platformSource()): Bench {
  return { source, store: memoryStore() };
}

const idOf = (result: { stored: { manifest: { backupId: BackupId } } }): BackupId => result.stored.manifest.backupId;
const error = (code: string) => expect.objectContaining({ code });

afterEach(() => jest.restoreAllMocks());

function expectNothingOpen({ source, store }: Bench): void {
  expect(source.openHandles()).toBe(0);
  expect(store.openSessions()).toBe(0);
}

describe('a backup', () => {
  it('holds every row of every table, in key order, and says so in its manifest', async () => {
    const on = bench(platformSource(400));
    const { stored } = await backup(on);
    for (const table of stored.manifest.tables) {
      const live = stateOf(on.source)[table.table] as Row[];
      expect(table.rowCount).toBe(live.length);
      let rows = 0;
      for await (const entry of on.store.layerEntries(table.layers[0] as never)) {
        rows += decodeRowChunk(await on.store.readChunk(entry.id)).ends.length;
      }
      expect(rows).toBe(live.length);
    }
    expect(stored.manifest.rowCount).toBe(stored.manifest.tables.reduce((sum, table) => sum + table.rowCount, 0));
    expectNothingOpen(on);
  });

  it('says of the data types asked for those that have tables', async () => {
    const on = bench();
    const all = await backup(on);
    expect(all.stored.manifest.dataTypes).toEqual(['BUSINESSES', 'ASSESSMENTS', 'FACTORS', 'CONFIG']);
    const some = await backup(on, { dataTypes: ['TRENDS', 'CONFIG'] });
    expect(some.stored.manifest.dataTypes).toEqual(['CONFIG']);
  });

  it('shares every chunk with the one before when nothing changed', async () => {
    const on = bench();
    await backup(on);
    expect((await backup(on)).stored.manifest.storedBytes).toBe(0);
  });

  it('is restored under a lease that is given up, and a wait for it is shown', async () => {
    const on = bench();
    const task = restoreTask({ backupId: idOf(await backup(on)) });
    const phases: string[] = [];
    await run(task, { ...on, onProgress: ({ phase }) => void phases.push(phase) });
    expect(on.store.reads).toEqual([`restore ${jobOf(task)}`]);
    expect(phases).toContain('waiting for a cleanup');
    expectNothingOpen(on);
  });

  it('that was committed before a crash is returned, not taken again', async () => {
    const on = bench();
    const task = backupTask();
    const first = await run(task, on);
    on.source.beforeBatch = () => {
      throw new Error('read again');
    };
    expect(await run(task, on)).toEqual(first);
  });

  it('of one business holds its rows and the parents they need, nothing else', async () => {
    const on = bench();
    const { stored } = await backup(on, { type: 'BUSINESS', businessId: 'b7' });
    expect(Object.fromEntries(stored.manifest.tables.map(({ table, rowCount }) => [table, rowCount]))).toEqual({
      tenants: 1,
      businesses: 1,
      assessments: 4,
      factors: 12,
      config: 0,
    });
  });

  it('of an unknown business is refused and leaves nothing', async () => {
    const on = bench();
    await expect(backup(on, { type: 'BUSINESS', businessId: 'nobody' })).rejects.toEqual(error('NOT_FOUND'));
    expect(on.store.chunks.size).toBe(0);
    expectNothingOpen(on);
  });

  it('reports progress that never falls and ends at 100', async () => {
    const seen: Progress[] = [];
    await backup({ ...bench(), onProgress: (progress) => seen.push(progress) });
    const percents = seen.map(({ percent }) => percent);
    expect(percents).toEqual([...percents].sort((a, b) => a - b));
    expect(percents.at(-1)).toBe(100);
    expect(seen.some(({ phase, currentTable }) => phase === 'reading' && currentTable === 'factors')).toBe(true);
  });

  it('that is cancelled or fails at any read leaves nothing', async () => {
    for (let stop = 1; stop <= 12; stop += 2) {
      for (const cancel of [true, false]) {
        const abort = new AbortController();
        const on = { ...bench(), signal: abort.signal };
        let reads = 0;
        on.source.beforeBatch = () => {
          if (++reads !== stop) return;
          if (!cancel) throw new Error('the cable was cut');
          abort.abort();
        };
        await expect(backup(on)).rejects.toEqual(error(cancel ? 'CANCELLED' : 'INTERNAL'));
        expect([on.store.chunks.size, on.store.manifests.size]).toEqual([0, 0]);
        expectNothingOpen(on);
      }
    }
  });
});

describe('a restore', () => {
  it('brings back dropped tables in bulk', async () => {
    const on = bench();
    const before = stateOf(on.source);
    const id = idOf(await backup(on));
    on.source.tables.clear();
    const result = await restore(on, { backupId: id });
    expect(stateOf(on.source)).toEqual(before);
    expect(result).toMatchObject({ mode: 'BULK', updates: 0, deletes: 0, verifiedRows: result.inserts });
    expectNothingOpen(on);
  });

  it('counts every row it read back, however many lanes did', async () => {
    // Some 90 MB of large rows: several units of work for one table.
    const on = bench(platformSource(60, 100_000));
    const id = idOf(await backup(on));
    on.source.tables.clear();
    const result = await restore(on, { backupId: id });
    expect(result.verifiedRows).toBe(result.inserts);
  });

  it('into a scratch schema leaves the live tables alone', async () => {
    const on = bench();
    const before = stateOf(on.source);
    const id = idOf(await backup(on));
    await restore(on, { backupId: id, target: { kind: 'SCRATCH', schema: 'look' } });
    expect(stateOf(on.source)).toEqual(before);
    expect(on.source.scratch.get('look')?.get('factors')?.size).toBe(before.factors?.length);
  });

  it('in place applies nothing but the differences, whatever happened to the rows', async () => {
    const rows = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.string({ maxLength: 3 })), {
      selector: ([id]) => id,
    });
    await fc.assert(
      fc.asyncProperty(rows, rows, async (base, live) => {
        const on = bench(memorySource([CONFIG], 7));
        fill(on.source, CONFIG, base);
        const before = stateOf(on.source);
        const id = idOf(await backup(on));
        fill(on.source, CONFIG, live);
        const dry = await restore(on, { backupId: id, dryRun: true });
        expect(stateOf(on.source)).not.toBe(before);
        const done = await restore(on, { backupId: id });
        expect(stateOf(on.source)).toEqual(before);
        const expected = differences(base, live);
        expect(dry).toMatchObject({ mode: 'DRY_RUN', ...expected });
        if (live.length > 0) expect(done).toMatchObject({ mode: 'IN_PLACE', ...expected });
        expectNothingOpen(on);
      }),
      runs,
    );
  });

  it('swaps values of a unique key', async () => {
    const on = bench();
    const before = stateOf(on.source);
    const id = idOf(await backup(on));
    fill(on.source, TENANTS, [
      ['t0', 'Tenant 1'],
      ['t1', 'Tenant 0'],
      ['t2', 'Tenant 2'],
    ]);
    expect(await restore(on, { backupId: id })).toMatchObject({ inserts: 0, updates: 2, deletes: 0 });
    expect(stateOf(on.source)).toEqual(before);
  });

  it('makes missing tables beside filled ones', async () => {
    const on = bench();
    const before = stateOf(on.source);
    const id = idOf(await backup(on));
    on.source.tables.delete('assessments');
    expect((await restore(on, { backupId: id, dryRun: true })).inserts).toBe(before.assessments?.length);
    expect(on.source.tables.has('assessments')).toBe(false);
    expect(await restore(on, { backupId: id })).toMatchObject({ mode: 'IN_PLACE', updates: 0, deletes: 0 });
    expect(sorted(stateOf(on.source))).toEqual(sorted(before));
  });

  it('of some data types leaves the others as they are', async () => {
    const on = bench();
    const id = idOf(await backup(on));
    on.source.tables.get('config')?.clear();
    on.source.tables.get('assessments')?.clear();
    await restore(on, { backupId: id, type: 'PARTIAL', dataTypes: ['CONFIG'] });
    expect(on.source.tables.get('config')?.size).toBe(20);
    expect(on.source.tables.get('assessments')?.size).toBe(0);
  });

  it('of the system gives the service settings back', async () => {
    const on = bench();
    const id = idOf(await backup(on, { type: 'SYSTEM' }, { retentionDays: 30 }));
    on.source.tables.get('config')?.clear();
    expect(await restore(on, { backupId: id, type: 'SYSTEM' })).toMatchObject({
      inserts: 20,
      serviceSettings: { retentionDays: 30 },
    });
  });
});

describe('a restore that must not happen', () => {
  async function damagedBench(): Promise<{ on: Bench; id: BackupId; before: Record<string, Row[]> }> {
    const on = bench();
    const id = idOf(await backup(on));
    const factors = on.store.manifests.get(id)?.manifest.tables.find(({ table }) => table === 'factors');
    for await (const entry of on.store.layerEntries(factors?.layers[0] as never)) {
      (on.store.chunks.get(entry.id) as Buffer)[20]! ^= 1;
      break;
    }
    on.source.tables.get('assessments')?.clear();
    return { on, id, before: stateOf(on.source) };
  }

  it('writes nothing when a chunk is damaged, and names it', async () => {
    const { on, id, before } = await damagedBench();
    await expect(restore(on, { backupId: id })).rejects.toEqual(error('INTEGRITY_FAILURE'));
    expect(stateOf(on.source)).toEqual(before);
  });

  it('restores what is left of a damaged backup if asked, and says what is lost', async () => {
    const { on, id } = await damagedBench();
    const factors = stateOf(on.source).factors;
    const result = await restore(on, { backupId: id, allowUnchecked: true });
    expect(result.notes.join()).toMatch(/rows of table factors are lost with chunk/);
    expect(stateOf(on.source).assessments?.length).toBeGreaterThan(0);
    expect(stateOf(on.source).factors).toEqual(factors);
  });

  it('is refused for an unknown backup and for tables that changed their keys', async () => {
    const on = bench();
    await expect(restore(on, { backupId: 'x' as BackupId })).rejects.toEqual(error('BACKUP_NOT_RESTORABLE'));
    const id = idOf(await backup(on));
    const changed = memorySource(PLATFORM.map((table) => (table === CONFIG ? { ...CONFIG, key: ['value'] } : table)));
    changed.tables = on.source.tables;
    await expect(restore({ ...on, source: changed }, { backupId: id })).rejects.toEqual(
      expect.objectContaining({
        code: 'SCHEMA_MISMATCH',
        message: expect.stringContaining('config has the key (value)'),
      }),
    );
  });

  it('fails as drifted when a listed row changes between comparing and writing', async () => {
    const on = bench();
    const id = idOf(await backup(on));
    fill(on.source, CONFIG, [[1, 'mine']]);
    on.source.beforeWrite = () => undefined;
    let moved = false;
    const open = on.source.openChangeWriter;
    on.source.openChangeWriter = (options) => {
      if (!moved) fill(on.source, CONFIG, [[1, 'theirs']]);
      moved = true;
      return open(options);
    };
    await expect(restore(on, { backupId: id })).rejects.toEqual(error('PLAN_DRIFTED'));
    expect(stateOf(on.source).config).toEqual([[1, 'theirs']]);
    expectNothingOpen(on);
  });

  it('keeps and reports a newer row that nobody listed', async () => {
    const on = bench();
    const id = idOf(await backup(on));
    on.source.tables.get('config')?.clear();
    fill(on.source, CONFIG, [[0, 'damaged']]);
    const open = on.source.openChangeWriter;
    on.source.openChangeWriter = (options) => {
      fill(on.source, CONFIG, [
        [0, 'damaged'],
        [77, 'newer'],
      ]);
      return open(options);
    };
    const result = await restore(on, { backupId: id });
    expect(stateOf(on.source).config).toContainEqual([77, 'newer']);
    expect(result.tables.find(({ table }) => table === 'config')?.warnings.join()).toMatch(
      /1 rows were changed by others/,
    );
  });

  it('rolls back when what was written reads back otherwise', async () => {
    const on = bench();
    const id = idOf(await backup(on));
    fill(on.source, CONFIG, [[0, 'damaged']]);
    const before = stateOf(on.source);
    const open = on.source.openChangeWriter;
    on.source.openChangeWriter = async (options) => ({ ...(await open(options)), insertRows: async () => undefined });
    await expect(restore(on, { backupId: id })).rejects.toEqual(error('CONFLICT'));
    expect(stateOf(on.source)).toEqual(before);
    expectNothingOpen(on);
  });

  it('leaves the source as it was when cancelled or cut anywhere', async () => {
    for (const drop of [true, false]) {
      for (let stop = 1; stop < 60; stop += 4) {
        const abort = new AbortController();
        const on: Bench = { ...bench(), signal: abort.signal };
        const id = idOf(await backup(on));
        if (drop) on.source.tables.clear();
        else on.source.tables.get('config')?.clear();
        const before = stateOf(on.source);
        let reads = 0;
        on.source.beforeBatch = () => void (++reads === stop && abort.abort());
        const outcome = await restore(on, { backupId: id }).catch((failure: unknown) => failure);
        if (outcome instanceof Error) {
          expect(outcome).toEqual(error('CANCELLED'));
          expect(stateOf(on.source)).toEqual(before);
        }
        expectNothingOpen(on);
      }
    }
  });

  it.each(['dropped', 'changed'])(
    'of %s tables is not told as cancelled when it could not be undone',
    async (damage) => {
      const abort = new AbortController();
      const on: Bench = { ...bench(), signal: abort.signal };
      const id = idOf(await backup(on));
      const gone = new AppError('SOURCE_UNAVAILABLE', 'The server is gone.', { retryable: true });
      const undo = (): Promise<void> => Promise.reject(gone);
      const { openBulkWriter, openChangeWriter } = on.source;
      on.source.openBulkWriter = async (options) => ({ ...(await openBulkWriter(options)), abort: undo });
      on.source.openChangeWriter = async (options) => ({ ...(await openChangeWriter(options)), rollback: undo });
      if (damage === 'dropped') on.source.tables.clear();
      else on.source.tables.get('config')?.clear();
      // In bulk the first read is that of what was loaded.
      on.source[damage === 'dropped' ? 'beforeBatch' : 'beforeWrite'] = () => abort.abort();
      await expect(restore(on, { backupId: id })).rejects.toBe(gone);
    },
  );

  it('is not told as cancelled when what opening a writer had begun could not be undone', async () => {
    const abort = new AbortController();
    const on: Bench = { ...bench(), signal: abort.signal };
    const id = idOf(await backup(on));
    on.source.tables.clear();
    const gone = new AppError('SOURCE_UNAVAILABLE', 'The server is gone.', { retryable: true });
    on.source.openBulkWriter = () => {
      abort.abort();
      return Promise.reject(gone);
    };
    await expect(restore(on, { backupId: id })).rejects.toBe(gone);
  });

  it('that had committed already is compared, not applied again', async () => {
    const on = bench();
    const id = idOf(await backup(on));
    on.source.recoverWrite = async () => 'COMMITTED';
    fill(on.source, CONFIG, [[1, 'edited since']]);
    const result = await restore(on, { backupId: id }, 2);
    expect(result).toMatchObject({ inserts: 0, updates: 0, deletes: 0 });
    expect(result.notes).toEqual([
      expect.stringContaining('had committed'),
      expect.stringContaining("can't be undone"),
      expect.stringContaining('20 rows differ'),
    ]);
    expect(stateOf(on.source).config).toEqual([[1, 'edited since']]);
  });

  it('that was cancelled while its worker was dead is settled, not run', async () => {
    const on = bench();
    const id = idOf(await backup(on));
    fill(on.source, CONFIG, [[1, 'edited since']]);
    const before = stateOf(on.source);
    const task = { ...restoreTask({ backupId: id }, 2), recoverOnly: true } as EngineTask;
    await expect(run(task, on)).rejects.toMatchObject({ code: 'CANCELLED' });
    on.source.recoverWrite = async () => 'COMMITTED';
    expect(await run(task, on)).toMatchObject({ kind: 'RESTORE', inserts: 0, updates: 0, deletes: 0 });
    expect(stateOf(on.source)).toEqual(before);
  });
});

function differences(
  base: [number, string][],
  live: [number, string][],
): { inserts: number; updates: number; deletes: number } {
  const liveById = new Map(live);
  const baseById = new Map(base);
  return {
    inserts: base.filter(([id]) => !liveById.has(id)).length,
    updates: base.filter(([id, value]) => liveById.has(id) && liveById.get(id) !== value).length,
    deletes: live.filter(([id]) => !baseById.has(id)).length,
  };
}

function sorted(state: Record<string, Row[]>): Record<string, Row[]> {
  return Object.fromEntries(Object.entries(state).sort());
}
