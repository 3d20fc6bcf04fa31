/** Legal holds: what is refused and why, what is done once, and that the repository decides. */
import { toGlobalId } from '../../src/api/global-id';
import { AppError } from '../../src/domain/errors';
import type { LegalHold } from '../../src/domain/legal-hold';
import type { RepositoryPort } from '../../src/services/ports';
import { openApiStand, TEST_REPOSITORY, type ApiStand } from '../support/api-stand';
import * as op from '../support/generated/operations';

const UNKNOWN = '00000000-0000-4000-8000-000000000000';

/** Holds by id, and a switch for a repository that is away. */
let stored: Map<string, LegalHold>;
let away = false;
/** Called once a hold was written or removed, before anybody is told. */
let afterwards: () => void = () => undefined;

const repository: RepositoryPort = {
  ...TEST_REPOSITORY,
  async placeHold(hold) {
    if (away) throw new AppError('REPOSITORY_UNAVAILABLE', 'The repository is away.', { retryable: true });
    if (hold.reason === 'too late') throw new AppError('NOT_FOUND', 'The repository has no such backup.');
    const placed = stored.get(hold.holdId) ?? hold;
    stored.set(hold.holdId, placed);
    afterwards();
    return placed;
  },
  async releaseHold({ holdId }) {
    if (away) throw new AppError('REPOSITORY_UNAVAILABLE', 'The repository is away.', { retryable: true });
    const found = stored.get(holdId) ?? null;
    stored.delete(holdId);
    afterwards();
    return found;
  },
};

let stand: ApiStand;
beforeAll(async () => {
  stand = await openApiStand({ repository });
});
afterAll(() => stand.close());
beforeEach(() => {
  stored = new Map();
  away = false;
  afterwards = () => undefined;
});

async function completed(): Promise<string> {
  const { createBackup } = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL' } });
  await stand.completeNext();
  return createBackup.backup!.id;
}

const place = async (input: op.PlaceLegalHoldInput): Promise<op.PlaceLegalHoldMutation['placeLegalHold']> =>
  (await stand.run(op.PlaceLegalHoldDocument, { input })).placeLegalHold;
const release = async (input: op.ReleaseLegalHoldInput): Promise<op.ReleaseLegalHoldMutation['releaseLegalHold']> =>
  (await stand.run(op.ReleaseLegalHoldDocument, { input })).releaseLegalHold;

test('a held backup says so, cannot be deleted, and is deleted once its last hold is released', async () => {
  const backupId = await completed();
  const first = await place({ backupId, reason: '  Case 4711\nMüller  ' });
  expect(first).toMatchObject({
    legalHold: { reason: 'Case 4711\nMüller', createdBy: 'local' },
    backup: { id: backupId, legalHolds: [{ id: first.legalHold!.id }] },
    errors: [],
  });
  const second = await place({ backupId, reason: 'Case 4712' });
  expect(second.backup?.legalHolds).toHaveLength(2);
  expect(stored.size).toBe(2);
  const { backup } = await stand.run(op.GetBackupDocument, { id: backupId });
  expect(backup?.legalHold).toEqual(first.legalHold);

  const jobs = await stand.catalog.jobs.count();
  const { deleteBackup } = await stand.run(op.DeleteBackupDocument, { input: { backupId } });
  expect(deleteBackup).toMatchObject({ job: null, deletedBackupId: null, errors: [{ code: 'LEGAL_HOLD', path: ['input', 'backupId'] }] }); // prettier-ignore
  expect(await stand.catalog.jobs.count()).toBe(jobs);

  expect(await release({ backupId })).toMatchObject({ errors: [{ code: 'CONFLICT', path: ['input', 'holdId'] }] });
  const still = await release({ backupId, holdId: first.legalHold!.id });
  expect(still).toMatchObject({ backup: { id: backupId }, legalHold: { id: second.legalHold!.id }, errors: [] });
  expect(await release({ backupId })).toMatchObject({ legalHold: null, errors: [] });
  expect(stored.size).toBe(0);
  expect((await stand.run(op.DeleteBackupDocument, { input: { backupId } })).deleteBackup.errors).toEqual([]);
  await stand.completeNext();
});

test('a hold is a node of its own', async () => {
  const backupId = await completed();
  const { legalHold } = await place({ backupId, reason: 'x' });
  const query = 'query ($id: ID!) { node(id: $id) { id ... on LegalHold { reason createdAt } } }';
  const { data } = await stand.post<{ node: object | null }>(query, { id: legalHold!.id });
  expect(data?.node).toMatchObject({ id: legalHold!.id, reason: 'x', createdAt: legalHold!.createdAt });
  await release({ backupId });
  expect((await stand.post<{ node: object | null }>(query, { id: legalHold!.id })).data?.node).toBeNull();
});

test('backups on hold are found and counted', async () => {
  const backupId = await completed();
  await place({ backupId, reason: 'x' });
  await place({ backupId, reason: 'y' });
  const { backups } = await stand.run(op.ListBackupsDocument, { filter: { onHold: true } });
  expect(backups.nodes.map(({ id }) => id)).toEqual([backupId]);
  expect((await stand.run(op.OverviewDocument, {})).backupStatistics.onHold).toBe(1);
});

describe('placeLegalHold refuses', () => {
  let backupId: string, failed: string;
  beforeAll(async () => {
    backupId = await completed();
    failed = (await stand.run(op.CreateBackupDocument, { input: { type: 'FULL' } })).createBackup.backup!.id;
    const { lease } = await stand.claim();
    await stand.settle(lease, { state: 'FAILED', failure: { code: 'INTERNAL', message: 'x', retryable: false } });
  });

  test.each<[string, () => op.PlaceLegalHoldInput, string, string]>([
    ['no reason', () => ({ backupId, reason: '' }), 'INVALID_INPUT', 'reason'],
    ['a blank reason', () => ({ backupId, reason: ' \n ' }), 'INVALID_INPUT', 'reason'],
    ['a reason that is too long', () => ({ backupId, reason: 'x'.repeat(1001) }), 'INVALID_INPUT', 'reason'],
    ['a reason of control characters', () => ({ backupId, reason: 'a\u0000b' }), 'INVALID_INPUT', 'reason'],
    ['a key that is too long', () => ({ backupId, reason: 'x', idempotencyKey: 'x'.repeat(300) }), 'INVALID_INPUT', 'idempotencyKey'],
    ['an unknown backup', () => ({ backupId: toGlobalId('Backup', UNKNOWN), reason: 'x' }), 'NOT_FOUND', 'backupId'],
    ['a path', () => ({ backupId: '../../holds', reason: 'x' }), 'INVALID_INPUT', 'backupId'],
    ["another type's id", () => ({ backupId: toGlobalId('Job', UNKNOWN), reason: 'x' }), 'INVALID_INPUT', 'backupId'],
    ['a failed backup', () => ({ backupId: failed, reason: 'x' }), 'CONFLICT', 'backupId'],
    ['what the repository has no more', () => ({ backupId, reason: 'too late' }), 'NOT_FOUND', 'backupId'],
  ])('%s', async (_name, input, code, field) => {
    expect(await place(input())).toEqual({
      backup: null,
      legalHold: null,
      errors: [expect.objectContaining({ code, path: ['input', field] })],
    });
    expect(stored.size).toBe(0);
  }); // prettier-ignore

  test('a call without a reason, already as malformed', async () => {
    const mutation = 'mutation ($input: PlaceLegalHoldInput!) { placeLegalHold(input: $input) { errors { code } } }';
    const { errors } = await stand.post(mutation, { input: { backupId } });
    expect(errors?.[0]?.message).toContain('reason');
  });

  test('everything while the repository is away, and nothing is half done', async () => {
    away = true;
    expect((await place({ backupId, reason: 'x', idempotencyKey: 'away' })).errors).toMatchObject([
      { code: 'REPOSITORY_UNAVAILABLE' },
    ]);
    expect((await stand.run(op.GetBackupDocument, { id: backupId })).backup?.legalHold).toBeNull();
    away = false;
    expect((await place({ backupId, reason: 'x', idempotencyKey: 'away' })).errors).toEqual([]);
    away = true;
    expect((await release({ backupId })).errors).toMatchObject([{ code: 'REPOSITORY_UNAVAILABLE' }]);
    expect((await stand.run(op.GetBackupDocument, { id: backupId })).backup?.legalHold).not.toBeNull();
    away = false;
    await release({ backupId });
  });
});

test('releaseLegalHold refuses what is not there', async () => {
  const [backupId, other] = [await completed(), await completed()];
  const { legalHold } = await place({ backupId: other, reason: 'x' });
  expect(await release({ backupId })).toMatchObject({ errors: [{ code: 'NOT_FOUND', path: ['input', 'backupId'] }] });
  const unknown = await release({ backupId, holdId: toGlobalId('LegalHold', UNKNOWN) });
  expect(unknown).toMatchObject({ errors: [{ code: 'NOT_FOUND', path: ['input', 'holdId'] }] });
  const malformed = await release({ backupId, holdId: backupId });
  expect(malformed).toMatchObject({ errors: [{ code: 'INVALID_INPUT', path: ['input', 'holdId'] }] });
  expect(stored.has(Buffer.from(legalHold!.id, 'base64url').toString().split(':')[1]!)).toBe(true);
});

describe('idempotency', () => {
  test('the same key and input hold once, also at once and after the release', async () => {
    const backupId = await completed();
    const input = { backupId, reason: 'x', idempotencyKey: 'hold once' };
    const placed = await Promise.all([place(input), place(input), place(input)]);
    expect(placed.map(({ errors }) => errors)).toEqual([[], [], []]);
    expect(new Set(placed.map(({ legalHold }) => legalHold?.id)).size).toBe(1);
    expect(stored.size).toBe(1);
    expect((await place({ ...input, reason: 'y' })).errors).toMatchObject([{ code: 'IDEMPOTENCY_KEY_REUSED' }]);

    const releasing = { backupId, idempotencyKey: 'release once' };
    expect((await release(releasing)).errors).toEqual([]);
    await place({ backupId, reason: 'another' });
    expect(await release(releasing)).toMatchObject({ legalHold: { reason: 'another' }, errors: [] });
    expect(await place(input)).toMatchObject({ backup: { id: backupId }, legalHold: null, errors: [] });
    expect(stored.size).toBe(1);
  });

  test('what was cut off after the repository is completed by the same call, and done once', async () => {
    const backupId = await completed();
    const cut = (): void => {
      afterwards = () => undefined;
      throw new AppError('CATALOG_UNAVAILABLE', 'cut off');
    };
    const input = { backupId, reason: 'x', idempotencyKey: 'cut off' };
    afterwards = cut;
    await expect(place(input)).rejects.toThrow();
    expect(stored.size).toBe(1);
    expect(await place(input)).toMatchObject({ legalHold: { reason: 'x' }, errors: [] });
    expect(stored.size).toBe(1);
    afterwards = cut;
    await expect(release({ backupId })).rejects.toThrow();
    expect(stored.size).toBe(0);
    expect(await release({ backupId })).toMatchObject({ legalHold: null, errors: [] });
  });
});
