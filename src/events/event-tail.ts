/**
 * The newest events of one job (or of all jobs), shared by everyone who follows them: a thousand followers at the tip cost one
 * query per wake-up, and a thousand who begin anew cost one as well while the window reaches back to the first event. Followers
 * who are further behind than the window reaches read the table, sharing equal reads.
 *
 * The window covers the positions from `from` (exclusive) to `to` (inclusive) without a gap. It holds at most WINDOW events,
 * and followers hold at most one batch each: memory is bounded whatever their number and speed.
 */
import type { JobEventRecord } from '../catalog/catalog';

export interface TailSlice {
  events: readonly JobEventRecord[];
  /** The position that these events follow upon: what was asked for or, for null, the one before the first event kept. */
  start: number;
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
  /** The position before the first event kept, as it was when last somebody asked. */
  private beginning: number | null = null;
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
    let position = after ?? this.heldBeginning();
    while (!signal.aborted) {
      const held = this.held(position);
      if (held.length > 0) return held;
      if (this.end !== null && position !== null && position >= this.end) return null;
      if (this.isFresh(position)) {
        await this.wait(signal);
        continue;
      }
      const slice = await this.share(position);
      if (slice.events.length > 0) return slice.events;
      if (slice.complete) return null;
      position = slice.start;
    }
    return null;
  }

  /** Where a follower without a position begins, while the window still reaches so far back; null: only the table knows. */
  private heldBeginning(): number | null {
    return this.beginning !== null && this.from !== null && this.beginning >= this.from ? this.beginning : null;
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
    if (after === null) this.beginning = slice.start;
    if (this.to === null || slice.start >= this.to) this.append(slice, hintsBefore);
    else this.prepend(slice);
    return slice;
  }

  /** A read at the tip extends the window; one beyond it begins the window anew. */
  private append(slice: TailSlice, hintsBefore: number): void {
    const { start } = slice;
    if (start !== this.to) {
      this.events = [];
      this.from = start;
    }
    this.events.push(...slice.events);
    this.to = Math.max(start, this.lastOf(slice) ?? start);
    if (slice.events.length < BATCH) this.hintsRead = hintsBefore;
    if (slice.complete) this.end = this.to;
    this.trim();
  }

  /** A read that reaches into the window from behind lengthens it, where there is room. */
  private prepend(slice: TailSlice): void {
    const from = this.from;
    if (from === null || slice.start >= from || (this.lastOf(slice) ?? slice.start) < from) return;
    const older = slice.events.filter((event) => this.options.positionOf(event) <= from);
    if (older.length + this.events.length > WINDOW) return;
    this.events.unshift(...older);
    this.from = slice.start;
  }

  private lastOf({ events }: TailSlice): number | undefined {
    const last = events[events.length - 1];
    return last && this.options.positionOf(last);
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
