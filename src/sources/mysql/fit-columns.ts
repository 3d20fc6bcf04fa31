/**
 * Which columns of a changed table hold the values of the column that was: those whose every value has a place that the server itself
 * would give it on ALTER TABLE, and prints as told here. A test alters tables on a server and compares. Anything else is refused.
 */
import { AppError } from '../../domain/errors';
import type { ColumnStructure, ValueKind } from '../../domain/table';
import { columnType, type ColumnType } from './column-type';
import { enumMembers } from './sql';

/** A value's bytes, without their length, as the new column prints it. */
type Change = (value: Buffer) => Buffer;

export interface ValueFit {
  /** Null where bytes stay. */
  change: Change | null;
  keepsOrder: boolean;
}

const SAME: ValueFit = { change: null, keepsOrder: true };
const FEWER = 'which may not hold each of its values';
const OTHER = 'which holds values of another kind';

/** In words why not. */
type Fitted = ValueFit | string;
type Fit = (from: ColumnStructure, to: ColumnStructure) => Fitted;

export function fitMysqlColumn(from: ColumnStructure, to: ColumnStructure): ValueFit | string {
  const ordered = withCollation(fitType(from, to), from.collation === to.collation);
  return typeof ordered === 'string' ? ordered : fitCharset(ordered, from, to);
}

function withCollation(fit: Fitted, isSame: boolean): Fitted {
  return typeof fit === 'string' || isSame ? fit : { ...fit, keepsOrder: false };
}

function fitType(from: ColumnStructure, to: ColumnStructure): Fitted {
  if (from.kind === to.kind && plainType(from.type) === plainType(to.type)) return SAME;
  if (columnType(from).isZerofill || columnType(to).isZerofill) return 'whose values are printed another way';
  return FITS[from.kind]?.[to.kind]?.(from, to) ?? OTHER;
}

/** Display widths of integers say nothing about values, unless they are filled with zeros. */
function plainType(type: string): string {
  return /zerofill/i.test(type) ? type : type.replace(/^((?:tiny|small|medium|big)?int)\(\d+\)/i, '$1');
}

const FITS: Partial<Record<ValueKind, Partial<Record<ValueKind, Fit>>>> = {
  INTEGER: { INTEGER: fitInteger, DECIMAL: fitIntegerInDecimal },
  DECIMAL: { DECIMAL: fitDecimal },
  FLOAT: { FLOAT: fitFloat, DOUBLE: fitFloat },
  DOUBLE: { DOUBLE: fitFloat },
  BIT: { BIT: fitBits },
  TEXT: { TEXT: fitText },
  ENUM: { ENUM: fitEnum, TEXT: fitMembers },
  SET: { SET: fitSet, TEXT: fitMembers },
  BINARY: { BINARY: fitBinary },
  DATE: { DATETIME: fitDate },
  DATETIME: { DATETIME: fitFraction },
  TIMESTAMP: { TIMESTAMP: fitFraction },
  TIME: { TIME: fitFraction },
};

const INTEGER_BITS: Readonly<Record<string, bigint>> = {
  tinyint: 8n,
  smallint: 16n,
  mediumint: 24n,
  int: 32n,
  bigint: 64n,
};

function integerRange({ base, isUnsigned }: ColumnType): [least: bigint, most: bigint] {
  const bits = INTEGER_BITS[base] ?? 0n;
  return isUnsigned ? [0n, (1n << bits) - 1n] : [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
}

function fitInteger(from: ColumnStructure, to: ColumnStructure): Fitted {
  const [[least, most], [lower, upper]] = [integerRange(columnType(from)), integerRange(columnType(to))];
  return lower <= least && most <= upper ? SAME : FEWER;
}

function fitIntegerInDecimal(from: ColumnStructure, to: ColumnStructure): Fitted {
  const [least, most] = integerRange(columnType(from));
  const { precision, scale, isUnsigned } = decimalOf(to);
  if ((isUnsigned && least < 0n) || String(most).length > precision - scale) return FEWER;
  return { change: withZeros(0, scale), keepsOrder: true };
}

function decimalOf(column: ColumnStructure): { precision: number; scale: number; isUnsigned: boolean } {
  const { args, isUnsigned } = columnType(column);
  return { precision: args[0] ?? 10, scale: args[1] ?? 0, isUnsigned };
}

function fitDecimal(from: ColumnStructure, to: ColumnStructure): Fitted {
  const [old, now] = [decimalOf(from), decimalOf(to)];
  const isNarrower = now.scale < old.scale || now.precision - now.scale < old.precision - old.scale;
  if (isNarrower || (now.isUnsigned && !old.isUnsigned)) return FEWER;
  return { change: withZeros(old.scale, now.scale), keepsOrder: true };
}

/** Digits behind the point, or fractions of a second: what the one lacks is zero. Null where it lacks none. */
function withZeros(before: number, after: number): Change | null {
  return before === after ? null : appending((before === 0 ? '.' : '') + '0'.repeat(after - before));
}

function appending(text: string): Change {
  const tail = Buffer.from(text);
  return (value) => Buffer.concat([value, tail]);
}

/** Both are stored as printed in full; those with stated decimals are rounded when they are written. */
function fitFloat(from: ColumnStructure, to: ColumnStructure): Fitted {
  const [old, now] = [columnType(from), columnType(to)];
  return now.args.length > 0 || (now.isUnsigned && !old.isUnsigned) ? FEWER : SAME;
}

function fitBits(from: ColumnStructure, to: ColumnStructure): Fitted {
  const [old, now] = [columnType(from).args[0] ?? 1, columnType(to).args[0] ?? 1];
  if (now < old) return FEWER;
  const missing = Buffer.alloc(Math.ceil(now / 8) - Math.ceil(old / 8));
  return missing.length === 0 ? SAME : { change: (value) => Buffer.concat([missing, value]), keepsOrder: true };
}

/** Bytes that any value of such a type may have. */
const BYTES: Readonly<Record<string, number>> = {
  tinytext: 255,
  text: 65_535,
  mediumtext: 16_777_215,
  longtext: 4_294_967_295,
  tinyblob: 255,
  blob: 65_535,
  mediumblob: 16_777_215,
  longblob: 4_294_967_295,
};
const BYTES_OF_CHARACTER: Readonly<Record<string, number>> = { ascii: 1, latin1: 1, latin2: 1, utf8: 3, utf8mb3: 3 };
const MOST_BYTES_OF_CHARACTER = 4;

function mostCharacters(column: ColumnStructure): number | undefined {
  const { base, args } = columnType(column);
  return base === 'char' || base === 'varchar' ? (args[0] ?? 1) : BYTES[base];
}

/** A CHAR loses spaces at its end, which any other text keeps. */
function fitText(from: ColumnStructure, to: ColumnStructure): Fitted {
  const [old, now] = [columnType(from).base, columnType(to).base];
  const [had, has] = [mostCharacters(from), mostCharacters(to)];
  if (had === undefined || has === undefined || !(old in TEXT_TYPES) || !(now in TEXT_TYPES)) return OTHER;
  if (now === 'char' && old !== 'char') return 'which drops spaces at the end';
  return holdsText(from, to) ? SAME : FEWER;
}

const TEXT_TYPES = { char: 1, varchar: 1, tinytext: 1, text: 1, mediumtext: 1, longtext: 1 };

function holdsText(from: ColumnStructure, to: ColumnStructure): boolean {
  const [had, has] = [mostCharacters(from) ?? Infinity, mostCharacters(to) ?? 0];
  if (!(columnType(to).base in BYTES)) return had <= has;
  const isInBytes = columnType(from).base in BYTES;
  const each = BYTES_OF_CHARACTER[from.charset ?? ''] ?? MOST_BYTES_OF_CHARACTER;
  return (isInBytes ? had : had * each) <= has;
}

/** What is printed is the member's name, wherever it stands; '' is a name, or what a refused value left. */
function fitEnum(from: ColumnStructure, to: ColumnStructure): Fitted {
  const [old, now] = [enumMembers(from.type), enumMembers(to.type)];
  const lost = old.filter((member) => !now.includes(member));
  if (lost.length > 0) return `which lacks ${lost.join(', ')}`;
  if (now.includes('') !== old.includes('')) return "where '' means something else";
  return { change: null, keepsOrder: old.every((member, i) => now[i] === member) };
}

/** Members are printed in their order. */
function fitSet(from: ColumnStructure, to: ColumnStructure): Fitted {
  const [old, now] = [enumMembers(from.type), enumMembers(to.type)];
  const lost = old.filter((member) => !now.includes(member));
  if (lost.length > 0) return `which lacks ${lost.join(', ')}`;
  const kept = now.filter((member) => old.includes(member));
  if (kept.join() !== old.join()) return 'which lists its members in another order';
  return { change: null, keepsOrder: old.every((member, i) => now[i] === member) };
}

function fitMembers(from: ColumnStructure, to: ColumnStructure): Fitted {
  const { base } = columnType(to);
  if (base === 'char' || !(base in TEXT_TYPES)) return OTHER;
  const members = enumMembers(from.type);
  const longest = from.kind === 'SET' ? members.join().length : Math.max(...members.map(({ length }) => length));
  const each = base === 'varchar' ? 1 : MOST_BYTES_OF_CHARACTER;
  return longest * each <= (mostCharacters(to) ?? 0) ? { change: null, keepsOrder: false } : FEWER;
}

/** BINARY is filled up with zero bytes. */
function fitBinary(from: ColumnStructure, to: ColumnStructure): Fitted {
  const [had, has] = [mostBytes(from), mostBytes(to)];
  const isFilled = columnType(to).base === 'binary';
  if (had === undefined || has === undefined || (isFilled && columnType(from).base !== 'binary')) return OTHER;
  if (has < had) return FEWER;
  const missing = Buffer.alloc(isFilled ? has - had : 0);
  return missing.length === 0 ? SAME : { change: (value) => Buffer.concat([value, missing]), keepsOrder: true };
}

function mostBytes(column: ColumnStructure): number | undefined {
  const { base, args } = columnType(column);
  return base === 'binary' || base === 'varbinary' ? (args[0] ?? 1) : BYTES[base];
}

function fitDate(_from: ColumnStructure, to: ColumnStructure): Fitted {
  const digits = columnType(to).args[0] ?? 0;
  return { change: appending(` 00:00:00${digits === 0 ? '' : `.${'0'.repeat(digits)}`}`), keepsOrder: true };
}

function fitFraction(from: ColumnStructure, to: ColumnStructure): Fitted {
  const [old, now] = [columnType(from).args[0] ?? 0, columnType(to).args[0] ?? 0];
  return now < old ? FEWER : { change: withZeros(old, now), keepsOrder: true };
}

/** Bytes must mean the same text, and be what the server would make of it. */
function fitCharset(fit: ValueFit, from: ColumnStructure, to: ColumnStructure): Fitted {
  const [old, now] = [charsetOf(from), charsetOf(to)];
  if (old === now) return fit;
  if (old === 'utf8mb3' && now === 'utf8mb4') return { ...fit, keepsOrder: false };
  if (old !== 'ascii' || !HOLDS_ASCII.has(now ?? '')) return `in another character set (${now ?? 'none'})`;
  return { change: requiringAscii(from, fit.change), keepsOrder: false };
}

const HOLDS_ASCII: ReadonlySet<string> = new Set(['utf8mb3', 'utf8mb4', 'latin1']);

function charsetOf({ charset }: ColumnStructure): string | undefined {
  return charset === 'utf8' ? 'utf8mb3' : charset;
}

/** A column of ASCII may hold other bytes, which the server would replace. */
function requiringAscii({ name }: ColumnStructure, change: Change | null): Change {
  return (value) => {
    if (value.every((byte) => byte < 0x80)) return change?.(value) ?? value;
    throw new AppError(
      'SCHEMA_MISMATCH',
      `A value of column ${name} in the backup is no ASCII, and the column has another character set now.`,
      { hint: 'Restore into a scratch schema, and bring the value over by hand.' },
    );
  };
}
