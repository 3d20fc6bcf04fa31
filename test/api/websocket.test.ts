/** GraphQL over WebSocket: close codes by a raw client, masks, limits, and events without a gap. */
import { print } from 'graphql';
import { effectOf, openApiStand, saveProgress, type ApiStand } from '../support/api-stand';
import { RawSocket } from '../support/api-socket';
import { CreateBackupDocument, WatchJobDocument } from '../support/generated/operations';
import { until } from '../support/fake-clock';

const SLOW = process.env['LONG'] === '1' ? 10 : 1;
const WATCH = print(WatchJobDocument);
const SUBSCRIBERS = 1_000;

let stand: ApiStand;
beforeAll(async () => {
  stand = await openApiStand({ limits: { maxSubscriptionsPerSocket: 3, maxMessageBytes: 4_096, maxQueryDepth: 10 } });
});
afterAll(() => stand.close());

async function withSocket(work: (socket: RawSocket) => Promise<void>, ready = true): Promise<void> {
  const socket = await (ready ? RawSocket.ready(stand.server.address) : RawSocket.open(stand.server.address));
  try {
    await work(socket);
  } finally {
    await socket.close();
  }
}

async function newJob(): Promise<string> {
  const { createBackup } = await stand.run(CreateBackupDocument, { input: { type: 'FULL' } });
  return createBackup.job!.id;
}

describe('close codes', () => {
  test.each<[string, { protocol?: null | undefined }, unknown[], number]>([
    ['4406 for no subprotocol', { protocol: null }, [], 4406],
    ['4400 for what is no JSON', {}, ['{'], 4400],
    ['4400 for an unknown type', {}, [{ type: 'hello' }], 4400],
    ['4429 for a second init', {}, [{ type: 'connection_init' }, { type: 'connection_init' }], 4429],
    ['4401 for a subscribe before the init', {}, [{ id: '1', type: 'subscribe', payload: { query: '{ a }' } }], 4401],
    [
      '1009 for a message that is too large',
      {},
      [JSON.stringify({ type: 'ping', payload: { x: 'x'.repeat(5_000) } })],
      1009,
    ],
  ])('%s', async (_name, options, messages, code) => {
    const socket = await RawSocket.open(stand.server.address, options);
    for (const message of messages) socket.send(message);
    await socket.until(() => socket.closed !== null);
    expect(socket.closed?.code).toBe(code);
  });

  test('4408 without an init in time', async () => {
    await withSocket(async (socket) => {
      await socket.until(() => socket.closed !== null);
      expect(socket.closed?.code).toBe(4408);
    }, false);
  });

  test('4409 for an id in use', async () => {
    await withSocket(async (socket) => {
      socket.subscribe('1', 'subscription { jobUpdates { cursor } }');
      socket.subscribe('1', 'subscription { jobUpdates { cursor } }');
      await socket.until(() => socket.closed !== null);
      expect(socket.closed?.code).toBe(4409);
    });
  });

  test('1001 when the service stops, which it does although sockets are open', async () => {
    const stopping = await openApiStand();
    const socket = await RawSocket.ready(stopping.server.address);
    socket.subscribe('1', 'subscription { jobUpdates { cursor } }');
    await until(() => stopping.feed.followed === 1);
    await stopping.close();
    await socket.until(() => socket.closed !== null);
    expect(socket.closed?.code).toBe(1001);
    expect(stopping.feed.followed).toBe(0);
  });
});

describe('the handshake', () => {
  test.each([
    ['another origin', '/graphql', { origin: 'https://evil.example' }, 403],
    ['an opaque origin', '/graphql', { origin: 'null' }, 403],
    ['another host', '/graphql', { host: 'evil.example' }, 403],
    ['another path', '/elsewhere', {}, 404],
  ])('is refused to %s', async (_name, path, headers, status) => {
    const { WebSocket } = await import('ws');
    const url = `${stand.server.address.replace('http', 'ws')}${path}`;
    const socket = new WebSocket(url, 'graphql-transport-ws', { headers });
    const answered = await new Promise((resolve) => {
      socket.on('error', () => undefined);
      socket.on('open', () => resolve(101));
      socket.on('unexpected-response', (request, response) => {
        resolve(response.statusCode);
        request.destroy();
      });
    });
    expect(answered).toBe(status);
  });

  test('is granted to a page of its own', async () => {
    const headers = { origin: stand.server.address };
    const socket = await RawSocket.open(stand.server.address, { headers });
    await socket.close();
  });

  test('is refused with 503 beyond the most sockets', async () => {
    const small = await openApiStand({ limits: { maxSockets: 1 } });
    const first = await RawSocket.ready(small.server.address);
    await expect(RawSocket.open(small.server.address)).rejects.toThrow('503');
    await first.close();
    await small.close();
  });
});

describe('operations', () => {
  test('a ping is answered', async () => {
    await withSocket(async (socket) => {
      socket.send({ type: 'ping', payload: { a: 1 } });
      await socket.until(() => socket.received.some(({ type }) => type === 'pong'));
      expect(socket.received.at(-1)).toEqual({ type: 'pong', payload: { a: 1 } });
    });
  });

  test.each([
    ['a parse error', '{', 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', '{ sourcez { name } }', 'GRAPHQL_VALIDATION_FAILED'],
    [
      'too deep',
      `{ jobs(first: 1) { nodes { ${'backup { job { '.repeat(5)} id ${'} }'.repeat(5)} } } }`,
      'LIMIT_EXCEEDED',
    ],
    [
      'too many aliases',
      `{ ${Array.from({ length: 31 }, (_, n) => `a${n}: sources { name }`).join(' ')} }`,
      'LIMIT_EXCEEDED',
    ],
  ])('%s is an error of the operation, the socket lives on', async (_name, query, code) => {
    await withSocket(async (socket) => {
      socket.subscribe('1', query);
      await socket.until(() => socket.of('1', 'error').length > 0);
      const [error] = socket.of('1', 'error')[0]?.payload as { message: string; extensions: unknown }[];
      expect(error).toMatchObject({ extensions: { code } });
      expect(error?.message).not.toContain('Did you mean');
      expect(socket.closed).toBeNull();
    });
  });

  test('more at once than one socket may run is an error of the last one', async () => {
    await withSocket(async (socket) => {
      for (const id of ['1', '2', '3', '4']) socket.subscribe(id, 'subscription { jobUpdates { cursor } }');
      await socket.until(() => socket.of('4', 'error').length > 0);
      expect(socket.of('4', 'error')[0]?.payload).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED' } }]);
      expect(socket.of('3', 'error')).toEqual([]);
      await until(() => stand.feed.followed === 1);
    });
    await until(() => stand.feed.followed === 0);
  });

  test('a fault is masked in a query and in a subscription', async () => {
    const fail = () => Promise.reject(new Error('secret table'));
    const broken = await openApiStand({
      wrapCatalog: (catalog) => ({
        ...catalog,
        jobs: Object.assign(Object.create(catalog.jobs) as typeof catalog.jobs, { statistics: fail, findMany: fail }),
      }),
    });
    const socket = await RawSocket.ready(broken.server.address);
    socket.subscribe('1', '{ jobStatistics { total } }');
    await socket.until(() => socket.of('1', 'next').length > 0);
    const created = await broken.post<{ createBackup: { job: { id: string } } }>(print(CreateBackupDocument), {});
    const jobId = created.data!.createBackup.job.id;
    socket.subscribe('2', 'subscription ($jobId: ID!) { jobEvents(jobId: $jobId) { job { id } } }', { jobId });
    await socket.until(() => socket.of('2', 'next').length > 0);
    const text = JSON.stringify(socket.received);
    expect(text).not.toContain('secret');
    expect(text.match(/INTERNAL_SERVER_ERROR/g)).toHaveLength(2);
    await socket.close();
    await broken.close();
  });

  test.each([
    ['a malformed id', '../../etc/passwd', 'INVALID_INPUT'],
    ['an unknown job', Buffer.from('Job:00000000-0000-4000-8000-000000000000').toString('base64url'), 'NOT_FOUND'],
  ])('events of %s end with a typed error', async (_name, jobId, code) => {
    await withSocket(async (socket) => {
      socket.subscribe('1', WATCH, { jobId });
      await socket.until(() => socket.received.some(({ id }) => id === '1'));
      expect(JSON.stringify(socket.received)).toContain(`"code":"${code}"`);
    });
  });

  test("another job's cursor is refused", async () => {
    const [one, two] = [await newJob(), await newJob()];
    await withSocket(async (socket) => {
      socket.subscribe('1', WATCH, { jobId: one });
      await socket.until(() => socket.of('1', 'next').length > 0);
      const after = socket.data<{ jobEvents: { cursor: string } }>('1')[0]!.jobEvents.cursor;
      socket.subscribe('2', WATCH, { jobId: two, after });
      await socket.until(() => socket.received.some(({ id }) => id === '2'));
      expect(JSON.stringify(socket.received)).toContain('INVALID_INPUT');
    });
    await stand.completeNext();
    await stand.completeNext();
  });
});

interface Watched {
  jobEvents: { cursor: string; sequence: number; state: string };
}

describe('events', () => {
  test('are replayed, go on live, and end with the job', async () => {
    const jobId = await newJob();
    await withSocket(async (socket) => {
      socket.subscribe('1', WATCH, { jobId });
      await socket.until(() => socket.of('1', 'next').length === 1);
      await stand.completeNext(5);
      await socket.until(() => socket.of('1', 'complete').length === 1);
      const events = socket.data<Watched>('1').map(({ jobEvents }) => jobEvents);
      expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
      expect(events.map(({ state }) => state)).toEqual(['PENDING', ...Array<string>(6).fill('RUNNING'), 'COMPLETED']);
    });
  });

  test('reach a client that is killed and resumes twenty times, each once and in order', async () => {
    const jobId = await newJob();
    const { lease, job } = await stand.claim();
    const seen: number[] = [];
    let after: string | undefined;
    for (let life = 1; life <= 20; life += 1) {
      const socket = await RawSocket.ready(stand.server.address);
      socket.subscribe('1', WATCH, { jobId, after });
      const writing = saveThree(life, lease);
      await socket.until(() => socket.of('1', 'next').length >= (life === 1 ? 2 : 1));
      const events = socket.data<Watched>('1').map(({ jobEvents }) => jobEvents);
      await socket.close();
      seen.push(...events.map(({ sequence }) => sequence));
      after = events.at(-1)!.cursor;
      await writing;
    }
    await stand.settle(lease, { state: 'COMPLETED', effect: effectOf(job) });
    await withSocket(async (socket) => {
      socket.subscribe('1', WATCH, { jobId, after });
      await socket.until(() => socket.of('1', 'complete').length === 1);
      seen.push(...socket.data<Watched>('1').map(({ jobEvents }) => jobEvents.sequence));
    });
    const { lastSequence } = (await stand.catalog.jobs.find(job.id))!;
    expect(lastSequence).toBe(63);
    expect(seen).toEqual(Array.from({ length: lastSequence }, (_, index) => index + 1));
  });

  async function saveThree(life: number, lease: Parameters<typeof saveProgress>[1]): Promise<void> {
    for (let step = 1; step <= 3; step += 1) await saveProgress(stand.catalog, lease, (life * 3 + step) / 100);
  }

  test('of all jobs go on from a cursor, and a filter lets only its own through', async () => {
    await withSocket(async (socket) => {
      const query = `subscription ($after: String, $filter: JobFilter) {
        jobUpdates(after: $after, filter: $filter) { cursor state job { id kind } } }`;
      const jobId = await newJob();
      const earlier = (await stand.catalog.events.ofAll({ after: null, limit: 1_000 })).events.length - 1;
      socket.subscribe('1', query, {});
      await socket.until(() => socket.of('1', 'next').length === earlier + 1);
      await stand.completeNext();
      await socket.until(() => socket.of('1', 'next').length === earlier + 3);
      type Update = { jobUpdates: { cursor: string; state: string; job: { id: string } } };
      const all = socket.data<Update>('1').map(({ jobUpdates }) => jobUpdates);
      const updates = all.slice(earlier);
      expect(updates.map(({ state }) => state)).toEqual(['PENDING', 'RUNNING', 'COMPLETED']);
      expect(updates.every(({ job }) => job.id === jobId)).toBe(true);
      const filter = { kinds: ['BACKUP'], states: ['COMPLETED'] };
      socket.subscribe('2', query, { after: updates[0]!.cursor, filter });
      socket.subscribe('3', query, { after: updates[0]!.cursor, filter: { kinds: ['RESTORE'] } });
      await socket.until(() => socket.of('2', 'next').length === 1);
      expect(socket.data<Update>('2')[0]!.jobUpdates).toEqual(updates[2]);
      expect(socket.of('3', 'next')).toEqual([]);
    });
  });
});

describe('many subscribers', () => {
  test(`${SUBSCRIBERS} on one job get every event, and a slow one delays nobody`, async () => {
    const jobId = await newJob();
    const { lease, job } = await stand.claim();
    const sockets = await openMany(SUBSCRIBERS);
    const slow = await RawSocket.ready(stand.server.address);
    slow.socket.pause();
    for (const socket of [...sockets, slow]) socket.subscribe('1', WATCH, { jobId });
    const heapBefore = process.memoryUsage().heapUsed;
    const events = 10 * SLOW;
    for (let step = 1; step <= events; step += 1) await saveProgress(stand.catalog, lease, step / events);
    await stand.settle(lease, { state: 'COMPLETED', effect: effectOf(job) });
    await Promise.all(sockets.map((socket) => socket.until(() => socket.of('1', 'complete').length === 1)));
    expect(new Set(sockets.map((socket) => socket.of('1', 'next').length))).toEqual(new Set([events + 3]));
    expect(slow.received).toHaveLength(1);
    expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(400 * 1024 * 1024);
    slow.socket.resume();
    await slow.until(() => slow.of('1', 'complete').length === 1);
    expect(slow.of('1', 'next')).toHaveLength(events + 3);
    await Promise.all([...sockets, slow].map((socket) => socket.close()));
    await until(() => stand.feed.followed === 0);
  }, 150_000);
});

async function openMany(count: number): Promise<RawSocket[]> {
  const sockets: RawSocket[] = [];
  for (let done = 0; done < count; done += 50) {
    const batch = Array.from({ length: Math.min(50, count - done) }, () => RawSocket.ready(stand.server.address));
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}
