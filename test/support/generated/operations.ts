/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
export type ApplyRestorePlanInput = {
  /** The same key and input return the same job; the same key with another input is IDEMPOTENCY_KEY_REUSED. */
  idempotencyKey?: string | null | undefined;
  /** Of that plan, as it was looked at. */
  planHash: string;
  /** The id of a RestorePlan. */
  planId: string | number;
  /** Hold the answer until the job has ended, at most PT60S; when it runs out, the running job is the answer. */
  waitFor?: string | null | undefined;
};

/** Every field given must match; a list matches any of its values. */
export type BackupFilter = {
  /** The platform's own ids; BUSINESS backups of these. */
  businessIds?: Array<string | number> | null | undefined;
  /** Exclusive. */
  createdBefore?: string | null | undefined;
  createdFrom?: string | null | undefined;
  /** Backups that hold at least one of these. */
  dataTypes?: Array<DataType> | null | undefined;
  /** Exclusive. */
  expiresBefore?: string | null | undefined;
  /** Every one of these labels, with just this value. */
  labels?: unknown;
  /** Only backups whose manifest the repository lacks, or only others. */
  missing?: boolean | null | undefined;
  /** Only backups that a legal hold keeps, or only others. */
  onHold?: boolean | null | undefined;
  sources?: Array<string> | null | undefined;
  statuses?: Array<BackupStatus> | null | undefined;
  types?: Array<BackupType> | null | undefined;
};

export type BackupOrder = {
  direction: OrderDirection;
  field: BackupOrderField;
};

/** What backups are sorted by. */
export type BackupOrderField =
  'COMPLETED_AT' | 'CREATED_AT' | 'EXPIRES_AT' | 'RAW_BYTES' | 'ROW_COUNT' | 'STORED_BYTES';

/** EXPIRED: complete, and past its expiresAt; it goes with the next cleanup, unless a legal hold keeps it. */
export type BackupStatus = 'CANCELLED' | 'COMPLETED' | 'EXPIRED' | 'FAILED' | 'PENDING' | 'RUNNING';

/** What a backup takes: all, what changed, one business, settings. */
export type BackupType = 'BUSINESS' | 'DIFFERENTIAL' | 'FULL' | 'INCREMENTAL' | 'SYSTEM';

export type CancelJobInput = {
  /** The id of a Job. */
  jobId: string | number;
};

/** How a table's changes were found. */
export type ChangeDetection = 'BINLOG' | 'NONE' | 'SCAN';

export type CleanupExpiredBackupsInput = {
  /** Only list what has expired. */
  dryRun?: boolean | null | undefined;
  /** The same key and input return the same job; the same key with another input is IDEMPOTENCY_KEY_REUSED. */
  idempotencyKey?: string | null | undefined;
  /** Hold the answer until the job has ended, at most PT60S; when it runs out, the running job is the answer. */
  waitFor?: string | null | undefined;
};

export type CompactBackupInput = {
  /** The id of a Backup. */
  backupId: string | number;
  /** The same key and input return the same job; the same key with another input is IDEMPOTENCY_KEY_REUSED. */
  idempotencyKey?: string | null | undefined;
  /** Hold the answer until the job has ended, at most PT60S; when it runs out, the running job is the answer. */
  waitFor?: string | null | undefined;
};

export type CompareBackupsInput = {
  /** The id of a Backup. */
  baseId: string | number;
  /** Only rows that belong to this business, on the one side or the other; the platform's own id. */
  businessId?: string | number | null | undefined;
  /** Default: all that both have. */
  dataTypes?: Array<DataType> | null | undefined;
  /** The same key and input return the same job; the same key with another input is IDEMPOTENCY_KEY_REUSED. */
  idempotencyKey?: string | null | undefined;
  /** The id of another Backup; none for the live source of the base. */
  targetId?: string | number | null | undefined;
  /** Hold the answer until the job has ended, at most PT60S; when it runs out, the running job is the answer. */
  waitFor?: string | null | undefined;
};

/** What becomes of a field that was damaged and changed later too. KEEP_LIVE: it stays as it is. TAKE_BACKUP: it becomes what the undamaged backup has. FAIL: nothing at all is changed. */
export type ConflictPolicy = 'FAIL' | 'KEEP_LIVE' | 'TAKE_BACKUP';

export type CreateBackupInput = {
  /** The platform's own id; required for BUSINESS, refused for the rest. */
  businessId?: string | number | null | undefined;
  /** Default: ALL, and CONFIG for SYSTEM. */
  dataTypes?: Array<DataType> | null | undefined;
  /** The same key and input return the same job; the same key with another input is IDEMPOTENCY_KEY_REUSED. */
  idempotencyKey?: string | null | undefined;
  /** Flat strings, kept with the backup. */
  labels?: unknown;
  /** 1 to 36500; default from the settings. */
  retentionDays?: number | null | undefined;
  source?: string | null | undefined;
  type: BackupType;
  /** Hold the answer until the job has ended, at most PT60S; when it runs out, the running job is the answer. */
  waitFor?: string | null | undefined;
};

/** What is wrong: the first four of a stored object, the others of what a rehearsal restored. NOT_RESTORED: the restore failed, or gave other rows. BROKEN_REFERENCE: rows refer to rows that are not there. BROKEN_INVARIANT: a query that must give no row gave some. UNCHECKED_INVARIANT: it could not be asked. */
export type DamageProblem =
  | 'BROKEN_INVARIANT'
  | 'BROKEN_REFERENCE'
  | 'DAMAGED'
  | 'MISSING'
  | 'NOT_RESTORED'
  | 'UNCHECKED_INVARIANT'
  | 'UNEXPECTED'
  | 'UNREADABLE';

/** Words for the risk tables; ALL is their union. */
export type DataType = 'ALERTS' | 'ALL' | 'ASSESSMENTS' | 'BUSINESSES' | 'CONFIG' | 'FACTORS' | 'HISTORY' | 'TRENDS';

export type DeleteBackupInput = {
  /** The id of a Backup. */
  backupId: string | number;
  /** The same key and input return the same job; the same key with another input is IDEMPOTENCY_KEY_REUSED. */
  idempotencyKey?: string | null | undefined;
  /** Hold the answer until the job has ended, at most PT60S; when it runs out, the running job is the answer. */
  waitFor?: string | null | undefined;
};

/** What went wrong, for programs. */
export type ErrorCode =
  | 'BACKUP_NOT_RESTORABLE'
  | 'CONFLICT'
  | 'CURSOR_EXPIRED'
  | 'FORBIDDEN'
  | 'FORMAT_TOO_NEW'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'INTEGRITY_FAILURE'
  | 'INVALID_INPUT'
  | 'LEGAL_HOLD'
  | 'NOT_CANCELABLE'
  | 'NOT_FOUND'
  | 'PLAN_DRIFTED'
  | 'PLAN_EXPIRED'
  | 'REPOSITORY_FULL'
  | 'REPOSITORY_UNAVAILABLE'
  | 'SCHEMA_MISMATCH'
  | 'SOURCE_UNAVAILABLE'
  | 'WRONG_PASSPHRASE';

export type ExportBackupInput = {
  /** The id of a Backup. */
  backupId: string | number;
  /** Only rows of this business, by the platform's own id, and those of other tables that they refer to. */
  businessId?: string | number | null | undefined;
  compression?: ExportCompression | null | undefined;
  /** Default: all that the backup holds. */
  dataTypes?: Array<DataType> | null | undefined;
  /** As that of Backup.records, of the one table. */
  filter?: unknown;
  format: ExportFormat;
  /** The same key and input return the same job; the same key with another input is IDEMPOTENCY_KEY_REUSED. */
  idempotencyKey?: string | null | undefined;
  /** Only this one of their tables. Required for CSV and with a filter, where there are several. */
  table?: string | null | undefined;
  /** How long downloads may be begun once the job has completed, PT1M to P7D; default PT1H. */
  validFor?: string | null | undefined;
  /** Hold the answer until the job has ended, at most PT60S; when it runs out, the running job is the answer. */
  waitFor?: string | null | undefined;
};

/** How the file is compressed. */
export type ExportCompression = 'GZIP' | 'NONE';

/** SQL: a script for the source's kind of database. CSV: one table. NDJSON: a JSON object a line for each row. */
export type ExportFormat = 'CSV' | 'NDJSON' | 'SQL';

/** Why a job failed: the codes of ErrorCode, and those of how the service itself failed. */
export type FailureCode =
  | 'BACKUP_NOT_RESTORABLE'
  | 'CANCELLED'
  | 'CATALOG_UNAVAILABLE'
  | 'CONFIG_INVALID'
  | 'CONFLICT'
  | 'CURSOR_EXPIRED'
  | 'FORBIDDEN'
  | 'FORMAT_TOO_NEW'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'INTEGRITY_FAILURE'
  | 'INTERNAL'
  | 'INVALID_INPUT'
  | 'LEASE_LOST'
  | 'LEGAL_HOLD'
  | 'NOT_CANCELABLE'
  | 'NOT_FOUND'
  | 'PLAN_DRIFTED'
  | 'PLAN_EXPIRED'
  | 'REPOSITORY_FULL'
  | 'REPOSITORY_UNAVAILABLE'
  | 'SCHEMA_MISMATCH'
  | 'SOURCE_UNAVAILABLE'
  | 'WORKER_DIED'
  | 'WRONG_PASSPHRASE';

/** What happened to a job. */
export type JobEventType = 'LOG' | 'PROGRESS' | 'STATE_CHANGED';

/** Every field given must match; a list matches any of its values. */
export type JobFilter = {
  /** Jobs that make, verify or restore these backups. */
  backupIds?: Array<string | number> | null | undefined;
  /** Exclusive. */
  createdBefore?: string | null | undefined;
  createdFrom?: string | null | undefined;
  kinds?: Array<JobKind> | null | undefined;
  sources?: Array<string> | null | undefined;
  states?: Array<JobState> | null | undefined;
};

/** What a job does. */
export type JobKind =
  | 'BACKUP'
  | 'CLEANUP'
  | 'COMPACTION'
  | 'COMPARISON'
  | 'ERASURE'
  | 'EXPORT'
  | 'PLAN'
  | 'REHEARSAL'
  | 'RESTORE'
  | 'SCRUB'
  | 'VERIFICATION';

export type JobOrder = {
  direction: OrderDirection;
  field: JobOrderField;
};

/** What jobs are sorted by. */
export type JobOrderField = 'CREATED_AT' | 'FINISHED_AT';

/** Where a job stands; the last three are final. */
export type JobState = 'CANCELLED' | 'COMPLETED' | 'FAILED' | 'PENDING' | 'RUNNING';

/** Why a mapped table cannot be backed up. */
export type MappingProblemKind =
  'NOT_A_TABLE' | 'NOT_TRANSACTIONAL' | 'NO_KEY' | 'NO_SUCH_COLUMN' | 'NO_SUCH_TABLE' | 'NULL_IN_KEY' | 'UNSUPPORTED';

/** Ascending or descending. */
export type OrderDirection = 'ASC' | 'DESC';

export type PlaceLegalHoldInput = {
  /** The id of a Backup. */
  backupId: string | number;
  /** The same key and input do it once; the same key with another input is IDEMPOTENCY_KEY_REUSED. */
  idempotencyKey?: string | null | undefined;
  /** Why it must be kept, 1 to 1,000 characters; stored in the repository. */
  reason: string;
};

export type PlanRestoreInput = {
  /** A backup whose integrity check fails is refused unless this is set. Then what is left is restored, without rows that refer to lost ones; the notes say how many. */
  allowUnchecked?: boolean | null | undefined;
  /** The id of a Backup. */
  backupId: string | number;
  /** The platform's own id; required for BUSINESS, refused for the rest. */
  businessId?: string | number | null | undefined;
  /** With damagedBackupId: for fields that were damaged and changed later too. Default: FAIL. */
  conflictPolicy?: ConflictPolicy | null | undefined;
  /** The id of a later Backup of the same source, taken after the damage. What differs between the two is the damage, and is undone; what the source has beyond the later one was changed since, and stays. In place alone. */
  damagedBackupId?: string | number | null | undefined;
  /** Required for PARTIAL. */
  dataTypes?: Array<DataType> | null | undefined;
  /** The same key and input return the same job; the same key with another input is IDEMPOTENCY_KEY_REUSED. */
  idempotencyKey?: string | null | undefined;
  /** Of what the type takes these records alone, at most 1,000, and the rows that they refer to where these are missing; the same one twice is one. A record that the backup does not hold is NOT_FOUND, and nothing is restored. */
  keys?: Array<RecordKeyInput> | null | undefined;
  type: RestoreType;
  /** How long it may be applied, PT1M to P7D; default PT24H. */
  validFor?: string | null | undefined;
  /** Hold the answer until the job has ended, at most PT60S; when it runs out, the running job is the answer. */
  waitFor?: string | null | undefined;
};

/** One record, as `Backup.records` shows it. */
export type RecordKeyInput = {
  dataType: DataType;
  /** The fields that identify it, by column, as Record.key shows them; or the value alone where there is one. */
  key: unknown;
  /** Required where the data type has several. */
  table?: string | null | undefined;
};

export type RehearseRestoreInput = {
  /** The id of a Backup. */
  backupId: string | number;
  /** The same key and input return the same job; the same key with another input is IDEMPOTENCY_KEY_REUSED. */
  idempotencyKey?: string | null | undefined;
  /** Hold the answer until the job has ended, at most PT60S; when it runs out, the running job is the answer. */
  waitFor?: string | null | undefined;
};

export type ReleaseLegalHoldInput = {
  /** The id of a Backup. */
  backupId: string | number;
  /** The id of a LegalHold; may be left out where the backup has just one. */
  holdId?: string | number | null | undefined;
  /** The same key and input do it once; the same key with another input is IDEMPOTENCY_KEY_REUSED. */
  idempotencyKey?: string | null | undefined;
};

export type RestoreBackupInput = {
  /** A backup whose integrity check fails is refused unless this is set. Then what is left is restored, without rows that refer to lost ones; the notes say how many. */
  allowUnchecked?: boolean | null | undefined;
  /** The id of a Backup. */
  backupId: string | number;
  /** The platform's own id; required for BUSINESS, refused for the rest. */
  businessId?: string | number | null | undefined;
  /** With damagedBackupId: for fields that were damaged and changed later too. Default: FAIL. */
  conflictPolicy?: ConflictPolicy | null | undefined;
  /** The id of a later Backup of the same source, taken after the damage. What differs between the two is the damage, and is undone; what the source has beyond the later one was changed since, and stays. In place alone. */
  damagedBackupId?: string | number | null | undefined;
  /** Required for PARTIAL. */
  dataTypes?: Array<DataType> | null | undefined;
  /** Change nothing: keep what would be changed as a plan, which `applyRestorePlan` can apply for 24 hours. */
  dryRun?: boolean | null | undefined;
  /** The same key and input return the same job; the same key with another input is IDEMPOTENCY_KEY_REUSED. */
  idempotencyKey?: string | null | undefined;
  /** Of what the type takes these records alone, at most 1,000, and the rows that they refer to where these are missing; the same one twice is one. A record that the backup does not hold is NOT_FOUND, and nothing is restored. */
  keys?: Array<RecordKeyInput> | null | undefined;
  /** Default: in place. */
  target?: RestoreTargetInput | null | undefined;
  type: RestoreType;
  /** Hold the answer until the job has ended, at most PT60S; when it runs out, the running job is the answer. */
  waitFor?: string | null | undefined;
};

/** What happened later to a row that was damaged. EDITED: fields that were damaged were changed. DELETED: the row was deleted. RECREATED: the damage had deleted it, and it was made anew. ADDED: the damage had added it, and it was changed. */
export type RestoreConflictKind = 'ADDED' | 'DELETED' | 'EDITED' | 'RECREATED';

/** Every field given must match; a list matches any of its values. */
export type RestoreFilter = {
  backupIds?: Array<string | number> | null | undefined;
  /** The platform's own ids. */
  businessIds?: Array<string | number> | null | undefined;
  /** Exclusive. */
  createdBefore?: string | null | undefined;
  createdFrom?: string | null | undefined;
  sources?: Array<string> | null | undefined;
  statuses?: Array<JobState> | null | undefined;
  /** The ids of Restores: what took back one of these. */
  undoes?: Array<string | number> | null | undefined;
};

/** BULK: whole tables were loaded. IN_PLACE: differences were applied. DRY_RUN: differences were counted. */
export type RestoreMode = 'BULK' | 'DRY_RUN' | 'IN_PLACE';

/** Where a restore writes: exactly one of these. */
export type RestoreTargetInput =
  | {
      /** Into the source's own tables. */
      inPlace: boolean;
      scratch?: never;
    }
  | { inPlace?: never; /** Into a new schema of this name. */ scratch: string };

/** What a restore brings back. */
export type RestoreType = 'BUSINESS' | 'FULL' | 'PARTIAL' | 'SYSTEM';

/** What to keep, at least one rule; a backup goes when no rule keeps it. Judged apart for each source, business and set of data types; the newest of each always stays. keepHourly to keepYearly keep the newest backup of each of the newest so many hours, days, ISO weeks, months, years that have one, and the oldest backup where there are fewer. */
export type RetentionPolicyInput = {
  /** All that are younger than so many days, 1 to 36500. */
  days?: number | null | undefined;
  keepDaily?: number | null | undefined;
  keepHourly?: number | null | undefined;
  /** The newest so many. */
  keepLast?: number | null | undefined;
  keepMonthly?: number | null | undefined;
  keepWeekly?: number | null | undefined;
  /** All within this time before the newest one (not before now: nothing goes only because no backups are made). */
  keepWithin?: string | null | undefined;
  keepYearly?: number | null | undefined;
};

/** How a row differs between the base and the target of a comparison. */
export type RowChangeKind = 'ADDED' | 'CHANGED' | 'REMOVED';

/** What kind of database a source is. */
export type SourceKind = 'MARIADB' | 'MYSQL' | 'SQLITE';

/** MISSING: there is no such table. EMPTY: it has no rows. */
export type TableState = 'EMPTY' | 'FILLED' | 'MISSING';

export type UndoRestoreInput = {
  /** The same key and input return the same job; the same key with another input is IDEMPOTENCY_KEY_REUSED. */
  idempotencyKey?: string | null | undefined;
  /** The id of a Restore; of an undo too. */
  restoreId: string | number;
  /** Hold the answer until the job has ended, at most PT60S; when it runs out, the running job is the answer. */
  waitFor?: string | null | undefined;
};

/** STRUCTURE: all objects are there. DATA: every byte is read and hashed. RESTORE: restored and compared. */
export type VerificationLevel = 'DATA' | 'RESTORE' | 'STRUCTURE';

export type VerifyBackupInput = {
  /** The id of a Backup. */
  backupId: string | number;
  /** The same key and input return the same job; the same key with another input is IDEMPOTENCY_KEY_REUSED. */
  idempotencyKey?: string | null | undefined;
  /** RESTORE does what rehearseRestore does. */
  level?: VerificationLevel | null | undefined;
  /** Hold the answer until the job has ended, at most PT60S; when it runs out, the running job is the answer. */
  waitFor?: string | null | undefined;
};

/** What somebody may do. OPERATOR: everything. */
export type ViewerRole = 'OPERATOR';

export type ApplyRestorePlanMutationVariables = Exact<{
  input: ApplyRestorePlanInput;
}>;

export type ApplyRestorePlanMutation = {
  applyRestorePlan: {
    job: {
      id: string;
      state: JobState;
      failure: { code: FailureCode; message: string; remedy: string | null } | null;
    } | null;
    restore: { id: string; status: JobState; undoableUntil: string | null } | null;
    plan: { id: string } | null;
    errors: Array<{ message: string; code: ErrorCode; path: Array<string> | null; hint: string | null }>;
  };
};

export type CancelJobMutationVariables = Exact<{
  input: CancelJobInput;
}>;

export type CancelJobMutation = {
  cancelJob: {
    job: { id: string; state: JobState; cancelable: boolean } | null;
    errors: Array<{ message: string; code: ErrorCode; path: Array<string> | null; hint: string | null }>;
  };
};

export type CleanupExpiredBackupsMutationVariables = Exact<{
  input?: CleanupExpiredBackupsInput;
}>;

export type CleanupExpiredBackupsMutation = {
  cleanupExpiredBackups: {
    expiredBackupIds: Array<string> | null;
    job: { id: string; state: JobState } | null;
    errors: Array<{ message: string; code: ErrorCode; path: Array<string> | null; hint: string | null }>;
  };
};

export type CompactBackupMutationVariables = Exact<{
  input: CompactBackupInput;
}>;

export type CompactBackupMutation = {
  compactBackup: {
    job: { id: string; kind: JobKind; state: JobState } | null;
    backup: { id: string; status: BackupStatus; checksum: string | null; storedBytes: string | null } | null;
    errors: Array<{ message: string; code: ErrorCode; path: Array<string> | null; hint: string | null }>;
  };
};

export type CompareBackupsMutationVariables = Exact<{
  input: CompareBackupsInput;
}>;

export type CompareBackupsMutation = {
  compareBackups: {
    job: {
      id: string;
      state: JobState;
      failure: { code: FailureCode; message: string; remedy: string | null } | null;
    } | null;
    comparison: {
      id: string;
      isSame: boolean;
      added: string;
      removed: string;
      changed: string;
      unchanged: string;
    } | null;
    errors: Array<{ message: string; code: ErrorCode; path: Array<string> | null; hint: string | null }>;
  };
};

export type CreateBackupMutationVariables = Exact<{
  input?: CreateBackupInput;
}>;

export type CreateBackupMutation = {
  createBackup: {
    job: {
      id: string;
      kind: JobKind;
      state: JobState;
      attempt: number;
      cancelable: boolean;
      progress: { percent: number; phase: string };
      failure: { code: FailureCode; message: string; remedy: string | null; retryable: boolean } | null;
    } | null;
    backup: {
      id: string;
      type: BackupType;
      status: BackupStatus;
      source: string;
      dataTypes: Array<DataType>;
      businessId: string | null;
      createdAt: string;
      completedAt: string | null;
      expiresAt: string | null;
      rowCount: string | null;
      storedBytes: string | null;
    } | null;
    errors: Array<{ message: string; code: ErrorCode; path: Array<string> | null; hint: string | null }>;
  };
};

export type JobSummaryFragment = {
  id: string;
  kind: JobKind;
  state: JobState;
  attempt: number;
  cancelable: boolean;
  progress: { percent: number; phase: string };
  failure: { code: FailureCode; message: string; remedy: string | null; retryable: boolean } | null;
};

export type BackupSummaryFragment = {
  id: string;
  type: BackupType;
  status: BackupStatus;
  source: string;
  dataTypes: Array<DataType>;
  businessId: string | null;
  createdAt: string;
  completedAt: string | null;
  expiresAt: string | null;
  rowCount: string | null;
  storedBytes: string | null;
};

export type UserErrorFieldsFragment = {
  message: string;
  code: ErrorCode;
  path: Array<string> | null;
  hint: string | null;
};

export type DeleteBackupMutationVariables = Exact<{
  input: DeleteBackupInput;
}>;

export type DeleteBackupMutation = {
  deleteBackup: {
    deletedBackupId: string | null;
    job: { id: string; state: JobState } | null;
    errors: Array<{ message: string; code: ErrorCode; path: Array<string> | null; hint: string | null }>;
  };
};

export type ExportBackupMutationVariables = Exact<{
  input: ExportBackupInput;
}>;

export type ExportBackupMutation = {
  exportBackup: {
    job: {
      id: string;
      state: JobState;
      failure: { code: FailureCode; message: string; remedy: string | null } | null;
    } | null;
    export: {
      id: string;
      format: ExportFormat;
      compression: ExportCompression;
      fileName: string;
      expiresAt: string;
      downloadUrl: string | null;
      rowCount: string;
      tables: Array<{ dataType: DataType; name: string; rowCount: string }>;
    } | null;
    errors: Array<{ message: string; code: ErrorCode; path: Array<string> | null; hint: string | null }>;
  };
};

export type GetBackupQueryVariables = Exact<{
  id: string | number;
}>;

export type GetBackupQuery = {
  backup: {
    id: string;
    type: BackupType;
    status: BackupStatus;
    source: string;
    dataTypes: Array<DataType>;
    businessId: string | null;
    createdAt: string;
    completedAt: string | null;
    expiresAt: string | null;
    readAt: string | null;
    consistency: string | null;
    rowCount: string | null;
    changedRowCount: string | null;
    rawBytes: string | null;
    storedBytes: string | null;
    checksum: string | null;
    manifestName: string | null;
    labels: unknown;
    parent: { id: string; type: BackupType } | null;
    tables: Array<{
      dataType: DataType;
      name: string;
      rowCount: string;
      changedRowCount: string;
      rawBytes: string;
      changeDetection: ChangeDetection;
      changeDetectionReason: string;
    }>;
    verification: {
      level: VerificationLevel;
      verifiedAt: string;
      passed: boolean;
      findings: Array<{ object: string; problem: DamageProblem; message: string }>;
    } | null;
    restorability: {
      proven: boolean;
      lastProvenAt: string | null;
      provenRto: string | null;
      coverage: {
        rowCount: string;
        heldRowCount: string;
        unprovenReferences: Array<string>;
        skippedInvariants: Array<string>;
      } | null;
    } | null;
    legalHold: { id: string; reason: string | null; createdAt: string; createdBy: string | null } | null;
    job: { id: string; state: JobState } | null;
  } | null;
};

export type GetComparisonQueryVariables = Exact<{
  id: string | number;
  dataType?: DataType | null | undefined;
  table?: string | null | undefined;
  kinds?: Array<RowChangeKind> | RowChangeKind | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;

export type GetComparisonQuery = {
  comparison: {
    id: string;
    isLive: boolean;
    isSame: boolean;
    source: string;
    dataTypes: Array<DataType>;
    businessId: string | null;
    baseReadAt: string;
    targetReadAt: string;
    comparedAt: string;
    expiresAt: string;
    added: string;
    removed: string;
    changed: string;
    unchanged: string;
    notes: Array<string>;
    base: { id: string } | null;
    target: { id: string } | null;
    tables: Array<{
      dataType: DataType;
      name: string;
      inBase: boolean;
      inTarget: boolean;
      added: string;
      removed: string;
      changed: string;
      unchanged: string;
      notes: Array<string>;
    }>;
    changes: {
      nodes: Array<{
        dataType: DataType;
        table: string;
        kind: RowChangeKind;
        key: unknown;
        before: unknown;
        after: unknown;
        fields: Array<{ name: string; before: unknown; after: unknown }>;
      }>;
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
    };
  } | null;
};

export type GetExportQueryVariables = Exact<{
  id: string | number;
}>;

export type GetExportQuery = {
  export: {
    id: string;
    format: ExportFormat;
    compression: ExportCompression;
    fileName: string;
    dataTypes: Array<DataType>;
    businessId: string | null;
    filter: unknown;
    rowCount: string;
    notes: Array<string>;
    createdBy: string;
    createdAt: string;
    expiresAt: string;
    downloadUrl: string | null;
    tables: Array<{ dataType: DataType; name: string; rowCount: string }>;
    downloads: {
      totalCount: number;
      nodes: Array<{
        remoteAddress: string;
        startedAt: string;
        endedAt: string | null;
        bytes: string;
        isComplete: boolean;
      }>;
    };
    backup: { id: string } | null;
    job: { id: string } | null;
  } | null;
};

export type GetJobQueryVariables = Exact<{
  id: string | number;
  events?: number | null | undefined;
}>;

export type GetJobQuery = {
  job: {
    id: string;
    kind: JobKind;
    state: JobState;
    attempt: number;
    maxAttempts: number;
    cancelable: boolean;
    createdAt: string;
    startedAt: string | null;
    finishedAt: string | null;
    createdBy: string;
    progress: {
      percent: number;
      phase: string;
      currentTable: string | null;
      rowsDone: string;
      rowsTotal: string | null;
      bytesDone: string;
      bytesTotal: string | null;
      rowsPerSecond: number | null;
      estimatedRemaining: string | null;
    };
    failure: { code: FailureCode; message: string; remedy: string | null; retryable: boolean } | null;
    verification: {
      level: VerificationLevel;
      passed: boolean;
      checkedChunks: string;
      findings: Array<{
        object: string;
        problem: DamageProblem;
        message: string;
        backupIds: Array<string>;
        rowCount: string | null;
        firstKeys: Array<string>;
      }>;
      rehearsal: { restoreTime: string } | null;
    } | null;
    cleanup: {
      deletedBackupIds: Array<string>;
      freedBytes: string;
      rewrittenPacks: number;
      rewrittenBytes: string;
      kept: Array<{ backupId: string; reason: string }>;
    } | null;
    backup: { id: string; status: BackupStatus } | null;
    restore: { id: string; status: JobState } | null;
    events: {
      nodes: Array<{
        cursor: string;
        sequence: number;
        at: string;
        type: JobEventType;
        state: JobState;
        message: string | null;
      }>;
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
    };
  } | null;
};

export type GetRestorePlanQueryVariables = Exact<{
  id: string | number;
}>;

export type GetRestorePlanQuery = {
  restorePlan: {
    id: string;
    planHash: string;
    type: RestoreType;
    source: string;
    dataTypes: Array<DataType>;
    businessId: string | null;
    conflictPolicy: ConflictPolicy | null;
    createdAt: string;
    expiresAt: string;
    inserts: string;
    updates: string;
    deletes: string;
    estimatedDuration: string | null;
    notes: Array<string>;
    keys: Array<{ dataType: DataType; table: string; key: unknown }> | null;
    tables: Array<{
      dataType: DataType;
      name: string;
      before: TableState;
      inserts: string;
      updates: string;
      deletes: string;
      unchanged: string;
      conflictingRows: string;
      conflictingFields: string;
      warnings: Array<string>;
      samples: {
        inserts: Array<unknown>;
        deletes: Array<unknown>;
        updates: Array<{ key: unknown; fields: Array<{ name: string; before: unknown; after: unknown }> }>;
      };
    }>;
    backup: { id: string } | null;
    damagedBackup: { id: string } | null;
    job: { id: string } | null;
  } | null;
};

export type GetRestoreQueryVariables = Exact<{
  id: string | number;
}>;

export type GetRestoreQuery = {
  restore: {
    id: string;
    type: RestoreType;
    status: JobState;
    mode: RestoreMode | null;
    dryRun: boolean;
    conflictPolicy: ConflictPolicy | null;
    createdAt: string;
    completedAt: string | null;
    inserts: string | null;
    updates: string | null;
    deletes: string | null;
    verifiedRowCount: string | null;
    undoableUntil: string | null;
    notes: Array<string>;
    keys: Array<{ dataType: DataType; table: string; key: unknown }> | null;
    target: { inPlace: boolean; scratch: string | null };
    tables: Array<{
      dataType: DataType;
      name: string;
      inserts: string;
      updates: string;
      deletes: string;
      unchanged: string;
      conflictingRows: string;
      warnings: Array<string>;
    }>;
    backup: { id: string } | null;
    damagedBackup: { id: string } | null;
    plan: { id: string } | null;
    undoes: { id: string } | null;
    job: {
      id: string;
      state: JobState;
      failure: { code: FailureCode; message: string; remedy: string | null } | null;
    } | null;
  } | null;
};

export type ListBackupsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
  filter?: BackupFilter | null | undefined;
  orderBy?: Array<BackupOrder> | BackupOrder | null | undefined;
}>;

export type ListBackupsQuery = {
  backups: {
    totalCount: number;
    nodes: Array<{
      id: string;
      type: BackupType;
      status: BackupStatus;
      source: string;
      createdAt: string;
      expiresAt: string | null;
      rowCount: string | null;
      storedBytes: string | null;
    }>;
    pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
  };
};

export type ListJobsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
  filter?: JobFilter | null | undefined;
  orderBy?: Array<JobOrder> | JobOrder | null | undefined;
}>;

export type ListJobsQuery = {
  jobs: {
    edges: Array<{
      cursor: string;
      node: {
        id: string;
        kind: JobKind;
        state: JobState;
        createdAt: string;
        progress: { percent: number; phase: string };
        backup: { id: string; status: BackupStatus } | null;
      };
    }>;
    pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
  };
  jobStatistics: { pending: number; running: number; completed: number; failed: number; cancelled: number };
};

export type ListRestoresQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: RestoreFilter | null | undefined;
}>;

export type ListRestoresQuery = {
  restores: {
    totalCount: number;
    nodes: Array<{ id: string; type: RestoreType; status: JobState; mode: RestoreMode | null; createdAt: string }>;
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
};

export type OverviewQueryVariables = Exact<{ [key: string]: never }>;

export type OverviewQuery = {
  viewer: { name: string; role: ViewerRole };
  sources: Array<{
    name: string;
    kind: SourceKind | null;
    version: string | null;
    schema: string | null;
    reachable: boolean;
    problem: string | null;
    tables: Array<{ name: string; dataType: DataType; estimatedRows: string | null }>;
    mappingProblems: Array<{ table: string; problem: MappingProblemKind; message: string; hint: string }>;
  }>;
  repository: {
    location: string;
    reachable: boolean;
    encrypted: boolean | null;
    formatVersion: number | null;
    compression: string | null;
    packCount: number | null;
    packBytes: string | null;
  };
  backupStatistics: {
    total: number;
    completed: number;
    failed: number;
    expired: number;
    onHold: number;
    rawBytes: string;
    storedBytes: string;
    rowCount: string;
    storageRatio: number;
    deduplicationRatio: number;
    compressionRatio: number;
    forecast: { bytesPerDay: string; freeBytes: string | null; fullAt: string | null } | null;
    byType: Array<{ type: BackupType; count: number }>;
  };
};

export type PlaceLegalHoldMutationVariables = Exact<{
  input: PlaceLegalHoldInput;
}>;

export type PlaceLegalHoldMutation = {
  placeLegalHold: {
    backup: {
      id: string;
      status: BackupStatus;
      legalHolds: Array<{ id: string; reason: string | null; createdAt: string; createdBy: string | null }>;
    } | null;
    legalHold: { id: string; reason: string | null; createdAt: string; createdBy: string | null } | null;
    errors: Array<{ message: string; code: ErrorCode; path: Array<string> | null; hint: string | null }>;
  };
};

export type PlanRestoreMutationVariables = Exact<{
  input: PlanRestoreInput;
}>;

export type PlanRestoreMutation = {
  planRestore: {
    job: {
      id: string;
      state: JobState;
      failure: { code: FailureCode; message: string; remedy: string | null } | null;
    } | null;
    plan: {
      id: string;
      planHash: string;
      type: RestoreType;
      source: string;
      dataTypes: Array<DataType>;
      businessId: string | null;
      conflictPolicy: ConflictPolicy | null;
      createdAt: string;
      expiresAt: string;
      inserts: string;
      updates: string;
      deletes: string;
      estimatedDuration: string | null;
      notes: Array<string>;
      keys: Array<{ dataType: DataType; table: string; key: unknown }> | null;
      tables: Array<{
        dataType: DataType;
        name: string;
        before: TableState;
        inserts: string;
        updates: string;
        deletes: string;
        unchanged: string;
        conflictingRows: string;
        conflictingFields: string;
        warnings: Array<string>;
        samples: {
          inserts: Array<unknown>;
          deletes: Array<unknown>;
          updates: Array<{ key: unknown; fields: Array<{ name: string; before: unknown; after: unknown }> }>;
        };
      }>;
      backup: { id: string } | null;
      damagedBackup: { id: string } | null;
      job: { id: string } | null;
    } | null;
    errors: Array<{ message: string; code: ErrorCode; path: Array<string> | null; hint: string | null }>;
  };
};

export type PreviewRetentionQueryVariables = Exact<{
  policy: RetentionPolicyInput;
  filter?: BackupFilter | null | undefined;
  timeZone?: string | null | undefined;
  ignoreExpiry?: boolean | null | undefined;
  first?: number | null | undefined;
  afterKept?: string | null | undefined;
  afterExpired?: string | null | undefined;
}>;

export type PreviewRetentionQuery = {
  previewRetention: {
    freedBytes: string;
    deadBytes: string;
    keep: {
      totalCount: number;
      nodes: Array<{
        reasons: Array<string>;
        backup: { id: string; type: BackupType; readAt: string | null; expiresAt: string | null } | null;
      }>;
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
    };
    expire: {
      totalCount: number;
      nodes: Array<{
        reasons: Array<string>;
        backup: { id: string; type: BackupType; readAt: string | null; expiresAt: string | null } | null;
      }>;
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
    };
  };
};

export type ReadConflictsQueryVariables = Exact<{
  planId: string | number;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;

export type ReadConflictsQuery = {
  restorePlan: {
    id: string;
    conflictPolicy: ConflictPolicy | null;
    damagedBackup: { id: string } | null;
    conflicts: {
      edges: Array<{ cursor: string }>;
      nodes: Array<{
        dataType: DataType;
        name: string;
        key: unknown;
        kind: RestoreConflictKind;
        fields: Array<{ name: string; undamaged: unknown; damaged: unknown; live: unknown }>;
      }>;
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
    };
  } | null;
};

export type ReadRecordsQueryVariables = Exact<{
  backupId: string | number;
  dataType: DataType;
  table?: string | null | undefined;
  businessId?: string | number | null | undefined;
  filter?: unknown;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;

export type ReadRecordsQuery = {
  backup: {
    id: string;
    records: {
      table: string;
      columns: Array<{ name: string; type: string; isNullable: boolean; isKey: boolean }>;
      edges: Array<{ cursor: string }>;
      nodes: Array<{ key: unknown; fields: unknown }>;
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
    };
  } | null;
};

export type RecordHistoryQueryVariables = Exact<{
  source?: string | null | undefined;
  dataType: DataType;
  table?: string | null | undefined;
  key: unknown;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;

export type RecordHistoryQuery = {
  recordHistory: {
    edges: Array<{ cursor: string }>;
    nodes: Array<{
      isDeleted: boolean;
      fields: unknown;
      changedFields: Array<string>;
      firstSeenAt: string;
      lastSeenAt: string;
      firstSeenIn: { id: string; type: BackupType } | null;
      lastSeenIn: { id: string } | null;
    }>;
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
};

export type RehearseRestoreMutationVariables = Exact<{
  input: RehearseRestoreInput;
}>;

export type RehearseRestoreMutation = {
  rehearseRestore: {
    job: {
      id: string;
      state: JobState;
      failure: { code: FailureCode; message: string; remedy: string | null } | null;
    } | null;
    backup: {
      id: string;
      restorability: {
        proven: boolean;
        lastProvenAt: string | null;
        provenRto: string | null;
        coverage: {
          dataTypes: Array<DataType>;
          tableCount: number;
          heldTableCount: number;
          rowCount: string;
          heldRowCount: string;
          referenceCount: number;
          unprovenReferences: Array<string>;
          invariants: Array<string>;
          skippedInvariants: Array<string>;
        } | null;
        lastRehearsal: {
          verifiedAt: string;
          passed: boolean;
          findings: Array<{
            object: string;
            problem: DamageProblem;
            message: string;
            rowCount: string | null;
            firstKeys: Array<string>;
          }>;
          rehearsal: { restoreTime: string } | null;
        };
      } | null;
    } | null;
    errors: Array<{ message: string; code: ErrorCode; path: Array<string> | null; hint: string | null }>;
  };
};

export type ReleaseLegalHoldMutationVariables = Exact<{
  input: ReleaseLegalHoldInput;
}>;

export type ReleaseLegalHoldMutation = {
  releaseLegalHold: {
    backup: { id: string; status: BackupStatus } | null;
    legalHold: { id: string; reason: string | null } | null;
    errors: Array<{ message: string; code: ErrorCode; path: Array<string> | null; hint: string | null }>;
  };
};

export type RestoreBackupMutationVariables = Exact<{
  input: RestoreBackupInput;
}>;

export type RestoreBackupMutation = {
  restoreBackup: {
    job: {
      id: string;
      state: JobState;
      failure: { code: FailureCode; message: string; remedy: string | null } | null;
    } | null;
    restore: { id: string; status: JobState; dryRun: boolean } | null;
    plan: { id: string; planHash: string } | null;
    errors: Array<{ message: string; code: ErrorCode; path: Array<string> | null; hint: string | null }>;
  };
};

export type UndoRestoreMutationVariables = Exact<{
  input: UndoRestoreInput;
}>;

export type UndoRestoreMutation = {
  undoRestore: {
    job: {
      id: string;
      state: JobState;
      failure: { code: FailureCode; message: string; remedy: string | null } | null;
    } | null;
    restore: { id: string; status: JobState; undoableUntil: string | null; undoes: { id: string } | null } | null;
    errors: Array<{ message: string; code: ErrorCode; path: Array<string> | null; hint: string | null }>;
  };
};

export type VerifyBackupMutationVariables = Exact<{
  input: VerifyBackupInput;
}>;

export type VerifyBackupMutation = {
  verifyBackup: {
    job: { id: string; state: JobState } | null;
    backup: {
      id: string;
      verification: {
        level: VerificationLevel;
        verifiedAt: string;
        passed: boolean;
        findings: Array<{ object: string; problem: DamageProblem; message: string }>;
      } | null;
    } | null;
    errors: Array<{ message: string; code: ErrorCode; path: Array<string> | null; hint: string | null }>;
  };
};

export type WatchAllJobsSubscriptionVariables = Exact<{
  filter?: JobFilter | null | undefined;
  after?: string | null | undefined;
}>;

export type WatchAllJobsSubscription = {
  jobUpdates: {
    cursor: string;
    sequence: number;
    at: string;
    type: JobEventType;
    state: JobState;
    message: string | null;
    job: { id: string; kind: JobKind };
    progress: { percent: number; phase: string };
  };
};

export type WatchJobSubscriptionVariables = Exact<{
  jobId: string | number;
  after?: string | null | undefined;
}>;

export type WatchJobSubscription = {
  jobEvents: {
    cursor: string;
    sequence: number;
    at: string;
    type: JobEventType;
    state: JobState;
    message: string | null;
    progress: {
      percent: number;
      phase: string;
      currentTable: string | null;
      rowsDone: string;
      rowsTotal: string | null;
      bytesDone: string;
      bytesTotal: string | null;
      rowsPerSecond: number | null;
      estimatedRemaining: string | null;
    };
  };
};

export const JobSummaryFragmentDoc = {
  kind: 'Document',
  definitions: [
    {
      kind: 'FragmentDefinition',
      name: { kind: 'Name', value: 'JobSummary' },
      typeCondition: { kind: 'NamedType', name: { kind: 'Name', value: 'Job' } },
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          { kind: 'Field', name: { kind: 'Name', value: 'id' } },
          { kind: 'Field', name: { kind: 'Name', value: 'kind' } },
          { kind: 'Field', name: { kind: 'Name', value: 'state' } },
          { kind: 'Field', name: { kind: 'Name', value: 'attempt' } },
          { kind: 'Field', name: { kind: 'Name', value: 'cancelable' } },
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'progress' },
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'percent' } },
                { kind: 'Field', name: { kind: 'Name', value: 'phase' } },
              ],
            },
          },
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'failure' },
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                { kind: 'Field', name: { kind: 'Name', value: 'remedy' } },
                { kind: 'Field', name: { kind: 'Name', value: 'retryable' } },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<JobSummaryFragment, unknown>;
export const BackupSummaryFragmentDoc = {
  kind: 'Document',
  definitions: [
    {
      kind: 'FragmentDefinition',
      name: { kind: 'Name', value: 'BackupSummary' },
      typeCondition: { kind: 'NamedType', name: { kind: 'Name', value: 'Backup' } },
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          { kind: 'Field', name: { kind: 'Name', value: 'id' } },
          { kind: 'Field', name: { kind: 'Name', value: 'type' } },
          { kind: 'Field', name: { kind: 'Name', value: 'status' } },
          { kind: 'Field', name: { kind: 'Name', value: 'source' } },
          { kind: 'Field', name: { kind: 'Name', value: 'dataTypes' } },
          { kind: 'Field', name: { kind: 'Name', value: 'businessId' } },
          { kind: 'Field', name: { kind: 'Name', value: 'createdAt' } },
          { kind: 'Field', name: { kind: 'Name', value: 'completedAt' } },
          { kind: 'Field', name: { kind: 'Name', value: 'expiresAt' } },
          { kind: 'Field', name: { kind: 'Name', value: 'rowCount' } },
          { kind: 'Field', name: { kind: 'Name', value: 'storedBytes' } },
        ],
      },
    },
  ],
} as unknown as DocumentNode<BackupSummaryFragment, unknown>;
export const UserErrorFieldsFragmentDoc = {
  kind: 'Document',
  definitions: [
    {
      kind: 'FragmentDefinition',
      name: { kind: 'Name', value: 'UserErrorFields' },
      typeCondition: { kind: 'NamedType', name: { kind: 'Name', value: 'UserError' } },
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          { kind: 'Field', name: { kind: 'Name', value: 'message' } },
          { kind: 'Field', name: { kind: 'Name', value: 'code' } },
          { kind: 'Field', name: { kind: 'Name', value: 'path' } },
          { kind: 'Field', name: { kind: 'Name', value: 'hint' } },
        ],
      },
    },
  ],
} as unknown as DocumentNode<UserErrorFieldsFragment, unknown>;
export const ApplyRestorePlanDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'mutation',
      name: { kind: 'Name', value: 'ApplyRestorePlan' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
          type: {
            kind: 'NonNullType',
            type: { kind: 'NamedType', name: { kind: 'Name', value: 'ApplyRestorePlanInput' } },
          },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'applyRestorePlan' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'input' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'job' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'failure' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'remedy' } },
                          ],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'restore' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'status' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'undoableUntil' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'plan' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [{ kind: 'Field', name: { kind: 'Name', value: 'id' } }],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'errors' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'path' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'hint' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<ApplyRestorePlanMutation, ApplyRestorePlanMutationVariables>;
export const CancelJobDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'mutation',
      name: { kind: 'Name', value: 'CancelJob' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
          type: { kind: 'NonNullType', type: { kind: 'NamedType', name: { kind: 'Name', value: 'CancelJobInput' } } },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'cancelJob' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'input' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'job' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'cancelable' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'errors' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'path' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'hint' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<CancelJobMutation, CancelJobMutationVariables>;
export const CleanupExpiredBackupsDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'mutation',
      name: { kind: 'Name', value: 'CleanupExpiredBackups' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
          type: {
            kind: 'NonNullType',
            type: { kind: 'NamedType', name: { kind: 'Name', value: 'CleanupExpiredBackupsInput' } },
          },
          defaultValue: {
            kind: 'ObjectValue',
            fields: [
              {
                kind: 'ObjectField',
                name: { kind: 'Name', value: 'dryRun' },
                value: { kind: 'BooleanValue', value: true },
              },
            ],
          },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'cleanupExpiredBackups' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'input' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'job' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                    ],
                  },
                },
                { kind: 'Field', name: { kind: 'Name', value: 'expiredBackupIds' } },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'errors' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'path' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'hint' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<CleanupExpiredBackupsMutation, CleanupExpiredBackupsMutationVariables>;
export const CompactBackupDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'mutation',
      name: { kind: 'Name', value: 'CompactBackup' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
          type: {
            kind: 'NonNullType',
            type: { kind: 'NamedType', name: { kind: 'Name', value: 'CompactBackupInput' } },
          },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'compactBackup' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'input' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'job' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'kind' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'backup' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'status' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'checksum' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'storedBytes' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'errors' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'path' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'hint' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<CompactBackupMutation, CompactBackupMutationVariables>;
export const CompareBackupsDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'mutation',
      name: { kind: 'Name', value: 'CompareBackups' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
          type: {
            kind: 'NonNullType',
            type: { kind: 'NamedType', name: { kind: 'Name', value: 'CompareBackupsInput' } },
          },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'compareBackups' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'input' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'job' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'failure' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'remedy' } },
                          ],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'comparison' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'isSame' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'added' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'removed' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'changed' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'unchanged' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'errors' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'path' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'hint' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<CompareBackupsMutation, CompareBackupsMutationVariables>;
export const CreateBackupDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'mutation',
      name: { kind: 'Name', value: 'CreateBackup' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
          type: {
            kind: 'NonNullType',
            type: { kind: 'NamedType', name: { kind: 'Name', value: 'CreateBackupInput' } },
          },
          defaultValue: {
            kind: 'ObjectValue',
            fields: [
              {
                kind: 'ObjectField',
                name: { kind: 'Name', value: 'type' },
                value: { kind: 'EnumValue', value: 'FULL' },
              },
              {
                kind: 'ObjectField',
                name: { kind: 'Name', value: 'labels' },
                value: {
                  kind: 'ObjectValue',
                  fields: [
                    {
                      kind: 'ObjectField',
                      name: { kind: 'Name', value: 'reason' },
                      value: { kind: 'StringValue', value: 'first look', block: false },
                    },
                  ],
                },
              },
            ],
          },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'createBackup' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'input' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'job' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [{ kind: 'FragmentSpread', name: { kind: 'Name', value: 'JobSummary' } }],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'backup' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [{ kind: 'FragmentSpread', name: { kind: 'Name', value: 'BackupSummary' } }],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'errors' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [{ kind: 'FragmentSpread', name: { kind: 'Name', value: 'UserErrorFields' } }],
                  },
                },
              ],
            },
          },
        ],
      },
    },
    {
      kind: 'FragmentDefinition',
      name: { kind: 'Name', value: 'JobSummary' },
      typeCondition: { kind: 'NamedType', name: { kind: 'Name', value: 'Job' } },
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          { kind: 'Field', name: { kind: 'Name', value: 'id' } },
          { kind: 'Field', name: { kind: 'Name', value: 'kind' } },
          { kind: 'Field', name: { kind: 'Name', value: 'state' } },
          { kind: 'Field', name: { kind: 'Name', value: 'attempt' } },
          { kind: 'Field', name: { kind: 'Name', value: 'cancelable' } },
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'progress' },
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'percent' } },
                { kind: 'Field', name: { kind: 'Name', value: 'phase' } },
              ],
            },
          },
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'failure' },
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                { kind: 'Field', name: { kind: 'Name', value: 'remedy' } },
                { kind: 'Field', name: { kind: 'Name', value: 'retryable' } },
              ],
            },
          },
        ],
      },
    },
    {
      kind: 'FragmentDefinition',
      name: { kind: 'Name', value: 'BackupSummary' },
      typeCondition: { kind: 'NamedType', name: { kind: 'Name', value: 'Backup' } },
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          { kind: 'Field', name: { kind: 'Name', value: 'id' } },
          { kind: 'Field', name: { kind: 'Name', value: 'type' } },
          { kind: 'Field', name: { kind: 'Name', value: 'status' } },
          { kind: 'Field', name: { kind: 'Name', value: 'source' } },
          { kind: 'Field', name: { kind: 'Name', value: 'dataTypes' } },
          { kind: 'Field', name: { kind: 'Name', value: 'businessId' } },
          { kind: 'Field', name: { kind: 'Name', value: 'createdAt' } },
          { kind: 'Field', name: { kind: 'Name', value: 'completedAt' } },
          { kind: 'Field', name: { kind: 'Name', value: 'expiresAt' } },
          { kind: 'Field', name: { kind: 'Name', value: 'rowCount' } },
          { kind: 'Field', name: { kind: 'Name', value: 'storedBytes' } },
        ],
      },
    },
    {
      kind: 'FragmentDefinition',
      name: { kind: 'Name', value: 'UserErrorFields' },
      typeCondition: { kind: 'NamedType', name: { kind: 'Name', value: 'UserError' } },
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          { kind: 'Field', name: { kind: 'Name', value: 'message' } },
          { kind: 'Field', name: { kind: 'Name', value: 'code' } },
          { kind: 'Field', name: { kind: 'Name', value: 'path' } },
          { kind: 'Field', name: { kind: 'Name', value: 'hint' } },
        ],
      },
    },
  ],
} as unknown as DocumentNode<CreateBackupMutation, CreateBackupMutationVariables>;
export const DeleteBackupDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'mutation',
      name: { kind: 'Name', value: 'DeleteBackup' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
          type: {
            kind: 'NonNullType',
            type: { kind: 'NamedType', name: { kind: 'Name', value: 'DeleteBackupInput' } },
          },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'deleteBackup' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'input' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'job' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                    ],
                  },
                },
                { kind: 'Field', name: { kind: 'Name', value: 'deletedBackupId' } },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'errors' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'path' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'hint' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<DeleteBackupMutation, DeleteBackupMutationVariables>;
export const ExportBackupDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'mutation',
      name: { kind: 'Name', value: 'ExportBackup' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
          type: {
            kind: 'NonNullType',
            type: { kind: 'NamedType', name: { kind: 'Name', value: 'ExportBackupInput' } },
          },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'exportBackup' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'input' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'job' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'failure' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'remedy' } },
                          ],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'export' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'format' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'compression' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'fileName' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'expiresAt' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'downloadUrl' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'rowCount' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'tables' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'dataType' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'name' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'rowCount' } },
                          ],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'errors' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'path' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'hint' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<ExportBackupMutation, ExportBackupMutationVariables>;
export const GetBackupDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'query',
      name: { kind: 'Name', value: 'GetBackup' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'id' } },
          type: { kind: 'NonNullType', type: { kind: 'NamedType', name: { kind: 'Name', value: 'ID' } } },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'backup' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'id' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'id' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                { kind: 'Field', name: { kind: 'Name', value: 'type' } },
                { kind: 'Field', name: { kind: 'Name', value: 'status' } },
                { kind: 'Field', name: { kind: 'Name', value: 'source' } },
                { kind: 'Field', name: { kind: 'Name', value: 'dataTypes' } },
                { kind: 'Field', name: { kind: 'Name', value: 'businessId' } },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'parent' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'type' } },
                    ],
                  },
                },
                { kind: 'Field', name: { kind: 'Name', value: 'createdAt' } },
                { kind: 'Field', name: { kind: 'Name', value: 'completedAt' } },
                { kind: 'Field', name: { kind: 'Name', value: 'expiresAt' } },
                { kind: 'Field', name: { kind: 'Name', value: 'readAt' } },
                { kind: 'Field', name: { kind: 'Name', value: 'consistency' } },
                { kind: 'Field', name: { kind: 'Name', value: 'rowCount' } },
                { kind: 'Field', name: { kind: 'Name', value: 'changedRowCount' } },
                { kind: 'Field', name: { kind: 'Name', value: 'rawBytes' } },
                { kind: 'Field', name: { kind: 'Name', value: 'storedBytes' } },
                { kind: 'Field', name: { kind: 'Name', value: 'checksum' } },
                { kind: 'Field', name: { kind: 'Name', value: 'manifestName' } },
                { kind: 'Field', name: { kind: 'Name', value: 'labels' } },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'tables' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'dataType' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'name' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'rowCount' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'changedRowCount' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'rawBytes' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'changeDetection' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'changeDetectionReason' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'verification' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'level' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'verifiedAt' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'passed' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'findings' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'object' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'problem' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                          ],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'restorability' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'proven' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'lastProvenAt' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'provenRto' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'coverage' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'rowCount' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'heldRowCount' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'unprovenReferences' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'skippedInvariants' } },
                          ],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'legalHold' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'reason' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'createdAt' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'createdBy' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'job' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<GetBackupQuery, GetBackupQueryVariables>;
export const GetComparisonDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'query',
      name: { kind: 'Name', value: 'GetComparison' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'id' } },
          type: { kind: 'NonNullType', type: { kind: 'NamedType', name: { kind: 'Name', value: 'ID' } } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'dataType' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'DataType' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'table' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'String' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'kinds' } },
          type: {
            kind: 'ListType',
            type: { kind: 'NonNullType', type: { kind: 'NamedType', name: { kind: 'Name', value: 'RowChangeKind' } } },
          },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'first' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'Int' } },
          defaultValue: { kind: 'IntValue', value: '20' },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'after' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'String' } },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'comparison' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'id' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'id' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                { kind: 'Field', name: { kind: 'Name', value: 'isLive' } },
                { kind: 'Field', name: { kind: 'Name', value: 'isSame' } },
                { kind: 'Field', name: { kind: 'Name', value: 'source' } },
                { kind: 'Field', name: { kind: 'Name', value: 'dataTypes' } },
                { kind: 'Field', name: { kind: 'Name', value: 'businessId' } },
                { kind: 'Field', name: { kind: 'Name', value: 'baseReadAt' } },
                { kind: 'Field', name: { kind: 'Name', value: 'targetReadAt' } },
                { kind: 'Field', name: { kind: 'Name', value: 'comparedAt' } },
                { kind: 'Field', name: { kind: 'Name', value: 'expiresAt' } },
                { kind: 'Field', name: { kind: 'Name', value: 'added' } },
                { kind: 'Field', name: { kind: 'Name', value: 'removed' } },
                { kind: 'Field', name: { kind: 'Name', value: 'changed' } },
                { kind: 'Field', name: { kind: 'Name', value: 'unchanged' } },
                { kind: 'Field', name: { kind: 'Name', value: 'notes' } },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'base' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [{ kind: 'Field', name: { kind: 'Name', value: 'id' } }],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'target' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [{ kind: 'Field', name: { kind: 'Name', value: 'id' } }],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'tables' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'dataType' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'name' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'inBase' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'inTarget' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'added' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'removed' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'changed' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'unchanged' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'notes' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'changes' },
                  arguments: [
                    {
                      kind: 'Argument',
                      name: { kind: 'Name', value: 'dataType' },
                      value: { kind: 'Variable', name: { kind: 'Name', value: 'dataType' } },
                    },
                    {
                      kind: 'Argument',
                      name: { kind: 'Name', value: 'table' },
                      value: { kind: 'Variable', name: { kind: 'Name', value: 'table' } },
                    },
                    {
                      kind: 'Argument',
                      name: { kind: 'Name', value: 'kinds' },
                      value: { kind: 'Variable', name: { kind: 'Name', value: 'kinds' } },
                    },
                    {
                      kind: 'Argument',
                      name: { kind: 'Name', value: 'first' },
                      value: { kind: 'Variable', name: { kind: 'Name', value: 'first' } },
                    },
                    {
                      kind: 'Argument',
                      name: { kind: 'Name', value: 'after' },
                      value: { kind: 'Variable', name: { kind: 'Name', value: 'after' } },
                    },
                  ],
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'nodes' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'dataType' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'table' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'kind' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'key' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'before' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'after' } },
                            {
                              kind: 'Field',
                              name: { kind: 'Name', value: 'fields' },
                              selectionSet: {
                                kind: 'SelectionSet',
                                selections: [
                                  { kind: 'Field', name: { kind: 'Name', value: 'name' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'before' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'after' } },
                                ],
                              },
                            },
                          ],
                        },
                      },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'pageInfo' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'hasNextPage' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'endCursor' } },
                          ],
                        },
                      },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<GetComparisonQuery, GetComparisonQueryVariables>;
export const GetExportDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'query',
      name: { kind: 'Name', value: 'GetExport' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'id' } },
          type: { kind: 'NonNullType', type: { kind: 'NamedType', name: { kind: 'Name', value: 'ID' } } },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'export' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'id' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'id' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                { kind: 'Field', name: { kind: 'Name', value: 'format' } },
                { kind: 'Field', name: { kind: 'Name', value: 'compression' } },
                { kind: 'Field', name: { kind: 'Name', value: 'fileName' } },
                { kind: 'Field', name: { kind: 'Name', value: 'dataTypes' } },
                { kind: 'Field', name: { kind: 'Name', value: 'businessId' } },
                { kind: 'Field', name: { kind: 'Name', value: 'filter' } },
                { kind: 'Field', name: { kind: 'Name', value: 'rowCount' } },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'tables' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'dataType' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'name' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'rowCount' } },
                    ],
                  },
                },
                { kind: 'Field', name: { kind: 'Name', value: 'notes' } },
                { kind: 'Field', name: { kind: 'Name', value: 'createdBy' } },
                { kind: 'Field', name: { kind: 'Name', value: 'createdAt' } },
                { kind: 'Field', name: { kind: 'Name', value: 'expiresAt' } },
                { kind: 'Field', name: { kind: 'Name', value: 'downloadUrl' } },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'downloads' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'totalCount' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'nodes' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'remoteAddress' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'startedAt' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'endedAt' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'bytes' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'isComplete' } },
                          ],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'backup' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [{ kind: 'Field', name: { kind: 'Name', value: 'id' } }],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'job' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [{ kind: 'Field', name: { kind: 'Name', value: 'id' } }],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<GetExportQuery, GetExportQueryVariables>;
export const GetJobDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'query',
      name: { kind: 'Name', value: 'GetJob' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'id' } },
          type: { kind: 'NonNullType', type: { kind: 'NamedType', name: { kind: 'Name', value: 'ID' } } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'events' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'Int' } },
          defaultValue: { kind: 'IntValue', value: '20' },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'job' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'id' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'id' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                { kind: 'Field', name: { kind: 'Name', value: 'kind' } },
                { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                { kind: 'Field', name: { kind: 'Name', value: 'attempt' } },
                { kind: 'Field', name: { kind: 'Name', value: 'maxAttempts' } },
                { kind: 'Field', name: { kind: 'Name', value: 'cancelable' } },
                { kind: 'Field', name: { kind: 'Name', value: 'createdAt' } },
                { kind: 'Field', name: { kind: 'Name', value: 'startedAt' } },
                { kind: 'Field', name: { kind: 'Name', value: 'finishedAt' } },
                { kind: 'Field', name: { kind: 'Name', value: 'createdBy' } },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'progress' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'percent' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'phase' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'currentTable' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'rowsDone' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'rowsTotal' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'bytesDone' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'bytesTotal' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'rowsPerSecond' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'estimatedRemaining' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'failure' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'remedy' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'retryable' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'verification' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'level' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'passed' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'checkedChunks' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'findings' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'object' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'problem' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'backupIds' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'rowCount' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'firstKeys' } },
                          ],
                        },
                      },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'rehearsal' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [{ kind: 'Field', name: { kind: 'Name', value: 'restoreTime' } }],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'cleanup' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'deletedBackupIds' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'kept' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'backupId' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'reason' } },
                          ],
                        },
                      },
                      { kind: 'Field', name: { kind: 'Name', value: 'freedBytes' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'rewrittenPacks' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'rewrittenBytes' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'backup' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'status' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'restore' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'status' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'events' },
                  arguments: [
                    {
                      kind: 'Argument',
                      name: { kind: 'Name', value: 'first' },
                      value: { kind: 'Variable', name: { kind: 'Name', value: 'events' } },
                    },
                  ],
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'nodes' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'cursor' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'sequence' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'at' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'type' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                          ],
                        },
                      },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'pageInfo' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'hasNextPage' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'endCursor' } },
                          ],
                        },
                      },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<GetJobQuery, GetJobQueryVariables>;
export const GetRestorePlanDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'query',
      name: { kind: 'Name', value: 'GetRestorePlan' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'id' } },
          type: { kind: 'NonNullType', type: { kind: 'NamedType', name: { kind: 'Name', value: 'ID' } } },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'restorePlan' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'id' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'id' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                { kind: 'Field', name: { kind: 'Name', value: 'planHash' } },
                { kind: 'Field', name: { kind: 'Name', value: 'type' } },
                { kind: 'Field', name: { kind: 'Name', value: 'source' } },
                { kind: 'Field', name: { kind: 'Name', value: 'dataTypes' } },
                { kind: 'Field', name: { kind: 'Name', value: 'businessId' } },
                { kind: 'Field', name: { kind: 'Name', value: 'conflictPolicy' } },
                { kind: 'Field', name: { kind: 'Name', value: 'createdAt' } },
                { kind: 'Field', name: { kind: 'Name', value: 'expiresAt' } },
                { kind: 'Field', name: { kind: 'Name', value: 'inserts' } },
                { kind: 'Field', name: { kind: 'Name', value: 'updates' } },
                { kind: 'Field', name: { kind: 'Name', value: 'deletes' } },
                { kind: 'Field', name: { kind: 'Name', value: 'estimatedDuration' } },
                { kind: 'Field', name: { kind: 'Name', value: 'notes' } },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'keys' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'dataType' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'table' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'key' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'tables' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'dataType' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'name' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'before' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'inserts' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'updates' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'deletes' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'unchanged' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'conflictingRows' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'conflictingFields' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'samples' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'inserts' } },
                            {
                              kind: 'Field',
                              name: { kind: 'Name', value: 'updates' },
                              selectionSet: {
                                kind: 'SelectionSet',
                                selections: [
                                  { kind: 'Field', name: { kind: 'Name', value: 'key' } },
                                  {
                                    kind: 'Field',
                                    name: { kind: 'Name', value: 'fields' },
                                    selectionSet: {
                                      kind: 'SelectionSet',
                                      selections: [
                                        { kind: 'Field', name: { kind: 'Name', value: 'name' } },
                                        { kind: 'Field', name: { kind: 'Name', value: 'before' } },
                                        { kind: 'Field', name: { kind: 'Name', value: 'after' } },
                                      ],
                                    },
                                  },
                                ],
                              },
                            },
                            { kind: 'Field', name: { kind: 'Name', value: 'deletes' } },
                          ],
                        },
                      },
                      { kind: 'Field', name: { kind: 'Name', value: 'warnings' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'backup' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [{ kind: 'Field', name: { kind: 'Name', value: 'id' } }],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'damagedBackup' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [{ kind: 'Field', name: { kind: 'Name', value: 'id' } }],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'job' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [{ kind: 'Field', name: { kind: 'Name', value: 'id' } }],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<GetRestorePlanQuery, GetRestorePlanQueryVariables>;
export const GetRestoreDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'query',
      name: { kind: 'Name', value: 'GetRestore' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'id' } },
          type: { kind: 'NonNullType', type: { kind: 'NamedType', name: { kind: 'Name', value: 'ID' } } },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'restore' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'id' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'id' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                { kind: 'Field', name: { kind: 'Name', value: 'type' } },
                { kind: 'Field', name: { kind: 'Name', value: 'status' } },
                { kind: 'Field', name: { kind: 'Name', value: 'mode' } },
                { kind: 'Field', name: { kind: 'Name', value: 'dryRun' } },
                { kind: 'Field', name: { kind: 'Name', value: 'conflictPolicy' } },
                { kind: 'Field', name: { kind: 'Name', value: 'createdAt' } },
                { kind: 'Field', name: { kind: 'Name', value: 'completedAt' } },
                { kind: 'Field', name: { kind: 'Name', value: 'inserts' } },
                { kind: 'Field', name: { kind: 'Name', value: 'updates' } },
                { kind: 'Field', name: { kind: 'Name', value: 'deletes' } },
                { kind: 'Field', name: { kind: 'Name', value: 'verifiedRowCount' } },
                { kind: 'Field', name: { kind: 'Name', value: 'undoableUntil' } },
                { kind: 'Field', name: { kind: 'Name', value: 'notes' } },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'keys' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'dataType' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'table' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'key' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'target' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'inPlace' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'scratch' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'tables' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'dataType' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'name' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'inserts' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'updates' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'deletes' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'unchanged' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'conflictingRows' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'warnings' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'backup' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [{ kind: 'Field', name: { kind: 'Name', value: 'id' } }],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'damagedBackup' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [{ kind: 'Field', name: { kind: 'Name', value: 'id' } }],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'plan' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [{ kind: 'Field', name: { kind: 'Name', value: 'id' } }],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'undoes' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [{ kind: 'Field', name: { kind: 'Name', value: 'id' } }],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'job' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'failure' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'remedy' } },
                          ],
                        },
                      },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<GetRestoreQuery, GetRestoreQueryVariables>;
export const ListBackupsDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'query',
      name: { kind: 'Name', value: 'ListBackups' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'first' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'Int' } },
          defaultValue: { kind: 'IntValue', value: '20' },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'after' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'String' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'last' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'Int' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'before' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'String' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'filter' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'BackupFilter' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'orderBy' } },
          type: {
            kind: 'ListType',
            type: { kind: 'NonNullType', type: { kind: 'NamedType', name: { kind: 'Name', value: 'BackupOrder' } } },
          },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'backups' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'first' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'first' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'after' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'after' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'last' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'last' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'before' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'before' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'filter' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'filter' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'orderBy' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'orderBy' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'nodes' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'type' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'status' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'source' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'createdAt' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'expiresAt' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'rowCount' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'storedBytes' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'pageInfo' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'hasNextPage' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'hasPreviousPage' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'startCursor' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'endCursor' } },
                    ],
                  },
                },
                { kind: 'Field', name: { kind: 'Name', value: 'totalCount' } },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<ListBackupsQuery, ListBackupsQueryVariables>;
export const ListJobsDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'query',
      name: { kind: 'Name', value: 'ListJobs' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'first' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'Int' } },
          defaultValue: { kind: 'IntValue', value: '20' },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'after' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'String' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'last' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'Int' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'before' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'String' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'filter' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'JobFilter' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'orderBy' } },
          type: {
            kind: 'ListType',
            type: { kind: 'NonNullType', type: { kind: 'NamedType', name: { kind: 'Name', value: 'JobOrder' } } },
          },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'jobs' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'first' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'first' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'after' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'after' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'last' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'last' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'before' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'before' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'filter' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'filter' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'orderBy' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'orderBy' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'edges' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'cursor' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'node' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'kind' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'createdAt' } },
                            {
                              kind: 'Field',
                              name: { kind: 'Name', value: 'progress' },
                              selectionSet: {
                                kind: 'SelectionSet',
                                selections: [
                                  { kind: 'Field', name: { kind: 'Name', value: 'percent' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'phase' } },
                                ],
                              },
                            },
                            {
                              kind: 'Field',
                              name: { kind: 'Name', value: 'backup' },
                              selectionSet: {
                                kind: 'SelectionSet',
                                selections: [
                                  { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'status' } },
                                ],
                              },
                            },
                          ],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'pageInfo' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'hasNextPage' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'hasPreviousPage' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'startCursor' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'endCursor' } },
                    ],
                  },
                },
              ],
            },
          },
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'jobStatistics' },
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'pending' } },
                { kind: 'Field', name: { kind: 'Name', value: 'running' } },
                { kind: 'Field', name: { kind: 'Name', value: 'completed' } },
                { kind: 'Field', name: { kind: 'Name', value: 'failed' } },
                { kind: 'Field', name: { kind: 'Name', value: 'cancelled' } },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<ListJobsQuery, ListJobsQueryVariables>;
export const ListRestoresDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'query',
      name: { kind: 'Name', value: 'ListRestores' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'first' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'Int' } },
          defaultValue: { kind: 'IntValue', value: '20' },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'after' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'String' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'filter' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'RestoreFilter' } },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'restores' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'first' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'first' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'after' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'after' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'filter' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'filter' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'nodes' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'type' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'status' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'mode' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'createdAt' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'pageInfo' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'hasNextPage' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'endCursor' } },
                    ],
                  },
                },
                { kind: 'Field', name: { kind: 'Name', value: 'totalCount' } },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<ListRestoresQuery, ListRestoresQueryVariables>;
export const OverviewDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'query',
      name: { kind: 'Name', value: 'Overview' },
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'viewer' },
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'name' } },
                { kind: 'Field', name: { kind: 'Name', value: 'role' } },
              ],
            },
          },
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'sources' },
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'name' } },
                { kind: 'Field', name: { kind: 'Name', value: 'kind' } },
                { kind: 'Field', name: { kind: 'Name', value: 'version' } },
                { kind: 'Field', name: { kind: 'Name', value: 'schema' } },
                { kind: 'Field', name: { kind: 'Name', value: 'reachable' } },
                { kind: 'Field', name: { kind: 'Name', value: 'problem' } },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'tables' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'name' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'dataType' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'estimatedRows' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'mappingProblems' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'table' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'problem' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'hint' } },
                    ],
                  },
                },
              ],
            },
          },
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'repository' },
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'location' } },
                { kind: 'Field', name: { kind: 'Name', value: 'reachable' } },
                { kind: 'Field', name: { kind: 'Name', value: 'encrypted' } },
                { kind: 'Field', name: { kind: 'Name', value: 'formatVersion' } },
                { kind: 'Field', name: { kind: 'Name', value: 'compression' } },
                { kind: 'Field', name: { kind: 'Name', value: 'packCount' } },
                { kind: 'Field', name: { kind: 'Name', value: 'packBytes' } },
              ],
            },
          },
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'backupStatistics' },
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'total' } },
                { kind: 'Field', name: { kind: 'Name', value: 'completed' } },
                { kind: 'Field', name: { kind: 'Name', value: 'failed' } },
                { kind: 'Field', name: { kind: 'Name', value: 'expired' } },
                { kind: 'Field', name: { kind: 'Name', value: 'onHold' } },
                { kind: 'Field', name: { kind: 'Name', value: 'rawBytes' } },
                { kind: 'Field', name: { kind: 'Name', value: 'storedBytes' } },
                { kind: 'Field', name: { kind: 'Name', value: 'rowCount' } },
                { kind: 'Field', name: { kind: 'Name', value: 'storageRatio' } },
                { kind: 'Field', name: { kind: 'Name', value: 'deduplicationRatio' } },
                { kind: 'Field', name: { kind: 'Name', value: 'compressionRatio' } },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'forecast' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'bytesPerDay' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'freeBytes' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'fullAt' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'byType' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'type' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'count' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<OverviewQuery, OverviewQueryVariables>;
export const PlaceLegalHoldDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'mutation',
      name: { kind: 'Name', value: 'PlaceLegalHold' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
          type: {
            kind: 'NonNullType',
            type: { kind: 'NamedType', name: { kind: 'Name', value: 'PlaceLegalHoldInput' } },
          },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'placeLegalHold' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'input' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'backup' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'status' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'legalHolds' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'reason' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'createdAt' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'createdBy' } },
                          ],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'legalHold' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'reason' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'createdAt' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'createdBy' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'errors' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'path' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'hint' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<PlaceLegalHoldMutation, PlaceLegalHoldMutationVariables>;
export const PlanRestoreDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'mutation',
      name: { kind: 'Name', value: 'PlanRestore' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
          type: { kind: 'NonNullType', type: { kind: 'NamedType', name: { kind: 'Name', value: 'PlanRestoreInput' } } },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'planRestore' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'input' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'job' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'failure' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'remedy' } },
                          ],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'plan' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'planHash' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'type' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'source' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'dataTypes' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'businessId' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'conflictPolicy' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'createdAt' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'expiresAt' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'inserts' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'updates' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'deletes' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'estimatedDuration' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'notes' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'keys' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'dataType' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'table' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'key' } },
                          ],
                        },
                      },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'tables' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'dataType' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'name' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'before' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'inserts' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'updates' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'deletes' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'unchanged' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'conflictingRows' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'conflictingFields' } },
                            {
                              kind: 'Field',
                              name: { kind: 'Name', value: 'samples' },
                              selectionSet: {
                                kind: 'SelectionSet',
                                selections: [
                                  { kind: 'Field', name: { kind: 'Name', value: 'inserts' } },
                                  {
                                    kind: 'Field',
                                    name: { kind: 'Name', value: 'updates' },
                                    selectionSet: {
                                      kind: 'SelectionSet',
                                      selections: [
                                        { kind: 'Field', name: { kind: 'Name', value: 'key' } },
                                        {
                                          kind: 'Field',
                                          name: { kind: 'Name', value: 'fields' },
                                          selectionSet: {
                                            kind: 'SelectionSet',
                                            selections: [
                                              { kind: 'Field', name: { kind: 'Name', value: 'name' } },
                                              { kind: 'Field', name: { kind: 'Name', value: 'before' } },
                                              { kind: 'Field', name: { kind: 'Name', value: 'after' } },
                                            ],
                                          },
                                        },
                                      ],
                                    },
                                  },
                                  { kind: 'Field', name: { kind: 'Name', value: 'deletes' } },
                                ],
                              },
                            },
                            { kind: 'Field', name: { kind: 'Name', value: 'warnings' } },
                          ],
                        },
                      },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'backup' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [{ kind: 'Field', name: { kind: 'Name', value: 'id' } }],
                        },
                      },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'damagedBackup' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [{ kind: 'Field', name: { kind: 'Name', value: 'id' } }],
                        },
                      },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'job' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [{ kind: 'Field', name: { kind: 'Name', value: 'id' } }],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'errors' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'path' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'hint' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<PlanRestoreMutation, PlanRestoreMutationVariables>;
export const PreviewRetentionDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'query',
      name: { kind: 'Name', value: 'PreviewRetention' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'policy' } },
          type: {
            kind: 'NonNullType',
            type: { kind: 'NamedType', name: { kind: 'Name', value: 'RetentionPolicyInput' } },
          },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'filter' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'BackupFilter' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'timeZone' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'TimeZone' } },
          defaultValue: { kind: 'StringValue', value: 'UTC', block: false },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'ignoreExpiry' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'Boolean' } },
          defaultValue: { kind: 'BooleanValue', value: false },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'first' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'Int' } },
          defaultValue: { kind: 'IntValue', value: '20' },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'afterKept' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'String' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'afterExpired' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'String' } },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'previewRetention' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'policy' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'policy' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'filter' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'filter' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'timeZone' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'timeZone' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'ignoreExpiry' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'ignoreExpiry' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'keep' },
                  arguments: [
                    {
                      kind: 'Argument',
                      name: { kind: 'Name', value: 'first' },
                      value: { kind: 'Variable', name: { kind: 'Name', value: 'first' } },
                    },
                    {
                      kind: 'Argument',
                      name: { kind: 'Name', value: 'after' },
                      value: { kind: 'Variable', name: { kind: 'Name', value: 'afterKept' } },
                    },
                  ],
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'nodes' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            {
                              kind: 'Field',
                              name: { kind: 'Name', value: 'backup' },
                              selectionSet: {
                                kind: 'SelectionSet',
                                selections: [
                                  { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'type' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'readAt' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'expiresAt' } },
                                ],
                              },
                            },
                            { kind: 'Field', name: { kind: 'Name', value: 'reasons' } },
                          ],
                        },
                      },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'pageInfo' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'hasNextPage' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'endCursor' } },
                          ],
                        },
                      },
                      { kind: 'Field', name: { kind: 'Name', value: 'totalCount' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'expire' },
                  arguments: [
                    {
                      kind: 'Argument',
                      name: { kind: 'Name', value: 'first' },
                      value: { kind: 'Variable', name: { kind: 'Name', value: 'first' } },
                    },
                    {
                      kind: 'Argument',
                      name: { kind: 'Name', value: 'after' },
                      value: { kind: 'Variable', name: { kind: 'Name', value: 'afterExpired' } },
                    },
                  ],
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'nodes' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            {
                              kind: 'Field',
                              name: { kind: 'Name', value: 'backup' },
                              selectionSet: {
                                kind: 'SelectionSet',
                                selections: [
                                  { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'type' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'readAt' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'expiresAt' } },
                                ],
                              },
                            },
                            { kind: 'Field', name: { kind: 'Name', value: 'reasons' } },
                          ],
                        },
                      },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'pageInfo' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'hasNextPage' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'endCursor' } },
                          ],
                        },
                      },
                      { kind: 'Field', name: { kind: 'Name', value: 'totalCount' } },
                    ],
                  },
                },
                { kind: 'Field', name: { kind: 'Name', value: 'freedBytes' } },
                { kind: 'Field', name: { kind: 'Name', value: 'deadBytes' } },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<PreviewRetentionQuery, PreviewRetentionQueryVariables>;
export const ReadConflictsDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'query',
      name: { kind: 'Name', value: 'ReadConflicts' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'planId' } },
          type: { kind: 'NonNullType', type: { kind: 'NamedType', name: { kind: 'Name', value: 'ID' } } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'first' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'Int' } },
          defaultValue: { kind: 'IntValue', value: '20' },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'after' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'String' } },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'restorePlan' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'id' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'planId' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                { kind: 'Field', name: { kind: 'Name', value: 'conflictPolicy' } },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'damagedBackup' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [{ kind: 'Field', name: { kind: 'Name', value: 'id' } }],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'conflicts' },
                  arguments: [
                    {
                      kind: 'Argument',
                      name: { kind: 'Name', value: 'first' },
                      value: { kind: 'Variable', name: { kind: 'Name', value: 'first' } },
                    },
                    {
                      kind: 'Argument',
                      name: { kind: 'Name', value: 'after' },
                      value: { kind: 'Variable', name: { kind: 'Name', value: 'after' } },
                    },
                  ],
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'edges' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [{ kind: 'Field', name: { kind: 'Name', value: 'cursor' } }],
                        },
                      },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'nodes' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'dataType' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'name' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'key' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'kind' } },
                            {
                              kind: 'Field',
                              name: { kind: 'Name', value: 'fields' },
                              selectionSet: {
                                kind: 'SelectionSet',
                                selections: [
                                  { kind: 'Field', name: { kind: 'Name', value: 'name' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'undamaged' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'damaged' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'live' } },
                                ],
                              },
                            },
                          ],
                        },
                      },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'pageInfo' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'hasNextPage' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'endCursor' } },
                          ],
                        },
                      },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<ReadConflictsQuery, ReadConflictsQueryVariables>;
export const ReadRecordsDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'query',
      name: { kind: 'Name', value: 'ReadRecords' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'backupId' } },
          type: { kind: 'NonNullType', type: { kind: 'NamedType', name: { kind: 'Name', value: 'ID' } } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'dataType' } },
          type: { kind: 'NonNullType', type: { kind: 'NamedType', name: { kind: 'Name', value: 'DataType' } } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'table' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'String' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'businessId' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'ID' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'filter' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'JSON' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'first' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'Int' } },
          defaultValue: { kind: 'IntValue', value: '20' },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'after' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'String' } },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'backup' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'id' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'backupId' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'records' },
                  arguments: [
                    {
                      kind: 'Argument',
                      name: { kind: 'Name', value: 'dataType' },
                      value: { kind: 'Variable', name: { kind: 'Name', value: 'dataType' } },
                    },
                    {
                      kind: 'Argument',
                      name: { kind: 'Name', value: 'table' },
                      value: { kind: 'Variable', name: { kind: 'Name', value: 'table' } },
                    },
                    {
                      kind: 'Argument',
                      name: { kind: 'Name', value: 'businessId' },
                      value: { kind: 'Variable', name: { kind: 'Name', value: 'businessId' } },
                    },
                    {
                      kind: 'Argument',
                      name: { kind: 'Name', value: 'filter' },
                      value: { kind: 'Variable', name: { kind: 'Name', value: 'filter' } },
                    },
                    {
                      kind: 'Argument',
                      name: { kind: 'Name', value: 'first' },
                      value: { kind: 'Variable', name: { kind: 'Name', value: 'first' } },
                    },
                    {
                      kind: 'Argument',
                      name: { kind: 'Name', value: 'after' },
                      value: { kind: 'Variable', name: { kind: 'Name', value: 'after' } },
                    },
                  ],
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'table' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'columns' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'name' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'type' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'isNullable' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'isKey' } },
                          ],
                        },
                      },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'edges' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [{ kind: 'Field', name: { kind: 'Name', value: 'cursor' } }],
                        },
                      },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'nodes' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'key' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'fields' } },
                          ],
                        },
                      },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'pageInfo' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'hasNextPage' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'endCursor' } },
                          ],
                        },
                      },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<ReadRecordsQuery, ReadRecordsQueryVariables>;
export const RecordHistoryDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'query',
      name: { kind: 'Name', value: 'RecordHistory' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'source' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'String' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'dataType' } },
          type: { kind: 'NonNullType', type: { kind: 'NamedType', name: { kind: 'Name', value: 'DataType' } } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'table' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'String' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'key' } },
          type: { kind: 'NonNullType', type: { kind: 'NamedType', name: { kind: 'Name', value: 'JSON' } } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'first' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'Int' } },
          defaultValue: { kind: 'IntValue', value: '20' },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'after' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'String' } },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'recordHistory' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'source' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'source' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'dataType' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'dataType' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'table' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'table' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'key' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'key' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'first' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'first' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'after' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'after' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'edges' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [{ kind: 'Field', name: { kind: 'Name', value: 'cursor' } }],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'nodes' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'isDeleted' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'fields' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'changedFields' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'firstSeenAt' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'lastSeenAt' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'firstSeenIn' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'type' } },
                          ],
                        },
                      },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'lastSeenIn' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [{ kind: 'Field', name: { kind: 'Name', value: 'id' } }],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'pageInfo' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'hasNextPage' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'endCursor' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<RecordHistoryQuery, RecordHistoryQueryVariables>;
export const RehearseRestoreDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'mutation',
      name: { kind: 'Name', value: 'RehearseRestore' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
          type: {
            kind: 'NonNullType',
            type: { kind: 'NamedType', name: { kind: 'Name', value: 'RehearseRestoreInput' } },
          },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'rehearseRestore' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'input' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'job' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'failure' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'remedy' } },
                          ],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'backup' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'restorability' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'proven' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'lastProvenAt' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'provenRto' } },
                            {
                              kind: 'Field',
                              name: { kind: 'Name', value: 'coverage' },
                              selectionSet: {
                                kind: 'SelectionSet',
                                selections: [
                                  { kind: 'Field', name: { kind: 'Name', value: 'dataTypes' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'tableCount' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'heldTableCount' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'rowCount' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'heldRowCount' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'referenceCount' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'unprovenReferences' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'invariants' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'skippedInvariants' } },
                                ],
                              },
                            },
                            {
                              kind: 'Field',
                              name: { kind: 'Name', value: 'lastRehearsal' },
                              selectionSet: {
                                kind: 'SelectionSet',
                                selections: [
                                  { kind: 'Field', name: { kind: 'Name', value: 'verifiedAt' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'passed' } },
                                  {
                                    kind: 'Field',
                                    name: { kind: 'Name', value: 'findings' },
                                    selectionSet: {
                                      kind: 'SelectionSet',
                                      selections: [
                                        { kind: 'Field', name: { kind: 'Name', value: 'object' } },
                                        { kind: 'Field', name: { kind: 'Name', value: 'problem' } },
                                        { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                                        { kind: 'Field', name: { kind: 'Name', value: 'rowCount' } },
                                        { kind: 'Field', name: { kind: 'Name', value: 'firstKeys' } },
                                      ],
                                    },
                                  },
                                  {
                                    kind: 'Field',
                                    name: { kind: 'Name', value: 'rehearsal' },
                                    selectionSet: {
                                      kind: 'SelectionSet',
                                      selections: [{ kind: 'Field', name: { kind: 'Name', value: 'restoreTime' } }],
                                    },
                                  },
                                ],
                              },
                            },
                          ],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'errors' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'path' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'hint' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<RehearseRestoreMutation, RehearseRestoreMutationVariables>;
export const ReleaseLegalHoldDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'mutation',
      name: { kind: 'Name', value: 'ReleaseLegalHold' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
          type: {
            kind: 'NonNullType',
            type: { kind: 'NamedType', name: { kind: 'Name', value: 'ReleaseLegalHoldInput' } },
          },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'releaseLegalHold' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'input' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'backup' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'status' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'legalHold' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'reason' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'errors' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'path' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'hint' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<ReleaseLegalHoldMutation, ReleaseLegalHoldMutationVariables>;
export const RestoreBackupDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'mutation',
      name: { kind: 'Name', value: 'RestoreBackup' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
          type: {
            kind: 'NonNullType',
            type: { kind: 'NamedType', name: { kind: 'Name', value: 'RestoreBackupInput' } },
          },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'restoreBackup' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'input' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'job' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'failure' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'remedy' } },
                          ],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'restore' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'status' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'dryRun' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'plan' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'planHash' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'errors' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'path' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'hint' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<RestoreBackupMutation, RestoreBackupMutationVariables>;
export const UndoRestoreDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'mutation',
      name: { kind: 'Name', value: 'UndoRestore' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
          type: { kind: 'NonNullType', type: { kind: 'NamedType', name: { kind: 'Name', value: 'UndoRestoreInput' } } },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'undoRestore' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'input' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'job' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'failure' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'remedy' } },
                          ],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'restore' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'status' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'undoableUntil' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'undoes' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [{ kind: 'Field', name: { kind: 'Name', value: 'id' } }],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'errors' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'path' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'hint' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<UndoRestoreMutation, UndoRestoreMutationVariables>;
export const VerifyBackupDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'mutation',
      name: { kind: 'Name', value: 'VerifyBackup' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
          type: {
            kind: 'NonNullType',
            type: { kind: 'NamedType', name: { kind: 'Name', value: 'VerifyBackupInput' } },
          },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'verifyBackup' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'input' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'input' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'job' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'backup' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      {
                        kind: 'Field',
                        name: { kind: 'Name', value: 'verification' },
                        selectionSet: {
                          kind: 'SelectionSet',
                          selections: [
                            { kind: 'Field', name: { kind: 'Name', value: 'level' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'verifiedAt' } },
                            { kind: 'Field', name: { kind: 'Name', value: 'passed' } },
                            {
                              kind: 'Field',
                              name: { kind: 'Name', value: 'findings' },
                              selectionSet: {
                                kind: 'SelectionSet',
                                selections: [
                                  { kind: 'Field', name: { kind: 'Name', value: 'object' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'problem' } },
                                  { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                                ],
                              },
                            },
                          ],
                        },
                      },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'errors' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'code' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'path' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'hint' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<VerifyBackupMutation, VerifyBackupMutationVariables>;
export const WatchAllJobsDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'subscription',
      name: { kind: 'Name', value: 'WatchAllJobs' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'filter' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'JobFilter' } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'after' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'String' } },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'jobUpdates' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'filter' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'filter' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'after' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'after' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'cursor' } },
                { kind: 'Field', name: { kind: 'Name', value: 'sequence' } },
                { kind: 'Field', name: { kind: 'Name', value: 'at' } },
                { kind: 'Field', name: { kind: 'Name', value: 'type' } },
                { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'job' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'id' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'kind' } },
                    ],
                  },
                },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'progress' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'percent' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'phase' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<WatchAllJobsSubscription, WatchAllJobsSubscriptionVariables>;
export const WatchJobDocument = {
  kind: 'Document',
  definitions: [
    {
      kind: 'OperationDefinition',
      operation: 'subscription',
      name: { kind: 'Name', value: 'WatchJob' },
      variableDefinitions: [
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'jobId' } },
          type: { kind: 'NonNullType', type: { kind: 'NamedType', name: { kind: 'Name', value: 'ID' } } },
        },
        {
          kind: 'VariableDefinition',
          variable: { kind: 'Variable', name: { kind: 'Name', value: 'after' } },
          type: { kind: 'NamedType', name: { kind: 'Name', value: 'String' } },
        },
      ],
      selectionSet: {
        kind: 'SelectionSet',
        selections: [
          {
            kind: 'Field',
            name: { kind: 'Name', value: 'jobEvents' },
            arguments: [
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'jobId' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'jobId' } },
              },
              {
                kind: 'Argument',
                name: { kind: 'Name', value: 'after' },
                value: { kind: 'Variable', name: { kind: 'Name', value: 'after' } },
              },
            ],
            selectionSet: {
              kind: 'SelectionSet',
              selections: [
                { kind: 'Field', name: { kind: 'Name', value: 'cursor' } },
                { kind: 'Field', name: { kind: 'Name', value: 'sequence' } },
                { kind: 'Field', name: { kind: 'Name', value: 'at' } },
                { kind: 'Field', name: { kind: 'Name', value: 'type' } },
                { kind: 'Field', name: { kind: 'Name', value: 'state' } },
                { kind: 'Field', name: { kind: 'Name', value: 'message' } },
                {
                  kind: 'Field',
                  name: { kind: 'Name', value: 'progress' },
                  selectionSet: {
                    kind: 'SelectionSet',
                    selections: [
                      { kind: 'Field', name: { kind: 'Name', value: 'percent' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'phase' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'currentTable' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'rowsDone' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'rowsTotal' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'bytesDone' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'bytesTotal' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'rowsPerSecond' } },
                      { kind: 'Field', name: { kind: 'Name', value: 'estimatedRemaining' } },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as DocumentNode<WatchJobSubscription, WatchJobSubscriptionVariables>;
