/**
 * Legal holds (FORMAT.md, section 10): placed, listed, released. A hold is in force by its name alone, so one that is damaged holds too.
 *
 * Placing and deleting both write before they look: a deletion its lease, a hold itself. So either the deletion sees the hold and stops,
 * or the hold waits for the deletion's end and then sees whether the manifest is still there. Replacing a manifest takes the same lease,
 * since it takes itself back where the backup was deleted meanwhile.
 */
import { AppError, isAppError } from '../domain/errors';
import type { BackupId, HoldId } from '../domain/ids';
import type { LegalHold } from '../domain/legal-hold';
import type { RepositoryContext } from './context';
import { hasLeaseFor } from './leases';
import { HOLD_PATIENCE_MS, LEASE_RETRY_MS } from './limits';
import { listManifestObjects, manifestPurpose } from './manifests';
import { classify, CONFIG_NAME, holdName } from './object-names';
import type { ObjectStore } from './object-store';
import { isStorageFault } from './storage/storage';

export interface HoldIdentity {
  backupId: BackupId;
  holdId: HoldId;
}

interface HoldObject extends HoldIdentity {
  name: string;
}

/** All hold objects; complete, or it throws. */
export async function listHoldObjects(objects: ObjectStore): Promise<HoldObject[]> {
  const found: HoldObject[] = [];
  for await (const { name } of objects.storage.list('holds/')) {
    const parsed = classify(name);
    if (parsed?.kind === 'HOLD') found.push({ name, backupId: parsed.backupId, holdId: parsed.holdId });
  }
  await assertPresent(objects);
  return found;
}

/** Backups that a hold keeps, told by names alone. */
export async function heldBackupIds(objects: ObjectStore): Promise<Set<BackupId>> {
  return new Set((await listHoldObjects(objects)).map(({ backupId }) => backupId));
}

/** Every hold in force. What can't be read of one is null. */
export async function* readHolds(context: RepositoryContext): AsyncIterable<LegalHold> {
  for (const object of await listHoldObjects(context.objects)) {
    const hold = await readHold(context, object);
    if (hold) yield hold;
  }
}

/** Null when it is gone by now. */
async function readHold({ objects, log }: RepositoryContext, object: HoldObject): Promise<LegalHold | null> {
  const { name, backupId, holdId } = object;
  try {
    const hold = (await objects.get(name)) as LegalHold;
    if (hold.holdId === holdId && hold.backupId === backupId) return hold;
    throw new AppError('INTEGRITY_FAILURE', `The object "${name}" is not the hold its name says.`);
  } catch (error) {
    if (isStorageFault(error, 'MISSING')) return null;
    if (isStorageFault(error, 'UNAVAILABLE') || !isAppError(error)) throw error;
    log.warn('A legal hold cannot be read; it holds all the same', { object: name, error });
    const stat = await objects.storage.stat(name);
    return stat && { holdId, backupId, reason: null, createdBy: null, createdAt: stat.modifiedAt.toISOString() };
  }
}

/**
 * From its return on no deletion of the backup succeeds. The same hold again is answered with the one that stands. NOT_FOUND for a
 * backup without a manifest; then no hold of it is left.
 */
export async function placeHold(context: RepositoryContext, hold: LegalHold): Promise<LegalHold> {
  const { objects } = context;
  const name = holdName(hold);
  await assertStored(objects, hold.backupId);
  await putUnlessThere(objects, name, hold);
  await waitForDeletion(context, hold.backupId);
  try {
    await assertStored(objects, hold.backupId);
  } catch (error) {
    if (isAppError(error) && error.code === 'NOT_FOUND') await objects.storage.delete(name);
    throw error;
  }
  const placed = await readHold(context, { ...hold, name });
  if (placed) return placed;
  throw new AppError('CONFLICT', 'The hold was released while it was being placed.');
}

async function assertStored(objects: ObjectStore, backupId: BackupId): Promise<void> {
  const found = await listManifestObjects(objects);
  if (found.some((object) => object.backupId === backupId)) return;
  await assertPresent(objects);
  throw new AppError('NOT_FOUND', 'The repository has no such backup.');
}

async function putUnlessThere(objects: ObjectStore, name: string, hold: LegalHold): Promise<void> {
  try {
    await objects.put(name, hold);
  } catch (error) {
    if (!isStorageFault(error, 'EXISTS')) throw error;
  }
}

/** A deletion is short, unless it hangs. Then the hold stays, on the safe side, but is not told as placed in time. */
async function waitForDeletion(context: RepositoryContext, backupId: BackupId): Promise<void> {
  const { clock } = context;
  for (const deadline = clock.monotonicMs() + HOLD_PATIENCE_MS; clock.monotonicMs() < deadline;) {
    if (!(await hasLeaseFor(context, manifestPurpose(backupId)))) return;
    await clock.sleep(LEASE_RETRY_MS);
  }
  throw new AppError('REPOSITORY_UNAVAILABLE', 'A deletion of the backup is under way and has not ended.', {
    retryable: true,
    hint: 'Repeat it with the same idempotencyKey: the hold is written and stops later deletions, but may have come too late.',
  });
}

/** The hold that went; null where there was none. */
export async function releaseHold(context: RepositoryContext, hold: HoldIdentity): Promise<LegalHold | null> {
  const { objects } = context;
  const name = holdName(hold);
  const found = await readHold(context, { ...hold, name });
  if (found) await objects.storage.delete(name);
  else await assertPresent(objects);
  return found;
}

/** The folder of a disk that is not mounted lists nothing, and holds nothing of what it is asked for. */
async function assertPresent({ storage }: ObjectStore): Promise<void> {
  if (await storage.stat(CONFIG_NAME)) return;
  throw new AppError('REPOSITORY_UNAVAILABLE', 'The repository is not where it was.', {
    retryable: true,
    hint: 'See that its disk is mounted.',
  });
}
