/** Takes away tables that are still empty: what a restore had created before it failed. Rows that came meanwhile keep theirs. */
import type { Clock } from '../../domain/ambient';
import type { Database } from './database';
import { objectKind } from './introspect';
import { quoteName } from './quote';
import { beginWriting } from './write-transaction';

/** Gives the names that were dropped; one transaction. */
export async function dropEmptyTables(path: string, tables: readonly string[], clock: Clock): Promise<string[]> {
  const database = await beginWriting(path, clock);
  try {
    const empty = tables.filter((table) => isEmptyTable(database, table));
    for (const table of empty) database.exec(`DROP TABLE ${quoteName(table)}`);
    database.exec('COMMIT');
    return empty;
  } finally {
    database.close();
  }
}

function isEmptyTable(database: Database, table: string): boolean {
  if (objectKind(database, table) !== 'TABLE') return false;
  return database.rows(`SELECT 1 FROM ${quoteName(table)} LIMIT 1`).length === 0;
}
