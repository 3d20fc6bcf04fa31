/** What each kind of job asks of the engine, and what its result changes in the catalog. */
import type { JobRecord, SettleEffect } from '../catalog/catalog';
import { AppError } from '../domain/errors';
import type { BackupId } from '../domain/ids';
import { endedUnsettled, mustSettle, type CleanupJobSpec, type JobFailure, type JobSpec } from '../domain/job';
import { tallestStack } from '../domain/layer-stack';
import type { Manifest } from '../domain/manifest';
import type {
  CleanupResult,
  CompactionResult,
  ComparisonResult,
  EngineResult,
  EngineTask,
  ExportResult,
  RehearsalResult,
} from '../domain/task';

export interface TaskContext {
  /** The service's own settings, for SYSTEM backups. */
  serviceSettings(): Promise<unknown>;
}

export interface TaskPlanning extends TaskContext {
  /** What a cleanup is about to delete, once that is written down. */
  planDeletion(spec: CleanupJobSpec): Promise<readonly BackupId[]>;
  /** How the job's last attempt ended. */
  lastFailure: JobFailure | null;
}

export async function toTask(job: JobRecord, context: TaskPlanning): Promise<EngineTask> {
  const { id: jobId, spec, attempt } = job;
  switch (spec.kind) {
    case 'BACKUP': {
      const serviceSettings = spec.type === 'SYSTEM' ? await context.serviceSettings() : null;
      const { createdBy } = job;
      return { kind: 'BACKUP', jobId, spec, createdAt: job.createdAt.toISOString(), createdBy, serviceSettings };
    }
    case 'PLAN':
      return { kind: 'PLAN', jobId, spec };
    case 'RESTORE':
      return { kind: 'RESTORE', jobId, spec, attempt, recoverOnly: isRecovery(job) };
    case 'COMPARISON':
      return { kind: 'COMPARISON', jobId, spec };
    case 'VERIFICATION':
      return { kind: 'VERIFICATION', jobId, spec };
    case 'REHEARSAL': {
      const mayHaveLeft = endedUnsettled(context.lastFailure);
      return { kind: 'REHEARSAL', jobId, spec, mayHaveLeft, recoverOnly: isRecovery(job) };
    }
    case 'COMPACTION':
      return { kind: 'COMPACTION', jobId, spec };
    case 'EXPORT':
      return { kind: 'EXPORT', jobId, spec };
    case 'CLEANUP': {
      const backupIds = job.deleting ?? (await context.planDeletion(spec));
      return { kind: 'CLEANUP', jobId, backupIds, dryRun: spec.dryRun, recoverOnly: isRecovery(job) };
    }
  }
}

/**
 * True for a restore, rehearsal or cleanup that shall not run any more, but whose earlier attempt ended unseen: it was cancelled
 * meanwhile, or has used up its attempts. What it left in the source, or deleted, must be settled before the job ends.
 */
export function isRecovery(job: JobRecord): boolean {
  return mustSettle(job) && (job.cancelRequested || job.attempt > job.maxAttempts);
}

export function toEffect(job: JobRecord, result: EngineResult): SettleEffect {
  const { spec } = job;
  if (spec.kind === 'BACKUP' && result.kind === 'BACKUP') return { kind: 'BACKUP_STORED', stored: result.stored };
  if (spec.kind === 'PLAN' && result.kind === 'PLAN') return { kind: 'PLANNED', planId: spec.planId, result };
  if (spec.kind === 'RESTORE' && result.kind === 'RESTORE')
    return { kind: 'RESTORED', restoreId: spec.restoreId, result };
  if (spec.kind === 'COMPARISON' && result.kind === 'COMPARISON') return { kind: 'COMPARED', result };
  if (spec.kind === 'VERIFICATION' && result.kind === 'VERIFICATION') {
    return { kind: 'VERIFIED', backupId: spec.backupId, result };
  }
  if (spec.kind === 'REHEARSAL' && result.kind === 'REHEARSAL') {
    return { kind: 'REHEARSED', backupId: spec.backupId, result };
  }
  if (spec.kind === 'COMPACTION' && result.kind === 'COMPACTION') return { kind: 'COMPACTED', stored: result.stored };
  if (spec.kind === 'EXPORT' && result.kind === 'EXPORT') return { kind: 'EXPORTED', result };
  if (spec.kind === 'CLEANUP' && result.kind === 'CLEANUP') {
    return { kind: 'BACKUPS_DELETED', backupIds: spec.dryRun ? [] : result.deletedBackupIds, result };
  }
  throw new AppError('INTERNAL', `A ${spec.kind} job was answered with a ${result.kind} result.`);
}

/** A job that the result calls for: a stack of layers that grew tall is compacted. */
export function followUp(result: EngineResult, compactAfterLayers: number): JobSpec | null {
  if (result.kind !== 'BACKUP') return null;
  const { manifest } = result.stored;
  return tallestStack(manifest) < compactAfterLayers ? null : { kind: 'COMPACTION', backupId: manifest.backupId };
}

/** One sentence for the job's last event. */
export function toMessage(result: EngineResult): string {
  switch (result.kind) {
    case 'BACKUP':
      return backupMessage(result.stored.manifest);
    case 'PLAN':
      return `Would do ${result.inserts} inserts, ${result.updates} updates, ${result.deletes} deletes.`;
    case 'RESTORE':
      return `${result.inserts} inserts, ${result.updates} updates, ${result.deletes} deletes.`;
    case 'COMPARISON':
      return comparisonMessage(result);
    case 'VERIFICATION':
      return result.passed ? 'Everything is sound.' : `Found ${result.findings.length} damaged objects.`;
    case 'REHEARSAL':
      return rehearsalMessage(result);
    case 'FIND_EXPIRED':
      return `Found ${result.backupIds.length} expired backups.`;
    case 'FREED_BYTES':
      return `Would free ${result.freedBytes} bytes.`;
    case 'RECORDS':
      return `Found ${result.records.length} records.`;
    case 'RECORD_HISTORY':
      return `Found ${result.versions.length} versions.`;
    case 'ROW_CHANGES':
      return `Found ${result.changes.length} changes.`;
    case 'CONFLICTS':
      return `Found ${result.conflicts.length} conflicts.`;
    case 'EXPORT':
      return exportMessage(result);
    case 'EXPORT_STREAM':
      return `Streamed ${count(result.rowCount, 'row')}.`;
    case 'CLEANUP':
      return cleanupMessage(result);
    case 'COMPACTION':
      return compactionMessage(result);
  }
}

function comparisonMessage({ removed, added, changed, unchanged }: ComparisonResult): string {
  if (removed + added + changed === 0) return `All ${count(unchanged, 'row')} are the same.`;
  return `${count(removed, 'row')} removed, ${added} added, ${changed} changed, ${unchanged} the same.`;
}

function backupMessage({ rowCount, changedRowCount }: Manifest): string {
  const rows = count(rowCount, 'row');
  return changedRowCount === rowCount
    ? `Holds ${rows}.`
    : `Holds ${rows}; ${changedRowCount} changed since its parent.`;
}

function exportMessage({ tables }: ExportResult): string {
  const rows = tables.reduce((sum, { rowCount }) => sum + rowCount, 0);
  return `${count(rows, 'row')} of ${count(tables.length, 'table')} can be downloaded.`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function rehearsalMessage({ findings, proof }: RehearsalResult): string {
  const [first] = findings;
  if (first) return `Found ${count(findings.length, 'problem')}. ${first.message}`;
  const { restoreMs, coverage } = proof ?? { restoreMs: 0, coverage: { rows: 0, tables: 0 } };
  return `Restored ${count(coverage.rows, 'row')} of ${count(coverage.tables, 'table')} in ${(restoreMs / 1000).toFixed(1)} seconds; all is sound.`;
}

function compactionMessage({ compactedTables, kept }: CompactionResult): string {
  const [first] = kept;
  const rest = first ? ` ${kept.length} keep theirs; ${first.table} because: ${first.reason}` : '';
  if (compactedTables.length > 0)
    return `The layers of ${count(compactedTables.length, 'table')} became single bases.${rest}`;
  return first ? `Nothing was compacted.${rest}` : 'Nothing was to do: no table has more than its base layer.';
}

function cleanupMessage({ deletedBackupIds, freedBytes, rewrittenPacks, kept }: CleanupResult): string {
  const rewrote = rewrittenPacks > 0 ? `, rewrote ${rewrittenPacks} packs` : '';
  const deleted = `Deleted ${deletedBackupIds.length} backups, freed ${freedBytes} bytes${rewrote}.`;
  const [first] = kept;
  return first ? `${deleted} Kept ${kept.length}; the first because: ${first.reason}` : deleted;
}
