/**
 * An async iterator that ends at once when its consumer closes it, even while it waits for the next value (a plain async generator
 * would first have to produce one). Pull-based: nothing is read ahead, so a slow consumer holds up nobody but itself.
 */
import { isAppError } from '../domain/errors';

export function closable<Value>(
  open: (signal: AbortSignal) => AsyncIterable<Value>,
): Required<AsyncIterableIterator<Value>> {
  const closing = new AbortController();
  const source = open(closing.signal)[Symbol.asyncIterator]();
  const done = { done: true, value: undefined } as const;

  const close = () => {
    if (closing.signal.aborted) return;
    closing.abort();
    // because: whoever closed does not wait for the source, and what it throws while ending is nobody's any more
    void Promise.resolve(source.return?.()).catch(() => undefined);
  };

  const iterator: Required<AsyncIterableIterator<Value>> = {
    async next() {
      if (closing.signal.aborted) return done;
      try {
        const result = await source.next();
        return result.done || closing.signal.aborted ? done : { done: false, value: result.value };
      } catch (error) {
        if (closing.signal.aborted && isAppError(error) && error.code === 'CANCELLED') return done;
        throw error;
      }
    },
    async return() {
      close();
      return done;
    },
    async throw(error: unknown) {
      close();
      throw error;
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
