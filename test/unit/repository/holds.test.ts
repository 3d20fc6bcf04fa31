/** Legal holds: while one is in force its backup stays, whatever races with it; what can't be read of it does not loosen it. */
import type { HoldId } from '../../../src/domain/ids';
import type { LegalHold } from '../../../src/domain/legal-hold';
import type { Repository } from '../../../src/repository/repository';
import type { Storage } from '../../../src/repository/storage/storage';
import { settled } from '../../support/fake-clock';
import { StorageWrapper } from '../../support/repository-faults';
import {
  backupIdOf, HOUR_MS, labelsOf, memoryStorage, newWorld, openWorld, readBackup, takeBackup, type World,
} from '../../support/repository-fixtures'; // prettier-ignore

function holdOf(number: number, of = 1): LegalHold {
  return {
    holdId: backupIdOf(number) as string as HoldId,
    backupId: backupIdOf(of),
    reason: 'Case 4711 / Müller',
    createdBy: 'local',
    createdAt: '2026-11-22T20:00:00.000Z',
  };
}

async function holdsOf(repository: Repository): Promise<LegalHold[]> {
  const holds: LegalHold[] = [];
  for await (const hold of repository.listHolds()) holds.push(hold);
  return holds;
}

const isStored = async (repository: Repository): Promise<boolean> =>
  (await repository.storedBackupIds()).has(backupIdOf(1));

/** Calls `before` once, before the first put or delete whose name `matches`. */
class Interrupted extends StorageWrapper {
  private done = false;

  constructor(
    inner: Storage,
    private readonly step: { call: 'put' | 'delete'; matches: RegExp; before: () => Promise<unknown> },
  ) {
    super(inner);
  }

  override async put(name: string, bytes: Buffer): Promise<void> {
    await this.interrupt('put', name);
    return super.put(name, bytes);
  }

  override async delete(name: string): Promise<void> {
    await this.interrupt('delete', name);
    return super.delete(name);
  }

  private async interrupt(call: 'put' | 'delete', name: string): Promise<void> {
    if (this.done || call !== this.step.call || !this.step.matches.test(name)) return;
    this.done = true;
    await this.step.before();
  }
}

describe.each([undefined, 'a passphrase'])('with the passphrase %s', (passphrase) => {
  let world: World;
  let repository: Repository;
  beforeEach(async () => {
    world = newWorld();
    repository = await openWorld(world, { passphrase });
    await takeBackup(repository, 1, labelsOf('a', 2));
  });

  test('several holds keep a backup until the last is released, and survive a reopening', async () => {
    expect(await repository.placeHold(holdOf(7))).toEqual(holdOf(7));
    await repository.placeHold(holdOf(8));
    const reopened = await openWorld(world, { passphrase });
    expect(await reopened.heldBackupIds()).toEqual(new Set([backupIdOf(1)]));
    expect((await holdsOf(reopened)).map(({ holdId }) => holdId).sort()).toEqual([backupIdOf(7), backupIdOf(8)]);
    expect(await repository.releaseHold(holdOf(7))).toEqual(holdOf(7));
    await expect(reopened.deleteManifest(backupIdOf(1))).rejects.toMatchObject({ code: 'LEGAL_HOLD' });
    await repository.releaseHold(holdOf(8));
    await reopened.deleteManifest(backupIdOf(1));
    expect(await isStored(repository)).toBe(false);
  });

  test('the same hold again is one hold; a hold of a backup that is not there leaves none', async () => {
    await repository.placeHold(holdOf(7));
    expect(await repository.placeHold({ ...holdOf(7), createdAt: 'later' })).toEqual(holdOf(7));
    await expect(repository.placeHold(holdOf(8, 2))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await holdsOf(repository)).toEqual([holdOf(7)]);
    expect(await repository.releaseHold(holdOf(8))).toBeNull();
    expect((await repository.check({ level: 'DATA' })).findings).toEqual([]);
  });

  test('a damaged hold holds, says that it cannot be read, and can be released', async () => {
    await repository.placeHold(holdOf(7));
    const storage = memoryStorage(world.fs);
    const name = `holds/${backupIdOf(1)}-${backupIdOf(7)}.json`;
    const bytes = await storage.get(name);
    await storage.delete(name);
    await storage.put(name, Buffer.concat([bytes.subarray(0, 20), Buffer.from('x'), bytes.subarray(21)]));
    expect(await holdsOf(repository)).toEqual([
      { ...holdOf(7), reason: null, createdBy: null, createdAt: expect.any(String) as string },
    ]);
    await expect(repository.deleteManifest(backupIdOf(1))).rejects.toMatchObject({ code: 'LEGAL_HOLD' });
    expect((await repository.check({ level: 'STRUCTURE' })).findings).toMatchObject([{ object: name }]);
    await repository.releaseHold(holdOf(7));
    await repository.deleteManifest(backupIdOf(1));
  });
});

test('what a hold says is sealed in an encrypted repository', async () => {
  const world = newWorld();
  const repository = await openWorld(world, { passphrase: 'secret' });
  await takeBackup(repository, 1, ['a']);
  await repository.placeHold(holdOf(7));
  const bytes = await memoryStorage(world.fs).get(`holds/${backupIdOf(1)}-${backupIdOf(7)}.json`);
  expect(bytes.includes('4711')).toBe(false);
});

describe('a hold and a deletion at the same time', () => {
  /** At each step of a deletion a hold is placed by another process: it is placed and the backup stays, or it is refused and leaves nothing. */
  test.each([
    ['before the deletion says that it begins', { call: 'put', matches: /^locks\/shared/ }],
    ['right before the manifest goes', { call: 'delete', matches: /^manifests\// }],
    ['right after the manifest went', { call: 'delete', matches: /^locks\/shared/ }],
  ] as const)('%s', async (_when, step) => {
    const world = newWorld();
    const holder = await openWorld(world);
    await takeBackup(holder, 1, ['a']);
    let placing: Promise<string> | undefined;
    const before = async (): Promise<void> => {
      placing = holder.placeHold(holdOf(7)).then(
        () => 'placed',
        (error: { code: string }) => error.code,
      );
      for (let turn = 0; turn < 200; turn++) await Promise.resolve(); // the hold is written; it may wait for the deletion
    };
    const deleter = await openWorld(world, { storage: new Interrupted(memoryStorage(world.fs), { ...step, before }) });
    const deletion = await deleter.deleteManifest(backupIdOf(1)).then(
      () => 'deleted',
      (error: { code: string }) => error.code,
    );
    const placed = await placing;
    const stored = await isStored(holder);
    expect(stored).toBe(placed === 'placed');
    expect(deletion).toBe(stored ? 'LEGAL_HOLD' : 'deleted');
    if (placed === 'NOT_FOUND') expect(await holdsOf(holder)).toEqual([]);
  });

  test('a replacement that takes itself back, since the backup was deleted, is waited for as well', async () => {
    const world = newWorld();
    const holder = await openWorld(world);
    const first = await takeBackup(holder, 1, ['a']);
    let placing: Promise<unknown> | undefined;
    // The moment at which both generations' fate is open: the next one is written, the first one is gone.
    const storage = new (class extends StorageWrapper {
      override async put(name: string, bytes: Buffer): Promise<void> {
        await super.put(name, bytes);
        if (!name.endsWith('.g2.json')) return;
        await memoryStorage(world.fs).delete(first.name);
        placing = holder.placeHold(holdOf(7)).catch((error: unknown) => error);
        for (let turn = 0; turn < 100; turn++) await Promise.resolve();
      }
    })(memoryStorage(world.fs));
    const session = await (await openWorld(world, { storage })).beginWrite(backupIdOf(1));
    await expect(session.commitNext(first.manifest, first)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await session.abort();
    expect(await placing).toMatchObject({ code: expect.stringMatching(/NOT_FOUND|REPOSITORY_UNAVAILABLE/) as string });
    expect(await isStored(holder)).toBe(false);
  });

  test('a deletion begun while a hold is being placed is refused, although the hold was not yet confirmed', async () => {
    const world = newWorld();
    const rival = await openWorld(world);
    await takeBackup(rival, 1, ['a']);
    let refused: unknown;
    const storage = new (class extends StorageWrapper {
      override async put(name: string, bytes: Buffer): Promise<void> {
        await super.put(name, bytes);
        if (name.startsWith('holds/')) refused = await rival.deleteManifest(backupIdOf(1)).catch((error) => error);
      }
    })(memoryStorage(world.fs));
    await (await openWorld(world, { storage })).placeHold(holdOf(7));
    expect(refused).toMatchObject({ code: 'LEGAL_HOLD' });
    expect(await readBackup(rival, 1)).toHaveLength(1);
  });

  test('a deletion whose machine was suspended deletes nothing when it goes on: a hold may have been placed meanwhile', async () => {
    const world = newWorld();
    const holder = await openWorld(world);
    await takeBackup(holder, 1, ['a']);
    const storage = new (class extends StorageWrapper {
      override async stat(name: string): ReturnType<StorageWrapper['stat']> {
        const found = await super.stat(name);
        if (!name.startsWith('manifests/')) return found;
        world.clock.suspend(HOUR_MS);
        await holder.placeHold(holdOf(7));
        world.clock.advance(0); // its timers run first, and would renew the lease
        await settled();
        return found;
      }
    })(memoryStorage(world.fs));
    const deletion = (await openWorld(world, { storage })).deleteManifest(backupIdOf(1));
    await expect(deletion).rejects.toMatchObject({ code: 'LEASE_LOST', retryable: true });
    expect(await readBackup(holder, 1)).toHaveLength(1);
  });

  test('a deletion that hangs lets no hold be told as placed; once its lease is gone the same hold is', async () => {
    const world = newWorld();
    const holder = await openWorld(world);
    await takeBackup(holder, 1, ['a']);
    let hang = (): void => undefined;
    const before = (): Promise<void> => new Promise((resolve) => (hang = resolve));
    const step = { call: 'delete', matches: /^manifests\//, before } as const;
    const deleter = await openWorld(world, { storage: new Interrupted(memoryStorage(world.fs), step) });
    const deletion = deleter.deleteManifest(backupIdOf(1));
    for (let turn = 0; turn < 200; turn++) await Promise.resolve();
    await expect(holder.placeHold(holdOf(7))).rejects.toMatchObject({
      code: 'REPOSITORY_UNAVAILABLE',
      retryable: true,
    });
    hang();
    await deletion;
    await expect(holder.placeHold(holdOf(7))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

test('a folder that is not the repository has no holds to tell, and takes none', async () => {
  const world = newWorld();
  const repository = await openWorld(world);
  await takeBackup(repository, 1, ['a']);
  await repository.placeHold(holdOf(7));
  const storage = memoryStorage(world.fs);
  for await (const object of storage.list('')) await storage.delete(object.name);
  await expect(holdsOf(repository)).rejects.toThrow();
  await expect(repository.placeHold(holdOf(8))).rejects.toMatchObject({ code: 'REPOSITORY_UNAVAILABLE' });
  await expect(repository.releaseHold(holdOf(7))).rejects.toThrow();
});

/** Of a pack, its index included, beside its chunks. */
const FRAME_BYTES = 1_000;

describe('what a deletion would free', () => {
  interface Freed {
    bytes: number;
    rewrittenPacks: number;
  }

  /** Deletes, and collects until there is nothing more to do. */
  const frees = async (repository: Repository, world: World, deleted: number[]): Promise<Freed> => {
    for (const number of deleted) await repository.deleteManifest(backupIdOf(number));
    const freed: Freed = { bytes: 0, rewrittenPacks: 0 };
    for (let round = 0; round < 4; round++) {
      const { freedBytes, rewrittenBytes, rewrittenPacks } = await repository.collectGarbage({ dryRun: false });
      freed.bytes += freedBytes - rewrittenBytes;
      freed.rewrittenPacks += rewrittenPacks;
      world.clock.advance(HOUR_MS + 1);
    }
    return freed;
  };

  const SMALL_PACKS = { packTargetBytes: 1500, compression: 'none' } as const;

  /** Five backups that share chunks with their neighbours, in small packs of several chunks. */
  const share = async (): Promise<{ world: World; repository: Repository }> => {
    const world = newWorld();
    const repository = await openWorld(world, { ...SMALL_PACKS, seed: 'shared' });
    for (const number of [1, 2, 3, 4, 5]) {
      const labels = [...labelsOf('all ', 3), ...labelsOf(`${number} `, 6), ...labelsOf(`${number - 1} `, 6)];
      await takeBackup(repository, number, [...labels, ...labelsOf(`only ${number} `, 5)]);
    }
    return { world, repository };
  };

  test.each([[[1]], [[3]], [[5]], [[1, 2]], [[2, 4]], [[1, 2, 3, 4]], [[]]])(
    'backups %j of five that share chunks: just what deleting and collecting frees',
    async (deleted) => {
      const { world, repository } = await share();
      const told = await repository.freedBy(deleted.map(backupIdOf));
      const { bytes, rewrittenPacks } = await frees(repository, world, deleted);
      expect(bytes).toBeGreaterThanOrEqual(told.freedBytes);
      expect(bytes - told.freedBytes).toBeLessThanOrEqual(rewrittenPacks * FRAME_BYTES); // nothing where none was rewritten
      if (deleted.length > 0) expect(told.freedBytes).toBeGreaterThan(0);
      expect((await repository.check({ level: 'DATA' })).findings).toEqual([]);
    },
  );

  test('what collections would free in any case is not counted: such as copies beside a pack that was damaged and came back', async () => {
    /** All that it needs was stored once more while its packs were damaged. */
    const mended = async (): Promise<{ world: World; repository: Repository }> => {
      const { world, repository } = await share();
      const storage = memoryStorage(world.fs);
      const sound = new Map<string, Buffer>();
      for await (const { name } of storage.list('packs/')) sound.set(name, await storage.get(name));
      const replaceAll = async (bytesOf: (bytes: Buffer) => Buffer): Promise<void> => {
        for (const name of sound.keys()) await storage.delete(name);
        for (const [name, bytes] of sound) await storage.put(name, bytesOf(bytes));
      };
      await replaceAll((bytes) =>
        Buffer.from(bytes.map((byte, at) => (at % 50 === 49 && at < bytes.length / 2 ? byte ^ 1 : byte))),
      );
      await repository.check({ level: 'DATA' });
      await takeBackup(repository, 6, [...labelsOf('4 ', 6), ...labelsOf('only 4 ', 5)]);
      await replaceAll((bytes) => bytes);
      return { world, repository: await openWorld(world, { ...SMALL_PACKS, seed: 'mended' }) };
    };
    const untouched = await mended();
    const inAnyCase = await frees(untouched.repository, untouched.world, []);
    const { world, repository } = await mended();
    const told = await repository.freedBy([1, 2, 3].map(backupIdOf));
    const { bytes, rewrittenPacks } = await frees(repository, world, [1, 2, 3]);
    expect(inAnyCase.bytes).toBeGreaterThan(FRAME_BYTES);
    const merit = bytes - inAnyCase.bytes;
    expect(merit).toBeGreaterThanOrEqual(told.freedBytes);
    expect(merit - told.freedBytes).toBeLessThanOrEqual(rewrittenPacks * FRAME_BYTES);
  });

  test('dead chunks in packs that others use are told apart', async () => {
    const world = newWorld();
    const repository = await openWorld(world, { compression: 'none' });
    await takeBackup(repository, 1, [...labelsOf('shared', 4), 'alone']); // one pack
    await takeBackup(repository, 2, labelsOf('shared', 4));
    const { freedBytes, deadBytes } = await repository.freedBy([backupIdOf(1)]);
    expect(freedBytes).toBe(0);
    expect(deadBytes).toBeGreaterThan(600);
    expect(await frees(repository, world, [1])).toEqual({ bytes: 0, rewrittenPacks: 0 });
  });

  test('is nothing where no backup would be left: collections delete nothing then', async () => {
    const { world, repository } = await share();
    const all = [1, 2, 3, 4, 5];
    expect(await repository.freedBy(all.map(backupIdOf))).toEqual({ freedBytes: 0, deadBytes: 0 });
    expect(await frees(repository, world, all)).toEqual({ bytes: 0, rewrittenPacks: 0 });
  });

  test('is not told while a manifest cannot be read, and ends when nobody waits for it', async () => {
    const { world, repository } = await share();
    const gone = AbortSignal.abort();
    await expect(repository.freedBy([backupIdOf(1)], gone)).rejects.toMatchObject({ code: 'CANCELLED' });
    const { name } = (await repository.findManifest(backupIdOf(2)))!;
    const storage = memoryStorage(world.fs);
    await storage.delete(name);
    await storage.put(name, Buffer.from('x'));
    await expect(repository.freedBy([backupIdOf(1)])).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
  });
});
