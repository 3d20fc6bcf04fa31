/** Leases: who is kept out, for how long, and what a crash, a failed renewal or a storage without room does to that. */
import { spawnSync } from 'node:child_process';
import { isOwnerGone, thisOwner } from '../../../src/repository/lease-owner';
import { CLOCK_SKEW_MS, LEASE_MS, LEASE_RENEWAL_MS } from '../../../src/repository/limits';
import type { Repository } from '../../../src/repository/repository';
import { StorageError, type Storage } from '../../../src/repository/storage/storage';
import { settled } from '../../support/fake-clock';
import { FakeClock } from '../../support/repository-ambient';
import { BeforeDelete, BeforePut } from '../../support/repository-faults';
import {
  arePayloadsOf, backupIdOf, HOUR_MS, labelsOf, memoryStorage, newWorld, openWorld, payloadOf, readBackup, takeBackup,
  type World,
} from '../../support/repository-fixtures'; // prettier-ignore

const onLinux = process.platform === 'linux' ? test : test.skip;

/** A world in which backup 1 was deleted and its packs may go at once, while backup 2 stays. */
async function worldWithGarbage(): Promise<{ world: World; repository: Repository }> {
  const world = newWorld();
  const repository = await openWorld(world, { gracePeriodMs: 0 });
  await takeBackup(repository, 1, labelsOf('one', 3));
  await takeBackup(repository, 2, labelsOf('two', 3));
  return { world, repository };
}

/** Leaves an exclusive lease as a process that died in a sweep does. */
async function leaveExclusiveLease(world: World, owner: string | null): Promise<void> {
  const repository = await openWorld(world);
  const { objects } = (
    repository as unknown as { context: { objects: { put(name: string, v: object): Promise<Buffer> } } }
  ).context; // because nothing public leaves a lease behind
  const now = world.clock.now().getTime();
  await objects.put(`locks/exclusive-${backupIdOf(9)}-0.json`, {
    leaseId: backupIdOf(9), kind: 'EXCLUSIVE', purpose: 'collection: sweeping', owner, renewal: 0,
    acquiredAt: new Date(now).toISOString(), expiresAt: new Date(now + LEASE_MS).toISOString(),
  }); // prettier-ignore
}

/** The owner of a process that has ended by now. */
function deadOwner(): string {
  const script = `process.stdout.write(require('fs').readFileSync('/proc/self/stat', 'utf8'))`;
  const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  const pid = stdout.split(' ')[0];
  const startedAt = stdout.slice(stdout.lastIndexOf(')') + 2).split(' ')[19];
  return [...String(thisOwner()).split('/').slice(0, 2), pid, startedAt].join('/');
}

/** A storage that refuses to write where `refuses` says so. */
function refusing(storage: Storage, refuses: (name: string) => StorageError | null): Storage {
  return new Proxy(storage, {
    get(target, property, receiver) {
      const own: unknown = Reflect.get(target, property, receiver);
      if (property !== 'put') return typeof own === 'function' ? own.bind(target) : own;
      return async (name: string, bytes: Buffer) => {
        const fault = refuses(name);
        if (fault) throw fault;
        await target.put(name, bytes);
      };
    },
  });
}

test('while somebody restores, a cleanup deletes the backup but not the packs that are being read', async () => {
  const { repository, world } = await worldWithGarbage();
  const lease = await repository.beginRead('restore 1');
  const stored = await repository.findManifest(backupIdOf(1));
  const cleaner = await openWorld(world, { gracePeriodMs: 0 });
  await cleaner.deleteManifest(backupIdOf(1));
  expect(await cleaner.collectGarbage({ dryRun: false })).toMatchObject({ deletedPacks: 0, waitingPacks: 1 });
  for (const { layers } of stored!.manifest.tables) {
    for await (const entry of repository.layerEntries(layers[0]!)) await repository.readChunk(entry.id);
  }
  await lease.release();
  expect(await cleaner.collectGarbage({ dryRun: false })).toMatchObject({ deletedPacks: 1 });
});

test.each(['FULL', 'UNAVAILABLE'] as const)(
  'a repository that takes no writes (%s) is read and checked all the same',
  async (fault) => {
    const { world } = await worldWithGarbage();
    const storage = refusing(memoryStorage(world.fs), (name) =>
      name.startsWith('locks/') ? new StorageError(fault, name, { message: 'no' }) : null,
    );
    const repository = await openWorld(world, { storage });
    const lease = await repository.beginRead('restore 1');
    expect(arePayloadsOf(await readBackup(repository, 1), labelsOf('one', 3))).toBe(true);
    expect((await repository.check({ level: 'DATA' })).findings).toEqual([]);
    await lease.release();
    await expect(repository.beginWrite(backupIdOf(3))).rejects.toMatchObject({ fault });
  },
);

test('a lease left on another machine is waited for, visibly, and then no more', async () => {
  const { world, repository } = await worldWithGarbage();
  await leaveExclusiveLease(world, 'another boot/pid:[1]/1/1');
  const started = world.clock.monotonicMs();
  let waits = 0;
  const session = await repository.beginWrite(backupIdOf(3), { onWaiting: () => void waits++ });
  expect(waits).toBe(1);
  expect(world.clock.monotonicMs() - started).toBeGreaterThanOrEqual(LEASE_MS + CLOCK_SKEW_MS);
  await session.abort();
});

/** Three packs that may go at once, and a collector whose deletions are seen. */
async function sweeping(before: (deleted: number, world: World) => Promise<void>) {
  const world = newWorld();
  const writer = await openWorld(world, { gracePeriodMs: 0 });
  for (const number of [1, 2, 3, 4]) await takeBackup(writer, number, [`row${number}`]);
  for (const number of [1, 2, 3]) await writer.deleteManifest(backupIdOf(number));
  let deleted = 0;
  const storage = new BeforeDelete(memoryStorage(world.fs), async (name) => {
    if (name.startsWith('packs/')) await before(deleted++, world);
  });
  return { world, collector: await openWorld(world, { gracePeriodMs: 0, storage }) };
}

const packCount = ({ fs }: World): number => fs.files('/repo/packs').length;

test.each([
  [
    'was removed by another machine that took it for dead',
    async ({ fs }: World) => fs.files('/repo/locks').forEach((path) => fs.remove(path)),
  ],
  ['ran out while its process was suspended', async ({ clock }: World) => clock.suspend(LEASE_MS)],
])('a sweep whose lease %s stops deleting', async (_, lose) => {
  const { world, collector } = await sweeping(async (deleted) => (deleted === 0 ? lose(world) : undefined));
  await expect(collector.collectGarbage({ dryRun: false })).rejects.toMatchObject({
    code: 'LEASE_LOST',
    retryable: true,
  });
  expect(packCount(world)).toBe(3); // the deletion that had begun, and no other
  world.clock.advance(LEASE_MS + CLOCK_SKEW_MS);
  expect(await (await openWorld(world, { gracePeriodMs: 0 })).collectGarbage({ dryRun: false })).toMatchObject({
    deletedPacks: 2,
  });
  expect(world.fs.files('/repo/locks')).toEqual([]);
});

/** The machine was suspended, and its timers are the first to run when it goes on. */
async function wakeUpLate({ clock }: World): Promise<void> {
  clock.advance(LEASE_MS + CLOCK_SKEW_MS);
  await settled();
}

test('a sweep that goes on after its machine was suspended stops: a backup may have come to need the rest', async () => {
  let packs = 0;
  const { world, collector } = await sweeping(async (deleted) => {
    if (deleted > 0) return;
    world.clock.suspend(LEASE_MS + CLOCK_SKEW_MS);
    await takeBackup(await openWorld(world), 5, ['row1', 'row2', 'row3']);
    packs = packCount(world);
    await wakeUpLate(world);
  });
  await expect(collector.collectGarbage({ dryRun: false })).rejects.toMatchObject({ code: 'LEASE_LOST' });
  expect(packCount(world)).toBe(packs - 1); // the deletion that had begun, and no other
});

test('a backup of a machine that was suspended ends early, though its lease would be renewed again', async () => {
  const { world, repository } = await worldWithGarbage();
  const session = await repository.beginWrite(backupIdOf(3));
  await wakeUpLate(world);
  await expect(session.putChunk(payloadOf('more'))).rejects.toMatchObject({ code: 'LEASE_LOST', retryable: true });
  await session.abort();
  expect(world.fs.files('/repo/locks')).toEqual([]);
});

test('a backup that was suspended right before its manifest is not listed when a collection took what it needs', async () => {
  const { world, repository } = await worldWithGarbage();
  await repository.deleteManifest(backupIdOf(1));
  await repository.collectGarbage({ dryRun: false });
  let sweeps = true;
  const storage = new BeforePut(memoryStorage(world.fs), async (name) => {
    if (!name.startsWith('manifests/')) return;
    world.clock.suspend(LEASE_MS + CLOCK_SKEW_MS);
    if (sweeps) expect(await repository.collectGarbage({ dryRun: false })).toMatchObject({ deletedPacks: 1 });
  });
  const late = await openWorld(world, { storage });
  await expect(takeBackup(late, 3, labelsOf('one', 3))).rejects.toMatchObject({ code: 'LEASE_LOST', retryable: true });
  expect(await repository.findManifest(backupIdOf(3))).toBeNull();
  expect((await repository.check({ level: 'DATA' })).findings).toEqual([]);
  sweeps = false;
  await takeBackup(late, 3, labelsOf('one', 3)); // held up as long, and nothing was taken from it
  expect(arePayloadsOf(await readBackup(repository, 3), labelsOf('one', 3))).toBe(true);
});

test('a sweep that was killed halfway holds up others until its lease is over, and the next one ends it', async () => {
  const { world, collector } = await sweeping((deleted) =>
    deleted === 1 ? new Promise(() => undefined) : Promise.resolve(),
  );
  void collector.collectGarbage({ dryRun: false });
  while (packCount(world) > 3) await settled();
  const clock = new FakeClock();
  const restarted: World = { clock, fs: world.fs.restart('KILL') };
  const next = await openWorld(restarted, { gracePeriodMs: 0 });
  expect(await next.collectGarbage({ dryRun: false })).toMatchObject({ deletedPacks: 2 });
  expect(clock.monotonicMs() - world.clock.monotonicMs()).toBeGreaterThanOrEqual(LEASE_MS + CLOCK_SKEW_MS);
  expect(restarted.fs.files('/repo/locks')).toEqual([]);
});

test.each([
  ['behind', -CLOCK_SKEW_MS],
  ['ahead', CLOCK_SKEW_MS],
])(
  'a lease of a machine whose clock is %s by what clocks may differ is respected while it is renewed',
  async (_, skewMs) => {
    const { world } = await worldWithGarbage();
    const other = await openWorld({ ...world, clock: world.clock.shifted(skewMs) });
    const lease = await other.beginRead('restore 1');
    const cleaner = await openWorld(world, { gracePeriodMs: 0 });
    await cleaner.deleteManifest(backupIdOf(1));
    world.clock.suspend(LEASE_MS - 1); // as long as its holder may still work without a renewal
    expect(await cleaner.collectGarbage({ dryRun: false })).toMatchObject({ deletedPacks: 0, waitingPacks: 1 });
    await lease.release();
    expect(await cleaner.collectGarbage({ dryRun: false })).toMatchObject({ deletedPacks: 1 });
  },
);

test('waiting can be cancelled', async () => {
  const { world, repository } = await worldWithGarbage();
  await leaveExclusiveLease(world, null);
  const abort = new AbortController();
  abort.abort();
  world.clock.sleep = async (_ms, signal) => signal?.throwIfAborted();
  await expect(repository.beginRead('restore 1', { signal: abort.signal })).rejects.toMatchObject({
    name: 'AbortError',
  });
});

onLinux('a lease of a process that died on this machine holds up nobody', async () => {
  const { world, repository } = await worldWithGarbage();
  await leaveExclusiveLease(world, deadOwner());
  let waits = 0;
  const session = await repository.beginWrite(backupIdOf(3), { onWaiting: () => void waits++ });
  await session.abort();
  expect(waits).toBe(0);
  await repository.collectGarbage({ dryRun: false });
  expect(world.fs.files('/repo/locks')).toEqual([]);
});

onLinux('only a process that is certainly gone counts as gone', () => {
  const own = String(thisOwner());
  const [boot, namespace, pid, startedAt] = own.split('/');
  expect(isOwnerGone(deadOwner())).toBe(true);
  expect(isOwnerGone([boot, namespace, pid, Number(startedAt) - 1].join('/'))).toBe(true); // its number came back
  for (const owner of [own, null, undefined, 7, '', 'x', `${own}0x`, [boot, 'pid:[1]', 999_999_999, 1].join('/')]) {
    expect(isOwnerGone(owner)).toBe(false);
  }
});

test('a renewal that fails is made up for by the next', async () => {
  const { world } = await worldWithGarbage();
  let broken = false;
  const storage = refusing(memoryStorage(world.fs), (name) =>
    broken && name.startsWith('locks/') ? new StorageError('UNAVAILABLE', name, { message: 'away' }) : null,
  );
  const repository = await openWorld(world, { storage });
  const lease = await repository.beginRead('restore 1');
  for (let renewal = 0; renewal < 12; renewal++) {
    broken = renewal % 3 !== 2;
    world.clock.advance(LEASE_RENEWAL_MS);
    await settled();
  }
  const cleaner = await openWorld(world, { gracePeriodMs: 0 });
  await cleaner.deleteManifest(backupIdOf(1));
  expect(await cleaner.collectGarbage({ dryRun: false })).toMatchObject({ deletedPacks: 0, waitingPacks: 1 });
  await lease.release();
  expect(world.fs.files('/repo/locks')).toEqual([]);
});

test('whoever lists the leases while one is renewed sees it', async () => {
  const { world, repository } = await worldWithGarbage();
  const lease = await repository.beginRead('restore 1');
  const storage = memoryStorage(world.fs);
  const list = storage.list.bind(storage);
  storage.list = async function* (prefix) {
    const found = [];
    for await (const object of list(prefix)) found.push(object);
    if (prefix === 'locks/') {
      world.clock.advance(LEASE_RENEWAL_MS);
      await settled();
    }
    yield* found;
  };
  const cleaner = await openWorld(world, { gracePeriodMs: 0, storage });
  await cleaner.deleteManifest(backupIdOf(1));
  expect(await cleaner.collectGarbage({ dryRun: false })).toMatchObject({ deletedPacks: 0 });
  await lease.release();
});

test('hours on the wall clock end no lease that is renewed', async () => {
  const { world, repository } = await worldWithGarbage();
  const session = await repository.beginWrite(backupIdOf(3));
  for (let minutes = 0; minutes < 3 * 60; minutes += 2) {
    world.clock.advance(LEASE_RENEWAL_MS);
    await settled();
  }
  expect(world.clock.now().getTime()).toBeGreaterThan(HOUR_MS);
  await repository.deleteManifest(backupIdOf(1));
  expect(await repository.collectGarbage({ dryRun: false })).toMatchObject({ deletedPacks: 0 });
  await session.abort();
});
