/**
 * What a worker thread and its owner say to each other. All plain data.
 *
 * Owner to worker: `run` (one task at a time; the next only after the last one's `done`), `abort` (of that task; it still ends
 * with `done`), `taken` (one `bytes` was taken, there is room for another), `close` (once, when idle: release everything and exit).
 * Worker to owner: `progress` (coalesced; the last state always comes before `done`), `log` (a line for the job's people),
 * `entry` (a line for the operator's log), `bytes` (a part of what the task streams, in order, at most a few not yet taken),
 * `done` (exactly once a task: its result or its failure).
 */
import type { ErrorData } from '../domain/errors';
import type { Progress } from '../domain/job';
import type { EngineResult, EngineTask } from '../domain/task';

export type ToWorker = { type: 'run'; task: EngineTask } | { type: 'abort' } | { type: 'taken' } | { type: 'close' };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type FromWorker =
  | { type: 'progress'; progress: Progress }
  | { type: 'log'; message: string }
  | { type: 'entry'; level: LogLevel; message: string; fields?: Record<string, unknown> }
  | { type: 'bytes'; bytes: Uint8Array }
  | { type: 'done'; outcome: { ok: true; result: EngineResult } | { ok: false; error: ErrorData } };
