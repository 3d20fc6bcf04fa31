/**
 * Values of `mysql-text-v1` as JSON, by kind of column:
 *
 *     INTEGER, YEAR        number; beyond 2^53 a string of digits
 *     DECIMAL              string, as the server prints it
 *     FLOAT, DOUBLE        number; a FLOAT the shortest that is the same FLOAT
 *     dates and times      string, as the server prints it in UTC
 *     TEXT, ENUM, SET      string; what is no text in its character set, or in one unknown here: { "textBase64": … }
 *     JSON                 the value, where parsing loses nothing, else its text
 *     BIT, BINARY, GEOMETRY  string of base64
 *
 * They compare as numbers, moments and lengths of time; text by code points; base64 by its bytes; JSON for equality alone.
 */
import type { ColumnStructure, TableStructure, ValueKind } from '../../domain/table';
import {
  base64Bytes,
  memberOf,
  noValue,
  sameJson,
  type ColumnValues,
  type CompareField,
  type JsonValue,
} from '../../domain/values';
import { compareDecimals, parseDecimal } from '../exact-decimal';
import { checkedJsonColumns } from '../json-columns';
import { parseExactJson } from '../json-text';
import { isSameInUtf8, textDecoder } from './charsets';
import { MINUTE_US, momentOf, spanOf } from './moments';

/** How one kind of column is read; what is given to it is a value's bytes without their length. */
interface Reading<Operand> {
  isOrdered?: boolean;
  isText?: boolean;
  /** Of documents alone: their own text. */
  text?: (value: Buffer) => string;
  show(value: Buffer): JsonValue;
  /** Throws for what is no value of the column. */
  parse(value: JsonValue): Operand;
  compare(stored: Buffer, operand: Operand): number;
  /** The stored bytes of an operand; absent where they can't be told. */
  store?(operand: Operand): Buffer | null;
}

/** Gives a value its length, as rows hold it. */
type EncodeField = (value: Buffer) => Buffer;

export function mysqlValues(
  table: Pick<TableStructure, 'columns' | 'createStatement'>,
  encodeField: EncodeField,
): ColumnValues[] {
  const json = checkedJsonColumns(table);
  return table.columns.map((column) => {
    const isJson = column.kind === 'TEXT' && json.has(column.name.toLowerCase());
    return READINGS[isJson ? 'JSON' : column.kind](column, encodeField);
  });
}

function valuesOf<Operand>(reading: Reading<Operand>, encodeField: EncodeField): ColumnValues {
  const { isOrdered = true, isText = false, text } = reading;
  const valueAt = (bytes: Buffer, fields: Int32Array, slot: number): Buffer =>
    bytes.subarray(fields[slot + 1], fields[slot + 2]);
  return {
    isOrdered,
    isText,
    toJson: (bytes, fields, slot) =>
      (fields[slot + 1] as number) < 0 ? null : reading.show(valueAt(bytes, fields, slot)),
    ...(text && {
      text: (bytes, fields, slot) => ((fields[slot + 1] as number) < 0 ? null : text(valueAt(bytes, fields, slot))),
    }),
    comparing(value): CompareField {
      const operand = reading.parse(value);
      return (bytes, fields, slot) => reading.compare(valueAt(bytes, fields, slot), operand);
    },
    encode(value) {
      const stored = reading.store?.(reading.parse(value)) ?? null;
      return stored && encodeField(stored);
    },
  };
}

type MakeValues = (column: ColumnStructure, encodeField: EncodeField) => ColumnValues;

function by<Operand>(reading: (column: ColumnStructure) => Reading<Operand>): MakeValues {
  return (column, encodeField) => valuesOf(reading(column), encodeField);
}

const READINGS: Record<ValueKind, MakeValues> = {
  INTEGER: by(integerReading),
  YEAR: by(integerReading),
  DECIMAL: by(decimalReading),
  FLOAT: by(() => floatReading(Math.fround)),
  DOUBLE: by(() => floatReading((value) => value)),
  DATE: by(() => dateReading),
  DATETIME: by((column) => momentReading(column, false)),
  TIMESTAMP: by((column) => momentReading(column, true)),
  TIME: by(() => timeReading),
  TEXT: by(textReading),
  ENUM: by(textReading),
  SET: by(textReading),
  JSON: by(jsonReading),
  BIT: by(() => bytesReading),
  BINARY: by(() => bytesReading),
  GEOMETRY: by(() => bytesReading),
  DYNAMIC: by(textReading),
};

/** Longer ones may be beyond what a number holds. */
const SAFE_DIGITS = 15;

function integerReading({ kind, type }: ColumnStructure): Reading<string> {
  const isPadded = kind === 'YEAR' || /zerofill/i.test(type);
  return {
    show(value) {
      const text = ascii(value);
      const number = Number(text);
      return Number.isSafeInteger(number) ? number : String(BigInt(text));
    },
    parse: decimalText,
    compare: (stored, operand) =>
      stored.length <= SAFE_DIGITS && operand.length <= SAFE_DIGITS
        ? Number(ascii(stored)) - Number(operand)
        : compareText(ascii(stored), operand),
    store(operand) {
      const { unscaled, scale } = exact(operand);
      return scale === 0 && !isPadded ? Buffer.from(String(unscaled)) : null;
    },
  };
}

function decimalReading({ type }: ColumnStructure): Reading<string> {
  const scale = Number(/,\s*(\d+)\)/.exec(type)?.[1] ?? 0);
  return {
    show: ascii,
    parse: decimalText,
    compare: (stored, operand) => compareText(ascii(stored), operand),
    store(operand) {
      const number = exact(operand);
      if (number.scale > scale || /zerofill/i.test(type)) return null;
      const digits = String(number.unscaled * 10n ** BigInt(scale - number.scale))
        .replace('-', '')
        .padStart(scale + 1, '0');
      const sign = number.unscaled < 0n ? '-' : '';
      const whole = digits.slice(0, digits.length - scale);
      return Buffer.from(`${sign}${whole}${scale === 0 ? '' : '.'}${digits.slice(digits.length - scale)}`);
    },
  };
}

/** The number's text. JSON readers round large integers, so that those must come as strings. */
function decimalText(value: JsonValue): string {
  const text = typeof value === 'number' && isExactlySaid(value) ? String(value) : value;
  if (typeof text === 'string' && text.length <= 400 && parseDecimal(text) !== null) return text;
  throw noValue('number', 'Give a number; one of more than 15 digits as a string.');
}

function isExactlySaid(value: number): boolean {
  return !Number.isInteger(value) || Number.isSafeInteger(value);
}

function exact(text: string) {
  return parseDecimal(text) ?? { unscaled: 0n, scale: 0 };
}

function compareText(a: string, b: string): number {
  return compareDecimals(exact(a), exact(b));
}

function floatReading(round: (value: number) => number): Reading<number> {
  return {
    show: (value) => (round === Math.fround ? shortestFloat(Number(ascii(value))) : Number(ascii(value))),
    parse(value) {
      const number = typeof value === 'string' && parseDecimal(value) !== null ? Number(value) : value;
      if (typeof number === 'number' && Number.isFinite(number)) return round(number);
      throw noValue('number', 'Give a number.');
    },
    compare: (stored, operand) => order(Number(ascii(stored)), operand),
  };
}

/** Seven digits tell most of them apart, nine all. */
function shortestFloat(value: number): number {
  for (const digits of [7, 8]) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return shorter;
  }
  return Number(value.toPrecision(9));
}

const dateReading: Reading<string> = {
  show: ascii,
  parse(value) {
    if (typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value)) return value;
    throw noValue('date', 'Write it like 2026-11-25.');
  },
  compare: (stored, operand) => order(ascii(stored), operand),
  store: (operand) => Buffer.from(operand),
};

/** Of `2026-11-25 14:30:00`. */
const SECONDS_LENGTH = 19;

function momentReading({ type }: ColumnStructure, isUtc: boolean): Reading<string> {
  const digits = Number(/\((\d)\)/.exec(type)?.[1] ?? 0);
  return {
    show: ascii,
    parse(value) {
      const moment = typeof value === 'string' && (isUtc || !value.endsWith('Z')) ? momentOf(value) : null;
      if (moment !== null) return moment;
      throw noValue(
        'moment',
        `Write it like 2026-11-25 14:30:00${isUtc ? ', in UTC' : ''}; the time and its fraction may be left out.`,
      );
    },
    compare: (stored, operand) => order(momentOf(ascii(stored)) ?? '', operand),
    store(operand) {
      const end = digits === 0 ? SECONDS_LENGTH : SECONDS_LENGTH + 1 + digits;
      return /^\.?0*$/.test(operand.slice(end)) ? Buffer.from(operand.slice(0, end)) : null;
    },
  };
}

const timeReading: Reading<number> = {
  show: ascii,
  parse(value) {
    const span = typeof value === 'string' ? spanOf(value) : null;
    if (span !== null && Math.abs(span) < 1000 * 60 * MINUTE_US) return span;
    throw noValue('time', 'Write it like 14:30:00 or -838:59:59.');
  },
  compare: (stored, operand) => order(spanOf(ascii(stored)) ?? 0, operand),
};

/** Text as the bytes that it has in UTF-8, whose order is that of its code points; or bytes that are no text, after all text. */
interface TextOperand {
  text: string | null;
  bytes: Buffer;
}

function textReading({ charset }: ColumnStructure): Reading<TextOperand> {
  const decode = textDecoder(charset);
  const asOperand = (stored: Buffer): TextOperand => {
    const text = decode(stored);
    return { text, bytes: text === null ? stored : Buffer.from(text) };
  };
  const isUtf8 = charset?.startsWith('utf8') === true;
  return {
    isText: true,
    show: (value) => decode(value) ?? { textBase64: value.toString('base64') },
    parse(value) {
      if (typeof value === 'string') return { text: value, bytes: Buffer.from(value) };
      const bytes = base64Bytes(memberOf(value, 'textBase64'));
      if (bytes !== null) return asOperand(bytes);
      throw noValue('text', 'Give a string.');
    },
    compare(stored, operand) {
      if (isUtf8) return stored.compare(operand.bytes);
      const { text, bytes } = asOperand(stored);
      if ((text === null) !== (operand.text === null)) return text === null ? 1 : -1;
      return bytes.compare(operand.bytes);
    },
    store: ({ text, bytes }) => (text === null || isSameInUtf8(charset, text) ? bytes : null),
  };
}

function jsonReading({ charset }: ColumnStructure): Reading<JsonValue> {
  const text = textReading({ charset: charset ?? 'utf8mb4' } as ColumnStructure);
  const show = (value: Buffer): JsonValue => {
    const shown = text.show(value);
    return typeof shown === 'string' ? (parseExactJson(shown) ?? shown) : shown;
  };
  return {
    isOrdered: false,
    text(value) {
      const shown = text.show(value);
      return typeof shown === 'string' ? shown : JSON.stringify(shown);
    },
    show,
    parse: (value) => value,
    compare: (stored, operand) => (sameJson(show(stored), operand) ? 0 : 1),
  };
}

const bytesReading: Reading<Buffer> = {
  show: (value) => value.toString('base64'),
  parse(value) {
    const bytes = base64Bytes(value);
    if (bytes !== null) return bytes;
    throw noValue('bytes', 'Give them in base64.');
  },
  compare: (stored, operand) => stored.compare(operand),
  store: (operand) => operand,
};

function ascii(value: Buffer): string {
  return value.toString('latin1');
}

function order<Value extends number | string>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
