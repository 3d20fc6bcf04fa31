/**
 * What the engine needs of the world around it, no more: the narrow ports its callers must give. Nothing here knows a
 * catalog, an API or a particular database.
 */
import type { Clock, Log, Random } from '../domain/ambient';
import type { BackupDeletion, BackupStore, DamageFinding, StoreWait } from '../domain/backup-store';
import type { AppError } from '../domain/errors';
import type { BackupId } from '../domain/ids';
import type { Source } from '../domain/source';
import type { TaskHooks } from '../domain/task';
import type { ProgressMeter } from './progress';

export interface StoreCheckOptions {
  level: 'STRUCTURE' | 'DATA';
  backupIds?: readonly BackupId[];
  signal?: AbortSignal;
  onProgress?(done: { checkedBytes: number; totalBytes: number | null }): void;
}

export interface StoreCheck {
  findings: DamageFinding[];
  /** Packs whose damage concerns the backups asked for: at DATA all that hold anything of them or of their indexes. */
  neededPacks: ReadonlySet<string>;
  checkedChunks: number;
  checkedBytes: number;
}

/** The store port of the domain and what verifying and cleaning up need beside it. */
export interface EngineStore extends BackupStore {
  check(options: StoreCheckOptions): Promise<StoreCheck>;
  /** Every backup that has a manifest, readable or not. A listing that may be incomplete throws. */
  storedBackupIds(): Promise<ReadonlySet<BackupId>>;
  /** For deleting backups, many by one listing. */
  beginDeletion(wait?: StoreWait): Promise<BackupDeletion>;
  /** Backups that a legal hold keeps. */
  heldBackupIds(): Promise<ReadonlySet<BackupId>>;
  /** What deleting these backups would let collections free, and what would be dead in packs that stay. */
  freedBy(backupIds: readonly BackupId[], signal?: AbortSignal): Promise<{ freedBytes: number; deadBytes: number }>;
  /** Removes what an unfinished replacement of the backup's manifest left. Idempotent. */
  removeSuperseded(backupId: BackupId): Promise<void>;
  /** Removes packs of which nothing is needed past their grace period, and rewrites mostly dead ones; with `dryRun` only counts them. */
  collectGarbage(options: { dryRun: boolean; signal?: AbortSignal }): Promise<StoreCollection>;
}

export interface StoreCollection {
  freedBytes: number;
  rewrittenPacks: number;
  rewrittenBytes: number;
  /** Packs that should be rewritten and cannot be, since chunks of them do not read. */
  damagedPacks: readonly string[];
}

/** How hard one job may use a source. */
export interface SourceLimits {
  connections: number;
  maxBytesPerSecond?: number;
  maxRowsPerSecond?: number;
}

export interface EngineDeps {
  /** Opens, or gives the open, source of that name; throws NOT_FOUND for a name that is not configured. */
  source(name: string): Promise<Source>;
  limits(name: string): SourceLimits;
  store(): Promise<EngineStore>;
  clock: Clock;
  random: Random;
  log: Log;
  /** Folder for differences spooled to disk. */
  tempDir: string;
  /** Program and version, written into manifests, e.g. `riskvault 0.1.0`. */
  writtenBy: string;
}

/** One running task: its dependencies, its hooks and its progress. */
export interface TaskContext {
  deps: EngineDeps;
  hooks: TaskHooks;
  signal: AbortSignal;
  progress: ProgressMeter;
  /** Set just before a commit is sent: from then on a failure must not be told as a clean cancellation. */
  committing: boolean;
  /** Why something of a failed write may still be in the source: then the failure is no clean cancellation either. */
  undoFailure?: AppError;
}
