/** Which fields differ between two rows of one key, as people read them. Rows of two structures are compared by the columns named. */
import type { RowCodec } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';
import type { FieldChange, JsonValue } from '../../domain/values';
import type { RowSlice } from './compare-rows';
import { comparable, type MatchedColumn } from './matched-columns';
import { TypedRows } from './typed-rows';

export class ChangedFields {
  private readonly before: NamedFields;
  private readonly after: NamedFields;

  constructor(
    codec: RowCodec,
    structures: { before: TableStructure; after: TableStructure },
    private readonly columns: readonly MatchedColumn[],
  ) {
    this.before = new NamedFields(codec, structures.before);
    this.after = new NamedFields(codec, structures.after);
  }

  /** Told by bytes: two values that look the same as JSON may differ all the same, such as 1 and 1.0 in JSON text. */
  of(before: RowSlice, after: RowSlice): FieldChange[] {
    this.before.locate(before);
    this.after.locate(after);
    const differing = this.columns.filter((column) => !this.isSame(column));
    return differing.map(({ name }) => ({ name, before: this.before.value(name), after: this.after.value(name) }));
  }

  private isSame(column: MatchedColumn): boolean {
    const [before, after] = [this.before.field(column.name), this.after.field(column.name)];
    return comparable(column, 'before', before).equals(comparable(column, 'after', after));
  }
}

class NamedFields {
  private readonly rows: TypedRows;
  private readonly slots: ReadonlyMap<string, number>;
  private row: RowSlice = { bytes: Buffer.alloc(0), start: 0, end: 0 };
  private fields: Int32Array = new Int32Array(0);

  constructor(codec: RowCodec, structure: TableStructure) {
    this.rows = new TypedRows(codec, structure);
    this.slots = new Map(structure.columns.map(({ name }, column) => [name, 3 * column]));
  }

  locate(row: RowSlice): void {
    this.row = row;
    this.fields = this.rows.locate(row.bytes, row.start);
  }

  field(name: string): { field: Buffer; isNull: boolean } {
    const slot = this.slots.get(name) as number;
    const field = this.row.bytes.subarray(this.fields[slot], this.fields[slot + 2]);
    return { field, isNull: this.fields[slot + 1] === -1 };
  }

  value(name: string): JsonValue {
    const slot = this.slots.get(name) as number;
    return this.rows.value(slot / 3, this.row.bytes, this.fields);
  }
}
