/** What the services need of the rest of the program, each as narrow as its use. The composition root fills them in. */
import type { JobEventRecord } from '../catalog/catalog';
import type { BackupId, JobId } from '../domain/ids';
import type { LegalHold } from '../domain/legal-hold';
import type { SourceMapping } from '../domain/mapping';
import type { MappingProblem, SourceInfo } from '../domain/source';

/** One configured source. */
export interface SourcePort {
  readonly name: string;
  readonly mapping: SourceMapping;
  /** The schema that it backs up, as its URL names it; a scratch schema must be another. */
  readonly schema: string;
  /** Throws SOURCE_UNAVAILABLE. */
  info(signal?: AbortSignal): Promise<SourceInfo>;
  /** Throws SOURCE_UNAVAILABLE. */
  checkMapping(signal?: AbortSignal): Promise<MappingProblem[]>;
  /** Rows by table, as the database's own statistics tell. Throws SOURCE_UNAVAILABLE. */
  estimateRows(signal?: AbortSignal): Promise<ReadonlyMap<string, number>>;
}

export interface RepositoryFacts {
  formatVersion: number;
  encrypted: boolean;
  compression: 'zstd' | 'none';
}

export interface RepositoryPort {
  /** Where it is, without secrets. */
  readonly location: string;
  /** Throws REPOSITORY_UNAVAILABLE, WRONG_PASSPHRASE, FORMAT_TOO_NEW. */
  facts(): Promise<RepositoryFacts>;
  /** Bytes that can still be stored; null where nobody knows. Throws as `facts`. */
  freeBytes(): Promise<number | null>;
  /** Lists all packs: for whoever asks, not for every look. Throws as `facts`. */
  usage(): Promise<RepositoryUsage>;
  /**
   * Once it resolves nothing deletes the backup until the hold is released; gives the hold that stands where the very same one was placed
   * before. Throws NOT_FOUND where the backup has no manifest, REPOSITORY_FULL, and as `facts`.
   */
  placeHold(hold: LegalHold): Promise<LegalHold>;
  /** Null where there is no such hold. Throws as `facts`. */
  releaseHold(hold: Pick<LegalHold, 'backupId' | 'holdId'>): Promise<LegalHold | null>;
  /**
   * What deleting these backups would free, reckoned from all manifests and layer indexes off the event loop: it may take long. Throws
   * CANCELLED once the signal aborted, INTEGRITY_FAILURE, and as `facts`.
   */
  freedBy(backupIds: readonly BackupId[], signal: AbortSignal): Promise<FreedBytes>;
}

export interface FreedBytes {
  /** What collections give back, each pack after its grace period. */
  freedBytes: number;
  /** Of chunks that nothing would need any more, in packs that stay as they are because of others. */
  deadBytes: number;
}

/** What is really stored, whatever backups refer to it. */
export interface RepositoryUsage {
  packCount: number;
  packBytes: number;
}

/**
 * Replay and then live, without a gap or a repeat; bounded memory. Ends after the job's last event, or when the signal aborts. Each
 * throws what `EventRecords` of the catalog throws.
 */
export interface EventFeed {
  ofJob(options: { jobId: JobId; after: number | null; signal: AbortSignal }): AsyncIterable<JobEventRecord>;
  ofAll(options: { after: number | null; signal: AbortSignal }): AsyncIterable<JobEventRecord>;
}
