/**
 * What the runner asks of the engine and gets back: plain data, so that it can cross into a worker thread. The thread owns no
 * catalog; it reports progress and returns a result, and its owner writes them down.
 */
import type {
  ChangesFound,
  ChangesWanted,
  HistoryFound,
  HistoryWanted,
  RecordsFound,
  RecordsWanted,
} from './backup-reader';
import type { DamageFinding } from './backup-store';
import type { ChangeCounts, ConflictCounts } from './change-set';
import type { ConflictsFound, ConflictsWanted } from './restore-conflict';
import type { ExportedTable, ExportStreaming, TakeBytes } from './export';
import type { BackupId, ChangeSetId, JobId } from './ids';
import type {
  BackupJobSpec,
  CompactionJobSpec,
  ComparisonJobSpec,
  ExportJobSpec,
  PlanJobSpec,
  Progress,
  RehearsalJobSpec,
  RestoreJobSpec,
  VerificationJobSpec,
} from './job';
import type { DataType } from './data-type';
import type { StoredManifest } from './manifest';
import type { RehearsalProof, VerificationFinding } from './rehearsal';
import type { TableState } from './source';
import type { VerificationLevel } from './backup';
import type { FieldChange, JsonRow } from './values';

export type EngineTask =
  | {
      kind: 'BACKUP';
      jobId: JobId;
      spec: BackupJobSpec;
      createdAt: string;
      createdBy: string;
      serviceSettings: unknown;
    }
  /** Reads only. Asked again after it was done, it gives what was kept. */
  | { kind: 'PLAN'; jobId: JobId; spec: PlanJobSpec }
  | {
      kind: 'RESTORE';
      jobId: JobId;
      spec: RestoreJobSpec;
      attempt: number;
      /**
       * Only settle what an earlier attempt left in the source: where it had committed, report that as usual; else clean up and
       * throw CANCELLED. For restores that were cancelled, or used up their attempts, while their worker was dead.
       */
      recoverOnly?: boolean;
    }
  /** Reads only. Asked again after it was done, it gives what was kept. */
  | { kind: 'COMPARISON'; jobId: JobId; spec: ComparisonJobSpec }
  | { kind: 'VERIFICATION'; jobId: JobId; spec: VerificationJobSpec }
  | {
      kind: 'REHEARSAL';
      jobId: JobId;
      spec: RehearsalJobSpec;
      /** An earlier attempt ended unseen, or could not drop its scratch schema: then failing to drop it now leaves the job unsettled. */
      mayHaveLeft: boolean;
      /** Only drop what an earlier attempt left, and throw CANCELLED. */
      recoverOnly?: boolean;
    }
  | { kind: 'COMPACTION'; jobId: JobId; spec: CompactionJobSpec }
  /** What a cleanup is going to delete, from the repository alone; changes nothing. */
  | { kind: 'FIND_EXPIRED'; jobId: JobId }
  | {
      kind: 'CLEANUP';
      jobId: JobId;
      /** Those of them that have no manifest count as deleted: an earlier attempt may have been cut off after it. */
      backupIds: readonly BackupId[];
      dryRun: boolean;
      /** Delete nothing more: report what is gone, or throw CANCELLED where nothing is. */
      recoverOnly?: boolean;
    }
  /** What deleting these would free: no job, but a question; changes nothing. */
  | { kind: 'FREED_BYTES'; backupIds: readonly BackupId[] }
  /** Records of a backup: no job either. */
  | { kind: 'RECORDS'; wanted: RecordsWanted }
  | { kind: 'RECORD_HISTORY'; wanted: HistoryWanted }
  /** Rows that a comparison found to differ. */
  | { kind: 'ROW_CHANGES'; wanted: ChangesWanted }
  /** Of a kept plan: no job either. */
  | { kind: 'CONFLICTS'; wanted: ConflictsWanted }
  | { kind: 'EXPORT'; jobId: JobId; spec: ExportJobSpec }
  /** No job: a download, whose bytes go to `TaskHooks.onBytes`. */
  | ({ kind: 'EXPORT_STREAM' } & ExportStreaming);

export interface BackupResult {
  kind: 'BACKUP';
  stored: StoredManifest;
}

export interface PlannedTable extends ChangeCounts {
  dataType: DataType;
  table: string;
  before: TableState;
  unchanged: number;
  samples: PlannedSamples;
  warnings: string[];
  /** Of a three-way plan. Absent: there are none. */
  conflicts?: ConflictCounts;
}

/** A few of the rows, for people. */
export interface PlannedSamples {
  inserts: JsonRow[];
  updates: { key: JsonRow; fields: FieldChange[] }[];
  deletes: JsonRow[];
}

/** All its rows are in the change set. */
export interface PlanResult extends ChangeCounts {
  kind: 'PLAN';
  changeSet: { changeSetId: ChangeSetId; planHash: string; createdAt: string; expiresAt: string };
  tables: PlannedTable[];
  /** How long applying takes (`estimateApplyingMs`). */
  estimatedMs: number;
  notes: string[];
}

/** Rows by how they differ. */
export interface DiffCounts {
  /** Rows of the base alone. */
  removed: number;
  /** Rows of the target alone. */
  added: number;
  changed: number;
  unchanged: number;
}

export interface ComparedTable extends DiffCounts {
  dataType: DataType;
  table: string;
  inBase: boolean;
  inTarget: boolean;
  /** What was not compared, and why. */
  notes: string[];
}

/** All rows that differ are in the change set. */
export interface ComparisonResult extends DiffCounts {
  kind: 'COMPARISON';
  changeSet: { changeSetId: ChangeSetId; createdAt: string; expiresAt: string };
  /** The moments that both states show. */
  baseReadAt: string;
  targetReadAt: string;
  tables: ComparedTable[];
  notes: string[];
}

export interface RestoredTable {
  dataType: DataType;
  table: string;
  inserts: number;
  updates: number;
  deletes: number;
  unchanged: number;
  warnings: string[];
  /** Of a three-way restore. Absent: there were none. */
  conflicts?: ConflictCounts;
}

export interface RestoreResult {
  kind: 'RESTORE';
  mode: 'BULK' | 'IN_PLACE' | 'DRY_RUN';
  tables: RestoredTable[];
  inserts: number;
  updates: number;
  deletes: number;
  /** Rows counted and hashed after writing, all equal to the backup's. */
  verifiedRows: number;
  /** The service settings a SYSTEM backup holds, for the caller to compare or apply. */
  serviceSettings: unknown;
  /** By which it can be undone; null where it changed nothing, or can't be undone: then a note says why. */
  changeSet: { changeSetId: ChangeSetId; hash: string; expiresAt: string } | null;
  /** Of a dry run: what it kept; null where the repository took no writes, which a note says. */
  plan?: PlanResult | null;
  /** What an operator should know, e.g. that an earlier attempt had committed already. */
  notes: string[];
}

export interface VerificationResult {
  kind: 'VERIFICATION';
  level: VerificationLevel;
  passed: boolean;
  findings: DamageFinding[];
  checkedChunks: number;
  checkedBytes: number;
}

export interface RehearsalResult {
  kind: 'REHEARSAL';
  passed: boolean;
  findings: VerificationFinding[];
  checkedChunks: number;
  checkedBytes: number;
  /** Null where not all rows were restored; also there where they break a rule. */
  proof: RehearsalProof | null;
}

export interface ExpiredResult {
  kind: 'FIND_EXPIRED';
  backupIds: BackupId[];
}

export interface CleanupResult {
  kind: 'CLEANUP';
  deletedBackupIds: BackupId[];
  /** Bytes of packs that went. */
  freedBytes: number;
  /** Packs, mostly dead or small, whose needed chunks were copied together; the packs go with a later cleanup. */
  rewrittenPacks: number;
  /** Bytes written for that. */
  rewrittenBytes: number;
  /** Why a backup that was named stayed, e.g. a legal hold. */
  kept: { backupId: BackupId; reason: string }[];
}

export interface CompactionResult {
  kind: 'COMPACTION';
  /** The backup as it is now: as it was, where there was nothing to do. */
  stored: StoredManifest;
  /** Tables whose stacks became a base. */
  compactedTables: string[];
  /** Tables that keep their stacks, and why. */
  kept: { table: string; reason: string }[];
}

export interface FreedBytesResult {
  kind: 'FREED_BYTES';
  /** What collections give back, each pack after its grace period. */
  freedBytes: number;
  /** Of chunks that nothing would need any more, in packs that stay as they are. */
  deadBytes: number;
}

export interface RecordsResult extends RecordsFound {
  kind: 'RECORDS';
}

export interface RecordHistoryResult extends HistoryFound {
  kind: 'RECORD_HISTORY';
}

export interface RowChangesResult extends ChangesFound {
  kind: 'ROW_CHANGES';
}

export interface ConflictsResult extends ConflictsFound {
  kind: 'CONFLICTS';
}

export interface ExportResult {
  kind: 'EXPORT';
  tables: ExportedTable[];
  /** What an operator should know: tables that had to be read whole, and why. */
  notes: string[];
}

export interface ExportStreamResult {
  kind: 'EXPORT_STREAM';
  rowCount: number;
}

export type EngineResult =
  | BackupResult
  | PlanResult
  | ComparisonResult
  | RestoreResult
  | VerificationResult
  | RehearsalResult
  | ExpiredResult
  | CleanupResult
  | CompactionResult
  | FreedBytesResult
  | RecordsResult
  | RecordHistoryResult
  | RowChangesResult
  | ConflictsResult
  | ExportResult
  | ExportStreamResult;

export interface TaskHooks {
  signal: AbortSignal;
  onProgress(progress: Progress): void;
  onLog(message: string): void;
  /** For tasks that stream. */
  onBytes?: TakeBytes;
}

/** Runs engine tasks, in a worker thread or in place. Throws AppError; CANCELLED once the signal aborted and all is cleaned up. */
export interface TaskExecutor {
  run(task: EngineTask, hooks: TaskHooks): Promise<EngineResult>;
  close(): Promise<void>;
}
