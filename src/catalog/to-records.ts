/** Rows become records here, and nowhere else. */
import type { BackupStatus } from '../domain/backup';
import { DATA_TYPES, type DataType } from '../domain/data-type';
import { seriesOf, type RetainedBackup } from '../domain/retention';
import type {
  BackupEntity,
  ComparedCounts,
  ComparisonEntity,
  ExportEntity,
  JobEntity,
  JobEventEntity,
  PlannedChanges,
  RestoreEntity,
  RestorePlanEntity,
  StoredRestorability,
  StoredVerification,
} from './entities';
import type {
  BackupRecord,
  ComparisonRecord,
  ExportRecord,
  JobEventRecord,
  JobRecord,
  RestorabilityRecord,
  RestorePlanRecord,
  RestoreRecord,
  VerificationRecord,
} from './records';

export function toJob(row: JobEntity): JobRecord {
  const { leaseToken: _token, leaseOwner: _owner, leaseExpiresAt: _expiresAt, ...record } = row;
  return record;
}

export function toJobEvent(row: JobEventEntity): JobEventRecord {
  return { ...row };
}

export function toBackup(row: BackupEntity, now: Date): BackupRecord {
  const { state: _state, verification, restorability, dataTypes, ...rest } = row;
  return {
    ...rest,
    status: backupStatus(row, now),
    dataTypes: splitDataTypes(dataTypes),
    verification: verification === null ? null : toVerification(verification),
    restorability: restorability === null ? null : toRestorability(restorability),
  };
}

export function toRetained(
  row: Pick<
    BackupEntity,
    'id' | 'state' | 'type' | 'source' | 'dataTypes' | 'businessId' | 'readAt' | 'createdAt' | 'expiresAt'
  >,
  { now, onHold }: { now: Date; onHold: boolean },
): RetainedBackup {
  const { id, type, source, businessId, readAt, createdAt, expiresAt } = row;
  const series = seriesOf({ source, type, businessId, dataTypes: splitDataTypes(row.dataTypes) });
  return { id, series, type, status: backupStatus(row, now), readAt, createdAt, expiresAt, onHold };
}

export function toRestore(row: RestoreEntity): RestoreRecord {
  return { ...row };
}

export function toRestorePlan({ result, ...row }: RestorePlanEntity): RestorePlanRecord {
  return { ...row, ...(result as PlannedChanges) };
}

export function toComparison({ result, ...row }: ComparisonEntity): ComparisonRecord {
  return { ...row, ...(result as ComparedCounts) };
}

export function toExport(row: ExportEntity): ExportRecord {
  return { ...row };
}

function backupStatus(row: Pick<BackupEntity, 'state' | 'expiresAt'>, now: Date): BackupStatus {
  const expired = row.state === 'COMPLETED' && row.expiresAt !== null && row.expiresAt.getTime() <= now.getTime();
  return expired ? 'EXPIRED' : row.state;
}

function toVerification(stored: StoredVerification): VerificationRecord {
  return { ...stored, at: new Date(stored.at) };
}

function toRestorability({ proven, last }: StoredRestorability): RestorabilityRecord {
  return { proven: proven && { ...proven, at: new Date(proven.at) }, last: toVerification(last) };
}

/** `,ASSESSMENTS,FACTORS,`: every type between commas, so that LIKE '%,X,%' finds it. */
export function joinDataTypes(types: readonly DataType[]): string {
  return `,${types.join(',')},`;
}

function splitDataTypes(joined: string): DataType[] {
  return DATA_TYPES.filter((type) => joined.includes(`,${type},`));
}
