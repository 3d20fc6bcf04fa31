/**
 * The frame of crash tests: runs steps against a repository with a fault at the first call to the disk, then at the second, and so on until
 * they end by themselves. After each run a sound process must find every backup that was told to exist, whole, and leave no garbage.
 */
import { isAppError } from '../../src/domain/errors';
import type { Repository } from '../../src/repository/repository';
import { FakeClock } from './repository-ambient';
import {
  arePayloadsOf, backupIdOf, changeSetIdOf, HOUR_MS, keepChangeSet, labelsOf, openWorld, readBackup, readRowList, replaceBackup, takeBackup,
  type World,
} from './repository-fixtures'; // prettier-ignore
import { MemoryFileSystem, type DiskFault } from './repository-memory-fs';

/** Throws unless the backup reads as it was taken. */
export type Proof = (repository: Repository) => Promise<void>;

/** What the program knows to be true. */
export interface Known {
  /** Backups that exist: their writing was told to be done. */
  committed: Map<number, Proof>;
  /** Backups whose writing or deletion was under way: absent or whole. */
  unsure: Map<number, Proof>;
  /** What is known of change sets, there or not. */
  changeSets: Map<number, Proof>;
}

export interface CrashStage {
  repository: Repository;
  known: Known;
  clock: FakeClock;
}

/** One deed of a program, e.g. a backup. A new one needs no more than this to be tried at every step. */
export type Deed = (stage: CrashStage) => Promise<void>;

export interface CrashCase {
  /** Run soundly, once. */
  before?: readonly Deed[];
  deeds: readonly Deed[];
  /** Bytes at which packs are closed. */
  packTargetBytes?: number;
  /** Tries only every so many-th step; 1 where absent. */
  stride?: number;
}

/** Ways to go: the disk's fault, and what the next process finds. */
const ENDS: readonly { fault: DiskFault; after: 'KILL' | 'POWER_LOSS' }[] = [
  { fault: 'STOP', after: 'POWER_LOSS' },
  { fault: 'HANG', after: 'KILL' },
  { fault: 'FULL', after: 'KILL' },
  { fault: 'ERROR', after: 'KILL' },
];

/** Marks a backup as unsure while `work` changes whether it exists; `exists` tells what is known afterwards. */
export async function changing(
  known: Known,
  change: { number: number; proof: Proof; exists: boolean },
  work: () => Promise<unknown>,
): Promise<void> {
  const { number, proof, exists } = change;
  known.committed.delete(number);
  known.unsure.set(number, proof);
  await work();
  known.unsure.delete(number);
  if (exists) known.committed.set(number, proof);
}

function proofOf(number: number, labels: readonly string[]): Proof {
  return async (repository) => {
    if (!arePayloadsOf(await readBackup(repository, number), labels)) throw new Error(`Backup ${number} differs.`);
  };
}

export function take(number: number, labels: readonly string[]): Deed {
  const proof = proofOf(number, labels);
  return ({ repository, known }) =>
    changing(known, { number, proof, exists: true }, () => takeBackup(repository, number, labels));
}

export function drop(number: number): Deed {
  return ({ repository, known }) => {
    const proof = known.committed.get(number) as Proof;
    return changing(known, { number, proof, exists: false }, () => repository.deleteManifest(backupIdOf(number)));
  };
}

/** Writes the next generation of a backup, with these labels. At any time it is as before or as after, and never gone. */
export function replace(number: number, labels: readonly string[]): Deed {
  const after = proofOf(number, labels);
  return async ({ repository, known }) => {
    const before = known.committed.get(number) as Proof;
    known.committed.set(number, (reader) => before(reader).catch(() => after(reader)));
    await replaceBackup(repository, number, labels);
    known.committed.set(number, after);
  };
}

const KEPT_FOR_MS = 2 * HOUR_MS;

/** Keeps a change set with these rows for two hours. What was told as kept is there whole; else it is whole or not there. */
export function keep(number: number, labels: readonly string[]): Deed {
  const whole: Proof = async (repository) => {
    const found = await repository.findChangeSet(changeSetIdOf(number));
    const list = found?.changeSet.tables[0]?.inserts;
    if (!list || !(await readRowList(repository, list, labels))) throw new Error(`Change set ${number} differs.`);
  };
  const absent: Proof = async (repository) => {
    if (await repository.findChangeSet(changeSetIdOf(number))) throw new Error(`Change set ${number} is there.`);
  };
  return async ({ repository, known }) => {
    known.changeSets.set(number, (reader) => absent(reader).catch(() => whole(reader)));
    await keepChangeSet(repository, number, { inserts: labels, expiresInMs: KEPT_FOR_MS });
    known.changeSets.set(number, whole);
  };
}

/** The change set goes: at any time it is whole or not there. */
export function forget(number: number): Deed {
  return async ({ repository, known }) => {
    const whole = known.changeSets.get(number) as Proof;
    known.changeSets.set(number, async (reader) => {
      if (await reader.findChangeSet(changeSetIdOf(number))) await whole(reader);
    });
    await repository.deleteChangeSet(changeSetIdOf(number));
    known.changeSets.set(number, async (reader) => {
      if (await reader.findChangeSet(changeSetIdOf(number))) throw new Error(`Change set ${number} came back.`);
    });
  };
}

export const collect: Deed = async ({ repository }) => void (await repository.collectGarbage({ dryRun: false }));

export const passGrace: Deed = async ({ clock }) => clock.advance(HOUR_MS);

/** Gives the number of steps at which the deeds were tried. */
export async function crashEverywhere(crash: CrashCase): Promise<number> {
  const prepared = await prepare(crash);
  for (let stop = 0; ; stop += crash.stride ?? 1) {
    let ended = true;
    for (const end of ENDS) if (await tryOnce(crash, prepared, { ...end, stop })) ended = false;
    if (ended) return stop;
  }
}

interface Prepared {
  fs: MemoryFileSystem;
  atMs: number;
  known: Known;
}

async function prepare(crash: CrashCase): Promise<Prepared> {
  const clock = new FakeClock();
  const world = { clock, fs: new MemoryFileSystem(() => clock.now()) };
  const known: Known = { committed: new Map(), unsure: new Map(), changeSets: new Map() };
  if (crash.before) await runDeeds(world, { ...crash, deeds: crash.before }, known);
  return { fs: world.fs, atMs: clock.monotonicMs(), known };
}

/** Whether the fault was met. */
async function tryOnce(
  crash: CrashCase,
  prepared: Prepared,
  { fault, after, stop }: { fault: DiskFault; after: 'KILL' | 'POWER_LOSS'; stop: number },
): Promise<boolean> {
  const clock = new FakeClock();
  clock.advance(prepared.atMs - clock.monotonicMs());
  const fs = prepared.fs.restart('KILL', () => clock.now());
  const { committed, unsure, changeSets } = prepared.known;
  const known = { committed: new Map(committed), unsure: new Map(unsure), changeSets: new Map(changeSets) };
  fs.stopAfter = stop;
  fs.fault = fault;
  try {
    await Promise.race([fs.hung, runDeeds({ clock, fs }, crash, known)]);
  } catch (error) {
    if (!isAppError(error) || !['REPOSITORY_UNAVAILABLE', 'REPOSITORY_FULL'].includes(error.code)) throw error;
  }
  const wasMet = fs.steps > stop || (fs.steps === stop && fault !== 'FULL' && fault !== 'ERROR');
  const restarted = { clock, fs: fs.restart(after) };
  await expectSound(restarted, crash, known);
  await expectGarbageGoes(restarted, crash);
  return wasMet && fs.steps >= stop;
}

function open(world: World, { packTargetBytes }: CrashCase): Promise<Repository> {
  return openWorld(world, { packTargetBytes });
}

async function runDeeds(world: World, crash: CrashCase, known: Known): Promise<void> {
  const repository = await open(world, crash);
  for (const deed of crash.deeds) await deed({ repository, known, clock: world.clock });
}

async function expectSound(world: World, crash: CrashCase, known: Known): Promise<void> {
  world.clock.advance(HOUR_MS); // the leases of the stopped process expire
  const repository = await open(world, crash);
  expect((await repository.check({ level: 'DATA' })).findings).toEqual([]);
  const listed = new Set<number>();
  for await (const { manifest } of repository.listManifests()) listed.add(Number(manifest.backupId.slice(-12)));
  for (const [number, proof] of known.committed) {
    expect(listed).toContain(number);
    await proof(repository);
  }
  for (const proof of known.changeSets.values()) await proof(repository);
  for (const number of listed) {
    if (!known.committed.has(number)) await (known.unsure.get(number) as Proof)(repository);
  }
}

/** A later backup and collections past the grace period: nothing is left but what backups need. */
async function expectGarbageGoes(world: World, crash: CrashCase): Promise<void> {
  world.clock.advance(26 * HOUR_MS);
  const repository = await open(world, crash);
  await takeBackup(repository, 99, labelsOf('later', 2)); // a repository without backups collects nothing
  for (let round = 0; round < 3; round++) {
    await repository.collectGarbage({ dryRun: false });
    world.clock.advance(HOUR_MS);
  }
  expect(await repository.collectGarbage({ dryRun: true })).toEqual({
    deletedPacks: 0, freedBytes: 0, waitingPacks: 0, waitingBytes: 0,
    rewrittenPacks: 0, rewrittenBytes: 0, damagedPacks: [], postponed: null,
  }); // prettier-ignore
  expect((await repository.check({ level: 'DATA' })).findings).toEqual([]);
  expect(world.fs.files('/repo').filter((path) => /\/(tmp|locks|marks)\//.test(path))).toEqual([]);
  expect(world.fs.files('/repo').filter((path) => path.startsWith('/repo/changes/'))).toEqual([]); // long expired
  const backupIds = world.fs.files('/repo/manifests').map((path) => /([0-9a-f-]{36})(\.g\d+)?\.json$/.exec(path)?.[1]);
  expect(new Set(backupIds).size).toBe(backupIds.length);
}
