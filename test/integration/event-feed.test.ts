/** Following events over a real catalog: no gap, no repeat, whoever dies, lags or comes late. */
import type { Catalog, ClaimedJob, JobEventRecord } from '../../src/catalog/catalog';
import type { JobId } from '../../src/domain/ids';
import { NO_PROGRESS } from '../../src/domain/job';
import { createEventBus, type EventBus } from '../../src/events/event-bus';
import { createEventFeed, type EventFeed } from '../../src/events/event-feed';
import { backupSpec, CATALOG_ENGINES, openCatalogStand, type CatalogStand } from '../support/catalog-stand';
import { settled, until } from '../support/fake-clock';

describe.each(CATALOG_ENGINES)('event feed on %s', (engine) => {
  let stand: CatalogStand;
  let catalog: Catalog;
  let bus: EventBus;
  let feed: EventFeed;
  let reads: number;
  let stopped: AbortController;

  beforeEach(async () => {
    stand = await openCatalogStand(engine);
    bus = createEventBus();
    catalog = await stand.reopen({ onEvent: (jobId) => bus.notify(jobId) });
    reads = 0;
    const events = Object.create(catalog.events) as Catalog['events'];
    events.ofJob = (options) => {
      reads += 1;
      return catalog.events.ofJob(options);
    };
    feed = createEventFeed({ catalog: { events }, bus, clock: stand.clock });
    stopped = new AbortController();
  });
  afterEach(async () => {
    stopped.abort();
    await until(() => feed.followed === 0 && stand.clock.sleeping === 0);
    await stand.close();
  });

  const begin = async (): Promise<ClaimedJob> => {
    await catalog.queue.enqueue({ spec: backupSpec(), createdBy: 'local' });
    return (await catalog.queue.claim({ owner: 'test', leaseMs: 60_000, concurrencyPerSource: 50 }))!;
  };
  const progress = (claimed: ClaimedJob, percent: number): Promise<void> =>
    catalog.queue.saveProgress(claimed.lease, { type: 'PROGRESS', progress: { ...NO_PROGRESS, percent } });
  const end = (claimed: ClaimedJob) => catalog.queue.settle(claimed.lease, { state: 'CANCELLED' });
  const follow = (jobId: JobId, after: number | null = null, signal = stopped.signal) =>
    feed.ofJob({ jobId, after, signal });
  const collect = async (events: AsyncIterable<JobEventRecord>): Promise<number[]> => {
    const sequences: number[] = [];
    for await (const event of events) sequences.push(event.sequence);
    return sequences;
  };
  const upTo = (last: number, from = 1): number[] => Array.from({ length: last - from + 1 }, (_, n) => from + n);

  it('replays, goes on live and ends after the last event', async () => {
    const claimed = await begin();
    const seen = collect(follow(claimed.job.id));
    for (let n = 1; n <= 20; n += 1) await progress(claimed, n);
    await end(claimed);
    expect(await seen).toEqual(upTo(23));
    expect(await collect(follow(claimed.job.id))).toEqual(upTo(23));
    expect(await collect(follow(claimed.job.id, 20))).toEqual([21, 22, 23]);
    expect(await collect(follow(claimed.job.id, 23))).toEqual([]);
  });

  it('replays more than a window holds', async () => {
    const claimed = await begin();
    const tip = collect(follow(claimed.job.id, 2));
    for (let n = 0; n < 300; n += 1) await progress(claimed, 1);
    const late = collect(follow(claimed.job.id));
    await end(claimed);
    expect(await tip).toEqual(upTo(303, 3));
    expect(await late).toEqual(upTo(303));
  });

  it('gives a follower who is killed and resumes twenty times every event once', async () => {
    const claimed = await begin();
    const writing = (async () => {
      for (let n = 0; n < 100; n += 1) await progress(claimed, n);
      await end(claimed);
    })();
    const seen: number[] = [];
    for (let life = 0; life < 20; life += 1) {
      const killed = new AbortController();
      for await (const event of follow(claimed.job.id, seen[seen.length - 1] ?? null, killed.signal)) {
        seen.push(event.sequence);
        if (seen.length >= (life + 1) * 4) killed.abort();
      }
    }
    for await (const event of follow(claimed.job.id, seen[seen.length - 1])) seen.push(event.sequence);
    await writing;
    expect(seen).toEqual(upTo(103));
  });

  it('serves a thousand followers with the reads of a few, and the same objects', async () => {
    const claimed = await begin();
    const last = new Map<number, Set<JobEventRecord>>();
    const watch = async (): Promise<number> => {
      let expected = 1;
      const mine = AbortSignal.any([stopped.signal]);
      for await (const event of follow(claimed.job.id, null, mine)) {
        if (event.sequence !== expected) throw new Error(`${event.sequence} came instead of ${expected}`);
        expected += 1;
        if (!last.has(event.sequence)) last.set(event.sequence, new Set());
        last.get(event.sequence)!.add(event);
      }
      return expected - 1;
    };
    const slow = follow(claimed.job.id)[Symbol.asyncIterator]();
    await slow.next();
    const watching = Array.from({ length: 1_000 }, watch);
    for (let n = 0; n < 50; n += 1) await progress(claimed, n);
    await end(claimed);
    expect(new Set(await Promise.all(watching))).toEqual(new Set([53]));
    expect(reads).toBeLessThan(250);
    expect(last.get(50)!.size).toBe(1);
    const rest: number[] = [];
    for (let next = await slow.next(); !next.done; next = await slow.next()) rest.push(next.value.sequence);
    expect(rest).toEqual(upTo(53, 2));
  });

  it('lets a thousand who come one after another begin anew with a single read', async () => {
    const claimed = await begin();
    for (let n = 0; n < 50; n += 1) await progress(claimed, n);
    const settled = new AbortController();
    const tip: number[] = [];
    const following = (async () => {
      for await (const event of follow(claimed.job.id, 40, settled.signal)) tip.push(event.sequence);
    })();
    await until(() => tip.length === 12); // the window begins in the middle
    const before = reads;
    for (let n = 0; n < 1_000; n += 1) {
      const late = follow(claimed.job.id)[Symbol.asyncIterator]();
      expect((await late.next()).value).toMatchObject({ sequence: 1 });
      await late.return?.();
    }
    expect(reads - before).toBe(1);
    settled.abort();
    await following;
    expect(tip).toEqual(upTo(52, 41));
  });

  it('finds what another process wrote, without a wake-up', async () => {
    const other = await stand.reopen();
    const claimed = await begin();
    const seen = collect(follow(claimed.job.id, 2));
    await until(() => stand.clock.sleeping >= 1);
    await other.queue.settle(claimed.lease, { state: 'CANCELLED' });
    await until(async () => {
      await stand.clock.advance(1_000);
      return feed.followed === 0;
    });
    expect(await seen).toEqual([3]);
  });

  it('refuses unknown jobs, positions beyond the end, and expired cursors', async () => {
    const claimed = await begin();
    await end(claimed);
    await expect(collect(follow('00000000-0000-4000-8000-000000000000' as JobId))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(collect(follow(claimed.job.id, 4))).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await stand.clock.advance(1_000);
    expect(await catalog.events.prune(stand.clock.now())).toBe(3);
    await expect(collect(follow(claimed.job.id, 1))).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
    await expect(collect(feed.ofAll({ after: 1, signal: stopped.signal }))).rejects.toMatchObject({
      code: 'CURSOR_EXPIRED',
    });
    expect(await collect(follow(claimed.job.id))).toEqual([]);
    expect(await collect(follow(claimed.job.id, 3))).toEqual([]);
  });

  it('stops waiting at once when its signal aborts', async () => {
    const claimed = await begin();
    const mine = new AbortController();
    const seen = collect(follow(claimed.job.id, null, mine.signal));
    await until(() => feed.followed === 1 && stand.clock.sleeping === 1);
    mine.abort();
    expect((await seen).length).toBeLessThanOrEqual(2);
    expect(feed.followed).toBe(0);
  });

  it('follows all jobs in commit order, from a position or from the first event', async () => {
    const earlier = await begin();
    const seen: JobEventRecord[] = [];
    const all = new AbortController();
    const following = (async () => {
      for await (const event of feed.ofAll({ after: null, signal: all.signal })) seen.push(event);
    })();
    await until(() => feed.followed === 1);
    const jobs = [earlier, await begin(), await begin()];
    await Promise.all(jobs.flatMap((claimed) => upTo(10).map((n) => progress(claimed, n))));
    await until(() => seen.length === 36);
    all.abort();
    await following;
    const replay: JobEventRecord[] = [];
    for await (const event of feed.ofAll({ after: 0, signal: stopped.signal })) {
      replay.push(event);
      if (replay.length === 36) break;
    }
    expect(replay.map((event) => event.globalSequence)).toEqual(upTo(36));
    expect(replay).toEqual(seen);
  });

  it('follows all jobs page by page from the first event kept, and waits where none is', async () => {
    const old = await begin();
    await end(old);
    await stand.clock.advance(1_000);
    expect(await catalog.events.prune(stand.clock.now())).toBe(3);
    const seen: number[] = [];
    const following = (async () => {
      for await (const event of feed.ofAll({ after: null, signal: stopped.signal })) seen.push(event.globalSequence);
    })();
    await until(() => feed.followed === 1);
    const claimed = await begin();
    for (let n = 0; n < 200; n += 1) await progress(claimed, n / 2);
    const late: number[] = [];
    for await (const event of feed.ofAll({ after: null, signal: stopped.signal })) {
      late.push(event.globalSequence);
      if (late.length === 202) break;
    }
    await until(() => seen.length === 202);
    expect([seen, late]).toEqual([upTo(205, 4), upTo(205, 4)]);
    stopped.abort();
    await following;
  });

  it('never shows a follower of all a hole that fills up later, with writers on several connections', async () => {
    const others = await Promise.all([stand.reopen(), stand.reopen()]);
    const claimed = await Promise.all([begin(), begin(), begin()]);
    const writers = [catalog, ...others];
    let position = 0;
    let writing = true;
    const reading = (async () => {
      for (let last = false; !last; last = !writing) {
        const { events } = await catalog.events.ofAll({ after: position, limit: 500 });
        for (const event of events) expect(event.globalSequence).toBe((position += 1));
        await settled(); // writes wait for the disk
      }
    })();
    const write = (n: number) =>
      writers[n % 3]!.queue.saveProgress(claimed[n % 3]!.lease, { type: 'PROGRESS', progress: NO_PROGRESS });
    await Promise.all(upTo(60).map(write));
    writing = false;
    await reading;
  });
});
