/** Lists: the laws of paging, cursors bound to filter and order, counts on demand, and a constant number of catalog queries. */
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { toGlobalId } from '../../src/api/global-id';
import type { Catalog } from '../../src/catalog/catalog';
import type { BackupId } from '../../src/domain/ids';
import type { StoredManifest } from '../../src/domain/manifest';
import { openApiStand, type ApiStand } from '../support/api-stand';
import { storedManifest } from '../support/catalog-stand';
import * as op from '../support/generated/operations';

const DAY_MS = 86_400_000;
const COUNT = 23;
const RUNS = process.env['LONG'] === '1' ? 300 : 40;
const calls: string[] = [];
let stand: ApiStand;

beforeAll(async () => {
  stand = await openApiStand({ wrapCatalog: counting });
  for (let n = 0; n < COUNT; n += 1) {
    const input: op.CreateBackupInput = n % 3 ? { type: 'FULL' } : { type: 'SYSTEM', labels: { third: 'yes' } };
    await stand.run(op.CreateBackupDocument, { input });
    if (n % 2) await stand.completeNext();
  }
});
afterAll(() => stand.close());

/** The same catalog, noting the name of every call to its record lists. */
function counting(catalog: Catalog): Catalog {
  const noted = <Records extends object>(name: string, records: Records): Records =>
    new Proxy(records, {
      get(target, method) {
        const member = Reflect.get(target, method) as unknown;
        if (typeof member !== 'function') return member;
        if (method !== 'positionOf') return (...args: unknown[]) => (calls.push(`${name}.${String(method)}`), member.apply(target, args) as unknown);
        return member.bind(target) as unknown;
      },
    });
  return { ...catalog, jobs: noted('jobs', catalog.jobs), backups: noted('backups', catalog.backups) };
} // prettier-ignore

async function page(variables: op.ListBackupsQueryVariables) {
  return (await stand.run(op.ListBackupsDocument, { ...variables, first: variables.first ?? null })).backups;
}

async function allIds(): Promise<string[]> {
  return (await page({ first: 100 })).nodes.map(({ id }) => id);
}

test('walking forwards and backwards in pages of any size gives the whole list, each once, in order', async () => {
  const ids = await allIds();
  expect(ids).toHaveLength(COUNT);
  const property = fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.boolean(), async (size, forward) => {
    const walked: string[] = [];
    for (let cursor: string | null = null, more = true; more;) {
      const part = await page(forward ? { first: size, after: cursor } : { last: size, before: cursor });
      walked[forward ? 'push' : 'unshift'](...part.nodes.map(({ id }) => id));
      more = forward ? part.pageInfo.hasNextPage : part.pageInfo.hasPreviousPage;
      cursor = (forward ? part.pageInfo.endCursor : part.pageInfo.startCursor) ?? null;
      expect(part.nodes.length).toBe(more ? size : part.nodes.length);
    }
    expect(walked).toEqual(ids);
  });
  await fc.assert(property, { seed: 20261122, numRuns: RUNS });
});

test('totalCount is of the filter, and counted only when asked for', async () => {
  calls.length = 0;
  const { totalCount, nodes } = await page({ first: 2, filter: { types: ['SYSTEM'], labels: { third: 'yes' } } });
  expect([totalCount, nodes.length]).toEqual([8, 2]);
  expect(calls).toEqual(['backups.list', 'backups.count']);
  calls.length = 0;
  await stand.post('{ backups(first: 2) { nodes { id } } }');
  expect(calls).toEqual(['backups.list']);
});

test('a cursor is refused with another filter, another order, another list, or when it is made up', async () => {
  const { pageInfo } = await page({ first: 2 });
  const after = pageInfo.endCursor;
  const query = `query ($after: String, $filter: BackupFilter, $orderBy: [BackupOrder!]) {
    backups(first: 2, after: $after, filter: $filter, orderBy: $orderBy) { nodes { id } } }`;
  const bad = [
    { after, filter: { types: ['FULL'] } },
    { after, orderBy: [{ field: 'CREATED_AT', direction: 'ASC' }] },
    { after: 'nonsense' },
    { after: Buffer.from('["a",1,"../../x"]').toString('base64url') },
    { after: 'x'.repeat(1_000) },
  ];
  for (const variables of bad) {
    const { errors } = await stand.post(query, variables);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT', argument: 'after' });
  }
  const { errors } = await stand.post('query ($after: String) { jobs(first: 2, after: $after) { nodes { id } } }', {
    after,
  });
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT' });
});

test.each([
  ['neither first nor last', ''],
  ['both', '(first: 1, last: 1)'],
  ['none', '(first: 0)'],
  ['too many', '(first: 101)'],
  ['too many from the end', '(last: 101)'],
  ['a negative number', '(first: -1)'],
  ['first with before', '(first: 1, before: "x")'],
  ['last with after', '(last: 1, after: "x")'],
])('a page of %s is refused', async (_name, page) => {
  const { errors } = await stand.post(`{ jobs${page} { nodes { id } } }`);
  expect(errors?.[0]).toMatchObject({ path: ['jobs'], extensions: { code: 'INVALID_INPUT', retryable: false } });
});

test('orders sort, with ties broken, and only one is taken', async () => {
  const sorted = await page({ first: 100, orderBy: [{ field: 'CREATED_AT', direction: 'ASC' }] });
  expect(sorted.nodes.map(({ id }) => id)).toEqual((await allIds()).reverse());
  const order = '{ field: CREATED_AT, direction: ASC }';
  const { errors } = await stand.post(`{ jobs(first: 1, orderBy: [${order}, ${order}]) { nodes { id } } }`);
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT' });
});

test.each([1, 5, 20])('%d jobs with their backups and these with their jobs cost three queries', async (first) => {
  calls.length = 0;
  const query = 'query ($first: Int) { jobs(first: $first) { nodes { backup { id job { id backup { id } } } } } }';
  const { data } = await stand.post<{ jobs: { nodes: unknown[] } }>(query, { first });
  expect(data?.jobs.nodes).toHaveLength(first);
  expect(calls).toEqual(['jobs.list', 'backups.findMany', 'jobs.findMany']);
});

describe('nodes', () => {
  test('come in the order of their ids, null where there is none, by one query a type', async () => {
    const [a, b] = await allIds();
    const unknown = toGlobalId('Backup', '00000000-0000-4000-8000-000000000000');
    calls.length = 0;
    const query = 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }';
    const { data } = await stand.post<{ nodes: unknown }>(query, { ids: [b, unknown, a] });
    expect(data?.nodes).toEqual([{ __typename: 'Backup', id: b }, null, { __typename: 'Backup', id: a }]);
    expect(calls).toEqual(['backups.findMany']);
  });

  test.each(['../../etc/passwd', '', 'Backup:1', toGlobalId('Backup', '../x'), toGlobalId('Key' as never, 'x')])(
    'an id like %p is refused',
    async (id) => {
      const { data, errors } = await stand.post<{ node: unknown }>('query ($id: ID!) { node(id: $id) { id } }', { id });
      expect(data?.node).toBeNull();
      expect(errors?.[0]).toMatchObject({ path: ['node'], extensions: { code: 'INVALID_INPUT', argument: 'id' } });
    },
  );
});

test("a job's events are paged by the cursors of its subscription", async () => {
  const job = (await stand.run(op.ListJobsDocument, { first: 1, filter: { states: ['COMPLETED'] } })).jobs.edges[0]!
    .node;
  const events = (await stand.run(op.GetJobDocument, { id: job.id })).job!.events;
  expect(events.nodes.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  const query =
    'query ($id: ID!, $after: String) { job(id: $id) { events(first: 1, after: $after) { nodes { sequence } pageInfo { hasNextPage } } } }';
  const { data } = await stand.post(query, { id: job.id, after: events.nodes[0]!.cursor });
  expect(data).toEqual({ job: { events: { nodes: [{ sequence: 2 }], pageInfo: { hasNextPage: true } } } });
});

test('statistics add up', async () => {
  const query = `{ jobStatistics { total pending completed } backupStatistics(bucket: "PT1H") {
    total pending completed byType { type count } byBusiness { businessId } series { completed } freshness { dataType newestReadAt age }
    deduplicationRatio compressionRatio forecast { bytesPerDay } } }`;
  const { data, errors } = await stand.post<{ jobStatistics: object; backupStatistics: { series: object[] } }>(query);
  expect(errors).toBeUndefined();
  expect(data).toMatchObject({
    jobStatistics: { total: COUNT, pending: 12, completed: 11 },
    backupStatistics: { total: COUNT, pending: 12, completed: 11, byBusiness: [] },
  });
  expect(data?.backupStatistics).toMatchObject({ deduplicationRatio: 1, compressionRatio: 1, forecast: null });
  // Mapped, but in no backup: just what freshness is for.
  expect(data?.backupStatistics).toMatchObject({
    freshness: expect.arrayContaining([{ dataType: 'HISTORY', newestReadAt: null, age: null }]),
  });
  for (const bucket of ['PT1M', 'P999999999999D', 'P36501D', 'often']) {
    const { errors: refused } = await stand.post(`{ backupStatistics(bucket: "${bucket}") { total } }`);
    expect(refused?.[0]).toMatchObject({
      message: 'bucket is malformed, below PT1H or above P36500D.',
      extensions: { code: 'INVALID_INPUT', argument: 'bucket' },
    });
  }
});

test.each([
  '2026-02-30T00:00:00Z',
  '2026-04-31T12:00:00+02:00',
  '2026-11-22T24:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-11-22',
])('the moment %s is none', async (createdFrom) => {
  const query = 'query ($filter: BackupFilter) { backups(first: 1, filter: $filter) { totalCount } }';
  const { data, errors } = await stand.post(query, { filter: { createdFrom } });
  expect(data).toBeUndefined();
  expect(errors?.[0]?.message).toContain('DateTime must be RFC 3339');
});

test('the repository tells how much it really stores', async () => {
  const { data } = await stand.post('{ repository { packCount packBytes } }');
  expect(data).toEqual({ repository: { packCount: 7, packBytes: '70000' } });
});

test('what is stored tells what it saved, how it grows, and when the repository is full', async () => {
  const other = await openApiStand();
  const now = Date.now();
  const sizes = { rawBytes: 4_000, newRawBytes: 2_000, storedBytes: 1_000 };
  async function* daily(): AsyncGenerator<StoredManifest> {
    for (let day = 5; day >= 1; day -= 1) {
      const createdAt = new Date(now - day * DAY_MS).toISOString();
      yield storedManifest(randomUUID() as BackupId, { ...sizes, createdAt, completedAt: createdAt });
    }
  }
  await other.catalog.backups.reconcile(daily());
  const query = `{ backupStatistics { deduplicationRatio compressionRatio storageRatio
    forecast { bytesPerDay from to freeBytes fullAt reached: reachedAt(bytes: "5000") reachedAt(bytes: "15000") } }
    none: backupStatistics(filter: { types: [SYSTEM] }) { forecast { bytesPerDay } }
    backups(first: 1) { nodes { newRawBytes } } }`;
  const { data, errors } = await other.post<{ backupStatistics: { forecast: Record<string, string> } }>(query);
  await other.close();
  expect(errors).toBeUndefined();
  expect(data).toMatchObject({ none: { forecast: null }, backups: { nodes: [{ newRawBytes: '2000' }] } });
  const { forecast, ...ratios } = data!.backupStatistics;
  expect(ratios).toEqual({ deduplicationRatio: 2, compressionRatio: 2, storageRatio: 4 });
  expect(forecast).toMatchObject({ bytesPerDay: '1000', freeBytes: '1000000' });
  const days = (moment?: string): number => (Date.parse(moment ?? '') - now) / DAY_MS;
  expect(days(forecast.reached)).toBeCloseTo(0, 2);
  expect(days(forecast.reachedAt)).toBeCloseTo(10, 2);
  expect(days(forecast.fullAt)).toBeCloseTo(1_000, 2);
  expect(Date.parse(forecast.to ?? '') - Date.parse(forecast.from ?? '')).toBe(4 * DAY_MS);
});

test('a backup and its tables tell where their bytes are an estimate, and null before there are any', async () => {
  const other = await openApiStand();
  const query = '{ backups(first: 1) { nodes { rawBytesEstimated tables { name rawBytesEstimated } } } }';
  interface Answered {
    backups: { nodes: { rawBytesEstimated: boolean | null; tables: { rawBytesEstimated: boolean }[] }[] };
  }
  const ask = async () => (await other.post<Answered>(query)).data!.backups.nodes[0]!;
  try {
    await other.run(op.CreateBackupDocument, { input: { type: 'FULL' } });
    expect(await ask()).toMatchObject({ rawBytesEstimated: null });
    const { job, lease } = await other.claim();
    const stored = storedManifest(job.backupId!);
    const table = { dataType: 'TRENDS', layers: [], structure: {} as never, rowCount: 1, rawBytes: 1, changedRowCount: 1, changeDetection: 'BINLOG', changeDetectionReason: 'told' } as const; // prettier-ignore
    const tables = [{ ...table, table: 'a', layers: [] }, { ...table, table: 'b', layers: [], rawBytesEstimated: true as const }]; // prettier-ignore
    const effect = { kind: 'BACKUP_STORED', stored: { ...stored, manifest: { ...stored.manifest, tables } } } as const;
    await other.settle(lease, { state: 'COMPLETED', effect });
    expect(await ask()).toEqual({
      rawBytesEstimated: true,
      tables: [
        { name: 'a', rawBytesEstimated: false },
        { name: 'b', rawBytesEstimated: true },
      ],
    });
  } finally {
    await other.close();
  }
});
