/** How late the event loop runs: a histogram of its delay, cheap enough to stay on in production. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

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
