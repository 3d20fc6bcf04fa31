/** Creates a table as the backup keeps it, within the writer's transaction; what slows loading down comes later. */
import { AppError } from '../../domain/errors';
import type { TableStructure } from '../../domain/table';
import type { Database } from './database';
import { objectKind } from './introspect';
import { requireSameColumns } from './write-transaction';

/** Statements for what is put back onto a table once its rows are in. */
export interface Deferred {
  indexes: string[];
  triggers: string[];
}

/** Only the statement that creates this very table is run: a single one, which does what it says. */
export function createTable(database: Database, table: TableStructure): Deferred {
  if (!/^\s*CREATE\s+TABLE\b/i.test(table.createStatement)) throw notCreated(table.table);
  database.run(table.createStatement, []);
  if (objectKind(database, table.table) !== 'TABLE') throw notCreated(table.table);
  requireSameColumns(database, table);
  return {
    indexes: table.indexes.flatMap((index) => (index.statement ? [index.statement] : [])),
    triggers: table.triggers.map((trigger) => trigger.statement),
  };
}

function notCreated(table: string): AppError {
  return new AppError('SCHEMA_MISMATCH', `The statement that the backup keeps for ${table} does not create it.`, {
    hint: 'Create the table by hand, then restore again.',
  });
}
