/**
 * The one transaction in which a writer does all its work. SQLite's schema changes are part of transactions, so triggers and
 * indexes can be taken off and put back within it; foreign keys are not enforced meanwhile and proven before the commit.
 * Until then no other connection sees anything of it; after a crash nothing of it is there.
 */
import type { Clock } from '../../domain/ambient';
import { AppError } from '../../domain/errors';
import type { TableStructure } from '../../domain/table';
import { Database, useWriteAheadLog, whenFree } from './database';
import { lastNumber, liveColumns, objectKind, statementOf, triggersOf } from './introspect';
import { quoteName } from './quote';

/** Opens a connection that writes durably, and takes the write lock. */
export async function beginWriting(path: string, clock: Clock, signal?: AbortSignal): Promise<Database> {
  const database = Database.open(path);
  try {
    await useWriteAheadLog(database, clock, signal);
    // Neither setting can change within a transaction.
    database.exec('PRAGMA foreign_keys = OFF; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768');
    await whenFree(clock, () => database.exec('BEGIN IMMEDIATE'), signal);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Takes the triggers off the tables; returns the statements that put them back. */
export function dropTriggers(database: Database, table: string): string[] {
  const triggers = triggersOf(database, table);
  for (const { name } of triggers) database.exec(`DROP TRIGGER ${quoteName(name)}`);
  return triggers.map((trigger) => trigger.statement);
}

/** A number that was given out before the backup is not given out again, even when its row was deleted before it too. */
export function raiseLastNumber(database: Database, { table, lastNumber: wanted }: TableStructure): void {
  if (wanted === undefined || !/AUTOINCREMENT/i.test(statementOf(database, 'table', table))) return;
  const live = lastNumber(database, table);
  if (live === null) database.run('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)', [table, BigInt(wanted)]);
  else if (BigInt(live) < BigInt(wanted)) {
    database.run('UPDATE sqlite_sequence SET seq = ? WHERE name = ? COLLATE NOCASE', [BigInt(wanted), table]);
  }
}

/** Throws SCHEMA_MISMATCH unless the live table stores exactly the columns of the backup's. Their order may differ. */
export function requireSameColumns(database: Database, table: TableStructure): void {
  if (objectKind(database, table.table) !== 'TABLE') {
    throw mismatch(`There is no table ${table.table}.`, 'Restore it whole, so that it is created.');
  }
  const live = liveColumns(database, table.table).filter((column) => !column.hidden && !column.generated);
  const [have, want] = [live, table.columns].map((columns) => columns.map((column) => column.name).sort());
  const missing = want?.filter((name) => !have?.includes(name)) ?? [];
  const extra = have?.filter((name) => !want?.includes(name)) ?? [];
  if (missing.length + extra.length === 0) return;
  const parts = [
    missing.length ? `lacks ${missing.join(', ')}` : '',
    extra.length ? `has also ${extra.join(', ')}` : '',
  ];
  throw mismatch(
    `Table ${table.table} ${parts.filter(Boolean).join(' and ')}, other than the backup's.`,
    'Bring the table back to the structure that the backup has, or restore into a scratch schema.',
  );
}

function mismatch(message: string, hint: string): AppError {
  return new AppError('SCHEMA_MISMATCH', message, { hint });
}
