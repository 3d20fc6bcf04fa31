/**
 * Deletion of backups: their manifests, every generation, lowest first, so that an older one never comes back. Each under a shared lease
 * of its own, which tells whoever places a hold on that backup meanwhile to wait (holds.ts).
 */
import type { BackupDeletion, StoreWait } from '../domain/backup-store';
import { AppError } from '../domain/errors';
import type { BackupId } from '../domain/ids';
import type { RepositoryContext } from './context';
import { heldBackupIds } from './holds';
import { withLease, type Lease } from './leases';
import { listGenerations, listManifestObjects, manifestPurpose, type ManifestObject } from './manifests';

/** Deletes backups by one listing, however many they are. */
export class ManifestDeletion implements BackupDeletion {
  private constructor(
    private readonly context: RepositoryContext,
    /** What was listed of backups that are not deleted yet. */
    private readonly found: Map<BackupId, ManifestObject[]>,
    private readonly wait: StoreWait,
  ) {}

  static async begin(context: RepositoryContext, wait: StoreWait = {}): Promise<ManifestDeletion> {
    const found = new Map<BackupId, ManifestObject[]>();
    for (const object of await listManifestObjects(context.objects)) {
      found.set(object.backupId, [...(found.get(object.backupId) ?? []), object]);
    }
    return new ManifestDeletion(context, found, wait);
  }

  /** Those generations too that came since the listing. Resolves also when there is none. LEGAL_HOLD where a hold is in force. */
  async delete(backupId: BackupId): Promise<void> {
    await this.assertNoHold(backupId);
    if (!this.found.has(backupId)) return;
    const request = { ...this.wait, kind: 'SHARED', purpose: manifestPurpose(backupId) } as const;
    await withLease(this.context, request, async (lease) => {
      await this.assertNoHold(backupId); // once: half a deletion would leave a replacement that takes itself back
      await this.deleteAll(await this.generations(backupId), lease);
    });
    this.found.delete(backupId);
  }

  /** Lowest first. Where the listing is so old that its highest one was replaced meanwhile, from a new listing. */
  private async generations(backupId: BackupId): Promise<ManifestObject[]> {
    const { objects } = this.context;
    const listed = [...(this.found.get(backupId) ?? [])].sort((left, right) => left.generation - right.generation);
    const highest = listed.at(-1);
    if (!highest || (await objects.storage.stat(highest.name))) return listed;
    return listGenerations(objects, backupId);
  }

  private async deleteAll(generations: readonly ManifestObject[], lease: Lease): Promise<void> {
    const { storage } = this.context.objects;
    const remove = async ({ name }: ManifestObject): Promise<void> => {
      await lease.assertHeld();
      await storage.delete(name);
    };
    for (const object of generations) await remove(object);
    for (let next = successor(generations.at(-1)); next && (await storage.stat(next.name)); next = successor(next)) {
      await remove(next);
    }
  }

  private async assertNoHold(backupId: BackupId): Promise<void> {
    if (!(await heldBackupIds(this.context.objects)).has(backupId)) return;
    throw new AppError('LEGAL_HOLD', `A legal hold keeps the backup ${backupId}.`, { hint: 'Release the hold first.' });
  }
}

/** Where the next generation would be. */
function successor(object: ManifestObject | undefined): ManifestObject | null {
  if (!object) return null;
  const generation = object.generation + 1;
  return { ...object, generation, name: object.name.replace(/(\.g\d+)?\.json$/, `.g${generation}.json`) };
}
