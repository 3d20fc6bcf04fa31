/** Statements that write encoded rows, one row each; every one names every stored column. Used within a transaction. */
import { rowStart, type RowBatch } from '../../domain/rows';
import { keyColumnIndexes, type TableStructure } from '../../domain/table';
import type { Database, SqlValue } from './database';
import { compareKey, type KeyedRow } from './key-order';
import { quoteName, quoteNames } from './quote';
import { parameterOf, sqliteCodec } from './row-encoding';

/** The rows of a batch, each as its own view of the batch's bytes. */
export function* rowsOf(batch: RowBatch): Generator<Buffer> {
  for (let i = 0; i < batch.ends.length; i++) yield batch.bytes.subarray(rowStart(batch, i), batch.ends[i]);
}

interface Bound {
  /** One placeholder per column. */
  places: string[];
  parameters: SqlValue[];
}

function bind(table: TableStructure, row: Buffer, fields: Int32Array): Bound {
  const count = table.columns.length;
  sqliteCodec.locate(row, 0, count, fields);
  const places: string[] = [];
  const parameters: SqlValue[] = [];
  for (let i = 0; i < count; i++) {
    const { value, castToText } = parameterOf(row, fields[3 * i] as number, fields[3 * i + 2] as number);
    parameters.push(value);
    places.push(castToText ? 'CAST(? AS TEXT)' : '?');
  }
  return { places, parameters };
}

/** OR ABORT: a table's own ON CONFLICT clause must not replace or drop rows behind our back. */
export function insertRow(database: Database, table: TableStructure, row: Buffer): void {
  const { places, parameters } = bind(table, row, new Int32Array(3 * table.columns.length));
  const columns = quoteNames(table.columns.map((column) => column.name));
  database.run(`INSERT OR ABORT INTO ${quoteName(table.table)} (${columns}) VALUES (${places.join(', ')})`, parameters);
}

/** Replaces the row of a key by `row`; says how many rows that hit. */
export function updateRow(database: Database, table: TableStructure, at: KeyedRow & { row: Buffer }): number {
  const { places, parameters } = bind(table, at.row, new Int32Array(3 * table.columns.length));
  const sets = table.columns.map((column, i) => `${quoteName(column.name)} = ${places[i]}`).join(', ');
  const where = compareKey(at.order, '=', at.key);
  const sql = `UPDATE OR ABORT ${quoteName(table.table)} AS t SET ${sets} WHERE ${where.sql}`;
  return database.run(sql, [...parameters, ...where.parameters]);
}

export function deleteRow(database: Database, table: TableStructure, at: KeyedRow): number {
  const where = compareKey(at.order, '=', at.key);
  return database.run(`DELETE FROM ${quoteName(table.table)} AS t WHERE ${where.sql}`, where.parameters);
}

/** The key of a row as people would write it, for messages. */
export function keyText(table: TableStructure, row: Buffer): string {
  const fields = new Int32Array(3 * table.columns.length);
  sqliteCodec.locate(row, 0, table.columns.length, fields);
  return keyColumnIndexes(table)
    .map(
      (i, n) => `${table.key[n]}=${sqliteCodec.valueText(row, fields[3 * i] as number, fields[3 * i + 2] as number)}`,
    )
    .join(', ');
}
