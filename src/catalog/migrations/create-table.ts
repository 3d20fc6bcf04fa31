/**
 * One statement per table on MariaDB (indexes inside, so that a cut migration can run again), table and indexes apart on SQLite.
 * Backticks quote names on both.
 */
import type { QueryRunner } from 'typeorm';

export interface TableDefinition {
  name: string;
  /** Column name to its type and constraints, in order. */
  columns: Record<string, string>;
  primaryKey: string[];
  indexes?: Record<string, { columns: string[]; unique?: boolean }>;
}

const quote = (name: string): string => `\`${name}\``;
const list = (names: string[]): string => names.map(quote).join(', ');

export async function createTable(runner: QueryRunner, table: TableDefinition): Promise<void> {
  const typed = withJsonType(table, jsonType(runner));
  const statements = isSqlite(runner) ? sqliteStatements(typed) : [mariadbStatement(typed)];
  for (const statement of statements) await runner.query(statement);
}

export function isSqlite(runner: QueryRunner): boolean {
  return runner.dataSource.options.type === 'better-sqlite3';
}

/** The type of a column of JSON text. MySQL's own JSON type would respell it, and its driver takes the two servers apart. */
export function jsonType(runner: QueryRunner): string {
  return isSqlite(runner) ? 'json' : 'longtext';
}

function withJsonType(table: TableDefinition, type: string): TableDefinition {
  const columns = Object.entries(table.columns).map(([name, text]) => [name, text.replace(/^json\b/, type)] as const);
  return { ...table, columns: Object.fromEntries(columns) };
}

function body(table: TableDefinition): string[] {
  const columns = Object.entries(table.columns).map(([name, type]) => `${quote(name)} ${type}`);
  return [...columns, `PRIMARY KEY (${list(table.primaryKey)})`];
}

function sqliteStatements(table: TableDefinition): string[] {
  const indexes = Object.entries(table.indexes ?? {}).map(
    ([name, index]) =>
      `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${quote(name)} ON ${quote(table.name)} (${list(index.columns)})`,
  );
  return [`CREATE TABLE ${quote(table.name)} (${body(table).join(', ')})`, ...indexes];
}

function mariadbStatement(table: TableDefinition): string {
  const indexes = Object.entries(table.indexes ?? {}).map(
    ([name, index]) => `${index.unique ? 'UNIQUE ' : ''}INDEX ${quote(name)} (${list(index.columns)})`,
  );
  const inner = [...body(table), ...indexes].join(', ');
  return `CREATE TABLE IF NOT EXISTS ${quote(table.name)} (${inner}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`;
}
