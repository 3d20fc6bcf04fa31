/**
 * Tells whoever listens in this process that a job has new events. A hint only: it carries no data, may be early, late, doubled
 * or, between processes, missing; the catalog's rows are the truth.
 */
import type { JobId } from '../domain/ids';

export interface EventBus {
  /** Called after the commit that wrote a job's events. Never throws. */
  notify(jobId: JobId): void;
  /** Calls `wake` for each notification until the returned function is called. `wake` must be quick and not throw. */
  subscribe(wake: (jobId: JobId) => void): () => void;
}

export function createEventBus(): EventBus {
  const listeners = new Set<(jobId: JobId) => void>();
  return {
    notify(jobId) {
      for (const wake of [...listeners]) wake(jobId);
    },
    subscribe(wake) {
      const listener = (jobId: JobId): void => wake(jobId); // its own identity, so that one function may listen twice
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
