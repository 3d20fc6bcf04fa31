/** Backups as somebody reads them who holds no lease: one may go meanwhile, which is no damage. */
import type { BackupStore } from '../../domain/backup-store';
import { AppError, isAppError } from '../../domain/errors';
import type { BackupId } from '../../domain/ids';
import type { StoredManifest } from '../../domain/manifest';

/** Throws NOT_FOUND. */
export async function requireBackup(backupId: BackupId, store: BackupStore): Promise<StoredManifest> {
  const found = await store.findManifest(backupId);
  if (found !== null) return found;
  throw gone();
}

/** What to tell instead of an error of reading: what a deleted backup lacks by now is no damage. */
export async function asReadFailure(
  error: unknown,
  { backupId, what }: { backupId: BackupId; what: string },
  store: BackupStore,
): Promise<unknown> {
  if (!isAppError(error) || error.code !== 'INTEGRITY_FAILURE') return error;
  if ((await store.findManifest(backupId)) === null) return gone();
  return new AppError('INTEGRITY_FAILURE', `${what} can't be read: ${error.message}`, {
    hint: 'Verify the backup to learn what is damaged, or read another one.',
    cause: error,
  });
}

function gone(): AppError {
  return new AppError('NOT_FOUND', 'The repository holds no such backup.', {
    hint: 'It may have been deleted: list backups.',
  });
}
