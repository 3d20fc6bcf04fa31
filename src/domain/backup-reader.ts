/**
 * The port by which records of backups are read without restoring anything. The engine answers, off the API's event loop; each answer
 * reads within limits and says where to go on.
 */
import type { RowChangeKind } from './change-set';
import type { DataType } from './data-type';
import type { BackupId, ChangeSetId } from './ids';
import type { RecordFilter } from './record-filter';
import type { ConflictsFound, ConflictsWanted } from './restore-conflict';
import type { ValueKind } from './table';
import type { FieldChange, JsonRow, JsonValue } from './values';

/** The next row to look at. Good for one state of the backup's layers: what they hold never changes. */
export interface RecordPlace {
  /** Beginning of the manifest's checksum: compacting the backup makes another. */
  state: string;
  /** Which key range of the table, and which row within it. */
  span: number;
  row: number;
}

export interface RecordsWanted {
  backupId: BackupId;
  dataType: DataType;
  table: string;
  /** Only rows of this business. */
  businessId: string | null;
  filter: RecordFilter | null;
  /** At most so many; fewer where a limit of reading comes first. */
  limit: number;
  from: RecordPlace | null;
}

export interface RecordColumn {
  name: string;
  /** As the source declares it, e.g. `decimal(7,4)`. */
  type: string;
  kind: ValueKind;
  isNullable: boolean;
  isKey: boolean;
}

export interface FoundRecord {
  /** Its key's fields, in the key's order. */
  key: JsonRow;
  fields: JsonRow;
  /** Right behind it. */
  next: RecordPlace;
}

export interface RecordsFound {
  columns: RecordColumn[];
  records: FoundRecord[];
  /** Where to go on; null where nothing is left. */
  next: RecordPlace | null;
}

export interface HistoryWanted {
  source: string;
  dataType: DataType;
  table: string;
  /** Names that the table had before, under which older backups hold it. */
  formerly?: readonly string[];
  /** The key's fields by column, or the value alone where the key is one column. */
  key: JsonValue;
  /** Versions, at most so many. */
  limit: number;
  from: HistoryPlace | null;
}

/** A record as it was, the same, in backups one after the other. */
export interface RecordVersion {
  /** Null: it was gone. */
  fields: JsonRow | null;
  /** Columns that differ from the version before; none of the first, of one that was gone, and of one after that. */
  changedFields: string[];
  firstBackupId: BackupId;
  lastBackupId: BackupId;
  /** The moments of the source that the two show, RFC 3339. */
  firstSeenAt: string;
  lastSeenAt: string;
}

/** The version that begins with `run`, as far as it was followed. */
export interface HistoryPlace {
  run: BackupId | null;
  /** The last backup looked at. */
  seen: BackupId;
  /** Whether the version was given to the caller. */
  isGiven: boolean;
  /** A backup of the version before it, where that was not null and `run` was not given. */
  before: BackupId | null;
}

export interface HistoryFound {
  versions: RecordVersion[];
  next: HistoryPlace | null;
}

/** Rows in which the two states of a comparison differ. */
export interface ChangesWanted {
  comparisonId: ChangeSetId;
  /** Null: of all. */
  dataType: DataType | null;
  table: string | null;
  /** At least one. */
  kinds: readonly RowChangeKind[];
  /** At most so many; fewer where a limit of reading comes first. */
  limit: number;
  from: ChangePlace | null;
}

/** The next change to look at, good for the same tables and kinds. */
export interface ChangePlace {
  /** Which of the lists of rows, in the order of the tables. */
  list: number;
  /** Which key range, where the list is all rows of a table. */
  span: number;
  row: number;
}

export interface FoundChange {
  dataType: DataType;
  table: string;
  kind: RowChangeKind;
  /** Its key's fields, in the key's order. */
  key: JsonRow;
  /** Null of one that was added. */
  before: JsonRow | null;
  /** Null of one that was removed. */
  after: JsonRow | null;
  /** Of one that changed: the compared columns that differ. */
  fields: FieldChange[];
  /** Right behind it. */
  next: ChangePlace;
}

export interface ChangesFound {
  changes: FoundChange[];
  /** Where to go on; null where nothing is left. */
  next: ChangePlace | null;
}

export interface BackupReader {
  /**
   * Rows of one table in the order of its key ranges; within a range in the order of keys where the program knows it, else in one that stays.
   * Throws INVALID_INPUT for columns, comparators and values that the table has not (with the filter's path), and for a business of a table
   * whose rows belong to none; NOT_FOUND where the backup or its table is not there; CURSOR_EXPIRED for a place in another state of the
   * backup; INTEGRITY_FAILURE naming what is damaged; CANCELLED once the signal aborted.
   */
  findRecords(wanted: RecordsWanted, signal: AbortSignal): Promise<RecordsFound>;
  /**
   * Versions of one record in the backups of a source that can be read, oldest first; backups of one business tell only where they have it.
   * Throws INVALID_INPUT with the path `key` for what is no key of the table, NOT_FOUND where no backup holds the table, CURSOR_EXPIRED where
   * a backup that the place names has gone; and as `findRecords`.
   */
  findHistory(wanted: HistoryWanted, signal: AbortSignal): Promise<HistoryFound>;
  /**
   * Table by table what was removed, what changed, what was added. Throws NOT_FOUND where the comparison is kept no longer, INTEGRITY_FAILURE
   * naming what is damaged, CANCELLED once the signal aborted.
   */
  findChanges(wanted: ChangesWanted, signal: AbortSignal): Promise<ChangesFound>;
  /**
   * Of a three-way plan, rows in conflict, table by table. Throws PLAN_EXPIRED where it is kept no longer, INTEGRITY_FAILURE where it is
   * damaged, CANCELLED once the signal aborted.
   */
  findConflicts(wanted: ConflictsWanted, signal: AbortSignal): Promise<ConflictsFound>;
}
