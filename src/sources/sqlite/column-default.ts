/**
 * The value of a column's default, where the table's statement gives it as a plain literal that the column stores as it is; not of
 * expressions, of which SQLite alone knows what they give and when.
 */
import type { ColumnOf } from '../../domain/rows';
import { affinityOf, type Affinity } from './affinity';
import { columnDefinition } from './create-statement';

/** Text is a string. */
export interface DefaultValue {
  value: null | bigint | number | string;
}

/** Null where only SQLite can tell. */
export function sqliteDefault(of: ColumnOf): DefaultValue | null {
  const definition = columnDefinition(of.table.createStatement, of.column.name);
  if (definition === undefined) return null;
  const at = definition.findIndex((token, i) => i > 0 && /^default$/i.test(token));
  const nothing = of.column.nullable ? { value: null } : null;
  if (at < 0) return nothing;
  const literal = literalAt(definition, at + 1);
  if (/^null$/i.test(literal)) return nothing;
  const value = stored(literal, affinityOf(of));
  return value === null ? null : { value };
}

/** A sign is a token of its own. */
function literalAt(tokens: readonly string[], at: number): string {
  const [first = '', second = ''] = tokens.slice(at);
  return first === '-' || first === '+' ? `${first === '-' ? '-' : ''}${second}` : first;
}

/** As a column of the affinity stores the literal; null where that is not certain. */
function stored(literal: string, affinity: Affinity): bigint | number | string | null {
  if (/^'/.test(literal)) return storedText(literal.slice(1, -1).replaceAll("''", "'"), affinity);
  const number = /^(true|false)$/i.test(literal) ? String(Number(/^true$/i.test(literal))) : literal;
  if (/^-?\d{1,15}$/.test(number)) return storedInteger(number, affinity);
  const isReal = /^-?\d{1,9}\.\d{1,6}$/.test(number) && !Number.isInteger(Number(number));
  return isReal && affinity !== 'TEXT' ? Number(number) : null;
}

/** Text that could be a number becomes one in columns of numbers. */
function storedText(text: string, affinity: Affinity): string | null {
  const mayBeNumber = /^\s*[-+.\d]/.test(text);
  return affinity === 'TEXT' || affinity === 'BLOB' || !mayBeNumber ? text : null;
}

function storedInteger(digits: string, affinity: Affinity): bigint | number | string {
  if (affinity === 'REAL') return Number(digits);
  return affinity === 'TEXT' ? String(BigInt(digits)) : BigInt(digits);
}
