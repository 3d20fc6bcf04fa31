/**
 * What two sequences do not share, without either of them in memory: their items pass in step, and what one has met in the other is left
 * out. Where both stand in the same order, which is not relied on, all that is shared is found; an item that is not may be given of both.
 */

/** Neighbours of both sequences, between two items that these share. */
export interface UnsharedRun<Item> {
  before: Item[];
  after: Item[];
}

/** Items of one side that wait for the other to come to them. Beyond, one that both have is taken for unshared, which costs a read. */
const MAX_WAITING = 8 * 1024;

/** Items of the same name are the same; in one sequence there are no two of them. */
export async function* unsharedRuns<Item>(
  before: AsyncIterable<Item>,
  after: AsyncIterable<Item>,
  nameOf: (item: Item) => string,
): AsyncGenerator<UnsharedRun<Item>> {
  const sides = [new WaitingItems(before, nameOf), new WaitingItems(after, nameOf)] as const;
  const [ofBefore, ofAfter] = sides;
  const run = (): UnsharedRun<Item> => ({ before: ofBefore.take(), after: ofAfter.take() });
  for (let isOver = false; !isOver;) {
    isOver = true;
    for (const [side, other] of [sides, [ofAfter, ofBefore]] as const) {
      const item = await side.read();
      if (item === null) continue;
      isOver = false;
      const place = other.placeOf(nameOf(item));
      if (place === null) side.add(item);
      else yield* unlessEmpty(ordered(side === ofBefore, side.take(), other.takeThrough(place)));
    }
    if (Math.max(ofBefore.size, ofAfter.size) >= MAX_WAITING) yield run();
  }
  yield* unlessEmpty(run());
}

function ordered<Item>(isBefore: boolean, own: Item[], others: Item[]): UnsharedRun<Item> {
  return isBefore ? { before: own, after: others } : { before: others, after: own };
}

function* unlessEmpty<Item>(run: UnsharedRun<Item>): Generator<UnsharedRun<Item>> {
  if (run.before.length + run.after.length > 0) yield run;
}

/** Items of one sequence since the last one that both have. */
class WaitingItems<Item> {
  private readonly items: AsyncIterator<Item>;
  private waiting: Item[] = [];
  /** Of the first that waits, in `waiting`: what comes before was taken. */
  private first = 0;
  /** By name, counted over the whole sequence but for shared items. */
  private readonly places = new Map<string, number>();
  private taken = 0;

  constructor(
    items: AsyncIterable<Item>,
    private readonly nameOf: (item: Item) => string,
  ) {
    this.items = items[Symbol.asyncIterator]();
  }

  get size(): number {
    return this.waiting.length - this.first;
  }

  /** Null at the end, and from then on. */
  async read(): Promise<Item | null> {
    const next = await this.items.next();
    return next.done === true ? null : next.value;
  }

  add(item: Item): void {
    this.places.set(this.nameOf(item), this.taken + this.size);
    this.waiting.push(item);
  }

  placeOf(name: string): number | null {
    return this.places.get(name) ?? null;
  }

  /** All that wait. */
  take(): Item[] {
    return this.takeFirst(this.size);
  }

  /** Those before `place`; the one there goes too. */
  takeThrough(place: number): Item[] {
    return this.takeFirst(place - this.taken + 1).slice(0, -1);
  }

  private takeFirst(count: number): Item[] {
    const items = this.waiting.slice(this.first, this.first + count);
    for (const item of items) this.places.delete(this.nameOf(item));
    this.first += count;
    this.taken += count;
    if (this.first > MAX_WAITING || this.size === 0) {
      this.waiting = this.waiting.slice(this.first);
      this.first = 0;
    }
    return items;
  }
}
