/**
 * Key order as SQLite has it: how the key columns of a table are compared, and conditions on them. SQLite does the comparing,
 * by the collation of the very index that guards the key, so that paging along it neither skips nor repeats a row.
 */
import type { KeyBytes } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';
import type { Database, SqlValue } from './database';
import { liveKey } from './introspect';
import { quoteName } from './quote';
import { fieldValue, sqliteCodec } from './row-encoding';

/** A piece of SQL and its parameters. */
export interface Condition {
  sql: string;
  parameters: SqlValue[];
}

export interface KeyOrder {
  /** One expression per key column, with its collation where the column's own differs. */
  terms: string[];
  orderBy: string;
}

/** A row, found by its key. */
export interface KeyedRow {
  order: KeyOrder;
  key: KeyBytes;
}

/** What a table is called in every statement that uses its order. */
const ALIAS = 't';

/** The order of a table's key; its columns are spelled `t.<column>`. */
export function keyOrder(database: Database, { table, key }: Pick<TableStructure, 'table' | 'key'>): KeyOrder {
  const live = liveKey(database, table);
  const terms = key.map((column) => {
    const collation = live?.collations[live.columns.indexOf(column)] ?? null;
    const name = `${ALIAS}.${quoteName(column)}`;
    // Naming the collation where it is the column's own would keep SQLite from seeking within a composite index.
    if (collation === null || collation === columnCollation(database, table, column)) return name;
    return `${name} COLLATE ${quoteName(collation)}`;
  });
  return { terms, orderBy: terms.join(', ') };
}

/** The column's own collation, as a comparison compiles to it; null where that can't be made out. */
function columnCollation(database: Database, table: string, column: string): string | null {
  const program = database.rows(`EXPLAIN SELECT +${quoteName(column)} < 'x' FROM ${quoteName(table)}`);
  const comparison = program.find(([, opcode]) => opcode === 'Lt');
  return /^(.+)-\d+$/.exec(String(comparison?.[5] ?? ''))?.[1] ?? null;
}

/** `key <operator> <the key of these bytes>`. */
export function compareKey(order: KeyOrder, operator: '>' | '>=' | '<' | '=', key: KeyBytes): Condition {
  const { values, parameters } = keyParameters(key, order.terms.length);
  if (operator === '=') {
    return { sql: order.terms.map((term, i) => `${term} = ${values[i]}`).join(' AND '), parameters };
  }
  const [left, right] = [order.terms.join(', '), values.join(', ')];
  return { sql: values.length === 1 ? `${left} ${operator} ${right}` : `(${left}) ${operator} (${right})`, parameters };
}

function keyParameters(key: KeyBytes, count: number): { values: string[]; parameters: SqlValue[] } {
  const out = new Int32Array(3 * count);
  sqliteCodec.locate(key, 0, count, out);
  const values: string[] = [];
  const parameters: SqlValue[] = [];
  for (let i = 0; i < count; i++) {
    const start = out[3 * i] as number;
    parameters.push(fieldValue(key, start, out[3 * i + 2] as number));
    // The plus takes away the affinity that a CAST has, which would make SQLite turn the column's values into text.
    values.push(key[start] === 3 ? '+CAST(? AS TEXT)' : '?');
  }
  return { values, parameters };
}

export function allOf(conditions: readonly (Condition | null)[]): Condition {
  const given = conditions.filter((condition) => condition !== null);
  return {
    sql: given.length === 0 ? '1' : given.map((condition) => `(${condition.sql})`).join(' AND '),
    parameters: given.flatMap((condition) => condition.parameters),
  };
}

export function anyOf(conditions: readonly Condition[]): Condition {
  return {
    sql: conditions.length === 0 ? '0' : conditions.map((condition) => `(${condition.sql})`).join(' OR '),
    parameters: conditions.flatMap((condition) => condition.parameters),
  };
}
