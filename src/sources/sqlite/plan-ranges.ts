/**
 * Splits a table into key ranges. Boundaries are the keys of every n-th row, n a power of two that the first rows of the
 * table decide: so the same data gives the same ranges, and rows added at the end move no earlier boundary.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KeyBytes, KeyRange } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';
import type { Database } from './database';
import { averageRowBytes } from './introspect';
import { compareKey, keyOrder, type KeyOrder } from './key-order';
import { quoteName } from './quote';
import { rowSql, withReals } from './row-encoding';

export async function planRanges(database: Database, table: TableStructure, targetBytes: number): Promise<KeyRange[]> {
  const order = keyOrder(database, table);
  const step = rowsPerRange(averageRowBytes(database, table.table, table.columns), targetBytes);
  const ranges: KeyRange[] = [];
  let from: KeyBytes | null = null;
  for (;;) {
    const to = keyAfter(database, table, { order, from, rows: step });
    ranges.push({ from, to });
    if (to === null) return ranges;
    from = to;
    await nextTurn();
  }
}

function rowsPerRange(averageBytes: number, targetBytes: number): number {
  return 2 ** Math.max(0, Math.floor(Math.log2(targetBytes / Math.max(1, averageBytes))));
}

interface Step {
  order: KeyOrder;
  from: KeyBytes | null;
  rows: number;
}

/** The key `rows` rows after `from`, or null past the end. */
function keyAfter(database: Database, table: TableStructure, { order, from, rows }: Step): KeyBytes | null {
  const columns = table.key.map((name) => table.columns.find((column) => column.name === name) ?? missing(name));
  const sql = rowSql(columns, 't');
  const where = from ? compareKey(order, '>=', from) : { sql: '1', parameters: [] };
  const select = [sql.row, ...sql.reals.map((real) => real.sql)].join(', ');
  const found = database.rows(
    `SELECT ${select} FROM ${quoteName(table.table)} t WHERE ${where.sql} ORDER BY ${order.orderBy} LIMIT 1 OFFSET ?`,
    [...where.parameters, BigInt(rows)],
  )[0];
  return found ? withReals(found, sql, new Int32Array(3 * columns.length)) : null;
}

function missing(name: string): never {
  throw new Error(`key column ${name} is not a stored column`);
}
