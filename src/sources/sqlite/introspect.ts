/** Reads what SQLite knows of its tables. SQLite's names ignore case; what is returned is spelled as the schema spells it. */
import type { TableMapping } from '../../domain/mapping';
import type {
  ColumnStructure,
  ForeignKey,
  IndexStructure,
  ReferentialAction,
  TableStructure,
} from '../../domain/table';
import type { Database } from './database';
import { generatedExpression } from './create-statement';
import { quoteName } from './quote';
import { SQLITE_ROW_ENCODING, rowSql } from './row-encoding';

/** Rows from the start of a table whose size stands for all. */
const SAMPLE_ROWS = 256;

export interface LiveColumn extends ColumnStructure {
  hidden: boolean;
  generated: 'VIRTUAL' | 'STORED' | null;
  /** Position in the primary key, from 1; 0 outside. */
  keyPosition: number;
}

/** `TABLE`, or what else bears the name; null for nothing. */
export function objectKind(database: Database, name: string): 'TABLE' | 'VIEW' | 'VIRTUAL' | null {
  const row = database.rows(`SELECT type, sql FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ?`, [
    name,
  ])[0];
  if (!row) return null;
  if (row[0] === 'view') return 'VIEW';
  return /^CREATE\s+VIRTUAL/i.test(String(row[1])) ? 'VIRTUAL' : 'TABLE';
}

/** Every ordinary table's name, SQLite's own left out. */
export function tableNames(database: Database): string[] {
  return texts(
    database,
    `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`,
  );
}

export function liveColumns(database: Database, table: string): LiveColumn[] {
  const sql = 'SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo(?)';
  return database.rows(sql, [table]).map(([name, type, notNull, keyPosition, hidden]) => ({
    name: String(name),
    type: String(type),
    kind: 'DYNAMIC',
    nullable: notNull === 0n,
    keyPosition: Number(keyPosition),
    hidden: hidden === 1n,
    generated: hidden === 2n ? 'VIRTUAL' : hidden === 3n ? 'STORED' : null,
  }));
}

/** A key of a table: its columns, and the collation by which the index that guards it compares each. */
export interface LiveKey {
  columns: string[];
  collations: (string | null)[];
  isPrimary: boolean;
}

/** The primary key, else the shortest unique key over stored NOT NULL columns, else null. */
export function liveKey(database: Database, table: string): LiveKey | null {
  const columns = liveColumns(database, table);
  const primary = columns.filter((column) => column.keyPosition > 0).sort((a, b) => a.keyPosition - b.keyPosition);
  const indexes = liveIndexes(database, table);
  if (primary.length > 0) {
    const guard = indexes.find((index) => index.origin === 'pk');
    const names = primary.map((column) => column.name);
    return { columns: names, collations: guard?.collations ?? names.map(() => null), isPrimary: true };
  }
  const usable = new Set(
    columns.filter((column) => !column.nullable && !column.generated).map((column) => column.name),
  );
  const unique = indexes
    .filter((index) => index.unique && !index.partial && index.columns.every((name) => usable.has(name)))
    .sort((a, b) => a.columns.length - b.columns.length || (a.name < b.name ? -1 : 1))[0];
  return unique ? { columns: unique.columns, collations: unique.collations, isPrimary: false } : null;
}

interface LiveIndex {
  name: string;
  unique: boolean;
  origin: 'c' | 'u' | 'pk';
  partial: boolean;
  /** An expression is ''. */
  columns: string[];
  collations: string[];
  statement: string | null;
}

function liveIndexes(database: Database, table: string): LiveIndex[] {
  const sql =
    'SELECT l.name, l."unique", l.origin, l.partial, s.sql FROM pragma_index_list(?) l' +
    " LEFT JOIN sqlite_schema s ON s.type = 'index' AND s.name = l.name ORDER BY l.seq DESC";
  return database.rows(sql, [table]).map(([name, unique, origin, partial, statement]) => {
    const parts = database.rows('SELECT name, coll FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno', [
      String(name),
    ]);
    return {
      name: String(name),
      unique: unique === 1n,
      origin: origin as LiveIndex['origin'],
      partial: partial === 1n,
      columns: parts.map(([column]) => (column === null ? '' : String(column))),
      collations: parts.map(([, collation]) => String(collation)),
      statement: statement === null ? null : String(statement),
    };
  });
}

/** The structure of a table that has a key. */
export function introspectTable(database: Database, mapping: TableMapping): TableStructure {
  const { table } = mapping;
  const all = liveColumns(database, table).filter((column) => !column.hidden);
  const key = liveKey(database, table) ?? { columns: [], collations: [], isPrimary: false };
  const columns = all.filter((column) => !column.generated).map((column) => columnStructure(column, key));
  const createStatement = statementOf(database, 'table', table);
  const number = lastNumber(database, table);
  return {
    table,
    mapping,
    columns,
    generatedColumns: all
      .filter((column) => column.generated)
      .map(({ name, generated }) => ({
        name,
        expression: generatedExpression(createStatement, name),
        stored: generated === 'STORED',
      })),
    key: key.columns,
    keyIsPrimary: key.isPrimary,
    foreignKeys: foreignKeys(database, table),
    indexes: secondaryIndexes(database, table),
    triggers: triggersOf(database, table),
    createStatement,
    rowEncoding: SQLITE_ROW_ENCODING,
    ...(number === null ? {} : { lastNumber: number }),
    ...estimates(database, table, columns),
  };
}

function columnStructure({ name, type, nullable }: LiveColumn, key: LiveKey): ColumnStructure {
  const collation = key.collations[key.columns.indexOf(name)] ?? undefined;
  return { name, type, kind: 'DYNAMIC', nullable, ...(collation === undefined ? {} : { collation }) };
}

function estimates(database: Database, table: string, columns: readonly ColumnStructure[]) {
  const estimatedRows = Number(database.value(`SELECT count(*) FROM ${quoteName(table)}`));
  return { estimatedRows, estimatedBytes: Math.round(estimatedRows * averageRowBytes(database, table, columns)) };
}

/** Encoded bytes of a row, by the first rows of the table. */
export function averageRowBytes(database: Database, table: string, columns: readonly ColumnStructure[]): number {
  const sample = `SELECT ${rowSql(columns, 't').size} AS size FROM ${quoteName(table)} t LIMIT ${SAMPLE_ROWS}`;
  const values = database.value(`SELECT avg(size) FROM (${sample})`);
  return Number(values ?? 0) + 2 * columns.length;
}

/** Unique ones first. Those of UNIQUE constraints have no statement: they are part of the table's. */
function secondaryIndexes(database: Database, table: string): IndexStructure[] {
  return liveIndexes(database, table)
    .filter((index) => index.origin !== 'pk')
    .map(({ name, unique, columns, statement }) => ({
      name,
      unique,
      columns,
      ...(statement === null ? {} : { statement }),
    }))
    .sort((a, b) => Number(b.unique) - Number(a.unique));
}

/** The highest number that the table's AUTOINCREMENT column ever gave out; null where it has none, or gave none. */
export function lastNumber(database: Database, table: string): string | null {
  const kept = database.rows("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").length > 0;
  const number = kept ? database.value('SELECT seq FROM sqlite_sequence WHERE name = ? COLLATE NOCASE', [table]) : null;
  return number === null ? null : String(number);
}

export function triggersOf(database: Database, table: string): { name: string; statement: string }[] {
  const sql = `SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE ORDER BY rowid`;
  return database.rows(sql, [table]).map(([name, statement]) => ({ name: String(name), statement: String(statement) }));
}

export function statementOf(database: Database, type: 'table' | 'index', name: string): string {
  return String(database.value('SELECT sql FROM sqlite_schema WHERE type = ? AND name = ?', [type, name]) ?? '');
}

/** In the order of their declaration. SQLite keeps no names for them: they get one by their number. */
export function foreignKeys(database: Database, table: string): ForeignKey[] {
  const sql =
    'SELECT id, "table", "from", "to", on_delete, on_update FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq';
  const found = new Map<bigint, ForeignKey>();
  for (const [id, parent, from, to, onDelete, onUpdate] of database.rows(sql, [table])) {
    const key = found.get(id as bigint) ?? {
      name: foreignKeyName(table, String(id)),
      columns: [],
      referencedTable: spelled(tableNames(database), String(parent)),
      referencedColumns: [],
      onDelete: String(onDelete) as ReferentialAction,
      onUpdate: String(onUpdate) as ReferentialAction,
    };
    found.set(id as bigint, key);
    key.columns.push(spelled(columnNames(database, table), String(from)));
    if (to !== null) key.referencedColumns.push(spelled(columnNames(database, key.referencedTable), String(to)));
  }
  return [...found.values()].map((key) => withReferencedKey(database, key));
}

export function foreignKeyName(table: string, number: string): string {
  return `${table}_fk_${number}`;
}

/** `REFERENCES parent` alone means the parent's primary key. */
function withReferencedKey(database: Database, key: ForeignKey): ForeignKey {
  if (key.referencedColumns.length > 0) return key;
  return { ...key, referencedColumns: liveKey(database, key.referencedTable)?.columns ?? [] };
}

function columnNames(database: Database, table: string): string[] {
  return liveColumns(database, table).map((column) => column.name);
}

function spelled(names: readonly string[], name: string): string {
  return (
    names.find((candidate) => candidate === name) ?? names.find((c) => c.toLowerCase() === name.toLowerCase()) ?? name
  );
}

function texts(database: Database, sql: string): string[] {
  return database.rows(sql).map(([text]) => String(text));
}
