/** Backup.records: pages and cursors, what is refused before and by a reader, and that nobody waits for ever. */
import { request } from 'node:http';
import { parseIdOf } from '../../src/api/global-id';
import type { BackupId } from '../../src/domain/ids';
import type { BackupReader, HistoryWanted, RecordsFound, RecordsWanted } from '../../src/domain/backup-reader';
import type { TableManifest } from '../../src/domain/manifest';
import { AppError } from '../../src/domain/errors';
import { openApiStand, storedManifest, TEST_READER, type ApiStand } from '../support/api-stand';
import { FakeClock, until } from '../support/fake-clock';
import * as op from '../support/generated/operations';

/** Records with the keys 0 to 4, of a table whose chunks hold two each. */
const RECORDS = Array.from({ length: 5 }, (_, id) => ({
  key: { id },
  fields: { id, note: null },
  next: place(id + 1),
}));
const COLUMNS: RecordsFound['columns'] = [{ name: 'id', type: 'int', kind: 'INTEGER', isNullable: false, isKey: true }];

function place(row: number): RecordsFound['records'][number]['next'] {
  return { state: 'abc', span: Math.floor(row / 2), row: row % 2 };
}

const TABLES = (
  [
    ['ASSESSMENTS', 'risk_assessments'],
    ['BUSINESSES', 'businesses'],
    ['BUSINESSES', 'tenants'],
  ] as const
).map(([dataType, table]) => ({
  dataType,
  table,
  rowCount: 5,
  rawBytes: 50,
  changedRowCount: 5,
  changeDetection: 'NONE',
  changeDetectionReason: '-',
})) as unknown as TableManifest[];

const asked: { wanted: RecordsWanted; signal: AbortSignal }[] = [];
const pages: BackupReader['findRecords'] = async ({ from, limit }) => {
  const begin = from === null ? 0 : 2 * from.span + from.row;
  const records = RECORDS.slice(begin, begin + limit);
  return { columns: COLUMNS, records, next: begin + limit < RECORDS.length ? place(begin + limit) : null };
};
let answer = pages;
const histories: HistoryWanted[] = [];
let answerHistory = TEST_READER.findHistory;

const clock = new FakeClock();
let stand: ApiStand;
let backupId: string;

beforeAll(async () => {
  const findRecords: BackupReader['findRecords'] = (wanted, signal) => {
    asked.push({ wanted, signal });
    return answer(wanted, signal);
  };
  stand = await openApiStand({
    reader: { ...TEST_READER, findRecords, findHistory: (...call) => answerHistory(...call) },
    clock,
  });
  backupId = await storedBackup();
});
afterAll(() => stand.close());
beforeEach(() => {
  asked.length = 0;
  answer = pages;
});

async function storedBackup(): Promise<string> {
  const { createBackup } = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL' } });
  const { job, lease } = await stand.claim();
  if (job.spec.kind !== 'BACKUP') throw new Error('not a backup');
  const { manifest, ...rest } = storedManifest(job.spec);
  const stored = { ...rest, manifest: { ...manifest, tables: TABLES } };
  await stand.settle(lease, { state: 'COMPLETED', effect: { kind: 'BACKUP_STORED', stored } });
  return createBackup.backup!.id;
}

type Variables = Partial<op.ReadRecordsQueryVariables>;
const read = async (variables: Variables = {}) =>
  (await stand.run(op.ReadRecordsDocument, { backupId, dataType: 'ASSESSMENTS', ...variables })).backup!.records;
const refusal = async (variables: Variables) => {
  const query = `query ($backupId: ID!, $dataType: DataType!, $table: String, $businessId: ID, $filter: JSON, $first: Int, $after: String) {
    backup(id: $backupId) { records(dataType: $dataType, table: $table, businessId: $businessId, filter: $filter, first: $first, after: $after) { table } }
  }`;
  const { errors } = await stand.post(query, { backupId, dataType: 'ASSESSMENTS', first: 1, ...variables });
  return errors?.[0]?.extensions;
};

test('gives records page by page, with cursors that go on, of the only table of the data type', async () => {
  const seen: unknown[] = [];
  for (let after: string | null | undefined; ;) {
    const page = await read({ first: 2, after });
    seen.push(...page.nodes.map(({ key }) => key));
    if (!page.pageInfo.hasNextPage) break;
    after = page.pageInfo.endCursor;
  }
  expect(seen).toEqual(RECORDS.map(({ key }) => key));
  expect(asked.map(({ wanted }) => wanted.table)).toEqual(Array(3).fill('risk_assessments'));
  const first = await read({ first: 3 });
  expect(first).toMatchObject({ table: 'risk_assessments', columns: [{ name: 'id', type: 'int', isKey: true }] });
  expect((await read({ first: 1, after: first.edges[1]?.cursor })).nodes).toMatchObject([{ key: { id: 2 } }]);
});

test('goes on from where reading stopped, also where nothing was found', async () => {
  answer = async ({ from }) => ({ columns: [], records: [], next: from === null ? place(3) : null });
  const first = await read();
  expect(first).toMatchObject({ nodes: [], pageInfo: { hasNextPage: true, endCursor: expect.any(String) as string } });
  expect((await read({ after: first.pageInfo.endCursor })).pageInfo.hasNextPage).toBe(false);
  expect(asked[1]?.wanted.from).toEqual(place(3));
});

test('hands the filter on as it was checked', async () => {
  await read({ filter: { not: { score: { gte: 7 } } }, businessId: 'b1' });
  expect(asked[0]?.wanted).toMatchObject({
    businessId: 'b1',
    filter: {
      kind: 'AND',
      of: [{ kind: 'NOT', of: { of: [{ of: [{ column: 'score', comparator: 'gte', value: 7 }] }] } }],
    },
  });
});

describe('refuses', () => {
  const nested = (levels: number): unknown => (levels === 0 ? { a: { eq: 1 } } : { not: nested(levels - 1) });
  test.each<[string, Variables, string]>([
    ['a page of no size', { first: null }, 'first'],
    ['a page that is too large', { first: 101 }, 'first'],
    ['ALL', { dataType: 'ALL' }, 'dataType'],
    ['a data type that the backup does not hold', { dataType: 'TRENDS' }, 'dataType'],
    ['a data type of several tables', { dataType: 'BUSINESSES' }, 'table'],
    ['a table that is not one of the data type', { table: 'businesses' }, 'table'],
    ['an empty business', { businessId: '' }, 'businessId'],
    ['a malformed cursor', { after: 'x' }, 'after'],
    ['a filter that is no object', { filter: 'status = 1' }, 'filter'],
    ['a column without comparators', { filter: { status: 'OPEN' } }, 'filter.status'],
    ['an unknown comparator', { filter: { or: [{ status: { like: 'x' } }] } }, 'filter.or.0.status.like'],
    ['a comparison with null', { filter: { status: { in: ['a', null] } } }, 'filter.status.in.1'],
    ['an empty list', { filter: { or: [] } }, 'filter.or'],
    ['too many values', { filter: { id: { in: Array(101).fill(1) } } }, 'filter.id.in'],
    ['too many comparators', { filter: { and: Array(101).fill({ id: { eq: 1 } }) } }, 'filter.and.100.id.eq'],
    ['text that is a number', { filter: { id: { startsWith: 1 } } }, 'filter.id.startsWith'],
    ['isNull of a word', { filter: { id: { isNull: 'yes' } } }, 'filter.id.isNull'],
    ['nesting too deep', { filter: nested(9) }, `filter${'.not'.repeat(8)}`],
  ])('%s', async (_name, variables, argument) => {
    expect(await refusal(variables)).toMatchObject({ code: 'INVALID_INPUT', argument });
    expect(asked).toHaveLength(0);
  });

  test('a cursor of another filter, table or backup', async () => {
    const { endCursor: after } = (await read({ first: 1 })).pageInfo;
    expect(await refusal({ after, filter: { id: { eq: 1 } } })).toMatchObject({
      code: 'INVALID_INPUT',
      argument: 'after',
    });
    expect(await refusal({ after, backupId: await storedBackup() })).toMatchObject({ argument: 'after' });
  });

  test.each([
    ['filters', `${'{"not":'.repeat(20_000)}{}${'}'.repeat(20_000)}`],
    ['values', `{"a": {"eq": ${'['.repeat(40_000)}${']'.repeat(40_000)}}}`],
  ])('%s nested beyond all sense', async (_name, filter) => {
    const query =
      'query ($id: ID!, $filter: JSON) { backup(id: $id) { records(dataType: ASSESSMENTS, first: 1, filter: $filter) { table } } }';
    const body = `{"query": ${JSON.stringify(query)}, "variables": {"id": "${backupId}", "filter": ${filter}}}`;
    const headers = { 'content-type': 'application/json', connection: 'close' };
    const answered = await fetch(`${stand.server.address}/graphql`, { method: 'POST', headers, body });
    expect(await answered.json()).toMatchObject({
      errors: [{ extensions: { code: expect.stringMatching(/INPUT|BAD_REQUEST/) as string } }],
    });
    expect(asked).toHaveLength(0);
  });

  test('a backup of which nothing is stored', async () => {
    const { createBackup } = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL' } });
    expect(await refusal({ backupId: createBackup.backup!.id })).toMatchObject({ code: 'NOT_FOUND' });
  });

  test.each(['CURSOR_EXPIRED', 'INTEGRITY_FAILURE', 'NOT_FOUND'] as const)(
    'what the reader refuses: %s',
    async (code) => {
      answer = async () => {
        throw new AppError(code, 'So it is.', { hint: 'Do this.', path: ['after'] });
      };
      expect(await refusal({})).toMatchObject({ code, hint: 'Do this.', argument: 'after' });
    },
  );
});

describe('the history of a record', () => {
  /** What each backup shows of it. */
  const shown = [{ n: 1 }, { n: 2 }, null];
  const history = async (variables: Partial<op.RecordHistoryQueryVariables> = {}) =>
    (await stand.run(op.RecordHistoryDocument, { dataType: 'ASSESSMENTS', key: { id: 1 }, ...variables }))
      .recordHistory;
  const backups: BackupId[] = [];
  const ask: BackupReader['findHistory'] = async (wanted) => {
    histories.push(wanted);
    const versions = shown.map((fields, i) => ({
      ...{ fields, changedFields: i === 1 ? ['n'] : [], firstBackupId: backups[i]!, lastBackupId: backups[i]! },
      ...{ firstSeenAt: `2026-11-2${i}T00:00:00.000Z`, lastSeenAt: `2026-11-2${i}T12:00:00.000Z` },
    }));
    const begin = wanted.from === null ? 0 : backups.indexOf(wanted.from.seen) + 1;
    const given = versions.slice(begin, begin + wanted.limit);
    const last = given.at(-1)!;
    const next = { run: last.firstBackupId, seen: last.lastBackupId, isGiven: true, before: null };
    return { versions: given, next: begin + given.length < shown.length ? next : null };
  };

  beforeAll(async () => {
    for (let i = 0; i < shown.length; i++) backups.push(parseIdOf<BackupId>('Backup', await storedBackup(), []));
    answerHistory = ask;
  });

  test('comes oldest first, with the backups that show each version, page by page', async () => {
    const { nodes } = await history();
    expect(nodes).toMatchObject([
      { isDeleted: false, fields: { n: 1 }, changedFields: [], firstSeenAt: '2026-11-20T00:00:00.000Z' },
      { isDeleted: false, fields: { n: 2 }, changedFields: ['n'], lastSeenAt: '2026-11-21T12:00:00.000Z' },
      { isDeleted: true, fields: null, firstSeenIn: { type: 'FULL' } },
    ]);
    const first = await history({ first: 1 });
    expect(first.pageInfo.hasNextPage).toBe(true);
    const second = await history({ first: 5, after: first.pageInfo.endCursor });
    expect(second).toMatchObject({
      nodes: [{ fields: { n: 2 } }, { isDeleted: true }],
      pageInfo: { hasNextPage: false },
    });
    expect(await history({ first: 5, after: first.edges[0]?.cursor })).toEqual(second);
  });

  test('is of the default source, and of the only table of the data type', async () => {
    await history();
    expect(histories.at(-1)).toMatchObject({
      source: 'default',
      table: 'risk_assessments',
      key: { id: 1 },
      from: null,
    });
  });

  test.each<[string, Partial<op.RecordHistoryQueryVariables>, string]>([
    ['a source that is not configured', { source: 'elsewhere' }, 'source'],
    ['a data type of several tables', { dataType: 'BUSINESSES' }, 'table'],
    ['a key with a NULL', { key: { id: null } }, 'key.id'],
    ['a page of no size', { first: 0 }, 'first'],
    ['a malformed cursor', { after: 'x' }, 'after'],
  ])('is refused for %s', async (_name, variables, argument) => {
    const refusing = history(variables);
    await expect(refusing).rejects.toThrow(/INVALID_INPUT/);
    await expect(refusing).rejects.toThrow(new RegExp(`"argument":"${argument}"`));
  });

  test('takes no cursor of another key', async () => {
    const { endCursor: after } = (await history({ first: 1 })).pageInfo;
    await expect(history({ key: { id: 2 }, after })).rejects.toThrow(/another filter/);
  });
});

describe('a reading', () => {
  const untilAborted: BackupReader['findRecords'] = (_, signal) =>
    new Promise((_resolve, reject) => {
      const abort = (): void => reject(new AppError('CANCELLED', 'The work was cancelled.'));
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort);
    });

  test('ends after a minute, and says what to do', async () => {
    answer = untilAborted;
    const asking = refusal({});
    await until(() => asked.length === 1);
    void clock.advance(60_000);
    expect(await asking).toMatchObject({ code: 'REPOSITORY_UNAVAILABLE', retryable: true });
  });

  test('ends when its client goes', async () => {
    answer = untilAborted;
    const query = `{ backup(id: "${backupId}") { records(dataType: ASSESSMENTS, first: 1) { table } } }`;
    const headers = { 'content-type': 'application/json' };
    const asking = request(`${stand.server.address}/graphql`, { method: 'POST', headers, agent: false });
    asking.on('error', () => undefined); // its connection is cut below
    asking.end(JSON.stringify({ query }));
    await until(() => asked.length === 1);
    asking.destroy();
    await until(() => asked[0]!.signal.aborted);
    answer = pages;
    expect((await read({ first: 1 })).nodes).toHaveLength(1);
    expect(stand.logged).toEqual([]);
  });
});
