/**
 * The row encoding `sqlite-v1`. A row is its fields back to back; a field is one byte for the storage class, then:
 *
 *     0 NULL      nothing
 *     1 INTEGER   8 bytes, two's complement, big endian
 *     2 REAL      8 bytes, IEEE 754, big endian
 *     3 TEXT      uvarint length (LEB128), then the bytes as stored, valid UTF-8 or not
 *     4 BLOB      uvarint length, then the bytes
 *
 * Lossless for every value that SQLite can store in a UTF-8 database. SQLite itself builds the encoded rows (`rowSql`), all
 * but the bits of REALs, which it can't print; those come beside the row and are put in here.
 */
import { isUtf8 } from 'node:buffer';
import { AppError } from '../../domain/errors';
import type { RowCodec } from '../../domain/rows';
import type { ColumnStructure } from '../../domain/table';
import { sqliteDefault } from './column-default';
import { sqliteValues } from './column-values';
import type { SqlValue } from './database';
import { fitSqliteColumn } from './fit-columns';
import { quoteName } from './quote';
import { sqliteSortKey } from './sort-key';
import { sqliteSqlScript } from './sql-script';

export const SQLITE_ROW_ENCODING = 'sqlite-v1';

const NULL = 0;
const INTEGER = 1;
const REAL = 2;
const TEXT = 3;
const BLOB = 4;
const FIXED_BYTES = 9;

export const sqliteCodec: RowCodec = {
  name: SQLITE_ROW_ENCODING,

  locate,

  encodeText: (text) => encodeAny(text),

  valueText(bytes, fieldStart, fieldEnd) {
    const value = fieldValue(bytes, fieldStart, fieldEnd);
    if (value === null) return null;
    return Buffer.isBuffer(value) ? blobText(bytes[fieldStart] === TEXT, value) : realText(value);
  },

  values: (table) =>
    sqliteValues(table, { fieldValue, isText: (bytes, at) => bytes[at] === TEXT, encode: encodeValue }),

  fit: fitSqliteColumn,

  defaultField(of) {
    const found = sqliteDefault(of);
    return found && encodeAny(found.value);
  },

  sqlScript: sqliteSqlScript({ locate, fieldValue, isText: (bytes, at) => bytes[at] === TEXT }),

  sortKey: (table) => sqliteSortKey(table, sqliteCodec),
};

function encodeAny(value: null | bigint | number | string): Buffer {
  if (value === null) return Buffer.from([NULL]);
  if (typeof value === 'string') return encodeValue(Buffer.from(value, 'utf8'), true);
  if (typeof value !== 'number') return encodeValue(value, false);
  const field = Buffer.alloc(FIXED_BYTES);
  field[0] = REAL;
  field.writeDoubleBE(value, 1);
  return field;
}

// eslint-disable-next-line max-params -- the port's shape: called once a row
function locate(bytes: Buffer, start: number, columnCount: number, out: Int32Array): number {
  let position = start;
  for (let i = 0; i < columnCount; i++) position = locateField(bytes, position, out, 3 * i);
  return position;
}

// eslint-disable-next-line max-params -- called once a field: an options object would be the hot path's only allocation
function locateField(bytes: Buffer, start: number, out: Int32Array, at: number): number {
  const storageClass = bytes[start];
  let valueStart = start + 1;
  let end = valueStart;
  if (storageClass === INTEGER || storageClass === REAL) end = start + FIXED_BYTES;
  else if (storageClass === TEXT || storageClass === BLOB) {
    let length = 0;
    let scale = 1;
    let byte: number;
    do {
      byte = bytes[valueStart++] ?? 0;
      length += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte >= 0x80);
    end = valueStart + length;
  } else if (storageClass !== NULL) throw noSuchRow(start);
  if (end > bytes.length) throw noSuchRow(start);
  out[at] = start;
  out[at + 1] = storageClass === NULL ? -1 : valueStart;
  out[at + 2] = end;
  return end;
}

function noSuchRow(position: number): AppError {
  return new AppError('INTEGRITY_FAILURE', `The bytes at ${position} are no row of encoding ${SQLITE_ROW_ENCODING}.`);
}

function uvarint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest % 128) | 0x80);
  }
}

/** TEXT and BLOB come as bytes: ask the field's first byte which it was. */
export function fieldValue(bytes: Buffer, fieldStart: number, fieldEnd: number): null | bigint | number | Buffer {
  const storageClass = bytes[fieldStart];
  if (storageClass === NULL) return null;
  if (storageClass === INTEGER) return bytes.readBigInt64BE(fieldStart + 1);
  if (storageClass === REAL) return bytes.readDoubleBE(fieldStart + 1);
  let valueStart = fieldStart + 1;
  while ((bytes[valueStart] as number) >= 0x80) valueStart++;
  return bytes.subarray(valueStart + 1, fieldEnd);
}

/** Bytes are TEXT or a BLOB, as told. */
function encodeValue(value: bigint | Buffer, isText: boolean): Buffer {
  if (Buffer.isBuffer(value))
    return Buffer.concat([Buffer.from([isText ? TEXT : BLOB, ...uvarint(value.length)]), value]);
  const field = Buffer.alloc(FIXED_BYTES);
  field[0] = INTEGER;
  field.writeBigInt64BE(value, 1);
  return field;
}

function blobText(isText: boolean, value: Buffer): string {
  return isText ? value.toString('utf8') : `0x${value.toString('hex')}`;
}

/** REALs that are whole numbers keep a decimal point, as SQLite prints them. */
function realText(value: bigint | number): string {
  if (typeof value === 'number' && Number.isInteger(value)) return Object.is(value, -0) ? '-0.0' : value.toFixed(1);
  return String(value);
}

/**
 * A field as a statement's parameter. Text that is no valid UTF-8 can't be bound as text: it goes as a blob under a CAST,
 * which `castToText` tells.
 */
export function parameterOf(
  bytes: Buffer,
  fieldStart: number,
  fieldEnd: number,
): { value: SqlValue; castToText: boolean } {
  const value = fieldValue(bytes, fieldStart, fieldEnd);
  if (bytes[fieldStart] !== TEXT) return { value, castToText: false };
  const text = value as Buffer;
  return isUtf8(text) ? { value: text.toString('utf8'), castToText: false } : { value: text, castToText: true };
}

/** SQL for `encodedRow`: the whole row as one blob, REAL bits zero, and after it each column that may hold a REAL. */
export interface RowSql {
  row: string;
  /** How many bytes the row's values take up, cheap for SQLite to say. */
  size: string;
  /** Expressions giving the column where its value is a REAL, else NULL, and which column of the row each is. */
  reals: { column: number; sql: string }[];
  /** Whether the row holds any REAL. */
  hasReals: string;
}

export function rowSql(columns: readonly ColumnStructure[], alias: string): RowSql {
  const names = columns.map((column) => `${alias}.${quoteName(column.name)}`);
  const mayBeReal = names.filter((_, i) => !hasTextAffinity(columns[i] as ColumnStructure));
  const fields = names.map((name, i) => fieldSql(name, columns[i] as ColumnStructure));
  return {
    row: `CAST(${joined(fields, '||')} AS BLOB)`,
    size: joined(
      names.map((name, i) => sizeSql(name, columns[i] as ColumnStructure)),
      '+',
    ),
    reals: names.flatMap((name, column) =>
      hasTextAffinity(columns[column] as ColumnStructure)
        ? []
        : [{ column, sql: `CASE typeof(${name}) WHEN 'real' THEN ${name} END` }],
    ),
    hasReals: mayBeReal.length === 0 ? '0' : `'real' IN (${mayBeReal.map((name) => `typeof(${name})`).join(', ')})`,
  };
}

/** Asking a number for its length would print it; NULL sizes count as nothing. */
function sizeSql(name: string, column: ColumnStructure): string {
  if (hasTextAffinity(column)) return `ifnull(octet_length(${name}), 0)`;
  return `CASE WHEN typeof(${name}) IN ('text', 'blob') THEN octet_length(${name}) ELSE 8 END`;
}

/** A column of text affinity never holds a number: SQLite turns it into text. */
function hasTextAffinity({ type }: ColumnStructure): boolean {
  return /CHAR|CLOB|TEXT/i.test(type) && !/INT/i.test(type);
}

function fieldSql(name: string, column: ColumnStructure): string {
  // Should a REAL ever turn up where none can be, its field is no valid one, and reading stops.
  const real = hasTextAffinity(column) ? `x'ff'` : `x'020000000000000000'`;
  return (
    `CASE typeof(${name}) WHEN 'null' THEN x'00'` +
    ` WHEN 'integer' THEN x'01' || unhex(printf('%016x', ${name}))` +
    ` WHEN 'real' THEN ${real}` +
    ` ELSE CASE typeof(${name}) WHEN 'text' THEN x'03' ELSE x'04' END || ${lengthSql(name)} || ${name} END`
  );
}

function lengthSql(name: string): string {
  const n = `octet_length(${name})`;
  const low = `((${n} & 127) | 128)`;
  const part = (shift: number): string => `(((${n} >> ${shift}) & 127) | 128)`;
  const two = `unhex(printf('%02x%02x', ${low}, ${n} >> 7))`;
  const three = `unhex(printf('%02x%02x%02x', ${low}, ${part(7)}, ${n} >> 14))`;
  const four = `unhex(printf('%02x%02x%02x%02x', ${low}, ${part(7)}, ${part(14)}, ${n} >> 21))`;
  const five = `unhex(printf('%02x%02x%02x%02x%02x', ${low}, ${part(7)}, ${part(14)}, ${part(21)}, ${n} >> 28))`;
  return (
    `CASE WHEN ${n} < 128 THEN char(${n}) WHEN ${n} < 16384 THEN ${two} WHEN ${n} < 2097152 THEN ${three}` +
    ` WHEN ${n} < 268435456 THEN ${four} ELSE ${five} END`
  );
}

/** Halved again and again: SQLite limits how deep an expression may be. */
function joined(terms: readonly string[], operator: '||' | '+'): string {
  if (terms.length === 1) return terms[0] as string;
  const half = terms.length >> 1;
  return `(${joined(terms.slice(0, half), operator)} ${operator} ${joined(terms.slice(half), operator)})`;
}

/** Puts the bits of the REALs into a row that `rowSql` built. `fields` are what the statement gave: row, then REALs. */
export function withReals(fields: readonly SqlValue[], sql: RowSql, places: Int32Array): Buffer {
  const [row, ...values] = fields as [Buffer, ...SqlValue[]];
  if (!values.some((value) => typeof value === 'number')) return row;
  sqliteCodec.locate(row, 0, places.length / 3, places);
  putReals(row, { values, sql, places });
  return row;
}

/** The same in a row among others, whose fields have been located: `places` has three numbers for each. */
export function putReals(
  bytes: Buffer,
  { values, sql, places }: { values: readonly SqlValue[]; sql: RowSql; places: Int32Array },
): void {
  for (const [i, { column }] of sql.reals.entries()) {
    const value = values[i];
    if (typeof value === 'number') bytes.writeDoubleBE(value, (places[3 * column] as number) + 1);
  }
}
