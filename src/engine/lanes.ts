/**
 * Bounded concurrency with one way to fail: the first error stops the other lanes and is the one thrown; nothing is left
 * running when `runLanes` settles.
 */
import { AppError } from '../domain/errors';

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new AppError('CANCELLED', 'The work was cancelled.');
}

/** The same items, until the signal aborts: then it throws CANCELLED. */
export async function* untilAborted<Item>(items: AsyncIterable<Item>, signal: AbortSignal): AsyncGenerator<Item> {
  for await (const item of items) {
    throwIfAborted(signal);
    yield item;
  }
}

/** Does `work` for every item, at most `lanes` at a time, taking items in order. */
export async function runLanes<Item>(
  options: { lanes: number; signal: AbortSignal },
  items: AsyncIterable<Item> | Iterable<Item>,
  work: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const group = new AbortController();
  const signal = AbortSignal.any([options.signal, group.signal]);
  const queue = asQueue(items);
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    try {
      for (let next = await queue.next(); !next.done; next = await queue.next()) {
        throwIfAborted(signal);
        await work(next.value, signal);
      }
    } catch (error) {
      failures.push(error);
      group.abort();
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, options.lanes) }, lane));
  if (failures.length === 0) return;
  await queue.return(undefined);
  throw failures[0];
}

async function* asQueue<Item>(items: AsyncIterable<Item> | Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}

/** Results of promises in the order they were added, with at most `limit` of them unsettled: `add` waits for room. */
export class OrderedWindow<Result> {
  readonly results: Result[] = [];
  private readonly pending: Promise<Result>[] = [];

  constructor(private readonly limit: number) {}

  async add(promise: Promise<Result>): Promise<void> {
    // Awaited later; without this a rejection in between would count as unhandled.
    promise.catch(() => undefined);
    this.pending.push(promise);
    if (this.pending.length >= this.limit) await this.takeOldest();
  }

  async finish(): Promise<Result[]> {
    while (this.pending.length > 0) await this.takeOldest();
    return this.results;
  }

  /** Waits until nothing is under way, whatever became of it. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.pending);
  }

  private async takeOldest(): Promise<void> {
    const oldest = this.pending.shift();
    if (oldest !== undefined) this.results.push(await oldest);
  }
}
