/**
 * Values as the binary log holds them: how long each is, and, for columns that may stand in a key, its bytes in the row encoding.
 * A type is among those only where a test shows on a server that both ways give the same bytes; any other says so in words.
 */
import type { ColumnStructure } from '../../domain/table';
import { bitmapBytes, type WireColumn } from './log-events';
import { enumMembers } from './sql';

const TYPE = {
  TINY: 1,
  SHORT: 2,
  LONG: 3,
  FLOAT: 4,
  DOUBLE: 5,
  LONGLONG: 8,
  INT24: 9,
  DATE: 10,
  YEAR: 13,
  NEWDATE: 14,
  VARCHAR: 15,
  BIT: 16,
  TIMESTAMP2: 17,
  DATETIME2: 18,
  TIME2: 19,
  BLOB_COMPRESSED: 140,
  VARCHAR_COMPRESSED: 141,
  VECTOR: 242,
  JSON: 245,
  NEWDECIMAL: 246,
  ENUM: 247,
  SET: 248,
  TINY_BLOB: 249,
  MEDIUM_BLOB: 250,
  LONG_BLOB: 251,
  BLOB: 252,
  VAR_STRING: 253,
  STRING: 254,
  GEOMETRY: 255,
} as const;

/** How many bytes a value takes at `at`. */
export type Measure = (bytes: Buffer, at: number) => number;

const FIXED: ReadonlyMap<number, number> = new Map([
  [TYPE.TINY, 1],
  [TYPE.SHORT, 2],
  [TYPE.INT24, 3],
  [TYPE.LONG, 4],
  [TYPE.LONGLONG, 8],
  [TYPE.YEAR, 1],
  [TYPE.FLOAT, 4],
  [TYPE.DOUBLE, 8],
  [TYPE.DATE, 3],
  [TYPE.NEWDATE, 3],
]);
const BLOBS: ReadonlySet<number> = new Set([
  TYPE.BLOB_COMPRESSED,
  TYPE.VECTOR,
  TYPE.JSON,
  TYPE.TINY_BLOB,
  TYPE.MEDIUM_BLOB,
  TYPE.LONG_BLOB,
  TYPE.BLOB,
  TYPE.GEOMETRY,
]);
const SECONDS_BYTES: ReadonlyMap<number, number> = new Map([
  [TYPE.TIMESTAMP2, 4],
  [TYPE.DATETIME2, 5],
  [TYPE.TIME2, 3],
]);

/** Null for a type whose values have no known length. */
export function measureOf({ type, meta }: WireColumn): Measure | null {
  const fixed = FIXED.get(type);
  if (fixed !== undefined) return () => fixed;
  if (BLOBS.has(type)) return prefixed(meta[0]);
  const seconds = SECONDS_BYTES.get(type);
  if (seconds !== undefined) return () => seconds + ((meta[0] + 1) >> 1);
  if (type === TYPE.VARCHAR || type === TYPE.VARCHAR_COMPRESSED) return prefixed(meta[0] + meta[1] * 256 > 255 ? 2 : 1);
  if (type === TYPE.BIT) return () => meta[1] + (meta[0] > 0 ? 1 : 0);
  if (type === TYPE.NEWDECIMAL) return () => decimalBytes(meta[0], meta[1]);
  return type === TYPE.STRING ? measureString({ type, meta }) : null;
}

function prefixed(prefixBytes: number): Measure | null {
  if (prefixBytes < 1 || prefixBytes > 4) return null;
  return (bytes, at) => prefixBytes + bytes.readUIntLE(at, prefixBytes);
}

/** A STRING's two bytes hold its real type and its length, whose upper two bits are turned over in the type's. */
function realString({ meta: [high, low] }: WireColumn): { type: number; lengthBytes: number } {
  if ((high & 0x30) === 0x30) return { type: high, lengthBytes: low };
  return { type: high | 0x30, lengthBytes: low | (((high & 0x30) ^ 0x30) << 4) };
}

function measureString(column: WireColumn): Measure | null {
  const { type, lengthBytes } = realString(column);
  if (type === TYPE.ENUM || type === TYPE.SET) return () => lengthBytes;
  return type === TYPE.STRING ? prefixed(lengthBytes > 255 ? 2 : 1) : null;
}

const DIGITS_BYTES = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4] as const;

function digitsBytes(digits: number): number {
  return Math.floor(digits / 9) * 4 + (DIGITS_BYTES[digits % 9] ?? 0);
}

function decimalBytes(precision: number, scale: number): number {
  return digitsBytes(precision - scale) + digitsBytes(scale);
}

/** The value's bytes in the row encoding, from those of the log. */
export type Decode = (value: Buffer) => Buffer;

/** In words, why values of the column can't be told from the log; null where they can. */
export function keyTypeRefusal(column: ColumnStructure): string | null {
  const can = TELLABLE[column.kind];
  return can?.(column) ? null : `column ${column.name} of its key is a ${column.type}, which is not read from the log`;
}

const TELLABLE: Partial<Record<ColumnStructure['kind'], (column: ColumnStructure) => boolean>> = {
  INTEGER: () => true,
  DECIMAL: ({ type }) => !/zerofill/i.test(type),
  TEXT: ({ charset, type }) =>
    type === 'uuid' || (isPlainText(type) && charset !== undefined && SAME_BYTES.has(charset)),
  BINARY: ({ type }) => /^(var)?binary\b/i.test(type),
  DATE: () => true,
  DATETIME: () => true,
  TIMESTAMP: () => true,
  ENUM: ({ type, charset }) => charset !== undefined && SAME_BYTES.has(charset) && isAscii(enumMembers(type).join('')),
};

const SAME_BYTES: ReadonlySet<string> = new Set(['utf8mb4', 'utf8mb3', 'utf8', 'ascii', 'latin1', 'binary']);

function isPlainText(type: string): boolean {
  return /^(var)?char\b/i.test(type) && !/compressed/i.test(type);
}

function isAscii(text: string): boolean {
  return /^[ -[\]-~]*$/.test(text);
}

/** How the column's values come out of the log; null where the log holds another type than the table has. */
export function decoderOf(column: ColumnStructure, wire: WireColumn): Decode | null {
  switch (column.kind) {
    case 'INTEGER':
      return integerDecoder(column, wire);
    case 'DECIMAL':
      return wire.type === TYPE.NEWDECIMAL ? (value) => text(decimalText(value, wire.meta)) : null;
    case 'TEXT':
    case 'BINARY':
      return bytesDecoder(column, wire);
    case 'DATE':
      return wire.type === TYPE.DATE || wire.type === TYPE.NEWDATE ? (value) => text(dateText(value)) : null;
    case 'DATETIME':
      return wire.type === TYPE.DATETIME2 ? (value) => text(datetimeText(value, wire.meta[0])) : null;
    case 'TIMESTAMP':
      return wire.type === TYPE.TIMESTAMP2 ? (value) => text(timestampText(value, wire.meta[0])) : null;
    case 'ENUM':
      return enumDecoder(column, wire);
    case 'FLOAT':
    case 'DOUBLE':
    case 'BIT':
    case 'TIME':
    case 'YEAR':
    case 'JSON':
    case 'SET':
    case 'GEOMETRY':
    case 'DYNAMIC':
      return null;
  }
}

function text(value: string): Buffer {
  return Buffer.from(value, 'latin1');
}

const INTEGER_BYTES: ReadonlyMap<string, number> = new Map([
  ['tinyint', 1],
  ['smallint', 2],
  ['mediumint', 3],
  ['int', 4],
  ['bigint', 8],
]);

function integerDecoder({ type }: ColumnStructure, wire: WireColumn): Decode | null {
  const [, base = '', width = '0'] = /^(\w+)(?:\((\d+)\))?/.exec(type.toLowerCase()) ?? [];
  if (INTEGER_BYTES.get(base) !== FIXED.get(wire.type) || wire.type === TYPE.FLOAT || wire.type === TYPE.DOUBLE)
    return null;
  const signed = !/unsigned|zerofill/i.test(type);
  const digits = /zerofill/i.test(type) ? Number(width) : 0;
  return (value) => text(integerText(value, signed).padStart(digits, '0'));
}

function integerText(value: Buffer, signed: boolean): string {
  if (value.length === 8) return (signed ? value.readBigInt64LE(0) : value.readBigUInt64LE(0)).toString();
  return (signed ? value.readIntLE(0, value.length) : value.readUIntLE(0, value.length)).toString();
}

/** Groups of nine digits in four bytes, fewer in less; the sign is the first bit, and negative values are turned over. */
function decimalText(value: Buffer, [precision, scale]: readonly [number, number]): string {
  const negative = (value.readUInt8(0) & 0x80) === 0;
  const bytes = Buffer.from(value);
  bytes.writeUInt8(bytes.readUInt8(0) ^ 0x80, 0);
  if (negative) for (let i = 0; i < bytes.length; i++) bytes.writeUInt8(bytes.readUInt8(i) ^ 0xff, i);
  const wholeDigits = precision - scale;
  const wholeBytes = digitsBytes(wholeDigits);
  const groups = (digits: number): number[] => Array.from({ length: Math.floor(digits / 9) }, () => 9);
  const whole = digitGroups(bytes.subarray(0, wholeBytes), [wholeDigits % 9, ...groups(wholeDigits)]);
  const fraction = digitGroups(bytes.subarray(wholeBytes), [...groups(scale), scale % 9]);
  return `${negative ? '-' : ''}${whole.replace(/^0+/, '') || '0'}${scale > 0 ? `.${fraction}` : ''}`;
}

function digitGroups(bytes: Buffer, groups: readonly number[]): string {
  let at = 0;
  let digits = '';
  for (const group of groups) {
    const size = DIGITS_BYTES[group] ?? 0;
    if (size > 0) digits += bytes.readUIntBE(at, size).toString().padStart(group, '0');
    at += size;
  }
  return digits;
}

const UUID_BYTES = 16;

/** The bytes themselves; a BINARY has lost its trailing zeros on its way. */
function bytesDecoder({ type }: ColumnStructure, wire: WireColumn): Decode | null {
  if (type === 'uuid') return uuidDecoder(wire);
  const isFixed = /^(char|binary)\b/i.test(type);
  if (isFixed ? wire.type !== TYPE.STRING || realString(wire).type !== TYPE.STRING : wire.type !== TYPE.VARCHAR)
    return null;
  const prefix = lengthPrefixBytes(wire);
  if (!/^binary\b/i.test(type)) return (value) => value.subarray(prefix);
  const size = Number(/\((\d+)\)/.exec(type)?.[1] ?? 1);
  return (value) => Buffer.concat([value.subarray(prefix)], size);
}

function uuidDecoder(wire: WireColumn): Decode | null {
  if (wire.type !== TYPE.STRING || realString(wire).lengthBytes !== UUID_BYTES) return null;
  return (value) => {
    const hex = Buffer.concat([value.subarray(1)], UUID_BYTES).toString('hex');
    return text(hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'));
  };
}

function lengthPrefixBytes(wire: WireColumn): number {
  const longest = wire.type === TYPE.VARCHAR ? wire.meta[0] + wire.meta[1] * 256 : realString(wire).lengthBytes;
  return longest > 255 ? 2 : 1;
}

function enumDecoder({ type }: ColumnStructure, wire: WireColumn): Decode | null {
  const isEnum = wire.type === TYPE.STRING && realString(wire).type === TYPE.ENUM;
  if (!isEnum || realString(wire).lengthBytes > 2) return null;
  const members = ['', ...enumMembers(type)].map(text);
  return (value) => members[value.readUIntLE(0, value.length)] ?? Buffer.alloc(0);
}

const pad = (value: number, digits: number): string => value.toString().padStart(digits, '0');

function dayText(year: number, month: number, day: number): string {
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
}

function dateText(value: Buffer): string {
  const packed = value.readUIntLE(0, 3);
  return dayText(packed >> 9, (packed >> 5) & 15, packed & 31);
}

/** A sign bit, then 17 bits of year * 13 + month, 5 of day, 5 of hour, 6 of minute, 6 of second; big-endian. */
function datetimeText(value: Buffer, decimals: number): string {
  const high = value.readUIntBE(0, 3);
  const low = value.readUIntBE(3, 2);
  const yearMonth = (high >> 6) & 0x1ffff;
  const day = (high >> 1) & 31;
  const hour = ((high & 1) << 4) | (low >> 12);
  const time = `${pad(hour, 2)}:${pad((low >> 6) & 63, 2)}:${pad(low & 63, 2)}`;
  return `${dayText(Math.floor(yearMonth / 13), yearMonth % 13, day)} ${time}${fractionText(value.subarray(5), decimals)}`;
}

function timestampText(value: Buffer, decimals: number): string {
  const seconds = value.readUInt32BE(0);
  const fraction = fractionText(value.subarray(4), decimals);
  const micros = value.length > 4 ? value.readUIntBE(4, value.length - 4) : 0;
  if (seconds === 0 && micros === 0) return `0000-00-00 00:00:00${fraction}`;
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')}${fraction}`;
}

/** Hundredths, ten-thousandths or millionths in one, two or three bytes. */
function fractionText(bytes: Buffer, decimals: number): string {
  if (decimals === 0) return '';
  return `.${pad(bytes.readUIntBE(0, bytes.length), bytes.length * 2).slice(0, decimals)}`;
}

/** Where each column of a row image lies: offsets of value i at [2i] and [2i+1], -1 for NULL and for columns that are not there. */
export class ImageReader {
  readonly spans: Int32Array;

  constructor(private readonly measures: readonly Measure[]) {
    this.spans = new Int32Array(measures.length * 2);
  }

  /** Locates the image of all columns in `present` that begins at `start`; gives the offset after it. */
  locate(bytes: Buffer, start: number, present: readonly number[]): number {
    this.spans.fill(-1);
    let at = start + bitmapBytes(present.length);
    for (let i = 0; i < present.length; i++) {
      if (bytes.readUInt8(start + (i >> 3)) & (1 << (i & 7))) continue;
      const column = present[i] as number;
      const size = (this.measures[column] as Measure)(bytes, at);
      this.spans[2 * column] = at;
      this.spans[2 * column + 1] = at += size;
    }
    return at;
  }
}
