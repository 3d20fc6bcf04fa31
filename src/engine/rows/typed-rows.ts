/** Encoded rows as JSON values by column name, for people and programs. */
import type { RowCodec } from '../../domain/rows';
import { keyColumnIndexes, type TableStructure } from '../../domain/table';
import type { ColumnValues, JsonRow, JsonValue } from '../../domain/values';

/** Shows rows of one table, one after the other. */
export class TypedRows {
  /** By position in a row. */
  readonly values: readonly ColumnValues[];
  private readonly names: readonly string[];
  private readonly keyColumns: readonly number[];
  private readonly fields: Int32Array;

  constructor(
    private readonly codec: RowCodec,
    structure: TableStructure,
  ) {
    this.values = codec.values(structure);
    this.names = structure.columns.map(({ name }) => name);
    this.keyColumns = keyColumnIndexes(structure);
    this.fields = new Int32Array(3 * this.names.length);
  }

  /** Where the fields of the row that starts at `start` lie, as ColumnValues want to be told; valid until the next row. */
  locate(bytes: Buffer, start: number): Int32Array {
    this.codec.locate(bytes, start, this.names.length, this.fields);
    return this.fields;
  }

  /** The field of one column of a located row. */
  value(column: number, bytes: Buffer, fields: Int32Array): JsonValue {
    return (this.values[column] as ColumnValues).toJson(bytes, fields, 3 * column);
  }

  /** All fields of the row that starts at `start`. */
  row(bytes: Buffer, start: number): JsonRow {
    return this.pick(bytes, start, [...this.names.keys()]);
  }

  /** Its key's fields, in the key's order. */
  key(bytes: Buffer, start: number): JsonRow {
    return this.pick(bytes, start, this.keyColumns);
  }

  private pick(bytes: Buffer, start: number, columns: readonly number[]): JsonRow {
    const fields = this.locate(bytes, start);
    const entries = columns.map((column) => [this.names[column] as string, this.value(column, bytes, fields)]);
    return Object.fromEntries(entries) as JsonRow;
  }
}
