/**
 * Sees the wall clock being set, or this machine being suspended: the wall clock then moves otherwise than the one that never steps.
 * Leases are written in wall-clock time, so after a step those of living workers look expired until they are renewed.
 */
import type { Clock } from '../domain/ambient';

/** More than what time servers correct between two looks, far less than a lease. */
const TOLERANCE_MS = 500;

export class ClockWatch {
  private offsetMs: number;
  private steppedAtMs = -Infinity;

  constructor(private readonly clock: Pick<Clock, 'now' | 'monotonicMs'>) {
    this.offsetMs = this.offset();
  }

  /** Whether the clock stepped less than `ms` ago, as far as looks like this one tell. */
  steppedWithin(ms: number): boolean {
    const offsetMs = this.offset();
    const nowMs = this.clock.monotonicMs();
    if (Math.abs(offsetMs - this.offsetMs) > TOLERANCE_MS) this.steppedAtMs = nowMs;
    this.offsetMs = offsetMs;
    return nowMs - this.steppedAtMs < ms;
  }

  private offset(): number {
    return this.clock.now().getTime() - this.clock.monotonicMs();
  }
}
