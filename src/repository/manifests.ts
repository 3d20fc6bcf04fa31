/** Manifests in the storage: found, proven, written once, deleted lowest generation first (FORMAT.md, section 9). */
import { createHash } from 'node:crypto';
import type { BackupDeletion } from '../domain/backup-store';
import { AppError, isAppError } from '../domain/errors';
import { isUuid, type BackupId } from '../domain/ids';
import type { Manifest, StoredManifest } from '../domain/manifest';
import { FORMAT_VERSION } from './limits';
import type { ObjectStore } from './object-store';
import { classify, manifestName } from './object-names';
import { isStorageFault } from './storage/storage';

export interface ManifestObject {
  name: string;
  backupId: BackupId;
  generation: number;
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
  return { name: object.name, checksum: checksumOf(bytes), manifest };
}

function checksumOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
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

/** Every readable manifest; others go to `onDamaged`. One that vanishes meanwhile was deleted, and is no damage. */
export async function* readManifests(
  objects: ObjectStore,
  onDamaged: (name: string, error: unknown) => void,
): AsyncIterable<StoredManifest> {
  for (const object of currentGenerations(await listManifestObjects(objects))) {
    const stored = await readManifest(objects, object).catch((error: unknown) => {
      if (isStorageFault(error, 'UNAVAILABLE') || !isAppError(error)) throw error;
      if (!isStorageFault(error, 'MISSING')) onDamaged(object.name, error);
      return null;
    });
    if (stored) yield stored;
  }
}

export async function findManifest(objects: ObjectStore, backupId: BackupId): Promise<StoredManifest | null> {
  const found = (await listManifestObjects(objects)).filter((object) => object.backupId === backupId);
  const [current] = currentGenerations(found);
  if (!current) return null;
  try {
    return await readManifest(objects, current);
  } catch (error) {
    if (isStorageFault(error, 'MISSING')) return null;
    throw error;
  }
}

/** The commit point. CONFLICT when the backup exists already. */
export async function putManifest(objects: ObjectStore, manifest: Manifest): Promise<StoredManifest> {
  if (!isUuid(manifest.backupId)) throw new AppError('INVALID_INPUT', 'A backup id must be a UUID.');
  const name = manifestName(manifest);
  const bytes = await objects.put(name, manifest);
  return { name, checksum: checksumOf(bytes), manifest };
}

/** Deletes backups by one listing, however many they are. */
export class ManifestDeletion implements BackupDeletion {
  private constructor(
    private readonly objects: ObjectStore,
    private readonly found: ReadonlyMap<BackupId, ManifestObject[]>,
  ) {}

  static async begin(objects: ObjectStore): Promise<ManifestDeletion> {
    const found = new Map<BackupId, ManifestObject[]>();
    for (const object of await listManifestObjects(objects)) {
      found.set(object.backupId, [...(found.get(object.backupId) ?? []), object]);
    }
    return new ManifestDeletion(objects, found);
  }

  /** Removes every generation, lowest first, so that an older one never comes back. Resolves also when there is none. */
  async delete(backupId: BackupId): Promise<void> {
    await assertNoHold(this.objects, backupId);
    const objects = [...(this.found.get(backupId) ?? [])];
    for (const { name } of objects.sort((left, right) => left.generation - right.generation)) {
      await this.objects.storage.delete(name);
    }
  }
}

/** Backups that a legal hold keeps; told by the names alone, so that a damaged hold holds as well. */
export async function heldBackupIds(objects: ObjectStore): Promise<Set<BackupId>> {
  const held = new Set<BackupId>();
  for await (const { name } of objects.storage.list('holds/')) {
    const parsed = classify(name);
    if (parsed?.kind === 'HOLD') held.add(parsed.backupId);
  }
  return held;
}

async function assertNoHold(objects: ObjectStore, backupId: BackupId): Promise<void> {
  if (!(await heldBackupIds(objects)).has(backupId)) return;
  throw new AppError('LEGAL_HOLD', `A legal hold keeps the backup ${backupId}.`, { hint: 'Release the hold first.' });
}
