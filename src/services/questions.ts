/** Questions that a worker thread answers while the caller waits: one at a time, so that many callers take no more than a thread, and not for ever. */
import type { Clock } from '../domain/ambient';
import { AppError } from '../domain/errors';

export interface QuestionBounds {
  clock: Clock;
  /** From when it is asked on. */
  maxMs: number;
  /** How many may be asked and not answered yet. */
  maxOpen: number;
  /** What is done, for messages: `Reading records`. */
  what: string;
  /** What to do instead. */
  hint: string;
}

/** Throws REPOSITORY_UNAVAILABLE (retryable) where it takes longer, too many are open, or the signal aborted; else what `work` throws. */
export type Ask = <Answer>(signal: AbortSignal, work: (bounded: AbortSignal) => Promise<Answer>) => Promise<Answer>;

export function oneAfterAnother(bounds: QuestionBounds): Ask {
  let last: Promise<unknown> = Promise.resolve();
  let open = 0;
  const inLine = <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
    const result = last.then(work);
    last = result.catch(() => undefined); // because: its own caller sees the error
    return result;
  };
  return async (signal, work) => {
    if (open >= bounds.maxOpen) throw unavailable(bounds, `${bounds.what} waits for too many others.`);
    open++;
    try {
      return await within(bounds, signal, (bounded) => inLine(() => work(bounded)));
    } finally {
      open--;
    }
  };
}

async function within<Answer>(
  bounds: QuestionBounds,
  signal: AbortSignal,
  work: (bounded: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const timeout = new AbortController();
  const timer = new AbortController();
  bounds.clock.sleep(bounds.maxMs, timer.signal).then(
    () => timeout.abort(),
    () => undefined, // the work ended first
  );
  try {
    return await work(AbortSignal.any([signal, timeout.signal]));
  } catch (error) {
    if (timeout.signal.aborted)
      throw unavailable(bounds, `${bounds.what} took longer than ${bounds.maxMs / 1000} s.`, error);
    throw signal.aborted ? stopped(error) : error;
  } finally {
    timer.abort();
  }
}

/** Nobody may be there to read it; a fault for the log it is not. */
function stopped(cause: unknown): AppError {
  return new AppError('REPOSITORY_UNAVAILABLE', 'The service is shutting down.', { cause, retryable: true });
}

function unavailable({ hint }: QuestionBounds, message: string, cause?: unknown): AppError {
  return new AppError('REPOSITORY_UNAVAILABLE', message, { cause, retryable: true, hint });
}
