/** Rows by table without counting large ones: SQLite keeps no count, and a full one blocks whoever waits for it. */
import type { SourceMapping } from '../../domain/mapping';
import type { Database } from './database';
import { objectKind } from './introspect';
import { quoteName } from './quote';

/** Counting so many index entries takes some milliseconds. */
const COUNTED_ROWS = 100_000;

/** Exact for small tables; for larger ones what ANALYZE last wrote down, and nothing where it never ran. */
export function estimateRows(database: Database, mapping: SourceMapping): Map<string, number> {
  const estimates = mapping.map(({ table }): [string, number | null] => [table, estimate(database, table)]);
  return new Map(estimates.filter((entry): entry is [string, number] => entry[1] !== null));
}

function estimate(database: Database, table: string): number | null {
  if (objectKind(database, table) !== 'TABLE') return null;
  const sql = `SELECT count(*) FROM (SELECT 1 FROM ${quoteName(table)} LIMIT ${COUNTED_ROWS + 1})`;
  const counted = Number(database.value(sql));
  return counted <= COUNTED_ROWS ? counted : analyzedRows(database, table);
}

/** Every entry of a table's statistics begins with its number of rows; those of partial indexes with fewer. */
function analyzedRows(database: Database, table: string): number | null {
  if (objectKind(database, 'sqlite_stat1') === null) return null;
  const sql = 'SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = ?';
  const rows = database.value(sql, [table]);
  return rows === null ? null : Number(rows);
}
