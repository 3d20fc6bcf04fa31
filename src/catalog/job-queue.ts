/**
 * The queue: the one door of every transition of a job.
 *
 *     enqueue            -> PENDING
 *     claim              PENDING -> RUNNING     takes a lease: a random token and an expiry
 *     heartbeat          RUNNING -> RUNNING     extends the lease; no event
 *     saveProgress       RUNNING -> RUNNING     an event
 *     settle             RUNNING -> COMPLETED | FAILED | CANCELLED, with what the job made
 *     requeue            RUNNING -> PENDING     another attempt, or a shutdown
 *     reapExpired        RUNNING -> PENDING | FAILED, where the lease ran out
 *     requestCancel      PENDING -> CANCELLED, RUNNING -> RUNNING with `cancelRequested`; nothing once that is so
 *
 * Whoever works on a RUNNING job proves it by the lease's token; a worker whose lease was reaped changes nothing any more.
 */
import { AppError } from '../domain/errors';
import type { BackupId, JobId, LeaseToken } from '../domain/ids';
import { isFinal, mustSettle, type JobFailure } from '../domain/job';
import type {
  ClaimedJob,
  ClaimRequest,
  Enqueued,
  EnqueueRequest,
  IdempotencyClaim,
  JobQueue,
  Outcome,
  ProgressUpdate,
  Replay,
  RequeueOptions,
  SettleEffect,
} from './catalog';
import { findClaimable, findExpired } from './claimable';
import type { Database, Write } from './database';
import { enqueue, insertJob } from './enqueue';
import { JobEntity } from './entities';
import { findReplay } from './idempotency';
import type { JobRecord, Lease } from './records';
import { applyEffect, outcomeOf, totalsOf } from './settle-effects';
import { toJob } from './to-records';
import { changeJob, findLeased, leaseLost, NO_LEASE, progressAt } from './transitions';

export class CatalogQueue implements JobQueue {
  constructor(private readonly database: Database) {}

  enqueue(request: EnqueueRequest): Promise<Enqueued> {
    return enqueue(this.database, request);
  }

  findReplay(claim: IdempotencyClaim): Promise<Replay | null> {
    return this.database.read(async (manager) => {
      const found = await findReplay(manager, claim);
      if (found === null || found.jobId === null) return found && { job: null };
      const job = await manager.findOneBy(JobEntity, { id: found.jobId });
      return job && { job: toJob(job) };
    });
  }

  requestCancel(jobId: JobId): Promise<JobRecord> {
    return this.database.write(async (write) => {
      const job = await write.manager.findOneBy(JobEntity, { id: jobId });
      if (job === null) throw new AppError('NOT_FOUND', `There is no job ${jobId}.`);
      if (job.state === 'CANCELLED') return toJob(job);
      if (isFinal(job.state)) throw notCancelable(job);
      if (job.state === 'PENDING' && !mustSettle(job)) return toJob(await cancelPending(write, job));
      return toJob(job.cancelRequested ? job : await requestRunning(write, job));
    });
  }

  async claim(request: ClaimRequest): Promise<ClaimedJob | null> {
    const now = this.database.clock.now();
    const waiting = await this.database.read((manager) => findClaimable(manager, request, now));
    if (waiting === null) return null; // so that an idle runner never takes the lock
    return this.database.write((write) => this.claimIn(write, request));
  }

  async heartbeat(lease: Lease, leaseMs: number): Promise<{ cancelRequested: boolean }> {
    return this.database.transaction(async ({ manager, now }) => {
      const guard = { id: lease.jobId, state: 'RUNNING' as const, leaseToken: lease.token };
      await manager.update(JobEntity, guard, { leaseExpiresAt: new Date(now.getTime() + leaseMs) });
      const job = await findLeased(manager, lease);
      return { cancelRequested: job.cancelRequested };
    });
  }

  saveProgress(lease: Lease, update: ProgressUpdate): Promise<void> {
    return this.database.write(async (write) => {
      const job = await findLeased(write.manager, lease);
      const { type, progress, message } = update;
      await changeJob(write, { job, type, to: 'RUNNING', patch: { progress }, message });
    });
  }

  recordDeletion(lease: Lease, backupIds: readonly BackupId[]): Promise<void> {
    return this.database.write(async ({ manager }) => {
      const { id } = await findLeased(manager, lease);
      await manager.update(JobEntity, { id }, { deleting: [...backupIds] });
    });
  }

  settle(lease: Lease, outcome: Outcome): Promise<JobRecord> {
    return this.database.write(async (write) => {
      const job = await findLeased(write.manager, lease);
      const settled = await endJob(write, job, outcome);
      if (outcome.state === 'COMPLETED') await this.applyCompleted(write, job, outcome);
      return toJob(settled);
    });
  }

  private async applyCompleted(
    write: Write,
    { id, createdBy }: JobEntity,
    { effect, followUp }: Extract<Outcome, { state: 'COMPLETED' }>,
  ): Promise<void> {
    await applyEffect(write, id, effect);
    if (followUp) await insertJob(write, this.database.random.uuid() as JobId, { spec: followUp, createdBy });
  }

  requeue(lease: Lease, options: RequeueOptions): Promise<JobRecord> {
    return this.database.write(async (write) => {
      const job = await findLeased(write.manager, lease);
      return toJob(await waitAgain(write, job, options));
    });
  }

  private async claimIn(write: Write, request: ClaimRequest): Promise<ClaimedJob | null> {
    const id = await findClaimable(write.manager, request, write.now);
    if (id === null) return null;
    const job = await write.manager.findOneByOrFail(JobEntity, { id });
    const token = this.database.random.uuid() as LeaseToken;
    const claimed = await changeJob(write, { job, type: 'STATE_CHANGED', to: 'RUNNING', patch: claimPatch(job) });
    return { job: toJob(claimed), lease: { jobId: job.id, token }, lastFailure: job.failure };

    function claimPatch(from: JobEntity) {
      return {
        attempt: from.attempt + 1,
        startedAt: from.startedAt ?? write.now,
        failure: null,
        progress: { ...progressAt(from.progress, 'starting'), percent: 0, rowsDone: 0, bytesDone: 0 },
        leaseToken: token,
        leaseOwner: request.owner,
        leaseExpiresAt: new Date(write.now.getTime() + request.leaseMs),
      };
    }
  }

  async reapExpired(): Promise<JobRecord[]> {
    const now = this.database.clock.now();
    const expired = await this.database.read((manager) => findExpired(manager, now));
    if (expired.length === 0) return [];
    return this.database.write(async (write) => {
      const reaped: JobRecord[] = [];
      for (const job of await findExpired(write.manager, write.now)) reaped.push(toJob(await reap(write, job)));
      return reaped;
    });
  }
}

function notCancelable(job: JobEntity): AppError {
  return new AppError('NOT_CANCELABLE', `The job has ended already: it is ${job.state}.`, {
    hint: 'A finished restore can be undone by restoring an older backup; a finished backup can be deleted.',
  });
}

function cancelPending(write: Write, job: JobEntity): Promise<JobEntity> {
  return endJob(write, job, { state: 'CANCELLED', message: 'Cancelled before it ran.' });
}

function requestRunning(write: Write, job: JobEntity): Promise<JobEntity> {
  const message = 'Cancellation was requested.';
  const patch = { cancelRequested: true, runAfter: write.now };
  return changeJob(write, { job, type: 'LOG', to: job.state, patch, message });
}

type Ending =
  | { state: 'COMPLETED'; effect: SettleEffect; message?: string }
  | { state: 'CANCELLED'; message?: string }
  | { state: 'FAILED'; failure: JobFailure };

async function endJob(write: Write, job: JobEntity, ending: Ending): Promise<JobEntity> {
  const failure = ending.state === 'FAILED' ? ending.failure : null;
  const message = ending.state === 'FAILED' ? ending.failure.message : ending.message;
  const progress = progressAt(job.progress, ending.state.toLowerCase());
  if (ending.state === 'COMPLETED') Object.assign(progress, totalsOf(ending.effect), { percent: 100 });
  const outcome = ending.state === 'COMPLETED' ? await outcomeOf(write, job, ending.effect) : null;
  const patch = { finishedAt: write.now, failure, outcome, deleting: null, progress, ...NO_LEASE };
  return changeJob(write, { job, type: 'STATE_CHANGED', to: ending.state, patch, message });
}

function waitAgain(write: Write, job: JobEntity, options: RequeueOptions): Promise<JobEntity> {
  const patch = {
    runAfter: options.runAfter,
    failure: options.failure,
    deleting: options.nothingDeleted ? null : job.deleting,
    attempt: options.refundAttempt ? job.attempt - 1 : job.attempt,
    progress: progressAt(job.progress, 'waiting'),
    ...NO_LEASE,
  };
  return changeJob(write, { job, type: 'STATE_CHANGED', to: 'PENDING', patch, message: options.message });
}

function reap(write: Write, job: JobEntity): Promise<JobEntity> {
  const failure = toFailure(job);
  if (job.cancelRequested && !mustSettle(job)) {
    return endJob(write, job, { state: 'CANCELLED', message: 'Its worker died after cancellation was requested.' });
  }
  if (job.attempt >= attemptLimit(job)) return endJob(write, job, { state: 'FAILED', failure });
  return waitAgain(write, job, { runAfter: write.now, failure, message: failure.message });
}

/**
 * A restore gets one attempt beyond its limit: only a worker can clean up what the dead one left in the source. A cleanup that had
 * begun to delete has no limit: beyond its attempts it only looks what is gone, which any later time can tell. Nor has a rehearsal, which
 * then only drops its scratch schema.
 */
function attemptLimit({ kind, maxAttempts, deleting }: JobEntity): number {
  if (deleting !== null || kind === 'REHEARSAL') return Infinity;
  return kind === 'RESTORE' ? maxAttempts + 1 : maxAttempts;
}

function toFailure(job: JobEntity): JobFailure {
  return {
    code: leaseLost(job.id).code,
    message: `The worker of attempt ${job.attempt} died or lost its connection.`,
    hint: 'Look into the log of the worker for why it stopped, then start the work again.',
    retryable: true,
  };
}
