/** Drops tables that a restore had brought into being, once its undoing has emptied them and nothing refers to them. */
import type { Clock } from '../../domain/ambient';
import type { Database } from './database';
import { foreignKeys, objectKind, tableNames } from './introspect';
import { quoteName } from './quote';
import { beginWriting } from './write-transaction';

/** As `Source.dropEmptyTables`; all in one transaction. */
export async function dropEmptyTables(
  path: string,
  tables: readonly string[],
  clock: Clock,
): Promise<Map<string, string>> {
  const database = await beginWriting(path, clock);
  try {
    const kept = dropAll(database, tables);
    database.exec('COMMIT');
    return kept;
  } finally {
    database.close();
  }
}

/** Round by round: one that another of them refers to goes once that is gone. */
function dropAll(database: Database, tables: readonly string[]): Map<string, string> {
  const kept = new Map<string, string>();
  let left = tables.filter((table) => objectKind(database, table) === 'TABLE');
  for (let before = -1; left.length !== before;) {
    before = left.length;
    left = left.filter((table) => {
      const reason = reasonToKeep(database, table);
      if (reason === null) database.exec(`DROP TABLE ${quoteName(table)}`);
      if (reason === null) kept.delete(table);
      else kept.set(table, reason);
      return reason !== null;
    });
  }
  return kept;
}

function reasonToKeep(database: Database, table: string): string | null {
  if (database.rows(`SELECT 1 FROM ${quoteName(table)} LIMIT 1`).length > 0) return 'it has rows';
  return referringTables(database, table).length > 0 ? 'other tables refer to it' : null;
}

/** The other tables that have a foreign key to it. */
export function referringTables(database: Database, table: string): string[] {
  const wanted = table.toLowerCase();
  return tableNames(database).filter(
    (name) =>
      name.toLowerCase() !== wanted &&
      foreignKeys(database, name).some(({ referencedTable }) => referencedTable.toLowerCase() === wanted),
  );
}
