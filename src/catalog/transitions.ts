/**
 * How a job changes: one guarded UPDATE, its event, and the same state on the backup or restore that the job makes, all in the
 * caller's transaction. Every change of a job in the catalog goes through `changeJob`.
 */
import type { EntityManager, FindOptionsWhere } from 'typeorm';
import { AppError } from '../domain/errors';
import type { JobId } from '../domain/ids';
import { mayTransition, type JobEventType, type JobState, type Progress } from '../domain/job';
import { nextGlobalSequence, type Write } from './database';
import { BackupEntity, JobEntity, JobEventEntity, RestoreEntity } from './entities';
import type { Lease } from './records';

export type JobPatch = Partial<
  Pick<
    JobEntity,
    | 'progress'
    | 'attempt'
    | 'cancelRequested'
    | 'failure'
    | 'runAfter'
    | 'startedAt'
    | 'finishedAt'
    | 'deleting'
    | 'leaseToken'
    | 'leaseOwner'
    | 'leaseExpiresAt'
  >
>;

export interface JobChange {
  /** The row as read in this transaction; the UPDATE repeats its id, state and lease token as its guard. */
  job: JobEntity;
  type: JobEventType;
  to: JobState;
  patch?: JobPatch;
  message?: string | null;
}

export const NO_LEASE = { leaseToken: null, leaseOwner: null, leaseExpiresAt: null } as const;

/** Applies the change and returns the row as it is now. Throws LEASE_LOST when the row is no longer as it was read. */
export async function changeJob(write: Write, change: JobChange): Promise<JobEntity> {
  const { job, to } = change;
  if (to !== job.state && !mayTransition(job.state, to)) {
    throw new AppError('INTERNAL', `A job can't go from ${job.state} to ${to}.`);
  }
  const changed: JobEntity = { ...job, ...change.patch, state: to, lastSequence: job.lastSequence + 1 };
  await updateGuarded(write.manager, job, changed);
  await appendEvent(write, changed, change);
  if (to !== job.state) await mirrorState(write, changed);
  return changed;
}

async function updateGuarded(manager: EntityManager, before: JobEntity, after: JobEntity): Promise<void> {
  const guard = { id: before.id, state: before.state, lastSequence: before.lastSequence };
  const update = manager.createQueryBuilder().update(JobEntity).set(changedColumns(before, after)).where(guard);
  if (before.leaseToken === null) update.andWhere('lease_token IS NULL');
  else update.andWhere('lease_token = :token', { token: before.leaseToken });
  const { affected } = await update.execute();
  if (affected !== 1) throw leaseLost(before.id);
}

function changedColumns(before: JobEntity, after: JobEntity): Partial<JobEntity> {
  const changed = Object.entries(after).filter(([name, value]) => before[name as keyof JobEntity] !== value);
  return Object.fromEntries(changed);
}

/** Writes the event with both its sequences; the job's row must hold `lastSequence` already. */
export async function appendEvent(
  write: Write,
  job: JobEntity,
  event: { type: JobEventType; message?: string | null },
): Promise<void> {
  await write.manager.insert(JobEventEntity, {
    jobId: job.id,
    sequence: job.lastSequence,
    globalSequence: await nextGlobalSequence(write.manager),
    at: write.now,
    type: event.type,
    state: job.state,
    progress: job.progress,
    message: event.message ?? null,
  });
  write.announce(job.id);
}

async function mirrorState({ manager, now }: Write, job: JobEntity): Promise<void> {
  const { id: jobId, state, startedAt } = job;
  if (job.spec.kind === 'BACKUP') {
    const completedAt = state === 'COMPLETED' ? now : null;
    await manager.update(BackupEntity, { id: job.spec.backupId, jobId }, { state, startedAt, completedAt });
  }
  if (job.spec.kind === 'RESTORE') {
    const { finishedAt } = job;
    await manager.update(RestoreEntity, { id: job.spec.restoreId, jobId }, { state, startedAt, finishedAt });
  }
}

/** The RUNNING job that this lease holds. Throws LEASE_LOST. */
export async function findLeased(manager: EntityManager, lease: Lease): Promise<JobEntity> {
  const guard: FindOptionsWhere<JobEntity> = { id: lease.jobId, state: 'RUNNING', leaseToken: lease.token };
  const job = await manager.findOneBy(JobEntity, guard);
  if (job === null) throw leaseLost(lease.jobId);
  return job;
}

export function leaseLost(jobId: JobId): AppError {
  return new AppError('LEASE_LOST', `Job ${jobId} is no longer held by this worker.`);
}

/** The progress of a job that ended or waits again: what was reached, under the name of the new state. */
export function progressAt(progress: Progress, phase: string): Progress {
  return { ...progress, phase, currentTable: null, rowsPerSecond: null, estimatedRemainingMs: null };
}
