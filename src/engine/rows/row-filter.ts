/** Keeps the rows of a batch that a predicate accepts, and finds single fields of rows for such predicates. */
import type { RowBatch, RowCodec } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';
import { NO_ROWS, RowCollector } from './row-chunk';

export type RowPredicate = (bytes: Buffer, rowStart: number) => boolean;

export class RowFilter {
  private readonly kept = new RowCollector();

  constructor(readonly accepts: RowPredicate) {}

  /** The accepted rows; the batch itself when that is all of them. */
  apply(batch: RowBatch): RowBatch {
    let start = 0;
    for (const end of batch.ends) {
      if (this.accepts(batch.bytes, start)) this.kept.add(batch.bytes, start, end);
      start = end;
    }
    if (this.kept.rowCount === 0) return NO_ROWS;
    if (this.kept.rowCount < batch.ends.length) return this.kept.takeBatch();
    this.kept.clear();
    return batch;
  }
}

/** Where one row's fields are. `locate` first; then the accessors speak of that row. */
export class FieldReader {
  private readonly fields: Int32Array;
  private bytes: Buffer = NO_ROWS.bytes;

  constructor(
    private readonly codec: RowCodec,
    private readonly structure: TableStructure,
  ) {
    this.fields = new Int32Array(3 * structure.columns.length);
  }

  locate(bytes: Buffer, rowStart: number): void {
    this.bytes = bytes;
    this.codec.locate(bytes, rowStart, this.structure.columns.length, this.fields);
  }

  isNull(column: number): boolean {
    return this.fields[3 * column + 1] === -1;
  }

  /** The encoded field, prefix included; shares the row's memory. */
  field(column: number): Buffer {
    return this.bytes.subarray(this.fields[3 * column], this.fields[3 * column + 2]);
  }

  text(column: number): string | null {
    return this.codec.valueText(this.bytes, this.fields[3 * column] as number, this.fields[3 * column + 2] as number);
  }

  /** True when both readers' rows have the same bytes in a column. */
  sameField(other: FieldReader, column: number): boolean {
    return this.field(column).equals(other.field(column));
  }
}
