/**
 * Whether the repository takes writes, tried at the start and every minute since. A full or read-only repository can still be read
 * and restored from, so this never ends readiness; it is shown there and logged when it changes.
 */
import type { Clock, Log } from '../domain/ambient';
import { isAppError } from '../domain/errors';

const TRY_EVERY_MS = 60_000;

export interface WriteWatch {
  /** Throws what stood in the way of the newest try. */
  check(): Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
}

export interface WriteWatchOptions {
  /** Writes, reads and deletes something; throws what stands in the way. */
  probe: () => Promise<void>;
  clock: Clock;
  log: Log;
}

/** Resolves after the first try, however it went. */
export async function watchWrites(options: WriteWatchOptions): Promise<WriteWatch> {
  const stopping = new AbortController();
  let failure = await tryWrite(options, null);
  const ended = tryAgainAndAgain();

  async function tryAgainAndAgain(): Promise<void> {
    try {
      for (;;) {
        await options.clock.sleep(TRY_EVERY_MS, stopping.signal);
        failure = await tryWrite(options, failure);
      }
    } catch (error) {
      if (!isAppError(error) || error.code !== 'CANCELLED') throw error;
    }
  }

  return {
    async check() {
      if (failure !== null) throw failure.error;
    },
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

interface Failure {
  error: unknown;
}

/** Says so when it is another outcome than `before`; null: it was written. */
async function tryWrite({ probe, log }: WriteWatchOptions, before: Failure | null): Promise<Failure | null> {
  try {
    await probe();
    if (before !== null) log.info('the repository takes writes again');
    return null;
  } catch (error) {
    if (before === null) log.warn('the repository takes no writes: backups fail until it does', { error });
    return { error };
  }
}
