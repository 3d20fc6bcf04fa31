/**
 * Finds the rows of one business in a backup of many, and proves the chunks that hold them: no other chunk is read where value indexes
 * tell which these are. Owned rows are told by their own column or by a path to rows already found; parents by the foreign keys of rows in
 * scope. What is kept in memory is the ids of the business's rows, and the rows themselves while they are few.
 */
import type { BackupStore } from '../../domain/backup-store';
import { AppError } from '../../domain/errors';
import type { Ownership } from '../../domain/mapping';
import type { TableManifest } from '../../domain/manifest';
import type { RowBatch, RowCodec } from '../../domain/rows';
import type { ForeignKey, TableStructure } from '../../domain/table';
import { runLanes } from '../lanes';
import { NO_ROWS } from '../rows/row-chunk';
import { RowFilter, type RowPredicate } from '../rows/row-filter';
import type { ChunkSpan } from './backup-rows';
import { BusinessSpans, type Sought } from './business-spans';
import { newProof, noteLostTable, readProven, type ChunkProof } from './prove-chunks';
import { columnIndexes, foldsOf, ScopedFields, ValueSet } from './scoped-fields';
import type { ScopedTable } from './scoped-table';

export interface BusinessSearch {
  store: BackupStore;
  codec: RowCodec;
  signal: AbortSignal;
  /** Called for each span that was read, before its rows are looked at. */
  onRead?: (table: TableManifest, span: ChunkSpan) => void;
}

/** A span that holds rows in scope, or one that lost a chunk and may. */
export interface ScopedSpan {
  span: ChunkSpan;
  /** Of rows in scope. */
  rowCount: number;
  rawBytes: number;
  /** Those rows, while they are few in all. */
  rows?: RowBatch;
}

export interface ScopedRows {
  filter: RowFilter;
  /** In the order of their keys; no other span of the table has a row in scope. */
  spans: readonly ScopedSpan[];
}

export interface BusinessRows {
  /** By table name. */
  tables: ReadonlyMap<string, ScopedRows>;
  /** False where the backup holds no row that the business owns. */
  isKnown: boolean;
  proof: ChunkProof;
  /** What an operator should know: tables that had to be read whole, and why. */
  notes: string[];
}

const CHUNKS_AT_ONCE = 4;
/** Rows of all tables that stay in memory once they were read; others are read again when they are needed. */
const KEPT_BYTES = 16 * 1024 * 1024;

export async function collectBusinessRows(
  tables: readonly ScopedTable[],
  businessId: string,
  search: BusinessSearch,
): Promise<BusinessRows> {
  const collection = new BusinessCollection(tables, businessId, search);
  for (const table of tables) if (table.role === 'WHOLE') await collection.collectOwned(table.manifest);
  await collection.collectParents();
  return collection.result();
}

export function noRowOf(businessId: string): AppError {
  return new AppError('NOT_FOUND', `The backup holds no row of the business ${businessId}.`, {
    hint: 'Give the id as the risk platform had it then, or choose a backup from when the business was there.',
    path: ['input', 'businessId'],
  });
}

/** Values of a foreign key in rows in scope, and the parent's columns that they mean. */
interface References {
  key: ForeignKey;
  child: TableStructure;
  /** Of the parent. */
  columns: number[];
  values: ValueSet;
  /** How many of the values were looked for. */
  lookedFor: number;
}

class BusinessCollection {
  private readonly scoped = new Map<string, { filter: RowFilter; found: Map<number, ScopedSpan> }>();
  /** Values that paths follow, by `table.column`. */
  private readonly pathTargets = new Map<string, ValueSet>();
  /** By parent table. */
  private readonly references = new Map<string, References[]>();
  private readonly proof = newProof();
  private readonly spans: BusinessSpans;
  private isKnown = false;
  private keptBytes = 0;

  constructor(
    private readonly tables: readonly ScopedTable[],
    private readonly businessId: string,
    private readonly search: BusinessSearch,
  ) {
    this.spans = new BusinessSpans(search);
    for (const { role, manifest } of tables) if (role === 'WHOLE') this.noteTargetOf(manifest);
  }

  /** Reads an owned table, after the tables its path leads through. */
  async collectOwned(table: TableManifest, asking: readonly string[] = []): Promise<void> {
    if (this.scoped.has(table.table)) return;
    const business = table.structure.mapping.business as Ownership;
    if (business.kind === 'PATH') await this.collectTarget(table, business, [...asking, table.table]);
    this.scoped.set(table.table, { filter: new RowFilter(this.ownedPredicate(table.structure, business)), found: new Map() }); // prettier-ignore
    await this.scan(table, [this.soughtOwned(business)]);
    if (this.foundIn(table)) this.isKnown = true;
  }

  /** Reads parent tables until a round finds no parent that was not known: parents have parents of their own. */
  async collectParents(): Promise<void> {
    const parents = this.tables.filter(({ role }) => role === 'PARENT').map(({ manifest }) => manifest);
    for (const { table, structure } of parents) {
      this.scoped.set(table, { filter: new RowFilter(this.parentPredicate(structure)), found: new Map() });
    }
    for (let isNew = true; isNew;) {
      isNew = false;
      for (const table of parents) {
        const sought = this.soughtParents(table);
        if (sought.length === 0) continue;
        isNew = true;
        await this.scan(table, sought);
      }
    }
  }

  result(): BusinessRows {
    const inOrder = (found: Map<number, ScopedSpan>): ScopedSpan[] =>
      [...found.values()].sort((a, b) => a.span.index - b.span.index);
    const tables = [...this.scoped].map(([table, { filter, found }]) => [table, { filter, spans: inOrder(found) }] as const); // prettier-ignore
    return { tables: new Map(tables), isKnown: this.isKnown, proof: this.proof, notes: this.notes() };
  }

  /** Of tables that are more than a chunk: reading those costs no more than an index would. */
  private notes(): string[] {
    const large = this.tables.filter(({ manifest }) => (manifest.layers[0]?.chunkCount ?? 0) > 1);
    return large.flatMap(({ manifest: { table } }) => {
      const why = this.spans.readWhole.get(table);
      return why === undefined ? [] : [`Every row of table ${table} was read to find those of the business: ${why}.`];
    });
  }

  private foundIn({ table }: TableManifest): boolean {
    return [...(this.scoped.get(table)?.found.values() ?? [])].some(({ rowCount }) => rowCount > 0);
  }

  private noteTargetOf({ structure }: TableManifest): void {
    const { business } = structure.mapping;
    const target = business?.kind === 'PATH' ? this.owned(business.referencedTable) : undefined;
    if (business?.kind !== 'PATH' || target === undefined) return;
    const columns = columnIndexes(target.structure, [business.referencedColumn]);
    this.pathTargets.set(`${target.table}.${business.referencedColumn}`, new ValueSet(columns));
  }

  private owned(name: string): TableManifest | undefined {
    return this.tables.find(({ role, manifest }) => role === 'WHOLE' && manifest.table === name)?.manifest;
  }

  private async collectTarget(
    { table }: TableManifest,
    { referencedTable }: Extract<Ownership, { kind: 'PATH' }>,
    asking: readonly string[],
  ): Promise<void> {
    const target = this.owned(referencedTable);
    if (target === undefined || asking.includes(target.table)) {
      throw new AppError(
        'BACKUP_NOT_RESTORABLE',
        `Rows of ${table} belong to a business through ${referencedTable}, which this backup can't resolve.`,
        { hint: `Choose a backup that holds ${referencedTable} too.` },
      );
    }
    await this.collectOwned(target, asking);
    const { hurtTables, lostTables } = this.proof;
    if (hurtTables.has(target.table) || lostTables.has(target.table)) throw this.unresolvable(table, target.table);
  }

  /** Rows whose owners are lost would count as nobody's, and live ones as too many. */
  private unresolvable(table: string, target: string): AppError {
    return new AppError(
      'INTEGRITY_FAILURE',
      `The backup is damaged, nothing was written: whose rows of ${table} are can't be told. ${this.proof.losses.slice(0, 3).join(' ')}`,
      { hint: `Restore from another backup; rows of ${table} belong to businesses through ${target}.` },
    );
  }

  private ownedPredicate(structure: TableStructure, business: Ownership): RowPredicate {
    const fields = new ScopedFields(this.search.codec, structure);
    const columns = columnIndexes(structure, [business.column]);
    if (business.kind === 'COLUMN') {
      const column = columns[0] as number;
      return (bytes, start) => fields.at(bytes, start).text(column) === this.businessId;
    }
    const owners = this.targetOf(business);
    return (bytes, start) => owners.has(fields.at(bytes, start), columns);
  }

  private targetOf({ referencedTable, referencedColumn }: Extract<Ownership, { kind: 'PATH' }>): ValueSet {
    return this.pathTargets.get(`${referencedTable}.${referencedColumn}`) as ValueSet;
  }

  private soughtOwned(business: Ownership): Sought {
    const columns = [business.column];
    if (business.kind === 'COLUMN') return { columns, text: this.businessId };
    const { structure } = this.owned(business.referencedTable) as TableManifest;
    const values = this.targetOf(business).encodedFrom(0);
    return { columns, values, of: { structure, columns: [business.referencedColumn] } };
  }

  private parentPredicate(structure: TableStructure): RowPredicate {
    const fields = new ScopedFields(this.search.codec, structure);
    return (bytes, start) => {
      fields.at(bytes, start);
      return (this.references.get(structure.table) ?? []).some(({ columns, values }) => values.has(fields, columns));
    };
  }

  /** By the values that came since it was asked last. */
  private soughtParents({ table }: TableManifest): Sought[] {
    const fresh = (this.references.get(table) ?? []).filter(({ values, lookedFor }) => lookedFor < values.size);
    return fresh.map((reference) => {
      const { key, child, values, lookedFor } = reference;
      reference.lookedFor = values.size;
      const of = { structure: child, columns: key.columns };
      return { columns: key.referencedColumns, values: values.encodedFrom(lookedFor), of };
    });
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

  private referencedValues(child: TableStructure, key: ForeignKey): ValueSet | null {
    const parent = this.tables.find(
      ({ role, manifest }) => role === 'PARENT' && manifest.table === key.referencedTable,
    );
    if (parent === undefined || key.referencedSchema !== undefined) return null;
    const known = this.references.get(key.referencedTable) ?? [];
    this.references.set(key.referencedTable, known);
    const found = known.find((reference) => reference.key === key);
    if (found !== undefined) return found.values;
    const folds = foldsOf(key, { child, parent: parent.manifest.structure });
    const values = new ValueSet(columnIndexes(child, key.columns), folds);
    const columns = columnIndexes(parent.manifest.structure, key.referencedColumns);
    known.push({ key, child, values, columns, lookedFor: 0 });
    return values;
  }

  private async scan(table: TableManifest, sought: readonly Sought[]): Promise<void> {
    const { store, codec, signal, onRead } = this.search;
    const collectors = this.collectors(table.structure);
    const fields = new ScopedFields(codec, table.structure);
    try {
      const spans = await this.spans.spansOf(table, sought);
      await runLanes({ lanes: CHUNKS_AT_ONCE, signal }, spans, async (span) => {
        const rows = await readProven(table, span, { store, codec, proof: this.proof });
        onRead?.(table, span);
        const inScope = this.take(table, span, rows);
        collectInto(collectors, fields, inScope);
      });
    } catch (error) {
      noteLostTable(table, error, this.proof);
    }
  }

  /** Those of a span's rows that are in scope. */
  private take({ table }: TableManifest, span: ChunkSpan, rows: RowBatch | null): RowBatch {
    const { filter, found } = this.scoped.get(table) as { filter: RowFilter; found: Map<number, ScopedSpan> };
    const inScope = rows === null ? NO_ROWS : filter.apply(rows);
    const [rowCount, rawBytes] = [inScope.ends.length, inScope.bytes.length];
    if (rows !== null && rowCount === 0) return inScope;
    this.keptBytes += rawBytes - (found.get(span.index)?.rows?.bytes.length ?? 0);
    const isKept = rows !== null && this.keptBytes <= KEPT_BYTES;
    if (!isKept) this.keptBytes -= rawBytes;
    found.set(span.index, { span, rowCount, rawBytes, ...(isKept ? { rows: inScope } : {}) });
    return inScope;
  }
}

function collectInto(sets: readonly ValueSet[], fields: ScopedFields, { bytes, ends }: RowBatch): void {
  let start = 0;
  for (const end of sets.length === 0 ? [] : ends) {
    fields.at(bytes, start);
    for (const set of sets) set.add(fields);
    start = end;
  }
}
