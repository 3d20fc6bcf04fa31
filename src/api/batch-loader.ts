/**
 * Loads many things by id with one call: all ids asked for while one list resolves go into one batch, each id once. Lives as long
 * as one request, so that nothing is ever stale beyond it.
 */

export interface BatchLoader<Id extends string, Item> {
  load(id: Id): Promise<Item | null>;
}

export function createBatchLoader<Id extends string, Item>(
  findMany: (ids: readonly Id[]) => Promise<readonly (Item | null)[]>,
): BatchLoader<Id, Item> {
  const loaded = new Map<Id, Promise<Item | null>>();
  let batch: { ids: Id[]; items: Promise<readonly (Item | null)[]> } | null = null;

  const openBatch = () => {
    const ids: Id[] = [];
    const items = afterThisTick().then(() => {
      batch = null;
      return findMany(ids);
    });
    return { ids, items };
  };

  return {
    load(id) {
      const known = loaded.get(id);
      if (known) return known;
      batch ??= openBatch();
      const index = batch.ids.push(id) - 1;
      const item = batch.items.then((items) => items[index] ?? null);
      loaded.set(id, item);
      return item;
    },
  };
}

/** After the promise jobs that are queued now: the resolvers of a whole list have run by then. */
function afterThisTick(): Promise<void> {
  return new Promise((resolve) => void Promise.resolve().then(() => process.nextTick(resolve)));
}
