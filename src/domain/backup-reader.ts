/**
 * The port by which records of backups are read without restoring anything. The engine answers, off the API's event loop; each answer
 * reads within limits and says where to go on.
 */
import type { DataType } from './data-type';
import type { BackupId } from './ids';
import type { RecordFilter } from './record-filter';
import type { ValueKind } from './table';
import type { JsonRow } from './values';

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

export interface BackupReader {
  /**
   * Rows of one table in the order of its key ranges; within a range in the order of keys where the program knows it, else in one that stays.
   * Throws INVALID_INPUT for columns, comparators and values that the table has not (with the filter's path), and for a business of a table
   * whose rows belong to none; NOT_FOUND where the backup or its table is not there; CURSOR_EXPIRED for a place in another state of the
   * backup; INTEGRITY_FAILURE naming what is damaged; CANCELLED once the signal aborted.
   */
  findRecords(wanted: RecordsWanted, signal: AbortSignal): Promise<RecordsFound>;
}
