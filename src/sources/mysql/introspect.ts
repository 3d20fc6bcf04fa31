/** Reads the structure of mapped tables from the server: columns, key, foreign keys, indexes, triggers, and their DDL. */
import type { SourceMapping, TableMapping } from '../../domain/mapping';
import type {
  ColumnStructure,
  ForeignKey,
  IndexStructure,
  ReferentialAction,
  TableStructure,
  TriggerStructure,
  ValueKind,
} from '../../domain/table';
import { AppError } from '../../domain/errors';
import { parentsFirst } from '../order-tables';
import { MYSQL_ROW_ENCODING } from './row-encoding';
import { qualified, quoteText } from './sql';
import type { Session, SqlRow } from './session';

export interface LiveTable {
  table: string;
  /** `BASE TABLE`, `VIEW`, `SEQUENCE`, `SYSTEM VERSIONED`. */
  type: string;
  engine: string | null;
  rows: number;
  bytes: number;
}

export interface LiveIndex extends IndexStructure {
  /** Every column in full, none an expression. */
  whole: boolean;
  nullable: boolean;
}

/** The named objects that exist in `schema`, tables or not. */
export async function listTables(
  session: Session,
  schema: string,
  names: readonly string[],
): Promise<Map<string, LiveTable>> {
  if (names.length === 0) return new Map();
  const found = await session.rows(
    `SELECT TABLE_NAME AS name, TABLE_TYPE AS type, ENGINE AS engine, TABLE_ROWS AS row_estimate, DATA_LENGTH AS bytes
     FROM information_schema.TABLES WHERE ${inSchema('TABLE', schema, names)}`,
  );
  const live = found.map(toLiveTable);
  const entries = names.flatMap((name): [string, LiveTable][] => {
    const match = live.find(({ table }) => table === name) ?? foldedMatch(session, live, name);
    return match ? [[name, match]] : [];
  });
  return new Map(entries);
}

/** Servers that fold table names to lower case list another spelling than the mapping's. */
function foldedMatch(session: Session, live: LiveTable[], name: string): LiveTable | undefined {
  if (!session.foldsTableNames) return undefined;
  return live.find(({ table }) => table.toLowerCase() === name.toLowerCase());
}

function toLiveTable(row: SqlRow): LiveTable {
  return {
    table: String(row.name),
    type: String(row.type),
    engine: row.engine === null ? null : String(row.engine),
    rows: Number(row.row_estimate ?? 0),
    bytes: Number(row.bytes ?? 0),
  };
}

function inSchema(prefix: 'TABLE' | 'CONSTRAINT' | 'EVENT_OBJECT', schema: string, names: readonly string[]): string {
  const tableColumn = prefix === 'EVENT_OBJECT' ? 'EVENT_OBJECT_TABLE' : 'TABLE_NAME';
  return `${prefix}_SCHEMA = ${quoteText(schema)} AND ${tableColumn} IN (${names.map(quoteText).join(', ')})`;
}

/** A table by its exact name, where the server tells names of different case apart. */
function named(session: Session, column: string, table: string): string {
  return session.foldsTableNames ? '1' : `${column} = BINARY ${quoteText(table)}`;
}

/** Structures of the mapped tables, which must exist, parents before children. `schema` is where they are read. */
export async function introspect(session: Session, schema: string, mapping: SourceMapping): Promise<TableStructure[]> {
  const structures: TableStructure[] = [];
  const live = await listTables(
    session,
    schema,
    mapping.map(({ table }) => table),
  );
  for (const entry of mapping) {
    const found = live.get(entry.table);
    if (found) structures.push(await introspectTable(session, schema, { mapping: entry, live: found }));
  }
  return parentsFirst(structures);
}

async function introspectTable(
  session: Session,
  schema: string,
  { mapping, live }: { mapping: TableMapping; live: LiveTable },
): Promise<TableStructure> {
  const name = live.table;
  const columns = await readColumns(session, schema, name);
  const stored = columns.filter(({ generated }) => generated === null).map(({ column }) => column);
  const indexes = await readIndexes(session, schema, name);
  const key = chooseKey(indexes, stored);
  return {
    table: mapping.table,
    mapping,
    columns: stored,
    generatedColumns: columns.flatMap(({ column, generated }) =>
      generated ? [{ name: column.name, ...generated }] : [],
    ),
    key: key?.columns ?? [],
    keyIsPrimary: key?.name === 'PRIMARY',
    foreignKeys: await readForeignKeys(session, schema, name),
    indexes: indexes
      .filter((index) => index !== key)
      .map(({ name: indexName, unique, columns: indexColumns }) => ({
        name: indexName,
        unique,
        columns: indexColumns,
      })),
    triggers: await readTriggers(session, schema, name),
    createStatement: await showCreateTable(session, schema, name),
    rowEncoding: MYSQL_ROW_ENCODING,
    estimatedRows: live.rows,
    estimatedBytes: live.bytes,
  };
}

interface LiveColumn {
  column: ColumnStructure;
  generated: { expression: string; stored: boolean } | null;
}

const KIND_BY_TYPE: Record<string, ValueKind> = {
  tinyint: 'INTEGER',
  smallint: 'INTEGER',
  mediumint: 'INTEGER',
  int: 'INTEGER',
  bigint: 'INTEGER',
  decimal: 'DECIMAL',
  float: 'FLOAT',
  double: 'DOUBLE',
  bit: 'BIT',
  date: 'DATE',
  time: 'TIME',
  datetime: 'DATETIME',
  timestamp: 'TIMESTAMP',
  year: 'YEAR',
  json: 'JSON',
  enum: 'ENUM',
  set: 'SET',
  binary: 'BINARY',
  varbinary: 'BINARY',
  tinyblob: 'BINARY',
  blob: 'BINARY',
  mediumblob: 'BINARY',
  longblob: 'BINARY',
  vector: 'BINARY',
  geometry: 'GEOMETRY',
  point: 'GEOMETRY',
  linestring: 'GEOMETRY',
  polygon: 'GEOMETRY',
  multipoint: 'GEOMETRY',
  multilinestring: 'GEOMETRY',
  multipolygon: 'GEOMETRY',
  geometrycollection: 'GEOMETRY',
  geomcollection: 'GEOMETRY',
};

export async function readColumns(session: Session, schema: string, table: string): Promise<LiveColumn[]> {
  const rows = await session.rows(
    `SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, DATA_TYPE AS base, IS_NULLABLE AS nullable,
       CHARACTER_SET_NAME AS charset, COLLATION_NAME AS collation, EXTRA AS extra, GENERATION_EXPRESSION AS expression
     FROM information_schema.COLUMNS WHERE ${inSchema('TABLE', schema, [table])} AND ${named(session, 'TABLE_NAME', table)}
     ORDER BY ORDINAL_POSITION`,
  );
  return rows.map(toColumn);
}

function toColumn(row: SqlRow): LiveColumn {
  const extra = String(row.extra ?? '');
  const base = String(row.base).toLowerCase();
  const column: ColumnStructure = {
    name: String(row.name),
    type: String(row.type),
    kind: KIND_BY_TYPE[base] ?? 'TEXT',
    nullable: row.nullable === 'YES',
  };
  if (row.charset !== null) column.charset = String(row.charset);
  if (row.collation !== null) column.collation = String(row.collation);
  if (base === 'json') column.charset = 'utf8mb4';
  if (/auto_increment/i.test(extra)) column.autoIncrement = true;
  if (/on update/i.test(extra)) column.selfUpdating = true;
  // MySQL also writes DEFAULT_GENERATED for an expression default, which is no generated column.
  const generated = /\b(VIRTUAL|STORED|PERSISTENT) GENERATED\b/i.exec(extra);
  if (!generated) return { column, generated: null };
  return {
    column,
    generated: { expression: String(row.expression), stored: !/virtual/i.test(generated[1] as string) },
  };
}

/** Throws SCHEMA_MISMATCH, naming the columns, where the live table does not store exactly those of the structure. */
export async function requireColumns(session: Session, schema: string, structure: TableStructure): Promise<void> {
  const live = await readColumns(session, schema, structure.table);
  const there = live.filter(({ generated }) => generated === null).map(({ column }) => column.name);
  const wanted = structure.columns.map(({ name }) => name);
  const missing = wanted.filter((name) => !there.includes(name));
  const extra = there.filter((name) => !wanted.includes(name));
  if (missing.length + extra.length === 0) return;
  const what = [
    live.length === 0 ? 'does not exist' : '',
    live.length > 0 && missing.length > 0 ? `lacks ${missing.join(', ')}` : '',
    extra.length > 0 ? `has ${extra.join(', ')} beside` : '',
  ];
  throw new AppError(
    'SCHEMA_MISMATCH',
    `Table ${structure.table} does not have the columns of the backup: it ${what.filter(Boolean).join(' and ')}.`,
    { hint: 'Give the table the columns of the backup, or restore into a scratch schema.' },
  );
}

/** Every index of the table, the primary key first, then unique ones. */
export async function readIndexes(session: Session, schema: string, table: string): Promise<LiveIndex[]> {
  const rows = await session.rows(`SHOW INDEX FROM ${qualified(schema, table)}`);
  const indexes = new Map<string, LiveIndex>();
  for (const row of rows) addIndexColumn(indexes, row);
  const rank = (index: LiveIndex): number => (index.name === 'PRIMARY' ? 0 : index.unique ? 1 : 2);
  return [...indexes.values()].sort((a, b) => rank(a) - rank(b));
}

function addIndexColumn(indexes: Map<string, LiveIndex>, row: SqlRow): void {
  const name = String(row.Key_name);
  const fresh: LiveIndex = { name, unique: Number(row.Non_unique) === 0, columns: [], whole: true, nullable: false };
  const index = indexes.get(name) ?? fresh;
  indexes.set(name, index);
  index.columns.push(String(row.Column_name ?? row.Expression));
  if (row.Sub_part !== null || row.Column_name === null) index.whole = false;
  if (row.Null === 'YES') index.nullable = true;
}

/** The primary key, else the first unique key without NULLs; of stored columns alone, for rows hold no others. */
function chooseKey(indexes: readonly LiveIndex[], stored: readonly ColumnStructure[]): LiveIndex | undefined {
  const isStored = (name: string): boolean => stored.some((column) => column.name === name);
  const usable = ({ name, unique, whole, nullable, columns }: LiveIndex): boolean =>
    unique && !nullable && (whole || name === 'PRIMARY') && columns.every(isStored);
  return indexes.find(usable);
}

export async function readForeignKeys(session: Session, schema: string, table: string): Promise<ForeignKey[]> {
  const parts = await session.rows(
    `SELECT k.CONSTRAINT_NAME AS name, k.COLUMN_NAME AS col, k.REFERENCED_TABLE_SCHEMA AS ref_schema,
       k.REFERENCED_TABLE_NAME AS ref_table, k.REFERENCED_COLUMN_NAME AS ref_col
     FROM information_schema.KEY_COLUMN_USAGE k
     WHERE k.TABLE_SCHEMA = ${quoteText(schema)} AND k.TABLE_NAME = ${quoteText(table)}
       AND ${named(session, 'k.TABLE_NAME', table)} AND k.REFERENCED_TABLE_NAME IS NOT NULL
     ORDER BY k.CONSTRAINT_NAME, k.ORDINAL_POSITION`,
  );
  if (parts.length === 0) return [];
  const rules = await session.rows(
    `SELECT CONSTRAINT_NAME AS name, DELETE_RULE AS on_delete, UPDATE_RULE AS on_update
     FROM information_schema.REFERENTIAL_CONSTRAINTS
     WHERE CONSTRAINT_SCHEMA = ${quoteText(schema)} AND TABLE_NAME = ${quoteText(table)}`,
  );
  const isTold = parts.every(({ name }) => rules.some((rule) => rule.name === name));
  return toForeignKeys(parts, isTold ? rules : rulesIn(await showCreateTable(session, schema, table)), schema);
}

const RULE =
  /^ *CONSTRAINT [`"]?(.+?)[`"]? FOREIGN KEY .*?(?: ON DELETE (CASCADE|SET NULL|SET DEFAULT|NO ACTION|RESTRICT))?(?: ON UPDATE (CASCADE|SET NULL|SET DEFAULT|NO ACTION|RESTRICT))?,?$/gm;

/** Of a user who may only read: information_schema then shows that there are foreign keys, and not what they do. */
export function rulesIn(createStatement: string): SqlRow[] {
  return [...createStatement.matchAll(RULE)].map(([, name = '', onDelete = 'RESTRICT', onUpdate = 'RESTRICT']) => ({
    name: name.replaceAll('``', '`'),
    on_delete: onDelete,
    on_update: onUpdate,
  }));
}

export function toForeignKeys(parts: readonly SqlRow[], rules: readonly SqlRow[], schema: string): ForeignKey[] {
  const keys = new Map<string, ForeignKey>();
  for (const part of parts) {
    const name = String(part.name);
    const rule = rules.find((candidate) => candidate.name === part.name);
    const key: ForeignKey = keys.get(name) ?? {
      name,
      columns: [],
      referencedTable: String(part.ref_table),
      referencedColumns: [],
      // What nobody tells may be anything: rows that the server changes unlogged must not be missed for it.
      onDelete: String(rule?.on_delete ?? 'CASCADE') as ReferentialAction,
      onUpdate: String(rule?.on_update ?? 'CASCADE') as ReferentialAction,
      ...(part.ref_schema === schema ? {} : { referencedSchema: String(part.ref_schema) }),
    };
    key.columns.push(String(part.col));
    key.referencedColumns.push(String(part.ref_col));
    keys.set(name, key);
  }
  return [...keys.values()];
}

export async function readTriggers(session: Session, schema: string, table: string): Promise<TriggerStructure[]> {
  const rows = await session.rows(
    `SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS
     WHERE ${inSchema('EVENT_OBJECT', schema, [table])} AND ${named(session, 'EVENT_OBJECT_TABLE', table)}
     ORDER BY ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER`,
  );
  const triggers: TriggerStructure[] = [];
  for (const { name } of rows) {
    const [shown] = await session.rows(`SHOW CREATE TRIGGER ${qualified(schema, String(name))}`);
    const statement = String(shown?.['SQL Original Statement']);
    triggers.push({ name: String(name), statement, sqlMode: String(shown?.sql_mode ?? '') });
  }
  return triggers;
}

export async function showCreateTable(session: Session, schema: string, table: string): Promise<string> {
  const [shown] = await session.rows(`SHOW CREATE TABLE ${qualified(schema, table)}`);
  return String(shown?.['Create Table']);
}
