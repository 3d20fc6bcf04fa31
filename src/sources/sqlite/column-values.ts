/**
 * Values of `sqlite-v1` as JSON, by the storage class that each value has:
 *
 *     INTEGER   number; beyond 2^53 a string of digits
 *     REAL      number; { "real": … } with its text for infinite ones, which JSON lacks, and for whole ones that could be an INTEGER beyond 2^53
 *     TEXT      string; in a column that the table checks for JSON the value, where parsing loses nothing; what is no UTF-8: { "textBase64": … }
 *     BLOB      { "base64": … }
 *
 * They compare as SQLite's do: numbers, then text by code points, then blobs. JSON compares for equality alone.
 */
import { isUtf8 } from 'node:buffer';
import type { ColumnStructure, TableStructure } from '../../domain/table';
import { base64Bytes, memberOf, noValue, sameJson, type ColumnValues, type JsonValue } from '../../domain/values';
import { parseDecimal } from '../exact-decimal';
import { checkedJsonColumns } from '../json-columns';
import { parseExactJson } from '../json-text';

/** A value's place among all: its class first. */
type Comparable = { rank: 0; number: number | bigint } | { rank: 1 | 2; bytes: Buffer };

/** Reads a field; TEXT and BLOB come as bytes. */
export type FieldValue = (bytes: Buffer, fieldStart: number, fieldEnd: number) => null | bigint | number | Buffer;

interface Encoding {
  fieldValue: FieldValue;
  isText: (bytes: Buffer, fieldStart: number) => boolean;
  encode: (value: bigint | Buffer, isText: boolean) => Buffer;
}

export function sqliteValues(
  table: Pick<TableStructure, 'columns' | 'createStatement'>,
  encoding: Encoding,
): ColumnValues[] {
  const json = checkedJsonColumns(table);
  return table.columns.map((column) =>
    json.has(column.name.toLowerCase()) ? jsonValues(encoding) : plainValues(column, encoding),
  );
}

function plainValues(column: ColumnStructure, encoding: Encoding): ColumnValues {
  return {
    isOrdered: true,
    isText: true,
    toJson: (bytes, fields, slot) => show(encoding, bytes, fields[slot] as number, fields[slot + 2] as number),
    comparing(value) {
      const operand = toComparable(value, column);
      return (bytes, fields, slot) =>
        compare(stored(encoding, bytes, fields[slot] as number, fields[slot + 2] as number), operand);
    },
    encode(value) {
      const operand = toComparable(value, column);
      if (operand.rank !== 0) return encoding.encode(operand.bytes, operand.rank === 1);
      const whole = affinityOf(column) === 'REAL' ? null : wholeOf(operand.number);
      return whole === null ? null : encoding.encode(whole, false);
    },
  };
}

/** Null for what an INTEGER does not hold. */
function wholeOf(number: number | bigint): bigint | null {
  const whole = typeof number === 'bigint' || Number.isSafeInteger(number) ? BigInt(number) : null;
  return whole !== null && BigInt.asIntN(64, whole) === whole ? whole : null;
}

function jsonValues(encoding: Encoding): ColumnValues {
  const toJson: ColumnValues['toJson'] = (bytes, fields, slot) => {
    const shown = show(encoding, bytes, fields[slot] as number, fields[slot + 2] as number);
    return typeof shown === 'string' ? (parseExactJson(shown) ?? shown) : shown;
  };
  return {
    isOrdered: false,
    isText: false,
    toJson,
    text(bytes, fields, slot) {
      const shown = show(encoding, bytes, fields[slot] as number, fields[slot + 2] as number);
      return shown === null || typeof shown === 'string' ? shown : JSON.stringify(shown);
    },
    comparing: (value) => (bytes, fields, slot) => (sameJson(toJson(bytes, fields, slot), value) ? 0 : 1),
    encode: () => null,
  };
}

// eslint-disable-next-line max-params -- called once a field: an options object would be the hot path's only allocation
function show({ fieldValue, isText }: Encoding, bytes: Buffer, start: number, end: number): JsonValue {
  const value = fieldValue(bytes, start, end);
  if (value === null) return null;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'number')
    return Number.isFinite(value) && isExactlySaid(value) ? value : { real: String(value) };
  if (!isText(bytes, start)) return { base64: value.toString('base64') };
  return isUtf8(value) ? value.toString('utf8') : { textBase64: value.toString('base64') };
}

// eslint-disable-next-line max-params -- called once a field: an options object would be the hot path's only allocation
function stored({ fieldValue, isText }: Encoding, bytes: Buffer, start: number, end: number): Comparable {
  const value = fieldValue(bytes, start, end) ?? 0;
  if (Buffer.isBuffer(value)) return { rank: isText(bytes, start) ? 1 : 2, bytes: value };
  return { rank: 0, number: value };
}

function compare(a: Comparable, b: Comparable): number {
  if (a.rank === 0 || b.rank === 0) {
    if (a.rank !== 0 || b.rank !== 0) return a.rank - b.rank;
    return a.number < b.number ? -1 : a.number > b.number ? 1 : 0;
  }
  return a.rank - b.rank || a.bytes.compare(b.bytes);
}

function toComparable(value: JsonValue, column: ColumnStructure): Comparable {
  const found = typeof value === 'object' ? wrapped(value) : plain(value, column);
  if (found !== null) return found;
  throw noValue(
    'value of the column',
    'Give a number, a string, or an object as records show it; integers of more than 15 digits as strings.',
  );
}

function plain(value: JsonValue, column: ColumnStructure): Comparable | null {
  if (typeof value === 'number')
    return isExactlySaid(value) || affinityOf(column) === 'REAL' ? { rank: 0, number: value } : null;
  if (typeof value !== 'string') return null;
  const number = affinityOf(column) === 'OTHER' ? null : numberOf(value);
  return number === null ? { rank: 1, bytes: Buffer.from(value) } : { rank: 0, number };
}

/** Text that reads as a number is one in a column that would have made it one. */
function numberOf(text: string): number | bigint | null {
  if (parseDecimal(text) === null) return null;
  return /^[-+]?\d+$/.test(text) ? BigInt(text) : Number(text);
}

/** JSON readers round integers beyond 2^53; beyond 2^63 there are only floating ones. */
function isExactlySaid(value: number): boolean {
  return !Number.isInteger(value) || Number.isSafeInteger(value) || Math.abs(value) >= 2 ** 63;
}

/** What `toJson` shows as an object of one member; null for any other. */
function wrapped(value: JsonValue): Comparable | null {
  const real = memberOf(value, 'real');
  if (real !== undefined) return isReal(real) ? { rank: 0, number: Number(real) } : null;
  const [text, blob] = [base64Bytes(memberOf(value, 'textBase64')), base64Bytes(memberOf(value, 'base64'))];
  if (text !== null) return { rank: 1, bytes: text };
  return blob === null ? null : { rank: 2, bytes: blob };
}

function isReal(text: JsonValue): text is string {
  return typeof text === 'string' && (/^-?Infinity$/.test(text) || parseDecimal(text) !== null);
}

/** Which values the column turns into others, by its declared type; OTHER keeps text as it is. */
function affinityOf({ type }: ColumnStructure): 'INTEGER' | 'REAL' | 'NUMERIC' | 'OTHER' {
  if (/INT/i.test(type)) return 'INTEGER';
  if (/CHAR|CLOB|TEXT|BLOB/i.test(type) || type === '' || /^any$/i.test(type)) return 'OTHER';
  return /REAL|FLOA|DOUB/i.test(type) ? 'REAL' : 'NUMERIC';
}
