/**
 * The source port: what the engine, the doctor and the services need of a database that holds risk data.
 * `sources/mysql` and `sources/sqlite` implement it; one contract suite runs against both.
 *
 * Errors, for every method: SOURCE_UNAVAILABLE (retryable) when the server can't be reached or the connection was cut;
 * SCHEMA_MISMATCH when mapping, structure and server disagree; CANCELLED when the signal aborted. A cancelled or broken
 * connection is destroyed, never reused.
 */
import type { DataType } from './data-type';
import type { Invariant, InvariantCheck } from './invariant';
import type { SourceMapping } from './mapping';
import type { RowBatch, RowCodec, KeyRange, RowScope, KeyBytes, WrittenRows } from './rows';
import type { ForeignKey, TableStructure } from './table';

export type SourceKind = 'mysql' | 'mariadb' | 'sqlite';

/** How a consistent read was had, best first. */
export type ConsistencyMethod =
  | 'BACKUP_STAGE' // MariaDB: BACKUP STAGE BLOCK_COMMIT around opening N snapshots
  | 'GLOBAL_READ_LOCK' // FLUSH TABLES WITH READ LOCK around opening N snapshots
  | 'MATCHING_POSITIONS' // MariaDB: N snapshots whose binary-log file and position agree
  | 'SINGLE_CONNECTION' // one snapshot on one connection
  | 'SQLITE_SNAPSHOT'; // one read transaction of a SQLite database

/** Where the source's binary log stood at the consistent read. */
export interface LogPosition {
  file: string;
  offset: string;
  gtid?: string;
  serverId: string;
  /** What the server calls itself beside its number, where it does. */
  serverUid?: string;
  /** When the log file was created, RFC 3339: after RESET MASTER names repeat. Absent: this user may not read the log. */
  createdAt?: string;
  /** True where XA transactions stood prepared, or could have: their rows may be logged before this position and appear after it. */
  preparedXa?: true;
}

/** A key in the log. */
export interface LoggedKey {
  key: KeyBytes;
  /** Whether a row with exactly this key was there just before it was logged. Of a key's first time: whether the earlier read has it. */
  was: boolean;
}

/**
 * Values that rows of a table may refer to, whom the source then changes without logging it. GONE: a row with these values was
 * deleted; CHANGED: it got others; MET: they stand in the log, as those of a row that may itself have been deleted without a log.
 */
export interface ReferencedValues {
  seen: 'GONE' | 'CHANGED' | 'MET';
  /** The referring table, one of those asked for. */
  child: string;
  key: ForeignKey;
  /** The encoded fields of the key's columns, in its order, as rows of the child hold them. */
  values: KeyBytes[];
}

/** A foreign key between two of the tables asked for, by which deleting a row sets something off. */
export interface Cascade {
  parent: string;
  child: string;
  key: ForeignKey;
}

export interface ReadChangeLogOptions {
  /** Where an earlier consistent read stood. */
  from: LogPosition;
  /** Where a later one stands, which is best still open: its locks keep the tables as `tables` says. */
  to: LogPosition;
  /** As the later read has them. */
  tables: readonly TableStructure[];
  /** Told as the log is read, in its order, the same key as often as it is met; awaited, so that keys can be put away. */
  onKeys: (table: string, keys: LoggedKey[]) => void | Promise<void>;
  /**
   * Told as `onKeys` is, of rows that the source changes by itself: the caller then sees to the rows of the earlier read that refer to the
   * values, and, where those were deleted, by `ChangeLogReport.cascades` to those that refer to them. Absent: nobody does; tables with such rows are given up.
   */
  onReferences?: (told: ReferencedValues) => void | Promise<void>;
  signal?: AbortSignal;
}

/** What the log could not tell, and how much of it was read. */
export interface ChangeLogReport {
  /** Tables whose changes the log does not hold in full, each with the reason, for an operator; what was told of them is void. */
  unusable: Map<string, string>;
  cascades: readonly Cascade[];
  events: number;
  bytes: number;
}

export interface SourceInfo {
  kind: SourceKind;
  version: string;
  schema: string;
}

/** One thing wrong with the mapping: what, where and what to do. */
export interface MappingProblem {
  table: string;
  problem:
    'NO_SUCH_TABLE' | 'NO_KEY' | 'NO_SUCH_COLUMN' | 'NULL_IN_KEY' | 'NOT_TRANSACTIONAL' | 'NOT_A_TABLE' | 'UNSUPPORTED';
  message: string;
  hint: string;
}

/** What `npm run doctor` shows of a source. `statement` is what an administrator can run to mend it. */
export interface SourceFinding {
  check: string;
  ok: boolean;
  severity: 'ERROR' | 'WARNING' | 'INFO';
  message: string;
  statement?: string;
}

export interface Source {
  readonly name: string;
  /** As it is configured now. */
  readonly mapping: SourceMapping;
  readonly codec: RowCodec;
  /** True where the tables' triggers run on what a change writer writes. */
  readonly firesTriggers?: boolean;
  /** What its settings say must hold of restored rows. */
  readonly invariants: readonly Invariant[];
  info(signal?: AbortSignal): Promise<SourceInfo>;
  /** Compares the mapping with the live schema; an empty list means every mapped table can be backed up. */
  checkMapping(signal?: AbortSignal): Promise<MappingProblem[]>;
  diagnose(signal?: AbortSignal): Promise<SourceFinding[]>;
  /** Rows of each mapped table as far as it can be told cheaply; a table that is missing, or whose size nobody knows, is absent. */
  estimateRows(signal?: AbortSignal): Promise<Map<string, number>>;
  /** Opens one moment of the source on up to `connections` connections. Throws SCHEMA_MISMATCH for mapping problems. */
  openConsistentRead(options: OpenReadOptions): Promise<ConsistentRead>;
  /**
   * Tells keys of rows that may have changed between two consistent reads, from the source's own log. Every row of a table that
   * is not `unusable` whose bytes differ between the reads, or that is in one of them alone, is among them; others may be too:
   * the later read has the truth. Reads no further than `to` and waits for nothing. Absent: the source keeps no such log.
   */
  readChangeLog?(options: ReadChangeLogOptions): Promise<ChangeLogReport>;
  /** State of each named table in `schema` (default: the source's own): decides between bulk and in-place writing. */
  tableStates(tables: readonly string[], schema?: string): Promise<Map<string, TableState>>;
  openBulkWriter(options: BulkWriteOptions): Promise<BulkWriter>;
  openChangeWriter(options: ChangeWriteOptions): Promise<ChangeWriter>;
  /**
   * Cleans up whatever an interrupted writer of this job left (staging tables, half-filled tables that were empty,
   * tables that it created and did not fill, an unfinished scratch schema) and says how the job stands. Idempotent.
   */
  recoverWrite(jobId: string): Promise<WriteRecovery>;
  /**
   * Ids of jobs whose writing into the source's own schema has begun and not ended: it goes on, or was cut off, and `recoverWrite` settles
   * it. Absent: what is cut off leaves nothing there.
   */
  unfinishedWrites?(): Promise<string[]>;
  /** For each of the tables, in any case of letters, the others that have a foreign key to it; of other schemas as `schema.table`. */
  referringTables(tables: readonly string[], signal?: AbortSignal): Promise<Map<string, string[]>>;
  /**
   * Drops those of the tables that have no row and to which no other table refers, all of these among themselves included. Gives those
   * that stay, each with the reason, for an operator. Idempotent: one that is gone already is no reason.
   */
  dropEmptyTables(tables: readonly string[]): Promise<Map<string, string>>;
  /** Drops a scratch schema that a restore of this program made; refuses any other with INVALID_INPUT. */
  dropScratch(schema: string): Promise<void>;
  /** Names of the schemas beside the source's own that begin so, as far as its user sees them: scratch schemas, marked or not, whole or not. */
  scratchesNamed(prefix: string): Promise<string[]>;
  /**
   * Drops the scratch schema of that name if this job made it, however far it came: also one that was cut off before it could be marked.
   * One of another is CONFLICT. Idempotent: no schema is fine. Waits for whoever uses it for seconds only, then throws a retryable error.
   */
  discardScratch(schema: string, jobId: string): Promise<void>;
  /**
   * Asks each invariant of a scratch schema, as its current one, by a session that can only read and whose statements end after the time
   * that the settings give (on SQLite they run to their end). What the statement itself is refused for is its verdict, no error. Once it
   * resolves or throws, nothing of it goes on.
   */
  checkInvariants(options: CheckInvariantsOptions): Promise<InvariantCheck[]>;
  /** Bytes that a scratch schema has room for. Absent: nobody can tell. */
  freeBytes?(): Promise<number>;
  /** Releases everything; open reads and writers are destroyed. Idempotent. */
  close(): Promise<void>;
}

export type TableState = 'MISSING' | 'EMPTY' | 'FILLED';
/** COMMITTED: the job's writing is in the database; ABSENT: nothing of it is; UNKNOWN: no marker could be kept. */
export type WriteRecovery = 'COMMITTED' | 'ABSENT' | 'UNKNOWN';

export interface OpenReadOptions {
  dataTypes: readonly DataType[];
  /** Only these of the mapped tables; problems of the others don't matter. Absent: all tables of the data types. */
  tables?: readonly string[];
  /** Reader connections wanted; a source may give fewer (`ConsistentRead.lanes`). */
  connections: number;
  /** Bytes per second over all lanes; absent: unthrottled. */
  maxBytesPerSecond?: number;
  maxRowsPerSecond?: number;
  signal?: AbortSignal;
}

export interface ConsistentRead {
  readonly consistency: ConsistencyMethod;
  /** How many `readRows` may run at once; a further one waits for a free lane. */
  readonly lanes: number;
  /** The moment of the source that this read shows, by the source's clock. */
  readonly readAt: Date;
  readonly position: LogPosition | null;
  /** Structures of the mapped tables of the data types asked for, parents before children where acyclic. */
  readonly tables: readonly TableStructure[];
  /**
   * Splits a table into key ranges of roughly `targetBytes`, in key order, that together cover it exactly once. The same
   * data gives the same ranges, and growth at the end moves none of the earlier ones.
   */
  planRanges(table: TableStructure, targetBytes: number): Promise<KeyRange[]>;
  /** Rows of the table in key order, encoded. Breaking out early destroys the lane's connection or resets it cleanly. */
  readRows(table: TableStructure, options: ReadRowsOptions): AsyncIterable<RowBatch>;
  /** Reading by key, of tables whose changes the source's log can tell. Absent where the source can't put keys in their order. */
  readonly byKey?: KeyedRead;
  /** Ends the snapshot. Idempotent. */
  close(): Promise<void>;
}

/** Takes the lanes that `readRows` takes. */
export interface KeyedRead {
  /**
   * For each key, of rows that are there or not, how many of `bounds` stand at or before it, as the source orders the table's rows and
   * ranges; null where one of these keys is such that the source can't tell for certain. Throws INTEGRITY_FAILURE where the bounds
   * themselves do not stand in that order.
   */
  placeKeys(table: TableStructure, placing: KeyPlacing): Promise<Uint32Array | null>;
  /**
   * The rows that have one of the keys and are within the range; also rows whose keys only a collation calls equal. In key order where
   * the keys are given so, range by range.
   */
  readKeys(table: TableStructure, options: ReadKeysOptions): AsyncIterable<RowBatch>;
}

export interface KeyPlacing {
  keys: readonly KeyBytes[];
  /** In key order. */
  bounds: readonly KeyBytes[];
  signal?: AbortSignal;
}

export interface ReadKeysOptions {
  keys: readonly KeyBytes[];
  range: KeyRange;
  signal?: AbortSignal;
}

export interface ReadRowsOptions {
  range?: KeyRange;
  /** Only rows that have one of these keys; rows whose keys only a collation calls equal may be among them. They come in no order. */
  keys?: readonly KeyBytes[];
  /** Columns that `keys` are values of, encoded as keys are; absent: the key's. */
  keyedBy?: readonly string[];
  scope?: RowScope;
  signal?: AbortSignal;
}

export interface BulkWriteOptions {
  jobId: string;
  /** A scratch schema to create and fill; absent: the source's own schema, whose tables must be missing or empty. */
  scratchSchema?: string;
  tables: readonly TableStructure[];
  /** Which of the tables' rows are loaded. With all of them, what other tables refer to must be among them. Default: all. */
  scope?: WrittenRows;
  connections: number;
  /** Told of every foreign key of the tables that rows break, which then fails nothing. Absent: `finishTables` throws. */
  onBrokenReference?: (broken: BrokenReference) => void;
  signal?: AbortSignal;
}

/** A foreign key by which rows of a loaded table refer to rows that are not there. */
export interface BrokenReference {
  table: string;
  key: Pick<ForeignKey, 'name' | 'columns' | 'referencedTable'>;
  rowCount: number;
  /** Keys of the first of these rows, as text, where the source can tell them. */
  firstKeys: string[];
}

export interface CheckInvariantsOptions {
  schema: string;
  invariants: readonly Invariant[];
  signal?: AbortSignal;
}

/**
 * Loads whole tables: rows first, secondary indexes after, foreign keys last, proven by anti-join, those of other tables that
 * refer to the loaded ones included (but not into a scratch schema, nor for a part of the rows). It can't be one transaction; until `publish` resolves nothing of it may be taken for restored, and `abort` (or `recoverWrite` after a crash) removes it.
 */
export interface BulkWriter {
  readonly lanes: number;
  /** Tables to which tables may refer that the source's user can't see, so that those references were not proven. Absent: none. */
  readonly unproven?: ReadonlySet<string>;
  /** Loads rows, in key order within one call; calls for different ranges of a table may run at once, up to `lanes`. */
  load(table: TableStructure, rows: AsyncIterable<RowBatch>): Promise<number>;
  /** Builds indexes, before the loaded rows are read back. */
  finishLoading(table: TableStructure): Promise<void>;
  /**
   * Adds foreign keys and triggers, proves references; CONFLICT names table, constraint and count. The caller then reads back
   * through `openReadBack`, then publishes.
   */
  finishTables(): Promise<void>;
  /** A read of what was loaded, before it is published; for the engine's count and hash of what it wrote. */
  openReadBack(): Promise<ConsistentRead>;
  /** Renames staged tables in, removes the journal. After it the restore exists. */
  publish(): Promise<void>;
  abort(): Promise<void>;
}

export interface ChangeWriteOptions {
  jobId: string;
  tables: readonly TableStructure[];
  /**
   * Those of `tables` that are missing: they come into being empty, and are gone again unless the changes are committed. One that
   * is there by now throws PLAN_DRIFTED.
   */
  missing?: readonly string[];
  /** Which of the tables' rows are written. With all of them, what other tables refer to in missing ones must be among them. */
  scope?: WrittenRows;
  signal?: AbortSignal;
}

/**
 * Applies listed differences in one transaction. Every old row given is locked and compared byte for byte with the live one:
 * any difference throws PLAN_DRIFTED and the caller rolls back. Foreign keys are checked once, before COMMIT.
 */
export interface ChangeWriter {
  /** As `BulkWriter.unproven`, of the tables that lost rows or came into being. */
  readonly unproven?: ReadonlySet<string>;
  /** Deletes the rows whose full old images are given. */
  deleteRows(table: TableStructure, oldRows: RowBatch): Promise<void>;
  /** Replaces each old row by the new row at the same index (same key), naming every stored column. */
  updateRows(table: TableStructure, oldRows: RowBatch, newRows: RowBatch): Promise<void>;
  /** Inserts rows; an existing key throws PLAN_DRIFTED. */
  insertRows(table: TableStructure, rows: RowBatch): Promise<void>;
  /** A read inside the transaction: what would be committed. */
  readRows(table: TableStructure, options: ReadRowsOptions): AsyncIterable<RowBatch>;
  /** How many rows the table would have. */
  countRows(table: TableStructure): Promise<number>;
  /** Checks every reference that the changes could have broken, with locking reads; throws CONFLICT naming the first ones. */
  checkReferences(): Promise<void>;
  /** Resolves when the commit is certain; a lost acknowledgement is settled by the marker row before it resolves or throws. */
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

export type { KeyBytes };
