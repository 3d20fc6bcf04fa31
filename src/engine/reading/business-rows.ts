/**
 * Finds the rows of one business in a backup of many. Owned rows are told by their own column or by a path to rows already
 * found; parents by the foreign keys of rows in scope. What is kept in memory is the ids of the business's rows, not rows.
 */
import type { BackupStore } from '../../domain/backup-store';
import { AppError } from '../../domain/errors';
import type { Ownership } from '../../domain/mapping';
import type { TableManifest } from '../../domain/manifest';
import type { RowCodec } from '../../domain/rows';
import type { ForeignKey, TableStructure } from '../../domain/table';
import { runLanes } from '../lanes';
import { FieldReader, RowFilter, type RowPredicate } from '../rows/row-filter';
import { chunkSpans, readSpan } from './backup-rows';
import type { ScopedTable } from './scoped-table';

interface Search {
  store: BackupStore;
  codec: RowCodec;
  signal: AbortSignal;
}

const CHUNKS_AT_ONCE = 4;

/** Filters that accept the rows in the scope of the business, by table name. Throws NOT_FOUND where the backup holds no row of it. */
export async function collectBusinessRows(
  tables: readonly ScopedTable[],
  businessId: string,
  search: Search,
): Promise<Map<string, RowFilter>> {
  const collection = new BusinessCollection(tables, businessId, search);
  for (const table of tables) if (table.role === 'WHOLE') await collection.collectOwned(table.manifest);
  await collection.requireOwnedRow();
  await collection.collectParents();
  return collection.filters;
}

/** The field values of some columns, of rows in scope: what paths and foreign keys may point to. */
class ValueSet {
  private readonly values = new Set<string>();

  constructor(readonly columns: readonly number[]) {}

  get size(): number {
    return this.values.size;
  }

  add(fields: ScopedFields): void {
    const value = fields.tuple(this.columns);
    if (value !== null) this.values.add(value);
  }

  has(fields: ScopedFields, columns: readonly number[]): boolean {
    const value = fields.tuple(columns);
    return value !== null && this.values.has(value);
  }
}

class BusinessCollection {
  readonly filters = new Map<string, RowFilter>();
  /** Values that paths follow, by `table.column`. */
  private readonly pathTargets = new Map<string, ValueSet>();
  /** Values of each foreign key in rows in scope, with the parent's columns they mean. */
  private readonly references = new Map<string, { columns: number[]; values: ValueSet; key: ForeignKey }[]>();
  private readonly scanned = new Set<string>();
  private foundOwned = false;

  constructor(
    private readonly tables: readonly ScopedTable[],
    private readonly businessId: string,
    private readonly search: Search,
  ) {}

  /** Scans an owned table, after the tables its path leads through. */
  async collectOwned(table: TableManifest, asking: readonly string[] = []): Promise<void> {
    if (this.filters.has(table.table)) return;
    const business = table.structure.mapping.business as Ownership;
    if (business.kind === 'PATH') await this.collectPathTarget(table, business, [...asking, table.table]);
    this.filters.set(table.table, new RowFilter(this.ownedPredicate(table.structure, business)));
    await this.scanFor(table, this.collectors(table.structure));
  }

  /**
   * After all owned tables. Those that nothing had to be noted of are read only where no other had a row: a restore of what the
   * backup does not know would delete what is there.
   */
  async requireOwnedRow(): Promise<void> {
    for (const { role, manifest } of this.tables) {
      if (this.foundOwned) return;
      if (role === 'WHOLE' && !this.scanned.has(manifest.table)) await this.scan(manifest, []);
    }
    if (this.foundOwned) return;
    throw new AppError('NOT_FOUND', `The backup holds no row of the business ${this.businessId}.`, {
      hint: 'Give the id as the risk platform had it then, or choose a backup from when the business was there.',
      path: ['input', 'businessId'],
    });
  }

  /** Scans parent tables until a round finds no parent that was not known: parents have parents of their own. */
  async collectParents(): Promise<void> {
    const parents = this.tables.filter(({ role }) => role === 'PARENT').map(({ manifest }) => manifest);
    for (const { table, structure } of parents) this.filters.set(table, new RowFilter(this.parentPredicate(structure)));
    for (let known = -1; known < this.referenceCount();) {
      known = this.referenceCount();
      for (const table of parents) await this.scanFor(table, this.collectors(table.structure));
    }
  }

  private async collectPathTarget(
    table: TableManifest,
    path: Extract<Ownership, { kind: 'PATH' }>,
    asking: readonly string[],
  ): Promise<void> {
    const target = this.tables.find(({ manifest }) => manifest.table === path.referencedTable)?.manifest;
    if (target === undefined || target.structure.mapping.business === undefined || asking.includes(target.table)) {
      throw new AppError(
        'BACKUP_NOT_RESTORABLE',
        `Rows of ${table.table} belong to a business through ${path.referencedTable}, which this backup can't resolve.`,
        { hint: `Choose a backup that holds ${path.referencedTable} too.` },
      );
    }
    const name = `${target.table}.${path.referencedColumn}`;
    if (this.pathTargets.has(name)) return;
    this.pathTargets.set(name, new ValueSet(columnIndexes(target.structure, [path.referencedColumn])));
    // Its own scan may be over already, before anybody asked for this column.
    this.filters.delete(target.table);
    await this.collectOwned(target, asking);
  }

  private ownedPredicate(structure: TableStructure, business: Ownership): RowPredicate {
    const fields = new ScopedFields(this.search.codec, structure);
    const columns = columnIndexes(structure, [business.column]);
    if (business.kind === 'COLUMN') {
      const column = columns[0] as number;
      return (bytes, start) => fields.at(bytes, start).text(column) === this.businessId;
    }
    const owners = this.pathTargets.get(`${business.referencedTable}.${business.referencedColumn}`) as ValueSet;
    return (bytes, start) => owners.has(fields.at(bytes, start), columns);
  }

  private parentPredicate(structure: TableStructure): RowPredicate {
    const fields = new ScopedFields(this.search.codec, structure);
    return (bytes, start) => {
      fields.at(bytes, start);
      return (this.references.get(structure.table) ?? []).some(({ columns, values }) => values.has(fields, columns));
    };
  }

  /** What to note of each row of a table that is in scope. */
  private collectors(structure: TableStructure): ValueSet[] {
    const sets = [...this.pathTargets].filter(([name]) => name.startsWith(`${structure.table}.`)).map(([, set]) => set);
    for (const key of structure.foreignKeys) {
      const values = this.referencedValues(structure, key);
      if (values !== null) sets.push(values);
    }
    return sets;
  }

  private referencedValues(structure: TableStructure, key: ForeignKey): ValueSet | null {
    const parent = this.tables.find(
      ({ role, manifest }) => role === 'PARENT' && manifest.table === key.referencedTable,
    );
    if (parent === undefined || key.referencedSchema !== undefined) return null;
    const known = this.references.get(key.referencedTable) ?? [];
    this.references.set(key.referencedTable, known);
    const found = known.find((reference) => reference.key === key);
    if (found !== undefined) return found.values;
    const values = new ValueSet(columnIndexes(structure, key.columns));
    known.push({ key, values, columns: columnIndexes(parent.manifest.structure, key.referencedColumns) });
    return values;
  }

  private referenceCount(): number {
    let count = 0;
    for (const references of this.references.values()) for (const { values } of references) count += values.size;
    return count;
  }

  private async scanFor(table: TableManifest, collectors: readonly ValueSet[]): Promise<void> {
    if (collectors.length > 0) await this.scan(table, collectors);
  }

  private async scan(table: TableManifest, collectors: readonly ValueSet[]): Promise<void> {
    this.scanned.add(table.table);
    const { store, codec, signal } = this.search;
    const fields = new ScopedFields(codec, table.structure);
    const filter = this.filters.get(table.table) as RowFilter;
    await runLanes({ lanes: CHUNKS_AT_ONCE, signal }, chunkSpans(store, table), async (span) => {
      const { bytes, ends } = filter.apply(await readSpan(table, span, { store, codec }));
      if (ends.length > 0) this.foundOwned = true;
      let start = 0;
      for (const end of ends) {
        fields.at(bytes, start);
        for (const set of collectors) set.add(fields);
        start = end;
      }
    });
  }
}

/**
 * Fields of one row as comparable text. Two fields of different tables that a case-insensitive collation calls equal
 * compare equal here too, as they do for the foreign key.
 */
class ScopedFields {
  private readonly reader: FieldReader;
  private readonly folds: boolean[];

  constructor(codec: RowCodec, structure: TableStructure) {
    this.reader = new FieldReader(codec, structure);
    this.folds = structure.columns.map(({ collation }) => /_ci$|nocase/i.test(collation ?? ''));
  }

  at(bytes: Buffer, rowStart: number): this {
    this.reader.locate(bytes, rowStart);
    return this;
  }

  text(column: number): string | null {
    return this.reader.text(column);
  }

  /** The columns' values together; null when one of them is NULL, which references nothing. */
  tuple(columns: readonly number[]): string | null {
    let tuple = '';
    for (const column of columns) {
      if (this.reader.isNull(column)) return null;
      const value = this.folds[column]
        ? fold(this.reader.text(column) ?? '')
        : this.reader.field(column).toString('latin1');
      tuple += `${value.length}:${value}`;
    }
    return tuple;
  }
}

function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().trimEnd();
}

function columnIndexes(structure: TableStructure, names: readonly string[]): number[] {
  return names.map((name) => structure.columns.findIndex((column) => column.name === name));
}
