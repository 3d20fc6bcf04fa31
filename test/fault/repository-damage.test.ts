/** Bad disks, full disks, listings that lie: damage is found and named, and nothing wrong is ever given back or deleted. */
import type { Repository } from '../../src/repository/repository';
import { isAppError } from '../../src/domain/errors';
import { EmptyListing, flipped, FlipsWrittenPacks, PartialListing } from '../support/repository-faults';
import {
  arePayloadsOf, backupIdOf, HOUR_MS, labelsOf, memoryStorage, newWorld, openWorld, readBackup, takeBackup, type World,
} from '../support/repository-fixtures'; // prettier-ignore

const STRIDE = process.env['LONG'] === '1' ? 1 : 11;
const LABELS = labelsOf('row', 3);

/** What a reader gets: the right payloads, or an error that says that they are damaged. */
async function readsTrulyOrNot(repository: Repository): Promise<void> {
  try {
    expect(arePayloadsOf(await readBackup(repository, 1), LABELS)).toBe(true);
  } catch (error) {
    if (!isAppError(error)) throw error;
    expect(error.code).toBe('INTEGRITY_FAILURE');
  }
}

describe.each([
  ['plain', undefined],
  ['encrypted', 'secret'],
])('one flipped bit, %s', (_, passphrase) => {
  test('is found in any byte of any object, by name, and never given back', async () => {
    const world = newWorld();
    const writer = await openWorld(world, { passphrase });
    await takeBackup(writer, 1, LABELS);
    await takeBackup(writer, 2, ['other']);
    await writer.deleteManifest(backupIdOf(2));
    await writer.collectGarbage({ dryRun: false });
    const lingering = await writer.beginWrite(backupIdOf(3));
    expect((await writer.check({ level: 'DATA' })).findings).toEqual([]);
    const objects = world.fs.files('/repo').filter((path) => !path.startsWith('/repo/tmp/'));
    expect(new Set(objects.map((path) => path.split('/')[2]?.replace('.copy', '')))).toEqual(
      new Set(['config.json', 'packs', 'manifests', 'locks', 'marks', ...(passphrase ? ['keys'] : [])]),
    );
    for (const path of objects) {
      const sound = world.fs.contentOf(path);
      for (let at = 0; at < sound.length; at += STRIDE) {
        world.fs.overwrite(path, flipped(sound, at, 1 << (at % 8)));
        const { findings } = await writer.check({ level: 'DATA' });
        expect({ at, objects: findings.map(({ object }) => object) }).toEqual({
          at,
          objects: [path.slice('/repo/'.length)],
        });
        await readsTrulyOrNot(writer);
      }
      world.fs.overwrite(path, sound);
    }
    await lingering.abort();
  });

  test('in config or key objects does not keep the repository shut', async () => {
    const world = newWorld();
    await takeBackup(await openWorld(world, { passphrase }), 1, LABELS);
    for (const path of world.fs.files('/repo').filter((name) => /config\.json|keys\/[^.]*\.json/.test(name))) {
      const sound = world.fs.contentOf(path);
      world.fs.overwrite(path, flipped(sound, 100));
      const repository = await openWorld(world, { passphrase });
      expect(arePayloadsOf(await readBackup(repository, 1), LABELS)).toBe(true);
      world.fs.overwrite(path, sound);
    }
  });
});

describe('a check', () => {
  async function twoBackups(): Promise<{ world: World; repository: Repository }> {
    const world = newWorld();
    const repository = await openWorld(world, { packTargetBytes: 800 });
    await takeBackup(repository, 1, ['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    await takeBackup(repository, 2, ['a', 'b', 'c', 'w', 'x', 'y', 'z']);
    return { world, repository };
  }

  const packs = (world: World): string[] => world.fs.files('/repo/packs');

  test('names every backup that a damaged pack hurts, and no other', async () => {
    const { world, repository } = await twoBackups();
    const hurt = new Set<string>();
    for (const path of packs(world)) {
      const sound = world.fs.contentOf(path);
      world.fs.overwrite(path, flipped(sound, 40));
      const { findings } = await repository.check({ level: 'DATA' });
      expect(findings).toHaveLength(1);
      hurt.add(findings[0]?.backupIds.map((id) => Number(id.slice(-12))).join('+') ?? '');
      for (const number of [1, 2]) {
        const told = findings[0]?.backupIds.includes(backupIdOf(number)) === true;
        const fresh = await openWorld(world);
        const read = await readBackup(fresh, number).then(() => false, () => true); // prettier-ignore
        expect(read).toBe(told);
      }
      world.fs.overwrite(path, sound);
    }
    expect([...hurt].sort()).toEqual(['1', '1+2', '2']);
  });

  test('finds missing packs at level STRUCTURE, and damage inside only at DATA', async () => {
    const { world, repository } = await twoBackups();
    const [path] = packs(world) as [string];
    const sound = world.fs.contentOf(path);
    world.fs.overwrite(path, flipped(sound, 40));
    expect((await repository.check({ level: 'STRUCTURE' })).findings).toEqual([]);
    world.fs.remove(path);
    for (const level of ['STRUCTURE', 'DATA'] as const) {
      const { findings } = await repository.check({ level });
      const message = expect.stringMatching(
        /^Chunks that are needed are in no pack: [^.]*nothing tells its name/,
      ) as string;
      expect(findings).toMatchObject([{ object: 'packs/', problem: 'MISSING', message }]);
      expect(findings[0]?.backupIds).toContain(backupIdOf(1));
    }
  });

  test('of one backup reads what it needs and is not troubled by the others', async () => {
    const { world, repository } = await twoBackups();
    const manifest = world.fs.files('/repo/manifests').find((path) => path.includes(backupIdOf(2))) as string;
    world.fs.overwrite(manifest, flipped(world.fs.contentOf(manifest), 50));
    const seen: (number | null)[] = [];
    const options = {
      level: 'DATA',
      onProgress: ({ totalBytes }: { totalBytes: number | null }) => seen.push(totalBytes),
    } as const;
    const first = await repository.check({ ...options, backupIds: [backupIdOf(1)] });
    expect(first.findings).toEqual([]);
    expect(first.checkedChunks).toBeGreaterThan(3);
    expect(seen.length).toBeGreaterThan(0);
    const second = await repository.check({ ...options, backupIds: [backupIdOf(2)] });
    expect(second.findings).toMatchObject([{ problem: 'DAMAGED', backupIds: [backupIdOf(2)] }]);
    const none = repository.check({ level: 'DATA', backupIds: [backupIdOf(9)] });
    await expect(none).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('reports truncated packs and strange objects, and skips manifests it cannot read', async () => {
    const { world, repository } = await twoBackups();
    await memoryStorage(world.fs).put('packs/readme.txt', Buffer.from('hello'));
    const [path] = packs(world) as [string];
    world.fs.overwrite(path, world.fs.contentOf(path).subarray(0, 100));
    const { findings } = await repository.check({ level: 'DATA' });
    expect(findings.map(({ problem }) => problem).sort()).toEqual(['DAMAGED', 'UNEXPECTED']);
    const manifest = world.fs.files('/repo/manifests')[0] as string;
    world.fs.overwrite(manifest, Buffer.alloc(0));
    const damaged: string[] = [];
    const sound: string[] = [];
    for await (const { name } of repository.listManifests((name) => damaged.push(name))) sound.push(name);
    expect({ damaged: damaged.length, sound: sound.length }).toEqual({ damaged: 1, sound: 1 });
  });

  test('can be cancelled', async () => {
    const { repository } = await twoBackups();
    const signal = AbortSignal.abort();
    await expect(repository.check({ level: 'DATA', signal })).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  test('chunks of a pack that lost its end are stored anew by the next backup of the same process', async () => {
    const world = newWorld();
    const repository = await openWorld(world);
    await takeBackup(repository, 1, LABELS);
    for (const path of packs(world)) world.fs.overwrite(path, world.fs.contentOf(path).subarray(0, 50));
    expect((await repository.check({ level: 'DATA' })).findings).toMatchObject([{ problem: 'DAMAGED' }]);
    await takeBackup(repository, 2, LABELS);
    expect(arePayloadsOf(await readBackup(repository, 2), LABELS)).toBe(true);
  });

  test('a damaged chunk is stored anew by the next backup, which heals the older one', async () => {
    const world = newWorld();
    const repository = await openWorld(world);
    await takeBackup(repository, 1, LABELS);
    const [path] = packs(world) as [string];
    world.fs.overwrite(path, flipped(world.fs.contentOf(path), 40));
    expect((await repository.check({ level: 'DATA' })).findings[0]?.backupIds).toEqual([backupIdOf(1)]);
    await takeBackup(repository, 2, LABELS);
    const { findings } = await repository.check({ level: 'DATA' });
    expect(findings).toMatchObject([{ problem: 'DAMAGED', backupIds: [] }]);
    expect(arePayloadsOf(await readBackup(await openWorld(world), 1), LABELS)).toBe(true);
  });
});

test('a pack that comes to rest with another byte than was written fails the backup', async () => {
  const world = newWorld();
  const storage = new FlipsWrittenPacks(memoryStorage(world.fs));
  const repository = await openWorld(world, { storage });
  await expect(takeBackup(repository, 1, LABELS)).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
  expect(await repository.findManifest(backupIdOf(1))).toBeNull();
  expect(world.fs.files('/repo').filter((path) => /packs|tmp|locks/.test(path))).toEqual([]);
});

test('a full disk fails the backup with a remedy and leaves nothing half-done', async () => {
  const world = newWorld();
  const repository = await openWorld(world, { packTargetBytes: 1500 });
  await takeBackup(repository, 1, LABELS);
  const before = world.fs.files('/repo').sort();
  for (let room = 0; room < 9000; room += 500) {
    world.fs.room = room;
    const failure = await takeBackup(repository, 2, labelsOf('big', 20)).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'REPOSITORY_FULL',
      retryable: false,
      hint: expect.stringContaining('Free some MB'),
    });
    world.fs.room = Infinity;
    world.clock.advance(HOUR_MS);
    await repository.collectGarbage({ dryRun: false });
    world.clock.advance(2 * HOUR_MS);
    await repository.collectGarbage({ dryRun: false });
    expect(world.fs.files('/repo').sort()).toEqual(before);
  }
  await takeBackup(repository, 2, labelsOf('big', 20));
  expect((await repository.check({ level: 'DATA' })).findings).toEqual([]);
});

describe('a collection deletes nothing', () => {
  async function withGarbage(wrap: (world: World) => PartialListing | EmptyListing): Promise<number> {
    const world = newWorld();
    const storage = wrap(world);
    const repository = await openWorld(world, { gracePeriodMs: 0, storage });
    await takeBackup(repository, 1, ['a']);
    await takeBackup(repository, 2, ['b']);
    await takeBackup(repository, 3, ['c']);
    await repository.deleteManifest(backupIdOf(3));
    const before = world.fs.files('/repo/packs').length;
    storage.enabled = true;
    await repository.collectGarbage({ dryRun: false }).catch((error: unknown) => {
      if (!isAppError(error) || error.code !== 'REPOSITORY_UNAVAILABLE') throw error;
    });
    return before - world.fs.files('/repo/packs').length;
  }

  test.each(['packs/', 'manifests/', 'locks/', 'marks/'])('when the listing of %s breaks off', async (prefix) => {
    expect(await withGarbage(({ fs }) => new PartialListing(memoryStorage(fs), prefix, 0))).toBe(0);
  });

  test('when the manifests seem to be gone', async () => {
    expect(await withGarbage(({ fs }) => new EmptyListing(memoryStorage(fs), 'manifests/'))).toBe(0);
  });

  test('when a manifest or a page cannot be read', async () => {
    for (const folder of ['/repo/manifests', '/repo/packs']) {
      const world = newWorld();
      await takeBackup(await openWorld(world), 1, ['a']);
      const repository = await openWorld(world, { gracePeriodMs: 0 });
      await takeBackup(repository, 2, ['b']);
      await repository.deleteManifest(backupIdOf(2));
      const path = world.fs.files(folder)[0] as string;
      world.fs.overwrite(path, flipped(world.fs.contentOf(path), world.fs.contentOf(path).length - 5));
      const packs = world.fs.files('/repo/packs').length;
      if (folder === '/repo/manifests') {
        await expect(repository.collectGarbage({ dryRun: false })).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
      }
      expect(world.fs.files('/repo/packs')).toHaveLength(packs);
    }
  });
});
