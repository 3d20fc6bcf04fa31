/**
 * What has to change for a live table to be as the backup has it, gathered row by row and spooled to disk: which rows to delete,
 * insert, update, and which updates must move aside because they could collide on a unique key.
 */
import type { Random } from '../../domain/ambient';
import type { RowCodec } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';
import type { ScopedTable } from '../reading/scoped-table';
import type { DifferenceSink, RowSlice } from '../rows/compare-rows';
import { FieldReader } from '../rows/row-filter';
import { RowSpool } from '../rows/spool';

export interface DifferenceCounts {
  inserts: number;
  updates: number;
  deletes: number;
  unchanged: number;
}

export class TableDifferences {
  readonly counts: DifferenceCounts = { inserts: 0, updates: 0, deletes: 0, unchanged: 0 };
  /** Rows to delete. */
  readonly deletes: RowSpool;
  /** Alternating old and new images. */
  readonly updates: RowSpool;
  /** The same, of updates that are done as a delete now and an insert at the end. */
  readonly moves: RowSpool;
  readonly inserts: RowSpool;
  /** Per chunk with differences: which of the backup's rows in it are to be written, one bit each. */
  readonly touched = new Map<number, Uint8Array>();
  private readonly collides: (live: RowSlice, backup: RowSlice) => boolean;

  constructor(
    readonly table: ScopedTable,
    options: { codec: RowCodec; tempDir: string; random: Random; moveUpdates: boolean },
  ) {
    const spool = (): RowSpool => new RowSpool(options.tempDir, options.random);
    this.deletes = spool();
    this.updates = spool();
    this.moves = spool();
    this.inserts = spool();
    this.collides = options.moveUpdates ? () => true : collisionTest(table.manifest.structure, options.codec);
  }

  /** Takes the differences of one chunk of the backup. */
  sink(chunk: { index: number; rowCount: number }): DifferenceSink {
    return this.table.role === 'PARENT' ? this.parentSink(chunk) : this.wholeSink(chunk);
  }

  async close(): Promise<void> {
    for (const spool of this.spools()) await spool.close();
  }

  private wholeSink(chunk: { index: number; rowCount: number }): DifferenceSink {
    return {
      ...this.parentSink(chunk),
      changed: ({ live, backup, index }) => {
        this.counts.updates++;
        this.touch(chunk, index);
        (this.collides(live, backup) ? this.moves : this.updates).add(live, backup);
      },
      extra: (live) => {
        this.counts.deletes++;
        this.touch(chunk, null);
        this.deletes.add(live);
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
        this.counts.inserts++;
        this.touch(chunk, index);
        this.inserts.add(backup);
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
    return [this.deletes, this.updates, this.moves, this.inserts];
  }
}

export function isTouched(bits: Uint8Array, row: number): boolean {
  return ((bits[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
}

/**
 * Says which updates could meet another row on a unique key midway, e.g. two rows that swap a value: those that change a column
 * of one. A unique key over generated columns or expressions can change with any column.
 */
function collisionTest(structure: TableStructure, codec: RowCodec): (live: RowSlice, backup: RowSlice) => boolean {
  const unique = structure.indexes.filter((index) => index.unique);
  const names = [...new Set(unique.flatMap((index) => index.columns))];
  if (names.length === 0) return () => false;
  const columns = names.map((name) => structure.columns.findIndex((column) => column.name === name));
  if (columns.includes(-1)) return () => true;
  const before = new FieldReader(codec, structure);
  const after = new FieldReader(codec, structure);
  return (live, backup) => {
    before.locate(live.bytes, live.start);
    after.locate(backup.bytes, backup.start);
    return columns.some((column) => !before.sameField(after, column));
  };
}
