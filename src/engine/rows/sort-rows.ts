/** Rows brought into the order in which the source reads them, where bytes alone tell it. */
import type { KeyRange, RowBatch, RowCodec, SortKey } from '../../domain/rows';
import { rowStart } from '../../domain/rows';
import { KeyReader } from './key-bytes';
import { RowCollector } from './row-chunk';

export interface KeySorting {
  codec: RowCodec;
  keyColumns: readonly number[];
  sortKey: SortKey;
}

/**
 * Null where the place of a key is not known, or what is known of the source's order, the range that it assigned to these rows, says
 * otherwise.
 */
export function sortRows(batch: RowBatch, range: KeyRange, sorting: KeySorting): RowBatch | null {
  const keys = sortKeysOf(batch, sorting);
  if (keys === null) return null;
  const order = Array.from(keys, (_, row) => row);
  order.sort((a, b) => Buffer.compare(keys[a] as Buffer, keys[b] as Buffer));
  if (!isWithin(range, order.map((row) => keys[row] as Buffer), sorting.sortKey)) return null; // prettier-ignore
  const rows = new RowCollector();
  for (const row of order) rows.add(batch.bytes, rowStart(batch, row), batch.ends[row] as number);
  return rows.takeBatch();
}

/** Whether rows that the source gave in its own order ascend in ours. */
export function isSorted(batch: RowBatch, sorting: KeySorting): boolean {
  const keys = sortKeysOf(batch, sorting);
  return keys !== null && isAscending(keys);
}

function sortKeysOf(batch: RowBatch, { codec, keyColumns, sortKey }: KeySorting): Buffer[] | null {
  const key = new KeyReader(codec, keyColumns);
  const keys: Buffer[] = [];
  for (let row = 0; row < batch.ends.length; row++) {
    key.read(batch.bytes, rowStart(batch, row));
    const sorted = sortKey(key.bytes.subarray(key.start, key.end));
    if (sorted === null) return null;
    keys.push(sorted);
  }
  return keys;
}

function isWithin({ from, to }: KeyRange, keys: readonly Buffer[], sortKey: SortKey): boolean {
  const [first, last] = [keys[0], keys[keys.length - 1]];
  if (first === undefined || last === undefined) return true;
  const [low, high] = [from && sortKey(from), to && sortKey(to)];
  const unknown = (from !== null && low === null) || (to !== null && high === null);
  if (unknown || !isAscending(keys)) return false;
  return (low === null || Buffer.compare(low, first) <= 0) && (high === null || Buffer.compare(last, high) < 0);
}

/** Two keys that sort alike are not told apart: their order is the source's business. */
function isAscending(keys: readonly Buffer[]): boolean {
  return keys.every((key, i) => i === 0 || Buffer.compare(keys[i - 1] as Buffer, key) < 0);
}
