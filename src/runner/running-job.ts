/**
 * One claimed job from claim to settle.
 *
 * It works while it holds its lease, and it may be told to stop for one of three reasons, the first of which counts:
 *
 *     CANCEL     somebody cancelled the job          the work undoes itself -> CANCELLED
 *     SHUTDOWN   this process ends                   the work undoes itself -> PENDING, the attempt not counted
 *     LOST       the lease ran out or was reaped     the work undoes itself -> nothing is written: the job is another's
 *
 * Otherwise it ends by itself:
 *
 *     a result                         -> COMPLETED with what it made; also when a stop came too late
 *     a retryable error, attempts left -> PENDING after a delay
 *     any other error                  -> FAILED with code, message, hint and retryable
 *
 * A restore that was cancelled but ended in an error may have left something half-done. It goes back to PENDING, still cancelled,
 * and its next attempt only cleans up (`isRecovery`). So does a rehearsal that may have left its scratch schema, also once its attempts
 * are used up, for as long as that takes. A cleanup whose attempt ended unseen may have deleted something. It neither
 * fails nor is cancelled until an attempt has seen what is gone, however many that takes.
 */
import type { ClaimedJob, JobQueue, JobRecord, Outcome, RequeueOptions } from '../catalog/catalog';
import type { Clock, Log, Random } from '../domain/ambient';
import { AppError, isAppError, toAppError, toErrorData } from '../domain/errors';
import type { BackupId } from '../domain/ids';
import { endedUnsettled, type CleanupJobSpec, type JobFailure } from '../domain/job';
import type { RunnerSettings } from '../domain/settings';
import type { EngineResult, TaskExecutor } from '../domain/task';
import { followUp, isRecovery, toEffect, toMessage, toTask, type TaskContext } from './job-handlers';
import { LeaseKeeper } from './lease-keeper';
import { ProgressReporter } from './progress-reporter';
import { mayRetry, retryDelayMs } from './retry-policy';

export type StopReason = 'CANCEL' | 'SHUTDOWN' | 'LOST';

export interface RunningJobOptions extends TaskContext {
  claimed: ClaimedJob;
  /** When the claim was asked for, on the monotonic clock. */
  takenAtMs: number;
  queue: JobQueue;
  executor: TaskExecutor;
  settings: Pick<RunnerSettings, 'leaseMs' | 'heartbeatMs'>;
  /** A backup with a stack of so many delta layers is compacted next. */
  compactAfterLayers: number;
  clock: Clock;
  random: Random;
  log: Log;
}

type Ending = Outcome | { state: 'PENDING'; requeue: RequeueOptions } | null;

export class RunningJob {
  readonly job: JobRecord;
  private readonly stopping = new AbortController();
  private stopReason: StopReason | null = null;
  private readonly log: Log;
  private readonly keeper: LeaseKeeper;
  private readonly reporter: ProgressReporter;

  constructor(private readonly options: RunningJobOptions) {
    const { claimed, queue, clock } = options;
    this.job = claimed.job;
    this.log = options.log.child({ jobId: this.job.id, kind: this.job.kind, attempt: this.job.attempt });
    this.keeper = this.keepLease();
    this.reporter = new ProgressReporter({
      save: (update) => queue.saveProgress(claimed.lease, update),
      clock,
      log: this.log,
      initial: this.job.progress,
    });
  }

  /** Asks the work to undo itself and end. The first reason counts, except that a lost lease overrides all. */
  stop(reason: StopReason): void {
    if (this.stopReason === null || reason === 'LOST') this.stopReason = reason;
    this.stopping.abort();
  }

  /** Somebody cancelled the job. A recovery goes on: it is what a cancelled job still has to do. */
  cancel(): void {
    if (!isRecovery(this.job)) this.stop('CANCEL');
  }

  /** Resolves when the job is settled, or not its own any more. Never rejects. */
  async run(): Promise<void> {
    this.log.info('Job started.');
    try {
      const ending = await this.work();
      await this.reporter.close();
      await this.settle(ending);
    } catch (error) {
      this.log.error('The job could not be settled; its lease will run out.', { error });
    } finally {
      await this.keeper.stop();
    }
  }

  private keepLease(): LeaseKeeper {
    const { claimed, queue, settings, clock, takenAtMs } = this.options;
    return new LeaseKeeper({
      queue,
      lease: claimed.lease,
      ...settings,
      clock,
      log: this.log,
      takenAtMs,
      onCancelRequested: () => this.cancel(),
      onLost: () => this.stop('LOST'),
    });
  }

  private async work(): Promise<Ending> {
    if (this.job.cancelRequested && !isRecovery(this.job)) return { state: 'CANCELLED' };
    try {
      const task = await toTask(this.job, {
        serviceSettings: () => this.options.serviceSettings(),
        planDeletion: (spec) => this.planDeletion(spec),
        lastFailure: this.options.claimed.lastFailure,
      });
      const result = await this.options.executor.run(task, {
        signal: this.stopping.signal,
        onProgress: (progress) => this.reporter.report(progress),
        onLog: (message) => this.reporter.line(message),
      });
      return this.completed(result);
    } catch (error) {
      return this.ended(toAppError(error));
    }
  }

  /** Before the first one goes, so that an attempt that ends unseen leaves the next one something to look for. */
  private async planDeletion(spec: CleanupJobSpec): Promise<readonly BackupId[]> {
    const { queue, claimed } = this.options;
    const backupIds = spec.backupIds ?? (await this.findExpired());
    if (backupIds.length > 0 && !spec.dryRun) await queue.recordDeletion(claimed.lease, backupIds);
    return backupIds;
  }

  private async findExpired(): Promise<BackupId[]> {
    const task = { kind: 'FIND_EXPIRED', jobId: this.job.id } as const;
    const result = await this.options.executor.run(task, {
      signal: this.stopping.signal,
      onProgress: () => undefined, // because the deletion that follows begins at 0 again
      onLog: (message) => this.reporter.line(message),
    });
    if (result.kind === 'FIND_EXPIRED') return result.backupIds;
    throw new AppError('INTERNAL', `A search for expired backups was answered with a ${result.kind} result.`);
  }

  private completed(result: EngineResult): Ending {
    const next = followUp(result, this.options.compactAfterLayers);
    return { state: 'COMPLETED', effect: toEffect(this.job, result), message: toMessage(result), followUp: next };
  }

  private ended(error: AppError): Ending {
    const undone = error.code === 'CANCELLED';
    if (this.stopReason === 'LOST') return null;
    if (this.stopReason === 'SHUTDOWN' && undone) return this.again(error, { refundAttempt: true, delayMs: 0 });
    if (undone && isRecovery(this.job)) return this.recovered();
    const isCancelled = this.stopReason === 'CANCEL' || this.job.cancelRequested;
    if (isCancelled && this.leftNothing(error)) return { state: 'CANCELLED' };
    if (this.stopReason === 'SHUTDOWN' && error.retryable) return this.again(error, { delayMs: 0 });
    if (undone) return this.failedOrAgain(interrupted(error));
    return this.failedOrAgain(error);
  }

  /** Whether the job can end with this error: nothing of its work is left that another attempt would have to settle. */
  private leftNothing(error: AppError): boolean {
    if (this.job.kind === 'RESTORE') return error.code === 'CANCELLED';
    if (this.job.kind === 'REHEARSAL') return error.code === 'CANCELLED' || this.hadNothingToDrop;
    return !this.mustGoOn(error);
  }

  /** An attempt that only drops a scratch schema comes after any other, also where there can't be one. */
  private get hadNothingToDrop(): boolean {
    return isRecovery(this.job) && !endedUnsettled(this.options.claimed.lastFailure);
  }

  /** Whether another attempt has to come, however many there were: to see what a cleanup deleted, or to drop a scratch schema. */
  private mustGoOn(error: AppError): boolean {
    if (this.job.kind === 'REHEARSAL') return endedUnsettled(toErrorData(error));
    return this.job.kind === 'CLEANUP' && !this.deletedNothing(error);
  }

  /** A cleanup that deleted something answers with a result, unless its thread dies. */
  private deletedNothing(error: AppError): boolean {
    return this.job.deleting === null && error.code !== 'WORKER_DIED';
  }

  private recovered(): Ending {
    if (this.job.cancelRequested) return { state: 'CANCELLED' };
    const left = this.job.kind === 'CLEANUP' ? 'they had deleted nothing' : 'what they left half-done was cleaned up';
    const message = `The workers of all its attempts died; ${left}.`;
    const hint = 'Look into the log of the workers for why they stopped, then start the work again.';
    return { state: 'FAILED', failure: toErrorData(new AppError('WORKER_DIED', message, { hint, retryable: true })) };
  }

  private failedOrAgain(error: AppError): Ending {
    if (!this.mustGoOn(error) && !mayRetry(error, this.job)) return { state: 'FAILED', failure: toErrorData(error) };
    const delayMs = retryDelayMs(this.job.attempt, this.options.random.bytes(1).readUInt8() / 255);
    return this.again(error, { delayMs });
  }

  private again(
    error: AppError,
    { delayMs, refundAttempt = false }: { delayMs: number; refundAttempt?: boolean },
  ): Ending {
    const runAfter = new Date(this.options.clock.now().getTime() + delayMs);
    const message = refundAttempt
      ? 'The service is shutting down; the job goes on after its next start.'
      : error.message;
    const failure = refundAttempt ? this.leftBefore() : toErrorData(error);
    const nothingDeleted = this.deletedNothing(error);
    return { state: 'PENDING', requeue: { runAfter, failure, message, refundAttempt, nothingDeleted } };
  }

  /** What a shutdown must not forget: that an earlier attempt may have left something, and this one may not have come so far. */
  private leftBefore(): JobFailure | null {
    const { lastFailure } = this.options.claimed;
    return this.job.kind === 'REHEARSAL' && endedUnsettled(lastFailure) ? lastFailure : null;
  }

  private async settle(ending: Ending): Promise<void> {
    if (ending === null) return this.log.warn('The lease was lost; another worker goes on.');
    const { queue, claimed } = this.options;
    await this.untilLost(async () => {
      if (ending.state === 'PENDING') await queue.requeue(claimed.lease, ending.requeue);
      else await queue.settle(claimed.lease, ending);
    });
    this.logEnding(ending);
  }

  /** What failed is seen at any level of the log that shows warnings, with the reason. */
  private logEnding(ending: NonNullable<Ending>): void {
    const { state } = ending;
    if (state === 'FAILED') return this.log.error('Job failed.', { state, failure: ending.failure });
    if (state !== 'PENDING' || ending.requeue.failure === null) return this.log.info('Job settled.', { state });
    const { failure, runAfter } = ending.requeue;
    this.log.warn('The attempt failed; the job is tried again.', { state, failure, tryAgainAt: runAfter });
  }

  /** While the catalog is away the work's outcome is not lost: it is written again until the lease has run out. */
  private async untilLost(write: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        return void (await write());
      } catch (error) {
        const passing = isAppError(error) && error.retryable && this.keeper.remainingMs > 0;
        if (!passing) throw error;
        await this.options.clock.sleep(Math.min(this.options.settings.heartbeatMs, this.keeper.remainingMs));
      }
    }
  }
}

/** The executor gave up without anybody asking for it, e.g. because its pool was closed. */
function interrupted(cause: AppError): AppError {
  const hint = 'Start the work again.';
  return new AppError('WORKER_DIED', 'The work was interrupted.', { hint, retryable: true, cause });
}
