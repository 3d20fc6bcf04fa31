/**
 * The newest events of one job (or of all jobs), shared by everyone who follows them: a thousand followers at the tip cost one
 * query per wake-up. Followers who are further behind than the window reaches read the table, sharing equal reads.
 *
 * The window covers the positions from `from` (exclusive) to `to` (inclusive) without a gap. It holds at most WINDOW events,
 * and followers hold at most one batch each: memory is bounded whatever their number and speed.
 */
import type { JobEventRecord } from '../catalog/catalog';

export interface TailSlice {
  events: readonly JobEventRecord[];
  /** True when nothing will ever follow these events. */
  complete: boolean;
}

export interface TailOptions {
  /** Events after a position, oldest first; null means from the first one kept. */
  read(after: number | null, limit: number): Promise<TailSlice>;
  positionOf(event: JobEventRecord): number;
}

const WINDOW = 256;
const BATCH = 64;

export class EventTail {
  private events: JobEventRecord[] = [];
  private from: number | null = null;
  private to: number | null = null;
  /** The position after which nothing follows. */
  private end: number | null = null;
  private hints = 0;
  /** How many hints the window's newest read has taken in; fewer than `hints` means that there may be more to read. */
  private hintsRead = -1;
  private readonly waiting = new Set<() => void>();
  private readonly reads = new Map<number | null, Promise<TailSlice>>();

  constructor(private readonly options: TailOptions) {}

  /** There may be new events. */
  hint(): void {
    this.hints += 1;
    for (const wake of [...this.waiting]) wake();
  }

  /** The next events after a position, as soon as there are any; null when none will follow or the signal aborted. */
  async next(after: number | null, signal: AbortSignal): Promise<readonly JobEventRecord[] | null> {
    while (!signal.aborted) {
      const held = this.held(after);
      if (held.length > 0) return held;
      if (this.end !== null && after !== null && after >= this.end) return null;
      if (this.isFresh(after)) {
        await this.wait(signal);
        continue;
      }
      const slice = await this.share(after);
      if (slice.events.length > 0) return slice.events;
      if (slice.complete) return null;
    }
    return null;
  }

  private held(after: number | null): JobEventRecord[] {
    if (after === null || this.from === null || after < this.from) return [];
    const start = this.events.findIndex((event) => this.options.positionOf(event) > after);
    return start === -1 ? [] : this.events.slice(start, start + BATCH);
  }

  private isFresh(after: number | null): boolean {
    return after !== null && after === this.to && this.hintsRead === this.hints;
  }

  private share(after: number | null): Promise<TailSlice> {
    const running = this.reads.get(after);
    if (running) return running;
    const read = this.read(after).finally(() => this.reads.delete(after));
    this.reads.set(after, read);
    return read;
  }

  private async read(after: number | null): Promise<TailSlice> {
    const hintsBefore = this.hints;
    const slice = await this.options.read(after, BATCH);
    const first = slice.events[0];
    const start = after ?? (first === undefined ? 0 : this.options.positionOf(first) - 1);
    if (this.to === null || start >= this.to) this.takeIn(start, slice, hintsBefore);
    return slice;
  }

  /** A read at the tip extends the window; one beyond it begins the window anew. */
  private takeIn(start: number, slice: TailSlice, hintsBefore: number): void {
    if (start !== this.to) {
      this.events = [];
      this.from = start;
    }
    this.events.push(...slice.events);
    const last = this.events[this.events.length - 1];
    this.to = last === undefined ? start : Math.max(start, this.options.positionOf(last));
    if (slice.events.length < BATCH) this.hintsRead = hintsBefore;
    if (slice.complete) this.end = this.to;
    this.trim();
  }

  private trim(): void {
    const excess = this.events.length - WINDOW;
    if (excess <= 0) return;
    const dropped = this.events.splice(0, excess);
    this.from = this.options.positionOf(dropped[excess - 1] as JobEventRecord);
  }

  private wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
