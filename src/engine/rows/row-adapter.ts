/** Rewrites rows of a backup as rows of a table whose structure changed since: fields keep their bytes, are recoded, left out or added. */
import { AppError } from '../../domain/errors';
import type { RowBatch, RowCodec } from '../../domain/rows';
import { rowStart } from '../../domain/rows';

/** What a row adapter needs to know of an adaptation. */
export interface FieldPlan {
  fields: readonly { from: number; recode: ((field: Buffer) => Buffer) | null; requires?: string }[];
  added: readonly { field: Buffer | null }[];
}

/** Keeps nothing from one batch to the next, and works on one at a time: lanes may share it. */
export class RowAdapter {
  private readonly places: Int32Array;
  /** What stands behind the backup's fields in each row. */
  private readonly tail: Buffer;
  private out = NOTHING;
  private size = 0;

  constructor(
    private readonly plan: FieldPlan,
    /** Of the backup's row. */
    private readonly columns: number,
    private readonly codec: RowCodec,
  ) {
    this.places = new Int32Array(3 * columns);
    // An unknown default is never written; NULL, which refers to nothing, stands where a live row's value comes to stand.
    this.tail = Buffer.concat(plan.added.map(({ field }) => field ?? codec.encodeText(null)));
  }

  apply(batch: RowBatch): RowBatch {
    const ends = new Uint32Array(batch.ends.length);
    this.out = Buffer.allocUnsafe(batch.bytes.length + ends.length * this.tail.length);
    this.size = 0;
    for (let row = 0; row < ends.length; row++) {
      this.codec.locate(batch.bytes, rowStart(batch, row), this.columns, this.places);
      this.putRow(batch.bytes);
      ends[row] = this.size;
    }
    const bytes = this.out.subarray(0, this.size);
    this.out = NOTHING;
    return { bytes, ends };
  }

  /** The row that was located; fields that stay side by side are copied together. */
  private putRow(bytes: Buffer): void {
    const { places } = this;
    let [start, stop] = [0, 0];
    for (const { from, recode, requires } of this.plan.fields) {
      const [at, end] = [places[3 * from] as number, places[3 * from + 2] as number];
      const isNull = places[3 * from + 1] === -1;
      if (isNull && requires !== undefined) throw noValue(requires);
      const isAsStored = recode === null || isNull;
      if (isAsStored && at === stop) {
        stop = end;
        continue;
      }
      this.put(bytes, start, stop);
      [start, stop] = isAsStored ? [at, end] : [0, 0];
      if (!isAsStored) this.putAll(recode(bytes.subarray(at, end)));
    }
    this.put(bytes, start, stop);
    this.putAll(this.tail);
  }

  private putAll(bytes: Buffer): void {
    this.put(bytes, 0, bytes.length);
  }

  private put(bytes: Buffer, start: number, end: number): void {
    const needed = this.size + end - start;
    if (needed > this.out.length) {
      const grown = Buffer.allocUnsafe(2 * needed);
      this.out.copy(grown, 0, 0, this.size);
      this.out = grown;
    }
    this.size += bytes.copy(this.out, this.size, start, end);
  }
}

const NOTHING = Buffer.alloc(0);

function noValue(column: string): AppError {
  return new AppError('SCHEMA_MISMATCH', `A row of the backup has no value in ${column}, which takes no NULL now.`, {
    hint: 'Let the column take NULL for the time of the restore, or restore into a scratch schema.',
  });
}
