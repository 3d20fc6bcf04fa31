/** The runner over a real catalog on both engines, with tasks and time in the test's hands. */
import type { Catalog, JobRecord } from '../../src/catalog/catalog';
import type { Log } from '../../src/domain/ambient';
import { AppError } from '../../src/domain/errors';
import { NO_PROGRESS } from '../../src/domain/job';
import { backupSpec, CATALOG_ENGINES, completeBackup, restoreSpec } from '../support/catalog-stand';
import { until } from '../support/fake-clock';
import { RUNNER_SETTINGS as SETTINGS, RunnerStand } from '../support/runner-stand';
import { jobOf } from '../support/job-of';
import { ScriptedExecutor } from '../support/scripted-executor';

const UNAVAILABLE = new AppError('SOURCE_UNAVAILABLE', 'The source is away.', { hint: 'Start it.', retryable: true });

describe.each(CATALOG_ENGINES)('runner on %s', (engine) => {
  let stand: RunnerStand;
  let catalog: Catalog;
  let executor: ScriptedExecutor;

  beforeEach(async () => {
    stand = await RunnerStand.open(engine);
    ({ catalog, executor } = stand);
  });
  afterEach(() => stand.close());

  const startRunner: RunnerStand['startRunner'] = (more) => stand.startRunner(more);
  const enqueue: RunnerStand['enqueue'] = (spec) => stand.enqueue(spec);
  const find: RunnerStand['find'] = (job) => stand.find(job);
  const advanceUntil: RunnerStand['advanceUntil'] = (condition) => stand.advanceUntil(condition);
  const untilState: RunnerStand['untilState'] = (job, state) => stand.untilState(job, state);

  it('sees each kind of job through and writes down what it did', async () => {
    const backupId = await completeBackup(catalog);
    const doomed = await completeBackup(catalog);
    const runner = startRunner();
    const restore = restoreSpec({ backupId });
    const jobs = [
      await enqueue(backupSpec({ type: 'SYSTEM', dataTypes: ['CONFIG'] })),
      await enqueue(restore),
      await enqueue({ kind: 'VERIFICATION', backupId, level: 'DATA' }),
      await enqueue({ kind: 'CLEANUP', backupIds: [doomed], dryRun: false }),
    ];
    runner.wake();
    for (let n = 1; n <= jobs.length; n += 1) (await executor.task(n)).succeed();
    for (const job of jobs) await untilState(job, 'COMPLETED');

    const [systemBackup] = executor.tasks.filter(({ task }) => task.kind === 'BACKUP');
    expect(systemBackup!.task).toMatchObject({ createdBy: 'local', serviceSettings: { mapping: [] } });
    expect(await catalog.backups.find(jobs[0]!.backupId!)).toMatchObject({ status: 'COMPLETED', rowCount: 10 });
    expect(await catalog.restores.find(restore.restoreId)).toMatchObject({
      state: 'COMPLETED',
      result: { updates: 2 },
    });
    expect(await catalog.backups.find(backupId)).toMatchObject({
      verification: { level: 'DATA', passed: true, jobId: jobs[2]!.id, at: stand.clock.now() },
    });
    expect(await catalog.backups.find(doomed)).toBeNull();
    await until(() => runner.running === 0);
  });

  it('logs what failed as a warning or worse, with the reason', async () => {
    const said: unknown[] = [];
    const note = (level: string) => (message: string, fields?: Record<string, unknown>) =>
      void said.push([level, message, (fields?.['failure'] as { code?: string } | undefined)?.code]);
    const log: Log = { debug() {}, info() {}, warn: note('warn'), error: note('error'), child: () => log };
    const job = await enqueue(backupSpec());
    startRunner({ log });
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      (await executor.task(attempt)).fail(UNAVAILABLE);
      await untilState(job, attempt < 3 ? 'PENDING' : 'FAILED');
      if (attempt < 3) await advanceUntil(async () => (await find(job)).state === 'RUNNING');
    }
    await until(() => said.length === 3);
    const retried = ['warn', 'The attempt failed; the job is tried again.', 'SOURCE_UNAVAILABLE'];
    expect(said).toEqual([retried, retried, ['error', 'Job failed.', 'SOURCE_UNAVAILABLE']]);
  });

  it('runs no more than its limit at once', async () => {
    const runner = startRunner();
    for (let n = 0; n < 3; n += 1) await enqueue(backupSpec({ source: `s${n}` }));
    runner.wake();
    await executor.task(2);
    expect(await catalog.jobs.count({ states: ['RUNNING'] })).toBe(2);
    executor.tasks[0]!.succeed();
    await executor.task(3);
    expect(executor.tasks).toHaveLength(3);
  });

  it('finds work without a wake-up', async () => {
    startRunner();
    await until(() => stand.clock.sleeping >= 2);
    await enqueue(backupSpec());
    await stand.clock.advance(SETTINGS.pollMs);
    await executor.task(1);
  });

  it('tries a passing failure again with a growing delay, then fails with the reason', async () => {
    const runner = startRunner();
    const job = await enqueue(backupSpec());
    runner.wake();
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      (await executor.task(attempt)).fail(UNAVAILABLE);
      await untilState(job, attempt < 3 ? 'PENDING' : 'FAILED');
      if (attempt < 3) await advanceUntil(async () => (await find(job)).state === 'RUNNING');
    }
    expect((await find(job)).failure).toEqual({
      code: 'SOURCE_UNAVAILABLE', message: 'The source is away.', hint: 'Start it.', retryable: true,
    }); // prettier-ignore
  });

  it('does not try a lasting failure again', async () => {
    const runner = startRunner();
    const job = await enqueue(backupSpec());
    runner.wake();
    (await executor.task(1)).fail(new Error('boom'));
    await untilState(job, 'FAILED');
    expect(await find(job)).toMatchObject({ attempt: 1, failure: { code: 'INTERNAL', message: 'boom' } });
  });

  it('keeps a long job by heartbeats', async () => {
    let beats = 0;
    const counted = Object.create(catalog.queue) as Catalog['queue'];
    counted.heartbeat = async (lease, leaseMs) => {
      const answer = await catalog.queue.heartbeat(lease, leaseMs);
      beats += 1;
      return answer;
    };
    const runner = startRunner({ catalog: { jobs: catalog.jobs, events: catalog.events, queue: counted } });
    const job = await enqueue(backupSpec());
    runner.wake();
    const task = await executor.task(1);
    for (let beat = 1; beat <= 8; beat += 1) {
      await until(() => stand.clock.sleeping >= 3);
      await stand.clock.advance(SETTINGS.heartbeatMs);
      await until(() => beats >= beat);
    }
    task.succeed();
    await untilState(job, 'COMPLETED');
    expect((await find(job)).attempt).toBe(1);
  });

  describe('cancelling', () => {
    it('ends a running job once its work has undone itself', async () => {
      const runner = startRunner();
      const job = await enqueue(backupSpec());
      runner.wake();
      await executor.task(1);
      await catalog.queue.requestCancel(job.id);
      runner.wake();
      await untilState(job, 'CANCELLED');
      expect(await catalog.backups.find(job.backupId!)).toMatchObject({ status: 'CANCELLED' });
    });

    it('reaches a job cancelled by another process at its next heartbeat', async () => {
      const runner = startRunner();
      const job = await enqueue(backupSpec());
      runner.wake();
      await executor.task(1);
      await catalog.queue.requestCancel(job.id);
      await until(() => stand.clock.sleeping >= 3);
      await stand.clock.advance(SETTINGS.heartbeatMs);
      await untilState(job, 'CANCELLED');
    });

    it('that comes too late leaves the job COMPLETED', async () => {
      const runner = startRunner();
      executor.onAbort = (held) => held.succeed();
      const job = await enqueue(backupSpec());
      runner.wake();
      await executor.task(1);
      await catalog.queue.requestCancel(job.id);
      runner.wake();
      await untilState(job, 'COMPLETED');
    });

    it('of a restore that broke while it stopped is finished by a recovery', async () => {
      const runner = startRunner();
      executor.onAbort = (held) => held.fail(UNAVAILABLE);
      const job = await enqueue(restoreSpec());
      runner.wake();
      await executor.task(1);
      await catalog.queue.requestCancel(job.id);
      runner.wake();
      await untilState(job, 'PENDING');
      await advanceUntil(async () => (await find(job)).state === 'RUNNING');
      const recovery = await executor.task(2);
      expect(recovery.task).toMatchObject({ attempt: 2, recoverOnly: true });
      expect(recovery.hooks.signal.aborted).toBe(false);
      recovery.fail(new AppError('CANCELLED', 'cleaned up'));
      await untilState(job, 'CANCELLED');
    });
  });

  it('lets a restore whose workers died clean up before it fails', async () => {
    const { job } = await catalog.queue.enqueue({ spec: restoreSpec(), createdBy: 'local', maxAttempts: 1 });
    await catalog.queue.claim({ owner: 'dead', leaseMs: 1_000, concurrencyPerSource: 5 });
    await stand.clock.advance(1_000);
    startRunner();
    const recovery = await executor.task(1);
    expect(recovery.task).toMatchObject({ attempt: 2, recoverOnly: true });
    recovery.fail(new AppError('CANCELLED', 'cleaned up'));
    await untilState(job, 'FAILED');
    expect((await find(job)).failure).toMatchObject({ code: 'WORKER_DIED', retryable: true });
  });

  it.each([5, -5])('leaves a living worker its job when the clock is set %i hours on', async (hours) => {
    let heartbeats = 0;
    const queue = Object.create(catalog.queue) as Catalog['queue'];
    queue.heartbeat = async (lease, leaseMs) => {
      const answer = await catalog.queue.heartbeat(lease, leaseMs);
      heartbeats += 1;
      return answer;
    };
    const runner = startRunner({ catalog: { jobs: catalog.jobs, events: catalog.events, queue } });
    const job = await enqueue(backupSpec());
    runner.wake();
    const task = await executor.task(1);
    await until(() => stand.clock.sleeping >= 3);
    stand.clock.stepWallClock(hours * 3_600_000);
    for (let beat = 1; beat <= 6; beat += 1) {
      await stand.clock.advance(SETTINGS.heartbeatMs);
      await until(() => heartbeats >= beat);
    }
    expect(task.hooks.signal.aborted).toBe(false);
    expect(await find(job)).toMatchObject({ state: 'RUNNING', attempt: 1 });
    task.succeed();
    await untilState(job, 'COMPLETED');
  });

  it('settles nothing after its lease was taken over', async () => {
    const first = startRunner();
    const job = await enqueue(backupSpec());
    first.wake();
    const lost = await executor.task(1);
    executor.onAbort = () => undefined; // the work hangs on
    const other = await stand.reopen();
    stand.clock.stepWallClock(SETTINGS.leaseMs);
    expect(await other.queue.reapExpired()).toHaveLength(1);
    const taken = await other.queue.claim({ owner: 'other', leaseMs: 60_000, concurrencyPerSource: 5 });
    await until(() => stand.clock.sleeping >= 3);
    await stand.clock.advance(SETTINGS.heartbeatMs);
    await until(() => lost.hooks.signal.aborted);
    lost.succeed();
    await until(() => first.running === 0);
    expect(await find(job)).toMatchObject({ state: 'RUNNING', attempt: 2 });
    await other.queue.settle(taken!.lease, { state: 'CANCELLED' });
  });

  it('stops the work when no heartbeat gets through for the length of a lease', async () => {
    const queue = Object.create(catalog.queue) as Catalog['queue'];
    queue.heartbeat = () => new Promise<never>(() => undefined);
    queue.reapExpired = () => Promise.resolve([]);
    const runner = startRunner({ catalog: { jobs: catalog.jobs, events: catalog.events, queue } });
    await enqueue(backupSpec());
    runner.wake();
    const task = await executor.task(1);
    await until(() => stand.clock.sleeping >= 3);
    await stand.clock.advance(SETTINGS.leaseMs - 1);
    expect(task.hooks.signal.aborted).toBe(false);
    await stand.clock.advance(1);
    await until(() => task.hooks.signal.aborted);
    await until(() => runner.running === 0);
  });

  describe('draining', () => {
    it('waits for running jobs and claims no more', async () => {
      const runner = startRunner();
      const [first, second] = [await enqueue(backupSpec()), await enqueue(backupSpec())];
      runner.wake();
      await executor.task(2);
      const third = await enqueue(backupSpec({ source: 'other' }));
      const drained = runner.drain();
      expect(runner.state).toBe('DRAINING');
      runner.wake();
      executor.tasks[0]!.succeed();
      executor.tasks[1]!.succeed();
      await drained;
      expect(runner.state).toBe('STOPPED');
      expect([(await find(first)).state, (await find(second)).state, (await find(third)).state]).toEqual([
        'COMPLETED',
        'COMPLETED',
        'PENDING',
      ]);
    });

    it('requeues what does not end in time, without counting the attempt', async () => {
      const runner = startRunner();
      const job = await enqueue(backupSpec());
      runner.wake();
      await executor.task(1);
      const drained = runner.drain();
      await until(() => stand.clock.sleeping === 2); // the lease's and the drain's own
      await stand.clock.advance(SETTINGS.drainMs);
      await drained;
      expect(await find(job)).toMatchObject({ state: 'PENDING', attempt: 0, failure: null });
      expect(runner.running).toBe(0);
    });
  });

  describe('progress', () => {
    const percentages = async (job: JobRecord): Promise<number[]> => {
      const { events } = await catalog.events.ofJob({ jobId: job.id, after: null, limit: 1000 });
      return events.filter((event) => event.type === 'PROGRESS').map((event) => event.progress.percent);
    };

    it('is written at most four times a second, and its last state always', async () => {
      const runner = startRunner();
      const job = await enqueue(backupSpec());
      runner.wake();
      const task = await executor.task(1);
      for (let percent = 1; percent <= 100; percent += 1) {
        task.hooks.onProgress({ ...NO_PROGRESS, phase: 'reading', percent });
        await stand.clock.advance(10);
      }
      task.succeed();
      await untilState(job, 'COMPLETED');
      const written = await percentages(job);
      expect(written.length).toBeGreaterThanOrEqual(2);
      expect(written.length).toBeLessThanOrEqual(6);
      expect(written[written.length - 1]).toBe(100);
      expect(written).toEqual([...written].sort((a, b) => a - b));
    });

    it('shows a change of phase at once', async () => {
      const runner = startRunner();
      const job = await enqueue(backupSpec());
      runner.wake();
      const task = await executor.task(1);
      for (const [index, phase] of ['reading', 'storing', 'verifying'].entries()) {
        task.hooks.onProgress({ ...NO_PROGRESS, phase, percent: index + 1 });
        await until(async () => (await find(job)).progress.phase === phase);
      }
      task.hooks.onLog('almost done');
      await until(() => stand.clock.sleeping >= 4);
      await stand.clock.advance(250);
      await until(
        async () =>
          (await catalog.events.latestOfJob({ jobId: job.id, before: null, limit: 1 }))[0]?.message === 'almost done',
      );
      task.succeed();
      await untilState(job, 'COMPLETED');
    });
  });

  it('shares a queue with another runner, each job once, also when one dies', async () => {
    const other = await stand.reopen();
    const executors = [executor, new ScriptedExecutor()];
    const both = [startRunner(), startRunner({ catalog: other, executor: executors[1] })];
    const jobs: JobRecord[] = [];
    for (let n = 0; n < 8; n += 1) jobs.push(await enqueue(backupSpec({ source: `s${n}` })));
    for (const runner of both) runner.wake();
    const done = new Set<unknown>();
    for (let ended = 0; ended < jobs.length; ended += 1) {
      await until(() => executors.some((one) => one.tasks.some((held) => !done.has(held))));
      const held = executors.flatMap((one) => one.tasks).find((one) => !done.has(one))!;
      done.add(held);
      held.succeed();
    }
    for (const job of jobs) await untilState(job, 'COMPLETED');
    const ids = executors.flatMap((one) => one.tasks.map(({ task }) => jobOf(task)));
    expect(new Set(ids).size).toBe(8);
    expect(ids).toHaveLength(8);
  });
});
