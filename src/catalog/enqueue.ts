/** Enqueueing: the job, the backup or restore it will make, its first event and the client's key, in one transaction. */
import type { EntityManager } from 'typeorm';
import { expandDataTypes } from '../domain/data-type';
import { AppError } from '../domain/errors';
import type { BackupId, JobId } from '../domain/ids';
import { MAX_ATTEMPTS, NO_PROGRESS, type BackupJobSpec, type JobSpec, type RestoreJobSpec } from '../domain/job';
import type { Enqueued, EnqueueRequest } from './catalog';
import type { Database, Write } from './database';
import { BackupEntity, JobEntity, RestoreEntity } from './entities';
import { findReplay, rememberKey } from './idempotency';
import { joinDataTypes, toBackup, toJob, toRestore } from './to-records';
import { appendEvent } from './transitions';

export function enqueue(database: Database, request: EnqueueRequest): Promise<Enqueued> {
  return database.write(async (write) => {
    const { manager, now } = write;
    const { idempotency } = request;
    const replay = idempotency ? await findReplay(manager, idempotency) : null;
    if (replay !== null) return load(manager, { jobId: replayedJob(replay), now, replayed: true });
    const jobId = database.random.uuid() as JobId;
    await insertJob(write, jobId, request);
    if (idempotency) await rememberKey(manager, idempotency, { jobId, now });
    return load(manager, { jobId, now, replayed: false });
  });
}

/** Two calls at once that found things in different states: one needed no job, and this one would. */
function replayedJob({ jobId }: { jobId: JobId | null }): JobId {
  if (jobId !== null) return jobId;
  throw new AppError('CONFLICT', 'The same call was answered at the same time.', {
    hint: 'Repeat it to get that answer.',
    retryable: true,
  });
}

/** The job and what it will make, within the caller's transaction. */
export async function insertJob(write: Write, jobId: JobId, request: EnqueueRequest): Promise<void> {
  const job = newJob(jobId, request, write.now);
  await write.manager.insert(JobEntity, job);
  await insertMade(write, job);
  await appendEvent(write, job, { type: 'STATE_CHANGED' });
}

function newJob(jobId: JobId, request: EnqueueRequest, now: Date): JobEntity {
  const { spec } = request;
  return {
    id: jobId,
    kind: spec.kind,
    state: 'PENDING',
    spec,
    source: sourceOf(spec),
    backupId: backupOf(spec),
    restoreId: spec.kind === 'RESTORE' ? spec.restoreId : null,
    progress: NO_PROGRESS,
    attempt: 0,
    maxAttempts: request.maxAttempts ?? MAX_ATTEMPTS[spec.kind],
    cancelRequested: false,
    failure: null,
    outcome: null,
    deleting: null,
    createdBy: request.createdBy,
    createdAt: now,
    runAfter: now,
    startedAt: null,
    finishedAt: null,
    lastSequence: 1,
    leaseToken: null,
    leaseOwner: null,
    leaseExpiresAt: null,
  };
}

function sourceOf(spec: JobSpec): string | null {
  return 'source' in spec ? spec.source : null;
}

function backupOf(spec: JobSpec): BackupId | null {
  return spec.kind === 'CLEANUP' ? null : spec.backupId;
}

async function insertMade({ manager, now }: Write, job: JobEntity): Promise<void> {
  if (job.spec.kind === 'BACKUP') await manager.insert(BackupEntity, newBackup(job.spec, job, now));
  if (job.spec.kind === 'RESTORE') await manager.insert(RestoreEntity, newRestore(job.spec, job, now));
}

function newBackup(spec: BackupJobSpec, job: JobEntity, now: Date): BackupEntity {
  return {
    id: spec.backupId,
    type: spec.type,
    state: 'PENDING',
    source: spec.source,
    dataTypes: joinDataTypes(expandDataTypes(spec.dataTypes)),
    businessId: spec.businessId,
    parentId: null,
    jobId: job.id,
    createdBy: job.createdBy,
    createdAt: now,
    startedAt: null,
    completedAt: null,
    expiresAt: spec.expiresAt === null ? null : new Date(spec.expiresAt),
    labels: spec.labels,
    ...NOT_STORED_YET,
  };
}

const NOT_STORED_YET = {
  readAt: null,
  consistency: null,
  rowCount: null,
  changedRowCount: null,
  rawBytes: null,
  storedBytes: null,
  newRawBytes: null,
  checksum: null,
  manifestName: null,
  tables: [],
  verification: null,
  restorability: null,
  missingSince: null,
} satisfies Partial<BackupEntity>;

function newRestore(spec: RestoreJobSpec, job: JobEntity, now: Date): RestoreEntity {
  return {
    id: spec.restoreId,
    state: 'PENDING',
    backupId: spec.backupId,
    jobId: job.id,
    source: spec.source,
    type: spec.type,
    dataTypes: spec.dataTypes,
    businessId: spec.businessId,
    threeWay: spec.threeWay ?? null,
    keys: spec.keys ?? null,
    target: spec.target,
    dryRun: spec.dryRun,
    planId: spec.plan?.planId ?? null,
    undoesId: spec.undoes?.restoreId ?? null,
    createdBy: job.createdBy,
    createdAt: now,
    startedAt: null,
    finishedAt: null,
    result: null,
  };
}

async function load(
  manager: EntityManager,
  { jobId, now, replayed }: { jobId: JobId; now: Date; replayed: boolean },
): Promise<Enqueued> {
  const job = await manager.findOneByOrFail(JobEntity, { id: jobId });
  const { backupId, restoreId } = job;
  const backup = backupId === null ? null : await manager.findOneBy(BackupEntity, { id: backupId });
  const restore = restoreId === null ? null : await manager.findOneBy(RestoreEntity, { id: restoreId });
  return {
    job: toJob(job),
    backup: backup && toBackup(backup, now),
    restore: restore && toRestore(restore),
    replayed,
  };
}
