/**
 * Writes a running job's progress down: at most MAX_PER_SECOND events a second, a change of phase at once, and always the last
 * state. Progress is whole, so skipping states in between loses nothing. One write is under way at a time; what comes meanwhile
 * replaces what waits. Failing writes are left to the heartbeat to judge: the work does not stop for a lost progress event.
 */
import type { Clock, Log } from '../domain/ambient';
import { isAppError } from '../domain/errors';
import type { Progress } from '../domain/job';
import type { ProgressUpdate } from '../catalog/catalog';

export const MAX_PER_SECOND = 4;
const INTERVAL_MS = 1_000 / MAX_PER_SECOND;
/** Lines that wait to be written; beyond it the oldest go. */
const MAX_LINES = 100;

export interface ProgressReporterOptions {
  save(update: ProgressUpdate): Promise<void>;
  clock: Clock;
  log: Log;
  initial: Progress;
}

export class ProgressReporter {
  private latest: Progress;
  private written: Progress;
  private readonly lines: string[] = [];
  private lastWriteMs = -INTERVAL_MS;
  private running: Promise<void> | null = null;
  private hurry = new AbortController();
  private closed = false;

  constructor(private readonly options: ProgressReporterOptions) {
    this.latest = options.initial;
    this.written = options.initial;
  }

  report(progress: Progress): void {
    if (this.closed) return;
    this.latest = progress;
    if (progress.phase !== this.written.phase) this.hurry.abort();
    this.start();
  }

  line(message: string): void {
    if (this.closed) return;
    this.lines.push(message);
    if (this.lines.length > MAX_LINES) this.lines.shift();
    this.start();
  }

  /** Writes what waits without delay and takes nothing more. */
  async close(): Promise<void> {
    this.closed = true;
    this.hurry.abort();
    this.start();
    await this.running;
  }

  private get pending(): boolean {
    return this.lines.length > 0 || this.latest !== this.written;
  }

  private start(): void {
    if (this.running !== null || !this.pending) return;
    this.running = this.writeAll().finally(() => {
      this.running = null;
    });
  }

  private async writeAll(): Promise<void> {
    while (this.pending) {
      await this.pause();
      this.lastWriteMs = this.options.clock.monotonicMs();
      const message = this.lines.shift();
      const progress = this.latest;
      this.written = progress;
      await this.save({ type: message === undefined ? 'PROGRESS' : 'LOG', progress, message });
    }
  }

  /** Waits for the next slot, unless the phase has changed or the end has come. */
  private async pause(): Promise<void> {
    const due = this.lastWriteMs + INTERVAL_MS - this.options.clock.monotonicMs();
    const urgent = this.closed || this.latest.phase !== this.written.phase;
    this.hurry = new AbortController();
    if (due <= 0 || urgent) return;
    try {
      await this.options.clock.sleep(due, this.hurry.signal);
    } catch (error) {
      if (!isAppError(error) || error.code !== 'CANCELLED') throw error;
    }
  }

  private async save(update: ProgressUpdate): Promise<void> {
    try {
      await this.options.save(update);
    } catch (error) {
      this.options.log.debug('A progress event could not be written.', { error });
    }
  }
}
