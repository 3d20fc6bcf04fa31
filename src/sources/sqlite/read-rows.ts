/**
 * Reads encoded rows in key order, page by page along the key: no statement stays open between pages, the thread is given
 * free after each, and a page holds little whatever the rows are like. All pages must come from one snapshot, which the
 * caller's open transaction gives.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SourceMapping } from '../../domain/mapping';
import type { KeyBytes, RowBatch } from '../../domain/rows';
import type { ReadRowsOptions } from '../../domain/source';
import { keyColumnIndexes, type TableStructure } from '../../domain/table';
import { businessCondition } from '../ownership-sql';
import type { Throttle } from '../throttle';
import type { Database, SqlValue } from './database';
import { throwIfAborted } from './errors';
import { allOf, compareKey, keyOrder, type Condition, type KeyedRow, type KeyOrder } from './key-order';
import { quoteName, quoteText } from './quote';
import { rowSql, sqliteCodec, withReals, type RowSql } from './row-encoding';

const BATCH_BYTES = 256 * 1024;
/** A row larger than this is fetched by itself, so that a page never holds many large ones. */
const LARGE_ROW_BYTES = 32 * 1024;
const MIN_PAGE_ROWS = 16;
const MAX_PAGE_ROWS = 1024;

export interface ReadContext {
  database: Database;
  /** The tables of the work, for who is a parent in a business scope. */
  tables: readonly TableStructure[];
  mapping: SourceMapping;
  throttle?: Throttle;
}

interface Reader {
  context: ReadContext;
  table: TableStructure;
  order: KeyOrder;
  sql: RowSql;
  /** What of the table is asked for, whatever the page. */
  fixed: Condition;
}

export async function* readRows(
  context: ReadContext,
  table: TableStructure,
  options: ReadRowsOptions = {},
): AsyncGenerator<RowBatch> {
  const reader = openReader(context, table, options);
  let pageRows = MIN_PAGE_ROWS;
  let after: KeyBytes | null = null;
  while (reader) {
    throwIfAborted(options.signal);
    const rows = readPage(reader, after, pageRows);
    if (rows.length === 0) return;
    const batch = toBatch(rows);
    await context.throttle?.take(batch.bytes.length, rows.length, options.signal);
    yield batch;
    await nextTurn();
    after = keyBytesOf(table, rows[rows.length - 1] as Buffer);
    pageRows = nextPageRows(batch);
  }
}

function openReader(context: ReadContext, table: TableStructure, options: ReadRowsOptions): Reader | null {
  const scope = scopeCondition(context, table, options);
  if (scope === null) return null;
  const order = keyOrder(context.database, table);
  const { from = null, to = null } = options.range ?? {};
  const fixed = allOf([from && compareKey(order, '>=', from), to && compareKey(order, '<', to), scope]);
  return { context, table, order, sql: rowSql(table.columns, 't'), fixed };
}

/** Null where nothing of the table is in scope. */
function scopeCondition(context: ReadContext, table: TableStructure, { scope }: ReadRowsOptions): Condition | null {
  if (!scope || scope.kind === 'ALL') return { sql: '1', parameters: [] };
  const sql = businessCondition({
    table,
    tables: context.tables,
    mapping: context.mapping,
    quote: quoteName,
    businessLiteral: quoteText(scope.businessId),
    alias: 't',
    // The first finds it by an index, by the column's collation; the second knows 'A' from 'a'.
    equals: (column, literal) => `(${column} = ${literal} AND CAST(${column} AS BLOB) = CAST(${literal} AS BLOB))`,
  });
  return sql === null ? null : { sql, parameters: [] };
}

/** Rows after `after`; never none while there are some. */
function readPage(reader: Reader, after: KeyBytes | null, limit: number): Buffer[] {
  const { sql } = reader;
  const guarded = `CASE WHEN ${sql.size} <= ${LARGE_ROW_BYTES} THEN ${sql.row} END`;
  const found = query(reader, { row: guarded, after, limit });
  const large = found.findIndex((fields) => fields[0] === null);
  if (large === 0) return encode(reader, query(reader, { row: sql.row, after, limit: 1 }));
  return encode(reader, large < 0 ? found : found.slice(0, large));
}

function query(reader: Reader, page: { row: string; after: KeyBytes | null; limit: number }): SqlValue[][] {
  const { context, table, order, sql, fixed } = reader;
  const where = allOf([fixed, page.after && compareKey(order, '>', page.after)]);
  const select = [page.row, ...sql.reals.map((real) => real.sql)].join(', ');
  const text = `SELECT ${select} FROM ${quoteName(table.table)} t WHERE ${where.sql} ORDER BY ${order.orderBy} LIMIT ?`;
  return context.database.rows(text, [...where.parameters, BigInt(page.limit)]);
}

function encode({ sql, table }: Reader, found: readonly SqlValue[][]): Buffer[] {
  const scratch = new Int32Array(3 * table.columns.length);
  return found.map((fields) => withReals(fields, sql, scratch));
}

function toBatch(rows: readonly Buffer[]): RowBatch {
  let end = 0;
  const ends = Uint32Array.from(rows, (row) => (end += row.length));
  return { bytes: Buffer.concat(rows, end), ends };
}

function nextPageRows(batch: RowBatch): number {
  const average = batch.bytes.length / batch.ends.length;
  return Math.min(MAX_PAGE_ROWS, Math.max(MIN_PAGE_ROWS, Math.floor(BATCH_BYTES / average)));
}

/** The raw key of an encoded row. */
export function keyBytesOf(table: TableStructure, row: Buffer): KeyBytes {
  const out = new Int32Array(3 * table.columns.length);
  sqliteCodec.locate(row, 0, table.columns.length, out);
  return Buffer.concat(keyColumnIndexes(table).map((i) => row.subarray(out[3 * i], out[3 * i + 2])));
}

/** The live row of a key, encoded, or null. */
export function readRow(database: Database, table: TableStructure, { order, key }: KeyedRow): Buffer | null {
  const sql = rowSql(table.columns, 't');
  const where = compareKey(order, '=', key);
  const select = [sql.row, ...sql.reals.map((real) => real.sql)].join(', ');
  const found = database.rows(`SELECT ${select} FROM ${quoteName(table.table)} t WHERE ${where.sql}`, where.parameters);
  const scratch = new Int32Array(3 * table.columns.length);
  return found[0] ? withReals(found[0], sql, scratch) : null;
}
