/**
 * Keys as bytes that sort as the server sorts them, for the key types of which a test on a server shows it. A key that holds anything
 * else has no such bytes: only the server knows its place.
 */
import type { KeyBytes, SortKey } from '../../domain/rows';
import type { ColumnStructure, TableStructure, ValueKind } from '../../domain/table';

/** Bytes of one value, none of which is the beginning of another's; null where its place is not known. */
type SortValue = (value: Buffer) => Buffer | null;

const END = Buffer.from([0]);
const NEGATIVE = 0;
const POSITIVE = 1;

/** The values of a key's fields; null for NULL. */
type DecodeFields = (bytes: KeyBytes) => (Buffer | null)[];

/** Null where a key column's type is none of those. */
export function mysqlSortKey(
  { columns, key }: Pick<TableStructure, 'columns' | 'key'>,
  decodeFields: DecodeFields,
): SortKey | null {
  const parts = key.map((name) => sortValueOf(columns.find((column) => column.name === name)));
  if (parts.some((part) => part === null)) return null;
  return (bytes: KeyBytes) => {
    const values = decodeFields(bytes);
    const sorted = values.map((value, i) => (value === null ? null : (parts[i]?.(value) ?? null)));
    return sorted.includes(null) ? null : Buffer.concat(sorted as Buffer[]);
  };
}

function sortValueOf(column: ColumnStructure | undefined): SortValue | null {
  return (column && SORT_VALUES[column.kind]?.(column)) ?? null;
}

const SORT_VALUES: Partial<Record<ValueKind, (column: ColumnStructure) => SortValue | null>> = {
  INTEGER: () => numberBytes,
  DECIMAL: () => numberBytes,
  DATE: () => timeBytes,
  DATETIME: () => timeBytes,
  TIMESTAMP: () => timeBytes,
  BINARY: ({ type }) => (/^(var)?binary\b/.test(type) ? binaryBytes : null),
  TEXT: (column) => (/^(var)?char\b/.test(column.type) ? textBytesOf(column) : null),
};

/** Those of one column have one length, and the most significant digits come first. */
function timeBytes(value: Buffer): Buffer {
  return value;
}

/** Decimals of one column have one number of digits behind the point, so that those before it tell which is longer. */
const NUMBER = /^(-?)0*(\d*?)(?:\.(\d+))?$/;

function numberBytes(value: Buffer): Buffer | null {
  const [, minus, whole = '', fraction = ''] = NUMBER.exec(value.toString('latin1')) ?? [];
  if (minus === undefined || value.length === 0) return null;
  const digits = Buffer.from(String.fromCharCode(whole.length) + whole + fraction, 'latin1');
  if (minus === '') return Buffer.concat([Buffer.from([POSITIVE]), digits]);
  return Buffer.concat([Buffer.from([NEGATIVE]), digits.map((digit) => 0xff - digit)]);
}

/** A zero byte within is told from the end by what follows it. */
function binaryBytes(value: Buffer): Buffer {
  if (!value.includes(0)) return Buffer.concat([value, END, END]);
  const escaped: number[] = [];
  for (const byte of value) escaped.push(...(byte === 0 ? [0, 0xff] : [byte]));
  return Buffer.from([...escaped, 0, 0]);
}

/** Charsets in which printable ASCII is its own bytes. */
const ASCII_CHARSETS = new Set(['utf8mb4', 'utf8mb3', 'utf8', 'latin1', 'ascii']);
/** A blank at the end counts or not, by collation. */
const PLAIN_TEXT = /^(?:[\x20-\x7e]*[\x21-\x7e])?$/;

const CASELESS_COLLATIONS = /^(?:(?:utf8mb4|utf8mb3|utf8)_(?:general_ci|unicode_ci|unicode_520_ci|uca1400_ai_ci)|latin1_swedish_ci|ascii_general_ci)$/; // prettier-ignore
const ID_TEXT = /^[0-9A-Za-z-]*$/;

function textBytesOf({ charset = '', collation = '' }: ColumnStructure): SortValue | null {
  if (!ASCII_CHARSETS.has(charset)) return null;
  if (/^[a-z0-9]+(_0900|_nopad)?_bin$/.test(collation))
    return (value) => textBytes(value.toString('latin1'), PLAIN_TEXT);
  if (!CASELESS_COLLATIONS.test(collation)) return null;
  return (value) => textBytes(value.toString('latin1').toLowerCase(), ID_TEXT);
}

function textBytes(text: string, allowed: RegExp): Buffer | null {
  return allowed.test(text) ? Buffer.from(`${text}\0`, 'latin1') : null;
}
