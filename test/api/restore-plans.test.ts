/** Plans of restores and undos: what is refused and why, what a job is told, and what is seen of it afterwards. */
import { toGlobalId } from '../../src/api/global-id';
import { DEFAULT_MAPPING } from '../../src/domain/mapping';
import { systemClock } from '../../src/ops/ambient';
import { openApiStand, PLAN_HASH, testSource, type ApiStand } from '../support/api-stand';
import * as op from '../support/generated/operations';

const UNKNOWN = '00000000-0000-4000-8000-000000000000';
const DAY_MS = 86_400_000;

let aheadMs = 0;
let stand: ApiStand;
beforeAll(async () => {
  stand = await openApiStand({ clock: { ...systemClock, now: () => new Date(Date.now() + aheadMs) } });
});
afterAll(() => stand.close());
beforeEach(() => {
  aheadMs = 0;
});

async function completedBackup(): Promise<string> {
  const { createBackup } = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL' } });
  await stand.completeNext();
  return createBackup.backup!.id;
}

const plan = async (input: op.PlanRestoreInput) => (await stand.run(op.PlanRestoreDocument, { input })).planRestore;
const apply = async (input: op.ApplyRestorePlanInput) =>
  (await stand.run(op.ApplyRestorePlanDocument, { input })).applyRestorePlan;
const undo = async (input: op.UndoRestoreInput) => (await stand.run(op.UndoRestoreDocument, { input })).undoRestore;

type Plan = NonNullable<op.GetRestorePlanQuery['restorePlan']>;

async function completedPlan(input: Partial<op.PlanRestoreInput> = {}): Promise<Plan> {
  const planned = await plan({
    backupId: await completedBackup(),
    type: 'FULL',
    idempotencyKey: `k${++keys}`,
    ...input,
  });
  expect(planned).toMatchObject({ job: { state: 'PENDING' }, plan: null, errors: [] });
  await stand.completeNext();
  const { data } = await stand.post<{ job: { plan: { id: string } } }>(
    'query($id: ID!) { job(id: $id) { plan { id } } }',
    {
      id: planned.job!.id,
    },
  );
  return (await stand.run(op.GetRestorePlanDocument, { id: data!.job.plan.id })).restorePlan!;
}
let keys = 0;

test('a plan is there once its job has completed, with its counts, and as a node', async () => {
  const made = await completedPlan({ validFor: 'PT8H' });
  expect(made).toMatchObject({
    planHash: PLAN_HASH, type: 'FULL', source: 'default', inserts: '3', updates: '2', deletes: '1', estimatedDuration: 'PT0.005S',
    tables: [{ name: 'risk_trends', before: 'FILLED', inserts: '3', updates: '2', deletes: '1', unchanged: '4', samples: {
      inserts: [{ id: 't1', score: '1.0000' }],
      updates: [{ key: { id: 't2' }, fields: [{ name: 'score', before: '2.0000', after: null }] }],
      deletes: [{ id: 't3', score: null }],
    } }],
  }); // prettier-ignore
  expect(Date.parse(made.expiresAt) - Date.parse(made.createdAt)).toBe(8 * 3_600_000);
  const { data } = await stand.post('query($id: ID!) { node(id: $id) { ... on RestorePlan { planHash } } }', {
    id: made.id,
  });
  expect(data).toEqual({ node: { planHash: PLAN_HASH } });
});

test('everything that is wrong with a plan is told at once', async () => {
  const backupId = await completedBackup();
  const { job, errors } = await plan({ backupId, type: 'BUSINESS', validFor: 'PT1S', waitFor: 'PT10M' });
  expect(job).toBeNull();
  expect(errors.map(({ path }) => path?.join('.'))).toEqual(['input.validFor', 'input.businessId', 'input.waitFor']);
  expect(await plan({ backupId: toGlobalId('Backup', UNKNOWN), type: 'FULL' })).toMatchObject({
    errors: [{ code: 'NOT_FOUND' }],
  });
});

test('a plan is applied by a restore that knows it and can be undone, and the undo too', async () => {
  const made = await completedPlan();
  const applied = await apply({ planId: made.id, planHash: made.planHash, idempotencyKey: 'once' });
  expect(applied).toMatchObject({ plan: { id: made.id }, restore: { undoableUntil: null }, errors: [] });
  expect((await apply({ planId: made.id, planHash: made.planHash, idempotencyKey: 'once' })).job).toEqual(applied.job);
  const { job, lease } = await stand.claim();
  expect(job.spec).toMatchObject({ kind: 'RESTORE', plan: { planHash: PLAN_HASH }, dryRun: false });
  await stand.settle(lease, {
    state: 'FAILED',
    failure: { code: 'PLAN_DRIFTED', message: 'moved', retryable: false },
  });
  const nothing = await undo({ restoreId: applied.restore!.id });
  expect(nothing).toMatchObject({ job: null, errors: [{ code: 'CONFLICT', path: ['input', 'restoreId'] }] });

  const again = await apply({ planId: made.id, planHash: made.planHash });
  await stand.completeNext();
  const { restore } = await stand.run(op.GetRestoreDocument, { id: again.restore!.id });
  expect(restore).toMatchObject({ status: 'COMPLETED', plan: { id: made.id }, undoes: null });
  expect(Date.parse(restore!.undoableUntil!)).toBeGreaterThan(Date.now() + 6 * DAY_MS);

  const undone = await undo({ restoreId: again.restore!.id });
  expect(undone).toMatchObject({ restore: { undoes: { id: again.restore!.id } }, errors: [] });
  expect((await stand.completeNext()).spec).toMatchObject({
    kind: 'RESTORE',
    undoes: { restoreId: expect.any(String) },
  });
  const { data } = await stand.post<{ restores: { nodes: { id: string }[] } }>(
    'query($of: [ID!]) { restores(first: 5, filter: { undoes: $of }) { nodes { id } } }',
    { of: [again.restore!.id] },
  );
  expect(data?.restores.nodes).toEqual([{ id: undone.restore!.id }]);
  expect(await undo({ restoreId: undone.restore!.id })).toMatchObject({ errors: [] });
  await stand.completeNext();
});

test('what does not fit is refused: another hash, an unknown plan, one that expired, what is kept no longer', async () => {
  const made = await completedPlan({ validFor: 'PT1H' });
  const wrong = await apply({ planId: made.id, planHash: 'ff'.repeat(32) });
  expect(wrong.errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'planHash'] }]);
  const unknown = await apply({ planId: toGlobalId('RestorePlan', UNKNOWN), planHash: PLAN_HASH });
  expect(unknown.errors).toMatchObject([{ code: 'NOT_FOUND', path: ['input', 'planId'] }]);
  const { restore } = await apply({ planId: made.id, planHash: made.planHash });
  await stand.completeNext();
  aheadMs = 3_600_000;
  const late = await apply({ planId: made.id, planHash: made.planHash });
  expect(late.errors).toMatchObject([{ code: 'PLAN_EXPIRED', path: ['input', 'planId'] }]);
  aheadMs = 8 * DAY_MS;
  expect((await undo({ restoreId: restore!.id })).errors).toMatchObject([{ code: 'PLAN_EXPIRED' }]);
});

test('there is nothing to undo of a dry run and of a scratch schema', async () => {
  const backupId = await completedBackup();
  for (const more of [{ dryRun: true }, { target: { scratch: 'copy_of_it' } }]) {
    const { restoreBackup } = await stand.run(op.RestoreBackupDocument, { input: { backupId, type: 'FULL', ...more } });
    await stand.completeNext();
    expect((await undo({ restoreId: restoreBackup.restore!.id })).errors).toMatchObject([{ code: 'CONFLICT' }]);
  }
});

test('single records are named to the job with their tables, and shown by plan and restore', async () => {
  const backupId = await completedBackup();
  const asked = [{ dataType: 'TRENDS' as const, key: 7 }, { dataType: 'TRENDS' as const, table: 'risk_trends', key: { id: 8 } }]; // prettier-ignore
  const named = [{ dataType: 'TRENDS', table: 'risk_trends', key: 7 }, { dataType: 'TRENDS', table: 'risk_trends', key: { id: 8 } }]; // prettier-ignore
  const made = await completedPlan({ backupId, keys: asked });
  expect(made.keys).toEqual(named);
  const applied = await apply({ planId: made.id, planHash: made.planHash });
  expect((await stand.completeNext()).spec).toMatchObject({ kind: 'RESTORE', keys: named });
  expect((await stand.run(op.GetRestoreDocument, { id: applied.restore!.id })).restore).toMatchObject({ keys: named });
  expect((await completedPlan()).keys).toBeNull();
});

test('single records of a renamed table are named as it is called now, or as the backup calls it', async () => {
  const mapping = DEFAULT_MAPPING.map((entry) => entry.table === 'risk_trends' ? { ...entry, table: 'trends', formerly: ['risk_trends'] } : entry); // prettier-ignore
  const renamed = await openApiStand({ sources: [testSource({ mapping })] });
  try {
    const { createBackup } = await renamed.run(op.CreateBackupDocument, { input: { type: 'FULL' } });
    await renamed.completeNext();
    for (const table of ['trends', 'risk_trends', null]) {
      const input = { backupId: createBackup.backup!.id, type: 'FULL' as const, keys: [{ dataType: 'TRENDS' as const, table, key: 7 }] }; // prettier-ignore
      expect((await renamed.run(op.PlanRestoreDocument, { input })).planRestore.errors).toEqual([]);
      const { spec } = await renamed.completeNext();
      expect(spec).toMatchObject({ keys: [{ dataType: 'TRENDS', table: 'risk_trends', key: 7 }] });
    }
  } finally {
    await renamed.close();
  }
});

test('a dry run keeps a plan, which the restore, its payload and its job show, and which is applied', async () => {
  const input = { backupId: await completedBackup(), type: 'FULL', dryRun: true, idempotencyKey: 'dry' } as const;
  const { restoreBackup: begun } = await stand.run(op.RestoreBackupDocument, { input });
  expect(begun).toMatchObject({ plan: null, errors: [] });
  await stand.completeNext();
  const { restoreBackup: done } = await stand.run(op.RestoreBackupDocument, { input });
  expect(done).toMatchObject({ restore: begun.restore && { id: begun.restore.id }, plan: { planHash: PLAN_HASH } });
  const { restore } = await stand.run(op.GetRestoreDocument, { id: begun.restore!.id });
  expect(restore).toMatchObject({ mode: 'DRY_RUN', inserts: '3', plan: { id: done.plan!.id }, undoableUntil: null });
  const plan = { planId: done.plan!.id, planHash: PLAN_HASH };
  expect(await apply(plan)).toMatchObject({ plan: { id: done.plan!.id }, errors: [] });
  await stand.completeNext();
});

test('a backup that is planned with is not deleted meanwhile', async () => {
  const backupId = await completedBackup();
  await plan({ backupId, type: 'FULL' });
  const { deleteBackup } = await stand.run(op.DeleteBackupDocument, { input: { backupId } });
  expect(deleteBackup.errors).toMatchObject([{ code: 'CONFLICT' }]);
  await stand.completeNext();
});
