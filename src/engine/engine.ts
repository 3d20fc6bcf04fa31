/**
 * The engine's one entry: runs a task to its result. Throws AppError; CANCELLED once the signal aborted and everything the
 * task had begun is undone.
 */
import { AppError, toAppError } from '../domain/errors';
import type { EngineResult, EngineTask, TaskHooks } from '../domain/task';
import { compareBackups } from './comparing/compare-backups';
import { prepareExport } from './exporting/prepare-export';
import { streamExport } from './exporting/stream-export';
import { cleanUp, findExpired } from './keeping/cleanup';
import { compactBackup } from './keeping/compact-backup';
import { reckonFreedBytes } from './keeping/freed-bytes';
import { verifyBackup } from './keeping/verify';
import type { EngineDeps, TaskContext } from './ports';
import { ProgressMeter } from './progress';
import { findChanges } from './reading/find-changes';
import { findHistory } from './reading/find-history';
import { findRecords } from './reading/find-records';
import { findConflicts } from './restoring/find-conflicts';
import { planRestore } from './restoring/plan-restore';
import { rehearseRestore } from './restoring/rehearse';
import { restoreBackup } from './restoring/restore';
import { takeBackup } from './taking/take-backup';

export async function runTask(task: EngineTask, deps: EngineDeps, hooks: TaskHooks): Promise<EngineResult> {
  const progress = new ProgressMeter(deps.clock, (state) => hooks.onProgress(state));
  const context: TaskContext = { deps, hooks, signal: hooks.signal, progress, committing: false };
  try {
    if (hooks.signal.aborted) throw cancelled();
    const result = await dispatch(task, context);
    progress.finish();
    return result;
  } catch (error) {
    // What a cancelled task fails with, e.g. a destroyed connection, is only how the cancellation showed.
    throw hooks.signal.aborted && !context.committing ? (context.undoFailure ?? cancelled(error)) : toAppError(error);
  }
}

function dispatch(task: EngineTask, context: TaskContext): Promise<EngineResult> {
  switch (task.kind) {
    case 'BACKUP':
      return takeBackup(task, context);
    case 'PLAN':
      return planRestore(task, context);
    case 'RESTORE':
      return restoreBackup(task, context);
    case 'COMPARISON':
      return compareBackups(task, context);
    case 'VERIFICATION':
      return verifyBackup(task, context);
    case 'REHEARSAL':
      return rehearseRestore(task, context);
    case 'COMPACTION':
      return compactBackup(task, context);
    case 'FIND_EXPIRED':
      return findExpired(context);
    case 'CLEANUP':
      return cleanUp(task, context);
    case 'FREED_BYTES':
      return reckonFreedBytes(task, context);
    case 'RECORDS':
      return findRecords(task.wanted, context);
    case 'RECORD_HISTORY':
      return findHistory(task.wanted, context);
    case 'ROW_CHANGES':
      return findChanges(task.wanted, context);
    case 'CONFLICTS':
      return findConflicts(task.wanted, context);
    case 'EXPORT':
      return prepareExport(task, context);
    case 'EXPORT_STREAM':
      return streamExport(task, context);
  }
}

function cancelled(cause?: unknown): AppError {
  return new AppError('CANCELLED', 'The work was cancelled.', { cause });
}
