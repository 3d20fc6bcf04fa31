/** What the catalog gives out: plain records, free of TypeORM. Dates are Dates, 64-bit counts are safe numbers. */
import type {
  BackupStatus,
  BackupType,
  Labels,
  RestoreType,
  VerificationLevel,
  ChangeDetection,
} from '../domain/backup';
import type { DataType, RequestedDataType } from '../domain/data-type';
import type { ExportedTable, ExportWanted } from '../domain/export';
import type {
  BackupId, ChangeSetId, DownloadId, ExportId, HoldId, JobId, LeaseToken, RestoreId,
} from '../domain/ids'; // prettier-ignore
import type { JobEventType, JobFailure, JobKind, JobSpec, JobState, Progress, RestoreTarget } from '../domain/job';
import type { RecordKey } from '../domain/record-key';
import type { RehearsalProof, VerificationFinding } from '../domain/rehearsal';
import type {
  CleanupResult,
  ComparisonResult,
  PlanResult,
  RehearsalResult,
  RestoreResult,
  VerificationResult,
} from '../domain/task';
import type { ThreeWay } from '../domain/three-way';

export interface JobRecord {
  id: JobId;
  kind: JobKind;
  state: JobState;
  spec: JobSpec;
  /** The source it works on; null for work on the repository alone. */
  source: string | null;
  /** The backup it makes, verifies or restores; null for a cleanup. */
  backupId: BackupId | null;
  restoreId: RestoreId | null;
  progress: Progress;
  /** 0 until it was first claimed. */
  attempt: number;
  maxAttempts: number;
  cancelRequested: boolean;
  /** Why it failed, or, while it waits for another attempt, why the last attempt did. */
  failure: JobFailure | null;
  /** What a completed verification or rehearsal found or a cleanup did; null for other kinds. */
  outcome: JobOutcome | null;
  /**
   * Backups that a cleanup was about to delete when it began to: set from before the first one goes until it is known which of them
   * are gone. On a PENDING job: an attempt ended unseen.
   */
  deleting: BackupId[] | null;
  createdBy: string;
  createdAt: Date;
  /** Not claimed before this moment. */
  runAfter: Date;
  /** When the first attempt began. */
  startedAt: Date | null;
  finishedAt: Date | null;
  /** Sequence of its newest event. */
  lastSequence: number;
}

export type JobOutcome = VerificationResult | RehearsalResult | CleanupResult;

export interface JobEventRecord {
  jobId: JobId;
  /** 1, 2, 3, ... without a gap within the job. */
  sequence: number;
  /** Position among all jobs' events: without a gap, in commit order. */
  globalSequence: number;
  at: Date;
  type: JobEventType;
  /** The job's state after this event. */
  state: JobState;
  progress: Progress;
  message: string | null;
}

export interface BackupTableRecord {
  dataType: DataType;
  table: string;
  rowCount: number;
  changedRowCount: number;
  rawBytes: number;
  /** Absent: it was counted. */
  rawBytesEstimated?: true;
  changeDetection: ChangeDetection;
  changeDetectionReason: string;
}

export interface VerificationRecord {
  level: VerificationLevel;
  at: Date;
  passed: boolean;
  findings: VerificationFinding[];
  checkedChunks: number;
  checkedBytes: number;
  jobId: JobId;
  /** Of level RESTORE: what was measured and covered; null or absent where not all rows were restored. */
  proof?: RehearsalProof | null;
}

/** What rehearsals of a backup have shown; verifications of other levels change nothing of it. */
export interface RestorabilityRecord {
  /** The last one that passed; null where none did. */
  proven: (RehearsalProof & { at: Date; jobId: JobId }) | null;
  last: VerificationRecord;
}

export interface BackupRecord {
  id: BackupId;
  type: BackupType;
  /** EXPIRED is derived: COMPLETED and past `expiresAt` by the catalog's clock. */
  status: BackupStatus;
  source: string;
  dataTypes: DataType[];
  businessId: string | null;
  parentId: BackupId | null;
  jobId: JobId | null;
  createdBy: string;
  createdAt: Date;
  startedAt: Date | null;
  completedAt: Date | null;
  expiresAt: Date | null;
  labels: Labels;
  /** Set from here on for completed backups only. */
  readAt: Date | null;
  consistency: string | null;
  rowCount: number | null;
  changedRowCount: number | null;
  rawBytes: number | null;
  storedBytes: number | null;
  /** How much of `rawBytes` it newly stored, before compression; null too where its manifest doesn't say. */
  newRawBytes: number | null;
  checksum: string | null;
  manifestName: string | null;
  tables: BackupTableRecord[];
  verification: VerificationRecord | null;
  /** Null before the first rehearsal. */
  restorability: RestorabilityRecord | null;
  /** Since when the repository's listing has lacked its manifest; such a backup can't be restored. */
  missingSince: Date | null;
}

export interface LegalHoldRecord {
  id: HoldId;
  backupId: BackupId;
  /** Null where the repository's object is damaged; it holds all the same. */
  reason: string | null;
  createdBy: string | null;
  createdAt: Date;
}

export interface RestoreRecord {
  id: RestoreId;
  state: JobState;
  backupId: BackupId;
  jobId: JobId | null;
  source: string;
  type: RestoreType;
  dataTypes: RequestedDataType[];
  businessId: string | null;
  /** Undoes alone what differs between the backup and a damaged one. */
  threeWay: ThreeWay | null;
  /** Of what the type takes these alone; null for all. */
  keys: RecordKey[] | null;
  target: RestoreTarget;
  dryRun: boolean;
  /** The plan that it applies, or, as a dry run, kept. */
  planId: ChangeSetId | null;
  /** The restore whose changes it takes back. */
  undoesId: RestoreId | null;
  createdBy: string;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  /** What it did (or, as a dry run, would do), once COMPLETED. */
  result: Omit<RestoreResult, 'kind' | 'serviceSettings' | 'plan'> | null;
}

/** A completed plan; what it lists row by row is in the repository, under the same id. */
export interface RestorePlanRecord extends Omit<PlanResult, 'kind' | 'changeSet'> {
  id: ChangeSetId;
  backupId: BackupId;
  jobId: JobId | null;
  source: string;
  type: RestoreType;
  dataTypes: RequestedDataType[];
  businessId: string | null;
  /** Would undo alone what differs between the backup and a damaged one. */
  threeWay: ThreeWay | null;
  keys: RecordKey[] | null;
  planHash: string;
  createdBy: string;
  createdAt: Date;
  /** From then on it can't be applied. */
  expiresAt: Date;
}

/** A completed comparison; the rows that differ are in the repository, under the same id. */
export interface ComparisonRecord extends Omit<ComparisonResult, 'kind' | 'changeSet'> {
  id: ChangeSetId;
  baseId: BackupId;
  /** Null: the live source. */
  targetId: BackupId | null;
  jobId: JobId | null;
  /** Of the base. */
  source: string;
  dataTypes: RequestedDataType[];
  businessId: string | null;
  createdBy: string;
  createdAt: Date;
  /** From then on the rows are kept no longer. */
  expiresAt: Date;
}

/** A completed export: what of a backup it is was proven, and can be downloaded until it expires. */
export interface ExportRecord {
  id: ExportId;
  backupId: BackupId;
  jobId: JobId | null;
  wanted: ExportWanted;
  fileName: string;
  tables: ExportedTable[];
  /** What an operator should know. */
  notes: string[];
  createdBy: string;
  createdAt: Date;
  /** From then on no download begins. */
  expiresAt: Date;
}

export interface ExportDownloadRecord {
  id: DownloadId;
  exportId: ExportId;
  remoteAddress: string;
  startedAt: Date;
  /** Null while it goes on, and where the service ended in the middle of it. */
  endedAt: Date | null;
  /** Handed over, once it ended. */
  bytes: number;
  isComplete: boolean;
}

/** The right to work on a RUNNING job: every change a worker makes repeats it as a guard. */
export interface Lease {
  jobId: JobId;
  token: LeaseToken;
}
