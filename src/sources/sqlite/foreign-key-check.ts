/** Finds rows that refer to nothing. Foreign keys are not enforced while a restore writes, so this is their proof. */
import { AppError, isAppError } from '../../domain/errors';
import type { Database } from './database';
import { foreignKeys, tableNames } from './introspect';
import { quoteName } from './quote';

export interface DanglingRow {
  table: string;
  /** Absent in tables without rowid. */
  rowId: string | null;
  parent: string;
  /** Number of the foreign key within its table. */
  keyNumber: string;
}

const SHOWN = 3;

/** Tables whose foreign keys refer to one of `tables`, and those of `tables` that have foreign keys. */
export function affectedTables(database: Database, tables: ReadonlySet<string>): string[] {
  return tableNames(database).filter((name) => {
    const keys = foreignKeys(database, name);
    return keys.length > 0 && (tables.has(name) || keys.some((key) => tables.has(key.referencedTable)));
  });
}

/** Rows of the tables that refer to nothing. */
export function danglingRows(database: Database, tables: readonly string[]): DanglingRow[] {
  return tables.flatMap((table) =>
    checkTable(database, table).map(([name, rowId, parent, keyNumber]) => ({
      table: String(name),
      rowId: rowId === null ? null : String(rowId),
      parent: String(parent),
      keyNumber: String(keyNumber),
    })),
  );
}

function checkTable(database: Database, table: string) {
  try {
    return database.rows(`PRAGMA foreign_key_check(${quoteName(table)})`);
  } catch (error) {
    // SQLite can't check a foreign key whose target is not unique; it does not enforce it either but by refusing all.
    if (isAppError(error) && /foreign key mismatch/.test(error.message)) return [];
    throw error;
  }
}

/** Those of `found` that are beyond what `before` had: rows that dangled already are not the restore's doing. */
export function newlyDangling(found: readonly DanglingRow[], before: readonly DanglingRow[]): DanglingRow[] {
  const known = new Map<string, number>();
  for (const row of before) known.set(identity(row), (known.get(identity(row)) ?? 0) + 1);
  return found.filter((row) => {
    const left = known.get(identity(row)) ?? 0;
    known.set(identity(row), left - 1);
    return left <= 0;
  });
}

function identity({ table, rowId, parent, keyNumber }: DanglingRow): string {
  return JSON.stringify([table, rowId, parent, keyNumber]);
}

export function danglingError(rows: readonly DanglingRow[]): AppError {
  const shown = rows
    .slice(0, SHOWN)
    .map(({ table, rowId, parent }) => `${table}${rowId ? ` row ${rowId}` : ''} -> ${parent}`);
  const more = rows.length > SHOWN ? ` and ${rows.length - SHOWN} more` : '';
  return new AppError('CONFLICT', `Rows would refer to rows that do not exist: ${shown.join('; ')}${more}.`, {
    hint: 'Restore the tables that they refer to as well, or remove the rows that came later.',
  });
}
