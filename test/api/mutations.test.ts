/** Mutations: what is refused and why, idempotency, waiting. Nothing that is refused changes anything. */
import { print } from 'graphql';
import { toGlobalId } from '../../src/api/global-id';
import { deadSource, effectOf, openApiStand, testSource, type ApiStand } from '../support/api-stand';
import { until } from '../support/fake-clock';
import * as op from '../support/generated/operations';

let stand: ApiStand;
beforeAll(async () => {
  stand = await openApiStand({
    limits: { maxWaiters: 1 },
    sources: [
      testSource(),
      testSource({ name: 'bare', mapping: [{ dataType: 'CONFIG', table: 'settings' }] }),
      deadSource('dead'),
    ],
  });
});
afterAll(() => stand.close());

const UNKNOWN = toGlobalId('Backup', '00000000-0000-4000-8000-000000000000');

async function completed(input: op.CreateBackupInput): Promise<string> {
  const { createBackup } = await stand.run(op.CreateBackupDocument, { input });
  expect(createBackup.errors).toEqual([]);
  await stand.completeNext();
  return createBackup.backup!.id;
}

describe('createBackup refuses', () => {
  const long = 'x'.repeat(300);
  test.each<[string, op.CreateBackupInput, string]>([
    ['a business for an incremental', { type: 'INCREMENTAL', businessId: 'b' }, 'businessId'],
    ['an unknown source', { type: 'FULL', source: '../other' }, 'source'],
    ['no data types', { type: 'FULL', dataTypes: [] }, 'dataTypes'],
    ['ALL and others', { type: 'FULL', dataTypes: ['ALL', 'TRENDS'] }, 'dataTypes'],
    ['data types without a table', { type: 'FULL', source: 'bare', dataTypes: ['TRENDS'] }, 'dataTypes'],
    ['a business where none is mapped', { type: 'BUSINESS', source: 'bare', businessId: 'b' }, 'dataTypes'],
    ['SYSTEM with other data', { type: 'SYSTEM', dataTypes: ['TRENDS'] }, 'dataTypes'],
    ['BUSINESS without one', { type: 'BUSINESS' }, 'businessId'],
    ['an empty business', { type: 'BUSINESS', businessId: '' }, 'businessId'],
    ['a business of control characters', { type: 'BUSINESS', businessId: 'a\nb' }, 'businessId'],
    ['a business that is too long', { type: 'BUSINESS', businessId: long }, 'businessId'],
    ['a business for FULL', { type: 'FULL', businessId: 'b' }, 'businessId'],
    ['a business for SYSTEM', { type: 'SYSTEM', businessId: 'b' }, 'businessId'],
    ['no retention', { type: 'FULL', retentionDays: 0 }, 'retentionDays'],
    ['negative retention', { type: 'FULL', retentionDays: -1 }, 'retentionDays'],
    ['retention of over 100 years', { type: 'FULL', retentionDays: 36_501 }, 'retentionDays'],
    ['labels that are a list', { type: 'FULL', labels: ['a'] }, 'labels'],
    ['labels that are nested', { type: 'FULL', labels: { a: { b: 'c' } } }, 'labels'],
    ['labels of a strange key', { type: 'FULL', labels: { 'a b': 'c' } }, 'labels'],
    ['labels that are too long', { type: 'FULL', labels: { a: long } }, 'labels'],
    [
      'too many labels',
      { type: 'FULL', labels: Object.fromEntries([...Array(33).keys()].map((n) => [`k${n}`, ''])) },
      'labels',
    ],
    ['an empty key', { type: 'FULL', idempotencyKey: '' }, 'idempotencyKey'],
    ['a key that is too long', { type: 'FULL', idempotencyKey: long }, 'idempotencyKey'],
    ['a wait that is no duration', { type: 'FULL', waitFor: '30 seconds' }, 'waitFor'],
    ['a wait of a month', { type: 'FULL', waitFor: 'P1M' }, 'waitFor'],
    ['a wait beyond a minute', { type: 'FULL', waitFor: 'PT61S' }, 'waitFor'],
  ])('%s', async (_name, input, field) => {
    const before = await stand.catalog.jobs.count();
    const { createBackup } = await stand.run(op.CreateBackupDocument, { input });
    const [error] = createBackup.errors;
    expect(error).toMatchObject({ code: 'INVALID_INPUT', path: ['input', field] });
    expect([createBackup.job, createBackup.backup]).toEqual([null, null]);
    expect(await stand.catalog.jobs.count()).toBe(before);
  });

  test('everything at once, and says all of it', async () => {
    const input: op.CreateBackupInput = { type: 'BUSINESS', retentionDays: 0, waitFor: 'x', source: 'nowhere' };
    const { createBackup } = await stand.run(op.CreateBackupDocument, { input });
    const fields = createBackup.errors.map(({ path }) => path?.at(-1));
    expect(fields.sort()).toEqual(['businessId', 'retentionDays', 'source', 'waitFor']);
  });
});

test('a backup of all says which data types that is', async () => {
  const { createBackup } = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL', source: 'bare' } });
  expect(createBackup.backup?.dataTypes).toEqual(['CONFIG']);
  await stand.run(op.CancelJobDocument, { input: { jobId: createBackup.job!.id } });
});

test('a backup of an unreachable source is enqueued: its job says what is wrong', async () => {
  const { createBackup } = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL', source: 'dead' } });
  expect(createBackup.job?.state).toBe('PENDING');
  const { lease } = await stand.claim();
  const failure = { code: 'SOURCE_UNAVAILABLE', message: 'down', hint: 'Start it.', retryable: true } as const;
  await stand.settle(lease, { state: 'FAILED', failure });
  const { job } = await stand.run(op.GetJobDocument, { id: createBackup.job!.id });
  expect(job?.failure).toEqual({ code: 'SOURCE_UNAVAILABLE', message: 'down', remedy: 'Start it.', retryable: true });
});

describe('restoreBackup refuses', () => {
  let full: string, business: string, system: string, failed: string, running: string;
  beforeAll(async () => {
    full = await completed({ type: 'FULL', dataTypes: ['TRENDS', 'ALERTS'] });
    business = await completed({ type: 'BUSINESS', businessId: 'b1' });
    system = await completed({ type: 'SYSTEM' });
    failed = (await stand.run(op.CreateBackupDocument, { input: { type: 'FULL' } })).createBackup.backup!.id;
    const { lease } = await stand.claim();
    await stand.settle(lease, { state: 'FAILED', failure: { code: 'INTERNAL', message: 'x', retryable: false } });
    running = (await stand.run(op.CreateBackupDocument, { input: { type: 'FULL' } })).createBackup.backup!.id;
  });
  afterAll(() => stand.completeNext());

  const trend = (key: unknown): op.RecordKeyInput => ({ dataType: 'TRENDS', key });
  const cases: [string, () => op.RestoreBackupInput, string, string][] = [
    ['an unknown backup', () => ({ backupId: UNKNOWN, type: 'FULL' }), 'NOT_FOUND', 'backupId'],
    ['a path', () => ({ backupId: '../../etc/passwd', type: 'FULL' }), 'INVALID_INPUT', 'backupId'],
    ["another type's id", () => ({ backupId: toGlobalId('Job', '00000000-0000-4000-8000-000000000000'), type: 'FULL' }), 'INVALID_INPUT', 'backupId'],
    ['a failed backup', () => ({ backupId: failed, type: 'FULL' }), 'BACKUP_NOT_RESTORABLE', 'backupId'],
    ['a backup under way', () => ({ backupId: running, type: 'FULL' }), 'BACKUP_NOT_RESTORABLE', 'backupId'],
    ['PARTIAL without data types', () => ({ backupId: full, type: 'PARTIAL' }), 'INVALID_INPUT', 'dataTypes'],
    ['PARTIAL of what is not there', () => ({ backupId: full, type: 'PARTIAL', dataTypes: ['HISTORY'] }), 'INVALID_INPUT', 'dataTypes'],
    ['FULL with data types', () => ({ backupId: full, type: 'FULL', dataTypes: ['TRENDS'] }), 'INVALID_INPUT', 'dataTypes'],
    ['BUSINESS without one', () => ({ backupId: full, type: 'BUSINESS' }), 'INVALID_INPUT', 'businessId'],
    ['another business', () => ({ backupId: business, type: 'BUSINESS', businessId: 'b2' }), 'INVALID_INPUT', 'businessId'],
    ['all of one business', () => ({ backupId: business, type: 'FULL' }), 'INVALID_INPUT', 'type'],
    ['a business for FULL', () => ({ backupId: full, type: 'FULL', businessId: 'b' }), 'INVALID_INPUT', 'businessId'],
    ['SYSTEM with other data', () => ({ backupId: system, type: 'SYSTEM', dataTypes: ['TRENDS'] }), 'INVALID_INPUT', 'dataTypes'],
    ['in place: false', () => ({ backupId: full, type: 'FULL', target: { inPlace: false } }), 'INVALID_INPUT', 'inPlace'],
    ['a scratch name with a path', () => ({ backupId: full, type: 'FULL', target: { scratch: '../x' } }), 'INVALID_INPUT', 'scratch'],
    ['a scratch name that is too long', () => ({ backupId: full, type: 'FULL', target: { scratch: 'x'.repeat(61) } }), 'INVALID_INPUT', 'scratch'],
    ["the source's own schema", () => ({ backupId: full, type: 'FULL', target: { scratch: 'KYB' } }), 'INVALID_INPUT', 'scratch'],
    ["the server's schema", () => ({ backupId: full, type: 'FULL', target: { scratch: 'mysql' } }), 'INVALID_INPUT', 'scratch'],
    ['no keys', () => ({ backupId: full, type: 'FULL', keys: [] }), 'INVALID_INPUT', 'keys'],
    ['too many keys', () => ({ backupId: full, type: 'FULL', keys: Array(1001).fill(trend(1)) }), 'INVALID_INPUT', 'keys'],
    ['keys of the system', () => ({ backupId: system, type: 'SYSTEM', keys: [trend(1)] }), 'INVALID_INPUT', 'keys'],
    ['a key of no table', () => ({ backupId: full, type: 'FULL', keys: [{ ...trend(1), table: 'x' }] }), 'INVALID_INPUT', 'table'],
    ['a key of all', () => ({ backupId: full, type: 'FULL', keys: [trend(1), { ...trend(1), dataType: 'ALL' }] }), 'INVALID_INPUT', 'dataType'],
    ['a key of other data types', () => ({ backupId: full, type: 'PARTIAL', dataTypes: ['ALERTS'], keys: [trend(1)] }), 'INVALID_INPUT', 'dataType'],
    ['keys of damage', () => ({ backupId: full, type: 'FULL', keys: [trend(1)], damagedBackupId: business }), 'INVALID_INPUT', 'keys'],
    ['a key with a hole', () => ({ backupId: full, type: 'FULL', keys: [trend({ id: null })] }), 'INVALID_INPUT', 'id'],
    ['a dry run into scratch', () => ({ backupId: full, type: 'FULL', dryRun: true, target: { scratch: 'x' } }), 'INVALID_INPUT', 'dryRun'],
  ]; // prettier-ignore
  test.each(cases)('%s', async (_name, input, code, field) => {
    const before = await stand.catalog.restores.count();
    const { restoreBackup } = await stand.run(op.RestoreBackupDocument, { input: input() });
    expect(restoreBackup.errors).toEqual([expect.objectContaining({ code })]);
    expect(restoreBackup.errors[0]?.path?.at(-1)).toBe(field);
    expect(await stand.catalog.restores.count()).toBe(before);
  });

  test('two targets, already as malformed', async () => {
    const target = { inPlace: true, scratch: 'x' };
    const { errors } = await stand.post(print(op.RestoreBackupDocument), {
      input: { backupId: full, type: 'FULL', target },
    });
    expect(errors?.[0]?.message).toContain('Exactly one key must be specified for OneOf type "RestoreTargetInput"');
  });
});

test('a restore runs and says what it did', async () => {
  const backupId = await completed({ type: 'FULL' });
  const input: op.RestoreBackupInput = {
    backupId,
    type: 'PARTIAL',
    dataTypes: ['TRENDS'],
    target: { scratch: 'copy_1' },
  };
  const { restoreBackup } = await stand.run(op.RestoreBackupDocument, { input });
  expect(restoreBackup.errors).toEqual([]);
  await stand.completeNext();
  const { restore } = await stand.run(op.GetRestoreDocument, { id: restoreBackup.restore!.id });
  expect(restore).toMatchObject({
    status: 'COMPLETED', inserts: '3', verifiedRowCount: '9', target: { inPlace: false, scratch: 'copy_1' },
    backup: { id: backupId }, tables: [{ name: 'risk_trends', deletes: '1' }],
  }); // prettier-ignore
});

describe('idempotency', () => {
  test('the same key and input give the same job, however long it waits', async () => {
    const input: op.CreateBackupInput = { type: 'FULL', labels: { b: '1', a: '2' }, idempotencyKey: 'once' };
    const calls = [input, input, { ...input, waitFor: 'PT0S', labels: { a: '2', b: '1' } }];
    const made = await Promise.all(calls.map((call) => stand.run(op.CreateBackupDocument, { input: call })));
    expect(new Set(made.map(({ createBackup }) => createBackup.job!.id)).size).toBe(1);
    expect(new Set(made.map(({ createBackup }) => createBackup.backup!.id)).size).toBe(1);
    await stand.completeNext();
  });

  test('the same key with another input is refused', async () => {
    const input: op.CreateBackupInput = { type: 'SYSTEM', idempotencyKey: 'once' };
    const { createBackup } = await stand.run(op.CreateBackupDocument, { input });
    expect(createBackup.errors).toEqual([expect.objectContaining({ code: 'IDEMPOTENCY_KEY_REUSED' })]);
  });

  test('a repeated key is answered with its job although the backup is gone', async () => {
    const created = { type: 'FULL', idempotencyKey: 'again' } as const;
    const backupId = await completed(created);
    const { restoreBackup: restore, verifyBackup: verify } = await both(backupId);
    await stand.completeNext();
    await stand.completeNext();
    const deletion = { input: { backupId, idempotencyKey: 'again' } };
    const { deleteBackup } = await stand.run(op.DeleteBackupDocument, deletion);
    await stand.completeNext();

    const again = await both(backupId);
    expect([again.restoreBackup.job!.id, again.verifyBackup.job!.id]).toEqual([restore.job!.id, verify.job!.id]);
    expect(again.restoreBackup.restore?.id).toBe(restore.restore!.id);
    const deleted = (await stand.run(op.DeleteBackupDocument, deletion)).deleteBackup;
    expect(deleted).toMatchObject({ job: { id: deleteBackup.job!.id }, deletedBackupId: backupId, errors: [] });
    const { createBackup } = await stand.run(op.CreateBackupDocument, { input: created });
    expect(createBackup).toMatchObject({ job: { state: 'COMPLETED' }, backup: null, errors: [] });
    expect(await stand.catalog.jobs.count({ states: ['PENDING'] })).toBe(0);
  });

  test('a keyed deletion that needed no job is answered again as it was, and its key is taken', async () => {
    const { createBackup } = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL' } });
    const backupId = createBackup.backup!.id;
    await stand.run(op.CancelJobDocument, { input: { jobId: createBackup.job!.id } });
    const deletion = { input: { backupId, idempotencyKey: 'unstored' } };
    const gone = { job: null, deletedBackupId: backupId, errors: [] };
    const twins = await Promise.all([1, 2, 3].map(() => stand.run(op.DeleteBackupDocument, deletion)));
    expect(twins.map(({ deleteBackup }) => deleteBackup)).toEqual([gone, gone, gone]);
    expect((await stand.run(op.DeleteBackupDocument, deletion)).deleteBackup).toEqual(gone);
    const other = { input: { backupId: UNKNOWN, idempotencyKey: 'unstored' } };
    const refused = (await stand.run(op.DeleteBackupDocument, other)).deleteBackup;
    expect(refused.errors).toEqual([expect.objectContaining({ code: 'IDEMPOTENCY_KEY_REUSED' })]);
    const unkeyed = (await stand.run(op.DeleteBackupDocument, { input: { backupId } })).deleteBackup;
    expect(unkeyed.errors).toEqual([expect.objectContaining({ code: 'NOT_FOUND' })]);
  });

  test('a key that was used is refused before anything else is looked at', async () => {
    const reused = [expect.objectContaining({ code: 'IDEMPOTENCY_KEY_REUSED' })];
    const wrong = { backupId: UNKNOWN, idempotencyKey: 'again' };
    const input = { type: 'BUSINESS', retentionDays: -1, idempotencyKey: 'again' } as const;
    expect((await stand.run(op.CreateBackupDocument, { input })).createBackup.errors).toEqual(reused);
    const restored = await stand.run(op.RestoreBackupDocument, { input: { ...wrong, type: 'PARTIAL' } });
    expect(restored.restoreBackup.errors).toEqual(reused);
    const verified = await stand.run(op.VerifyBackupDocument, { input: { ...wrong, level: 'RESTORE' } });
    expect(verified.verifyBackup.errors).toEqual(reused);
    expect((await stand.run(op.DeleteBackupDocument, { input: wrong })).deleteBackup.errors).toEqual(reused);
  });

  async function both(backupId: string) {
    const key = { backupId, idempotencyKey: 'again' };
    const verified = await stand.run(op.VerifyBackupDocument, { input: key });
    return { ...verified, ...(await stand.run(op.RestoreBackupDocument, { input: { ...key, type: 'FULL' } })) };
  }
});

describe('waitFor', () => {
  test('holds the answer until the job has ended', async () => {
    const answer = stand.run(op.CreateBackupDocument, { input: { type: 'FULL', waitFor: 'PT30S' } });
    await until(async () => (await stand.catalog.jobs.count({ states: ['PENDING'] })) === 1);
    await stand.completeNext();
    const { createBackup } = await answer;
    expect([createBackup.job?.state, createBackup.backup?.status]).toEqual(['COMPLETED', 'COMPLETED']);
  });

  test('gives the running job when it runs out, or when too many wait', async () => {
    const short = stand.run(op.CreateBackupDocument, { input: { type: 'FULL', waitFor: 'PT0.3S' } });
    expect((await short).createBackup.job?.state).toBe('PENDING');
    const held = stand.run(op.CreateBackupDocument, { input: { type: 'FULL', waitFor: 'PT30S' } });
    await until(() => stand.feed.followed === 1);
    const beyond = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL', waitFor: 'PT30S' } });
    expect(beyond.createBackup.job?.state).toBe('PENDING');
    for (let job = 0; job < 3; job += 1) await stand.completeNext();
    expect((await held).createBackup.job?.state).toBe('COMPLETED');
  });

  test('lets go of a caller who has gone', async () => {
    const leave = new AbortController();
    const body = JSON.stringify({
      query: print(op.CreateBackupDocument),
      variables: { input: { type: 'FULL', waitFor: 'PT30S' } },
    });
    const headers = { 'content-type': 'application/json' };
    const call = fetch(`${stand.server.address}/graphql`, { method: 'POST', headers, body, signal: leave.signal });
    await until(() => stand.feed.followed === 1);
    leave.abort();
    await expect(call).rejects.toThrow();
    await until(() => stand.feed.followed === 0);
    await stand.completeNext();
  });

  test('lets go of everybody when the service stops', async () => {
    const stopping = await openApiStand();
    const held = stopping.run(op.CreateBackupDocument, { input: { type: 'FULL', waitFor: 'PT60S' } });
    await until(() => stopping.feed.followed === 1);
    await stopping.close();
    expect((await held).createBackup.job?.state).toBe('PENDING');
  });
});

describe('jobs and backups end', () => {
  test('a waiting job is cancelled at once, and once is enough', async () => {
    const { createBackup } = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL' } });
    const jobId = createBackup.job!.id;
    const cancel = async (id: string) => (await stand.run(op.CancelJobDocument, { input: { jobId: id } })).cancelJob;
    const cancelled = { job: { state: 'CANCELLED', cancelable: false }, errors: [] };
    expect(await cancel(jobId)).toMatchObject(cancelled);
    expect(await cancel(jobId)).toMatchObject(cancelled);
    expect((await cancel('nonsense')).errors[0]?.code).toBe('INVALID_INPUT');
    const gone = await stand.run(op.DeleteBackupDocument, { input: { backupId: createBackup.backup!.id } });
    expect(gone.deleteBackup).toMatchObject({ job: null, deletedBackupId: createBackup.backup!.id, errors: [] });
  });

  test('a job that ended otherwise is not cancelable, an unknown one not found: where and what to do is said', async () => {
    const { createBackup } = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL' } });
    await stand.completeNext();
    const query =
      'mutation ($input: CancelJobInput!) { cancelJob(input: $input) { job { id } errors { code message path hint } } }';
    const refused = async (jobId: string) => (await stand.post<unknown>(query, { input: { jobId } })).data;
    const path = ['input', 'jobId'];
    const hint = expect.any(String) as string;
    expect(await refused(createBackup.job!.id)).toMatchObject({
      cancelJob: { job: null, errors: [{ code: 'NOT_CANCELABLE', path, hint }] },
    });
    expect(await refused(toGlobalId('Job', '00000000-0000-4000-8000-000000000000'))).toEqual({
      cancelJob: { job: null, errors: [{ code: 'NOT_FOUND', message: 'There is no such job.', path, hint }] },
    });
  });

  test('a stored backup is deleted by a job, but not while a job uses it', async () => {
    const backupId = await completed({ type: 'FULL' });
    await stand.run(op.RestoreBackupDocument, { input: { backupId, type: 'FULL' } });
    const busy = await stand.run(op.DeleteBackupDocument, { input: { backupId } });
    expect(busy.deleteBackup.errors[0]?.code).toBe('CONFLICT');
    await stand.completeNext();
    const { deleteBackup } = await stand.run(op.DeleteBackupDocument, { input: { backupId } });
    expect(deleteBackup.job?.state).toBe('PENDING');
    await stand.completeNext();
    expect((await stand.run(op.GetBackupDocument, { id: backupId })).backup).toBeNull();
    const { job } = await stand.run(op.GetJobDocument, { id: deleteBackup.job!.id });
    expect(job?.cleanup).toEqual({
      deletedBackupIds: [backupId],
      kept: [],
      freedBytes: '400',
      rewrittenPacks: 3,
      rewrittenBytes: '50',
    });
    expect(job?.verification).toBeNull();
  });

  test('a verification leaves its verdict with the backup', async () => {
    const backupId = await completed({ type: 'FULL' });
    const { verifyBackup } = await stand.run(op.VerifyBackupDocument, { input: { backupId } });
    await stand.completeNext();
    const { job } = await stand.run(op.GetJobDocument, { id: verifyBackup.job!.id });
    expect(job?.progress).toMatchObject({ percent: 100, bytesDone: '500', bytesTotal: '500' });
    const verdict = { level: 'DATA', passed: true, checkedChunks: '5', findings: [], rehearsal: null };
    expect(job?.verification).toEqual(verdict);
    const { backup } = await stand.run(op.GetBackupDocument, { id: backupId });
    expect(backup?.verification).toMatchObject({ level: 'DATA', passed: true });
    expect(backup?.rawBytes).toBe('9007199254740991');
  });

  describe('compactBackup', () => {
    const compact = async (input: op.CompactBackupInput) =>
      (await stand.run(op.CompactBackupDocument, { input })).compactBackup;

    test('is refused for what is not there, is no backup or has nothing stored', async () => {
      expect((await compact({ backupId: UNKNOWN })).errors).toMatchObject([{ code: 'NOT_FOUND' }]);
      expect((await compact({ backupId: '../x' })).errors).toMatchObject([{ code: 'INVALID_INPUT' }]);
      const { createBackup } = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL' } });
      const running = await compact({ backupId: createBackup.backup!.id });
      expect(running).toMatchObject({ job: null, errors: [{ code: 'CONFLICT', path: ['input', 'backupId'] }] });
      await stand.completeNext();
      expect((await compact({ backupId: createBackup.backup!.id, waitFor: 'P9D' })).errors).toMatchObject([
        { code: 'INVALID_INPUT', path: ['input', 'waitFor'] },
      ]);
    });

    test('makes a job that leaves the backup with its new checksum, once for one key, and holds off its deletion', async () => {
      const backupId = await completed({ type: 'FULL' });
      const { job, backup, errors } = await compact({ backupId, idempotencyKey: 'compact once' });
      expect([job?.kind, job?.state, backup?.id, errors]).toEqual(['COMPACTION', 'PENDING', backupId, []]);
      const deletion = { input: { backupId } };
      const refused = (await stand.run(op.DeleteBackupDocument, deletion)).deleteBackup;
      expect(refused.errors).toMatchObject([{ code: 'CONFLICT' }]);
      const waiting = compact({ backupId, idempotencyKey: 'compact once', waitFor: 'PT30S' });
      await stand.completeNext();
      expect((await waiting).job).toEqual({ id: job!.id, kind: 'COMPACTION', state: 'COMPLETED' });
      const after = (await stand.run(op.GetBackupDocument, { id: backupId })).backup;
      expect([after?.checksum, after?.storedBytes]).toEqual(['d'.repeat(64), '450']);
      expect((await stand.run(op.DeleteBackupDocument, deletion)).deleteBackup.errors).toEqual([]);
      await stand.completeNext();
    });
  });

  test('cleaning up: a dry run lists what has expired and makes no job', async () => {
    const { createBackup } = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL' } });
    const { job, lease } = await stand.claim();
    const effect = effectOf(job) as Extract<ReturnType<typeof effectOf>, { kind: 'BACKUP_STORED' }>;
    effect.stored.manifest.expiresAt = '2020-01-01T00:00:00.000Z';
    await stand.settle(lease, { state: 'COMPLETED', effect });
    const { cleanupExpiredBackups: dry } = await stand.run(op.CleanupExpiredBackupsDocument, {
      input: { dryRun: true },
    });
    expect(dry).toMatchObject({ job: null, expiredBackupIds: [createBackup.backup!.id] });
    const { cleanupExpiredBackups } = await stand.run(op.CleanupExpiredBackupsDocument, { input: {} });
    expect(cleanupExpiredBackups.job?.state).toBe('PENDING');
    await stand.completeNext();
  });
});

test('the overview shows a source that is down beside the others', async () => {
  const { sources, repository, viewer } = await stand.run(op.OverviewDocument, {});
  expect(viewer).toEqual({ name: 'local', role: 'OPERATOR' });
  expect(sources.map(({ name, reachable }) => [name, reachable])).toEqual([
    ['default', true],
    ['bare', true],
    ['dead', false],
  ]);
  expect(sources[2]?.problem).toContain("can't be reached");
  expect(repository).toMatchObject({ reachable: true, formatVersion: 1 });
});

test('what makes a job wakes the runner', async () => {
  const before = stand.wakes();
  await completed({ type: 'FULL' });
  expect(stand.wakes()).toBe(before + 1);
});
