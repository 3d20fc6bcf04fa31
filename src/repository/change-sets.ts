/** Change sets in the storage: found, proven, written once, removed when they have expired (FORMAT.md, section 9). */
import type { Clock } from '../domain/ambient';
import type { ChangeSet, ChangeSetTable, RowListRef, StoredChangeSet } from '../domain/change-set';
import { AppError, isAppError } from '../domain/errors';
import { isUuid, type ChangeSetId } from '../domain/ids';
import type { ChunkId } from '../domain/manifest';
import { checksumOf } from './json-object';
import { FORMAT_VERSION } from './limits';
import { changeSetName, classify } from './object-names';
import type { ObjectStore } from './object-store';
import { isStorageFault } from './storage/storage';

interface ChangeSetObject {
  name: string;
  changeSetId: ChangeSetId;
}

/** Complete, or it throws. */
async function listObjects(objects: ObjectStore): Promise<ChangeSetObject[]> {
  const found: ChangeSetObject[] = [];
  for await (const { name } of objects.storage.list('changes/')) {
    const parsed = classify(name);
    if (parsed?.kind === 'CHANGE_SET') found.push({ name, changeSetId: parsed.changeSetId });
  }
  return found;
}

/** Null for one that vanished since it was listed: it had expired, or its job wrote it anew. */
async function readChangeSet(objects: ObjectStore, object: ChangeSetObject): Promise<StoredChangeSet | null> {
  try {
    const bytes = await objects.storage.get(object.name);
    const changeSet = objects.decode(object.name, bytes) as ChangeSet;
    assertReadable(changeSet, object);
    return { name: object.name, hash: checksumOf(bytes), changeSet };
  } catch (error) {
    if (isStorageFault(error, 'MISSING')) return null;
    throw error;
  }
}

function assertReadable(changeSet: ChangeSet, { name, changeSetId }: ChangeSetObject): void {
  const version: number = changeSet.formatVersion;
  if (version > FORMAT_VERSION) {
    const message = `The change set "${name}" is of format ${version}; this version reads ${FORMAT_VERSION}.`;
    throw new AppError('FORMAT_TOO_NEW', message);
  }
  if (version === FORMAT_VERSION && changeSet.changeSetId === changeSetId && Array.isArray(changeSet.tables)) return;
  throw new AppError('INTEGRITY_FAILURE', `The object "${name}" is not the change set its name says.`);
}

/** Every readable change set; others go to `onDamaged`. */
export async function* readChangeSets(
  objects: ObjectStore,
  onDamaged: (name: string, error: unknown) => void,
): AsyncIterable<StoredChangeSet> {
  for (const object of await listObjects(objects)) {
    const stored = await readChangeSet(objects, object).catch((error: unknown) => {
      if (isStorageFault(error, 'UNAVAILABLE') || !isAppError(error)) throw error;
      onDamaged(object.name, error);
      return null;
    });
    if (stored) yield stored;
  }
}

export async function findChangeSet(objects: ObjectStore, id: ChangeSetId): Promise<StoredChangeSet | null> {
  for (const object of await listObjects(objects)) {
    const stored = object.changeSetId === id ? await readChangeSet(objects, object) : null;
    if (stored) return stored;
  }
  return null;
}

/** From then on the change set exists. CONFLICT where there is one of this id. */
export async function putChangeSet(objects: ObjectStore, changeSet: ChangeSet): Promise<StoredChangeSet> {
  const { changeSetId } = changeSet;
  if (!isUuid(changeSetId)) throw new AppError('INVALID_INPUT', "A change set's id must be a UUID.");
  const found = await listObjects(objects);
  if (found.some((object) => object.changeSetId === changeSetId)) {
    throw new AppError('CONFLICT', `The repository has the change set ${changeSetId} already.`);
  }
  const name = changeSetName(changeSet);
  return { name, hash: checksumOf(await objects.put(name, changeSet)), changeSet };
}

/** Idempotent. */
export async function deleteChangeSet(objects: ObjectStore, id: ChangeSetId): Promise<void> {
  for (const { name, changeSetId } of await listObjects(objects)) {
    if (changeSetId === id) await objects.storage.delete(name);
  }
}

export function hasExpired({ expiresAt }: ChangeSet, clock: Pick<Clock, 'now'>): boolean {
  return Date.parse(expiresAt) <= clock.now().getTime();
}

/** Those in force, each read; one that cannot be read goes to `stop`, which throws. */
export async function* livingChangeSets(
  { objects, clock }: { objects: ObjectStore; clock: Pick<Clock, 'now'> },
  stop: (name: string, cause: unknown) => never,
): AsyncIterable<StoredChangeSet> {
  for await (const stored of readChangeSets(objects, stop)) if (!hasExpired(stored.changeSet, clock)) yield stored;
}

/** Removes those that have expired; one that cannot be read goes to `stop`, which throws. */
export async function removeExpiredChangeSets(
  { objects, clock }: { objects: ObjectStore; clock: Pick<Clock, 'now'> },
  stop: (name: string, cause: unknown) => never,
): Promise<void> {
  for await (const { name, changeSet } of readChangeSets(objects, stop)) {
    if (hasExpired(changeSet, clock)) await objects.storage.delete(name);
  }
}

function listsOf({ deletes, updates, inserts, conflicts }: ChangeSetTable): RowListRef[] {
  const inConflict = conflicts ? [conflicts.undamaged, conflicts.damaged, conflicts.live] : [];
  return [deletes, updates.before, updates.after, inserts, ...inConflict];
}

/** Roots of all trees that the change set refers to. */
export function rootsOf({ tables }: Pick<ChangeSet, 'tables'>): ChunkId[] {
  return tables.flatMap((table) =>
    [...listsOf(table), ...(table.load?.layers ?? [])].flatMap(({ root }) => root ?? []),
  );
}
