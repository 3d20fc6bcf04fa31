/**
 * Reads encoded rows in key order, page by page along the key: no statement stays open between pages, the thread is given
 * free after each, and a page holds little whatever the rows are like. All pages must come from one snapshot, which the
 * caller's open transaction gives.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SourceMapping } from '../../domain/mapping';
import type { KeyBytes, RowBatch } from '../../domain/rows';
import type { ReadRowsOptions } from '../../domain/source';
import { keyColumnIndexes, type ColumnStructure, type TableStructure } from '../../domain/table';
import { businessCondition } from '../ownership-sql';
import type { Throttle } from '../throttle';
import type { Database, SqlValue } from './database';
import { throwIfAborted } from './errors';
import { allOf, anyOf, compareKey, keyOrder, type Condition, type KeyedRow, type KeyOrder } from './key-order';
import { quoteName, quoteText } from './quote';
import { putReals, rowSql, sqliteCodec, withReals, type RowSql } from './row-encoding';

const BATCH_BYTES = 256 * 1024;
/** A row larger than this is fetched by itself, so that a page never holds many large ones. */
const LARGE_ROW_BYTES = 32 * 1024;
const MIN_PAGE_ROWS = 16;
const MAX_PAGE_ROWS = 1024;
/** Keys named in one statement: far from what SQLite takes of parameters, and of depth. */
const LISTED_KEYS = 100;

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
  const { keys } = options;
  if (keys === undefined) {
    yield* readPages(context, table, options);
    return;
  }
  for (let at = 0; at < keys.length; at += LISTED_KEYS) {
    yield* readPages(context, table, { ...options, keys: keys.slice(at, at + LISTED_KEYS) });
  }
}

async function* readPages(
  context: ReadContext,
  table: TableStructure,
  options: ReadRowsOptions,
): AsyncGenerator<RowBatch> {
  const reader = openReader(context, table, options);
  let pageRows = MIN_PAGE_ROWS;
  let after: KeyBytes | null = null;
  while (reader) {
    throwIfAborted(options.signal);
    const batch = readPage(reader, after, pageRows);
    if (batch === null) return;
    await context.throttle?.take(batch.bytes.length, batch.ends.length, options.signal);
    yield batch;
    await nextTurn();
    after = lastKey(table, batch);
    pageRows = nextPageRows(batch);
  }
}

function openReader(context: ReadContext, table: TableStructure, options: ReadRowsOptions): Reader | null {
  const scope = scopeCondition(context, table, options);
  if (scope === null) return null;
  const order = keyOrder(context.database, table);
  const { from = null, to = null } = options.range ?? {};
  const bounds = [from && compareKey(order, '>=', from), to && compareKey(order, '<', to)];
  const { keyedBy: key = table.key } = options;
  const by = options.keyedBy ? keyOrder(context.database, { ...table, key: [...key] }) : order;
  const keyed = options.keys ? anyOf(options.keys.map((values) => compareKey(by, '=', values))) : null;
  const fixed = allOf([...bounds, keyed, scope]);
  return { context, table, order, sql: knownRowSql(table), fixed };
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

/** Rows after `after`, null when there are none. A page that meets a large row ends before it, or is that row. */
function readPage(reader: Reader, after: KeyBytes | null, limit: number): RowBatch | null {
  const page = { after, limit };
  const [bytes, rows, small, reals] = readTogether(reader, page);
  if (rows === 0n) return null;
  if (small === rows)
    return together(reader, page, { bytes: bytes as Buffer, rows: Number(rows), hasReals: reals !== 0n });
  const found = readSingly(reader, page);
  const large = found.findIndex((fields) => fields[0] === null);
  if (large === 0) return toBatch(encode(reader, query(reader, fieldsOf(reader, reader.sql.row), { after, limit: 1 })));
  return toBatch(encode(reader, found.slice(0, large)));
}

interface Page {
  after: KeyBytes | null;
  limit: number;
}

/**
 * All rows of a page as one value, how many they are, how many of them are in it, and whether any holds a REAL. What the driver
 * hands over costs by the value, more than it takes SQLite to make a row.
 */
function readTogether(reader: Reader, page: Page): SqlValue[] {
  const { sql } = reader;
  const { text, parameters } = select(reader, `${small(sql)} AS r, ${sql.hasReals} AS f`, page);
  // Without a limit SQLite might take the rows from the inner query in another order.
  const all = `SELECT CAST(group_concat(r, '') AS BLOB), count(*), count(r), ifnull(max(f), 0) FROM (${text})`;
  return reader.context.database.rows(all, parameters)[0] as SqlValue[];
}

/** Finds the rows in the bytes of a page, and puts in their REALs. */
function together(
  reader: Reader,
  page: Page,
  { bytes, rows, hasReals }: { bytes: Buffer; rows: number; hasReals: boolean },
): RowBatch {
  const { sql, table } = reader;
  const reals = hasReals ? query(reader, sql.reals.map((real) => real.sql).join(', '), page) : [];
  const places = new Int32Array(3 * table.columns.length);
  const ends = new Uint32Array(rows);
  let end = 0;
  for (let i = 0; i < rows; i++) {
    ends[i] = end = sqliteCodec.locate(bytes, end, table.columns.length, places);
    const values = reals[i];
    if (values) putReals(bytes, { values, sql, places });
  }
  return { bytes, ends };
}

/** Each row as a value of its own, null for a large one. */
function readSingly(reader: Reader, page: Page): SqlValue[][] {
  return query(reader, fieldsOf(reader, small(reader.sql)), page);
}

/** The row where it is not large. */
function small({ size, row }: RowSql): string {
  return `CASE WHEN ${size} <= ${LARGE_ROW_BYTES} THEN ${row} END`;
}

function fieldsOf({ sql }: Reader, row: string): string {
  return [row, ...sql.reals.map((real) => real.sql)].join(', ');
}

function query(reader: Reader, fields: string, page: Page): SqlValue[][] {
  const { text, parameters } = select(reader, fields, page);
  return reader.context.database.rows(text, parameters);
}

function select({ table, order, fixed }: Reader, fields: string, { after, limit }: Page) {
  const where = allOf([fixed, after && compareKey(order, '>', after)]);
  const text = `SELECT ${fields} FROM ${quoteName(table.table)} t WHERE ${where.sql} ORDER BY ${order.orderBy} LIMIT ?`;
  return { text, parameters: [...where.parameters, BigInt(limit)] };
}

function encode({ sql, table }: Reader, found: readonly SqlValue[][]): Buffer[] {
  const places = new Int32Array(3 * table.columns.length);
  return found.map((fields) => withReals(fields, sql, places));
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

function lastKey(table: TableStructure, { bytes, ends }: RowBatch): KeyBytes {
  const last = ends.length - 1;
  return keyBytesOf(table, bytes.subarray(last === 0 ? 0 : ends[last - 1], ends[last]));
}

/** The raw key of an encoded row. */
export function keyBytesOf(table: TableStructure, row: Buffer): KeyBytes {
  const out = new Int32Array(3 * table.columns.length);
  sqliteCodec.locate(row, 0, table.columns.length, out);
  return Buffer.concat(keyColumnIndexes(table).map((i) => row.subarray(out[3 * i], out[3 * i + 2])));
}

/** Long texts, asked for with every row and range. */
const ROW_SQL = new WeakMap<readonly ColumnStructure[], RowSql>();

function knownRowSql({ columns }: TableStructure): RowSql {
  const sql = ROW_SQL.get(columns) ?? rowSql(columns, 't');
  ROW_SQL.set(columns, sql);
  return sql;
}

/** The live row of a key, encoded, or null. */
export function readRow(database: Database, table: TableStructure, { order, key }: KeyedRow): Buffer | null {
  const where = compareKey(order, '=', key);
  const found = database.rows(rowSelect(table, where.sql), where.parameters);
  const places = new Int32Array(3 * table.columns.length);
  return found[0] ? withReals(found[0], knownRowSql(table), places) : null;
}

export function hasRow(database: Database, table: TableStructure, { order, key }: KeyedRow): boolean {
  const where = compareKey(order, '=', key);
  return database.rows(`SELECT 1 FROM ${quoteName(table.table)} t WHERE ${where.sql}`, where.parameters).length > 0;
}

/** By condition: putting such a text together, and finding its statement by it, costs more than reading the row. */
const ROW_SELECTS = new WeakMap<TableStructure, Map<string, string>>();

function rowSelect(table: TableStructure, where: string): string {
  const known = ROW_SELECTS.get(table) ?? new Map<string, string>();
  ROW_SELECTS.set(table, known);
  const { row, reals } = knownRowSql(table);
  const fields = [row, ...reals.map((real) => real.sql)];
  const text = known.get(where) ?? `SELECT ${fields.join(', ')} FROM ${quoteName(table.table)} t WHERE ${where}`;
  known.set(where, text);
  return text;
}
