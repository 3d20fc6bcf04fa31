/** What single rows refer to in other rows, by the foreign keys of their tables: noted row by row, asked for round by round. */
import type { TableManifest } from '../../domain/manifest';
import type { RowCodec } from '../../domain/rows';
import type { ForeignKey } from '../../domain/table';
import type { Referring } from '../reading/record-rows';
import { columnIndexes, foldsOf, ScopedFields } from '../reading/scoped-fields';
import { TypedRows } from '../rows/typed-rows';

/** Values of one foreign key that were not asked for before, each with a sentence on the first row that holds it. */
export interface NotedReferences extends Referring {
  values: Map<string, Buffer>;
  sentences: Map<string, string>;
}

interface OfKey {
  key: ForeignKey;
  parent: TableManifest;
  columns: number[];
  folds: boolean[];
  /** Values that were noted, ever. */
  seen: Set<string>;
  fresh: NotedReferences;
}

interface OfTable {
  fields: ScopedFields;
  typed: TypedRows;
  keys: OfKey[];
}

export class RecordReferences {
  private readonly tables = new Map<string, OfTable>();

  constructor(
    private readonly codec: RowCodec,
    /** To which references are followed; those to others are left to the source. */
    private readonly followed: readonly TableManifest[],
  ) {}

  note(child: TableManifest, row: Buffer): void {
    const { fields, typed, keys } = this.of(child);
    fields.at(row, 0);
    for (const { key, parent, columns, folds, seen, fresh } of keys) {
      const value = fields.tuple(columns, folds);
      if (value === null || seen.has(value)) continue;
      seen.add(value);
      fresh.values.set(value, fields.encoded(columns));
      const told = columns.map((column) => fields.text(column)).join(', ');
      const row1 = `The row ${JSON.stringify(typed.key(row, 0))} of ${child.table}`;
      fresh.sentences.set(value, `${row1} refers by ${key.columns.join(', ')} (constraint ${key.name}) to a row of ${parent.table}, (${told})`); // prettier-ignore
    }
  }

  /** What was noted since it was asked last. */
  takeFresh(): NotedReferences[] {
    const taken: NotedReferences[] = [];
    for (const { keys } of this.tables.values()) {
      for (const of of keys) {
        if (of.fresh.values.size === 0) continue;
        taken.push(of.fresh);
        of.fresh = { ...of.fresh, values: new Map(), sentences: new Map() };
      }
    }
    return taken;
  }

  private of(child: TableManifest): OfTable {
    const known = this.tables.get(child.table);
    if (known !== undefined) return known;
    const { structure } = child;
    const keys = structure.foreignKeys.flatMap((key) => this.ofKey(child, key) ?? []);
    const made = { fields: new ScopedFields(this.codec, structure), typed: new TypedRows(this.codec, structure), keys };
    this.tables.set(child.table, made);
    return made;
  }

  /** Null where it is not followed, or rows hold no such column: a generated one. */
  private ofKey({ structure }: TableManifest, key: ForeignKey): OfKey | null {
    const parent = parentOf(key, this.followed);
    const columns = columnIndexes(structure, key.columns);
    if (parent === undefined || columns.includes(-1)) return null;
    if (columnIndexes(parent.structure, key.referencedColumns).includes(-1)) return null;
    const fresh = { key, child: structure, parent, values: new Map(), sentences: new Map() };
    const folds = foldsOf(key, { child: structure, parent: parent.structure });
    return { key, parent, columns, folds, seen: new Set(), fresh };
  }
}

/** The tables that rows of these refer to, directly or through others, themselves included where they are. */
export function referredTables(from: readonly TableManifest[], among: readonly TableManifest[]): TableManifest[] {
  const found = new Set<TableManifest>();
  const open = [...from];
  for (let table = open.pop(); table !== undefined; table = open.pop()) {
    for (const key of table.structure.foreignKeys) {
      const parent = parentOf(key, among);
      if (parent === undefined || found.has(parent)) continue;
      found.add(parent);
      open.push(parent);
    }
  }
  return [...found];
}

/** Foreign keys may write a table's name in another case. */
function parentOf(
  { referencedSchema, referencedTable }: ForeignKey,
  among: readonly TableManifest[],
): TableManifest | undefined {
  if (referencedSchema !== undefined) return undefined;
  return among.find(({ table }) => table.toLowerCase() === referencedTable.toLowerCase());
}
