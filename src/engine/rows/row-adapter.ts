/** Rewrites rows of a backup as rows of a table whose structure changed since: fields keep their bytes, are recoded, left out or added. */
import { AppError } from '../../domain/errors';
import type { RowBatch, RowCodec } from '../../domain/rows';
import { rowStart } from '../../domain/rows';

/** What a row adapter needs to know of an adaptation. */
export interface FieldPlan {
  fields: readonly { from: number; recode: ((field: Buffer) => Buffer) | null; requires?: string }[];
  added: readonly { field: Buffer | null }[];
}

/** Synchronous and free of memory between rows: lanes may share one. */
export class RowAdapter {
  private readonly places: Int32Array;
  /** What stands behind the backup's fields in each row. */
  private readonly tail: Buffer;

  constructor(
    private readonly plan: FieldPlan,
    /** Of the backup's row. */
    private readonly columns: number,
    private readonly codec: RowCodec,
  ) {
    this.places = new Int32Array(3 * columns);
    // An unknown default is never written; something has to stand where a live row's value comes to stand.
    this.tail = Buffer.concat(plan.added.map(({ field }) => field ?? codec.encodeText('')));
  }

  apply(batch: RowBatch): RowBatch {
    const parts: Buffer[] = [];
    const ends = new Uint32Array(batch.ends.length);
    let end = 0;
    for (let row = 0; row < ends.length; row++) {
      this.codec.locate(batch.bytes, rowStart(batch, row), this.columns, this.places);
      for (const part of this.row(batch.bytes)) {
        parts.push(part);
        end += part.length;
      }
      ends[row] = end;
    }
    return { bytes: Buffer.concat(parts, end), ends };
  }

  /** The pieces of the row that was located. */
  private *row(bytes: Buffer): Generator<Buffer> {
    let [start, stop] = [0, 0];
    for (const { from, recode, requires } of this.plan.fields) {
      const [at, value, end] = [this.places[3 * from], this.places[3 * from + 1], this.places[3 * from + 2]] as [number, number, number]; // prettier-ignore
      if (value === -1 && requires !== undefined) throw noValue(requires);
      const isAsStored = recode === null || value === -1;
      if (isAsStored && at === stop) {
        stop = end;
        continue;
      }
      if (stop > start) yield bytes.subarray(start, stop);
      [start, stop] = isAsStored ? [at, end] : [0, 0];
      if (!isAsStored) yield recode(bytes.subarray(at, end));
    }
    if (stop > start) yield bytes.subarray(start, stop);
    if (this.tail.length > 0) yield this.tail;
  }
}

function noValue(column: string): AppError {
  return new AppError('SCHEMA_MISMATCH', `A row of the backup has no value in ${column}, which takes no NULL now.`, {
    hint: 'Let the column take NULL for the time of the restore, or restore into a scratch schema.',
  });
}
