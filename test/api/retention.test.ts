/** previewRetention: what it shows, page by page, what it refuses, and that it never waits for ever. */
import { AppError } from '../../src/domain/errors';
import type { RepositoryPort } from '../../src/services/ports';
import { openApiStand, storedManifest, TEST_REPOSITORY, type ApiStand } from '../support/api-stand';
import { FakeClock, until } from '../support/fake-clock';
import * as op from '../support/generated/operations';

const asked: { backupIds: readonly string[]; signal: AbortSignal }[] = [];
/** The answer to the next question; by default at once. */
let answer: RepositoryPort['freedBy'] = TEST_REPOSITORY.freedBy;
const repository: RepositoryPort = {
  ...TEST_REPOSITORY,
  freedBy(backupIds, signal) {
    asked.push({ backupIds, signal });
    return answer(backupIds, signal);
  },
};

const clock = new FakeClock();
let stand: ApiStand;
/** One a day at noon, the newest first; the third is on hold. */
const days: string[] = [];

beforeAll(async () => {
  stand = await openApiStand({ repository, clock });
  const newest = clock.now().getTime() - 3_600_000;
  for (let day = 0; day < 8; day++) days.push(await backupOf(new Date(newest - day * 86_400_000).toISOString()));
  await stand.run(op.PlaceLegalHoldDocument, { input: { backupId: days[2]!, reason: 'x' } });
});
afterAll(() => stand.close());
beforeEach(() => {
  asked.length = 0;
  answer = TEST_REPOSITORY.freedBy;
});

async function backupOf(readAt: string, input: Partial<op.CreateBackupInput> = {}): Promise<string> {
  const { createBackup } = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL', ...input } });
  const { job, lease } = await stand.claim();
  if (job.spec.kind !== 'BACKUP') throw new Error('not a backup');
  const { manifest, ...rest } = storedManifest(job.spec);
  const stored = { ...rest, manifest: { ...manifest, readAt } };
  await stand.settle(lease, { state: 'COMPLETED', effect: { kind: 'BACKUP_STORED', stored } });
  return createBackup.backup!.id;
}

type Preview = op.PreviewRetentionQuery['previewRetention'];
const preview = async (variables: op.PreviewRetentionQueryVariables): Promise<Preview> =>
  (await stand.run(op.PreviewRetentionDocument, { ignoreExpiry: true, ...variables })).previewRetention;
const idsOf = ({ nodes }: Preview['keep']): (string | undefined)[] => nodes.map(({ backup }) => backup?.id);

test('tells what stays and why, what goes, and what that frees; nothing is deleted', async () => {
  const told = await preview({ policy: { keepLast: 2, keepWithin: 'P1D' } });
  expect(idsOf(told.keep)).toEqual([days[0], days[1], days[2]]);
  expect(told.keep.nodes.map(({ reasons }) => reasons)).toEqual([
    ['newest', 'last 2', 'within P1D'],
    ['last 2', 'within P1D'],
    ['legal hold'],
  ]);
  expect(idsOf(told.expire)).toEqual(days.slice(3));
  expect(told.expire.nodes[0]?.reasons).toEqual(['no rule keeps it']);
  expect(told).toMatchObject({ keep: { totalCount: 3 }, expire: { totalCount: 5 }, freedBytes: '500', deadBytes: '5' });
  expect(asked).toHaveLength(1); // both sums are of one answer
  expect(asked[0]?.backupIds).toHaveLength(5);
  expect(await stand.catalog.backups.count()).toBe(8);
});

test('by default a backup stays until its own expiry, and says so', async () => {
  const told = await preview({ policy: { keepLast: 1 }, ignoreExpiry: false });
  expect(told.expire.totalCount).toBe(0);
  expect(told.keep.nodes[5]?.reasons).toEqual([expect.stringMatching(/^not expired until 20\d\d-/)]);
  expect(told.freedBytes).toBe('0');
});

test('goes page by page', async () => {
  const policy = { keepDaily: 6 };
  const seen: (string | undefined)[] = [];
  let page = await preview({ policy, first: 2 });
  for (;;) {
    seen.push(...idsOf(page.keep));
    if (!page.keep.pageInfo.hasNextPage) break;
    page = await preview({ policy, first: 2, afterKept: page.keep.pageInfo.endCursor });
  }
  expect(seen).toEqual(days.slice(0, 6));
  const cursor = (await preview({ policy, first: 1 })).keep.pageInfo.endCursor;
  await expect(preview({ policy: { keepDaily: 7 }, afterKept: cursor })).rejects.toThrow(/another filter/);
  await expect(preview({ policy, afterExpired: cursor })).rejects.toThrow(/another filter/);
});

test('judges each business apart, and only what the filter lets through', async () => {
  const business = await backupOf(clock.now().toISOString(), { type: 'BUSINESS', businessId: 'b' });
  const told = await preview({ policy: { keepLast: 1 } });
  expect(idsOf(told.keep)).toEqual([business, days[0], days[2]]);
  const one = await preview({ policy: { keepLast: 1 }, filter: { businessIds: ['b'] } });
  expect([one.keep.totalCount, one.expire.totalCount]).toEqual([1, 0]);
});

describe('refuses', () => {
  const query = `query ($policy: RetentionPolicyInput!, $timeZone: TimeZone) {
    previewRetention(policy: $policy, timeZone: $timeZone) { keep(first: 1) { totalCount } }
  }`;
  test.each<[string, object, string]>([
    ['a policy without a rule', { policy: {} }, 'policy'],
    ['a policy of nulls', { policy: { keepLast: null } }, 'policy'],
    ['a count of 0', { policy: { keepLast: 0 } }, 'policy.keepLast'],
    ['a negative count', { policy: { keepLast: 3, keepDaily: -1 } }, 'policy.keepDaily'],
    ['too many days', { policy: { days: 36_501 } }, 'policy.days'],
    ['a count beyond all sense', { policy: { keepHourly: 2_000_000_000 } }, 'policy.keepHourly'],
    ['a time that is no duration', { policy: { keepWithin: 'a week' } }, 'policy.keepWithin'],
    ['a time of nothing', { policy: { keepWithin: 'PT0S' } }, 'policy.keepWithin'],
    ['an unknown time zone', { policy: { keepLast: 1 }, timeZone: 'Mars/Olympus' }, 'timeZone'],
  ])('%s', async (_name, variables, argument) => {
    const { errors } = await stand.post(query, variables);
    expect(errors).toEqual([expect.objectContaining({ extensions: expect.objectContaining({ code: 'INVALID_INPUT', argument }) as object })]); // prettier-ignore
  });

  test('pages of no size', async () => {
    const keep = 'query { previewRetention(policy: { keepLast: 1 }) { keep { totalCount } } }';
    expect((await stand.post(keep)).errors?.[0]?.extensions?.code).toBe('INVALID_INPUT');
  });
});

test('does not reckon bytes that nobody asked for', async () => {
  const { data } = await stand.post(
    '{ previewRetention(policy: { keepLast: 1 }, ignoreExpiry: true) { expire(first: 1) { totalCount } } }',
  );
  expect(data).toMatchObject({ previewRetention: { expire: { totalCount: 6 } } });
  expect(asked).toHaveLength(0);
});

describe('a reckoning', () => {
  const bytes = '{ previewRetention(policy: { keepLast: 1 }, ignoreExpiry: true) { freedBytes } }';
  const untilAborted: RepositoryPort['freedBy'] = (_, signal) =>
    new Promise((_resolve, reject) => {
      const abort = (): void => reject(new AppError('CANCELLED', 'The work was cancelled.'));
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort);
    });

  test('ends after a minute, and says what to do', async () => {
    answer = untilAborted;
    const asking = stand.post(bytes);
    await until(() => asked.length === 1);
    void clock.advance(60_000);
    const { errors } = await asking;
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'REPOSITORY_UNAVAILABLE', retryable: true });
  });

  test('ends when its client goes, and is no fault in the log', async () => {
    answer = untilAborted;
    const gone = new AbortController();
    const body = JSON.stringify({ query: bytes });
    const headers = { 'content-type': 'application/json' };
    const asking = fetch(`${stand.server.address}/graphql`, { method: 'POST', headers, body, signal: gone.signal });
    await until(() => asked.length === 1);
    gone.abort();
    await expect(asking).rejects.toThrow();
    await until(() => asked[0]!.signal.aborted);
    answer = TEST_REPOSITORY.freedBy;
    expect((await stand.post(bytes)).errors).toBeUndefined();
    expect(stand.logged).toEqual([]);
  });

  test('waits for the one before it', async () => {
    let end = (): void => undefined;
    answer = () => new Promise((resolve) => (end = () => resolve({ freedBytes: 1, deadBytes: 0 })));
    const first = stand.post<{ previewRetention: object }>(bytes);
    await until(() => asked.length === 1);
    answer = TEST_REPOSITORY.freedBy;
    const second = stand.post<{ previewRetention: object }>(bytes);
    const others = await stand.post('{ previewRetention(policy: { keepLast: 1 }) { keep(first: 1) { totalCount } } }');
    expect(others.errors).toBeUndefined();
    expect(asked).toHaveLength(1);
    end();
    expect((await first).data?.previewRetention).toEqual({ freedBytes: '1' });
    expect((await second).data?.previewRetention).toEqual({ freedBytes: '600' });
  });
});
