/**
 * The value of a column's default, where the table's statement gives it as a plain literal whose stored form is certain; not of
 * expressions, of which the server alone knows what they give and when.
 */
import { isAppError } from '../../domain/errors';
import type { ColumnOf } from '../../domain/rows';
import type { ColumnStructure, ValueKind } from '../../domain/table';
import { isSameInUtf8 } from './charsets';
import { mysqlValues } from './column-values';
import { columnType } from './column-type';
import { parseCreateTable } from './create-table';
import { enumMembers } from './sql';

/** A value's bytes, without their length; null for NULL. */
export interface DefaultValue {
  value: Buffer | null;
}

/** Null where only the server can tell. */
export function mysqlDefault({ column, table }: ColumnOf): DefaultValue | null {
  const definition = parseCreateTable(table.createStatement).definitions.find(
    ({ kind, name }) => kind === 'COLUMN' && name === column.name,
  );
  if (definition === undefined) return null;
  const literal = defaultLiteral(definition.text);
  if (literal === 'NONE') return column.nullable ? { value: null } : null;
  if (literal !== null && !literal.isQuoted && /^null$/i.test(literal.text))
    return column.nullable ? { value: null } : null;
  const value = literal && valueOf(literal, { column, table });
  return value && { value };
}

/** A literal's text, and whether it was quoted. */
interface Literal {
  text: string;
  isQuoted: boolean;
  isBits: boolean;
}

const TOKEN = /b?'(?:[^'\\]|''|\\.)*'|`(?:[^`]|``)*`|[^\s'`()]+|[()]/gs;

/** NONE where the column has no default; null for a default that is no literal. */
function defaultLiteral(definition: string): Literal | 'NONE' | null {
  let depth = 0;
  const tokens: string[] = [];
  for (const [token] of definition.matchAll(TOKEN)) {
    if (token === '(') depth += 1;
    if (depth === 0) tokens.push(token);
    else if (depth === 1 && token === '(') tokens.push(token);
    if (token === ')') depth -= 1;
  }
  const at = tokens.findIndex((token) => /^default$/i.test(token));
  if (at < 0) return 'NONE';
  const [value = '', next = ''] = tokens.slice(at + 1);
  return next === '(' ? null : literalOf(value);
}

function literalOf(token: string): Literal | null {
  if (/^b?'/.test(token)) {
    const isBits = token.startsWith('b');
    const text = unescaped(token.slice(isBits ? 2 : 1, -1));
    return text === null ? null : { text, isQuoted: true, isBits };
  }
  const isPlain = /^(?:null|-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)$/i.test(token);
  return isPlain ? { text: token, isQuoted: false, isBits: false } : null;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\\\': '\\',
  '\\0': '\0',
  '\\n': '\n',
  '\\r': '\r',
  "''": "'",
  "\\'": "'",
};

/** Null for an escape that the server is not known to write. */
function unescaped(text: string): string | null {
  let isKnown = true;
  const plain = text.replace(/\\.|''/gs, (escape) => {
    isKnown &&= escape in ESCAPES;
    return ESCAPES[escape] ?? '';
  });
  return isKnown ? plain : null;
}

function valueOf({ text, isBits }: Literal, of: ColumnOf): Buffer | null {
  const { column } = of;
  if (isBits) return column.kind === 'BIT' ? bitsOf(column, text) : null;
  return VALUES[column.kind]?.(text, of) ?? null;
}

const VALUES: Partial<Record<ValueKind, (text: string, of: ColumnOf) => Buffer | null>> = {
  INTEGER: storedValue,
  DECIMAL: storedValue,
  DATE: storedValue,
  DATETIME: storedValue,
  FLOAT: floatOf,
  DOUBLE: floatOf,
  TEXT: textOf,
  ENUM: (text, of) => (enumMembers(of.column.type).includes(text) ? textOf(text, of) : null),
  SET: (text, of) => (isInOrder(text, enumMembers(of.column.type)) ? textOf(text, of) : null),
};

function storedValue(text: string, { column, table }: ColumnOf): Buffer | null {
  const [values] = mysqlValues({ ...table, columns: [column] }, (value) => value);
  try {
    return values?.encode(text) ?? null;
  } catch (error) {
    if (isAppError(error) && error.code === 'INVALID_INPUT') return null; // because a zero date is no moment
    throw error;
  }
}

function isInOrder(list: string, members: readonly string[]): boolean {
  const named = list.split(',');
  return list === '' || members.filter((member) => named.includes(member)).join() === list;
}

/** Of numbers that the server prints plainly, and that are the same in the column. */
function floatOf(text: string, { column }: ColumnOf): Buffer | null {
  const number = Number(text);
  const isPlain = number === 0 ? !text.startsWith('-') : Math.abs(number) >= 0.001 && Math.abs(number) < 1e9;
  const isExact = column.kind === 'DOUBLE' || Math.fround(number) === number;
  return isPlain && isExact && columnType(column).args.length === 0 ? Buffer.from(String(number)) : null;
}

function textOf(text: string, { column }: ColumnOf): Buffer | null {
  const isCertain = column.charset !== undefined && isSameInUtf8(column.charset, text) && !text.endsWith(' ');
  return isCertain ? Buffer.from(text) : null;
}

function bitsOf(column: ColumnStructure, bits: string): Buffer | null {
  const width = columnType(column).args[0] ?? 1;
  if (!/^[01]+$/.test(bits) || bits.length > width) return null;
  const hex = BigInt(`0b${bits}`).toString(16);
  return Buffer.from(hex.padStart(2 * Math.ceil(width / 8), '0'), 'hex');
}
