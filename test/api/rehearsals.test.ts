/** rehearseRestore: what it refuses, what it leaves with job and backup, and that verifyBackup at level RESTORE is the same. */
import { toGlobalId } from '../../src/api/global-id';
import type { RehearsalJobSpec } from '../../src/domain/job';
import { deadSource, openApiStand, testSource, type ApiStand } from '../support/api-stand';
import * as op from '../support/generated/operations';
import { rehearsed } from '../support/rehearsed';

let stand: ApiStand;
beforeAll(async () => {
  stand = await openApiStand({ sources: [testSource(), deadSource('dead')] });
});
afterAll(() => stand.close());

const rehearse = async (input: op.RehearseRestoreInput) =>
  (await stand.run(op.RehearseRestoreDocument, { input })).rehearseRestore;
const getBackup = async (id: string) => (await stand.run(op.GetBackupDocument, { id })).backup!;

async function completed(): Promise<string> {
  const { createBackup } = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL' } });
  await stand.completeNext();
  return createBackup.backup!.id;
}

test('is refused for what is not there, is no backup or has nothing stored', async () => {
  const unknown = toGlobalId('Backup', '00000000-0000-4000-8000-000000000000');
  expect((await rehearse({ backupId: unknown })).errors).toMatchObject([{ code: 'NOT_FOUND' }]);
  expect((await rehearse({ backupId: '../x' })).errors).toMatchObject([{ code: 'INVALID_INPUT' }]);
  const { createBackup } = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL' } });
  const backupId = createBackup.backup!.id;
  const early = await rehearse({ backupId });
  expect(early).toMatchObject({ job: null, errors: [{ code: 'CONFLICT', path: ['input', 'backupId'] }] });
  await stand.completeNext();
  const endless = await rehearse({ backupId, waitFor: 'P9D' });
  expect(endless.errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'waitFor'] }]);
});

test('becomes the verification and the restorability of the backup, once for one key', async () => {
  const backupId = await completed();
  expect((await getBackup(backupId)).restorability).toBeNull();
  const { job, errors } = await rehearse({ backupId, idempotencyKey: 'rehearse once' });
  expect([job?.state, errors]).toEqual(['PENDING', []]);
  const deletion = await stand.run(op.DeleteBackupDocument, { input: { backupId } });
  expect(deletion.deleteBackup.errors).toMatchObject([{ code: 'CONFLICT' }]);
  const waiting = rehearse({ backupId, idempotencyKey: 'rehearse once', waitFor: 'PT30S' });
  await stand.completeNext();
  const answer = await waiting;
  expect(answer.job).toMatchObject({ id: job!.id, state: 'COMPLETED', failure: null });
  const restorability = answer.backup!.restorability!;
  expect(restorability).toMatchObject({
    proven: true,
    provenRto: 'PT1M1.5S',
    coverage: {
      ...{ dataTypes: ['TRENDS', 'CONFIG'], tableCount: 2, heldTableCount: 3, rowCount: '90', heldRowCount: '100' },
      ...{ referenceCount: 4, unprovenReferences: ['risk_trends.fk_business'] },
      ...{ invariants: ['no orphans'], skippedInvariants: ['all alerts'] },
    },
    lastRehearsal: { passed: true, findings: [], rehearsal: { restoreTime: 'PT1M1.5S' } },
  });
  expect(restorability.lastProvenAt).toBe(restorability.lastRehearsal.verifiedAt);
  const made = (await stand.run(op.GetJobDocument, { id: job!.id })).job!;
  expect(made).toMatchObject({ kind: 'REHEARSAL', backup: { id: backupId }, progress: { rowsDone: '90' } });
  expect(made.verification).toMatchObject({ level: 'RESTORE', passed: true, rehearsal: { restoreTime: 'PT1M1.5S' } });
  expect((await getBackup(backupId)).verification).toMatchObject({ level: 'RESTORE', passed: true });
});

test('that fails says what it found, and leaves what was proven before', async () => {
  const backupId = await completed();
  await rehearse({ backupId });
  await stand.completeNext();
  const before = (await getBackup(backupId)).restorability!;
  const { job } = await rehearse({ backupId });
  const found = {
    object: 'factor.fk', problem: 'BROKEN_REFERENCE', message: 'Table factor has 2 rows.', backupIds: [], rowCount: 2, firstKeys: ['1', '2'],
  } as const; // prettier-ignore
  const { queue } = stand.catalog;
  const claimed = (await queue.claim({ owner: 'test', leaseMs: 60_000, concurrencyPerSource: 5 }))!;
  const findings = [{ ...found, backupIds: [], firstKeys: [...found.firstKeys] }];
  const { spec } = claimed.job as { spec: RehearsalJobSpec };
  const result = rehearsed({ passed: false, findings });
  await queue.settle(claimed.lease, {
    state: 'COMPLETED',
    effect: { kind: 'REHEARSED', backupId: spec.backupId, result },
  });
  const finding = { object: 'factor.fk', problem: 'BROKEN_REFERENCE', rowCount: '2', firstKeys: ['1', '2'] };
  const { restorability, verification } = await getBackup(backupId);
  expect(restorability).toEqual({ ...before, proven: false });
  expect(verification).toMatchObject({ level: 'RESTORE', passed: false });
  const made = (await stand.run(op.GetJobDocument, { id: job!.id })).job!;
  expect(made.verification?.findings).toMatchObject([finding]);
});

test('is what verifyBackup does at level RESTORE', async () => {
  const backupId = await completed();
  const input = { backupId, level: 'RESTORE', idempotencyKey: 'by verifying' } as const;
  const { verifyBackup } = await stand.run(op.VerifyBackupDocument, { input });
  expect(verifyBackup.errors).toEqual([]);
  await stand.completeNext();
  const { job } = await stand.run(op.GetJobDocument, { id: verifyBackup.job!.id });
  expect(job).toMatchObject({ kind: 'REHEARSAL', state: 'COMPLETED' });
  await stand.run(op.VerifyBackupDocument, { input: { backupId, level: 'STRUCTURE' } });
  await stand.completeNext();
  const { restorability, verification } = await getBackup(backupId);
  expect([verification?.level, restorability?.proven]).toEqual(['STRUCTURE', true]);
});
