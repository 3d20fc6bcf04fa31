/**
 * The rows of one base chunk's key range with the changes of later layers applied: a hash join by key bytes, so nothing has to be
 * known of the source's order. Replaced rows keep their place; new ones come last, so the result is not in key order.
 */
import type { RowBatch, RowCodec } from '../../domain/rows';
import { rowStart } from '../../domain/rows';
import type { RangeDelta } from './delta-chunk';
import { KeyReader } from './key-bytes';
import { RowCollector } from './row-chunk';

export interface RowIdentity {
  codec: RowCodec;
  keyColumns: readonly number[];
}

interface Upsert {
  bytes: Buffer;
  start: number;
  end: number;
}

/** `deltas` bottom up. Memory: the range's rows and changes. */
export function mergeRows(base: RowBatch, deltas: readonly RangeDelta[], { codec, keyColumns }: RowIdentity): RowBatch {
  const key = new KeyReader(codec, keyColumns);
  const changes = collectChanges(deltas, key);
  const merged = new RowCollector();
  let start = 0;
  for (const end of base.ends) {
    key.read(base.bytes, start);
    const name = textOf(key);
    const change = changes.get(name);
    if (change === undefined) merged.add(base.bytes, start, end);
    else if (change !== null) merged.add(change.bytes, change.start, change.end);
    changes.delete(name);
    start = end;
  }
  for (const change of changes.values()) if (change !== null) merged.add(change.bytes, change.start, change.end);
  return merged.takeBatch();
}

/** The last word on each changed key: its row, or null where it went. */
function collectChanges(deltas: readonly RangeDelta[], key: KeyReader): Map<string, Upsert | null> {
  const changes = new Map<string, Upsert | null>();
  for (const { tombstones, upserts } of deltas) {
    for (let i = 0; i < tombstones.ends.length; i++) {
      changes.set(tombstones.bytes.toString('latin1', rowStart(tombstones, i), tombstones.ends[i]), null);
    }
    for (let i = 0; i < upserts.ends.length; i++) {
      const [start, end] = [rowStart(upserts, i), upserts.ends[i] as number];
      key.read(upserts.bytes, start);
      changes.set(textOf(key), { bytes: upserts.bytes, start, end });
    }
  }
  return changes;
}

function textOf({ bytes, start, end }: KeyReader): string {
  return bytes.toString('latin1', start, end);
}
