/**
 * Cleanups that ran at the same time may both have been about to delete a backup, and after a worker's death nobody can tell which of
 * them did. Whichever is settled first lists it; this leaves it out of the other's result.
 */
import { MoreThanOrEqual, type EntityManager } from 'typeorm';
import type { CleanupResult } from '../domain/task';
import { JobEntity } from './entities';

export async function withoutClaimed(
  manager: EntityManager,
  job: JobEntity,
  result: CleanupResult,
): Promise<CleanupResult> {
  if (result.deletedBackupIds.length === 0) return result;
  const claimed = await claimedSince(manager, job.createdAt);
  return { ...result, deletedBackupIds: result.deletedBackupIds.filter((id) => !claimed.has(id)) };
}

/** Backups that other cleanups, settled since then, say they deleted. */
async function claimedSince(manager: EntityManager, since: Date): Promise<Set<string>> {
  const others = await manager.find(JobEntity, {
    where: { kind: 'CLEANUP', state: 'COMPLETED', finishedAt: MoreThanOrEqual(since) },
    select: { id: true, spec: true, outcome: true },
  });
  const deleting = others.filter(({ spec }) => spec.kind === 'CLEANUP' && !spec.dryRun);
  return new Set(deleting.flatMap(({ outcome }) => (outcome?.kind === 'CLEANUP' ? outcome.deletedBackupIds : [])));
}
