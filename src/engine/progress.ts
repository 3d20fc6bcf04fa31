/**
 * Progress of one task as full states: the percentage never falls, each phase fills its own share of it, rows and bytes are
 * those of the current phase. How often a state is passed on is the receiver's business.
 */
import type { Clock } from '../domain/ambient';
import type { Progress } from '../domain/job';

/** Time over which the rate is smoothed. */
const RATE_WINDOW_MS = 5_000;
/** Shorter spans measure the scheduler rather than the work. */
const MIN_RATE_SPAN_MS = 200;

export interface Phase {
  name: string;
  /** Percentages at which the phase begins and ends. */
  from: number;
  to: number;
  rowsTotal?: number | null;
  bytesTotal?: number | null;
}

export class ProgressMeter {
  private phase: Phase = { name: 'starting', from: 0, to: 0 };
  private percent = 0;
  private table: string | null = null;
  private rowsDone = 0;
  private bytesDone = 0;
  private rowsPerSecond: number | null = null;
  private rateAt = 0;
  private rateRows = 0;
  private readonly startedAt: number;

  constructor(
    private readonly clock: Pick<Clock, 'monotonicMs'>,
    private readonly report: (progress: Progress) => void,
  ) {
    this.startedAt = clock.monotonicMs();
  }

  begin(phase: Phase): void {
    this.phase = phase;
    this.table = null;
    this.rowsDone = this.bytesDone = this.rateRows = 0;
    this.rowsPerSecond = null;
    this.rateAt = this.clock.monotonicMs();
    this.raise(phase.from);
    this.emit();
  }

  advance(work: { rows: number; bytes: number; table?: string }): void {
    this.rowsDone += work.rows;
    this.bytesDone += work.bytes;
    if (work.table !== undefined) this.table = work.table;
    this.measureRate();
    this.raise(this.phase.from + (this.phase.to - this.phase.from) * this.fraction());
    this.emit();
  }

  finish(): void {
    this.phase = { ...this.phase, name: 'finished' };
    this.table = null;
    this.percent = 100;
    this.emit();
  }

  /** Totals are estimates: a phase that outgrew them stays just below its end until the next begins. */
  private fraction(): number {
    const { bytesTotal, rowsTotal } = this.phase;
    if (bytesTotal) return Math.min(0.99, this.bytesDone / bytesTotal);
    return rowsTotal ? Math.min(0.99, this.rowsDone / rowsTotal) : 0;
  }

  private raise(percent: number): void {
    this.percent = Math.max(this.percent, Math.min(100, Math.round(percent * 100) / 100));
  }

  private measureRate(): void {
    const now = this.clock.monotonicMs();
    const spanMs = now - this.rateAt;
    if (spanMs < MIN_RATE_SPAN_MS) return;
    const current = ((this.rowsDone - this.rateRows) * 1000) / spanMs;
    const weight = 1 - Math.exp(-spanMs / RATE_WINDOW_MS);
    this.rowsPerSecond =
      this.rowsPerSecond === null ? current : this.rowsPerSecond + weight * (current - this.rowsPerSecond);
    this.rateAt = now;
    this.rateRows = this.rowsDone;
  }

  private remainingMs(): number | null {
    if (this.percent >= 100) return 0;
    if (this.percent < 1) return null;
    const elapsedMs = this.clock.monotonicMs() - this.startedAt;
    return Math.round((elapsedMs * (100 - this.percent)) / this.percent);
  }

  private emit(): void {
    this.report({
      percent: this.percent,
      phase: this.phase.name,
      currentTable: this.table,
      rowsDone: this.rowsDone,
      rowsTotal: atLeast(this.phase.rowsTotal, this.rowsDone),
      bytesDone: this.bytesDone,
      bytesTotal: atLeast(this.phase.bytesTotal, this.bytesDone),
      rowsPerSecond: this.rowsPerSecond === null ? null : Math.round(this.rowsPerSecond),
      estimatedRemainingMs: this.remainingMs(),
    });
  }
}

function atLeast(total: number | null | undefined, done: number): number | null {
  return total === null || total === undefined ? null : Math.max(total, done);
}
