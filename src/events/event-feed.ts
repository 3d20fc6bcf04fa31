/**
 * Follows events: replay from the table, then live, in order, each once. Pull-based: a follower asks for its next event when it has
 * dealt with the last one, so a slow one holds up nobody and nothing is queued for it.
 *
 * All followers of a job get the very same record objects, so that a WeakMap keyed by them can keep one serialization per event.
 *
 * Wake-ups come from the bus and, since workers may be other processes, from a look at the table every `pollMs` while anybody
 * follows.
 */
import type { Catalog, JobEventRecord } from '../catalog/catalog';
import type { Clock } from '../domain/ambient';
import { isAppError } from '../domain/errors';
import type { JobId } from '../domain/ids';
import type { EventBus } from './event-bus';
import { EventTail } from './event-tail';

export interface EventFeed {
  /** A job's events after a sequence (null: from the first one kept). Ends after the job's last event or when the signal aborts. */
  ofJob(options: FollowOptions & { jobId: JobId }): AsyncIterable<JobEventRecord>;
  /** All jobs' events after a global sequence (null: from the first one kept). Ends when the signal aborts. */
  ofAll(options: FollowOptions): AsyncIterable<JobEventRecord>;
  /** How many jobs are followed; the feed of all counts as one. */
  readonly followed: number;
}

/** Iterating throws what `EventRecords` throws: NOT_FOUND, INVALID_INPUT, CURSOR_EXPIRED, CATALOG_UNAVAILABLE. */
export interface FollowOptions {
  after: number | null;
  signal: AbortSignal;
}

export interface EventFeedOptions {
  catalog: Pick<Catalog, 'events'>;
  bus: EventBus;
  clock: Clock;
  pollMs?: number;
}

const DEFAULT_POLL_MS = 1_000;
const ALL = Symbol('all jobs');
type Key = JobId | typeof ALL;

export function createEventFeed(options: EventFeedOptions): EventFeed {
  const { events } = options.catalog;
  const tails = new Tails(options);
  return {
    ofJob({ jobId, ...rest }) {
      const positionOf = (event: JobEventRecord) => event.sequence;
      const read = async (after: number | null, limit: number) => {
        const slice = await events.ofJob({ jobId, after, limit });
        return { ...slice, start: after ?? (slice.events[0]?.sequence ?? 1) - 1 };
      };
      return follow({ tails, key: jobId, make: () => new EventTail({ read, positionOf }), ...rest, positionOf });
    },
    ofAll(rest) {
      const positionOf = (event: JobEventRecord) => event.globalSequence;
      const read = async (after: number | null, limit: number) => ({
        ...(await events.ofAll({ after, limit })),
        complete: false,
      });
      return follow({ tails, key: ALL, make: () => new EventTail({ read, positionOf }), ...rest, positionOf });
    },
    get followed() {
      return tails.size;
    },
  };
}

interface Following extends FollowOptions {
  tails: Tails;
  key: Key;
  make: () => EventTail;
  positionOf: (event: JobEventRecord) => number;
}

async function* follow({ tails, key, make, after, signal, positionOf }: Following): AsyncGenerator<JobEventRecord> {
  const tail = tails.acquire(key, make);
  try {
    let position = after;
    for (let batch = await tail.next(position, signal); batch !== null; batch = await tail.next(position, signal)) {
      for (const event of batch) {
        if (signal.aborted) return;
        position = positionOf(event);
        yield event;
      }
    }
  } finally {
    tails.release(key);
  }
}

/** The tails that somebody follows, and the hints that reach them. */
class Tails {
  private readonly held = new Map<Key, { tail: EventTail; followers: number }>();
  private listening: AbortController | null = null;

  constructor(private readonly options: EventFeedOptions) {}

  get size(): number {
    return this.held.size;
  }

  acquire(key: Key, make: () => EventTail): EventTail {
    const entry = this.held.get(key) ?? { tail: make(), followers: 0 };
    entry.followers += 1;
    this.held.set(key, entry);
    if (this.listening === null) this.listen();
    return entry.tail;
  }

  release(key: Key): void {
    const entry = this.held.get(key);
    if (entry === undefined) return;
    entry.followers -= 1;
    if (entry.followers === 0) this.held.delete(key);
    if (this.held.size > 0) return;
    this.listening?.abort();
    this.listening = null;
  }

  private listen(): void {
    const listening = new AbortController();
    this.listening = listening;
    const unsubscribe = this.options.bus.subscribe((jobId) => {
      this.held.get(jobId)?.tail.hint();
      this.held.get(ALL)?.tail.hint();
    });
    listening.signal.addEventListener('abort', unsubscribe, { once: true });
    void this.poll(listening.signal); // it ends with the last follower and throws nothing but its own cancellation
  }

  private async poll(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        await this.options.clock.sleep(this.options.pollMs ?? DEFAULT_POLL_MS, signal);
        for (const { tail } of this.held.values()) tail.hint();
      }
    } catch (error) {
      if (!isAppError(error) || error.code !== 'CANCELLED') throw error;
    }
  }
}
