/**
 * How rows of a backup become rows of a table whose structure changed since: which columns hold which, and what becomes of those that only
 * the one side has. Pure. Keys never change a byte, nor their order: a row is the same row on both sides, in the same place.
 */
import { AppError } from '../../domain/errors';
import type { ColumnOf, RowCodec } from '../../domain/rows';
import type { ColumnStructure, TableStructure } from '../../domain/table';
import { structureDifferences } from '../structure-check';

/** Where the bytes of one of the live columns come from. */
export interface AdaptedField {
  /** Position within the backup's row. */
  from: number;
  recode: ((field: Buffer) => Buffer) | null;
  /** What the live column is called where it takes no NULL and the backup's did. */
  requires?: string;
}

/** A column that the backup does not know: a live row keeps its value, an inserted one gets its default. */
export interface AddedColumn {
  name: string;
  /** Encoded; null where nobody here knows it, and so no row can be inserted. */
  field: Buffer | null;
  /** The database computed it at the backup, which therefore holds none of its values; a default would be another value. */
  wasComputed: boolean;
}

export interface Adaptation {
  /** Of adapted rows: the live table's, its columns in the backup's order, and behind them the added ones. */
  structure: TableStructure;
  fields: readonly AdaptedField[];
  added: readonly AddedColumn[];
  /** Columns of the backup that the live table does not store, and whether the database computes them now. */
  dropped: readonly { name: string; isGenerated: boolean }[];
}

/** How many columns, the first ones, the backup tells of; undefined for all. */
export function knownColumns(adaptation: Adaptation | undefined): number | undefined {
  return adaptation && adaptation.added.length > 0 ? adaptation.fields.length : undefined;
}

/** SAME: rows fit byte for byte. UNFIT: in words, each naming table and column, what could be lost. */
export type Fit =
  { kind: 'SAME' } | { kind: 'ADAPTED'; adaptation: Adaptation } | { kind: 'UNFIT'; problems: readonly string[] };

export function fitTable(backup: TableStructure, live: TableStructure, codec: RowCodec): Fit {
  if (backup.rowEncoding !== codec.name) {
    return { kind: 'UNFIT', problems: structureDifferences(backup, live, codec.name) };
  }
  const survivors = backup.columns.flatMap((column, from) => survivorOf(column, { from, live }));
  const fitted = survivors.map((pair) => fitColumn(pair, { backup, live, codec }));
  const problems = [...fitted.filter((field) => typeof field === 'string'), ...keyProblems(backup, live)];
  if (problems.length > 0) return { kind: 'UNFIT', problems };
  const fields = fitted.filter((field) => typeof field !== 'string');
  const isSame = fields.every(({ recode, requires }) => recode === null && requires === undefined);
  if (isSame && structureDifferences(backup, live, codec.name).length === 0) return { kind: 'SAME' };
  return { kind: 'ADAPTED', adaptation: adaptation(backup, live, { survivors, fields, codec }) };
}

interface Survivor {
  from: number;
  before: ColumnStructure;
  now: ColumnStructure;
}

function survivorOf(before: ColumnStructure, { from, live }: { from: number; live: TableStructure }): Survivor[] {
  const now = live.columns.find(({ name }) => sameName(name, before.name));
  return now === undefined ? [] : [{ from, before, now }];
}

/** Databases take names of columns that differ in case alone for the same. */
function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function isStricter({ before, now }: Survivor): boolean {
  return before.nullable && !now.nullable;
}

interface Between {
  backup: TableStructure;
  live: TableStructure;
  codec: RowCodec;
}

/** In words why not. */
function fitColumn(survivor: Survivor, { backup, live, codec }: Between): AdaptedField | string {
  const { from, before, now } = survivor;
  const fit = codec.fit(columnOf(before, backup), columnOf(now, live));
  const name = `${live.table}.${now.name}`;
  if (typeof fit === 'string') return `${name} is ${said(now)} instead of ${said(before)}, ${fit}`;
  const isKey = backup.key.includes(before.name);
  if (isKey && (fit.recode !== null || !fit.keepsOrder)) {
    return `${name} is part of the key, and is ${said(now, true)} instead of ${said(before, true)}`;
  }
  return { from, recode: fit.recode, ...(isStricter(survivor) ? { requires: name } : {}) };
}

function columnOf(column: ColumnStructure, table: TableStructure): ColumnOf {
  return { column, table };
}

function said({ type, charset, collation }: ColumnStructure, isKey = false): string {
  const text = isKey ? collation : charset;
  return text === undefined ? type : `${type} (${text})`;
}

function keyProblems(backup: TableStructure, live: TableStructure): string[] {
  if (sameName(backup.key.join(), live.key.join())) return [];
  return [`${live.table} has the key (${live.key.join(', ')}) instead of (${backup.key.join(', ')})`];
}

function adaptation(
  backup: TableStructure,
  live: TableStructure,
  { survivors, fields, codec }: { survivors: readonly Survivor[]; fields: AdaptedField[]; codec: RowCodec },
): Adaptation {
  const known = survivors.map(({ now }) => now);
  const added = live.columns.filter((column) => !known.includes(column));
  const gone = backup.columns.filter((column) => !survivors.some(({ before }) => before === column));
  return {
    structure: { ...live, columns: [...known, ...added], lastNumber: backup.lastNumber ?? live.lastNumber },
    fields,
    added: added.map((column) => {
      const wasComputed = isComputed(column, backup);
      return { name: column.name, wasComputed, field: wasComputed ? null : codec.defaultField(columnOf(column, live)) };
    }),
    dropped: gone.map((column) => ({ name: column.name, isGenerated: isComputed(column, live) })),
  };
}

function isComputed({ name }: ColumnStructure, { generatedColumns }: TableStructure): boolean {
  return generatedColumns.some((other) => sameName(other.name, name));
}

/** Throws SCHEMA_MISMATCH where a row of the table can't be inserted, for nobody here knows what its added columns would hold. */
export function requireInsertable({ structure: { table }, added }: Adaptation): void {
  const namesOf = (columns: readonly AddedColumn[]): string[] => columns.map(({ name }) => `${table}.${name}`);
  const computed = namesOf(added.filter(({ wasComputed }) => wasComputed));
  if (computed.length > 0) throw onceComputed(table, computed);
  const unknown = namesOf(added.filter(({ field }) => field === null));
  if (unknown.length === 0) return;
  const [what, has] = unknown.length === 1 ? ['a column', 'has'] : ['columns', 'have'];
  throw new AppError(
    'SCHEMA_MISMATCH',
    `Rows would have to be inserted into ${table} without a value for ${what} that came after the backup and ${has} no plain default: ${unknown.join(', ')}.`,
    {
      hint: 'Give it a default that is NULL or a plain value, for the time of the restore at least; or restore into a scratch schema.',
    },
  );
}

function onceComputed(table: string, columns: readonly string[]): AppError {
  return new AppError(
    'SCHEMA_MISMATCH',
    `Rows would have to be inserted into ${table} without what the database computed at the backup, and no longer does: ${columns.join(', ')}.`,
    {
      hint: 'Let the database compute it again, for the time of the restore at least; or restore into a scratch schema.',
    },
  );
}
