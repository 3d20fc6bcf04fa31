/**
 * The SQL condition that takes a table's rows in the scope of one business, as the mapping and the foreign keys say. It is
 * the same for every dialect but for quoting. Pure; the roles themselves come from domain/ownership.
 *
 *     OWNED by a column  t.business_id = <id>
 *     OWNED by a path    t.assessment_id IN (SELECT id FROM <referenced table> WHERE <its own condition>)
 *     PARENT             (t.referenced columns) IN (SELECT foreign key columns FROM <child> WHERE <its condition>) OR …
 */
import { AppError } from '../domain/errors';
import type { Ownership, SourceMapping } from '../domain/mapping';
import { businessRoles } from '../domain/ownership';
import type { ForeignKey, TableStructure } from '../domain/table';

export interface BusinessConditionOptions {
  table: TableStructure;
  /** The tables that take part in the work: their foreign keys decide who is a parent. */
  tables: readonly TableStructure[];
  /** The whole mapping of the source: a path may lead through tables that take no part. Default: that of `tables`. */
  mapping?: SourceMapping;
  /** Quotes one identifier. */
  quote: (identifier: string) => string;
  /** The business id as an SQL literal or placeholder-free expression. */
  businessLiteral: string;
  /** How a column equals the literal; default `column = literal`. For collations that call different ids equal. */
  equals?: (column: string, literal: string) => string;
  /** A condition that holds for every row of a table, to help the database find those of a business. */
  narrow?: (table: string, alias: string) => string | undefined;
  /** What the table is called in the statement that the condition goes into; default: its quoted name. */
  alias?: string;
}

/** The condition, or null where nothing of the table is in the scope of a business. */
export function businessCondition(options: BusinessConditionOptions): string | null {
  const role = businessRoles(options.tables).get(options.table.table);
  if (role === undefined || role === 'OUTSIDE') return null;
  const alias = options.alias ?? options.quote(options.table.table);
  return new ConditionBuilder(options).forTable(options.table.table, alias, []);
}

interface Reference {
  child: TableStructure;
  key: ForeignKey;
}

interface SelfReferring {
  table: string;
  alias: string;
  /** The foreign keys by which the table refers to itself. */
  own: ForeignKey[];
}

class ConditionBuilder {
  private readonly mapping: SourceMapping;
  private readonly roles: Map<string, string>;
  private aliases = 0;

  constructor(private readonly options: BusinessConditionOptions) {
    this.mapping = options.mapping ?? options.tables.map((table) => table.mapping);
    this.roles = businessRoles(options.tables);
  }

  /** `visited` names the tables that the condition is being built within: meeting one again is a cycle. */
  forTable(table: string, alias: string, visited: readonly string[]): string {
    if (visited.includes(table)) throw cycleError([...visited, table]);
    const within = [...visited, table];
    const ownership = this.mapping.find((entry) => entry.table === table)?.business;
    if (ownership?.kind === 'COLUMN') return this.ownedByColumn(ownership.column, table, alias);
    return ownership ? this.owned(ownership, alias, within) : this.parent(table, alias, within);
  }

  private ownedByColumn(column: string, table: string, alias: string): string {
    const { quote, businessLiteral, narrow } = this.options;
    const owned = this.equals(`${alias}.${quote(column)}`, businessLiteral);
    const narrowed = narrow?.(table, alias);
    return narrowed === undefined ? owned : `(${owned} AND ${narrowed})`;
  }

  private owned(ownership: Extract<Ownership, { kind: 'PATH' }>, alias: string, within: readonly string[]): string {
    const { quote } = this.options;
    const column = `${alias}.${quote(ownership.column)}`;
    const inner = this.nextAlias();
    const condition = this.forTable(ownership.referencedTable, inner, within);
    const referenced = `${inner}.${quote(ownership.referencedColumn)}`;
    return `${column} IN (SELECT ${referenced} FROM ${quote(ownership.referencedTable)} ${inner} WHERE ${condition})`;
  }

  private equals(column: string, literal: string): string {
    return this.options.equals ? this.options.equals(column, literal) : `${column} = ${literal}`;
  }

  private parent(table: string, alias: string, within: readonly string[]): string {
    const references = this.referencesTo(table);
    const own = references.filter(({ child }) => child.table === table).map(({ key }) => key);
    const others = references.filter(({ child }) => child.table !== table);
    if (others.length === 0) throw cycleError([...within, table]);
    const needed = (name: string): string =>
      others.map((reference) => this.referencedBy(name, reference, within)).join(' OR ');
    return own.length === 0 ? `(${needed(alias)})` : this.withAncestors({ table, alias, own }, needed);
  }

  private referencesTo(table: string): Reference[] {
    return this.options.tables
      .filter((child) => this.roles.get(child.table) !== 'OUTSIDE')
      .flatMap((child) =>
        child.foreignKeys
          .filter((key) => key.referencedTable === table && key.referencedSchema === undefined)
          .map((key) => ({ child, key })),
      );
  }

  private referencedBy(alias: string, { child, key }: Reference, within: readonly string[]): string {
    const inner = this.nextAlias();
    const condition = this.forTable(child.table, inner, within);
    const select = `SELECT ${this.columns(inner, key.columns)} FROM ${this.options.quote(child.table)} ${inner}`;
    return `${this.tuple(alias, key.referencedColumns)} IN (${select} WHERE ${condition})`;
  }

  /** A parent that refers to its own table needs its ancestors too: a recursive query walks up to them. */
  private withAncestors({ table, alias, own }: SelfReferring, needed: (alias: string) => string): string {
    const { quote } = this.options;
    const [closure, start, next, below] = [this.nextAlias(), this.nextAlias(), this.nextAlias(), this.nextAlias()];
    const keyed = this.options.tables.find((entry) => entry.table === table) as TableStructure;
    const carried = [...new Set([...keyed.key, ...own.flatMap((key) => key.columns)])];
    const steps = own.map((key) =>
      key.columns
        .map((column, i) => `${next}.${quote(key.referencedColumns[i] as string)} = ${below}.${quote(column)}`)
        .join(' AND '),
    );
    const names = carried.map(quote).join(', ');
    const seed = `SELECT ${this.columns(start, carried)} FROM ${quote(table)} ${start} WHERE ${needed(start)}`;
    const climb = `SELECT ${this.columns(next, carried)} FROM ${quote(table)} ${next}`;
    const recursion = `${seed} UNION ${climb} JOIN ${closure} ${below} ON (${steps.join(') OR (')})`;
    const found = `SELECT ${this.columns(closure, keyed.key)} FROM ${closure}`;
    return `${this.tuple(alias, keyed.key)} IN (WITH RECURSIVE ${closure} (${names}) AS (${recursion}) ${found})`;
  }

  private columns(alias: string, columns: readonly string[]): string {
    return columns.map((column) => `${alias}.${this.options.quote(column)}`).join(', ');
  }

  private tuple(alias: string, columns: readonly string[]): string {
    const list = this.columns(alias, columns);
    return columns.length === 1 ? list : `(${list})`;
  }

  private nextAlias(): string {
    this.aliases += 1;
    return `rv${this.aliases}`;
  }
}

function cycleError(tables: readonly string[]): AppError {
  return new AppError('SCHEMA_MISMATCH', `The way to a business runs in a circle: ${tables.join(' -> ')}.`, {
    hint: 'Map these tables to a business column of their own, or to a path that ends at one.',
  });
}
