/**
 * The row encoding `mysql-text-v1`: a row is the payload of a row packet of the text protocol. Its fields stand back to back:
 *
 *     0xFB            NULL
 *     n < 0xFB        n bytes follow
 *     0xFC + u16 LE   that many bytes follow; 0xFD + u24 LE and 0xFE + u64 LE likewise
 *
 * Values are the column's own bytes: text in the column's charset, numbers and times as the server prints them (UTC). Single
 * and fixed-point floats are printed as DOUBLE, which loses no bit. Lossless for every column type.
 */
import { AppError } from '../../domain/errors';
import type { ColumnOf, FieldFit, RowCodec, SortKey } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';
import { mysqlValues } from './column-values';
import { mysqlDefault } from './column-default';
import { fitMysqlColumn } from './fit-columns';
import { mysqlSortKey } from './sort-key';
import { mysqlSqlScript } from './sql-script';

export const MYSQL_ROW_ENCODING = 'mysql-text-v1';
export const NULL_MARK = 0xfb;
const TWO_BYTES = 0xfc;
const THREE_BYTES = 0xfd;
const EIGHT_BYTES = 0xfe;

export const mysqlCodec: RowCodec = {
  name: MYSQL_ROW_ENCODING,
  locate,
  encodeText,
  valueText,
  values: (table) => mysqlValues(table, encodeField),
  fit,
  defaultField,
  sqlScript: mysqlSqlScript(locate),
  sortKey,
};

function fit({ column: from }: ColumnOf, { column: to }: ColumnOf): FieldFit | string {
  const found = fitMysqlColumn(from, to);
  if (typeof found === 'string') return found;
  const { change, keepsOrder } = found;
  return { recode: change && ((field) => encodeField(change(withoutLength(field)))), keepsOrder };
}

/** The value of a field that is not NULL. */
function withoutLength(field: Buffer): Buffer {
  const first = field[0] as number;
  return field.subarray(first < NULL_MARK ? 1 : prefixBytes(first, 0));
}

function defaultField(of: ColumnOf): Buffer | null {
  const found = mysqlDefault(of);
  return found && encodeField(found.value);
}

function sortKey(table: Pick<TableStructure, 'columns' | 'key'>): SortKey | null {
  return mysqlSortKey(table, decodeFields);
}

// eslint-disable-next-line max-params -- the port's method
function locate(bytes: Buffer, start: number, columnCount: number, out: Int32Array): number {
  const limit = bytes.length;
  let at = start;
  for (let i = 0, slot = 0; i < columnCount; i++, slot += 3) {
    if (at >= limit) throw noSuchRow(start);
    out[slot] = at;
    const first = bytes[at] as number;
    if (first < NULL_MARK) {
      out[slot + 1] = at + 1;
      at += 1 + first;
    } else if (first === NULL_MARK) {
      out[slot + 1] = -1;
      at += 1;
    } else {
      const prefix = prefixBytes(first, start);
      out[slot + 1] = at + prefix;
      at += prefix + longLength(bytes, at, start);
    }
    out[slot + 2] = at;
  }
  if (at > limit) throw noSuchRow(start);
  return at;
}

function prefixBytes(first: number, start: number): number {
  if (first === TWO_BYTES) return 3;
  if (first === THREE_BYTES) return 4;
  if (first === EIGHT_BYTES) return 9;
  throw noSuchRow(start);
}

function longLength(bytes: Buffer, at: number, start: number): number {
  const limit = bytes.length;
  const first = bytes[at] as number;
  if (at + prefixBytes(first, start) > limit) throw noSuchRow(start);
  if (first === TWO_BYTES) return bytes.readUInt16LE(at + 1);
  if (first === THREE_BYTES) return bytes.readUIntLE(at + 1, 3);
  const length = bytes.readBigUInt64LE(at + 1);
  if (length > BigInt(limit)) throw noSuchRow(start);
  return Number(length);
}

function noSuchRow(start: number): AppError {
  return new AppError(
    'INTEGRITY_FAILURE',
    `The bytes at offset ${start} are no row of encoding ${MYSQL_ROW_ENCODING}.`,
  );
}

/** One encoded field. */
export function encodeField(value: Buffer | null): Buffer {
  if (value === null) return Buffer.from([NULL_MARK]);
  return Buffer.concat([lengthPrefix(value.length), value]);
}

function lengthPrefix(length: number): Buffer {
  if (length < NULL_MARK) return Buffer.from([length]);
  if (length < 1 << 16) return Buffer.from([TWO_BYTES, length & 0xff, length >> 8]);
  const prefix = Buffer.alloc(length < 1 << 24 ? 4 : 9);
  prefix[0] = length < 1 << 24 ? THREE_BYTES : EIGHT_BYTES;
  prefix.writeUIntLE(length, 1, prefix.length === 4 ? 3 : 6);
  return prefix;
}

function encodeText(text: string | null): Buffer {
  return encodeField(text === null ? null : Buffer.from(text, 'utf8'));
}

/** The values of fields that stand back to back, as a key's do; null for NULL. */
export function decodeFields(bytes: Buffer): (Buffer | null)[] {
  const values: (Buffer | null)[] = [];
  const out = new Int32Array(3);
  for (let at = 0; at < bytes.length;) {
    at = locate(bytes, at, 1, out);
    values.push((out[1] as number) < 0 ? null : bytes.subarray(out[1], out[2]));
  }
  return values;
}

function valueText(bytes: Buffer, fieldStart: number, fieldEnd: number): string | null {
  const [value] = decodeFields(bytes.subarray(fieldStart, fieldEnd));
  return value ? value.toString('utf8') : null;
}
