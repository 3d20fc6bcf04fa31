/** What a completed job changes beside itself, in the transaction that settles it. */
import type { EntityManager } from 'typeorm';
import type { Progress } from '../domain/job';
import type { StoredManifest } from '../domain/manifest';
import type {
  ComparisonResult, ExportResult, PlanResult, RehearsalResult, RestoreResult, VerificationResult,
} from '../domain/task'; // prettier-ignore
import type { SettleEffect } from './catalog';
import type { Write } from './database';
import { withoutClaimed } from './claimed-deletions';
import {
  BackupEntity,
  ComparisonEntity,
  ExportEntity,
  JobEntity,
  RestoreEntity,
  RestorePlanEntity,
  type StoredVerification,
} from './entities';
import type { BackupTableRecord, JobOutcome, RestoreRecord } from './records';
import { joinDataTypes } from './to-records';
import type { BackupId, JobId } from '../domain/ids';

export async function applyEffect(write: Write, jobId: JobId, effect: SettleEffect): Promise<void> {
  const { manager } = write;
  if (effect.kind === 'BACKUP_STORED') await storeBackup(write, effect.stored);
  if (effect.kind === 'COMPACTED') await replaceManifest(manager, effect.stored);
  if (effect.kind === 'PLANNED') await storePlan(write, jobId, effect.result);
  if (effect.kind === 'COMPARED') await storeComparison(write, jobId, effect.result);
  if (effect.kind === 'EXPORTED') await storeExport(write, jobId, effect.result);
  if (effect.kind === 'RESTORED') await storeRestored(write, jobId, effect);
  if (effect.kind === 'VERIFIED') {
    const verification = toVerification(effect.result, { jobId, at: write.now });
    await manager.update(BackupEntity, { id: effect.backupId }, { verification });
  }
  if (effect.kind === 'REHEARSED') await storeRehearsal(write, jobId, effect);
  if (effect.kind === 'BACKUPS_DELETED') await deleteBackups(manager, effect.backupIds);
}

/** What the job's own record keeps of it. */
export async function outcomeOf(write: Write, job: JobEntity, effect: SettleEffect): Promise<JobOutcome | null> {
  if (effect.kind === 'VERIFIED' || effect.kind === 'REHEARSED') return effect.result;
  if (effect.kind !== 'BACKUPS_DELETED' || !effect.result) return null;
  const isDryRun = effect.backupIds.length === 0;
  return isDryRun ? effect.result : withoutClaimed(write.manager, job, effect.result);
}

/** How much was done in all: progress itself counts what its last phase did, which may be nothing. */
export function totalsOf(effect: SettleEffect): Partial<Progress> {
  if (effect.kind === 'BACKUP_STORED') {
    const { rowCount, rawBytes } = effect.stored.manifest;
    return { rowsDone: rowCount, rowsTotal: rowCount, bytesDone: rawBytes, bytesTotal: rawBytes };
  }
  if (effect.kind === 'RESTORED') {
    const { verifiedRows } = effect.result;
    return { rowsDone: verifiedRows, rowsTotal: verifiedRows };
  }
  if (effect.kind === 'REHEARSED') {
    const rows = effect.result.proof?.coverage.rows ?? 0;
    return { rowsDone: rows, rowsTotal: rows };
  }
  if (effect.kind !== 'VERIFIED') return {};
  return { bytesDone: effect.result.checkedBytes, bytesTotal: effect.result.checkedBytes };
}

/** Facts from the manifest; the row's id, job and author stay. */
async function storeBackup({ manager, now }: Write, stored: StoredManifest): Promise<void> {
  const { startedAt } = await manager.findOneByOrFail(BackupEntity, { id: stored.manifest.backupId });
  const facts = { ...fromManifest(stored), completedAt: now, startedAt };
  await manager.update(BackupEntity, { id: stored.manifest.backupId }, facts);
}

/** The backup is what it was: only what tells of its manifest's bytes changes. A row that has gone meanwhile stays gone. */
async function replaceManifest(manager: EntityManager, stored: StoredManifest): Promise<void> {
  const { checksum, manifestName, storedBytes, newRawBytes, missingSince } = fromManifest(stored);
  const facts = { checksum, manifestName, storedBytes, newRawBytes, missingSince };
  await manager.update(BackupEntity, { id: stored.manifest.backupId, state: 'COMPLETED' }, facts);
}

/** The columns of a backup row that its manifest decides. */
export function fromManifest({ name, checksum, manifest }: StoredManifest) {
  return {
    type: manifest.type,
    state: 'COMPLETED',
    source: manifest.source.name,
    dataTypes: joinDataTypes(manifest.dataTypes),
    businessId: manifest.scope.kind === 'BUSINESS' ? manifest.scope.businessId : null,
    parentId: manifest.parentId,
    completedAt: new Date(manifest.completedAt),
    expiresAt: manifest.expiresAt === null ? null : new Date(manifest.expiresAt),
    labels: manifest.labels,
    readAt: new Date(manifest.readAt),
    consistency: manifest.consistency,
    rowCount: manifest.rowCount,
    changedRowCount: manifest.changedRowCount,
    rawBytes: manifest.rawBytes,
    storedBytes: manifest.storedBytes,
    newRawBytes: manifest.newRawBytes ?? null,
    checksum,
    manifestName: name,
    tables: manifest.tables.map(toTableRecord),
    missingSince: null,
  } satisfies Partial<BackupEntity>;
}

function toTableRecord(table: StoredManifest['manifest']['tables'][number]): BackupTableRecord {
  const { dataType, rowCount, changedRowCount, rawBytes, rawBytesEstimated } = table;
  const { changeDetection, changeDetectionReason } = table;
  const counts = { rowCount, changedRowCount, rawBytes, ...(rawBytesEstimated && { rawBytesEstimated }) };
  return { dataType, table: table.table, ...counts, changeDetection, changeDetectionReason };
}

function restoreResult(result: RestoreResult): RestoreRecord['result'] {
  const { mode, tables, inserts, updates, deletes, verifiedRows, changeSet, notes } = result;
  return { mode, tables, inserts, updates, deletes, verifiedRows, changeSet, notes };
}

/** A dry run keeps a plan too. */
async function storeRestored(
  write: Write,
  jobId: JobId,
  { restoreId: id, result }: Extract<SettleEffect, { kind: 'RESTORED' }>,
): Promise<void> {
  const { plan } = result;
  if (plan) await storePlan(write, jobId, plan);
  const kept = plan ? { planId: plan.changeSet.changeSetId } : {};
  await write.manager.update(RestoreEntity, { id }, { result: restoreResult(result), ...kept });
}

/** Once: an attempt that ended unseen gives what was kept. */
async function storePlan({ manager }: Write, jobId: JobId, result: PlanResult): Promise<void> {
  const { spec, createdBy } = await manager.findOneByOrFail(JobEntity, { id: jobId });
  if (spec.kind !== 'PLAN' && spec.kind !== 'RESTORE') return;
  const { backupId, source, type, dataTypes, businessId, threeWay = null, keys = null } = spec;
  const { kind: _kind, changeSet, ...planned } = result;
  const { changeSetId: id, planHash, createdAt, expiresAt } = changeSet;
  const row: RestorePlanEntity = {
    ...{ id, backupId, jobId, source, type, dataTypes, businessId, threeWay, keys, planHash, createdBy },
    createdAt: new Date(createdAt),
    expiresAt: new Date(expiresAt),
    result: planned,
  };
  await manager.insert(RestorePlanEntity, row);
}

/** Once, as a plan. */
async function storeComparison({ manager }: Write, jobId: JobId, result: ComparisonResult): Promise<void> {
  const { spec, createdBy } = await manager.findOneByOrFail(JobEntity, { id: jobId });
  if (spec.kind !== 'COMPARISON') return;
  const { comparisonId: id, backupId: baseId, targetId, source, dataTypes, businessId } = spec;
  const { kind: _kind, changeSet, ...found } = result;
  const row: ComparisonEntity = {
    ...{ id, baseId, targetId, jobId, source, dataTypes, businessId, createdBy },
    createdAt: new Date(changeSet.createdAt),
    expiresAt: new Date(changeSet.expiresAt),
    result: found,
  };
  await manager.insert(ComparisonEntity, row);
}

/** Once: from now on it can be downloaded, for as long as was asked for. */
async function storeExport({ manager, now }: Write, jobId: JobId, { tables, notes }: ExportResult): Promise<void> {
  const { spec, createdBy } = await manager.findOneByOrFail(JobEntity, { id: jobId });
  if (spec.kind !== 'EXPORT') return;
  const { kind: _kind, exportId: id, fileName, validForMs, ...wanted } = spec;
  const { backupId } = wanted;
  const expiresAt = new Date(now.getTime() + validForMs);
  const row: ExportEntity = {
    id,
    backupId,
    jobId,
    wanted,
    fileName,
    tables,
    notes,
    createdBy,
    createdAt: now,
    expiresAt,
  };
  await manager.insert(ExportEntity, row);
}

function toVerification(result: VerificationResult, { jobId, at }: { jobId: JobId; at: Date }): StoredVerification {
  const { level, passed, findings, checkedChunks, checkedBytes } = result;
  return { level, passed, findings, checkedChunks, checkedBytes, at: at.toISOString(), jobId };
}

/** It is the backup's last verification too. What was proven before stays proven as of then, whatever this one found. */
async function storeRehearsal(
  { manager, now }: Write,
  jobId: JobId,
  { backupId, result }: { backupId: BackupId; result: RehearsalResult },
): Promise<void> {
  const { passed, findings, checkedChunks, checkedBytes, proof } = result;
  const checked = { passed, findings, checkedChunks, checkedBytes };
  const at = now.toISOString();
  const verification: StoredVerification = { level: 'RESTORE', at, jobId, ...checked, proof };
  const row = await manager.findOneBy(BackupEntity, { id: backupId });
  if (row === null) return; // because: it was deleted meanwhile
  const proven = passed && proof !== null ? { ...proof, at, jobId } : (row.restorability?.proven ?? null);
  await manager.update(BackupEntity, { id: backupId }, { verification, restorability: { proven, last: verification } });
}

/** Few at a time: a cleanup can name thousands. */
const DELETE_BATCH = 500;

async function deleteBackups(manager: EntityManager, ids: readonly string[]): Promise<void> {
  for (let start = 0; start < ids.length; start += DELETE_BATCH) {
    const batch = ids.slice(start, start + DELETE_BATCH);
    await manager.createQueryBuilder().delete().from(BackupEntity).where('id IN (:...ids)', { ids: batch }).execute();
  }
}
