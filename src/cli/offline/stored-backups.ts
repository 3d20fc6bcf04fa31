/** Reads the repository's backups for the verbs that show them. */
import { AppError } from '../../domain/errors';
import type { BackupId } from '../../domain/ids';
import type { StoredManifest } from '../../domain/manifest';
import type { Repository } from '../../repository/repository';

export interface StoredBackups {
  /** Newest moment first. */
  backups: StoredManifest[];
  /** Names of manifests that can't be read. */
  damaged: string[];
}

export async function readBackups(repository: Repository): Promise<StoredBackups> {
  const backups: StoredManifest[] = [];
  const damaged: string[] = [];
  for await (const stored of repository.listManifests((name) => void damaged.push(name))) backups.push(stored);
  const key = ({ manifest }: StoredManifest): string => `${manifest.readAt} ${manifest.backupId}`;
  backups.sort((left, right) => (key(left) < key(right) ? 1 : -1));
  return { backups, damaged };
}

export async function requireBackup(repository: Repository, backupId: BackupId): Promise<StoredManifest> {
  const stored = await repository.findManifest(backupId);
  if (stored) return stored;
  throw new AppError('NOT_FOUND', `The repository holds no backup ${backupId}.`, {
    hint: 'Take one that npm run offline -- list shows.',
  });
}
