/** Three-way restores and their plans over GraphQL: what is refused and why, what their jobs are told, and how conflicts are paged. */
import type { ConflictsFound, ConflictsWanted, FoundConflict } from '../../src/domain/restore-conflict';
import { openApiStand, storedManifest, TEST_READER, type ApiStand } from '../support/api-stand';
import * as op from '../support/generated/operations';

const asked: ConflictsWanted[] = [];
let found: ConflictsFound = { conflicts: [], next: null };

let stand: ApiStand;
beforeAll(async () => {
  const findConflicts = async (wanted: ConflictsWanted) => {
    asked.push(wanted);
    return found;
  };
  stand = await openApiStand({ reader: { ...TEST_READER, findConflicts } });
});
afterAll(() => stand.close());

async function backupOf(hour: number, input: Partial<op.CreateBackupInput> = {}): Promise<string> {
  const { createBackup } = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL', ...input } });
  const { job, lease } = await stand.claim();
  if (job.spec.kind !== 'BACKUP') throw new Error(`a ${job.spec.kind} job was claimed`);
  const { manifest, ...rest } = storedManifest(job.spec);
  const stored = { ...rest, manifest: { ...manifest, readAt: new Date(Date.UTC(2026, 10, 22, hour)).toISOString() } };
  await stand.settle(lease, { state: 'COMPLETED', effect: { kind: 'BACKUP_STORED', stored } });
  return createBackup.backup!.id;
}

const plan = async (input: op.PlanRestoreInput) => (await stand.run(op.PlanRestoreDocument, { input })).planRestore;

async function completedPlan(input: op.PlanRestoreInput) {
  const { job, errors } = await plan(input);
  expect(errors).toEqual([]);
  await stand.completeNext();
  const { data } = await stand.post<{ job: { plan: { id: string } } }>(
    'query($id: ID!) { job(id: $id) { plan { id } } }',
    { id: job!.id },
  );
  return (await stand.run(op.GetRestorePlanDocument, { id: data!.job.plan.id })).restorePlan!;
}

const pathsOf = (errors: readonly { path?: readonly string[] | null }[]) => errors.map(({ path }) => path?.join('.'));

test('everything that does not go with a damaged backup is told at once', async () => {
  const [undamaged, damaged] = [await backupOf(1), await backupOf(2)];
  const alone = await plan({ backupId: undamaged, type: 'FULL', conflictPolicy: 'KEEP_LIVE' });
  expect(pathsOf(alone.errors)).toEqual(['input.conflictPolicy']);
  const input = { backupId: undamaged, type: 'SYSTEM', target: { scratch: 'x' }, allowUnchecked: true } as const;
  const { restoreBackup } = await stand.run(op.RestoreBackupDocument, {
    input: { ...input, damagedBackupId: undamaged },
  });
  expect(pathsOf(restoreBackup.errors).sort()).toEqual([
    'input.allowUnchecked',
    'input.damagedBackupId',
    'input.target',
    'input.type',
  ]);
  const earlier = await plan({ backupId: damaged, type: 'FULL', damagedBackupId: undamaged });
  expect(earlier.errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'damagedBackupId'] }]);
  expect(earlier.errors[0]?.message).toMatch(/no later/);
  const unknown = Buffer.from('Backup:00000000-0000-4000-8000-000000000000').toString('base64url');
  const none = await plan({ backupId: undamaged, type: 'FULL', damagedBackupId: unknown });
  expect(none.errors).toMatchObject([{ code: 'NOT_FOUND', path: ['input', 'damagedBackupId'] }]);
});

test('a damaged backup must hold what is asked for', async () => {
  const undamaged = await backupOf(1);
  const system = await backupOf(2, { type: 'SYSTEM' });
  const { errors } = await plan({ backupId: undamaged, type: 'FULL', damagedBackupId: system });
  expect(errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'damagedBackupId'] }]);
  expect(errors[0]?.message).toMatch(/TRENDS/);
  const one = await backupOf(3, { type: 'BUSINESS', businessId: 'b1' });
  const other = await plan({ backupId: undamaged, type: 'BUSINESS', businessId: 'b2', damagedBackupId: one });
  expect(other.errors[0]?.message).toMatch(/business "b1" alone/);
  const later = await backupOf(4);
  const fromOne = await plan({ backupId: one, type: 'BUSINESS', businessId: 'b1', damagedBackupId: later });
  expect(fromOne.errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'backupId'] }]);
  expect(fromOne.errors[0]?.message).toMatch(/business "b1" alone/);
});

test('a job is told both backups and the policy, FAIL where none is given, and neither is deleted meanwhile', async () => {
  const [backupId, damagedBackupId] = [await backupOf(1), await backupOf(2)];
  const planned = await plan({ backupId, type: 'FULL', damagedBackupId });
  expect(planned.errors).toEqual([]);
  for (const id of [backupId, damagedBackupId]) {
    const { deleteBackup } = await stand.run(op.DeleteBackupDocument, { input: { backupId: id } });
    expect(deleteBackup.errors).toMatchObject([{ code: 'CONFLICT' }]);
  }
  expect((await stand.completeNext()).spec).toMatchObject({ threeWay: { conflictPolicy: 'FAIL' } });
  const input = { backupId, type: 'FULL', damagedBackupId, conflictPolicy: 'TAKE_BACKUP' } as const;
  const { restoreBackup } = await stand.run(op.RestoreBackupDocument, { input });
  expect((await stand.completeNext()).spec).toMatchObject({ threeWay: { conflictPolicy: 'TAKE_BACKUP' } });
  const { restore } = await stand.run(op.GetRestoreDocument, { id: restoreBackup.restore!.id });
  expect(restore).toMatchObject({ conflictPolicy: 'TAKE_BACKUP', damagedBackup: { id: damagedBackupId } });
});

test('a plan with conflicts that nobody settled is not applied; with a policy it is', async () => {
  const [backupId, damagedBackupId] = [await backupOf(1), await backupOf(2)];
  const made = await completedPlan({ backupId, type: 'FULL', damagedBackupId });
  expect(made).toMatchObject({
    conflictPolicy: 'FAIL',
    damagedBackup: { id: damagedBackupId },
    tables: [{ conflictingRows: '2', conflictingFields: '3' }],
  });
  const apply = async ({ id: planId, planHash }: typeof made) =>
    (await stand.run(op.ApplyRestorePlanDocument, { input: { planId, planHash } })).applyRestorePlan;
  const { job, errors } = await apply(made);
  expect(job).toBeNull();
  expect(errors).toMatchObject([
    { code: 'CONFLICT', path: ['input', 'planId'], hint: expect.stringMatching(/KEEP_LIVE/) },
  ]);
  const settled = await completedPlan({ backupId, type: 'FULL', damagedBackupId, conflictPolicy: 'KEEP_LIVE' });
  expect(await apply(settled)).toMatchObject({ errors: [] });
  expect((await stand.completeNext()).spec).toMatchObject({
    kind: 'RESTORE',
    threeWay: { conflictPolicy: 'KEEP_LIVE' },
  });
});

test('conflicts are paged by cursors that are bound to their plan', async () => {
  const [backupId, damagedBackupId] = [await backupOf(1), await backupOf(2)];
  const made = await completedPlan({ backupId, type: 'FULL', damagedBackupId });
  const field = { name: 'score', undamaged: '1.0000', damaged: null, live: '2.0000' };
  const conflict: Omit<FoundConflict, 'next'> = {
    dataType: 'TRENDS',
    table: 'risk_trends',
    key: { id: 't1' },
    kind: 'EDITED',
    fields: [field],
  };
  found = { conflicts: [{ ...conflict, next: { table: 0, row: 1 } }], next: { table: 0, row: 1 } };
  const read = async (planId: string, after: string | null) =>
    (await stand.run(op.ReadConflictsDocument, { planId, first: 1, after })).restorePlan!.conflicts;
  const page = await read(made.id, null);
  expect(page.nodes).toEqual([
    { dataType: 'TRENDS', name: 'risk_trends', key: { id: 't1' }, kind: 'EDITED', fields: [field] },
  ]);
  expect(page.pageInfo.hasNextPage).toBe(true);
  found = { conflicts: [], next: null };
  expect((await read(made.id, page.pageInfo.endCursor)).pageInfo.hasNextPage).toBe(false);
  expect(asked.map(({ limit, from }) => ({ limit, from }))).toEqual([
    { limit: 1, from: null },
    { limit: 1, from: { table: 0, row: 1 } },
  ]);
  const other = await completedPlan({ backupId, type: 'FULL', damagedBackupId, idempotencyKey: 'other' });
  await expect(read(other.id, page.pageInfo.endCursor)).rejects.toThrow(/cursor belongs to another/);
});
