/** A TaskExecutor that tests hold in their hands: every task waits until the test lets it end, and obeys its signal at once. */
import { AppError } from '../../src/domain/errors';
import type { EngineResult, EngineTask, TaskExecutor, TaskHooks } from '../../src/domain/task';
import { storedManifest } from './catalog-stand';
import { until } from './fake-clock';
import { rehearsed } from './rehearsed';

export interface HeldTask {
  task: EngineTask;
  hooks: TaskHooks;
  succeed(): void;
  answer(result: EngineResult): void;
  fail(error: unknown): void;
}

export class ScriptedExecutor implements TaskExecutor {
  /** Every task ever begun, oldest first. */
  readonly tasks: HeldTask[] = [];
  /** What a task does when its signal aborts; by default it is cleaned up at once. */
  onAbort = (held: HeldTask): void => held.fail(new AppError('CANCELLED', 'The work was cancelled.'));

  run(task: EngineTask, hooks: TaskHooks): Promise<EngineResult> {
    return new Promise((resolve, reject) => {
      const held: HeldTask = { task, hooks, succeed: () => resolve(resultOf(task)), answer: resolve, fail: reject };
      this.tasks.push(held);
      const abort = (): void => this.onAbort(held);
      if (hooks.signal.aborted) abort();
      else hooks.signal.addEventListener('abort', abort, { once: true });
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The n-th task (from 1), once it has begun. */
  async task(n: number): Promise<HeldTask> {
    await until(() => this.tasks.length >= n);
    return this.tasks[n - 1] as HeldTask;
  }
}

export function resultOf(task: EngineTask): EngineResult {
  switch (task.kind) {
    case 'BACKUP':
      return {
        kind: 'BACKUP',
        stored: storedManifest(task.spec.backupId, { jobId: task.jobId, type: task.spec.type }),
      };
    case 'PLAN': {
      const { planId: changeSetId } = task.spec;
      const [createdAt, expiresAt] = ['2026-11-22T19:45:00.000Z', '2026-11-23T19:45:00.000Z'];
      return {
        kind: 'PLAN', changeSet: { changeSetId, planHash: 'ab'.repeat(32), createdAt, expiresAt }, tables: [],
        inserts: 1, updates: 2, deletes: 3, estimatedMs: 4, notes: [],
      }; // prettier-ignore
    }
    case 'RESTORE':
      return {
        kind: 'RESTORE', mode: 'IN_PLACE', tables: [], inserts: 1, updates: 2, deletes: 3, verifiedRows: 6, serviceSettings: null, changeSet: null, notes: [],
      }; // prettier-ignore
    case 'VERIFICATION':
      return {
        kind: 'VERIFICATION',
        level: task.spec.level,
        passed: true,
        findings: [],
        checkedChunks: 1,
        checkedBytes: 2,
      };
    case 'REHEARSAL':
      return rehearsed();
    case 'COMPACTION': {
      const stored = storedManifest(task.spec.backupId);
      return { kind: 'COMPACTION', stored, compactedTables: ['risk_assessments'], kept: [] };
    }
    case 'FIND_EXPIRED':
      return { kind: 'FIND_EXPIRED', backupIds: [] };
    case 'FREED_BYTES':
      return { kind: 'FREED_BYTES', freedBytes: 7, deadBytes: 0 };
    case 'RECORDS':
      return { kind: 'RECORDS', columns: [], records: [], next: null };
    case 'CONFLICTS':
      return { kind: 'CONFLICTS', conflicts: [], next: null };
    case 'RECORD_HISTORY':
      return { kind: 'RECORD_HISTORY', versions: [], next: null };
    case 'ROW_CHANGES':
      return { kind: 'ROW_CHANGES', changes: [], next: null };
    case 'COMPARISON': {
      const moment = '2026-11-22T19:45:00.000Z';
      const changeSet = {
        changeSetId: task.spec.comparisonId,
        createdAt: moment,
        expiresAt: '2026-11-29T19:45:00.000Z',
      };
      return {
        kind: 'COMPARISON', changeSet, baseReadAt: moment, targetReadAt: moment, tables: [],
        removed: 1, added: 2, changed: 3, unchanged: 4, notes: [],
      }; // prettier-ignore
    }
    case 'EXPORT':
      return { kind: 'EXPORT', tables: [{ dataType: 'ALERTS', table: 'risk_alerts', rowCount: 3 }], notes: [] };
    case 'EXPORT_STREAM':
      return { kind: 'EXPORT_STREAM', rowCount: 3 };
    case 'CLEANUP':
      return {
        kind: 'CLEANUP',
        deletedBackupIds: [...task.backupIds],
        freedBytes: 7,
        rewrittenPacks: 0,
        rewrittenBytes: 0,
        kept: [],
      };
  }
}
