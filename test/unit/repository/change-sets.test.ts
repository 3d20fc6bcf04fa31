/** Change sets in a repository: kept whole with their rows until they expire, then gone with what only they needed. */
import { flipped, StorageWrapper } from '../../support/repository-faults';
import {
  backupIdOf, changeSetIdOf, HOUR_MS, keepChangeSet, labelsOf, memoryStorage, newWorld, openWorld, readRowList, takeBackup, type World,
} from '../../support/repository-fixtures'; // prettier-ignore

const PACK_BYTES = 4000;
const DAY_MS = 24 * HOUR_MS;

describe.each([undefined, 'a passphrase'])('with the passphrase %s', (passphrase) => {
  let world: World;
  const open = () => openWorld(world, { passphrase, packTargetBytes: PACK_BYTES });
  beforeEach(() => {
    world = newWorld();
  });

  test('a change set is found by another process with its rows, its hash being that of its bytes', async () => {
    const stored = await keepChangeSet(await open(), 1, { inserts: labelsOf('in', 5), expiresInMs: DAY_MS });
    const later = await open();
    const found = await later.findChangeSet(changeSetIdOf(1));
    expect(found).toEqual(stored);
    expect(found?.name).toBe(`changes/2026/11/20261122T194500Z-${changeSetIdOf(1)}.json`);
    expect(await readRowList(later, found!.changeSet.tables[0]!.inserts, labelsOf('in', 5))).toBe(true);
    expect(await later.findChangeSet(changeSetIdOf(2))).toBeNull();
    expect((await later.check({ level: 'DATA' })).findings).toEqual([]);
  });

  test('in an encrypted repository nothing of it can be read without the key', async () => {
    const { name } = await keepChangeSet(await open(), 1, { inserts: ['secret'], expiresInMs: DAY_MS });
    const bytes = await memoryStorage(world.fs).get(name);
    expect(bytes.includes('risk_assessments')).toBe(passphrase === undefined);
  });

  test('an id is taken once, until it is deleted', async () => {
    const repository = await open();
    await keepChangeSet(repository, 1, { inserts: ['a'], expiresInMs: DAY_MS });
    const again = keepChangeSet(repository, 1, { inserts: ['b'], expiresInMs: DAY_MS });
    await expect(again).rejects.toMatchObject({ code: 'CONFLICT' });
    await repository.deleteChangeSet(changeSetIdOf(1));
    await repository.deleteChangeSet(changeSetIdOf(1));
    await keepChangeSet(repository, 1, { inserts: ['b'], expiresInMs: DAY_MS });
  });

  test('collections keep its rows, and the layers it names of a backup that is deleted, until it expires', async () => {
    const repository = await open();
    await takeBackup(repository, 9, ['stays']);
    const { manifest } = await takeBackup(repository, 1, labelsOf('old', 9));
    const { layers } = manifest.tables[0]!;
    await keepChangeSet(repository, 1, { inserts: labelsOf('in', 9), load: layers, expiresInMs: DAY_MS });
    await repository.deleteManifest(backupIdOf(1));
    const collect = async (): Promise<number> => {
      let deleted = 0;
      for (let round = 0; round < 2; round++) {
        deleted += (await repository.collectGarbage({ dryRun: false })).deletedPacks;
        world.clock.advance(HOUR_MS);
      }
      return deleted;
    };
    const packs = (): number => world.fs.files('/repo/packs').length;
    const before = packs();
    await collect();
    const found = (await (await open()).findChangeSet(changeSetIdOf(1)))!;
    const [table] = found.changeSet.tables;
    expect(await readRowList(repository, table!.inserts, labelsOf('in', 9))).toBe(true);
    expect(await readRowList(repository, layers[0]!, labelsOf('old', 9))).toBe(true);
    expect((await repository.check({ level: 'DATA' })).findings).toEqual([]);
    world.clock.advance(DAY_MS);
    await collect();
    expect(await repository.findChangeSet(changeSetIdOf(1))).toBeNull();
    expect(packs()).toBeLessThan(before / 2);
    expect((await repository.check({ level: 'DATA' })).findings).toEqual([]);
  });

  test('what deleting a backup would free leaves out what a change set needs', async () => {
    const repository = await open();
    await takeBackup(repository, 9, ['stays']);
    const { manifest } = await takeBackup(repository, 1, labelsOf('old', 9));
    const free = await repository.freedBy([backupIdOf(1)]);
    expect(free.freedBytes).toBeGreaterThan(0);
    await keepChangeSet(repository, 1, { inserts: [], load: manifest.tables[0]!.layers, expiresInMs: DAY_MS });
    expect((await repository.freedBy([backupIdOf(1)])).freedBytes).toBeLessThan(free.freedBytes / 2);
  });

  test('one that cannot be read stops a collection, and a check names it', async () => {
    const repository = await open();
    await takeBackup(repository, 9, ['stays']);
    const { name } = await keepChangeSet(repository, 1, { inserts: ['a'], expiresInMs: DAY_MS });
    world.fs.overwrite(`/repo/${name}`, flipped(world.fs.contentOf(`/repo/${name}`), 5));
    await expect(repository.collectGarbage({ dryRun: false })).rejects.toMatchObject({
      code: 'INTEGRITY_FAILURE',
      message: expect.stringContaining(name),
    });
    const { findings } = await repository.check({ level: 'STRUCTURE' });
    expect(findings).toMatchObject([{ object: name, problem: 'DAMAGED', backupIds: [] }]);
  });

  test('a check says that a change set lost rows, and hurts no backup for it', async () => {
    const repository = await open();
    await takeBackup(repository, 9, ['stays']);
    const known = new Set(world.fs.files('/repo/packs'));
    await keepChangeSet(repository, 1, { inserts: labelsOf('in', 3), expiresInMs: DAY_MS });
    const [pack] = world.fs.files('/repo/packs').filter((path) => !known.has(path));
    world.fs.overwrite(pack!, flipped(world.fs.contentOf(pack!), 60));
    const { findings } = await (await open()).check({ level: 'DATA' });
    expect(findings).toMatchObject([{ problem: 'DAMAGED', backupIds: [] }]);
    expect(findings[0]?.message).toMatch(/change set/);
  });
});

test('a session that is given up leaves packs on which a change set came to rely', async () => {
  const world = newWorld();
  const repository = await openWorld(world, { packTargetBytes: PACK_BYTES });
  await takeBackup(repository, 9, ['stays']);
  const given = await repository.beginChangeSet(changeSetIdOf(5));
  for (const payload of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
    await given.putChunk(Buffer.concat([Buffer.from([1, 1]), Buffer.alloc(900, payload)]));
  }
  await keepChangeSet(repository, 1, { inserts: labelsOf('in', 9), expiresInMs: DAY_MS });
  await given.abort();
  const found = (await repository.findChangeSet(changeSetIdOf(1)))!;
  expect(await readRowList(repository, found.changeSet.tables[0]!.inserts, labelsOf('in', 9))).toBe(true);
});

/** Fails the writing of the object itself, after its packs. */
class NoChanges extends StorageWrapper {
  override async put(name: string, bytes: Buffer): Promise<void> {
    if (name.startsWith('changes/')) throw new Error('no more');
    return super.put(name, bytes);
  }
}

test('one whose writing failed is not there, and its packs go', async () => {
  const world = newWorld();
  await takeBackup(await openWorld(world), 9, ['stays']);
  const before = world.fs.files('/repo/packs').length;
  const repository = await openWorld(world, { storage: new NoChanges(memoryStorage(world.fs)) });
  await expect(keepChangeSet(repository, 1, { inserts: ['a'], expiresInMs: DAY_MS })).rejects.toThrow('no more');
  expect(await repository.findChangeSet(changeSetIdOf(1))).toBeNull();
  expect(world.fs.files('/repo/packs')).toHaveLength(before);
});
