/** Compares a mapping with the live schema. An empty answer means that every mapped table can be backed up exactly. */
import type { SourceMapping } from '../../domain/mapping';
import type { MappingProblem } from '../../domain/source';
import { ownershipProblems } from '../ownership-problems';
import type { Database } from './database';
import { liveColumns, liveKey, objectKind, tableNames } from './introspect';
import { quoteName } from './quote';

export function checkMapping(database: Database, mapping: SourceMapping): MappingProblem[] {
  const encoding = String(database.value('PRAGMA encoding'));
  if (encoding !== 'UTF-8') return mapping.map(({ table }) => encodingProblem(table, encoding));
  const problems = mapping.map(({ table }) => tableProblem(database, table));
  const sound = mapping.filter((_, i) => problems[i]?.problem !== 'NO_SUCH_TABLE');
  const columns = new Map(sound.map(({ table }) => [table, liveColumns(database, table).map((column) => column.name)]));
  return [...problems.filter((problem) => problem !== null), ...ownershipProblems(mapping, columns)];
}

/** Rows are put together by SQLite in its own text encoding, and sqlite-v1 says UTF-8. */
function encodingProblem(table: string, encoding: string): MappingProblem {
  return {
    table,
    problem: 'UNSUPPORTED',
    message: `The database of ${table} keeps its text in ${encoding}; only UTF-8 databases can be backed up.`,
    hint: 'Load a dump of it into a database made with PRAGMA encoding = "UTF-8".',
  };
}

function tableProblem(database: Database, table: string): MappingProblem | null {
  const kind = objectKind(database, table);
  if (kind === null) return noSuchTable(database, table);
  if (kind !== 'TABLE') return notATable(table, kind);
  return keyProblem(database, table);
}

function noSuchTable(database: Database, table: string): MappingProblem {
  const alike = tableNames(database).find((name) => name.toLowerCase() === table.toLowerCase());
  return {
    table,
    problem: 'NO_SUCH_TABLE',
    message: `There is no table ${table}.`,
    hint: alike ? `Write it as the database does: ${alike}.` : 'Correct the table in the mapping, or create it.',
  };
}

function notATable(table: string, kind: 'VIEW' | 'VIRTUAL'): MappingProblem {
  const what = kind === 'VIEW' ? 'a view' : 'a virtual table';
  return {
    table,
    problem: 'NOT_A_TABLE',
    message: `${table} is ${what}.`,
    hint: 'Map the tables that hold its rows instead.',
  };
}

function keyProblem(database: Database, table: string): MappingProblem | null {
  const key = liveKey(database, table);
  if (!key) {
    return {
      table,
      problem: 'NO_KEY',
      message: `Table ${table} has neither a primary key nor a unique key over NOT NULL columns: its rows can't be told apart.`,
      hint: `Give ${table} a primary key.`,
    };
  }
  const nulls = nullInKey(database, table, key.columns);
  return nulls && { table, problem: 'NULL_IN_KEY', ...nulls };
}

/** SQLite lets NULL into a primary key that is not declared NOT NULL, and then rows of equal keys exist. */
function nullInKey(
  database: Database,
  table: string,
  key: readonly string[],
): { message: string; hint: string } | null {
  const nullable = liveColumns(database, table).filter((column) => column.nullable && key.includes(column.name));
  if (nullable.length === 0) return null;
  const condition = nullable.map((column) => `${quoteName(column.name)} IS NULL`).join(' OR ');
  const names = nullable.map((column) => column.name).join(', ');
  if (database.rows(`SELECT 1 FROM ${quoteName(table)} WHERE ${condition} LIMIT 1`).length === 0) return null;
  return {
    message: `Table ${table} has rows with NULL in its key (${names}): they can't be told apart.`,
    hint: `Give those rows a key, and declare ${names} NOT NULL.`,
  };
}
