/** Conditions on keys, spelled so that the server compares them by the key's own index, type and collation. Pure. */
import type { KeyBytes, KeyRange } from '../../domain/rows';
import type { ColumnStructure, TableStructure } from '../../domain/table';
import { AppError } from '../../domain/errors';
import { decodeFields } from './row-encoding';
import { orderLiteral, quoteName, valueLiteral } from './sql';

export function keyColumns(table: TableStructure, names: readonly string[] = table.key): ColumnStructure[] {
  return names.map((name) => {
    const column = table.columns.find((candidate) => candidate.name === name);
    if (!column) throw new AppError('SCHEMA_MISMATCH', `Table ${table.table} has no key column ${name}.`);
    return column;
  });
}

/** The rows of a range, or null for the whole table. A bound may name only the first columns of the key. */
export function rangeCondition(table: TableStructure, range: KeyRange | undefined, alias?: string): string | null {
  const parts: string[] = [];
  if (range?.from) parts.push(boundCondition(table, { bound: range.from, side: 'FROM' }, alias));
  if (range?.to) parts.push(boundCondition(table, { bound: range.to, side: 'TO' }, alias));
  return parts.length === 0 ? null : parts.join(' AND ');
}

interface Bound {
  bound: KeyBytes;
  side: 'FROM' | 'TO';
}

/**
 * FROM: key >= bound; TO: key < bound. Row comparison `(a, b) >= (x, y)` would not use the index, so it is written out:
 * a >= x AND (a > x OR (a = x AND b >= y)).
 */
function boundCondition(table: TableStructure, { bound, side }: Bound, alias?: string): string {
  const values = decodeFields(bound);
  const columns = keyColumns(table).slice(0, values.length);
  const [strict, last] = side === 'FROM' ? ['>', '>='] : ['<', '<'];
  const terms = columns.map((column, i) => ({
    name: columnName(column, alias),
    literal: orderLiteral(column, values[i] as Buffer | null),
  }));
  let condition = '';
  for (const [i, { name, literal }] of [...terms.entries()].reverse()) {
    const isLast = i === terms.length - 1;
    if (isLast) condition = `${name} ${last} ${literal}`;
    else condition = `(${name} ${strict} ${literal} OR (${name} = ${literal} AND ${condition}))`;
  }
  const [first] = terms;
  return terms.length > 1 && first ? `${first.name} ${strict}= ${first.literal} AND ${condition}` : condition;
}

function columnName(column: ColumnStructure, alias: string | undefined): string {
  return alias === undefined ? quoteName(column.name) : `${alias}.${quoteName(column.name)}`;
}

/** The rows that have one of the keys, each given as the values of its key columns. */
export function keysCondition(
  columns: readonly ColumnStructure[],
  keys: readonly (Buffer | null)[][],
  alias?: string,
): string {
  const names = columns.map((column) => columnName(column, alias));
  const literals = keys.map((key) => columns.map((column, i) => valueLiteral(column, key[i] ?? null)));
  if (names.length === 1) return `${names[0]} IN (${literals.map(([literal]) => literal).join(', ')})`;
  return `(${names.join(', ')}) IN (${literals.map((literal) => `(${literal.join(', ')})`).join(', ')})`;
}

export function orderByKey(table: TableStructure, alias?: string): string {
  return keyColumns(table)
    .map((column) => columnName(column, alias))
    .join(', ');
}

/** Keeps the server on the key's index, so that neither a sort nor another order comes up. */
export function keyIndexHint(table: TableStructure): string {
  return table.keyIsPrimary ? 'FORCE INDEX (PRIMARY)' : '';
}
