/** The pool of worker threads: one task each, deaths and cancellations that stay with their task, nothing left after close. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { join } from 'node:path';
import type { Log } from '../../../src/domain/ambient';
import type { EngineTask, TaskExecutor, TaskHooks } from '../../../src/domain/task';
import { systemClock } from '../../../src/ops/ambient';
import { createWorkerExecutor } from '../../../src/runner/worker-executor';
import { silentLog } from '../../support/silent-log';

const workerFile = join(__dirname, '../../support/engine-scripted-worker.js');
const script = (name: string, more: object = {}): EngineTask => ({ script: name, ...more }) as unknown as EngineTask;
const hooks = (more: Partial<TaskHooks> = {}): TaskHooks => ({
  signal: new AbortController().signal,
  onProgress: () => undefined,
  onLog: () => undefined,
  ...more,
});

describe('the worker executor', () => {
  let executor: TaskExecutor;
  const logged: unknown[] = [];
  const log: Log = { ...silentLog, warn: (message, fields) => void logged.push([message, fields]) };
  const start = (more: { maxWorkers?: number; clock?: typeof systemClock } = {}): TaskExecutor =>
    createWorkerExecutor({ workerFile, workerData: { given: 1 }, log, clock: systemClock, maxWorkers: 2, ...more });
  const threadOf = async (result: Promise<unknown>): Promise<number> =>
    ((await result) as { threadId: number }).threadId;

  beforeEach(() => {
    executor = start();
  });
  afterEach(() => executor.close());

  it('gives tasks and settings to a thread and its result back, and uses it again', async () => {
    const first = await executor.run(script('answer', { n: 1 }), hooks());
    expect(first).toMatchObject({ task: { n: 1 }, workerData: { given: 1 } });
    expect(await threadOf(executor.run(script('answer'), hooks()))).toBe(
      (first as unknown as { threadId: number }).threadId,
    );
  });

  it('passes progress, lines for people and log entries on', async () => {
    const seen: unknown[] = [];
    await executor.run(
      script('progress'),
      hooks({ onProgress: (progress) => void seen.push(progress), onLog: (line) => void seen.push(line) }),
    );
    expect(seen).toEqual([{ percent: 50 }, 'half way']);
    expect(logged).toContainEqual(['careful', { table: 't' }]);
  });

  it('gives failures back as they were', async () => {
    await expect(executor.run(script('fail'), hooks())).rejects.toMatchObject({
      code: 'REPOSITORY_FULL',
      hint: 'make room',
      retryable: false,
    });
  });

  it('runs no more threads than allowed; the rest waits its turn', async () => {
    const threads = await Promise.all(
      Array.from({ length: 6 }, () => threadOf(executor.run(script('answer'), hooks()))),
    );
    expect(new Set(threads).size).toBeLessThanOrEqual(2);
  });

  it.each(['exit', 'throw'])('fails only the task whose thread died by %s, as retryable, and goes on', async (how) => {
    const other = executor.run(script('spin', { ms: 50 }), hooks());
    await expect(executor.run(script(how), hooks())).rejects.toMatchObject({ code: 'WORKER_DIED', retryable: true });
    await other;
    await executor.run(script('answer'), hooks());
  });

  it('cancels a running task by message, and one that still waits', async () => {
    const aborts = [1, 2, 3].map(() => new AbortController());
    const runs = aborts.map(({ signal }) =>
      executor.run(script('hold'), hooks({ signal })).catch((error: unknown) => error),
    );
    for (const abort of aborts.reverse()) abort.abort();
    for (const outcome of await Promise.all(runs)) expect(outcome).toMatchObject({ code: 'CANCELLED' });
    await executor.run(script('answer'), hooks());
  });

  it('ends a thread whose task does not hear its cancellation', async () => {
    await executor.close();
    executor = start({ clock: { ...systemClock, sleep: () => Promise.resolve() } });
    const abort = new AbortController();
    const run = executor.run(script('deaf'), hooks({ signal: abort.signal }));
    abort.abort();
    await expect(run).rejects.toMatchObject({ code: 'WORKER_DIED' });
  });

  it('ends everything on close, and takes nothing after', async () => {
    const running = executor.run(script('hold'), hooks()).catch((error: unknown) => error);
    await executor.run(script('answer'), hooks());
    await executor.close();
    expect(await running).toMatchObject({ code: 'CANCELLED' });
    await expect(executor.run(script('answer'), hooks())).rejects.toMatchObject({ code: 'CANCELLED' });
    await executor.close();
  });

  it('does not hold up the event loop while a thread is busy', async () => {
    await executor.run(script('answer'), hooks());
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    await executor.run(script('spin', { ms: 400 }), hooks());
    delay.disable();
    // Two cores shared with other tests: the median says whether the loop itself was held up.
    expect(delay.percentile(50) / 1e6).toBeLessThan(50);
  });
});
