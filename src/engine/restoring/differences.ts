/**
 * What has to change for a live table to be as the backup has it, gathered row by row and spooled to disk: which rows to delete,
 * insert, update, and which updates must move aside because they could collide on a unique key.
 */
import type { Random } from '../../domain/ambient';
import type { RowBatch, RowCodec } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';
import { requireInsertable } from '../reading/adaptation';
import type { ScopedTable } from '../reading/scoped-table';
import type { DifferenceSink, RowSlice } from '../rows/compare-rows';
import { pairsOf, RowSpool, type RowPairs } from '../rows/spool';
import type { TableChanges } from './table-changes';
import { collisionTest } from './unique-collisions';

export interface DifferenceCounts {
  inserts: number;
  updates: number;
  deletes: number;
  unchanged: number;
}

export class TableDifferences implements TableChanges {
  readonly counts: DifferenceCounts = { inserts: 0, updates: 0, deletes: 0, unchanged: 0 };
  private readonly deleted: RowSpool;
  /** Alternating old and new images. */
  private readonly updated: RowSpool;
  private readonly moved: RowSpool;
  private readonly inserted: RowSpool;
  /** Per chunk with differences: which of the backup's rows in it are to be written, one bit each. */
  readonly touched = new Map<number, Uint8Array>();
  private readonly collides: (live: RowSlice, backup: RowSlice) => boolean;

  constructor(
    readonly table: ScopedTable,
    options: { codec: RowCodec; tempDir: string; random: Random; moveUpdates: boolean },
  ) {
    const spool = (): RowSpool => new RowSpool(options.tempDir, options.random);
    this.deleted = spool();
    this.updated = spool();
    this.moved = spool();
    this.inserted = spool();
    const test = options.moveUpdates ? () => true : collisionTest(table.manifest.structure, options.codec);
    this.collides = test ?? (() => false);
  }

  /** Takes the differences of one chunk of the backup. */
  sink(chunk: { index: number; rowCount: number }): DifferenceSink {
    return this.table.role === 'PARENT' ? this.parentSink(chunk) : this.wholeSink(chunk);
  }

  get structure(): TableStructure {
    return this.table.manifest.structure;
  }

  get images(): number {
    const { deleted, updated, moved, inserted } = this;
    return deleted.rowCount + updated.rowCount + 2 * moved.rowCount + inserted.rowCount;
  }

  deletes(): AsyncIterable<RowBatch> {
    return this.deleted.batches();
  }

  updates(): AsyncIterable<RowPairs> {
    return pairsOf(this.updated);
  }

  moves(): AsyncIterable<RowPairs> {
    return pairsOf(this.moved);
  }

  inserts(): AsyncIterable<RowBatch> {
    return this.inserted.batches();
  }

  async close(): Promise<void> {
    for (const spool of this.spools()) await spool.close();
  }

  private wholeSink(chunk: { index: number; rowCount: number }): DifferenceSink {
    return {
      ...this.parentSink(chunk),
      changed: ({ live, backup, index, isParent }) => {
        if (isParent) return void this.counts.unchanged++;
        this.counts.updates++;
        this.touch(chunk, index);
        (this.collides(live, backup) ? this.moved : this.updated).add(live, backup);
      },
      extra: (live) => {
        this.counts.deletes++;
        this.touch(chunk, null);
        this.deleted.add(live);
      },
    };
  }

  /** Parents are inserted where missing, never changed, never deleted. */
  private parentSink(chunk: { index: number; rowCount: number }): DifferenceSink {
    return {
      equal: (rows) => {
        this.counts.unchanged += rows;
      },
      changed: () => {
        this.counts.unchanged++;
      },
      extra: () => undefined,
      missing: (backup, index) => {
        if (this.table.adaptation !== undefined) requireInsertable(this.table.adaptation);
        this.counts.inserts++;
        this.touch(chunk, index);
        this.inserted.add(backup);
      },
      settle: async () => {
        for (const spool of this.spools()) await spool.settle();
      },
    };
  }

  private touch(chunk: { index: number; rowCount: number }, row: number | null): void {
    let bits = this.touched.get(chunk.index);
    if (bits === undefined) this.touched.set(chunk.index, (bits = new Uint8Array((chunk.rowCount + 7) >> 3)));
    if (row !== null) bits[row >> 3] = (bits[row >> 3] as number) | (1 << (row & 7));
  }

  private spools(): RowSpool[] {
    return [this.deleted, this.updated, this.moved, this.inserted];
  }
}

export function isTouched(bits: Uint8Array, row: number): boolean {
  return ((bits[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
}
