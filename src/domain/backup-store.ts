/**
 * The store port: what the engine needs of a repository. `repository` implements it. It knows chunks, layers and manifests, and
 * nothing of rows.
 *
 * Errors: REPOSITORY_UNAVAILABLE (retryable), REPOSITORY_FULL, WRONG_PASSPHRASE, FORMAT_TOO_NEW, INTEGRITY_FAILURE with the
 * damaged object's name, NOT_FOUND for a backup that is not there.
 */
import type { ChangeSet, RowListRef, StoredChangeSet } from './change-set';
import type { BackupId, ChangeSetId } from './ids';
import type { ChunkId, LayerRef, Manifest, StoredManifest } from './manifest';
import type { KeyBytes } from './rows';

/** One chunk of a layer as its index lists it; entries stand in key order. */
export interface ChunkEntry {
  id: ChunkId;
  rowCount: number;
  rawBytes: number;
  firstKey: KeyBytes;
  lastKey: KeyBytes;
}

/** One page of a layer's index. */
export interface LayerPage {
  /** 0: the entries are chunks; else pages of the level below, with the sums of what they list. */
  level: number;
  entries: ChunkEntry[];
}

export interface PutResult {
  id: ChunkId;
  /** Bytes that this chunk added to the repository: 0 when it was there already. */
  storedBytes: number;
}

/** How to wait while a collection deletes packs; it may take as long as 20 minutes where another machine crashed in it. */
export interface StoreWait {
  signal?: AbortSignal;
  /** Called once, when there is something to wait for. */
  onWaiting?(): void;
}

/** Deletes backups of one moment: what came into being later it does not know. */
export interface BackupDeletion {
  /** Deletes the backup's manifest: from then on the backup is gone. Idempotent. Throws LEGAL_HOLD where one is placed. */
  delete(backupId: BackupId): Promise<void>;
}

/** While it is held no pack goes, so that what was proven to be there can be read. */
export interface ReadLease {
  /** Idempotent. */
  release(): Promise<void>;
}

export interface BackupStore {
  /** Seed of the chunk boundary hash, fixed for the repository's life; secret where it is encrypted. 32 bits, unsigned. */
  readonly chunkSeed: number;
  /** Opens a writing session under a shared lease; the packs it writes are garbage until `commit`. */
  beginWrite(backupId: BackupId, wait?: StoreWait): Promise<BackupWriteSession>;
  /** A shared lease for long reads, e.g. `restore <job id>`. A repository that takes no writes is read without one. */
  beginRead(purpose: string, wait?: StoreWait): Promise<ReadLease>;
  /** Every manifest, unordered, each verified; damaged ones are reported to `onDamaged` and skipped. */
  listManifests(onDamaged?: (name: string, error: unknown) => void): AsyncIterable<StoredManifest>;
  findManifest(backupId: BackupId): Promise<StoredManifest | null>;
  /** The chunks of a layer in key order, or those of a list of rows, read page by page. */
  layerEntries(layer: Pick<LayerRef, 'root'>): AsyncIterable<ChunkEntry>;
  /**
   * Positions within their layer, ascending, of the chunks that a value index lists under any of these numbers, which ascend;
   * null for more than `limit`. Reads only the pages it needs.
   */
  listedChunks(root: ChunkId, numbers: Uint32Array, limit: number): Promise<Uint32Array | null>;
  /** A page by its id: a layer's root, or an entry of a page above. For whoever needs a part of a layer alone. */
  layerPage(id: ChunkId): Promise<LayerPage>;
  /** A chunk's content, decrypted, decompressed and proven equal to its id; throws INTEGRITY_FAILURE otherwise. */
  readChunk(id: ChunkId): Promise<Buffer>;
  /** Opens a writing session for the rows of a change set; what it writes is garbage until `commitChangeSet`. */
  beginChangeSet(changeSetId: ChangeSetId, wait?: StoreWait): Promise<ChangeSetWriteSession>;
  /** Expired or not: the caller looks. */
  findChangeSet(changeSetId: ChangeSetId): Promise<StoredChangeSet | null>;
  /** Its rows go by collection. Idempotent. */
  deleteChangeSet(changeSetId: ChangeSetId): Promise<void>;
  /** The id that `payload` has or would have. */
  chunkId(payload: Buffer): ChunkId;
}

export interface BackupWriteSession {
  /** Stores a chunk unless one of the same content is stored already. May be called concurrently; bounded inside. */
  putChunk(payload: Buffer): Promise<PutResult>;
  /** Builds a layer index from entries added in key order; `finish` stores its pages and gives the reference. */
  buildLayer(kind: LayerRef['kind']): LayerBuilder;
  /** Builds a value index; `finish` stores its pages and gives the root. */
  buildValueIndex(): ValueIndexBuilder;
  /** Bytes newly stored so far, index pages and pack overhead included. */
  storedBytes(): number;
  /**
   * Makes every pack durable, reads it back and verifies it, then writes the manifest: after it resolves the backup exists.
   * `storedBytes` of the manifest is filled in here.
   */
  commit(manifest: Omit<Manifest, 'storedBytes'>): Promise<StoredManifest>;
  /**
   * As `commit`, for a backup that exists already: writes the next generation of its manifest in place of `current`, and removes those
   * below. `storedBytes` grows by what this session stored. Throws NOT_FOUND where the backup was deleted meanwhile, CONFLICT (retryable)
   * where another generation came first; then that is what counts.
   */
  commitNext(manifest: Omit<Manifest, 'storedBytes'>, current: StoredManifest): Promise<StoredManifest>;
  /** Removes what was written and not committed, and gives up the lease. Idempotent; harmless after `commit`. */
  abort(): Promise<void>;
}

export interface ChangeSetWriteSession extends Pick<BackupWriteSession, 'putChunk' | 'abort'> {
  /** Lists chunks of rows; `finish` stores the list's pages. */
  buildRowList(): RowListBuilder;
  /** As `commit`: after it resolves the change set exists. CONFLICT where one of its id does already. */
  commitChangeSet(changeSet: ChangeSet): Promise<StoredChangeSet>;
}

export interface RowListBuilder {
  add(chunk: Pick<ChunkEntry, 'id' | 'rowCount' | 'rawBytes'>): Promise<void>;
  finish(): Promise<RowListRef>;
}

export interface LayerBuilder {
  add(entry: ChunkEntry): Promise<void>;
  finish(): Promise<LayerRef>;
}

export interface ValueIndexBuilder {
  /**
   * Takes pairs of a number and the position of a chunk within its layer, back to back, ascending by number, then by position, over all
   * calls. A pair that repeats the one before counts once.
   */
  add(pairs: Uint32Array): Promise<void>;
  /** Null where nothing was added. */
  finish(): Promise<ChunkId | null>;
}

/** One thing a check found, with every backup that it hurts. */
export interface DamageFinding {
  /** Object name within the repository, e.g. `packs/3f/3f….pack`. */
  object: string;
  problem: 'MISSING' | 'DAMAGED' | 'UNREADABLE' | 'UNEXPECTED';
  message: string;
  /** Backups that can't be restored whole because of it. */
  backupIds: BackupId[];
}
