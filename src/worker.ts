/**
 * The data path's composition root, inside a worker thread: opens sources and the repository when a task first needs them, runs
 * tasks as its owner sends them (runner/worker-protocol.ts), and knows no catalog.
 */
import { tmpdir } from 'node:os';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { Log } from './domain/ambient';
import { AppError, toErrorData } from './domain/errors';
import type { Progress } from './domain/job';
import type { Settings, SourceSettings } from './domain/settings';
import type { Source } from './domain/source';
import type { EngineTask, TaskHooks } from './domain/task';
import { runTask } from './engine/engine';
import type { EngineDeps } from './engine/ports';
import { openSource } from './open-source';
import { systemClock, systemRandom } from './ops/ambient';
import { lowerThreadPriority } from './ops/thread-priority';
import { openRepository, type Repository } from './repository/repository';
import { BytesOut } from './runner/bytes-out';
import type { FromWorker, LogLevel, ToWorker } from './runner/worker-protocol';

export interface WorkerSettings {
  settings: Pick<Settings, 'sources' | 'repository'>;
  /** Program and version for manifests. */
  writtenBy: string;
}

/** Shorter than the reporter's own interval: what it shows is never staler than it wants. */
const PROGRESS_INTERVAL_MS = 100;

class DataPath {
  private readonly sources = new Map<string, Source>();
  private repository: Promise<Repository> | null = null;

  constructor(
    private readonly given: WorkerSettings,
    private readonly log: Log,
  ) {}

  deps(): EngineDeps {
    return {
      source: async (name) => this.source(name),
      limits: (name) => {
        const { connections, maxBytesPerSecond, maxRowsPerSecond } = this.settingsOf(name);
        return { connections, maxBytesPerSecond, maxRowsPerSecond };
      },
      store: () => this.store(),
      clock: systemClock,
      random: systemRandom,
      log: this.log,
      tempDir: tmpdir(),
      writtenBy: this.given.writtenBy,
    };
  }

  async close(): Promise<void> {
    for (const source of this.sources.values()) await source.close();
  }

  private source(name: string): Source {
    let source = this.sources.get(name);
    if (source !== undefined) return source;
    const log = this.log.child({ source: name });
    source = openSource({ settings: this.settingsOf(name), clock: systemClock, random: systemRandom, log });
    this.sources.set(name, source);
    return source;
  }

  private settingsOf(name: string): SourceSettings {
    const settings = this.given.settings.sources.find((source) => source.name === name);
    if (settings !== undefined) return settings;
    throw new AppError('NOT_FOUND', `There is no source named ${name}.`, {
      hint: 'Name one of the configured sources.',
    });
  }

  /** Tried again by the next task when it failed: a wrong passphrase stays wrong, a missing folder may come back. */
  private store(): Promise<Repository> {
    this.repository ??= openRepository({
      settings: this.given.settings.repository,
      clock: systemClock,
      random: systemRandom,
      log: this.log,
    }).catch((error: unknown) => {
      this.repository = null;
      throw error;
    });
    return this.repository;
  }
}

function serve(port: MessagePort, given: WorkerSettings): void {
  const dataPath = new DataPath(given, portLog(port));
  let abort = new AbortController();
  let out = bytesOut(port, abort.signal);
  port.on('message', (message: ToWorker) => {
    if (message.type === 'abort') return abort.abort();
    if (message.type === 'taken') return out.taken();
    if (message.type === 'close') return void shutDown(port, dataPath);
    abort = new AbortController();
    out = bytesOut(port, abort.signal);
    void runOne(message.task, { port, dataPath, out, signal: abort.signal });
  });
}

function bytesOut(port: MessagePort, signal: AbortSignal): BytesOut {
  return new BytesOut((message, transfer) => port.postMessage(message, transfer), signal);
}

/** Never rejects: whatever happens is the task's outcome. */
async function runOne(
  task: EngineTask,
  { port, dataPath, out, signal }: { port: MessagePort; dataPath: DataPath; out: BytesOut; signal: AbortSignal },
): Promise<void> {
  const progress = coalesce((state) => post(port, { type: 'progress', progress: state }));
  const hooks: TaskHooks = {
    signal,
    onProgress: (state) => progress.offer(state),
    onLog: (message) => post(port, { type: 'log', message }),
    onBytes: (bytes) => out.put(bytes),
  };
  try {
    const result = await runTask(task, dataPath.deps(), hooks);
    progress.flush();
    post(port, { type: 'done', outcome: { ok: true, result } });
  } catch (error) {
    progress.flush();
    post(port, { type: 'done', outcome: { ok: false, error: toErrorData(error) } });
  }
}

async function shutDown(port: MessagePort, dataPath: DataPath): Promise<void> {
  try {
    await dataPath.close();
  } catch (error) {
    portLog(port).warn('Closing the data path failed.', { error: String(error) });
  }
  port.close();
}

/** Passes on at most one state per interval, phase changes at once, and on `flush` the last one. */
function coalesce(send: (progress: Progress) => void): { offer(progress: Progress): void; flush(): void } {
  let held: Progress | null = null;
  let sentPhase = '';
  let sentAt = -Infinity;
  const flush = (): void => {
    if (held === null) return;
    send(held);
    sentPhase = held.phase;
    sentAt = systemClock.monotonicMs();
    held = null;
  };
  const offer = (progress: Progress): void => {
    held = progress;
    if (progress.phase !== sentPhase || systemClock.monotonicMs() - sentAt >= PROGRESS_INTERVAL_MS) flush();
  };
  return { offer, flush };
}

function post(port: MessagePort, message: FromWorker): void {
  port.postMessage(message);
}

function portLog(port: MessagePort, base: Record<string, unknown> = {}): Log {
  const entry =
    (level: LogLevel) =>
    (message: string, fields: Record<string, unknown> = {}): void =>
      post(port, { type: 'entry', level, message, fields: { ...base, ...fields } });
  return {
    debug: entry('debug'),
    info: entry('info'),
    warn: entry('warn'),
    error: entry('error'),
    child: (fields) => portLog(port, { ...base, ...fields }),
  };
}

if (parentPort !== null) {
  lowerThreadPriority();
  serve(parentPort, workerData as WorkerSettings);
}
