/**
 * Keeps one lease: heartbeats until told to stop, and says when the work must end.
 *
 * The lease is taken for lost when the catalog says so, and also when no heartbeat has succeeded for its whole length: by then
 * another worker may hold the job, so this one must have stopped writing. Durations are measured on a clock that never steps.
 */
import type { JobQueue, Lease } from '../catalog/catalog';
import type { Clock, Log } from '../domain/ambient';
import { isAppError } from '../domain/errors';

export interface LeaseKeeperOptions {
  queue: Pick<JobQueue, 'heartbeat'>;
  lease: Lease;
  leaseMs: number;
  heartbeatMs: number;
  clock: Clock;
  log: Log;
  /** When the claim was asked for: the lease is at least that old. */
  takenAtMs: number;
  onCancelRequested(): void;
  onLost(): void;
}

export class LeaseKeeper {
  private readonly stopping = new AbortController();
  private readonly ended: Promise<void>;
  private renewedAtMs: number;

  constructor(private readonly options: LeaseKeeperOptions) {
    this.renewedAtMs = options.takenAtMs;
    this.ended = this.keep();
  }

  /** Milliseconds until the lease is lost unless it is renewed. */
  get remainingMs(): number {
    return this.renewedAtMs + this.options.leaseMs - this.options.clock.monotonicMs();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.ended;
  }

  private async keep(): Promise<void> {
    try {
      for (let held = true; held;) {
        await this.options.clock.sleep(
          Math.min(this.options.heartbeatMs, Math.max(this.remainingMs, 0)),
          this.stopping.signal,
        );
        held = await this.beat();
      }
      this.options.onLost();
    } catch (error) {
      if (!isAppError(error) || error.code !== 'CANCELLED') throw error;
    }
  }

  /** False once the lease is lost. A heartbeat that hangs counts for nothing when the lease has run out. */
  private async beat(): Promise<boolean> {
    const askedAtMs = this.options.clock.monotonicMs();
    const overdue = new AbortController();
    try {
      const timeUp = this.options.clock.sleep(Math.max(this.remainingMs, 0), overdue.signal).then(
        () => 'OVERDUE' as const,
        () => 'IN_TIME' as const, // because it is only cancelled when the heartbeat came first
      );
      const answer = await Promise.race([this.ask(), timeUp]);
      if (answer === 'RENEWED') this.renewedAtMs = askedAtMs;
      return answer !== 'LOST' && answer !== 'OVERDUE' && this.remainingMs > 0;
    } finally {
      overdue.abort();
    }
  }

  private async ask(): Promise<'RENEWED' | 'LOST' | 'FAILED'> {
    const { queue, lease, leaseMs, log } = this.options;
    try {
      const { cancelRequested } = await queue.heartbeat(lease, leaseMs);
      if (cancelRequested) this.options.onCancelRequested();
      return 'RENEWED';
    } catch (error) {
      if (isAppError(error) && error.code === 'LEASE_LOST') return 'LOST';
      log.warn('A heartbeat failed.', { jobId: lease.jobId, error });
      return 'FAILED';
    }
  }
}
