/** Cleanups over a real catalog on both engines: however an attempt ends, the job says what is gone, and no more than that. */
import type { Catalog, JobRecord } from '../../src/catalog/catalog';
import { AppError } from '../../src/domain/errors';
import type { BackupId } from '../../src/domain/ids';
import { CATALOG_ENGINES, completeBackup } from '../support/catalog-stand';
import { RunnerStand } from '../support/runner-stand';
import type { HeldTask, ScriptedExecutor } from '../support/scripted-executor';

const AWAY = new AppError('REPOSITORY_UNAVAILABLE', 'The repository is away.', { retryable: true });

describe.each(CATALOG_ENGINES)('a cleanup, its catalog on %s,', (engine) => {
  let stand: RunnerStand;
  let catalog: Catalog;
  let executor: ScriptedExecutor;

  beforeEach(async () => {
    stand = await RunnerStand.open(engine);
    ({ catalog, executor } = stand);
  });
  afterEach(() => stand.close());

  /** Lets a first attempt begin to delete, and end as a killed process does. */
  const dieDeleting = async (backupIds: BackupId[], maxAttempts = 3): Promise<JobRecord> => {
    const job = await stand.enqueue({ kind: 'CLEANUP', dryRun: false }, maxAttempts);
    const dead = await catalog.queue.claim({ owner: 'dead', leaseMs: 1_000, concurrencyPerSource: 5 });
    await catalog.queue.recordDeletion(dead!.lease, backupIds);
    await stand.clock.advance(1_000);
    return job;
  };
  const answer = (held: HeldTask, deletedBackupIds: BackupId[]): void =>
    held.answer({ kind: 'CLEANUP', deletedBackupIds, freedBytes: 0, rewrittenPacks: 0, rewrittenBytes: 0, kept: [] });

  it('writes down what it found expired before it deletes any of it', async () => {
    const doomed = await completeBackup(catalog);
    const runner = stand.startRunner();
    const job = await stand.enqueue({ kind: 'CLEANUP', dryRun: false });
    runner.wake();
    const search = await executor.task(1);
    expect(search.task.kind).toBe('FIND_EXPIRED');
    search.answer({ kind: 'FIND_EXPIRED', backupIds: [doomed] });
    const deletion = await executor.task(2);
    expect(deletion.task).toMatchObject({ kind: 'CLEANUP', backupIds: [doomed], recoverOnly: false });
    expect((await stand.find(job)).deleting).toEqual([doomed]);
    deletion.succeed();
    await stand.untilState(job, 'COMPLETED');
    expect(await stand.find(job)).toMatchObject({ deleting: null, outcome: { deletedBackupIds: [doomed] } });
    expect(await catalog.backups.find(doomed)).toBeNull();
  });

  it('goes on after a death with what the dead one was about to delete', async () => {
    const doomed = await completeBackup(catalog);
    const job = await dieDeleting([doomed]);
    stand.startRunner();
    const second = await executor.task(1);
    expect(second.task).toMatchObject({ kind: 'CLEANUP', backupIds: [doomed], recoverOnly: false });
    second.succeed();
    await stand.untilState(job, 'COMPLETED');
    expect(await catalog.backups.find(doomed)).toBeNull();
  });

  it('lists no backup that another cleanup, settled meanwhile, says it deleted', async () => {
    const [both, own] = [await completeBackup(catalog), await completeBackup(catalog)];
    const dead = await dieDeleting([both, own]);
    const runner = stand.startRunner();
    const again = await executor.task(1);
    const other = await stand.enqueue({ kind: 'CLEANUP', backupIds: [both], dryRun: false });
    runner.wake();
    answer(await executor.task(2), [both]);
    await stand.untilState(other, 'COMPLETED');
    answer(again, [both, own]);
    await stand.untilState(dead, 'COMPLETED');
    expect(await stand.find(other)).toMatchObject({ outcome: { deletedBackupIds: [both] } });
    expect(await stand.find(dead)).toMatchObject({ outcome: { deletedBackupIds: [own] } });
    expect(await catalog.backups.find(own)).toBeNull();
  });

  it('cancelled while it waits after a death says what is gone, and deletes no more', async () => {
    const [gone, stays] = [await completeBackup(catalog), await completeBackup(catalog)];
    const job = await dieDeleting([gone, stays]);
    await catalog.queue.requestCancel(job.id);
    stand.startRunner();
    const recovery = await executor.task(1);
    expect(recovery.task).toMatchObject({ recoverOnly: true, backupIds: [gone, stays] });
    answer(recovery, [gone]);
    await stand.untilState(job, 'COMPLETED');
    expect(await catalog.backups.find(gone)).toBeNull();
    expect(await catalog.backups.find(stays)).toMatchObject({ status: 'COMPLETED', missingSince: null });
  });

  it.each([true, false])('that had deleted nothing ends as it should (cancelled: %p)', async (cancelled) => {
    const job = await dieDeleting([await completeBackup(catalog)], 1);
    if (cancelled) await catalog.queue.requestCancel(job.id);
    stand.startRunner();
    (await executor.task(1)).fail(new AppError('CANCELLED', 'nothing was deleted'));
    await stand.untilState(job, cancelled ? 'CANCELLED' : 'FAILED');
    if (!cancelled) expect((await stand.find(job)).failure).toMatchObject({ code: 'WORKER_DIED' });
  });

  it('looks again while it can not see what is gone, however many attempts that takes', async () => {
    const doomed = await completeBackup(catalog);
    const job = await dieDeleting([doomed], 1);
    stand.startRunner();
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      (await executor.task(attempt)).fail(AWAY);
      await stand.untilState(job, 'PENDING');
      await stand.advanceUntil(async () => (await stand.find(job)).state === 'RUNNING');
    }
    answer(await executor.task(5), [doomed]);
    await stand.untilState(job, 'COMPLETED');
    expect(await catalog.backups.find(doomed)).toBeNull();
  });

  it('looks again after its thread died, also when it was cancelled and at its last attempt', async () => {
    const doomed = await completeBackup(catalog);
    executor.onAbort = (held) => held.fail(new AppError('WORKER_DIED', 'the thread was ended', { retryable: true }));
    const runner = stand.startRunner();
    const job = await stand.enqueue({ kind: 'CLEANUP', backupIds: [doomed], dryRun: false }, 1);
    runner.wake();
    await executor.task(1);
    await catalog.queue.requestCancel(job.id);
    runner.wake();
    await stand.untilState(job, 'PENDING');
    await stand.advanceUntil(async () => (await stand.find(job)).state === 'RUNNING');
    const recovery = await executor.task(2);
    expect(recovery.task).toMatchObject({ recoverOnly: true });
    answer(recovery, [doomed]);
    await stand.untilState(job, 'COMPLETED');
  });

  it('that a shutdown cuts while it settles goes on settling after the next start', async () => {
    const job = await dieDeleting([await completeBackup(catalog)], 1);
    const runner = stand.startRunner();
    await executor.task(1);
    await runner.stop();
    expect(await stand.find(job)).toMatchObject({ state: 'PENDING', attempt: 1, deleting: [expect.any(String)] });
    stand.startRunner();
    expect((await executor.task(2)).task).toMatchObject({ recoverOnly: true });
  });

  it('that fails before it deletes anything fails after its attempts', async () => {
    const runner = stand.startRunner();
    const doomed = await completeBackup(catalog);
    const job = await stand.enqueue({ kind: 'CLEANUP', backupIds: [doomed], dryRun: false });
    runner.wake();
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      (await executor.task(attempt)).fail(AWAY);
      await stand.untilState(job, attempt < 3 ? 'PENDING' : 'FAILED');
      expect((await stand.find(job)).deleting).toBeNull();
      if (attempt < 3) await stand.advanceUntil(async () => (await stand.find(job)).state === 'RUNNING');
    }
    expect(await catalog.backups.find(doomed)).toMatchObject({ status: 'COMPLETED' });
  });
});
