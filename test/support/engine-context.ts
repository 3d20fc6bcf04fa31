/** Runs engine tasks in place, with everything around them fixed. */
import { tmpdir } from 'node:os';
import { randomBytes, randomUUID } from 'node:crypto';
import { COMPARISON_KEPT_MS, PLAN_VALID_MS, UNDOABLE_MS } from '../../src/domain/change-set';
import type { BackupId, ChangeSetId, JobId, RestoreId } from '../../src/domain/ids';
import type { BackupJobSpec, ComparisonJobSpec, PlanJobSpec, Progress, RestoreJobSpec } from '../../src/domain/job';
import type { Source } from '../../src/domain/source';
import type { BackupResult, CompactionResult, EngineTask, PlanResult, RestoreResult } from '../../src/domain/task';
import { runTask } from '../../src/engine/engine';
import type { EngineDeps, EngineStore, TaskContext } from '../../src/engine/ports';
import { ProgressMeter } from '../../src/engine/progress';
import { systemClock } from '../../src/ops/ambient';
import { silentLog } from './silent-log';

export interface EngineBench {
  source: Source;
  store: EngineStore;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  connections?: number;
}

export function engineDeps({ source, store, connections = 3 }: EngineBench): EngineDeps {
  return {
    source: async () => source,
    limits: () => ({ connections }),
    store: async () => store,
    clock: systemClock,
    random: { uuid: () => randomUUID(), bytes: (size) => randomBytes(size) },
    log: silentLog,
    tempDir: tmpdir(),
    writtenBy: 'riskvault test',
  };
}

/** As a task that runs has it. */
export function taskContext(bench: EngineBench): TaskContext {
  const deps = engineDeps(bench);
  const signal = bench.signal ?? new AbortController().signal;
  const hooks = { signal, onProgress: () => undefined, onLog: () => undefined };
  return { deps, hooks, signal, progress: new ProgressMeter(deps.clock, () => undefined), committing: false };
}

export function run(task: EngineTask, bench: EngineBench): ReturnType<typeof runTask> {
  return runTask(task, engineDeps(bench), {
    signal: bench.signal ?? new AbortController().signal,
    onProgress: bench.onProgress ?? (() => undefined),
    onLog: () => undefined,
  });
}

export function backupTask(spec: Partial<BackupJobSpec> = {}, serviceSettings: unknown = null): EngineTask {
  return {
    kind: 'BACKUP',
    jobId: randomUUID() as JobId,
    createdAt: '2026-01-01T00:00:00.000Z',
    createdBy: 'test',
    serviceSettings,
    spec: {
      kind: 'BACKUP',
      backupId: randomUUID() as BackupId,
      source: 'default',
      type: 'FULL',
      dataTypes: ['ALL'],
      businessId: null,
      expiresAt: null,
      labels: {},
      ...spec,
    },
  };
}

export function restoreTask(spec: Partial<RestoreJobSpec> & { backupId: BackupId }, attempt = 1): EngineTask {
  return {
    kind: 'RESTORE',
    jobId: randomUUID() as JobId,
    attempt,
    spec: {
      kind: 'RESTORE',
      restoreId: randomUUID() as RestoreId,
      source: 'default',
      type: 'FULL',
      dataTypes: ['ALL'],
      businessId: null,
      target: { kind: 'IN_PLACE' },
      dryRun: false,
      allowUnchecked: false,
      changeSetId: randomUUID() as ChangeSetId,
      undoableForMs: UNDOABLE_MS,
      ...spec,
    },
  };
}

export async function backup(
  bench: EngineBench,
  spec: Partial<BackupJobSpec> = {},
  settings: unknown = null,
): Promise<BackupResult> {
  return (await run(backupTask(spec, settings), bench)) as BackupResult;
}

export async function compact(bench: EngineBench, backupId: BackupId): Promise<CompactionResult> {
  const spec = { kind: 'COMPACTION', backupId } as const;
  return (await run({ kind: 'COMPACTION', jobId: randomUUID() as JobId, spec }, bench)) as CompactionResult;
}

export async function restore(
  bench: EngineBench,
  spec: Partial<RestoreJobSpec> & { backupId: BackupId },
  attempt = 1,
): Promise<RestoreResult> {
  return (await run(restoreTask(spec, attempt), bench)) as RestoreResult;
}

export function planTask(spec: Partial<PlanJobSpec> & { backupId: BackupId }): EngineTask {
  return {
    kind: 'PLAN',
    jobId: randomUUID() as JobId,
    spec: {
      kind: 'PLAN',
      planId: randomUUID() as ChangeSetId,
      source: 'default',
      type: 'FULL',
      dataTypes: ['ALL'],
      businessId: null,
      allowUnchecked: false,
      validForMs: PLAN_VALID_MS,
      ...spec,
    },
  };
}

export async function plan(
  bench: EngineBench,
  spec: Partial<PlanJobSpec> & { backupId: BackupId },
): Promise<PlanResult> {
  return (await run(planTask(spec), bench)) as PlanResult;
}

export function comparisonTask(
  spec: Partial<ComparisonJobSpec> & Pick<ComparisonJobSpec, 'backupId' | 'targetId'>,
): EngineTask {
  return {
    kind: 'COMPARISON',
    jobId: randomUUID() as JobId,
    spec: {
      kind: 'COMPARISON',
      comparisonId: randomUUID() as ChangeSetId,
      source: 'default',
      dataTypes: ['ALL'],
      businessId: null,
      validForMs: COMPARISON_KEPT_MS,
      ...spec,
    },
  };
}

/** The task that applies the plan. */
export function applyTask(
  { changeSet }: PlanResult,
  backupId: BackupId,
  spec: Partial<RestoreJobSpec> = {},
): EngineTask {
  const { changeSetId: planId, planHash } = changeSet;
  return restoreTask({ backupId, plan: { planId, planHash }, ...spec });
}

/** The task that undoes what the restore did. */
export function undoTask(restored: RestoreResult, backupId: BackupId, spec: Partial<RestoreJobSpec> = {}): EngineTask {
  if (!restored.changeSet) throw new Error(`It can't be undone: ${restored.notes.join(' ')}`);
  const { changeSetId } = restored.changeSet;
  return restoreTask({ backupId, undoes: { restoreId: randomUUID() as RestoreId, changeSetId }, ...spec });
}
