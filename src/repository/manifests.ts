/** Manifests in the storage: found, proven, written once (FORMAT.md, section 9). */
import { AppError, isAppError } from '../domain/errors';
import { isUuid, type BackupId } from '../domain/ids';
import type { LayerRef, Manifest, StoredManifest, ValueIndexRef } from '../domain/manifest';
import { checksumOf } from './json-object';
import { FORMAT_VERSION } from './limits';
import { hasLeaseFor, type Lease, type LeaseDeps } from './leases';
import type { ObjectStore } from './object-store';
import { classify, manifestName } from './object-names';
import { isStorageFault } from './storage/storage';

export interface ManifestObject {
  name: string;
  backupId: BackupId;
  generation: number;
}

/** The purpose of the lease under which a backup's manifest is deleted or replaced: whoever places a hold knows it by that. */
export function manifestPurpose(backupId: BackupId): string {
  return `manifest ${backupId}`;
}

/** All manifest objects, of every generation. Complete, or it throws. */
export async function listManifestObjects(objects: ObjectStore): Promise<ManifestObject[]> {
  const found: ManifestObject[] = [];
  for await (const { name } of objects.storage.list('manifests/')) {
    const parsed = classify(name);
    if (parsed?.kind === 'MANIFEST') found.push({ name, backupId: parsed.backupId, generation: parsed.generation });
  }
  return found;
}

/** The objects that count: of each backup the highest generation. */
export function currentGenerations(found: readonly ManifestObject[]): ManifestObject[] {
  const current = new Map<BackupId, ManifestObject>();
  for (const object of found) {
    const known = current.get(object.backupId);
    if (!known || known.generation < object.generation) current.set(object.backupId, object);
  }
  return [...current.values()];
}

export async function readManifest(objects: ObjectStore, object: ManifestObject): Promise<StoredManifest> {
  const bytes = await objects.storage.get(object.name);
  const manifest = objects.decode(object.name, bytes) as Manifest;
  assertReadable(manifest, object);
  return { name: object.name, checksum: checksumOf(bytes), manifest: withIndexNames(manifest) };
}

/** Programs that indexed foreign keys alone named a layer's indexes after them. */
function withIndexNames(manifest: Manifest): Manifest {
  type AnyLayer = LayerRef & { foreignKeyIndexes?: ValueIndexRef[] };
  const renamed = ({ foreignKeyIndexes, ...layer }: AnyLayer): LayerRef =>
    foreignKeyIndexes === undefined ? layer : { valueIndexes: foreignKeyIndexes, ...layer };
  return { ...manifest, tables: manifest.tables.map((table) => ({ ...table, layers: table.layers.map(renamed) })) };
}

function assertReadable(manifest: Manifest, { name, backupId }: ManifestObject): void {
  const version: number = manifest.formatVersion;
  if (version > FORMAT_VERSION) {
    throw new AppError(
      'FORMAT_TOO_NEW',
      `The manifest "${name}" is of format ${version}; this version reads ${FORMAT_VERSION}.`,
    );
  }
  if (version === FORMAT_VERSION && manifest.backupId === backupId && Array.isArray(manifest.tables)) return;
  throw new AppError('INTEGRITY_FAILURE', `The object "${name}" is not the manifest its name says.`);
}

/**
 * The manifest that counts for the object's backup. One that vanished since it was listed has been replaced by its next generation, or
 * the backup was deleted: then null.
 */
async function readCurrent(objects: ObjectStore, object: ManifestObject): Promise<StoredManifest | null> {
  for (let current: ManifestObject | undefined = object; current;) {
    try {
      return await readManifest(objects, current);
    } catch (error) {
      if (!isStorageFault(error, 'MISSING')) throw error;
    }
    const missing: string = current.name;
    [current] = currentGenerations(await listGenerations(objects, object.backupId));
    if (current?.name === missing) return null;
  }
  return null;
}

export async function listGenerations(objects: ObjectStore, backupId: BackupId): Promise<ManifestObject[]> {
  const found = (await listManifestObjects(objects)).filter((object) => object.backupId === backupId);
  return found.sort((left, right) => left.generation - right.generation);
}

/** Every readable manifest; others go to `onDamaged`. One that vanishes meanwhile was deleted, and is no damage. */
export async function* readManifests(
  objects: ObjectStore,
  onDamaged: (name: string, error: unknown) => void,
): AsyncIterable<StoredManifest> {
  for (const object of currentGenerations(await listManifestObjects(objects))) {
    const stored = await readCurrent(objects, object).catch((error: unknown) => {
      if (isStorageFault(error, 'UNAVAILABLE') || !isAppError(error)) throw error;
      onDamaged(object.name, error);
      return null;
    });
    if (stored) yield stored;
  }
}

export async function findManifest(objects: ObjectStore, backupId: BackupId): Promise<StoredManifest | null> {
  const [current] = currentGenerations(await listGenerations(objects, backupId));
  return current ? readCurrent(objects, current) : null;
}

/** The commit point. CONFLICT when the backup exists already. */
export async function putManifest(objects: ObjectStore, manifest: Manifest, generation = 1): Promise<StoredManifest> {
  if (!isUuid(manifest.backupId)) throw new AppError('INVALID_INPUT', 'A backup id must be a UUID.');
  const name = manifestName(manifest, generation);
  const bytes = await objects.put(name, manifest);
  return { name, checksum: checksumOf(bytes), manifest };
}

export interface Replacement {
  current: StoredManifest;
  lease: Lease;
  /** Called before what it replaces goes; where it throws, that stays. */
  prove: (stored: StoredManifest) => Promise<void>;
}

/**
 * Puts the next generation of a manifest in the place of `current` and removes those below. The commit point is its writing: a crash
 * after it leaves two generations, of which the higher counts.
 *
 * A deletion of the backup may go on at the same time. It looks again after it deleted, and this looks after it wrote: at least one of
 * them sees the other, so that a deleted backup never comes back. `lease` is the one that whoever places a hold waits for (holds.ts), and
 * the proof that `current` went by a deletion alone: nobody removes it as superseded while that lease is in force. Nothing is written
 * where the backup is gone by then.
 */
export async function putNextManifest(
  objects: ObjectStore,
  manifest: Manifest,
  { current, lease, prove }: Replacement,
): Promise<StoredManifest> {
  if ((await listGenerations(objects, manifest.backupId)).length === 0) throw goneMeanwhile(manifest.backupId);
  await lease.assertHeld();
  const generation = generationOf(current.name) + 1;
  const stored = await putManifest(objects, manifest, generation).catch((cause: unknown) => {
    if (!isStorageFault(cause, 'EXISTS')) throw cause;
    const message = `The backup ${manifest.backupId} was replaced by other work meanwhile.`;
    throw new AppError('CONFLICT', message, { cause, retryable: true, hint: 'Try again: it may be done already.' });
  });
  if (!(await isListed(objects, current))) {
    await lease.assertHeld(); // else a collection may have removed it, and this generation is the backup
    await objects.storage.delete(stored.name);
    throw goneMeanwhile(manifest.backupId);
  }
  await prove(stored);
  const found = await listGenerations(objects, manifest.backupId);
  await deleteAll(objects, found.filter((object) => object.generation < generation)); // prettier-ignore
  return stored;
}

async function isListed(objects: ObjectStore, { name, manifest }: StoredManifest): Promise<boolean> {
  return (await listGenerations(objects, manifest.backupId)).some((found) => found.name === name);
}

function goneMeanwhile(backupId: BackupId): AppError {
  return new AppError('NOT_FOUND', `The backup ${backupId} was deleted or replaced meanwhile.`, {
    hint: 'List backups to see what is there.',
  });
}

function generationOf(name: string): number {
  const found = classify(name);
  return found?.kind === 'MANIFEST' ? found.generation : 1;
}

/**
 * Removes the generations below the one that counts, lowest first. Not while a replacement of the manifest goes on, which tells by the one
 * below whether the backup was deleted, and removes it itself: whoever put what counts had its lease before.
 */
export async function removeSuperseded(context: LeaseDeps, backupId: BackupId): Promise<void> {
  const superseded = (await listGenerations(context.objects, backupId)).slice(0, -1);
  if (superseded.length === 0 || (await hasLeaseFor(context, manifestPurpose(backupId)))) return;
  await deleteAll(context.objects, superseded);
}

async function deleteAll(objects: ObjectStore, found: readonly ManifestObject[]): Promise<void> {
  for (const { name } of found) await objects.storage.delete(name);
}

/**
 * Lower generations of all backups. Nobody may read them: a lower generation's chunks may have gone. Under the exclusive lease, beside
 * which nobody replaces a manifest.
 */
export async function removeAllSuperseded(objects: ObjectStore): Promise<void> {
  const found = await listManifestObjects(objects);
  const current = new Set(currentGenerations(found));
  const superseded = found.filter((object) => !current.has(object));
  await deleteAll(objects, superseded.sort((left, right) => left.generation - right.generation)); // prettier-ignore
}
