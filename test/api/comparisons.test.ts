/** Comparisons of backups: what is refused and why, what a job is told, and the pages of rows that differ. */
import { toGlobalId } from '../../src/api/global-id';
import type { ChangesFound, ChangesWanted, FoundChange } from '../../src/domain/backup-reader';
import { systemClock } from '../../src/ops/ambient';
import { openApiStand, TEST_READER, type ApiStand } from '../support/api-stand';
import * as op from '../support/generated/operations';

const UNKNOWN = '00000000-0000-4000-8000-000000000000';
const DAY_MS = 86_400_000;

/** Three changes, of which a page holds what it is asked for. */
const CHANGES: FoundChange[] = (['REMOVED', 'CHANGED', 'ADDED'] as const).map((kind, row) => ({
  dataType: 'TRENDS',
  table: 'risk_trends',
  kind,
  key: { id: `t${row}` },
  before: kind === 'ADDED' ? null : { id: `t${row}`, score: '1.0000' },
  after: kind === 'REMOVED' ? null : { id: `t${row}`, score: null },
  fields: kind === 'CHANGED' ? [{ name: 'score', before: '1.0000', after: null }] : [],
  next: { list: row, span: 0, row: 1 },
}));
const asked: ChangesWanted[] = [];
const findChanges = async (wanted: ChangesWanted): Promise<ChangesFound> => {
  asked.push(wanted);
  const first = wanted.from === null ? 0 : wanted.from.list + 1;
  const changes = CHANGES.slice(first, first + wanted.limit);
  return { changes, next: first + wanted.limit < CHANGES.length ? changes.at(-1)!.next : null };
};

let aheadMs = 0;
let stand: ApiStand;
beforeAll(async () => {
  const clock = { ...systemClock, now: () => new Date(Date.now() + aheadMs) };
  stand = await openApiStand({ clock, reader: { ...TEST_READER, findChanges } });
});
afterAll(() => stand.close());
beforeEach(() => {
  aheadMs = 0;
  asked.length = 0;
});

async function completedBackup(input: Partial<op.CreateBackupInput> = {}): Promise<string> {
  const { createBackup } = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL', ...input } });
  await stand.completeNext();
  return createBackup.backup!.id;
}

const compare = async (input: op.CompareBackupsInput) =>
  (await stand.run(op.CompareBackupsDocument, { input })).compareBackups;

async function completedComparison(input: Partial<op.CompareBackupsInput> = {}): Promise<string> {
  const started = await compare({ baseId: await completedBackup(), targetId: await completedBackup(), ...input });
  expect(started).toMatchObject({ job: { state: 'PENDING' }, comparison: null, errors: [] });
  await stand.completeNext();
  const { data } = await stand.post<{ job: { kind: string; comparison: { id: string } } }>(
    'query($id: ID!) { job(id: $id) { kind comparison { id } } }',
    { id: started.job!.id },
  );
  expect(data!.job.kind).toBe('COMPARISON');
  return data!.job.comparison.id;
}

type Variables = Omit<op.GetComparisonQueryVariables, 'id'>;
const get = async (id: string, variables: Variables = {}) =>
  (await stand.run(op.GetComparisonDocument, { id, ...variables })).comparison!;

async function refusal(id: string, variables: Variables) {
  const query = `query($id: ID!, $table: String, $kinds: [RowChangeKind!], $first: Int, $after: String) {
    comparison(id: $id) { changes(table: $table, kinds: $kinds, first: $first, after: $after) { nodes { table } } } }`;
  const { errors } = await stand.post(query, { id, first: 1, ...variables });
  return errors?.[0]?.extensions;
}

test('a comparison is there once its job has completed, with its counts, and as a node', async () => {
  const [baseId, targetId] = [await completedBackup(), await completedBackup()];
  const id = await completedComparison({ baseId, targetId });
  expect(await get(id)).toMatchObject({
    isLive: false, isSame: false, source: 'default', businessId: null, dataTypes: ['ALL'], base: { id: baseId }, target: { id: targetId },
    removed: '1', added: '3', changed: '2', unchanged: '4', baseReadAt: '2026-11-22T12:00:00.000Z', targetReadAt: '2026-11-23T12:00:00.000Z',
    tables: [{ dataType: 'TRENDS', name: 'risk_trends', inBase: true, inTarget: true, removed: '1', added: '3', changed: '2', unchanged: '4', notes: ['a note'] }],
  }); // prettier-ignore
  const { data } = await stand.post('query($id: ID!) { node(id: $id) { ... on BackupComparison { changed } } }', {
    id,
  });
  expect(data).toEqual({ node: { changed: '2' } });
  const missing = await stand.run(op.GetComparisonDocument, { id: toGlobalId('BackupComparison', UNKNOWN) });
  expect(missing.comparison).toBeNull();
});

test('without a target it is one with the live source', async () => {
  const { isLive, target } = await get(await completedComparison({ targetId: null, businessId: 'b1' }));
  expect({ isLive, target }).toEqual({ isLive: true, target: null });
});

test('everything that is wrong with it is told at once', async () => {
  const baseId = await completedBackup();
  const { job, errors } = await compare({ baseId, targetId: baseId, dataTypes: [], businessId: '', waitFor: 'PT10M' });
  expect(job).toBeNull();
  expect(errors.map(({ path }) => path?.join('.'))).toEqual([
    'input.targetId', 'input.dataTypes', 'input.businessId', 'input.waitFor',
  ]); // prettier-ignore
});

test('backups that are not there, hold other data types, or another business are refused', async () => {
  const baseId = await completedBackup();
  const unknown = toGlobalId('Backup', UNKNOWN);
  const refusals: [op.CompareBackupsInput, string, string[]][] = [
    [{ baseId: unknown }, 'NOT_FOUND', ['input', 'baseId']],
    [{ baseId, targetId: unknown }, 'NOT_FOUND', ['input', 'targetId']],
    [{ baseId, dataTypes: ['TRENDS', 'FACTORS'] }, 'INVALID_INPUT', ['input', 'dataTypes']],
    [{ baseId: await completedBackup({ type: 'BUSINESS', businessId: 'b1' }), businessId: 'b2' }, 'INVALID_INPUT', ['input', 'businessId']],
  ]; // prettier-ignore
  for (const [input, code, path] of refusals)
    expect(await compare(input)).toMatchObject({ job: null, comparison: null, errors: [{ code, path }] });
  const { createBackup } = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL' } });
  expect(await compare({ baseId: createBackup.backup!.id })).toMatchObject({ errors: [{ code: 'NOT_FOUND' }] });
  await stand.completeNext();
});

test('neither of two backups is deleted while they are compared', async () => {
  const [baseId, targetId] = [await completedBackup(), await completedBackup()];
  await compare({ baseId, targetId });
  const remove = async (backupId: string) => (await stand.run(op.DeleteBackupDocument, { input: { backupId } })).deleteBackup; // prettier-ignore
  for (const id of [baseId, targetId]) expect((await remove(id)).errors).toMatchObject([{ code: 'CONFLICT' }]);
  await stand.completeNext();
  expect((await remove(targetId)).errors).toEqual([]);
  await stand.completeNext();
});

test('the same key and input are the same job', async () => {
  const input = { baseId: await completedBackup(), idempotencyKey: 'once' };
  const [first, second] = [await compare(input), await compare(input)];
  expect(second.job!.id).toBe(first.job!.id);
  expect(await compare({ ...input, businessId: 'b1' })).toMatchObject({ errors: [{ code: 'IDEMPOTENCY_KEY_REUSED' }] });
  await stand.completeNext();
});

test('a backup of one business is compared by that business', async () => {
  const baseId = await completedBackup({ type: 'BUSINESS', businessId: 'b1' });
  expect((await get(await completedComparison({ baseId }))).businessId).toBe('b1');
});

test('changes come page by page, with cursors that go on and belong to one filter', async () => {
  const id = await completedComparison();
  const seen: unknown[] = [];
  for (let after: string | null | undefined; after !== null;) {
    const { changes } = await get(id, { first: 1, after });
    seen.push(...changes.nodes);
    after = changes.pageInfo.hasNextPage ? changes.pageInfo.endCursor! : null;
  }
  expect(seen).toEqual(CHANGES.map(({ next: _next, ...change }) => change));
  expect(asked.map(({ from }) => from)).toEqual([null, CHANGES[0]!.next, CHANGES[1]!.next]);
  await get(id, { kinds: ['CHANGED'], table: 'risk_trends', dataType: 'TRENDS' });
  expect(asked.at(-1)).toMatchObject({ kinds: ['CHANGED'], table: 'risk_trends', dataType: 'TRENDS', limit: 20 });
  const { endCursor } = (await get(id, { first: 1 })).changes.pageInfo;
  expect(await refusal(id, { after: endCursor, kinds: ['ADDED'] })).toMatchObject({ code: 'INVALID_INPUT', argument: 'after' }); // prettier-ignore
  expect(await refusal(id, { after: 'nonsense' })).toMatchObject({ code: 'INVALID_INPUT' });
  expect(await refusal(id, { first: 101 })).toMatchObject({ code: 'INVALID_INPUT' });
  expect(await refusal(id, { kinds: [] })).toMatchObject({ code: 'INVALID_INPUT', argument: 'kinds' });
  expect(await refusal(id, { table: 'nope' })).toMatchObject({ code: 'INVALID_INPUT', argument: 'table' });
});

test('changes are gone once it has expired; the counts stay', async () => {
  const id = await completedComparison();
  aheadMs = 7 * DAY_MS;
  expect(await refusal(id, {})).toMatchObject({ code: 'NOT_FOUND' });
  const { data } = await stand.post('query($id: ID!) { comparison(id: $id) { changed } }', { id });
  expect(data).toEqual({ comparison: { changed: '2' } });
  expect(asked).toEqual([]);
});
