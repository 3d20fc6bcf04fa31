/** The repository through its public interface: what backups, restores, checks and cleanups rely on. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRepository, type Repository } from '../../../src/repository/repository';
import { FakeClock, MemoryLog, seededRandom } from '../../support/repository-ambient';
import { BeforeDelete, BeforePut, CountsListings, StorageWrapper } from '../../support/repository-faults';
import {
  arePayloadsOf, backupIdOf, HOUR_MS, labelsOf, manifestOf, memoryStorage, newWorld, openWorld, payloadOf, readBackup, tableOf, takeBackup, TEST_SETTINGS, type World,
} from '../../support/repository-fixtures'; // prettier-ignore

describe.each([
  ['plain', undefined],
  ['encrypted', 'correct horse'],
])('a repository, %s', (_, passphrase) => {
  test('gives back what was stored, also to another process', async () => {
    const world = newWorld();
    const labels = labelsOf('row', 300);
    const stored = await takeBackup(await openWorld(world, { passphrase }), 1, labels);
    const other = await openWorld(world, { passphrase });
    expect(arePayloadsOf(await readBackup(other, 1), labels)).toBe(true);
    expect(await other.findManifest(backupIdOf(1))).toEqual(stored);
    const { findings, checkedChunks } = await other.check({ level: 'DATA' });
    expect(findings).toEqual([]);
    expect(checkedChunks).toBeGreaterThan(300);
  });

  test('stores equal chunks once, within and between backups', async () => {
    const world = newWorld();
    const repository = await openWorld(world, { passphrase });
    const first = await takeBackup(repository, 1, labelsOf('row', 200));
    const again = await takeBackup(repository, 2, labelsOf('row', 200));
    expect(again.manifest.storedBytes).toBe(0);
    expect(again.manifest.tables[0]?.layers).toEqual(first.manifest.tables[0]?.layers);
    const session = await repository.beginWrite(backupIdOf(3));
    const results = await Promise.all([1, 2, 3].map(() => session.putChunk(payloadOf('new'))));
    expect(results.filter(({ storedBytes }) => storedBytes > 0)).toHaveLength(1);
    await session.abort();
  });

  test('shares the pages of a layer that a change did not touch', async () => {
    const repository = await openWorld(newWorld(), { passphrase });
    const labels = labelsOf('row', 700);
    const first = await takeBackup(repository, 1, labels);
    const changed = [...labels.slice(0, 350), 'inserted', ...labels.slice(350)];
    const second = await takeBackup(repository, 2, changed);
    expect(second.manifest.storedBytes).toBeLessThan(first.manifest.storedBytes / 10);
    expect(arePayloadsOf(await readBackup(repository, 2), changed)).toBe(true);
  });

  test('reads packs that another process wrote after it was opened', async () => {
    const world = newWorld();
    const reader = await openWorld(world, { passphrase });
    await takeBackup(await openWorld(world, { passphrase }), 1, ['a']);
    expect(arePayloadsOf(await readBackup(reader, 1), ['a'])).toBe(true);
    await takeBackup(await openWorld(world, { passphrase }), 2, ['b']);
    expect(arePayloadsOf(await readBackup(reader, 2), ['b'])).toBe(true);
  });

  test('keeps documents', async () => {
    const repository = await openWorld(newWorld(), { passphrase });
    const session = await repository.beginWrite(backupIdOf(1));
    const { id } = await session.putChunk(repository.encodeServiceDocument({ schedules: ['ä'] }));
    await session.commit(manifestOf(backupIdOf(1), [], id));
    expect(await repository.readServiceDocument(id)).toEqual({ schedules: ['ä'] });
  });

  test('proves itself writable and leaves no trace', async () => {
    const world = newWorld();
    const repository = await openWorld(world, { passphrase });
    const before = world.fs.files('/repo');
    await repository.probe();
    expect(world.fs.files('/repo')).toEqual(before);
    expect(await repository.info()).toMatchObject({
      formatVersion: 1,
      encrypted: passphrase !== undefined,
      packCount: 0,
    });
  });

  test('two processes that initialize one place at once agree', async () => {
    const world = newWorld();
    const opened = await Promise.all([1, 2, 3].map(() => openWorld(world, { passphrase })));
    expect(new Set(opened.map(({ config }) => config.repositoryId)).size).toBe(1);
    await takeBackup(opened[0]!, 1, ['a']);
    expect(arePayloadsOf(await readBackup(opened[1]!, 1), ['a'])).toBe(true);
    expect((await opened[2]!.check({ level: 'DATA' })).findings).toEqual([]);
  });
});

describe('a writing session', () => {
  test('that is aborted leaves no pack, and its backup does not exist', async () => {
    const world = newWorld();
    const repository = await openWorld(world, { packTargetBytes: 2000 });
    const session = await repository.beginWrite(backupIdOf(1));
    for (const label of labelsOf('row', 20)) await session.putChunk(payloadOf(label));
    await session.abort();
    await session.abort();
    expect(world.fs.files('/repo').filter((path) => /packs|tmp|locks/.test(path))).toEqual([]);
    expect(await repository.findManifest(backupIdOf(1))).toBeNull();
    await expect(session.putChunk(payloadOf('late'))).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  test('that is aborted while others write takes nothing from them', async () => {
    const world = newWorld();
    const repository = await openWorld(world, { packTargetBytes: 2000 });
    const doomed = await repository.beginWrite(backupIdOf(1));
    for (const label of labelsOf('row', 20)) await doomed.putChunk(payloadOf(label));
    const other = await openWorld(world, { packTargetBytes: 2000 });
    await takeBackup(other, 2, labelsOf('row', 20));
    const running = await other.beginWrite(backupIdOf(3));
    await doomed.abort();
    await running.abort();
    expect(await readBackup(other, 2)).toHaveLength(20);
    expect((await other.check({ level: 'DATA' })).findings).toEqual([]);
  });

  test('cannot write the same backup twice', async () => {
    const repository = await openWorld(newWorld());
    await takeBackup(repository, 1, ['a']);
    await expect(takeBackup(repository, 1, ['b'])).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(arePayloadsOf(await readBackup(repository, 1), ['a'])).toBe(true);
  });

  test('whose lease ran out commits nothing', async () => {
    const world = newWorld();
    const repository = await openWorld(world);
    const session = await repository.beginWrite(backupIdOf(1));
    const lock = world.fs.files('/repo/locks')[0]!;
    world.fs.remove(lock);
    await expect(session.commit(manifestOf(backupIdOf(1), []))).rejects.toMatchObject({
      code: 'LEASE_LOST',
      retryable: true,
    });
    await session.abort();
    expect(await repository.findManifest(backupIdOf(1))).toBeNull();
  });

  test('renews its lease while it lives and gives it up at the end', async () => {
    const world = newWorld();
    const repository = await openWorld(world);
    const session = await repository.beginWrite(backupIdOf(1));
    for (let minute = 0; minute < 30; minute += 2) {
      world.clock.advance(2 * 60_000);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(world.fs.files('/repo/locks')).toHaveLength(2); // the newest, and the one before it for whoever lists just now
    await session.commit(manifestOf(backupIdOf(1), []));
    expect(world.fs.files('/repo/locks')).toEqual([]);
  });

  test('refuses a manifest whose layers are not stored', async () => {
    const repository = await openWorld(newWorld());
    const session = await repository.beginWrite(backupIdOf(1));
    const layer = { kind: 'BASE', root: 'ab'.repeat(32), chunkCount: 1, rowCount: 1, rawBytes: 1 } as const;
    await expect(session.commit(manifestOf(backupIdOf(1), [tableOf('t', layer)]))).rejects.toMatchObject({
      code: 'INTERNAL',
    });
    await session.abort();
  });
});

describe('opening', () => {
  test('without, or with a wrong, passphrase is refused', async () => {
    const world = newWorld();
    await openWorld(world, { passphrase: 'right' });
    await expect(openWorld(world)).rejects.toMatchObject({
      code: 'WRONG_PASSPHRASE',
      hint: expect.stringContaining('RISKVAULT_PASSPHRASE'),
    });
    await expect(openWorld(world, { passphrase: 'wrong' })).rejects.toMatchObject({ code: 'WRONG_PASSPHRASE' });
  });

  test('where all keys are gone is told as that, not as a wrong passphrase', async () => {
    const world = newWorld();
    await openWorld(world, { passphrase: 'right' });
    const storage = memoryStorage(world.fs);
    for await (const { name } of storage.list('keys/')) await storage.delete(name);
    await expect(openWorld(world, { passphrase: 'right' })).rejects.toMatchObject({
      code: 'INTEGRITY_FAILURE',
      message: expect.stringContaining('holds no key'),
    });
  });

  test('with a passphrase where nothing is encrypted is refused, not ignored', async () => {
    const world = newWorld();
    await openWorld(world);
    await expect(openWorld(world, { passphrase: 'any' })).rejects.toMatchObject({ code: 'WRONG_PASSPHRASE' });
  });

  test('a folder of somebody else’s files initializes nothing', async () => {
    const world = newWorld();
    await memoryStorage(world.fs).put('photos/cat.jpg', Buffer.from('x'));
    await expect(openWorld(world)).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
    expect(world.fs.files('/repo')).toEqual(['/repo/photos/cat.jpg']);
  });

  test('a repository of a newer format is refused by name of both versions', async () => {
    const world = newWorld();
    const body = Buffer.from('{"format":"riskvault","formatVersion":2}\n');
    const { createHash } = await import('node:crypto');
    const line = `sha256 ${createHash('sha256').update(body).digest('hex')}\n`;
    await memoryStorage(world.fs).put('config.json', Buffer.concat([body, Buffer.from(line)]));
    await expect(openWorld(world)).rejects.toMatchObject({
      code: 'FORMAT_TOO_NEW',
      message: expect.stringMatching(/2.*1/),
    });
  });

  test('survives the loss of config.json and of a key object: their copies stand in', async () => {
    const world = newWorld();
    await takeBackup(await openWorld(world, { passphrase: 'p' }), 1, ['a']);
    for (const path of world.fs.files('/repo').filter((name) => /(config|keys\/[^.]+)\.json$/.test(name)))
      world.fs.remove(path);
    const repository = await openWorld(world, { passphrase: 'p' });
    expect(arePayloadsOf(await readBackup(repository, 1), ['a'])).toBe(true);
    expect((await repository.check({ level: 'DATA' })).findings).toEqual([]);
  });

  test('an unknown url is refused with a remedy', async () => {
    const options = {
      settings: { ...TEST_SETTINGS, url: 'ftp://x' },
      clock: new FakeClock(),
      random: seededRandom('x'),
      log: new MemoryLog(),
    };
    await expect(openRepository(options)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('works on a real folder, by file:path and file:///path', async () => {
    const path = await mkdtemp(join(tmpdir(), 'rv-repository-'));
    const open = (url: string, seed: string) =>
      openRepository({
        settings: { ...TEST_SETTINGS, url },
        clock: new FakeClock(),
        random: seededRandom(seed),
        log: new MemoryLog(),
      });
    await takeBackup(await open(`file:${path}`, 'one'), 1, labelsOf('row', 50));
    const other = await open(`file://${path}`, 'two');
    expect(await readBackup(other, 1)).toHaveLength(50);
    expect((await other.check({ level: 'DATA' })).findings).toEqual([]);
    await rm(path, { recursive: true });
  });
});

describe('passphrases', () => {
  test('can be added and removed without touching data; the last one stays', async () => {
    const world = newWorld();
    const repository = await openWorld(world, { passphrase: 'old' });
    await takeBackup(repository, 1, ['a']);
    await repository.addPassphrase('new', 'rotation');
    expect((await repository.listKeys()).map(({ label }) => label).sort()).toEqual(['first', 'rotation']);
    await repository.removePassphrase('old');
    await expect(openWorld(world, { passphrase: 'old' })).rejects.toMatchObject({ code: 'WRONG_PASSPHRASE' });
    const reopened = await openWorld(world, { passphrase: 'new' });
    expect(arePayloadsOf(await readBackup(reopened, 1), ['a'])).toBe(true);
    await expect(reopened.removePassphrase('new')).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(reopened.removePassphrase('never')).rejects.toMatchObject({ code: 'WRONG_PASSPHRASE' });
    expect((await reopened.check({ level: 'DATA' })).findings).toEqual([]);
  });

  describe('of two people', () => {
    let world: World;
    let first: Repository;
    let second: Repository;
    beforeEach(async () => {
      world = newWorld();
      first = await openWorld(world, { passphrase: 'one' });
      await first.addPassphrase('two', 'second');
      second = await openWorld(world, { passphrase: 'two' });
    });

    const keyOf = async (label: string): Promise<string> =>
      (await first.listKeys()).find((key) => key.label === label)?.keyId ?? '';

    test('who remove each other’s at once, one is told that the last one stays', async () => {
      const [mine, theirs] = [await keyOf('first'), await keyOf('second')];
      let isRemoved = false;
      const storage = new BeforeDelete(memoryStorage(world.fs), async (name) => {
        if (!name.startsWith('keys/') || isRemoved) return;
        isRemoved = true;
        await second.removeKey(mine);
      });
      const late = await openWorld(world, { passphrase: 'one', storage });
      await expect(late.removeKey(theirs)).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await (await openWorld(world, { passphrase: 'two' })).listKeys()).toHaveLength(1);
      expect(world.fs.files('/repo/keys')).toHaveLength(2);
    });

    test('one that is removed while the repository is opened does not come back by its copy', async () => {
      const leaked = await keyOf('second');
      let reads = 0;
      class RemovedMeanwhile extends StorageWrapper {
        override async get(name: string): Promise<Buffer> {
          const bytes = await super.get(name);
          if (name.includes(leaked) && ++reads === 2) await first.removeKey(leaked);
          return bytes;
        }
      }
      await openWorld(world, { passphrase: 'one', storage: new RemovedMeanwhile(memoryStorage(world.fs)) });
      expect(reads).toBe(2);
      expect(world.fs.files('/repo/keys').filter((path) => path.includes(leaked))).toEqual([]);
      await expect(openWorld(world, { passphrase: 'two' })).rejects.toMatchObject({ code: 'WRONG_PASSPHRASE' });
    });
  });

  test('have no place in a plain repository', async () => {
    const repository = await openWorld(newWorld());
    await expect(repository.addPassphrase('x', 'x')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('collecting', () => {
  test('marks, waits for the grace period, then sweeps', async () => {
    const world = newWorld();
    const repository = await openWorld(world);
    await takeBackup(repository, 1, labelsOf('one', 5));
    await takeBackup(repository, 2, labelsOf('two', 5));
    await repository.deleteManifest(backupIdOf(1));
    await repository.deleteManifest(backupIdOf(1));
    expect(await repository.collectGarbage({ dryRun: true })).toMatchObject({ deletedPacks: 0, waitingPacks: 1 });
    expect(await repository.collectGarbage({ dryRun: false })).toMatchObject({ deletedPacks: 0, waitingPacks: 1 });
    world.clock.advance(HOUR_MS / 2);
    expect(await repository.collectGarbage({ dryRun: false })).toMatchObject({ deletedPacks: 0, waitingPacks: 1 });
    world.clock.advance(HOUR_MS);
    expect(await repository.collectGarbage({ dryRun: true })).toMatchObject({ deletedPacks: 1 });
    const swept = await repository.collectGarbage({ dryRun: false });
    expect(swept).toMatchObject({ deletedPacks: 1, waitingPacks: 0, postponed: null });
    expect(swept.freedBytes).toBeGreaterThan(1000);
    expect(await readBackup(repository, 2)).toHaveLength(5);
    expect(world.fs.files('/repo').filter((path) => path.includes('/marks/'))).toEqual([]);
  });

  test('keeps what a running backup relies on, however long it runs', async () => {
    const world = newWorld();
    const repository = await openWorld(world, { gracePeriodMs: 0 });
    await takeBackup(repository, 1, labelsOf('one', 5));
    await takeBackup(repository, 2, labelsOf('two', 5));
    await repository.deleteManifest(backupIdOf(1));
    const other = await openWorld(world, { gracePeriodMs: 0 });
    const session = await other.beginWrite(backupIdOf(3));
    const layer = session.buildLayer('BASE');
    const payload = payloadOf('one0');
    const { id, storedBytes } = await session.putChunk(payload);
    expect(storedBytes).toBe(0);
    expect(await repository.collectGarbage({ dryRun: false })).toMatchObject({ deletedPacks: 0, waitingPacks: 1 });
    await layer.add({
      id,
      rowCount: 1,
      rawBytes: payload.length,
      firstKey: Buffer.from('k'),
      lastKey: Buffer.from('k'),
    });
    await session.commit(manifestOf(backupIdOf(3), [tableOf('t', await layer.finish())]));
    // what was relied on is copied out of the pack, which is otherwise dead
    const kept = { deletedPacks: 0, waitingPacks: 1, rewrittenPacks: 1 };
    expect(await repository.collectGarbage({ dryRun: false })).toMatchObject(kept);
    expect(await repository.collectGarbage({ dryRun: false })).toMatchObject({ deletedPacks: 1, waitingPacks: 0 });
    expect(await readBackup(repository, 3)).toEqual([payload]);
  });

  test('what is stored is told with unreadable manifests, and not at all from a folder that is not the repository', async () => {
    const world = newWorld();
    const repository = await openWorld(world);
    await takeBackup(repository, 1, ['a']);
    const { name } = await takeBackup(repository, 2, ['b']);
    const storage = memoryStorage(world.fs);
    await storage.delete(name);
    await storage.put(name, Buffer.from('damaged'));
    expect(await repository.storedBackupIds()).toEqual(new Set([backupIdOf(1), backupIdOf(2)]));
    for await (const object of storage.list('')) await storage.delete(object.name);
    await expect(repository.storedBackupIds()).rejects.toThrow();
  });

  test('many backups are deleted by one listing, each unless it is held at that moment', async () => {
    const world = newWorld();
    const writer = await openWorld(world);
    for (const number of [1, 2, 3]) await takeBackup(writer, number, ['a']);
    const storage = new CountsListings(memoryStorage(world.fs));
    const deletion = await (await openWorld(world, { storage })).beginDeletion();
    await deletion.delete(backupIdOf(1));
    await memoryStorage(world.fs).put(`holds/${backupIdOf(2)}-${backupIdOf(7)}.json`, Buffer.from('x'));
    await expect(deletion.delete(backupIdOf(2))).rejects.toMatchObject({ code: 'LEGAL_HOLD' });
    await deletion.delete(backupIdOf(3));
    await deletion.delete(backupIdOf(3));
    expect(await writer.storedBackupIds()).toEqual(new Set([backupIdOf(2)]));
    expect(storage.listings.get('manifests/')).toBe(1);
  });

  test('a legal hold keeps a backup', async () => {
    const world = newWorld();
    const repository = await openWorld(world);
    await takeBackup(repository, 1, ['a']);
    const hold = `holds/${backupIdOf(1)}-${backupIdOf(7)}.json`;
    await memoryStorage(world.fs).put(hold, Buffer.from('x'));
    await expect(repository.deleteManifest(backupIdOf(1))).rejects.toMatchObject({ code: 'LEGAL_HOLD' });
    expect(await readBackup(repository, 1)).toHaveLength(1);
  });

  test('a write that races with a sweep for the lease lets one of them wait', async () => {
    const world = newWorld();
    const rival = await openWorld(world, { gracePeriodMs: 0 });
    await takeBackup(rival, 1, labelsOf('one', 3));
    await takeBackup(rival, 2, labelsOf('two', 3));
    await rival.deleteManifest(backupIdOf(1));
    const storage = new BeforePut(memoryStorage(world.fs), async (name) => {
      if (name.startsWith('locks/exclusive')) await takeBackup(rival, 3, labelsOf('one', 3));
    });
    const collector = await openWorld(world, { gracePeriodMs: 0, storage });
    await collector.collectGarbage({ dryRun: false });
    expect(await readBackup(rival, 3)).toHaveLength(3);
    expect((await rival.check({ level: 'DATA' })).findings).toEqual([]);
  });
});
