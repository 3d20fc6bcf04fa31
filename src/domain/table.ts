/** The structure of a table as a backup keeps it: enough to create it again, read its rows and know its references. */
import type { TableMapping } from './mapping';

/** What family of values a column holds; it decides how a value is read, written and later shown. */
export type ValueKind =
  | 'INTEGER'
  | 'DECIMAL'
  | 'FLOAT'
  | 'DOUBLE'
  | 'BIT'
  | 'TEXT'
  | 'BINARY'
  | 'DATE'
  | 'TIME'
  | 'DATETIME'
  | 'TIMESTAMP'
  | 'YEAR'
  | 'JSON'
  | 'ENUM'
  | 'SET'
  | 'GEOMETRY'
  | 'DYNAMIC'; // SQLite: each value carries its own storage class

export interface ColumnStructure {
  name: string;
  /** The full declared type, e.g. `decimal(7,4)`. */
  type: string;
  kind: ValueKind;
  nullable: boolean;
  charset?: string;
  collation?: string;
  autoIncrement?: boolean;
  /** The server sets it with each update that does not name it (`ON UPDATE CURRENT_TIMESTAMP`). */
  selfUpdating?: true;
}

export type ReferentialAction = 'NO ACTION' | 'RESTRICT' | 'CASCADE' | 'SET NULL' | 'SET DEFAULT';

export interface ForeignKey {
  name: string;
  columns: string[];
  /** Absent: the same schema. */
  referencedSchema?: string;
  referencedTable: string;
  referencedColumns: string[];
  onDelete: ReferentialAction;
  onUpdate: ReferentialAction;
}

/** Whether the database changes referring rows by itself. */
export function isAction(action: ReferentialAction): boolean {
  return action !== 'NO ACTION' && action !== 'RESTRICT';
}

export function acts({ onDelete, onUpdate }: Pick<ForeignKey, 'onDelete' | 'onUpdate'>): boolean {
  return isAction(onDelete) || isAction(onUpdate);
}

export interface IndexStructure {
  name: string;
  unique: boolean;
  columns: string[];
  /** The statement that creates it, where the table's own statement does not hold it (SQLite). */
  statement?: string;
}

export interface TriggerStructure {
  name: string;
  statement: string;
  /** MySQL: the session mode under which it was made; its text means something else under another. */
  sqlMode?: string;
}

export interface TableStructure {
  table: string;
  mapping: TableMapping;
  /** Stored columns in the order in which an encoded row holds them; generated columns are not among them. */
  columns: ColumnStructure[];
  /** Generated columns: left out of rows, recomputed by the database. */
  generatedColumns: { name: string; expression: string; stored: boolean }[];
  /** Names of the columns that identify a row: the primary key, else a unique key without NULLs. */
  key: string[];
  /** True for the primary key, false where a unique key without NULLs stands in. */
  keyIsPrimary: boolean;
  foreignKeys: ForeignKey[];
  /** Indexes beside the key, unique ones first. */
  indexes: IndexStructure[];
  triggers: TriggerStructure[];
  /** The statement that creates it, as the source prints it. */
  createStatement: string;
  /** The highest number its AUTOINCREMENT column gave out, where neither rows nor the statement tell it (SQLite). */
  lastNumber?: string;
  /** The encoding of its rows, e.g. `mysql-text-v1` or `sqlite-v1` (FORMAT.md). */
  rowEncoding: string;
  /** The source's own estimate of its rows; for progress alone. */
  estimatedRows: number;
  /** The source's own estimate of its bytes; for progress and splitting alone. */
  estimatedBytes: number;
}

/** Positions, within an encoded row, of the table's key columns. */
export function keyColumnIndexes(structure: Pick<TableStructure, 'columns' | 'key'>): number[] {
  return structure.key.map((name) => structure.columns.findIndex((column) => column.name === name));
}
