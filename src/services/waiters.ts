/**
 * Holds answers until a job has ended (`waitFor`). At most `maxWaiters` are held at once; one more is answered at once, as if its
 * time had run out. All are let go when their caller goes away and when the service drains.
 */
import type { Clock } from '../domain/ambient';
import { isAppError } from '../domain/errors';
import type { JobId } from '../domain/ids';
import type { EventFeed } from './ports';

export interface Waiters {
  /** Resolves when the job has ended, the time is up, `signal` aborted or the service drains; never rejects for those. */
  wait(options: { jobId: JobId; afterSequence: number; waitMs: number; signal?: AbortSignal }): Promise<void>;
  /** Lets everybody go, and everybody who comes later. Idempotent. */
  releaseAll(): void;
  readonly count: number;
}

export interface WaitersOptions {
  feed: EventFeed;
  clock: Clock;
  maxWaiters: number;
}

export function createWaiters({ feed, clock, maxWaiters }: WaitersOptions): Waiters {
  const held = new Set<AbortController>();
  let released = false;

  return {
    async wait({ jobId, afterSequence, waitMs, signal }) {
      if (released || waitMs <= 0 || held.size >= maxWaiters || signal?.aborted) return;
      const letGo = new AbortController();
      const onGone = () => letGo.abort();
      held.add(letGo);
      signal?.addEventListener('abort', onGone, { once: true });
      try {
        await Promise.race([
          untilEnd(feed.ofJob({ jobId, after: afterSequence, signal: letGo.signal })),
          ignoreCancelled(clock.sleep(waitMs, letGo.signal)),
        ]);
      } finally {
        letGo.abort();
        held.delete(letGo);
        signal?.removeEventListener('abort', onGone);
      }
    },
    releaseAll() {
      released = true;
      for (const waiter of held) waiter.abort();
    },
    get count() {
      return held.size;
    },
  };
}

async function untilEnd(events: AsyncIterable<unknown>): Promise<void> {
  await ignoreCancelled(drain(events));
}

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  for await (const event of events) void event; // because: only the end matters, the caller reads the job itself
}

async function ignoreCancelled(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isAppError(error) || error.code !== 'CANCELLED') throw error;
  }
}
