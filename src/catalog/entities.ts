/**
 * The catalog's tables as TypeORM sees them. They never leave this folder: `to-records` turns them into plain records.
 * Migrations make the tables; a test proves that both describe the same schema on SQLite and on MariaDB.
 */
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { BackupType, Labels, RestoreType } from '../domain/backup';
import type { RequestedDataType } from '../domain/data-type';
import type { ExportedTable, ExportWanted } from '../domain/export';
import type {
  BackupId, ChangeSetId, DownloadId, ExportId, HoldId, JobId, LeaseToken, RestoreId,
} from '../domain/ids'; // prettier-ignore
import type { JobEventType, JobFailure, JobKind, JobSpec, JobState, Progress, RestoreTarget } from '../domain/job';
import type { RecordKey } from '../domain/record-key';
import type { ThreeWay } from '../domain/three-way';
import { count, flag, id, json, moment, NAME_LENGTH, nullable, prose, small, text } from './columns';
import type {
  BackupTableRecord,
  ComparisonRecord,
  JobOutcome,
  RestorabilityRecord,
  RestorePlanRecord,
  RestoreRecord,
  VerificationRecord,
} from './records';

/** A verification as JSON keeps it. */
export type StoredVerification = Omit<VerificationRecord, 'at'> & { at: string };

/** What rehearsals showed, likewise. */
export interface StoredRestorability {
  proven: (Omit<NonNullable<RestorabilityRecord['proven']>, 'at'> & { at: string }) | null;
  last: StoredVerification;
}

@Entity('jobs')
@Index('idx_jobs_created', ['createdAt', 'id'])
@Index('idx_jobs_state', ['state', 'createdAt', 'id'])
@Index('idx_jobs_kind', ['kind', 'createdAt', 'id'])
@Index('idx_jobs_source', ['source', 'state', 'createdAt'])
@Index('idx_jobs_backup', ['backupId', 'createdAt'])
@Index('idx_jobs_finished', ['finishedAt', 'id'])
@Index('idx_jobs_lease', ['state', 'leaseExpiresAt'])
export class JobEntity {
  @PrimaryColumn(id('id')) id!: JobId;
  @Column(text('kind', 20)) kind!: JobKind;
  @Column(text('state', 20)) state!: JobState;
  @Column(json('spec')) spec!: JobSpec;
  @Column(nullable(text('source', NAME_LENGTH))) source!: string | null;
  @Column(nullable(id('backup_id'))) backupId!: BackupId | null;
  @Column(nullable(id('restore_id'))) restoreId!: RestoreId | null;
  @Column(json('progress')) progress!: Progress;
  @Column(small('attempt')) attempt!: number;
  @Column(small('max_attempts')) maxAttempts!: number;
  @Column(flag('cancel_requested')) cancelRequested!: boolean;
  @Column(nullable(json('failure'))) failure!: JobFailure | null;
  @Column(nullable(json('outcome'))) outcome!: JobOutcome | null;
  @Column(nullable(json('deleting'))) deleting!: BackupId[] | null;
  @Column(text('created_by', NAME_LENGTH)) createdBy!: string;
  @Column(moment('created_at')) createdAt!: Date;
  @Column(moment('run_after')) runAfter!: Date;
  @Column(nullable(moment('started_at'))) startedAt!: Date | null;
  @Column(nullable(moment('finished_at'))) finishedAt!: Date | null;
  @Column(small('last_sequence')) lastSequence!: number;
  @Column(nullable(id('lease_token'))) leaseToken!: LeaseToken | null;
  @Column(nullable(text('lease_owner', NAME_LENGTH))) leaseOwner!: string | null;
  @Column(nullable(moment('lease_expires_at'))) leaseExpiresAt!: Date | null;
}

@Entity('job_events')
@Index('idx_job_events_global', ['globalSequence'], { unique: true })
export class JobEventEntity {
  @PrimaryColumn(id('job_id')) jobId!: JobId;
  @PrimaryColumn(small('sequence')) sequence!: number;
  @Column(count('global_sequence')) globalSequence!: number;
  @Column(moment('at')) at!: Date;
  @Column(text('type', 20)) type!: JobEventType;
  @Column(text('state', 20)) state!: JobState;
  @Column(json('progress')) progress!: Progress;
  @Column(nullable(prose('message'))) message!: string | null;
}

/** What a backup row keeps as its state; EXPIRED is derived from COMPLETED and the clock. */
export type BackupState = JobState;

@Entity('backups')
@Index('idx_backups_created', ['createdAt', 'id'])
@Index('idx_backups_state', ['state', 'createdAt', 'id'])
@Index('idx_backups_type', ['type', 'createdAt', 'id'])
@Index('idx_backups_source', ['source', 'createdAt', 'id'])
@Index('idx_backups_business', ['businessId', 'createdAt', 'id'])
@Index('idx_backups_expiry', ['state', 'expiresAt'])
export class BackupEntity {
  @PrimaryColumn(id('id')) id!: BackupId;
  @Column(text('type', 20)) type!: BackupType;
  @Column(text('state', 20)) state!: BackupState;
  @Column(text('source', NAME_LENGTH)) source!: string;
  /** `,ASSESSMENTS,FACTORS,`: found by LIKE on both engines. */
  @Column(text('data_types', NAME_LENGTH)) dataTypes!: string;
  @Column(nullable(text('business_id', NAME_LENGTH))) businessId!: string | null;
  @Column(nullable(id('parent_id'))) parentId!: BackupId | null;
  @Column(nullable(id('job_id'))) jobId!: JobId | null;
  @Column(text('created_by', NAME_LENGTH)) createdBy!: string;
  @Column(moment('created_at')) createdAt!: Date;
  @Column(nullable(moment('started_at'))) startedAt!: Date | null;
  @Column(nullable(moment('completed_at'))) completedAt!: Date | null;
  @Column(nullable(moment('expires_at'))) expiresAt!: Date | null;
  @Column(json('labels')) labels!: Labels;
  @Column(nullable(moment('read_at'))) readAt!: Date | null;
  @Column(nullable(text('consistency', 40))) consistency!: string | null;
  @Column(nullable(count('row_count'))) rowCount!: number | null;
  @Column(nullable(count('changed_row_count'))) changedRowCount!: number | null;
  @Column(nullable(count('raw_bytes'))) rawBytes!: number | null;
  @Column(nullable(count('stored_bytes'))) storedBytes!: number | null;
  @Column(nullable(count('new_raw_bytes'))) newRawBytes!: number | null;
  @Column(nullable(text('checksum', 64))) checksum!: string | null;
  @Column(nullable(text('manifest_name', NAME_LENGTH))) manifestName!: string | null;
  @Column(json('tables')) tables!: BackupTableRecord[];
  @Column(nullable(json('verification'))) verification!: StoredVerification | null;
  @Column(nullable(json('restorability'))) restorability!: StoredRestorability | null;
  @Column(nullable(moment('missing_since'))) missingSince!: Date | null;
}

/** What the repository holds of legal holds, indexed. */
@Entity('legal_holds')
@Index('idx_legal_holds_backup', ['backupId', 'createdAt', 'id'])
export class LegalHoldEntity {
  @PrimaryColumn(id('id')) id!: HoldId;
  @Column(id('backup_id')) backupId!: BackupId;
  @Column(nullable(prose('reason'))) reason!: string | null;
  @Column(nullable(text('created_by', NAME_LENGTH))) createdBy!: string | null;
  @Column(moment('created_at')) createdAt!: Date;
}

@Entity('restores')
@Index('idx_restores_created', ['createdAt', 'id'])
@Index('idx_restores_state', ['state', 'createdAt', 'id'])
@Index('idx_restores_backup', ['backupId', 'createdAt', 'id'])
@Index('idx_restores_source', ['source', 'createdAt', 'id'])
@Index('idx_restores_business', ['businessId', 'createdAt', 'id'])
@Index('idx_restores_undoes', ['undoesId', 'createdAt', 'id'])
export class RestoreEntity {
  @PrimaryColumn(id('id')) id!: RestoreId;
  @Column(text('state', 20)) state!: JobState;
  @Column(id('backup_id')) backupId!: BackupId;
  @Column(nullable(id('job_id'))) jobId!: JobId | null;
  @Column(text('source', NAME_LENGTH)) source!: string;
  @Column(text('type', 20)) type!: RestoreType;
  @Column(json('data_types')) dataTypes!: RequestedDataType[];
  @Column(nullable(text('business_id', NAME_LENGTH))) businessId!: string | null;
  @Column(nullable(json('three_way'))) threeWay!: ThreeWay | null;
  @Column(nullable(json('record_keys'))) keys!: RecordKey[] | null;
  @Column(json('target')) target!: RestoreTarget;
  @Column(flag('dry_run')) dryRun!: boolean;
  @Column(nullable(id('plan_id'))) planId!: ChangeSetId | null;
  @Column(nullable(id('undoes_id'))) undoesId!: RestoreId | null;
  @Column(text('created_by', NAME_LENGTH)) createdBy!: string;
  @Column(moment('created_at')) createdAt!: Date;
  @Column(nullable(moment('started_at'))) startedAt!: Date | null;
  @Column(nullable(moment('finished_at'))) finishedAt!: Date | null;
  @Column(nullable(json('result'))) result!: RestoreRecord['result'];
}

/** Plans that a job completed. */
@Entity('restore_plans')
export class RestorePlanEntity {
  @PrimaryColumn(id('id')) id!: ChangeSetId;
  @Column(id('backup_id')) backupId!: BackupId;
  @Column(nullable(id('job_id'))) jobId!: JobId | null;
  @Column(text('source', NAME_LENGTH)) source!: string;
  @Column(text('type', 20)) type!: RestoreType;
  @Column(json('data_types')) dataTypes!: RequestedDataType[];
  @Column(nullable(text('business_id', NAME_LENGTH))) businessId!: string | null;
  @Column(nullable(json('three_way'))) threeWay!: ThreeWay | null;
  @Column(nullable(json('record_keys'))) keys!: RecordKey[] | null;
  @Column(text('plan_hash', 64)) planHash!: string;
  @Column(text('created_by', NAME_LENGTH)) createdBy!: string;
  @Column(moment('created_at')) createdAt!: Date;
  @Column(moment('expires_at')) expiresAt!: Date;
  /** PlannedChanges; its type is too deep for TypeORM's. */
  @Column(json('result')) result!: object;
}

/** What a plan counts, as JSON keeps it. */
export type PlannedChanges = Pick<
  RestorePlanRecord,
  'tables' | 'inserts' | 'updates' | 'deletes' | 'estimatedMs' | 'notes'
>;

/** Comparisons that a job completed. */
@Entity('comparisons')
export class ComparisonEntity {
  @PrimaryColumn(id('id')) id!: ChangeSetId;
  @Column(id('base_id')) baseId!: BackupId;
  @Column(nullable(id('target_id'))) targetId!: BackupId | null;
  @Column(nullable(id('job_id'))) jobId!: JobId | null;
  @Column(text('source', NAME_LENGTH)) source!: string;
  @Column(json('data_types')) dataTypes!: RequestedDataType[];
  @Column(nullable(text('business_id', NAME_LENGTH))) businessId!: string | null;
  @Column(text('created_by', NAME_LENGTH)) createdBy!: string;
  @Column(moment('created_at')) createdAt!: Date;
  @Column(moment('expires_at')) expiresAt!: Date;
  /** ComparedCounts; its type is too deep for TypeORM's. */
  @Column(json('result')) result!: object;
}

/** What a comparison counts, as JSON keeps it. */
export type ComparedCounts = Pick<
  ComparisonRecord,
  'baseReadAt' | 'targetReadAt' | 'tables' | 'removed' | 'added' | 'changed' | 'unchanged' | 'notes'
>;
/** Exports that a job completed. */
@Entity('exports')
export class ExportEntity {
  @PrimaryColumn(id('id')) id!: ExportId;
  @Column(id('backup_id')) backupId!: BackupId;
  @Column(nullable(id('job_id'))) jobId!: JobId | null;
  @Column(json('wanted')) wanted!: ExportWanted;
  @Column(text('file_name', 300)) fileName!: string;
  @Column(json('tables')) tables!: ExportedTable[];
  @Column(json('notes')) notes!: string[];
  @Column(text('created_by', NAME_LENGTH)) createdBy!: string;
  @Column(moment('created_at')) createdAt!: Date;
  @Column(moment('expires_at')) expiresAt!: Date;
}

@Entity('export_downloads')
@Index('idx_export_downloads_export', ['exportId', 'startedAt', 'id'])
export class ExportDownloadEntity {
  @PrimaryColumn(id('id')) id!: DownloadId;
  @Column(id('export_id')) exportId!: ExportId;
  @Column(text('remote_address', NAME_LENGTH)) remoteAddress!: string;
  @Column(moment('started_at')) startedAt!: Date;
  @Column(nullable(moment('ended_at'))) endedAt!: Date | null;
  @Column(count('bytes')) bytes!: number;
  @Column(flag('is_complete')) isComplete!: boolean;
}

/** A client's key for one deed of one principal; `id` is the SHA-256 of the three, so that long keys stay indexable. */
@Entity('idempotency_keys')
@Index('idx_idempotency_job', ['jobId'])
export class IdempotencyEntity {
  @PrimaryColumn(text('id', 64)) id!: string;
  @Column(text('principal', NAME_LENGTH)) principal!: string;
  @Column(text('mutation', NAME_LENGTH)) mutation!: string;
  @Column(text('input_hash', 64)) inputHash!: string;
  /** Null where the deed needed no job: what it answered follows from its input. */
  @Column(nullable(id('job_id'))) jobId!: JobId | null;
  @Column(moment('created_at')) createdAt!: Date;
}

@Entity('counters')
export class CounterEntity {
  @PrimaryColumn(text('name', 40)) name!: string;
  @Column(count('value')) value!: number;
}

@Entity('meta')
export class MetaEntity {
  @PrimaryColumn(text('name', 40)) name!: string;
  @Column(prose('value')) value!: string;
}

export const ENTITIES = [
  JobEntity,
  JobEventEntity,
  BackupEntity,
  LegalHoldEntity,
  RestoreEntity,
  RestorePlanEntity,
  ComparisonEntity,
  ExportEntity,
  ExportDownloadEntity,
  IdempotencyEntity,
  CounterEntity,
  MetaEntity,
];
