/**
 * The catalog's contract: the service's own database, seen as typed operations. Services and runner meet here and nowhere else.
 *
 * Every operation that writes is one transaction. Every change of a job's state or progress writes its event in that same
 * transaction, and `onEvent` (see `openCatalog`) is called after it has committed, never before.
 *
 * Errors: CATALOG_UNAVAILABLE (retryable) when the database can't be reached; the others are named where they are thrown.
 */
import type { BackupStatus, BackupType } from '../domain/backup';
import type { DataType } from '../domain/data-type';
import type { BackupId, ChangeSetId, DownloadId, ExportId, HoldId, JobId, RestoreId } from '../domain/ids';
import type { JobEventType, JobFailure, JobKind, JobSpec, JobState, Progress } from '../domain/job';
import type { LegalHold } from '../domain/legal-hold';
import type { StoredManifest } from '../domain/manifest';
import type { RetainedBackup } from '../domain/retention';
import type {
  CleanupResult,
  ComparisonResult,
  ExportResult,
  PlanResult,
  RehearsalResult,
  RestoreResult,
  VerificationResult,
} from '../domain/task';
import type {
  BackupRecord,
  ComparisonRecord,
  ExportDownloadRecord,
  ExportRecord,
  JobEventRecord,
  JobRecord,
  Lease,
  LegalHoldRecord,
  RestorePlanRecord,
  RestoreRecord,
} from './records';

export type * from './records';

export interface Catalog {
  readonly jobs: JobRecords;
  readonly backups: BackupRecords;
  readonly holds: LegalHoldRecords;
  readonly restores: RestoreRecords;
  readonly plans: RestorePlanRecords;
  readonly comparisons: ComparisonRecords;
  readonly exports: ExportRecords;
  readonly events: EventRecords;
  readonly queue: JobQueue;
  readonly info: CatalogInfo;
  /** Resolves when the database answers; for readiness. */
  ping(): Promise<void>;
  /** Waits for writes under way, then releases everything. Idempotent. */
  close(): Promise<void>;
}

export interface CatalogInfo {
  engine: 'sqlite' | 'mariadb';
  /** Identity of this catalog, made when it was created. */
  catalogId: string;
  /** Name of the newest migration applied. */
  schemaVersion: string;
}

// ---- lists ---------------------------------------------------------------------------------------------------------------

/**
 * One page of a keyset list. `after` is the position of the record the page starts beyond (exclusive), as `positionOf` gave it;
 * BACKWARD walks against the order, and its items still come in the order asked for (the page that ends just before `after`).
 */
export interface PageRequest<Filter, Field extends string> {
  filter?: Filter;
  order?: Order<Field>;
  /** 1 to 1000. */
  limit: number;
  after?: KeysetPosition | null;
  direction?: 'FORWARD' | 'BACKWARD';
}

export interface Order<Field extends string> {
  field: Field;
  direction: 'ASC' | 'DESC';
}

/** Where a record stands in an order: the order's value (null sorts lowest), then its id. */
export interface KeysetPosition {
  value: number | null;
  id: string;
}

export interface Page<Item> {
  items: Item[];
  /** True when more records follow in the direction walked. */
  hasMore: boolean;
}

export interface RecordList<Item, Filter, Field extends string> {
  find(id: string): Promise<Item | null>;
  /** Batch loader: the records in the order of the ids, null where there is none. One query. */
  findMany(ids: readonly string[]): Promise<(Item | null)[]>;
  /** Default order: createdAt DESC, newest first. Empty filter lists match nothing, absent ones everything. */
  list(request: PageRequest<Filter, Field>): Promise<Page<Item>>;
  count(filter?: Filter): Promise<number>;
  positionOf(item: Item, field?: Field): KeysetPosition;
}

// ---- jobs ----------------------------------------------------------------------------------------------------------------

export interface JobFilter {
  ids?: readonly JobId[];
  kinds?: readonly JobKind[];
  states?: readonly JobState[];
  sources?: readonly string[];
  backupIds?: readonly BackupId[];
  createdBy?: readonly string[];
  createdFrom?: Date;
  /** Exclusive. */
  createdBefore?: Date;
}

export type JobOrderField = 'CREATED_AT' | 'FINISHED_AT';

export interface JobRecords extends RecordList<JobRecord, JobFilter, JobOrderField> {
  statistics(): Promise<JobStatistics>;
  /**
   * Deletes finished jobs that ended before `finishedBefore`, with their events and idempotency keys; backups and restores stay.
   * Without a filter, older keys of deeds that needed no job go too. Returns how many jobs went.
   */
  deleteFinished(options: { finishedBefore: Date; filter?: JobFilter }): Promise<number>;
}

export interface JobStatistics {
  byState: Record<JobState, number>;
  byKind: { kind: JobKind; count: number }[];
  /** Creation of the oldest PENDING job that is due; null when none waits. */
  oldestPendingAt: Date | null;
  /** Over jobs that COMPLETED, from start to finish. */
  averageDurationMs: number | null;
}

// ---- backups -------------------------------------------------------------------------------------------------------------

export interface BackupFilter {
  ids?: readonly BackupId[];
  types?: readonly BackupType[];
  statuses?: readonly BackupStatus[];
  sources?: readonly string[];
  /** Backups that hold at least one of these. */
  dataTypes?: readonly DataType[];
  businessIds?: readonly string[];
  createdBy?: readonly string[];
  createdFrom?: Date;
  /** Exclusive. */
  createdBefore?: Date;
  /** Exclusive. */
  expiresBefore?: Date;
  /** True: only backups whose manifest the repository lacks; false: only others. */
  missing?: boolean;
  /** True: only backups that a legal hold keeps; false: only others. */
  onHold?: boolean;
  /** Every one of these labels with just this value. */
  labels?: Readonly<Record<string, string>>;
}

/** CREATED_AT is served by an index; the others sort what the filter leaves. */
export type BackupOrderField =
  'CREATED_AT' | 'COMPLETED_AT' | 'EXPIRES_AT' | 'STORED_BYTES' | 'RAW_BYTES' | 'ROW_COUNT';

export interface BackupRecords extends RecordList<BackupRecord, BackupFilter, BackupOrderField> {
  statistics(filter?: BackupFilter): Promise<BackupStatistics>;
  /** Businesses by number of their BUSINESS backups, most first. */
  statisticsByBusiness(options: { filter?: BackupFilter; limit: number }): Promise<BusinessCount[]>;
  /** Finished backups by creation time, in buckets of `bucketMs` aligned to the epoch; empty buckets are left out. */
  statisticsSeries(options: { filter?: BackupFilter; bucketMs: number }): Promise<BackupBucket[]>;
  /** COMPLETED backups past their `expiresAt` that no legal hold keeps, oldest expiry first. */
  listExpired(limit: number): Promise<BackupRecord[]>;
  /** What retention judges by: completed backups that are not missing, in no order; at most `limit`. */
  listRetained(options: { filter?: BackupFilter; limit: number }): Promise<RetainedBackup[]>;
  /**
   * Deletes the row of a backup that has no manifest: FAILED, CANCELLED or missing. False when there is no such row; throws
   * CONFLICT for any other state (those go through a CLEANUP job). The client's key is taken in the same transaction, unless it
   * throws: IDEMPOTENCY_KEY_REUSED when another input had it.
   */
  deleteUnstored(id: BackupId, idempotency?: IdempotencyClaim | null): Promise<boolean>;
  /**
   * Brings the index in line with the repository. Manifests without a row get one; rows of failed or cancelled jobs whose
   * manifest exists become COMPLETED; COMPLETED rows from before the call without a manifest are marked missing, and
   * unmarked when it is back. Nothing is deleted. Where `manifests` throws, nothing is marked missing and the error is passed on.
   * `storedIds`, asked after `manifests` has ended, names backups whose manifest can't be read as well: those are not missing.
   */
  reconcile(
    manifests: AsyncIterable<StoredManifest>,
    storedIds?: () => Promise<ReadonlySet<BackupId>>,
  ): Promise<ReconcileReport>;
}

export interface BackupStatistics {
  total: number;
  pending: number;
  running: number;
  /** COMPLETED and not expired. */
  completed: number;
  failed: number;
  cancelled: number;
  expired: number;
  /** Kept by a legal hold, whatever else they are. */
  onHold: number;
  missing: number;
  /** Sums over completed and expired ones. */
  rowCount: number;
  rawBytes: number;
  storedBytes: number;
  /** The same sums over those alone whose manifest says what they newly stored, and the largest `rawBytes` of one of them. */
  counted: { rawBytes: number; newRawBytes: number; storedBytes: number; largestRawBytes: number };
  byType: { type: BackupType; count: number; storedBytes: number }[];
  /** `newestReadAt` is of the newest restorable backup that holds all rows of the data type, not those of one business. */
  byDataType: { dataType: DataType; count: number; newestReadAt: Date | null }[];
  /** COMPLETED over COMPLETED and FAILED; null before the first. */
  successRate: number | null;
  averageDurationMs: number | null;
  /** `createdAt` of the oldest and newest restorable backup. */
  oldest: Date | null;
  newest: Date | null;
}

export interface BusinessCount {
  businessId: string;
  count: number;
  storedBytes: number;
}

export interface BackupBucket {
  from: Date;
  completed: number;
  failed: number;
  cancelled: number;
  rowCount: number;
  rawBytes: number;
  storedBytes: number;
  averageDurationMs: number | null;
}

export interface ReconcileReport {
  imported: BackupId[];
  /** Rows that a manifest brought to COMPLETED or that got their facts corrected. */
  updated: BackupId[];
  missing: BackupId[];
  unchanged: number;
}

// ---- legal holds -----------------------------------------------------------------------------------------------------------

/** An index: what is in force the repository decides. Each change is first made there, then here. */
export interface LegalHoldRecords {
  /** In the order of the ids, null where there is none. One query. */
  findMany(ids: readonly HoldId[]): Promise<(LegalHoldRecord | null)[]>;
  /** For each backup its holds, oldest first. One query. */
  ofBackups(ids: readonly BackupId[]): Promise<LegalHoldRecord[][]>;
  /** Idempotent. Takes the client's key in the same transaction; throws IDEMPOTENCY_KEY_REUSED when another input had it. */
  add(hold: LegalHold, idempotency: IdempotencyClaim | null): Promise<void>;
  /** The same for a hold that was released. */
  remove(id: HoldId, idempotency: IdempotencyClaim | null): Promise<void>;
  /**
   * Brings the index in line with the repository: adds what it lacks, and removes what was there before the call and is not among `holds`.
   * Where `holds` throws nothing is removed and the error is passed on.
   */
  reconcile(holds: AsyncIterable<LegalHold>): Promise<{ added: number; removed: number }>;
}

// ---- restores ------------------------------------------------------------------------------------------------------------

export interface RestoreFilter {
  ids?: readonly RestoreId[];
  states?: readonly JobState[];
  sources?: readonly string[];
  backupIds?: readonly BackupId[];
  businessIds?: readonly string[];
  /** Undos of one of these. */
  undoes?: readonly RestoreId[];
  createdBy?: readonly string[];
  createdFrom?: Date;
  /** Exclusive. */
  createdBefore?: Date;
}

export type RestoreOrderField = 'CREATED_AT' | 'FINISHED_AT';

export type RestoreRecords = RecordList<RestoreRecord, RestoreFilter, RestoreOrderField>;

/** Plans that a job completed; they stay when they can't be applied any more. */
export interface RestorePlanRecords {
  find(id: ChangeSetId): Promise<RestorePlanRecord | null>;
  /** In the order of the ids, null where there is none. One query. */
  findMany(ids: readonly ChangeSetId[]): Promise<(RestorePlanRecord | null)[]>;
}

/** Comparisons that a job completed; their counts stay when the rows are kept no longer. */
export interface ComparisonRecords {
  find(id: ChangeSetId): Promise<ComparisonRecord | null>;
  /** In the order of the ids, null where there is none. One query. */
  findMany(ids: readonly ChangeSetId[]): Promise<(ComparisonRecord | null)[]>;
}

// ---- exports -------------------------------------------------------------------------------------------------------------

/** Exports that a job completed; they stay when they can't be downloaded any more. */
export interface ExportRecords {
  find(id: ExportId): Promise<ExportRecord | null>;
  /** In the order of the ids, null where there is none. One query. */
  findMany(ids: readonly ExportId[]): Promise<(ExportRecord | null)[]>;
  /** Before the first byte goes. */
  beginDownload(exportId: ExportId, remoteAddress: string): Promise<DownloadId>;
  endDownload(id: DownloadId, end: DownloadEnd): Promise<void>;
  /** Newest first. */
  downloadsOf(exportId: ExportId, limit: number): Promise<ExportDownloadRecord[]>;
  countDownloads(exportId: ExportId): Promise<number>;
}

export type DownloadEnd = Pick<ExportDownloadRecord, 'bytes' | 'isComplete'>;

// ---- events --------------------------------------------------------------------------------------------------------------

export interface EventRecords {
  /**
   * A job's events after `after` in sequence; null means from the first one still kept. Throws NOT_FOUND for an unknown job,
   * INVALID_INPUT for a position the job has not reached, CURSOR_EXPIRED when events right after `after` were pruned.
   */
  ofJob(options: { jobId: JobId; after: number | null; limit: number }): Promise<JobEventsSlice>;
  /**
   * Events of all jobs after a global sequence; null means from the first one after which none is missing. Throws INVALID_INPUT or
   * CURSOR_EXPIRED likewise.
   */
  ofAll(options: { after: number | null; limit: number }): Promise<AllEventsSlice>;
  /** A job's events backwards, newest first, before `before`: for paging in the API. */
  latestOfJob(options: { jobId: JobId; before: number | null; limit: number }): Promise<JobEventRecord[]>;
  /** Deletes events older than `before`, oldest first and without leaving holes. Returns how many went. */
  prune(before: Date): Promise<number>;
}

export interface JobEventsSlice {
  events: JobEventRecord[];
  /** True when these events reach the job's last one ever: the job is finished and nothing follows. */
  complete: boolean;
}

export interface AllEventsSlice {
  events: JobEventRecord[];
  /** Global sequence that was read after. */
  start: number;
  /** Global sequence to go on after. */
  position: number;
}

// ---- queue: the one door of every transition ----------------------------------------------------------------------------

export interface JobQueue {
  /**
   * Writes the job, its backup or restore row (for BACKUP and RESTORE specs), its first event and the idempotency key. The same key
   * and input again gives the first call's records with `replayed: true`; with another input throws IDEMPOTENCY_KEY_REUSED.
   */
  enqueue(request: EnqueueRequest): Promise<Enqueued>;
  /**
   * What this key did before: the job it made, or that it needed none; null for a new key. Throws IDEMPOTENCY_KEY_REUSED when its
   * input was another.
   */
  findReplay(claim: IdempotencyClaim): Promise<Replay | null>;
  /**
   * PENDING becomes CANCELLED at once; RUNNING gets a request that its worker sees at its next heartbeat (or by the bus).
   * A CANCELLED job is answered as it is: asking twice is the same as once. Throws NOT_FOUND for an unknown job and NOT_CANCELABLE for
   * one that ended otherwise.
   */
  requestCancel(jobId: JobId): Promise<JobRecord>;
  /** Takes the oldest due PENDING job whose source has room; a clock that was set back delays none by more than MAX_PUT_OFF_MS; null when there is none. Safe among many processes. */
  claim(request: ClaimRequest): Promise<ClaimedJob | null>;
  /** Extends the lease. Throws LEASE_LOST when it is no longer held. */
  heartbeat(lease: Lease, leaseMs: number): Promise<{ cancelRequested: boolean }>;
  /** Writes progress or a log line as an event. Throws LEASE_LOST. */
  saveProgress(lease: Lease, update: ProgressUpdate): Promise<void>;
  /** Writes down what a cleanup is about to delete; to be called before the first one goes. Throws LEASE_LOST. */
  recordDeletion(lease: Lease, backupIds: readonly BackupId[]): Promise<void>;
  /** Ends the job and writes what it did, all or nothing. Throws LEASE_LOST. */
  settle(lease: Lease, outcome: Outcome): Promise<JobRecord>;
  /** RUNNING back to PENDING. Throws LEASE_LOST. */
  requeue(lease: Lease, options: RequeueOptions): Promise<JobRecord>;
  /**
   * Ends expired leases: back to PENDING while attempts are left, else FAILED with LEASE_LOST. A restore gets one more
   * attempt than its limit, and is never cancelled without one, since what it left half-done must be cleaned up. A cleanup that
   * had begun to delete gets as many as it takes until one says what is gone, a rehearsal until one has dropped its scratch schema.
   * Returns the jobs it touched.
   */
  reapExpired(): Promise<JobRecord[]>;
}

export interface EnqueueRequest {
  spec: JobSpec;
  createdBy: string;
  /** Default: MAX_ATTEMPTS of its kind. */
  maxAttempts?: number;
  idempotency?: IdempotencyClaim | null;
}

/** A client's key for one deed; `inputHash` is of the input without `waitFor`. */
export interface IdempotencyClaim {
  principal: string;
  mutation: string;
  key: string;
  inputHash: string;
}

export interface Replay {
  job: JobRecord | null;
}

export interface Enqueued {
  job: JobRecord;
  backup: BackupRecord | null;
  restore: RestoreRecord | null;
  replayed: boolean;
}

export interface ClaimRequest {
  /** Which process holds the lease; for people. */
  owner: string;
  leaseMs: number;
  /** RUNNING jobs at once on one source, over all processes. */
  concurrencyPerSource: number;
  kinds?: readonly JobKind[];
}

export interface ClaimedJob {
  job: JobRecord;
  lease: Lease;
  /** How its last attempt ended, where that failed or was never seen. */
  lastFailure: JobFailure | null;
}

export interface ProgressUpdate {
  type: Extract<JobEventType, 'PROGRESS' | 'LOG'>;
  progress: Progress;
  message?: string | null;
}

export interface RequeueOptions {
  /** At most MAX_PUT_OFF_MS ahead. */
  runAfter: Date;
  failure: JobFailure | null;
  message: string;
  /** True when the attempt was not the job's fault (shutdown): it is not counted. */
  refundAttempt?: boolean;
  /** True when the attempt is known to have deleted nothing of what the cleanup was about to. */
  nothingDeleted?: boolean;
}

export type Outcome =
  /** `followUp` is enqueued in the same transaction, in the name of whom the job was for. */
  | { state: 'COMPLETED'; effect: SettleEffect; message?: string; followUp?: JobSpec | null }
  | { state: 'FAILED'; failure: JobFailure }
  | { state: 'CANCELLED'; message?: string };

/** What a completed job changes beside itself, in the same transaction. */
export type SettleEffect =
  | { kind: 'BACKUP_STORED'; stored: StoredManifest }
  | { kind: 'COMPACTED'; stored: StoredManifest }
  | { kind: 'PLANNED'; planId: ChangeSetId; result: PlanResult }
  | { kind: 'COMPARED'; result: ComparisonResult }
  | { kind: 'RESTORED'; restoreId: RestoreId; result: RestoreResult }
  | { kind: 'VERIFIED'; backupId: BackupId; result: VerificationResult }
  | { kind: 'REHEARSED'; backupId: BackupId; result: RehearsalResult }
  | { kind: 'EXPORTED'; result: ExportResult }
  | { kind: 'BACKUPS_DELETED'; backupIds: readonly BackupId[]; result?: CleanupResult };
