/**
 * What damage did to one table: the rows in which an undamaged backup and a damaged one differ, spooled to disk, to be read as often as it
 * takes.
 */
import type { Random } from '../../domain/ambient';
import type { RowBatch } from '../../domain/rows';
import type { ScopedTable } from '../reading/scoped-table';
import type { RowSlice } from '../rows/compare-rows';
import type { DiffSink } from '../rows/join-states';
import { NO_ROWS } from '../rows/row-chunk';
import { RowSpool, splitRows } from '../rows/spool';

/** Row n of each is of one key. A row of no bytes stands for none. */
export interface DamagedRows {
  undamaged: RowBatch;
  damaged: RowBatch;
}

export interface ConflictingRows extends DamagedRows {
  live: RowBatch;
}

/** Whether a difference is the restore's concern; one of the two may be null. */
export type DamageTest = (undamaged: RowSlice | null, damaged: RowSlice | null) => boolean;

export const NO_ROW: RowSlice = { bytes: NO_ROWS.bytes, start: 0, end: 0 };

export class TableDamage implements DiffSink {
  private readonly spool: RowSpool;

  constructor(
    readonly table: ScopedTable,
    private readonly options: { tempDir: string; random: Random; isMeant: DamageTest },
  ) {
    this.spool = new RowSpool(options.tempDir, options.random);
  }

  get rowCount(): number {
    return this.spool.rowCount / 2;
  }

  get isMeant(): DamageTest {
    return this.options.isMeant;
  }

  removed(undamaged: RowSlice): void {
    this.add(undamaged, null);
  }

  added(damaged: RowSlice): void {
    this.add(null, damaged);
  }

  changed(undamaged: RowSlice, damaged: RowSlice): void {
    this.add(undamaged, damaged);
  }

  settle(): Promise<void> {
    return this.spool.settle();
  }

  /** A few hundred kilobytes at a time. */
  async *batches(): AsyncGenerator<DamagedRows> {
    for await (const batch of this.spool.batches()) {
      const [undamaged, damaged] = splitRows(batch, 2) as [RowBatch, RowBatch];
      yield { undamaged, damaged };
    }
  }

  close(): Promise<void> {
    return this.spool.close();
  }

  private add(undamaged: RowSlice | null, damaged: RowSlice | null): void {
    if (this.options.isMeant(undamaged, damaged)) this.spool.add(undamaged ?? NO_ROW, damaged ?? NO_ROW);
  }
}
