/** Rehearsals as the runner sees them, on both kinds of catalog: what they leave on record, and that none ends while its schema may be there. */
import type { Catalog } from '../../src/catalog/catalog';
import { AppError } from '../../src/domain/errors';
import type { BackupId } from '../../src/domain/ids';
import type { RehearsalJobSpec } from '../../src/domain/job';
import type { VerificationFinding } from '../../src/domain/rehearsal';
import { CATALOG_ENGINES, completeBackup } from '../support/catalog-stand';
import { rehearsed } from '../support/rehearsed';
import { RunnerStand } from '../support/runner-stand';
import type { ScriptedExecutor } from '../support/scripted-executor';

const AWAY = new AppError('SOURCE_UNAVAILABLE', 'The source is away.', { hint: 'Start it.', retryable: true });
const NOT_DROPPED = new AppError('SOURCE_UNAVAILABLE', 'The schema could not be dropped.', { retryable: true, unsettled: true }); // prettier-ignore
const DROPPED = new AppError('CANCELLED', 'The schema is gone.');

describe.each(CATALOG_ENGINES)('a rehearsal, with a catalog on %s,', (engine) => {
  let stand: RunnerStand;
  let catalog: Catalog;
  let executor: ScriptedExecutor;
  let backupId: BackupId;
  let spec: RehearsalJobSpec;
  beforeEach(async () => {
    stand = await RunnerStand.open(engine);
    ({ catalog, executor } = stand);
    backupId = await completeBackup(catalog);
    spec = { kind: 'REHEARSAL', backupId, source: 'default' };
  });
  afterEach(() => stand.close());

  /** The n-th attempt of the one job there is; the clock is moved, no faster than the catalog is looked at, to where it is due. */
  const attempt = async (n: number) => {
    await stand.advanceUntil(async () => {
      const { items } = await catalog.jobs.list({ filter: { kinds: ['REHEARSAL'] }, limit: 1 });
      return (items[0]?.attempt ?? 0) >= n;
    });
    return executor.task(n);
  };

  it('is the last verification of its backup, and its restorability; later verifications leave that', async () => {
    const runner = stand.startRunner();
    const job = await stand.enqueue(spec);
    runner.wake();
    (await executor.task(1)).succeed();
    await stand.untilState(job, 'COMPLETED');
    const { proof, ...rest } = rehearsed();
    const passed = { level: 'RESTORE', passed: true, findings: [], proof, jobId: job.id };
    const proven = { ...proof, jobId: job.id, at: stand.clock.now() };
    expect(await catalog.backups.find(backupId)).toMatchObject({ verification: passed, restorability: { proven, last: passed } }); // prettier-ignore
    expect((await stand.find(job)).outcome).toMatchObject({ ...rest, proof });

    await stand.clock.advance(60_000);
    const again = await stand.enqueue(spec);
    runner.wake();
    const broken: VerificationFinding = {
      object: 'a.fk',
      problem: 'BROKEN_REFERENCE',
      message: 'broken',
      backupIds: [],
    };
    (await executor.task(2)).answer(rehearsed({ passed: false, findings: [broken] }));
    await stand.untilState(again, 'COMPLETED');
    const verify = await stand.enqueue({ kind: 'VERIFICATION', backupId, level: 'DATA' });
    runner.wake();
    (await executor.task(3)).succeed();
    await stand.untilState(verify, 'COMPLETED');
    expect(await catalog.backups.find(backupId)).toMatchObject({
      verification: { level: 'DATA', passed: true },
      restorability: { proven, last: { level: 'RESTORE', passed: false, findings: [broken], jobId: again.id } },
    });
  });

  it('stays on record when the backup is compacted, and nowhere when it was deleted meanwhile', async () => {
    const runner = stand.startRunner();
    const job = await stand.enqueue(spec);
    runner.wake();
    (await executor.task(1)).succeed();
    await stand.untilState(job, 'COMPLETED');
    const { restorability } = (await catalog.backups.find(backupId))!;
    const compaction = await stand.enqueue({ kind: 'COMPACTION', backupId });
    runner.wake();
    (await executor.task(2)).succeed();
    await stand.untilState(compaction, 'COMPLETED');
    expect((await catalog.backups.find(backupId))?.restorability).toEqual(restorability);

    const late = await stand.enqueue(spec);
    runner.wake();
    const held = await executor.task(3);
    const cleanup = await stand.enqueue({ kind: 'CLEANUP', backupIds: [backupId], dryRun: false });
    runner.wake();
    (await executor.task(4)).succeed();
    await stand.untilState(cleanup, 'COMPLETED');
    held.succeed();
    await stand.untilState(late, 'COMPLETED');
    expect(await catalog.backups.find(backupId)).toBeNull();
    expect((await stand.find(late)).outcome).toMatchObject({ kind: 'REHEARSAL', passed: true });
  });

  it('whose source is away fails with the reason, once its attempts are used up', async () => {
    const runner = stand.startRunner();
    const job = await stand.enqueue(spec);
    runner.wake();
    for (let n = 1; n <= 2; n++) {
      const held = await attempt(n);
      expect(held.task).toMatchObject({ kind: 'REHEARSAL', mayHaveLeft: false, recoverOnly: false });
      held.fail(AWAY);
    }
    await stand.untilState(job, 'FAILED');
    expect((await stand.find(job)).failure).toMatchObject({ code: 'SOURCE_UNAVAILABLE', hint: 'Start it.' });
  });

  it('that could not drop its schema is tried until it could, also beyond its attempts, then fails', async () => {
    const runner = stand.startRunner();
    const job = await stand.enqueue(spec, 1);
    runner.wake();
    (await attempt(1)).fail(NOT_DROPPED);
    for (let n = 2; n <= 4; n++) {
      const held = await attempt(n);
      expect(held.task).toMatchObject({ mayHaveLeft: true, recoverOnly: true });
      held.fail(n < 4 ? NOT_DROPPED : DROPPED);
    }
    await stand.untilState(job, 'FAILED');
    expect((await stand.find(job)).failure).toMatchObject({ code: 'WORKER_DIED', message: expect.stringContaining('cleaned up') }); // prettier-ignore
  });

  it('whose workers died is dropped by the next one, however many died, then fails', async () => {
    const job = await stand.enqueue(spec, 1);
    for (let n = 1; n <= 3; n++) {
      const claimed = await catalog.queue.claim({ owner: 'dead', leaseMs: 1_000, concurrencyPerSource: 5 });
      expect(claimed?.job).toMatchObject({ id: job.id, attempt: n });
      await stand.clock.advance(1_000);
      await catalog.queue.reapExpired();
    }
    stand.startRunner();
    const held = await executor.task(1);
    expect(held.task).toMatchObject({ mayHaveLeft: true, recoverOnly: true });
    held.fail(DROPPED);
    await stand.untilState(job, 'FAILED');
  });

  it('that is cancelled ends so once its schema is gone, and not before', async () => {
    const runner = stand.startRunner();
    executor.onAbort = (held) => held.fail(NOT_DROPPED);
    const job = await stand.enqueue(spec);
    runner.wake();
    await executor.task(1);
    await catalog.queue.requestCancel(job.id);
    runner.wake();
    await stand.untilState(job, 'PENDING');
    const held = await attempt(2);
    expect(held.task).toMatchObject({ mayHaveLeft: true, recoverOnly: true });
    held.fail(DROPPED);
    await stand.untilState(job, 'CANCELLED');
  });

  it('that is cancelled while it waits for a source that is away, and had made nothing, ends so', async () => {
    const runner = stand.startRunner();
    const job = await stand.enqueue(spec);
    runner.wake();
    (await executor.task(1)).fail(AWAY);
    await stand.untilState(job, 'PENDING');
    await catalog.queue.requestCancel(job.id);
    runner.wake();
    const held = await executor.task(2);
    expect(held.task).toMatchObject({ mayHaveLeft: false, recoverOnly: true });
    held.fail(AWAY);
    await stand.untilState(job, 'CANCELLED');
  });

  it('that is cancelled, and whose schema nobody lets it drop, fails and says so', async () => {
    const runner = stand.startRunner();
    executor.onAbort = (held) =>
      held.fail(new AppError('SOURCE_UNAVAILABLE', 'Not granted.', { hint: 'Drop x by hand.' }));
    const job = await stand.enqueue(spec);
    runner.wake();
    await executor.task(1);
    await catalog.queue.requestCancel(job.id);
    runner.wake();
    await stand.untilState(job, 'FAILED');
    expect((await stand.find(job)).failure).toMatchObject({ hint: 'Drop x by hand.' });
  });

  it('that is cancelled after its worker died is dropped first', async () => {
    const job = await stand.enqueue(spec);
    await catalog.queue.claim({ owner: 'dead', leaseMs: 1_000, concurrencyPerSource: 5 });
    await catalog.queue.requestCancel(job.id);
    await stand.clock.advance(1_000);
    stand.startRunner();
    const held = await executor.task(1);
    expect(held.task).toMatchObject({ mayHaveLeft: true, recoverOnly: true });
    held.fail(DROPPED);
    await stand.untilState(job, 'CANCELLED');
  });
});
