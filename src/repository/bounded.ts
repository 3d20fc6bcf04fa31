/** Bounds on work in flight: a first-come gate by weight, a queue of one, and a concurrent loop. */

/** Lets work in while the weights inside stay within `capacity`; one heavier than all of it enters alone. */
export class WeightGate {
  private inside = 0;
  private readonly waiting: { weight: number; enter: () => void }[] = [];

  constructor(private readonly capacity: number) {}

  async run<T>(weight: number, work: () => Promise<T>): Promise<T> {
    await this.enter(weight);
    try {
      return await work();
    } finally {
      this.inside -= weight;
      this.letIn();
    }
  }

  private enter(weight: number): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push({ weight, enter: resolve });
      this.letIn();
    });
  }

  private letIn(): void {
    for (let next = this.waiting[0]; next; next = this.waiting[0]) {
      if (this.inside > 0 && this.inside + next.weight > this.capacity) return;
      this.waiting.shift();
      this.inside += next.weight;
      next.enter();
    }
  }
}

/** Runs tasks strictly one after another, in the order of their calls; a failed one does not stop the next. */
export class Sequence {
  private last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.last.then(task);
    this.last = result.catch(() => undefined);
    return result;
  }
}

/** Calls `work` for each item, at most `limit` at once. After a failure no new call starts; rejects once all have ended. */
export async function forEachBounded<T>(
  items: Iterable<T> | AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;
  for await (const item of items) {
    if (failure) break;
    const call: Promise<void> = work(item)
      .catch((error: unknown) => void (failure ??= { error }))
      .finally(() => running.delete(call));
    running.add(call);
    if (running.size >= limit) await Promise.race(running);
  }
  await Promise.all(running);
  if (failure) throw failure.error;
}
