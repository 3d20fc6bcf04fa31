/**
 * Encoded rows and keys in motion. A row is opaque bytes in the encoding its table structure names; only a RowCodec of that
 * name can find fields in it.
 */
import type { ColumnStructure, TableStructure } from './table';
import type { ColumnValues } from './values';

/**
 * Consecutive rows of one table in key order: `bytes` holds them back to back, `ends[i]` is the offset after row i.
 * Ownership passes with the batch: the producer never writes into `bytes` again, unless it is given back.
 */
export interface RowBatch {
  readonly bytes: Buffer;
  readonly ends: Uint32Array;
  /**
   * Gives `bytes` back to the producer, who may overwrite them at once. Idempotent. Optional on both sides: what is never given
   * back is collected like anything else, which costs time where many batches pass by.
   */
  release?(): void;
}

/**
 * A key's raw bytes: the encoded fields of the key columns, in key order, back to back, each with its own length or type
 * prefix. Two rows are the same row exactly when these bytes are equal.
 */
export type KeyBytes = Buffer;

/** Keys from `from` (inclusive) to `to` (exclusive), in the order of the source; null is open. The source compares. */
export interface KeyRange {
  from: KeyBytes | null;
  to: KeyBytes | null;
}

export const WHOLE_TABLE: KeyRange = { from: null, to: null };

/** Which rows of a table are meant. BUSINESS takes what the mapping says the business owns, and the parents that needs. */
export type RowScope = { kind: 'ALL' } | { kind: 'BUSINESS'; businessId: string };

export const ALL_ROWS: RowScope = { kind: 'ALL' };

/** What a restore writes of its tables. KEYS: single rows, and those that they refer to. */
export type WrittenRows = RowScope | { kind: 'KEYS' };

/** Whether tables that come into being get all of their rows. */
export function isWhole(rows: WrittenRows | undefined): boolean {
  return rows === undefined || rows.kind === 'ALL';
}

/**
 * The bytes by which a key sorts: compared as bytes, those of two keys stand in the order in which the source reads them. Null for a
 * key whose place can't be told from here.
 */
export type SortKey = (key: KeyBytes) => Buffer | null;

/** A column as its table had it at one time. */
export interface ColumnOf {
  column: ColumnStructure;
  table: Pick<TableStructure, 'columns' | 'createStatement'>;
}

/** How each value of a column is held by another one, without loss and as the source itself would make it. */
export interface FieldFit {
  /** The encoded field that one which is not NULL becomes; null where its bytes stay. Throws SCHEMA_MISMATCH for a value that has no place. */
  recode: ((field: Buffer) => Buffer) | null;
  /** Whether values sort in the one as in the other. */
  keepsOrder: boolean;
}

/** Finds fields in encoded rows. Pure and synchronous; one per row encoding. */
export interface RowCodec {
  readonly name: string;
  /**
   * Locates the fields of the row that starts at `start`. For column i writes to `out`: [3i] where the encoded field
   * starts (its prefix), [3i+1] where its value starts, [3i+2] where it ends; a NULL has value start -1.
   * Returns the offset after the row. Throws INTEGRITY_FAILURE when the bytes are no such row.
   */
  locate(bytes: Buffer, start: number, columnCount: number, out: Int32Array): number;
  /** The encoded field of a plain text value (an id given by a caller), as it would stand in a row of a text column; of NULL. */
  encodeText(text: string | null): Buffer;
  /** A field's value as text for people and comparisons with ids; null for NULL. */
  valueText(bytes: Buffer, fieldStart: number, fieldEnd: number): string | null;
  /** What the fields of the table's rows mean, column by column. */
  values(table: Pick<TableStructure, 'columns' | 'createStatement'>): ColumnValues[];
  /** What becomes of a column's values once the column is another. In words why not, after `X instead of Y`, where a value could be lost. */
  fit(from: ColumnOf, to: ColumnOf): FieldFit | string;
  /** The encoded field of a row that is inserted without naming the column; null where only the source can tell. */
  defaultField(of: ColumnOf): Buffer | null;
  /** How tables of rows in this encoding are written as SQL. */
  readonly sqlScript: SqlScript;
  /** How the keys of a table sort. Null, or absent, where only the source knows. */
  sortKey?(table: Pick<TableStructure, 'columns' | 'key'>): SortKey | null;
}

/**
 * Tables and their rows as a script of SQL, which a client of the same kind of database runs on an empty schema: then its rows are the same,
 * byte for byte. The parts come in this order: `begin`; `createTable` of each table; for each table `beforeRows`, `inserts` of its rows,
 * `afterRows`; `end`. Each is whole lines of text. Pure.
 */
export interface SqlScript {
  begin(): string;
  createTable(table: TableStructure): string;
  beforeRows(table: TableStructure): string;
  /** Statements of a moderate length each, unless a single row is longer. Throws INTEGRITY_FAILURE for bytes that are no rows. */
  inserts(table: TableStructure, rows: RowBatch): Iterable<string>;
  /** What slows loading down, or would act on it: indexes, triggers. */
  afterRows(table: TableStructure): string;
  end(): string;
}

export function rowCount(batch: RowBatch): number {
  return batch.ends.length;
}

export function rowStart(batch: RowBatch, index: number): number {
  return index === 0 ? 0 : (batch.ends[index - 1] as number);
}
