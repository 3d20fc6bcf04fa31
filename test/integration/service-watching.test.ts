/** Clients of the whole service while a real job runs: subscribers that die and come back, and queries that are answered meanwhile. */
import { print } from 'graphql';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { createSeededRandom } from '../../src/sources/seeded-random';
import { ListJobsDocument, WatchJobDocument, type WatchJobSubscription } from '../support/generated/operations';
import { startServiceApp, type ServiceApp } from '../support/service-app';
import { sqlitePlatform, type Platform } from '../support/service-platforms';

const LONG = Boolean(process.env.LONG);
const RESUMES = LONG ? 200 : 20;
/** About so many of the subscriber's lives see an event: the job has not many more. */
const LIVES_WITH_AN_EVENT = 8;
jest.setTimeout(LONG ? 480_000 : 120_000);
type Event = WatchJobSubscription['jobEvents'];

describe('watching a job that runs', () => {
  let platform: Platform;
  let service: ServiceApp;
  beforeAll(async () => {
    platform = await sqlitePlatform(60);
    // A job of some seconds, so that there is something to watch: long enough for every resume to be in its middle.
    service = await startServiceApp({ sourceUrl: platform.sourceUrl, source: { maxRowsPerSecond: LONG ? 30 : 250 } });
  });
  afterAll(async () => {
    await service.close();
    await platform.remove();
  });

  it(`a subscriber killed and resumed ${RESUMES} times gets every event once, in order`, async () => {
    const random = createSeededRandom(3);
    const { jobId } = await service.client.startBackup();
    const bystander = follow(jobId, null, Infinity);
    const seen: Event[] = [];
    for (let resume = 0; resume < RESUMES; resume++)
      seen.push(
        ...(await follow(jobId, seen.at(-1)?.cursor ?? null, random.int(1, RESUMES) <= LIVES_WITH_AN_EVENT ? 1 : 0)),
      );
    expect((await service.client.getJob(jobId)).state).toBe('RUNNING'); // all of that was in the middle
    seen.push(...(await follow(jobId, seen.at(-1)?.cursor ?? null, Infinity)));
    expect(seen.map(({ sequence }) => sequence)).toEqual(seen.map((_, i) => i + 1));
    expect(seen).toEqual(await bystander);
    expect(seen.at(-1)).toMatchObject({ type: 'STATE_CHANGED', state: 'COMPLETED' });
    expect(seen.length).toBeGreaterThan(10);
  });

  it('the API answers all the time', async () => {
    const { jobId } = await service.client.startBackup();
    await service.client.jobWhen(jobId, ({ state }) => state === 'RUNNING');
    let answers = 0;
    for (let running = true; running;) {
      const { jobs } = await service.client.send(ListJobsDocument, { first: 50 });
      running = jobs.edges.some(({ node }) => node.id === jobId && node.state === 'RUNNING');
      if (running) answers++;
    }
    expect((await service.client.ended(jobId)).state).toBe('COMPLETED');
    expect(answers).toBeGreaterThan(20);
  });

  /** Follows on a socket of its own that dies after `count` events: by then it may have been sent more, that nobody saw. */
  async function follow(jobId: string, after: string | null, count: number): Promise<Event[]> {
    const client = createClient({
      url: `${service.address.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      lazy: false,
      onNonLazyError: () => undefined, // its socket is meant to die
    });
    try {
      await connected(client);
      return count === 0 ? [] : await take(client, { jobId, after, count });
    } finally {
      client.terminate();
    }
  }
});

function connected(client: Client): Promise<void> {
  return new Promise((resolve) => client.on('connected', () => resolve()));
}

async function take(
  client: Client,
  { jobId, after, count }: { jobId: string; after: string | null; count: number },
): Promise<Event[]> {
  const events: Event[] = [];
  const variables = { jobId, after };
  for await (const { data } of client.iterate<WatchJobSubscription>({ query: print(WatchJobDocument), variables })) {
    if (!data) throw new Error('an event without data');
    events.push(data.jobEvents);
    if (events.length >= count) break;
  }
  return events;
}
