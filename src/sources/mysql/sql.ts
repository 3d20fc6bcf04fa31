/**
 * How names and stored values are spelled in statements. A value is the column's raw bytes, and becomes a literal that the
 * server reads back as the same bytes: numbers plain, times as text, everything else as hex with the column's charset.
 */
import { AppError } from '../../domain/errors';
import type { ColumnStructure, ValueKind } from '../../domain/table';
import type { Dialect } from './dialect';
import { jsonLiteral } from './json-literal';

export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

export function quoteNames(names: readonly string[]): string {
  return names.map(quoteName).join(', ');
}

export function qualified(schema: string | undefined, table: string): string {
  return schema === undefined ? quoteName(table) : `${quoteName(schema)}.${quoteName(table)}`;
}

/** A text literal; sessions of ours are utf8mb4 and never have NO_BACKSLASH_ESCAPES. */
export function quoteText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\0', '\\0')}'`;
}

const DOUBLE_PRINTED: ReadonlySet<ValueKind> = new Set<ValueKind>(['FLOAT', 'DOUBLE']);

/** The driver ends a connection that sends a column in one of these: it wants to decode the column's name by it. */
const UNKNOWN_TO_DRIVER: ReadonlySet<string> = new Set(['dec8', 'hp8', 'swe7', 'keybcs2', 'geostd8', 'eucjpms']);

/** What to select so that the column comes back without losing a bit. */
export function selectExpression(column: ColumnStructure, dialect: Dialect, alias?: string): string {
  const name = alias === undefined ? quoteName(column.name) : `${alias}.${quoteName(column.name)}`;
  if (column.charset !== undefined && UNKNOWN_TO_DRIVER.has(column.charset)) return `CAST(${name} AS BINARY)`;
  // A plain DOUBLE prints every digit it needs; FLOAT and those with stated decimals do not.
  const lossy = DOUBLE_PRINTED.has(column.kind) && (column.kind === 'FLOAT' || column.type.includes('('));
  if (!lossy) return name;
  return dialect.canCastToDouble ? `CAST(${name} AS DOUBLE)` : `${name} * 1e0`;
}

export function selectList(columns: readonly ColumnStructure[], dialect: Dialect, alias?: string): string {
  return columns.map((column) => selectExpression(column, dialect, alias)).join(', ');
}

const NUMBER = /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i;
const PLAIN = /^[-+:. \da-zA-Z]*$/;

/** A literal that stores, or equals, exactly these bytes. */
export function valueLiteral(column: ColumnStructure, value: Buffer | null): string {
  if (value === null) return 'NULL';
  switch (column.kind) {
    case 'INTEGER':
    case 'DECIMAL':
      return checked(column, value, NUMBER);
    case 'BIT':
      return bitNumber(value);
    case 'BINARY':
    case 'GEOMETRY':
      return `X'${value.toString('hex')}'`;
    case 'JSON':
      return jsonLiteral(value);
    case 'TEXT':
    case 'ENUM':
    case 'SET':
      return column.charset ? textLiteral(column.charset, value) : `'${checked(column, value, PLAIN)}'`;
    case 'FLOAT':
    case 'DOUBLE':
    case 'DATE':
    case 'TIME':
    case 'DATETIME':
    case 'TIMESTAMP':
    case 'YEAR':
    case 'DYNAMIC':
      return `'${checked(column, value, PLAIN)}'`;
  }
}

function textLiteral(charset: string, value: Buffer): string {
  // What is text in the one is the same bytes in the other, which MySQL can name without a warning.
  const name = charset === 'utf8mb3' || charset === 'utf8' ? 'utf8mb4' : charset;
  return `_${name} X'${value.toString('hex')}'`;
}

const OLD_CHARSETS: ReadonlySet<string> = new Set(['ucs2', 'dec8', 'hp8', 'macce', 'macroman']);

/** True where naming the column's charset brings a warning on newer servers, which says nothing about the value. */
export function hasOldCharset({ charset }: ColumnStructure): boolean {
  return charset !== undefined && OLD_CHARSETS.has(charset);
}

/** A literal that stores exactly these bytes, with no warning that is not about them; of no use in comparisons. */
export function storedLiteral(column: ColumnStructure, value: Buffer | null): string {
  return value !== null && hasOldCharset(column) ? `X'${value.toString('hex')}'` : valueLiteral(column, value);
}

function bitNumber(value: Buffer): string {
  return value.length === 0 ? '0' : BigInt(`0x${value.toString('hex')}`).toString();
}

function checked(column: ColumnStructure, value: Buffer, pattern: RegExp): string {
  const text = value.toString('latin1');
  if (pattern.test(text)) return text;
  throw new AppError('INTEGRITY_FAILURE', `A stored value of column ${column.name} is no ${column.type}.`);
}

/** A literal that stands where the bytes stand in the order of the column: ENUM and SET are ordered by number. */
export function orderLiteral(column: ColumnStructure, value: Buffer | null): string {
  const literal = valueLiteral(column, value);
  if (value === null || (column.kind !== 'ENUM' && column.kind !== 'SET')) return literal;
  const members = enumMembers(column.type).map(quoteText);
  if (column.kind === 'ENUM') return `FIELD(${literal}, ${members.join(', ')})`;
  return `(${members.map((member, i) => `IF(FIND_IN_SET(${member}, ${literal}), ${1n << BigInt(i)}, 0)`).join(' | ')})`;
}

/** Members of `enum('a','it''s')` or `set(…)`, in order. */
export function enumMembers(type: string): string[] {
  const list = type.slice(type.indexOf('(') + 1, type.lastIndexOf(')'));
  return [...list.matchAll(/'((?:[^']|'')*)'/g)].map((match) => (match[1] as string).replaceAll("''", "'"));
}

/** True where '' in the column can only be the number 0 that a refused value leaves, which strict mode does not take back. */
export function hasErrorValue(column: ColumnStructure): boolean {
  return column.kind === 'ENUM' && !enumMembers(column.type).includes('');
}
