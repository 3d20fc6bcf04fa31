/** How late the event loop runs: a histogram of its delay, cheap enough to stay on in production, and a warning when it stood still. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock, Log } from '../domain/ambient';
import { isAppError } from '../domain/errors';

export interface LagSnapshot {
  medianMs: number;
  p99Ms: number;
  maxMs: number;
}

export interface EventLoopLag {
  /** Delay beyond the sampling interval since the last `reset`. */
  snapshot(): LagSnapshot;
  /** Forgets what was seen; the interval that is under way is not counted. */
  reset(): void;
  /** Stops sampling. Idempotent. */
  stop(): void;
}

const RESOLUTION_MS = 10;
const NANOSECONDS_PER_MS = 1e6;

export function startEventLoopLag(): EventLoopLag {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const beyondInterval = (nanoseconds: number) => Math.max(0, nanoseconds / NANOSECONDS_PER_MS - RESOLUTION_MS);
  return {
    snapshot: () => ({
      medianMs: histogram.count === 0 ? 0 : beyondInterval(histogram.percentile(50)),
      p99Ms: histogram.count === 0 ? 0 : beyondInterval(histogram.percentile(99)),
      maxMs: histogram.count === 0 ? 0 : beyondInterval(histogram.max),
    }),
    reset: () => histogram.reset(),
    stop: () => void histogram.disable(), // because: it only says whether it was still sampling
  };
}

/** Longer than this nobody shall wait for the service's one thread. */
const STALL_MS = 50;
const LOOK_EVERY_MS = 60_000;

export interface StallWatch {
  /** The longest stall since the last look, a minute ago at most. */
  longestMs(): number;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** Warns, at most once a minute, when the event loop stood still. */
export function watchStalls({ clock, log }: { clock: Clock; log: Log }): StallWatch {
  const lag = startEventLoopLag();
  const stopping = new AbortController();
  const ended = lookForStalls(lag, { clock, log, signal: stopping.signal });
  return {
    longestMs: () => Math.round(lag.snapshot().maxMs),
    async stop() {
      stopping.abort();
      await ended;
      lag.stop();
    },
  };
}

async function lookForStalls(
  lag: EventLoopLag,
  { clock, log, signal }: { clock: Clock; log: Log; signal: AbortSignal },
): Promise<void> {
  try {
    for (;;) {
      await clock.sleep(LOOK_EVERY_MS, signal);
      const { maxMs, p99Ms } = lag.snapshot();
      if (maxMs > STALL_MS)
        log.warn('the event loop stood still', { maxMs: Math.round(maxMs), p99Ms: Math.round(p99Ms) });
      lag.reset();
    }
  } catch (error) {
    if (!isAppError(error) || error.code !== 'CANCELLED') throw error;
  }
}
