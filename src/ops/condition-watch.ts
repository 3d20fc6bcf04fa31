/**
 * Whether something that jobs need works, tried at the start and every minute since. Its failure never ends readiness (a full
 * repository can be restored from, a source that is away may be one of many); it is shown there and logged when it changes.
 */
import type { Clock, Log } from '../domain/ambient';
import { isAppError } from '../domain/errors';

const TRY_EVERY_MS = 60_000;

export interface ConditionWatch {
  /** Resolves after the first try, however it went. */
  readonly tried: Promise<void>;
  /** Throws what stood in the way of the newest try. */
  check(): Promise<void>;
  /** Ends a try that is under way too. Idempotent. */
  stop(): Promise<void>;
}

export interface ConditionWatchOptions {
  /** Throws what stands in the way. */
  probe: (signal: AbortSignal) => Promise<void>;
  /** What the log says when it begins to fail, and when it works again. */
  words: { failing: string; working: string };
  clock: Clock;
  log: Log;
}

interface Failure {
  error: unknown;
}

export function watchCondition(options: ConditionWatchOptions): ConditionWatch {
  const stopping = new AbortController();
  let failure: Failure | null = null;
  const tryOnce = async (): Promise<void> => void (failure = await attempt(options, failure, stopping.signal));
  const tried = tryOnce();
  const ended = tried.then(tryAgainAndAgain);

  async function tryAgainAndAgain(): Promise<void> {
    try {
      for (;;) {
        await options.clock.sleep(TRY_EVERY_MS, stopping.signal);
        await tryOnce();
      }
    } catch (error) {
      if (!isAppError(error) || error.code !== 'CANCELLED') throw error;
    }
  }

  return {
    tried,
    async check() {
      if (failure !== null) throw failure.error;
    },
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

/** Says so when it is another outcome than `before`; null: it works. */
async function attempt(
  { probe, words, log }: ConditionWatchOptions,
  before: Failure | null,
  signal: AbortSignal,
): Promise<Failure | null> {
  try {
    await probe(signal);
    if (before !== null) log.info(words.working);
    return null;
  } catch (error) {
    if (signal.aborted) return before;
    if (before === null) log.warn(words.failing, { error });
    return { error };
  }
}
