/**
 * Stops the process, or the power, at every single step of disk I/O of writing, deleting and collecting. Whatever was told to exist
 * exists and checks clean; what was not is garbage that goes in the end.
 */
import type { Repository } from '../../src/repository/repository';
import { isAppError } from '../../src/domain/errors';
import { MemoryFileSystem } from '../support/repository-memory-fs';
import {
  arePayloadsOf, backupIdOf, HOUR_MS, labelsOf, newWorld, openWorld, readBackup, takeBackup, type World,
} from '../support/repository-fixtures'; // prettier-ignore

const PACK_BYTES = 4000;
const FIRST = labelsOf('first', 9);
const SECOND = [...labelsOf('first', 4), ...labelsOf('second', 12)];
const AFTERMATH = ['KILL', 'POWER_LOSS'] as const;

/** What the program knows to be true when it stopped. */
interface Known {
  committed: Map<number, readonly string[]>;
  /** Backups whose commit or deletion was under way. */
  unsure: Set<number>;
}

type Scenario = (repository: Repository, known: Known) => Promise<void>;

const take =
  (number: number, labels: readonly string[]): Scenario =>
  async (repository, known) => {
    known.unsure.add(number);
    await takeBackup(repository, number, labels);
    known.unsure.delete(number);
    known.committed.set(number, labels);
  };

const drop =
  (number: number): Scenario =>
  async (repository, known) => {
    known.committed.delete(number);
    known.unsure.add(number);
    await repository.deleteManifest(backupIdOf(number));
    known.unsure.delete(number);
  };

const collect: Scenario = async (repository) => void (await repository.collectGarbage({ dryRun: false }));

async function runUntilStopped(world: World, scenario: Scenario[], known: Known): Promise<boolean> {
  try {
    const repository = await openWorld(world, { packTargetBytes: PACK_BYTES, gracePeriodMs: 0 });
    for (const step of scenario) await step(repository, known);
    return false;
  } catch (error) {
    if (isAppError(error) && error.code === 'REPOSITORY_UNAVAILABLE') return true;
    throw error;
  }
}

async function expectSound(world: World, known: Known): Promise<void> {
  world.clock.advance(HOUR_MS); // the leases of the stopped process expire
  const repository = await openWorld(world, { packTargetBytes: PACK_BYTES, gracePeriodMs: 0 });
  const { findings } = await repository.check({ level: 'DATA' });
  expect(findings).toEqual([]);
  const listed: number[] = [];
  for await (const { manifest } of repository.listManifests()) listed.push(Number(manifest.backupId.slice(-12)));
  for (const [number, labels] of known.committed) {
    expect(listed).toContain(number);
    expect(arePayloadsOf(await readBackup(repository, number), labels)).toBe(true);
  }
  for (const number of listed) expect(known.committed.has(number) || known.unsure.has(number)).toBe(true);
}

/** A later backup and two collections: nothing is left but what backups need. */
async function expectGarbageGoes(world: World): Promise<void> {
  world.clock.advance(26 * HOUR_MS);
  const repository = await openWorld(world, { packTargetBytes: PACK_BYTES, gracePeriodMs: 0 });
  await takeBackup(repository, 99, labelsOf('later', 2));
  await repository.collectGarbage({ dryRun: false });
  world.clock.advance(HOUR_MS);
  const rest = await repository.collectGarbage({ dryRun: true });
  expect(rest).toEqual({ deletedPacks: 0, freedBytes: 0, waitingPacks: 0, waitingBytes: 0, postponed: null });
  expect((await repository.check({ level: 'DATA' })).findings).toEqual([]);
  const left = world.fs.files('/repo').filter((path) => /\/(tmp|locks|marks)\//.test(path));
  expect(left).toEqual([]);
}

/** Runs the scenario stopped after 0, 1, 2 … steps, each time from `prepare`d state, until it ends by itself. */
async function stopEverywhere(prepare: Scenario[], scenario: Scenario[], stride: number): Promise<number> {
  for (let stop = 0; ; stop += stride) {
    for (const after of AFTERMATH) {
      const { clock, fs } = newWorld();
      const known: Known = { committed: new Map(), unsure: new Set() };
      await runUntilStopped({ clock, fs }, prepare, known);
      fs.stopAfter = fs.steps + stop;
      const stopped = await runUntilStopped({ clock, fs }, scenario, known);
      const restarted: MemoryFileSystem = fs.restart(after);
      await expectSound({ clock, fs: restarted }, known);
      await expectGarbageGoes({ clock, fs: restarted });
      if (!stopped) return stop;
    }
  }
}

const STRIDE = process.env['LONG'] === '1' ? 1 : 3;

test('initializing and the first backup', async () => {
  expect(await stopEverywhere([], [take(1, FIRST)], STRIDE)).toBeGreaterThan(20);
});

test('a second backup that shares chunks with the first', async () => {
  expect(await stopEverywhere([take(1, FIRST)], [take(2, SECOND)], STRIDE)).toBeGreaterThan(20);
});

test('deleting a backup and collecting its packs', async () => {
  const prepare = [take(1, FIRST), take(2, SECOND)];
  expect(await stopEverywhere(prepare, [drop(1), collect], STRIDE)).toBeGreaterThan(20);
});
