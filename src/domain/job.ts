/**
 * Jobs: queued work with a lifecycle.
 *
 *     PENDING --claim--> RUNNING --settle--> COMPLETED | FAILED | CANCELLED
 *     PENDING --cancel-> CANCELLED      RUNNING --lease expired or retryable failure--> PENDING (attempts left) | FAILED
 *
 * Only the holder of the current lease token settles a RUNNING job; every SQL update repeats the guard (id, state, token).
 */
import type { BackupType, Labels, RestoreType, VerificationLevel } from './backup';
import type { RequestedDataType } from './data-type';
import type { ErrorData } from './errors';
import type { ExportWanted } from './export';
import type { BackupId, ChangeSetId, ExportId, RestoreId } from './ids';
import type { RecordKey } from './record-key';
import type { ThreeWay } from './three-way';

export const JOB_KINDS = [
  'BACKUP', 'PLAN', 'RESTORE', 'VERIFICATION', 'REHEARSAL', 'COMPARISON', 'EXPORT', 'SCRUB', 'COMPACTION', 'CLEANUP', 'ERASURE',
] as const; // prettier-ignore
export type JobKind = (typeof JOB_KINDS)[number];

export const JOB_STATES = ['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED'] as const;
export type JobState = (typeof JOB_STATES)[number];
export type FinalJobState = 'COMPLETED' | 'FAILED' | 'CANCELLED';

export const JOB_TRANSITIONS = {
  PENDING: ['RUNNING', 'CANCELLED'],
  RUNNING: ['PENDING', 'COMPLETED', 'FAILED', 'CANCELLED'],
  COMPLETED: [],
  FAILED: [],
  CANCELLED: [],
} as const satisfies Record<JobState, readonly JobState[]>;

export function mayTransition(from: JobState, to: JobState): boolean {
  return (JOB_TRANSITIONS[from] as readonly JobState[]).includes(to);
}

export function isFinal(state: JobState): state is FinalJobState {
  return JOB_TRANSITIONS[state].length === 0;
}

export const JOB_EVENT_TYPES = ['STATE_CHANGED', 'PROGRESS', 'LOG'] as const;
export type JobEventType = (typeof JOB_EVENT_TYPES)[number];

/** The whole state of a job's progress (never a difference), so that a lost event loses nothing. */
export interface Progress {
  /** 0 to 100; never falls within one attempt. */
  percent: number;
  /** What is going on now, e.g. `reading`, `verifying`, `loading`, `indexing`. */
  phase: string;
  currentTable: string | null;
  rowsDone: number;
  rowsTotal: number | null;
  bytesDone: number;
  bytesTotal: number | null;
  rowsPerSecond: number | null;
  estimatedRemainingMs: number | null;
}

export const NO_PROGRESS: Progress = {
  percent: 0, phase: 'waiting', currentTable: null, rowsDone: 0, rowsTotal: null, bytesDone: 0, bytesTotal: null,
  rowsPerSecond: null, estimatedRemainingMs: null,
}; // prettier-ignore

export interface BackupJobSpec {
  kind: 'BACKUP';
  backupId: BackupId;
  source: string;
  type: BackupType;
  dataTypes: RequestedDataType[];
  businessId: string | null;
  expiresAt: string | null;
  labels: Labels;
}

/** Compares the live source with a backup and keeps exactly what restoring would change; reads only. */
export interface PlanJobSpec {
  kind: 'PLAN';
  /** The id under which the change set will be kept. */
  planId: ChangeSetId;
  source: string;
  backupId: BackupId;
  type: RestoreType;
  dataTypes: RequestedDataType[];
  businessId: string | null;
  /** Of what the type takes these records alone. Absent: all. */
  keys?: RecordKey[];
  /** Plan with what is left of a damaged backup. */
  allowUnchecked: boolean;
  /** Undo alone what differs between `backupId` and the damaged backup. */
  threeWay?: ThreeWay;
  /** How long after it was made the plan may be applied. */
  validForMs: number;
}

/** Compares a backup with another one, or with the live source, and keeps exactly the rows that differ; reads only. */
export interface ComparisonJobSpec {
  kind: 'COMPARISON';
  /** The id under which the change set will be kept. */
  comparisonId: ChangeSetId;
  /** Of the base. */
  source: string;
  /** The base. */
  backupId: BackupId;
  /** Null: the live source. */
  targetId: BackupId | null;
  dataTypes: RequestedDataType[];
  businessId: string | null;
  /** How long the rows are kept. */
  validForMs: number;
}

export type RestoreTarget = { kind: 'IN_PLACE' } | { kind: 'SCRATCH'; schema: string };

export interface RestoreJobSpec {
  kind: 'RESTORE';
  restoreId: RestoreId;
  backupId: BackupId;
  source: string;
  type: RestoreType;
  dataTypes: RequestedDataType[];
  businessId: string | null;
  /** Of what the type takes these records alone. Absent: all. */
  keys?: RecordKey[];
  target: RestoreTarget;
  /** Keep what would be changed as a plan, and change nothing. */
  dryRun: boolean;
  /** Restore although the integrity check failed. */
  allowUnchecked: boolean;
  /** Undo alone what differs between `backupId` and the damaged backup. */
  threeWay?: ThreeWay;
  /** Apply exactly this plan. */
  plan?: { planId: ChangeSetId; planHash: string };
  /** Bring back what that restore changed. */
  undoes?: { restoreId: RestoreId; changeSetId: ChangeSetId };
  /** The id under which the restore's own change set will be kept, by which it can be undone; of a dry run, its plan. */
  changeSetId: ChangeSetId;
  /** How long it is kept; 0: none is. */
  undoableForMs: number;
}

export interface VerificationJobSpec {
  kind: 'VERIFICATION';
  backupId: BackupId;
  level: VerificationLevel;
}

/** Restores a backup into a scratch schema of its own source, checks what is there, and drops it. */
export interface RehearsalJobSpec {
  kind: 'REHEARSAL';
  backupId: BackupId;
  source: string;
}

/** Deletes expired backups' manifests and catalog rows, then packs that nothing refers to. */
export interface CleanupJobSpec {
  kind: 'CLEANUP';
  /** Only these backups (deleteBackup); absent: all that have expired. */
  backupIds?: BackupId[];
  dryRun: boolean;
}

/** Turns a backup's stacks of layers into single bases, from the repository alone. */
export interface CompactionJobSpec {
  kind: 'COMPACTION';
  backupId: BackupId;
}

/** Proves that what is to be exported is sound, and counts it; from then on it can be downloaded. */
export interface ExportJobSpec extends ExportWanted {
  kind: 'EXPORT';
  exportId: ExportId;
  fileName: string;
  /** How long downloads may be begun once it has completed. */
  validForMs: number;
}

/**
 * Whether an attempt of this job that ended unseen may have left something behind that only another attempt can settle: what a
 * restore left half-done in the source, a rehearsal's scratch schema, or manifests that a cleanup deleted without being able to say so.
 */
export function mustSettle(job: {
  kind: JobKind;
  startedAt: Date | null;
  deleting: readonly BackupId[] | null;
}): boolean {
  const writesIntoSource = job.kind === 'RESTORE' || job.kind === 'REHEARSAL';
  return writesIntoSource ? job.startedAt !== null : job.deleting !== null;
}

/** Whether an attempt that ended so may have left something behind: nobody saw its end, or it could not take away what it had made. */
export function endedUnsettled(failure: JobFailure | null): boolean {
  if (failure === null) return false;
  return failure.unsettled === true || failure.code === 'LEASE_LOST' || failure.code === 'WORKER_DIED';
}

/** The longest that a job is put off before its next attempt. A time further ahead than that was written before the clock was set back. */
export const MAX_PUT_OFF_MS = 60_000;

export type JobSpec =
  | BackupJobSpec
  | PlanJobSpec
  | RestoreJobSpec
  | ComparisonJobSpec
  | VerificationJobSpec
  | RehearsalJobSpec
  | CleanupJobSpec
  | CompactionJobSpec
  | ExportJobSpec;
export type JobFailure = ErrorData;

/** Kinds that are tried again after a retryable failure, and how often in all. */
export const MAX_ATTEMPTS: Record<JobSpec['kind'], number> = {
  BACKUP: 3,
  PLAN: 3,
  RESTORE: 3,
  COMPARISON: 3,
  VERIFICATION: 2,
  REHEARSAL: 2,
  CLEANUP: 3,
  COMPACTION: 3,
  EXPORT: 3,
};
