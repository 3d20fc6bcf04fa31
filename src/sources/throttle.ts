/**
 * A throttle that several lanes share: over any second it lets through no more than the stated bytes and rows, plus one
 * short burst. Work is paid for after it was done, so one batch larger than a second's allowance passes and then waits.
 */
import type { Clock } from '../domain/ambient';

/** Work that may pass at once after an idle time, as milliseconds of the allowed rate. */
const BURST_MS = 100;

export interface ThrottleOptions {
  clock: Clock;
  /** Absent: bytes are not limited. */
  maxBytesPerSecond?: number;
  /** Absent: rows are not limited. */
  maxRowsPerSecond?: number;
}

export interface Throttle {
  /** Resolves when this much work may go on; rejects with CANCELLED when `signal` aborts while it waits. */
  take(bytes: number, rows: number, signal?: AbortSignal): Promise<void>;
}

export function createThrottle({ clock, maxBytesPerSecond, maxRowsPerSecond }: ThrottleOptions): Throttle {
  let paidUntilMs = Number.NEGATIVE_INFINITY;
  const priceMs = (bytes: number, rows: number): number =>
    Math.max(timeMs(bytes, maxBytesPerSecond), timeMs(rows, maxRowsPerSecond));
  return {
    async take(bytes, rows, signal) {
      const nowMs = clock.monotonicMs();
      // Booked before the wait: lanes that come meanwhile queue up behind this one.
      paidUntilMs = Math.max(paidUntilMs, nowMs - BURST_MS) + priceMs(bytes, rows);
      if (paidUntilMs > nowMs) await clock.sleep(paidUntilMs - nowMs, signal);
    },
  };
}

function timeMs(amount: number, perSecond: number | undefined): number {
  return perSecond === undefined ? 0 : (amount / perSecond) * 1000;
}
