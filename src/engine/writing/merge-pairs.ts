/** Merges sorted runs of pairs (number, ordinal) that were spooled to disk. Holds one frame of each run in memory. */
import type { RowSpool } from '../rows/spool';

const OUTPUT_PAIRS = 16 * 1024;
/** A place in the heap is a number and, for equal ones, which run is earlier: both fit one exact double. */
const RUNS = 2 ** 20;

/** Pairs of all runs in order, some at a time; of equal numbers those of earlier runs first. What was given is overwritten by the next. */
export async function* mergeRuns(runs: readonly RowSpool[]): AsyncGenerator<Uint32Array> {
  const cursors = runs.map((run) => new RunCursor(run));
  const heap = new MinHeap(runs.length);
  for (const [index, cursor] of cursors.entries()) if (await cursor.load()) heap.push(cursor.number * RUNS + index);
  const output = new Uint32Array(2 * OUTPUT_PAIRS);
  let size = 0;
  while (heap.size > 0) {
    const index = heap.smallest % RUNS;
    const cursor = cursors[index] as RunCursor;
    output[size++] = cursor.number;
    output[size++] = cursor.ordinal;
    if (cursor.advance() || (await cursor.load())) heap.replaceSmallest(cursor.number * RUNS + index);
    else heap.pop();
    if (size < output.length) continue;
    yield output;
    size = 0;
  }
  yield output.subarray(0, size);
}

class RunCursor {
  private readonly batches: AsyncIterator<{ bytes: Buffer }>;
  private pairs = new Uint32Array(0);
  private at = 0;

  constructor(run: RowSpool) {
    this.batches = run.batches()[Symbol.asyncIterator]();
  }

  get number(): number {
    return this.pairs[this.at] as number;
  }

  get ordinal(): number {
    return this.pairs[this.at + 1] as number;
  }

  /** False at the end of what is loaded. */
  advance(): boolean {
    this.at += 2;
    return this.at < this.pairs.length;
  }

  /** False at the end of the run. */
  async load(): Promise<boolean> {
    const next = await this.batches.next();
    if (next.done) return false;
    const { bytes } = next.value;
    // A copy, for the frame may begin anywhere, and numbers may not.
    this.pairs = new Uint32Array(Uint8Array.from(bytes).buffer);
    this.at = 0;
    return true;
  }
}

class MinHeap {
  size = 0;
  private readonly places: Float64Array;

  constructor(capacity: number) {
    this.places = new Float64Array(capacity);
  }

  get smallest(): number {
    return this.places[0] as number;
  }

  push(value: number): void {
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.places[parent] as number) <= value) break;
      this.places[at] = this.places[parent] as number;
      at = parent;
    }
    this.places[at] = value;
  }

  pop(): void {
    const last = this.places[--this.size] as number;
    if (this.size > 0) this.replaceSmallest(last);
  }

  replaceSmallest(value: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && (this.places[child + 1] as number) < (this.places[child] as number)) child++;
      if ((this.places[child] as number) >= value) break;
      this.places[at] = this.places[child] as number;
      at = child;
    }
    this.places[at] = value;
  }
}
