/** Legal holds as the verbs tell them: which backup each keeps, since when, by whom, and why. */
import type { BackupId } from '../../domain/ids';
import type { LegalHold } from '../../domain/legal-hold';
import type { Repository } from '../../repository/repository';
import { formatTime } from './text-table';

export type HoldsByBackup = ReadonlyMap<BackupId, readonly LegalHold[]>;

/** Oldest first. */
export async function readHoldsByBackup(repository: Repository): Promise<HoldsByBackup> {
  const holds = new Map<BackupId, LegalHold[]>();
  for await (const hold of repository.listHolds())
    holds.set(hold.backupId, [...(holds.get(hold.backupId) ?? []), hold]);
  for (const of of holds.values()) of.sort((left, right) => (left.createdAt < right.createdAt ? -1 : 1));
  return holds;
}

export function describeHold({ reason, createdBy, createdAt }: LegalHold): string {
  return `since ${formatTime(createdAt)} by ${createdBy ?? 'somebody'}: ${reason ?? 'its reason cannot be read any more'}`;
}
