/** Values of a business's rows: what paths and foreign keys may point to. */
import type { RowBatch, RowCodec } from '../../domain/rows';
import type { ColumnStructure, ForeignKey, TableStructure } from '../../domain/table';
import { RowCollector } from '../rows/row-chunk';
import { FieldReader } from '../rows/row-filter';

/** The field values of some columns, of rows in scope; what is kept is these values alone. */
export class ValueSet {
  private readonly values = new Set<string>();
  private readonly encoded: Buffer[] = [];

  constructor(
    readonly columns: readonly number[],
    /** As `ScopedFields.tuple` takes it. */
    private readonly folds?: readonly boolean[],
  ) {}

  get size(): number {
    return this.values.size;
  }

  add(fields: ScopedFields): void {
    const value = fields.tuple(this.columns, this.folds);
    if (value === null || this.values.has(value)) return;
    this.values.add(value);
    this.encoded.push(fields.encoded(this.columns));
  }

  has(fields: ScopedFields, columns: readonly number[]): boolean {
    const value = fields.tuple(columns, this.folds);
    return value !== null && this.values.has(value);
  }

  /** The encoded fields of the values, in the order in which they came, without the first ones. */
  encodedFrom(first: number): RowBatch {
    const rows = new RowCollector();
    for (const fields of this.encoded.slice(first)) rows.add(fields, 0, fields.length);
    return rows.takeBatch();
  }
}

/**
 * Fields of one row as comparable text. Two fields of different tables that a case-insensitive collation calls equal
 * compare equal here too, as they do for the foreign key.
 */
export class ScopedFields {
  private readonly reader: FieldReader;
  private readonly folds: boolean[];

  constructor(codec: RowCodec, structure: TableStructure) {
    this.reader = new FieldReader(codec, structure);
    this.folds = structure.columns.map(isCaseless);
  }

  at(bytes: Buffer, rowStart: number): this {
    this.reader.locate(bytes, rowStart);
    return this;
  }

  text(column: number): string | null {
    return this.reader.text(column);
  }

  /** The columns' values together; null when one of them is NULL, which references nothing. `folds`: which of them ignore case; default: as each says. */
  tuple(columns: readonly number[], folds?: readonly boolean[]): string | null {
    let tuple = '';
    for (const [i, column] of columns.entries()) {
      if (this.reader.isNull(column)) return null;
      const value =
        (folds?.[i] ?? this.folds[column])
          ? fold(this.reader.text(column) ?? '')
          : this.reader.field(column).toString('latin1');
      tuple += `${value.length}:${value}`;
    }
    return tuple;
  }

  /** The columns' encoded fields, back to back, in memory of their own. */
  encoded(columns: readonly number[]): Buffer {
    return Buffer.concat(columns.map((column) => this.reader.field(column)));
  }
}

function isCaseless({ collation }: ColumnStructure): boolean {
  return /_ci$|nocase/i.test(collation ?? '');
}

/** Which columns of a reference ignore case: where either side says so, for a source may tell the collation of keys alone. */
export function foldsOf(
  key: ForeignKey,
  { child, parent }: { child: TableStructure; parent: TableStructure },
): boolean[] {
  const ofChild = columnIndexes(child, key.columns).map((column) => child.columns[column]);
  const ofParent = columnIndexes(parent, key.referencedColumns).map((column) => parent.columns[column]);
  return ofChild.map((column, i) => [column, ofParent[i]].some((either) => either !== undefined && isCaseless(either)));
}

function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().trimEnd();
}

export function columnIndexes(structure: TableStructure, names: readonly string[]): number[] {
  return names.map((name) => structure.columns.findIndex((column) => column.name === name));
}
