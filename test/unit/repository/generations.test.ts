/** Generations of a manifest: one counts at any time, whoever reads or deletes meanwhile. */
import type { Repository } from '../../../src/repository/repository';
import { AfterPut, BeforePut, StorageWrapper } from '../../support/repository-faults';
import {
  arePayloadsOf, backupIdOf, HOUR_MS, labelsOf, memoryStorage, newWorld, openWorld, readBackup, replaceBackup, takeBackup, type World,
} from '../../support/repository-fixtures'; // prettier-ignore

const OLD = labelsOf('old', 5);
const NEW = labelsOf('new', 3);
const ID = backupIdOf(1);

let world: World;
let repository: Repository;
beforeEach(async () => {
  world = newWorld();
  repository = await openWorld(world, { gracePeriodMs: 0 });
  await takeBackup(repository, 1, OLD);
});
afterEach(() => repository.close());

const manifests = (): string[] => world.fs.files('/repo/manifests').map((path) => path.replace(/^.*-/, ''));

test('the next generation takes the place of the one before, with a checksum of its own and all that was stored for it', async () => {
  const before = await repository.findManifest(ID);
  const stored = await replaceBackup(repository, 1, NEW);
  expect(stored.name).toBe(before?.name.replace('.json', '.g2.json'));
  expect(stored.checksum).not.toBe(before?.checksum);
  expect(stored.manifest.storedBytes).toBeGreaterThan(before!.manifest.storedBytes);
  expect(manifests()).toEqual(['000000000001.g2.json']);
  expect(await repository.findManifest(ID)).toEqual(stored);
  expect(await repository.storedBackupIds()).toEqual(new Set([ID]));
  expect((await replaceBackup(repository, 1, OLD)).name).toMatch(/\.g3\.json$/);
  expect(arePayloadsOf(await readBackup(repository, 1), OLD)).toBe(true);
});

test('a reader that listed the old generation just before it was replaced gets the new one', async () => {
  class ReplacedMeanwhile extends StorageWrapper {
    before: (() => Promise<unknown>) | null = async () => replaceBackup(repository, 1, NEW);

    override async get(name: string): Promise<Buffer> {
      const { before } = this;
      if (name.startsWith('manifests/')) this.before = null;
      if (name.startsWith('manifests/')) await before?.();
      return super.get(name);
    }
  }
  const reader = await openWorld(world, { storage: new ReplacedMeanwhile(memoryStorage(world.fs)) });
  expect((await reader.findManifest(ID))?.name).toMatch(/\.g2\.json$/);
  const again = await openWorld(world, { storage: new ReplacedMeanwhile(memoryStorage(world.fs)) });
  const names: string[] = [];
  for await (const { name } of again.listManifests()) names.push(name);
  expect(names).toEqual([expect.stringMatching(/\.g3\.json$/)]);
});

test('a backup that is deleted while its next generation is written stays deleted', async () => {
  const delayed = new BeforePut(memoryStorage(world.fs), async (name) => {
    if (name.includes('.g2.')) await repository.deleteManifest(ID);
  });
  const compacting = await openWorld(world, { storage: delayed });
  await expect(replaceBackup(compacting, 1, NEW)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(manifests()).toEqual([]);
});

test('a deletion that begins before the next generation is written, and ends after it, deletes that too', async () => {
  class DeletesLate extends StorageWrapper {
    override async delete(name: string): Promise<void> {
      if (name.endsWith('0001.json')) await replaceBackup(repository, 1, NEW);
      return super.delete(name);
    }
  }
  const deleting = await openWorld(world, { storage: new DeletesLate(memoryStorage(world.fs)) });
  await deleting.deleteManifest(ID);
  expect(manifests()).toEqual([]);
});

test('a backup that was replaced twice since the listing of a long cleanup is deleted all the same', async () => {
  const world = newWorld();
  const repository = await openWorld(world);
  await takeBackup(repository, 1, ['a']);
  const deletion = await repository.beginDeletion();
  await replaceBackup(repository, 1, ['b']);
  await replaceBackup(repository, 1, ['c']);
  await deletion.delete(backupIdOf(1));
  expect(world.fs.files('/repo/manifests')).toEqual([]);
});

test('of two that replace the same generation one wins, and the other may try again', async () => {
  const rival = new BeforePut(memoryStorage(world.fs), async (name) => {
    if (name.includes('.g2.')) await replaceBackup(repository, 1, NEW);
  });
  const late = await openWorld(world, { storage: rival });
  await expect(replaceBackup(late, 1, OLD)).rejects.toMatchObject({ code: 'CONFLICT', retryable: true });
  expect(arePayloadsOf(await readBackup(repository, 1), NEW)).toBe(true);
});

describe('a replacement that has written the next generation and not yet looked for the one before', () => {
  const replacing = async (meanwhile: () => Promise<unknown>): Promise<Repository> => {
    const storage = new AfterPut(memoryStorage(world.fs), async (name) => {
      if (name.includes('.g2.')) await meanwhile();
    });
    return openWorld(world, { storage });
  };

  test('loses no backup to another compaction that finds nothing to do and tidies up', async () => {
    const compacting = await replacing(() => repository.removeSuperseded(ID));
    expect((await replaceBackup(compacting, 1, NEW)).name).toMatch(/\.g2\.json$/);
    expect(manifests()).toEqual(['000000000001.g2.json']);
    expect(arePayloadsOf(await readBackup(repository, 1), NEW)).toBe(true);
  });

  test('loses no backup to one that replaces what it has just written', async () => {
    const compacting = await replacing(() => replaceBackup(repository, 1, OLD));
    await expect(replaceBackup(compacting, 1, NEW)).rejects.toThrow('deleted or replaced meanwhile');
    expect(manifests()).toEqual(['000000000001.g3.json']);
    expect(arePayloadsOf(await readBackup(repository, 1), OLD)).toBe(true);
  });

  test('loses no backup to a collection that ran while its machine was suspended', async () => {
    const compacting = await replacing(async () => {
      world.clock.suspend(HOUR_MS);
      await repository.collectGarbage({ dryRun: false });
    });
    await expect(replaceBackup(compacting, 1, NEW)).rejects.toMatchObject({ code: 'LEASE_LOST', retryable: true });
    expect(manifests()).toEqual(['000000000001.g2.json']);
    expect(arePayloadsOf(await readBackup(repository, 1), NEW)).toBe(true);
    expect((await repository.check({ level: 'DATA' })).findings).toEqual([]);
  });
});

describe('where the lower generation was left by a crash', () => {
  beforeEach(async () => {
    class DiesThen extends StorageWrapper {
      override async delete(name: string): Promise<void> {
        if (name.startsWith('manifests/')) throw new Error('killed');
        return super.delete(name);
      }
    }
    const dying = await openWorld(world, { storage: new DiesThen(memoryStorage(world.fs)), gracePeriodMs: 0 });
    await expect(replaceBackup(dying, 1, NEW)).rejects.toThrow('killed');
    expect(manifests()).toEqual(['000000000001.json', '000000000001.g2.json']);
    expect(arePayloadsOf(await readBackup(repository, 1), NEW)).toBe(true);
  });

  test('a check finds nothing wrong, and a collection removes it with what it alone needed', async () => {
    await repository.collectGarbage({ dryRun: false });
    await repository.collectGarbage({ dryRun: false });
    expect(manifests()).toEqual(['000000000001.g2.json']);
    expect((await repository.check({ level: 'DATA' })).findings).toEqual([]);
    expect(arePayloadsOf(await readBackup(repository, 1), NEW)).toBe(true);
    expect((await repository.info()).packCount).toBe(1);
  });

  test('the next look at the backup removes it', async () => {
    await repository.removeSuperseded(ID);
    expect(manifests()).toEqual(['000000000001.g2.json']);
    await repository.removeSuperseded(ID);
  });

  test('deleting the backup removes both, the lower one first', async () => {
    await repository.deleteManifest(ID);
    expect(manifests()).toEqual([]);
  });
});
