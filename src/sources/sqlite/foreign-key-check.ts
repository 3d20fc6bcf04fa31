/** Finds rows that refer to nothing. Foreign keys are not enforced while a restore writes, so this is their proof. */
import { AppError, isAppError } from '../../domain/errors';
import { shownKey } from '../../domain/invariant';
import type { BrokenReference } from '../../domain/source';
import type { TableStructure } from '../../domain/table';
import { orphanRemedy } from '../orphan-remedy';
import type { Database } from './database';
import { foreignKeyName, foreignKeys, tableNames } from './introspect';
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

/** Names of tables, which ignore case. */
export class TableNames {
  private readonly folded = new Set<string>();

  add(name: string): this {
    this.folded.add(name.toLowerCase());
    return this;
  }

  has(name: string): boolean {
    return this.folded.has(name.toLowerCase());
  }

  static of(names: Iterable<string>): TableNames {
    const all = new TableNames();
    for (const name of names) all.add(name);
    return all;
  }
}

/** Tables whose foreign keys refer to one of `tables`, and those of `tables` that have foreign keys. */
export function affectedTables(database: Database, tables: TableNames): string[] {
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

/** Names each table and foreign key, how many rows it is about, and the first of them; `restored` are the restore's own tables. */
export function danglingError(database: Database, rows: readonly DanglingRow[], restored: TableNames): AppError {
  const groups = byForeignKey(rows);
  const described = groups.slice(0, SHOWN).map((group) => describeGroup(database, group));
  const more = groups.length > SHOWN ? `; and ${groups.length - SHOWN} more foreign keys` : '';
  return new AppError('CONFLICT', `Rows would refer to missing rows: ${described.join('; ')}${more}.`, {
    hint: remedyFor(rows, restored),
  });
}

/** The same as facts: one for each foreign key that rows break. */
export function brokenReferences(
  database: Database,
  rows: readonly DanglingRow[],
  structures: readonly TableStructure[],
): BrokenReference[] {
  return byForeignKey(rows).map((group) => {
    const { table, parent, keyNumber } = group[0] as DanglingRow;
    const name = foreignKeyName(table, keyNumber);
    const columns = foreignKeys(database, table).find((key) => key.name === name)?.columns ?? [];
    const structure = structures.find((candidate) => candidate.table.toLowerCase() === table.toLowerCase());
    const firstKeys = structure === undefined ? [] : keysOf(database, structure, group.slice(0, SHOWN));
    return { table, key: { name, columns, referencedTable: parent }, rowCount: group.length, firstKeys };
  });
}

/** Written as SQL literals, since text may be no UTF-8; none of a table without rowid. */
function keysOf(database: Database, { table, key }: TableStructure, rows: readonly DanglingRow[]): string[] {
  const columns = key.map((name) => `quote(${quoteName(name)})`).join(` || ', ' || `);
  return rows.flatMap(({ rowId }) => {
    if (rowId === null) return [];
    const found = database.value(`SELECT hex(${columns}) FROM ${quoteName(table)} WHERE rowid = ?`, [BigInt(rowId)]);
    return [shownKey(Buffer.from(String(found), 'hex').toString('utf8'))];
  });
}

function byForeignKey(rows: readonly DanglingRow[]): DanglingRow[][] {
  const groups = new Map<string, DanglingRow[]>();
  for (const row of rows) {
    const id = JSON.stringify([row.table, row.keyNumber]);
    const group = groups.get(id) ?? [];
    groups.set(id, group);
    group.push(row);
  }
  return [...groups.values()];
}

/** Of the parents that are not being restored, if there are any: with them the rest may be whole too. */
function remedyFor(rows: readonly DanglingRow[], restored: TableNames): string {
  const missing = rows.filter(({ parent }) => !restored.has(parent));
  const parents = [...new Set((missing.length > 0 ? missing : rows).map(({ parent }) => parent))].join(', ');
  return orphanRemedy({ rows: 'those rows', parent: parents, restoresParent: missing.length === 0 });
}

function describeGroup(database: Database, rows: readonly DanglingRow[]): string {
  const { table, parent, keyNumber } = rows[0] as DanglingRow;
  const key = foreignKeys(database, table).find(({ name }) => name === foreignKeyName(table, keyNumber));
  const columns = key?.columns.join(', ') ?? '';
  const ids = rows.slice(0, SHOWN).flatMap(({ rowId }) => (rowId === null ? [] : [rowId]));
  const shown = ids.length > 0 ? ` (rowid ${ids.join(', ')}${rows.length > SHOWN ? ', ...' : ''})` : '';
  const count = `${rows.length} row${rows.length === 1 ? '' : 's'}`;
  return `table ${table} has ${count}${shown} whose ${columns} (constraint ${foreignKeyName(table, keyNumber)}) is not in ${parent}`;
}
