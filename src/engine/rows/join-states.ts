/** Joins rows that two states of a table hold: which of them are in one state alone, and which both have with other values. */
import type { RowBatch, RowCodec } from '../../domain/rows';
import { compareRows, type DifferenceSink, type RowSlice } from './compare-rows';

export type Side = 'before' | 'after';
export const SIDES = ['before', 'after'] as const;

/** Receives what differs between two states; rows are given by reference and stay valid until the next `settle` resolved. */
export interface DiffSink {
  /** Only the first state holds the row. */
  removed(row: RowSlice): void;
  /** Only the second one does. */
  added(row: RowSlice): void;
  /** Both hold a row of this key, with other values. */
  changed(before: RowSlice, after: RowSlice): void;
  /** Called between batches of rows. */
  settle(): Promise<void>;
}

/** How rows of two states are told to be the same one, and to have changed. */
export interface RowMatching {
  codec: RowCodec;
  keyColumns: Record<Side, readonly number[]>;
  /** Whether rows of the same key have the same values. Absent: both states encode rows alike, and their bytes tell. */
  isSame?: (before: RowSlice, after: RowSlice) => boolean;
}

export interface StateJoin {
  matching: RowMatching;
  /** The rows of one state, in memory. */
  held: { side: Side; rows: RowBatch };
  /** Those of the other. */
  passing: AsyncIterable<RowBatch>;
}

/** Gives the number of rows that are the same in both. */
export async function joinStates({ matching, held, passing }: StateJoin, sink: DiffSink): Promise<number> {
  let equal = 0;
  const { codec, keyColumns, isSame } = matching;
  const holdsBefore = held.side === 'before';
  const told: DifferenceSink = {
    equal: (rows) => void (equal += rows),
    changed: ({ live, backup }) => (holdsBefore ? sink.changed(backup, live) : sink.changed(live, backup)),
    extra: (row) => (holdsBefore ? sink.added(row) : sink.removed(row)),
    missing: (row) => (holdsBefore ? sink.removed(row) : sink.added(row)),
    settle: () => sink.settle(),
  };
  const unlike = isSame && {
    liveKeyColumns: keyColumns[holdsBefore ? 'after' : 'before'],
    isSame: (live: RowSlice, backup: RowSlice) => (holdsBefore ? isSame(backup, live) : isSame(live, backup)),
  };
  const by = { codec, keyColumns: keyColumns[held.side], ...(unlike ? { unlike } : {}) };
  await compareRows({ ...by, backup: held.rows, live: passing, sink: told });
  return equal;
}
