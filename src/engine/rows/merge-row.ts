/**
 * What becomes of a live row whose key was damaged, field by field in encoded bytes: damaged fields go back to what they were, fields that
 * were edited later stay, and those that were both are in conflict. Pure; knows nothing of where rows come from or go.
 */
import type { RowCodec } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';
import type { ConflictPolicy } from '../../domain/three-way';
import type { RowSlice } from './compare-rows';
import { FieldReader } from './row-filter';

/** Rows of one key; null where there is none. The first two differ. */
export interface RowImages {
  undamaged: RowSlice | null;
  damaged: RowSlice | null;
  live: RowSlice | null;
}

export interface MergedRow {
  /** What the live row is to be; the very slice that was given where it stays as it is, null for no row. */
  row: RowSlice | null;
  /** Positions of the columns in conflict. */
  conflicts: number[];
  /** Whether anything stays that was done after the damage. */
  keepsEdit: boolean;
}

type Outcome = Pick<MergedRow, 'row' | 'conflicts'>;

/** Of rows of one table. */
export class RowMerger {
  private readonly undamaged: FieldReader;
  private readonly damaged: FieldReader;
  private readonly live: FieldReader;
  private readonly columns: readonly number[];
  /** Columns that somebody can have edited: not those that the server sets by itself with each update. */
  private readonly editable: readonly number[];

  constructor(
    codec: RowCodec,
    structure: TableStructure,
    private readonly policy: ConflictPolicy,
  ) {
    const reader = (): FieldReader => new FieldReader(codec, structure);
    [this.undamaged, this.damaged, this.live] = [reader(), reader(), reader()];
    this.columns = [...structure.columns.keys()];
    this.editable = this.columns.filter((column) => structure.columns[column]?.selfUpdating !== true);
  }

  merge(images: RowImages): MergedRow {
    const { row, conflicts } = this.outcome(images);
    const { undamaged, damaged, live } = images;
    return { row, conflicts, keepsEdit: !sameRow(live, damaged) && !sameRow(row, undamaged) };
  }

  private outcome({ undamaged, damaged, live }: RowImages): Outcome {
    this.locate({ undamaged, damaged, live });
    if (undamaged !== null && damaged !== null) {
      return live === null ? this.deletedLater(undamaged) : this.mergeFields(undamaged, live);
    }
    if (live === null) return { row: undamaged, conflicts: [] };
    return undamaged === null ? this.removeAdded(live) : this.bringBack(undamaged, live);
  }

  private locate({ undamaged, damaged, live }: RowImages): void {
    if (undamaged) this.undamaged.locate(undamaged.bytes, undamaged.start);
    if (damaged) this.damaged.locate(damaged.bytes, damaged.start);
    if (live) this.live.locate(live.bytes, live.start);
  }

  private deletedLater(undamaged: RowSlice): Outcome {
    const conflicts = this.editable.filter((column) => !this.undamaged.sameField(this.damaged, column));
    return { row: conflicts.length > 0 && this.takesBackup ? undamaged : null, conflicts };
  }

  private mergeFields(undamaged: RowSlice, live: RowSlice): Outcome {
    const conflicts = this.editable.filter((column) => this.isInConflict(column));
    const isBack = (column: number): boolean =>
      this.live.sameField(this.damaged, column) || (this.takesBackup && conflicts.includes(column));
    const fields = this.columns.map((column) => (isBack(column) ? this.undamaged : this.live).field(column));
    return { row: sameOf(Buffer.concat(fields), [live, undamaged]), conflicts };
  }

  private isInConflict(column: number): boolean {
    const { undamaged, damaged, live } = this;
    if (undamaged.sameField(damaged, column)) return false;
    return !live.sameField(damaged, column) && !live.sameField(undamaged, column);
  }

  /** The damage deleted it, and somebody made it anew. */
  private bringBack(undamaged: RowSlice, live: RowSlice): Outcome {
    const conflicts = this.editable.filter((column) => !this.live.sameField(this.undamaged, column));
    return { row: conflicts.length > 0 && this.takesBackup ? undamaged : live, conflicts };
  }

  /** The damage added it. */
  private removeAdded(live: RowSlice): Outcome {
    const conflicts = this.editable.filter((column) => !this.live.sameField(this.damaged, column));
    return { row: conflicts.length === 0 || this.takesBackup ? null : live, conflicts };
  }

  private get takesBackup(): boolean {
    return this.policy === 'TAKE_BACKUP';
  }
}

/** One of the slices that has these bytes, else a slice of them. */
function sameOf(bytes: Buffer, slices: readonly RowSlice[]): RowSlice {
  const row = { bytes, start: 0, end: bytes.length };
  return slices.find((slice) => sameRow(slice, row)) ?? row;
}

export function sameRow(a: RowSlice | null, b: RowSlice | null): boolean {
  if (a === b) return true;
  if (a === null || b === null || a.end - a.start !== b.end - b.start) return false;
  return a.bytes.compare(b.bytes, b.start, b.end, a.start, a.end) === 0;
}
