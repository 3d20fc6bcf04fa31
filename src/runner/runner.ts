/**
 * The background half: takes jobs from the catalog's queue and sees each through to its end.
 *
 *     STOPPED --start--> RUNNING --drain--> DRAINING --all jobs ended--> STOPPED
 *
 * RUNNING: claims while there is room, on every wake-up, after every job that ends, and every `pollMs`; reaps expired leases and
 * prunes old events from time to time. DRAINING: claims nothing; running jobs have `drainMs` to end, then they are stopped and
 * requeued. A catalog that is away is waited for.
 */
import type { Catalog } from '../catalog/catalog';
import type { Clock, Log, Random } from '../domain/ambient';
import { isAppError } from '../domain/errors';
import type { JobId } from '../domain/ids';
import type { RunnerSettings } from '../domain/settings';
import type { TaskExecutor } from '../domain/task';
import { ClockWatch } from './clock-watch';
import { RunningJob } from './running-job';

export interface RunnerOptions {
  catalog: Pick<Catalog, 'queue' | 'jobs' | 'events'>;
  executor: TaskExecutor;
  settings: RunnerSettings;
  /** How long events are kept. */
  eventKeepDays: number;
  /** Delta layers on a table from which on its backup is compacted by itself. */
  compactAfterLayers: number;
  /** Shown as the holder of its leases; for people. */
  owner: string;
  serviceSettings(): Promise<unknown>;
  clock: Clock;
  random: Random;
  log: Log;
}

export interface Runner {
  /** Starts claiming. Once. */
  start(): void;
  /** Something may be due, or cancelled: look now. */
  wake(): void;
  /** Claims nothing more and resolves when no job runs here: ended by themselves within `drainMs`, else stopped and requeued. */
  drain(): Promise<void>;
  /** As `drain`, but stops running jobs at once. */
  stop(): Promise<void>;
  readonly running: number;
  readonly state: RunnerState;
}

export type RunnerState = 'STOPPED' | 'RUNNING' | 'DRAINING';

const DAY_MS = 86_400_000;
const PRUNE_EVERY_MS = 3_600_000;

export function createRunner(options: RunnerOptions): Runner {
  return new JobRunner(options);
}

class JobRunner implements Runner {
  state: RunnerState = 'STOPPED';
  private readonly active = new Map<JobId, { job: RunningJob; ended: Promise<void> }>();
  private readonly stopping = new AbortController();
  private nap = new AbortController();
  private awake = false;
  private loops: Promise<unknown> = Promise.resolve();

  private readonly clockWatch: ClockWatch;

  constructor(private readonly options: RunnerOptions) {
    this.clockWatch = new ClockWatch(options.clock);
  }

  get running(): number {
    return this.active.size;
  }

  start(): void {
    if (this.state !== 'STOPPED' || this.stopping.signal.aborted) throw new Error('A runner starts once.');
    this.state = 'RUNNING';
    this.loops = Promise.all([this.claimLoop(), this.maintenanceLoop()]);
  }

  wake(): void {
    this.awake = true;
    this.nap.abort();
    if (this.active.size > 0) void this.stopCancelled();
  }

  async drain(): Promise<void> {
    await this.beginDrain();
    const patience = new AbortController();
    const timeUp = this.options.clock.sleep(this.options.settings.drainMs, patience.signal).catch(() => undefined); // because it was cut short
    await Promise.race([this.allEnded(), timeUp]);
    patience.abort();
    await this.endAll();
  }

  async stop(): Promise<void> {
    await this.beginDrain();
    await this.endAll();
  }

  private async beginDrain(): Promise<void> {
    if (this.state === 'RUNNING') this.state = 'DRAINING';
    this.stopping.abort();
    this.nap.abort();
    await this.loops;
  }

  private async endAll(): Promise<void> {
    for (const { job } of this.active.values()) job.stop('SHUTDOWN');
    await this.allEnded();
    this.state = 'STOPPED';
  }

  private async allEnded(): Promise<void> {
    await Promise.all([...this.active.values()].map(({ ended }) => ended));
  }

  private async claimLoop(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.awake = false;
      await this.guarded('claim jobs', () => this.claimWhileRoom());
      await this.rest();
    }
  }

  private async claimWhileRoom(): Promise<void> {
    const { settings } = this.options;
    while (!this.stopping.signal.aborted && this.active.size < settings.concurrency) {
      if (!(await this.claimOne())) return;
    }
  }

  private async claimOne(): Promise<boolean> {
    const { catalog, settings, owner, clock } = this.options;
    const takenAtMs = clock.monotonicMs();
    const { leaseMs, concurrencyPerSource } = settings;
    const claimed = await catalog.queue.claim({ owner, leaseMs, concurrencyPerSource });
    if (claimed === null) return false;
    const job = new RunningJob({ ...this.options, queue: catalog.queue, claimed, takenAtMs });
    const ended = job.run().finally(() => {
      this.active.delete(job.job.id);
      this.awake = true;
      this.nap.abort();
    });
    this.active.set(job.job.id, { job, ended });
    return true;
  }

  /** Until a wake-up, or the next look. */
  private async rest(): Promise<void> {
    if (this.awake || this.stopping.signal.aborted) return;
    this.nap = new AbortController();
    await this.sleep(this.options.settings.pollMs, this.nap.signal);
  }

  private async sleep(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await this.options.clock.sleep(ms, signal);
    } catch (error) {
      if (!isAppError(error) || error.code !== 'CANCELLED') throw error;
    }
  }

  /** Leases are looked at as often as they are renewed: a dead worker's job waits little longer than its lease. */
  private async maintenanceLoop(): Promise<void> {
    let prunedAtMs = -PRUNE_EVERY_MS;
    while (!this.stopping.signal.aborted) {
      await this.guarded('reap expired leases', () => this.reap());
      if (this.options.clock.monotonicMs() - prunedAtMs >= PRUNE_EVERY_MS) {
        prunedAtMs = this.options.clock.monotonicMs();
        await this.guarded('prune events', () => this.pruneEvents());
      }
      await this.sleep(this.options.settings.heartbeatMs, this.stopping.signal);
    }
  }

  /** After a step of the clock living workers have the time of a lease to renew theirs: no job must run twice. */
  private async reap(): Promise<void> {
    if (this.clockWatch.steppedWithin(this.options.settings.leaseMs)) return;
    const reaped = await this.options.catalog.queue.reapExpired();
    for (const { id, state, attempt } of reaped) {
      this.options.log.warn('A lease had run out.', { jobId: id, state, attempt });
    }
    if (reaped.length > 0) this.wake();
  }

  private async pruneEvents(): Promise<void> {
    const { catalog, clock, eventKeepDays, log } = this.options;
    const pruned = await catalog.events.prune(new Date(clock.now().getTime() - eventKeepDays * DAY_MS));
    if (pruned > 0) log.info('Pruned old events.', { pruned });
  }

  /** Here jobs cancelled by this process end at once; those cancelled by another end at their next heartbeat. */
  private async stopCancelled(): Promise<void> {
    await this.guarded('look for cancelled jobs', async () => {
      for (const record of await this.options.catalog.jobs.findMany([...this.active.keys()])) {
        if (record?.cancelRequested === true) this.active.get(record.id)?.job.cancel();
      }
    });
  }

  private async guarded(deed: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.options.log.error(`The runner could not ${deed}; it tries again.`, { error });
    }
  }
}
