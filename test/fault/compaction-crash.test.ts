/**
 * Stops the process, or the power, at every step of disk I/O of a compaction: the backup is always readable, as before or as after, and a
 * second try ends with one manifest.
 */
import type { BackupId } from '../../src/domain/ids';
import { isAppError } from '../../src/domain/errors';
import type { Repository } from '../../src/repository/repository';
import { backup, compact, restore } from '../support/engine-context';
import { memorySource, type MemorySource } from '../support/engine-memory-source';
import { PLATFORM, platformSource, stateOf } from '../support/engine-platform';
import { HOUR_MS, newWorld, openWorld, type World } from '../support/repository-fixtures';

const PACK_BYTES = 20_000;
const STRIDE = process.env['LONG'] === '1' ? 1 : 4;

const open = (world: World): Promise<Repository> =>
  openWorld(world, { packTargetBytes: PACK_BYTES, gracePeriodMs: 0, compression: 'none' });

function change(source: MemorySource, n: number): void {
  for (const table of ['factors', 'config', 'assessments']) {
    const rows = source.tables.get(table)!;
    const [first] = rows.keys();
    rows.delete(first as string);
    for (const [at, [key, row]] of [...rows].entries()) if (at % 5 === n) rows.set(key, [...row.slice(0, -1), n]);
  }
}

/** A backup with a stack of two changes, and what it restores to. */
async function prepare(world: World): Promise<{ backupId: BackupId; state: unknown }> {
  const bench = { source: platformSource(20, 200), store: await open(world) };
  await backup(bench);
  change(bench.source, 1);
  await backup(bench, { type: 'INCREMENTAL' });
  change(bench.source, 2);
  const { stored } = await backup(bench, { type: 'INCREMENTAL' });
  return { backupId: stored.manifest.backupId, state: stateOf(bench.source) };
}

async function compactUntilStopped(world: World, backupId: BackupId): Promise<boolean> {
  try {
    await compact({ source: memorySource(PLATFORM), store: await open(world) }, backupId);
    return false;
  } catch (error) {
    if (isAppError(error) && error.code === 'REPOSITORY_UNAVAILABLE') return true;
    throw error;
  }
}

async function restored(store: Repository, backupId: BackupId): Promise<unknown> {
  const source = memorySource(PLATFORM);
  await restore({ source, store }, { backupId });
  return stateOf(source);
}

test.each(['KILL', 'POWER_LOSS'] as const)('%s', async (after) => {
  let stopped = true;
  let stops = 0;
  for (let stop = 0; stopped; stop += STRIDE) {
    const world = newWorld();
    const { backupId, state } = await prepare(world);
    world.fs.stopAfter = world.fs.steps + stop;
    stopped = await compactUntilStopped(world, backupId);
    const again: World = { clock: world.clock, fs: world.fs.restart(after) };
    again.clock.advance(HOUR_MS); // the leases of the stopped process expire
    const store = await open(again);
    expect((await store.check({ level: 'DATA' })).findings).toEqual([]);
    expect(await restored(store, backupId)).toEqual(state);
    const { stored } = await compact({ source: memorySource(PLATFORM), store }, backupId);
    expect(stored.manifest.tables.every(({ layers }) => layers.length === 1)).toBe(true);
    expect(again.fs.files('/repo/manifests').filter((path) => path.includes(backupId))).toHaveLength(1);
    expect(await restored(store, backupId)).toEqual(state);
    stops++;
  }
  expect(stops).toBeGreaterThan(10);
});
