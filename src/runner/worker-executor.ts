/**
 * Runs engine tasks in a small pool of worker threads, so that moving data never holds up the API's event loop.
 *
 *     idle --run--> busy --done--> idle          busy --thread died--> gone (the task fails WORKER_DIED, retryable)
 *     busy --abort--> busy (the task ends CANCELLED by itself; if it does not in time, the thread is ended)
 *
 * One task at a time per thread; threads are made when needed, at most `maxWorkers`, and reused. Tasks beyond that wait. The first
 * is made ahead of need, a moment after the start. After `close` no thread is left.
 */
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type { Clock, Log } from '../domain/ambient';
import { AppError, fromErrorData } from '../domain/errors';
import type { EngineResult, EngineTask, TaskExecutor, TaskHooks } from '../domain/task';
import type { FromWorker, ToWorker } from './worker-protocol';

/** A thread holds a chunk or a few per lane, outside the heap; a heap beyond this is a leak. */
const MAX_HEAP_MB = 512;
/**
 * Moving data passes through many short-lived buffers outside the heap. They count towards the heap's next full collection, and
 * beside a heap this small a full collection then comes every 16 MB of them, at a third of the whole work's CPU. This much is let
 * pass instead. It must be said before a thread's heap is made, and there is no such setting for one thread alone.
 */
const FIRST_FULL_COLLECTION_MB = 64;
/** Rows pass a thread's heap as buffers outside it; what is young in it is small, and a larger room would only fill up with garbage. */
const MAX_YOUNG_HEAP_MB = 6;
/** Loading its code takes a thread about half a second, which the first task need not wait for, nor the service's start share. */
const FIRST_THREAD_AFTER_MS = 1_000;
/** A cancelled task rolls back and deletes what it wrote; one that takes longer is stuck. */
const ABORT_PATIENCE_MS = 60_000;

export interface WorkerExecutorOptions {
  /** The compiled worker, `dist/worker.js`. */
  workerFile: string;
  /** What the worker gets as `workerData`. */
  workerData: unknown;
  log: Log;
  clock: Clock;
  maxWorkers: number;
  /** For tests: Node options of the threads. */
  execArgv?: string[];
}

export function createWorkerExecutor(options: WorkerExecutorOptions): TaskExecutor {
  setFlagsFromString(`--initial-old-space-size=${FIRST_FULL_COLLECTION_MB}`);
  setFlagsFromString('--expose-gc'); // threads made from now on collect the codec's output themselves
  return new WorkerPool(options);
}

class WorkerPool implements TaskExecutor {
  private readonly threads = new Set<WorkerThread>();
  private readonly waiting: (() => void)[] = [];
  private closed = false;
  private readonly warming = new AbortController();

  constructor(private readonly options: WorkerExecutorOptions) {
    options.clock.sleep(FIRST_THREAD_AFTER_MS, this.warming.signal).then(
      () => void (this.threads.size === 0 && this.start()),
      () => undefined, // closed before that
    );
  }

  async run(task: EngineTask, hooks: TaskHooks): Promise<EngineResult> {
    const thread = await this.acquire(hooks.signal);
    try {
      return await thread.run(task, hooks);
    } finally {
      this.waiting.shift()?.();
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    this.warming.abort();
    for (const wake of this.waiting.splice(0)) wake();
    await Promise.all([...this.threads].map((thread) => thread.close()));
  }

  private async acquire(signal: AbortSignal): Promise<WorkerThread> {
    for (;;) {
      if (signal.aborted || this.closed) throw new AppError('CANCELLED', 'The work was cancelled before it began.');
      const idle = [...this.threads].find((thread) => thread.idle);
      const thread = idle ?? (this.threads.size < this.options.maxWorkers ? this.start() : undefined);
      if (thread !== undefined) {
        thread.idle = false;
        return thread;
      }
      await this.turn(signal);
    }
  }

  /** Resolves when a thread may have become free, or the signal aborted. */
  private turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        const at = this.waiting.indexOf(wake);
        if (at >= 0) this.waiting.splice(at, 1);
        resolve();
      };
      this.waiting.push(wake);
      signal.addEventListener('abort', wake);
    });
  }

  private start(): WorkerThread {
    const thread = new WorkerThread(this.options, () => {
      this.threads.delete(thread);
      this.waiting.shift()?.();
    });
    this.threads.add(thread);
    return thread;
  }
}

interface RunningTask {
  hooks: TaskHooks;
  resolve(result: EngineResult): void;
  reject(error: AppError): void;
}

class WorkerThread {
  idle = true;
  private readonly worker: Worker;
  private readonly exited: Promise<void>;
  private running: RunningTask | null = null;
  private ended: Promise<void> = Promise.resolve();
  /** Until all bytes that came are taken. */
  private taking: Promise<void> = Promise.resolve();
  private deathCause: unknown;

  constructor(
    private readonly options: WorkerExecutorOptions,
    onExit: () => void,
  ) {
    this.worker = new Worker(options.workerFile, {
      workerData: options.workerData,
      execArgv: options.execArgv,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB, maxYoungGenerationSizeMb: MAX_YOUNG_HEAP_MB },
    });
    // An idle thread keeps no process alive.
    this.worker.unref();
    this.worker.on('message', (message: FromWorker) => this.receive(message));
    this.worker.on('error', (error) => {
      this.deathCause = error;
    });
    this.exited = new Promise((resolve) => {
      this.worker.once('exit', () => {
        onExit();
        this.settle((task) => task.reject(this.died()));
        resolve();
      });
    });
  }

  async run(task: EngineTask, hooks: TaskHooks): Promise<EngineResult> {
    const abort = (): void => void this.abortTask();
    this.worker.ref();
    try {
      const result = new Promise<EngineResult>((resolve, reject) => {
        this.running = { hooks, resolve, reject };
      });
      this.ended = result.then(
        () => undefined,
        () => undefined, // its caller gets the error; this only tells that the task is over
      );
      this.send({ type: 'run', task });
      hooks.signal.addEventListener('abort', abort);
      if (hooks.signal.aborted) abort();
      return await result;
    } finally {
      hooks.signal.removeEventListener('abort', abort);
      this.worker.unref();
    }
  }

  async close(): Promise<void> {
    this.worker.ref();
    if (this.running !== null) await this.abortTask();
    this.send({ type: 'close' });
    await this.endUnless(this.exited, 'A worker thread did not close');
    await this.exited;
  }

  private async abortTask(): Promise<void> {
    this.send({ type: 'abort' });
    await this.endUnless(this.ended, 'A cancelled task did not end');
  }

  /** Ends the thread by force when `event` does not come in time. */
  private async endUnless(event: Promise<void>, complaint: string): Promise<void> {
    const timer = new AbortController();
    const patience = this.options.clock.sleep(ABORT_PATIENCE_MS, timer.signal).then(
      () => 'over' as const,
      () => undefined, // the event came first
    );
    const first = await Promise.race([event, patience]);
    timer.abort();
    if (first !== 'over') return;
    this.options.log.error(`${complaint} in time; the thread is being ended.`);
    await this.worker.terminate();
  }

  private receive(message: FromWorker): void {
    switch (message.type) {
      case 'progress':
        this.running?.hooks.onProgress(message.progress);
        break;
      case 'log':
        this.running?.hooks.onLog(message.message);
        break;
      case 'entry':
        this.options.log[message.level](message.message, message.fields);
        break;
      case 'bytes':
        this.taking = this.taking.then(() => this.take(message.bytes));
        break;
      case 'done':
        void this.taking.then(() => this.finish(message.outcome));
    }
  }

  private async take(bytes: Uint8Array): Promise<void> {
    const hooks = this.running?.hooks;
    if (hooks === undefined || hooks.signal.aborted) return;
    try {
      await hooks.onBytes?.(bytes);
      this.send({ type: 'taken' });
    } catch {
      void this.abortTask(); // because: who takes no more gets no result either
    }
  }

  private finish(outcome: Extract<FromWorker, { type: 'done' }>['outcome']): void {
    this.settle((task) => (outcome.ok ? task.resolve(outcome.result) : task.reject(fromErrorData(outcome.error))));
  }

  private settle(end: (task: RunningTask) => void): void {
    const task = this.running;
    this.running = null;
    this.idle = true;
    if (task !== null) end(task);
  }

  private send(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  private died(): AppError {
    const why = this.deathCause instanceof Error ? `: ${this.deathCause.message}` : '';
    return new AppError('WORKER_DIED', `The worker thread ended in the middle of the work${why}.`, {
      retryable: true,
      hint: 'The job is tried again; if it happens again, look at the log and at the memory of the machine.',
      cause: this.deathCause,
    });
  }
}
