/** The SELECT that reads a table's rows, encoded and in key order, within a key range and a scope. */
import type { ReadRowsOptions } from '../../domain/source';
import type { RowScope } from '../../domain/rows';
import type { SourceMapping } from '../../domain/mapping';
import type { TableStructure } from '../../domain/table';
import { businessCondition } from '../ownership-sql';
import type { Narrowing } from './business-index';
import type { Dialect } from './dialect';
import type { KeyBytes } from '../../domain/rows';
import { keyColumns, keyIndexHint, keysCondition, orderByKey, rangeCondition } from './key-range';
import { decodeFields } from './row-encoding';
import { qualified, quoteName, quoteText, selectList } from './sql';

/** Where tables are found: under their own names, or under others while they are being restored. */
export interface TableLocation {
  schema?: string;
  table: string;
}
export type Locate = (table: string) => TableLocation;

export const inPlace: Locate = (table) => ({ table });

export interface SelectRowsOptions {
  table: TableStructure;
  /** Tables that decide who is a parent of a business's rows. */
  tables: readonly TableStructure[];
  mapping: SourceMapping;
  dialect: Dialect;
  locate: Locate;
  read: ReadRowsOptions;
  /** Only rows that have one of these keys. */
  keys?: readonly KeyBytes[];
  narrowing?: Narrowing;
}

/** Null where nothing of the table is in the scope. */
export function selectRows(options: SelectRowsOptions): string | null {
  const { table, dialect, locate, read, keys } = options;
  const scope = scopeCondition(options, read.scope);
  if (scope === null) return null;
  const keyed = keys && keysCondition(keyColumns(table, read.keyedBy), keys.map(decodeFields), 't');
  const conditions = [rangeCondition(table, read.range, 't'), keyed, scope].filter(Boolean).map((part) => `(${part})`);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const { schema, table: name } = locate(table.table);
  // Within a business, and by other columns, few rows are wanted: the server picks the index that finds them.
  const hint = scope === '' && read.keyedBy === undefined ? keyIndexHint(table) : '';
  const from = `${qualified(schema, name)} t ${hint}`;
  return `SELECT ${selectList(table.columns, dialect, 't')} FROM ${from} ${where} ORDER BY ${orderByKey(table, 't')}`;
}

function scopeCondition(
  { table, tables, mapping, narrowing }: SelectRowsOptions,
  scope: RowScope | undefined,
): string | null {
  if (!scope || scope.kind === 'ALL') return '';
  const bytes = `X'${Buffer.from(scope.businessId, 'utf8').toString('hex')}'`;
  return businessCondition({
    table,
    tables,
    mapping,
    quote: quoteName,
    businessLiteral: quoteText(scope.businessId),
    // The first comparison finds the index, the second refuses what only a collation calls equal.
    equals: (column, literal) => `(${column} = ${literal} AND BINARY CONVERT(${column} USING utf8mb4) = ${bytes})`,
    narrow: (name, alias) => narrowing?.get(name)?.(alias),
    alias: 't',
  });
}
