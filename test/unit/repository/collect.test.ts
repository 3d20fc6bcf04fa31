/** What collections give back beyond packs that nothing needs: packs that are mostly dead, or small and many. */
import { LEASE_RENEWAL_MS } from '../../../src/repository/limits';
import type { Repository } from '../../../src/repository/repository';
import { settled } from '../../support/fake-clock';
import { flipped } from '../../support/repository-faults';
import {
  arePayloadsOf, backupIdOf, HOUR_MS, labelsOf, manifestOf, memoryStorage, newWorld, openWorld, payloadOf, readBackup, tableOf, takeBackup,
  type World,
} from '../../support/repository-fixtures'; // prettier-ignore

const FIRST = labelsOf('first', 9);
const SECOND = ['first0', ...labelsOf('second', 4)];

const packsOf = ({ fs }: World): string[] => fs.files('/repo/packs');
const bytesOf = (world: World): number =>
  packsOf(world).reduce((sum, path) => sum + world.fs.contentOf(path).length, 0);
const collect = (repository: Repository) => repository.collectGarbage({ dryRun: false });

/** One pack with nine chunks and their page, of which a second backup needs a single chunk; the first backup is gone. */
async function mostlyDead(passphrase?: string): Promise<{ world: World; repository: Repository; old: string }> {
  const world = newWorld();
  const repository = await openWorld(world, { passphrase });
  await takeBackup(repository, 1, FIRST);
  const [old] = packsOf(world);
  await takeBackup(repository, 2, SECOND);
  await repository.deleteManifest(backupIdOf(1));
  return { world, repository, old: old as string };
}

/** Adds to a running backup what is needed to refer to these labels, and commits it. */
async function commitWith(session: Awaited<ReturnType<Repository['beginWrite']>>, number: number, label: string) {
  const layer = session.buildLayer('BASE');
  const payload = payloadOf(label);
  const { id } = await session.putChunk(payload);
  const key = Buffer.from(label);
  await layer.add({ id, rowCount: 1, rawBytes: payload.length, firstKey: key, lastKey: key });
  await session.commit(manifestOf(backupIdOf(number), [tableOf('risk_assessments', await layer.finish())]));
}

describe.each([
  ['plain', undefined],
  ['encrypted', 'correct horse'],
])('a pack of which little is needed, %s', (_, passphrase) => {
  test('is rewritten, waits for its grace period, and goes', async () => {
    const { world, repository, old } = await mostlyDead(passphrase);
    const before = bytesOf(world);
    expect(await repository.collectGarbage({ dryRun: true })).toMatchObject({ rewrittenPacks: 1, deletedPacks: 0 });
    const report = await collect(repository);
    expect(report).toMatchObject({ rewrittenPacks: 1, deletedPacks: 0, waitingPacks: 1, damagedPacks: [] });
    expect(report.rewrittenBytes).toBeGreaterThan(0);
    expect(packsOf(world)).toContain(old);
    world.clock.advance(HOUR_MS);
    expect(await collect(repository)).toMatchObject({ rewrittenPacks: 0, deletedPacks: 1, waitingPacks: 0 });
    expect(packsOf(world)).not.toContain(old);
    expect(bytesOf(world)).toBeLessThan(before * 0.6);
    const other = await openWorld(world, { passphrase });
    expect(arePayloadsOf(await readBackup(other, 2), SECOND)).toBe(true);
    expect((await other.check({ level: 'DATA' })).findings).toEqual([]);
    expect(await collect(repository)).toMatchObject({ rewrittenPacks: 0, deletedPacks: 0, waitingPacks: 0 });
  });
});

test('a pack of which more than half is needed stays as it is', async () => {
  const world = newWorld();
  const repository = await openWorld(world);
  await takeBackup(repository, 1, FIRST);
  await takeBackup(repository, 2, FIRST.slice(0, 7));
  await repository.deleteManifest(backupIdOf(1));
  expect(await collect(repository)).toMatchObject({ rewrittenPacks: 0, waitingPacks: 0 });
});

test('many small packs are joined into one', async () => {
  const world = newWorld();
  const repository = await openWorld(world, { gracePeriodMs: 0 });
  for (let number = 1; number <= 15; number++) await takeBackup(repository, number, [`small${number}`]);
  expect(await collect(repository)).toMatchObject({ rewrittenPacks: 0 });
  await takeBackup(repository, 16, ['small16']);
  expect(await collect(repository)).toMatchObject({ rewrittenPacks: 16 });
  expect(await collect(repository)).toMatchObject({ rewrittenPacks: 0, deletedPacks: 16 });
  expect(packsOf(world)).toHaveLength(1);
  const other = await openWorld(world);
  for (let number = 1; number <= 16; number++) {
    expect(arePayloadsOf(await readBackup(other, number), [`small${number}`])).toBe(true);
  }
});

test('a pack with a needed chunk that cannot be read is left alone and named', async () => {
  const { world, repository, old } = await mostlyDead();
  const bytes = world.fs.contentOf(old);
  world.fs.overwrite(old, flipped(bytes, 40)); // within the first chunk, which the second backup needs
  const report = await collect(repository);
  expect(report).toMatchObject({ rewrittenPacks: 0, waitingPacks: 0, damagedPacks: [old.replace('/repo/', '')] });
  world.clock.advance(HOUR_MS);
  await collect(repository);
  world.fs.overwrite(old, bytes); // e.g. from a copy of the repository
  const other = await openWorld(world);
  expect(arePayloadsOf(await readBackup(other, 2), SECOND)).toBe(true);
});

test('a rewritten pack stays where what was copied from it does not read any more', async () => {
  const { world, repository, old } = await mostlyDead();
  const before = new Set(packsOf(world));
  await collect(repository);
  const [copy] = packsOf(world).filter((path) => !before.has(path));
  world.fs.overwrite(copy as string, flipped(world.fs.contentOf(copy as string), 40));
  world.clock.advance(HOUR_MS);
  const other = await openWorld(world);
  expect(await collect(other)).toMatchObject({ deletedPacks: 0, rewrittenPacks: 1 });
  expect(packsOf(world)).toContain(old);
  expect(arePayloadsOf(await readBackup(await openWorld(world), 2), SECOND)).toBe(true);
  for (let round = 0; round < 3; round++) {
    world.clock.advance(HOUR_MS);
    await collect(await openWorld(world));
  }
  const last = await openWorld(world);
  expect(packsOf(world)).not.toContain(copy);
  expect((await last.check({ level: 'DATA' })).findings).toEqual([]);
  expect(arePayloadsOf(await readBackup(last, 2), SECOND)).toBe(true);
});

test('a running backup that relies on a chunk that was dead when its pack was rewritten keeps the pack', async () => {
  const { world, repository, old } = await mostlyDead();
  const running = await (await openWorld(world)).beginWrite(backupIdOf(3));
  expect(await running.putChunk(payloadOf('first5'))).toMatchObject({ storedBytes: 0 });
  expect(await collect(repository)).toMatchObject({ rewrittenPacks: 1 });
  for (let passedMs = 0; passedMs < HOUR_MS; passedMs += LEASE_RENEWAL_MS) {
    world.clock.advance(LEASE_RENEWAL_MS);
    await settled();
  }
  expect(await collect(repository)).toMatchObject({
    deletedPacks: 0,
    postponed: expect.stringContaining('Other work'),
  });
  await commitWith(running, 3, 'first5');
  expect(await collect(repository)).toMatchObject({ deletedPacks: 0 });
  expect(packsOf(world)).toContain(old);
  expect(arePayloadsOf(await readBackup(await openWorld(world), 3), ['first5'])).toBe(true);
});

test('a reader that knows only the old pack finds its chunks after it went', async () => {
  const { world, repository } = await mostlyDead();
  const reader = await openWorld(world);
  await readBackup(reader, 2);
  await collect(repository);
  world.clock.advance(HOUR_MS);
  expect(await collect(repository)).toMatchObject({ deletedPacks: 1 });
  expect(arePayloadsOf(await readBackup(reader, 2), SECOND)).toBe(true);
});

test('two collections at once copy twice, lose nothing, and leave one copy in the end', async () => {
  const { world, repository } = await mostlyDead();
  const other = await openWorld(world);
  await Promise.all([collect(repository), collect(other)]);
  for (let round = 0; round < 3; round++) {
    world.clock.advance(HOUR_MS);
    await Promise.all([collect(repository), collect(other)]);
  }
  world.clock.advance(HOUR_MS);
  await collect(repository);
  expect(packsOf(world)).toHaveLength(2);
  expect(arePayloadsOf(await readBackup(await openWorld(world), 2), SECOND)).toBe(true);
});

test('a pack that was needed again for a while has its whole grace period once more', async () => {
  const world = newWorld();
  const repository = await openWorld(world);
  await takeBackup(repository, 1, FIRST);
  await takeBackup(repository, 2, ['other']);
  await takeBackup(repository, 3, ['third']);
  await repository.deleteManifest(backupIdOf(1));
  await repository.deleteManifest(backupIdOf(3));
  expect(await collect(repository)).toMatchObject({ waitingPacks: 2 });
  await takeBackup(repository, 4, FIRST);
  world.clock.advance(HOUR_MS / 2);
  expect(await collect(repository)).toMatchObject({ waitingPacks: 1 });
  await repository.deleteManifest(backupIdOf(4));
  world.clock.advance(HOUR_MS / 2);
  expect(await collect(repository)).toMatchObject({ deletedPacks: 1, waitingPacks: 1 });
});

test('a pack that was marked by a clock a year ahead waits its grace period, not a year', async () => {
  const world = newWorld();
  const repository = await openWorld(world);
  await takeBackup(repository, 1, FIRST);
  await takeBackup(repository, 2, ['other']);
  await repository.deleteManifest(backupIdOf(1));
  const ahead = await openWorld({ ...world, clock: world.clock.shifted(365 * 24 * HOUR_MS) });
  expect(await collect(ahead)).toMatchObject({ deletedPacks: 0, waitingPacks: 1 });
  expect(await collect(repository)).toMatchObject({ deletedPacks: 0, waitingPacks: 1 });
  world.clock.advance(HOUR_MS);
  expect(await collect(repository)).toMatchObject({ deletedPacks: 1, waitingPacks: 0 });
  expect(world.fs.files('/repo/marks')).toEqual([]);
});

test('a damaged mark goes with the next collection, so that checks find nothing any more', async () => {
  const { world, repository } = await mostlyDead();
  await collect(repository);
  const [mark = ''] = world.fs.files('/repo/marks');
  world.fs.overwrite(mark, Buffer.from('damaged'));
  expect((await repository.check({ level: 'STRUCTURE' })).findings).toHaveLength(1);
  expect(await collect(repository)).toMatchObject({ waitingPacks: 1 });
  expect((await repository.check({ level: 'STRUCTURE' })).findings).toEqual([]);
  world.clock.advance(HOUR_MS);
  expect(await collect(repository)).toMatchObject({ deletedPacks: 1 });
});

test('where not all copies fit, those that fit are made', async () => {
  const world = newWorld();
  const repository = await openWorld(world, { packTargetBytes: 40_000 });
  await takeBackup(repository, 1, labelsOf('large', 40));
  await takeBackup(repository, 2, labelsOf('small', 5));
  await takeBackup(repository, 3, [...labelsOf('large', 12), 'small0', 'small1']);
  for (const number of [1, 2]) await repository.deleteManifest(backupIdOf(number));
  expect(await repository.collectGarbage({ dryRun: true })).toMatchObject({ rewrittenPacks: 2 });
  world.fs.room = 5_000;
  expect(await collect(repository)).toMatchObject({ rewrittenPacks: 1 });
});

test('nothing is rewritten where the copies would take the room that backups need', async () => {
  const { world, repository } = await mostlyDead();
  world.fs.room = 1000;
  const before = packsOf(world);
  expect(await collect(repository)).toMatchObject({ rewrittenPacks: 0 });
  expect(packsOf(world)).toEqual(before);
});

test('of a chunk that two backups stored at once one copy stays', async () => {
  const world = newWorld();
  const [one, other] = [await openWorld(world, { gracePeriodMs: 0 }), await openWorld(world, { gracePeriodMs: 0 })];
  const sessions = [await one.beginWrite(backupIdOf(1)), await other.beginWrite(backupIdOf(2))] as const;
  await Promise.all([commitWith(sessions[0], 1, 'same'), commitWith(sessions[1], 2, 'same')]);
  expect(packsOf(world)).toHaveLength(2);
  expect(await collect(one)).toMatchObject({ waitingPacks: 1 });
  expect(await collect(one)).toMatchObject({ deletedPacks: 1 });
  const last = await openWorld(world);
  for (const number of [1, 2]) expect(arePayloadsOf(await readBackup(last, number), ['same'])).toBe(true);
});

test('an aborted backup that stored a damaged chunk anew leaves the copy to those who need it', async () => {
  const world = newWorld();
  const repository = await openWorld(world, { packTargetBytes: 300 });
  await takeBackup(repository, 1, ['needed']);
  for (const path of packsOf(world)) {
    const bytes = world.fs.contentOf(path);
    if (bytes.length > 400) world.fs.overwrite(path, flipped(bytes, 40));
  }
  await expect(readBackup(repository, 1)).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
  const session = await repository.beginWrite(backupIdOf(2));
  expect((await session.putChunk(payloadOf('needed'))).storedBytes).toBeGreaterThan(0);
  await session.abort();
  expect(arePayloadsOf(await readBackup(await openWorld(world), 1), ['needed'])).toBe(true);
});

test('an empty listing of manifests rewrites nothing either', async () => {
  const { world, repository } = await mostlyDead();
  for (const path of world.fs.files('/repo/manifests'))
    await memoryStorage(world.fs).delete(path.replace('/repo/', ''));
  expect(await collect(repository)).toMatchObject({ deletedPacks: 0, waitingPacks: 0, rewrittenPacks: 0 });
});
