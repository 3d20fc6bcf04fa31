/**
 * Stops the process, the power or the room at every single step of disk I/O of writing, deleting and collecting. Whatever was told to
 * exist exists and checks clean; what was not is garbage that goes in the end.
 */
import { isAppError } from '../../src/domain/errors';
import type { HoldId } from '../../src/domain/ids';
import {
  collect,
  crashEverywhere,
  drop,
  forget,
  keep,
  passGrace,
  replace,
  take,
  type Deed,
  type Proof,
} from '../support/repository-crash';
import { backupIdOf, labelsOf } from '../support/repository-fixtures';

const PACK_BYTES = 4000;
const FIRST = labelsOf('first', 9);
/** Needs a part of what the first backup stored, so that deleting the first leaves packs mostly dead. */
const SECOND = [...labelsOf('first', 4), ...labelsOf('second', 6)];
const LONG = process.env['LONG'] === '1';

jest.setTimeout(LONG ? 1_800_000 : 120_000);

/** From the hold's placing on a deletion of the backup is refused; then the hold is released. */
function holdFor(number: number, meanwhile: Deed): Deed {
  const hold = { holdId: backupIdOf(77) as string as HoldId, backupId: backupIdOf(number) };
  return async (stage) => {
    const { repository, known } = stage;
    const whole = known.committed.get(number) as Proof;
    await repository.placeHold({ ...hold, reason: 'x', createdBy: 'test', createdAt: '2026-11-22T19:45:00.000Z' });
    known.committed.set(number, async (later) => {
      expect(await later.heldBackupIds()).toContain(hold.backupId);
      await whole(later);
    });
    await meanwhile(stage);
    known.committed.set(number, whole);
    await repository.releaseHold(hold);
  };
}

const refusedDeletion: Deed = async ({ repository }) => {
  const error: unknown = await repository.deleteManifest(backupIdOf(1)).catch((reason: unknown) => reason);
  if (isAppError(error) && error.code === 'LEGAL_HOLD') return;
  throw error instanceof Error ? error : new Error('a held backup was deleted');
};

test('initializing and the first backup', async () => {
  const deeds = [take(1, FIRST)];
  expect(await crashEverywhere({ deeds, packTargetBytes: PACK_BYTES })).toBeGreaterThan(40);
});

test('a second backup that shares chunks with the first', async () => {
  const before = [take(1, FIRST)];
  expect(await crashEverywhere({ before, deeds: [take(2, SECOND)], packTargetBytes: PACK_BYTES })).toBeGreaterThan(40);
});

test('placing a hold, a deletion that it refuses, releasing it, and a deletion', async () => {
  const deeds = [holdFor(1, refusedDeletion), drop(1)];
  const stride = LONG ? 1 : 3;
  expect(
    await crashEverywhere({ before: [take(1, FIRST)], deeds, packTargetBytes: PACK_BYTES, stride }),
  ).toBeGreaterThan(20);
});

test('deleting a backup, marking its packs and rewriting those that another needs in part', async () => {
  const before = [take(1, FIRST), take(2, SECOND)];
  const deeds = [drop(1), collect];
  expect(await crashEverywhere({ before, deeds, packTargetBytes: PACK_BYTES })).toBeGreaterThan(40);
});

test('sweeping packs that nothing needs, and packs that were rewritten', async () => {
  const before = [take(1, FIRST), take(2, SECOND), drop(1), collect, passGrace];
  expect(await crashEverywhere({ before, deeds: [collect], packTargetBytes: PACK_BYTES })).toBeGreaterThan(40);
});

test('joining the packs of many small backups', async () => {
  const before = Array.from({ length: 17 }, (_, number) => take(number + 1, [`small${number}`]));
  expect(
    await crashEverywhere({ before, deeds: [collect, passGrace, collect], stride: LONG ? 1 : 29 }),
  ).toBeGreaterThan(40);
});

test('replacing a backup by its next generation, twice, and collecting what the first one needed', async () => {
  const before = [take(1, FIRST), replace(1, SECOND)];
  const deeds = [replace(1, labelsOf('third', 6)), collect];
  const stride = LONG ? 1 : 5;
  expect(await crashEverywhere({ before, deeds, stride, packTargetBytes: PACK_BYTES })).toBeGreaterThan(40);
});

test('deleting a backup that was replaced', async () => {
  const before = [take(1, FIRST), take(2, SECOND), replace(1, SECOND)];
  expect(await crashEverywhere({ before, deeds: [drop(1)], packTargetBytes: PACK_BYTES })).toBeGreaterThan(3);
});

test('keeping a change set that shares rows with a backup, deleting the backup, and collecting', async () => {
  const deeds = [keep(1, SECOND), drop(1), collect];
  const stride = LONG ? 1 : 5;
  expect(
    await crashEverywhere({ before: [take(1, FIRST)], deeds, stride, packTargetBytes: PACK_BYTES }),
  ).toBeGreaterThan(40);
});

test('deleting a change set, keeping another under its id, and collecting what has expired', async () => {
  const before = [take(1, FIRST), keep(1, SECOND)];
  const deeds = [forget(1), keep(2, SECOND), collect];
  const stride = LONG ? 1 : 5;
  expect(await crashEverywhere({ before, deeds, stride, packTargetBytes: PACK_BYTES })).toBeGreaterThan(40);
});
