/**
 * The real clock and the real randomness: the only file that touches Date, timers, Math and the system's random source.
 * Everything else gets a Clock and a Random, so that a test decides what time it is.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Clock, Random } from '../domain/ambient';
import { AppError } from '../domain/errors';

/** The longest delay that a Node timer takes; a longer one would fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep,
};

export const systemRandom: Random = {
  uuid: () => randomUUID(),
  bytes: (size) => randomBytes(size),
};

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + ms;
  do {
    await sleepOnce(Math.min(Math.max(deadline - performance.now(), 0), MAX_TIMER_MS), signal);
  } while (performance.now() < deadline - 1);
}

function sleepOnce(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(cancelled(signal));
    const onAbort = () => {
      clearTimeout(timer);
      reject(cancelled(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function cancelled(signal: AbortSignal | undefined): AppError {
  return new AppError('CANCELLED', 'The wait was cancelled.', { cause: signal?.reason });
}
