/**
 * Compares the rows a backup holds of one key range with the live rows the server finds in that same range: a hash join by key
 * bytes, so that no collation has to be understood here. Holds one chunk of the backup; live rows only pass by.
 */
import type { RowBatch, RowCodec } from '../../domain/rows';
import { rowStart } from '../../domain/rows';
import { KeyReader } from './key-bytes';

/** Receives the differences; rows are given by reference and stay valid until the next `settle` resolved. */
export interface DifferenceSink {
  equal(rows: number): void;
  /** Live and backup hold the row, with different bytes. `index` is the row's within the backup's batch. */
  changed(change: { live: RowSlice; backup: RowSlice; index: number }): void;
  /** Only live holds the row. */
  extra(live: RowSlice): void;
  /** Only the backup holds the row. */
  missing(backup: RowSlice, index: number): void;
  settle(): Promise<void>;
}

export interface RowSlice {
  bytes: Buffer;
  start: number;
  end: number;
}

export interface Comparison {
  codec: RowCodec;
  keyColumns: readonly number[];
  backup: RowBatch;
  live: AsyncIterable<RowBatch>;
  sink: DifferenceSink;
}

export async function compareRows({ codec, keyColumns, backup, live, sink }: Comparison): Promise<void> {
  const join = new ChunkJoin(backup, codec, keyColumns);
  for await (const batch of live) {
    join.matchBatch(batch, sink);
    await sink.settle();
    batch.release?.();
  }
  join.reportMissing(sink);
  await sink.settle();
}

class ChunkJoin {
  private readonly seen: Uint8Array;
  /** Where the next live row is expected: the one after the last match, since both sides are nearly the same sequence. */
  private expected = 0;
  private index: KeyIndex | null = null;
  private readonly liveKey: KeyReader;

  constructor(
    private readonly backup: RowBatch,
    private readonly codec: RowCodec,
    private readonly keyColumns: readonly number[],
  ) {
    this.seen = new Uint8Array(backup.ends.length);
    this.liveKey = new KeyReader(codec, keyColumns);
  }

  matchBatch({ bytes, ends }: RowBatch, sink: DifferenceSink): void {
    let start = 0;
    let equal = 0;
    for (let i = 0; i < ends.length; i++) {
      const end = ends[i] as number;
      if (this.matchesExpected(bytes, start, end)) equal++;
      else equal += this.matchByKey({ bytes, start, end }, sink);
      start = end;
    }
    if (equal > 0) sink.equal(equal);
  }

  reportMissing(sink: DifferenceSink): void {
    for (let i = 0; i < this.seen.length; i++) if (this.seen[i] === 0) sink.missing(this.slice(i), i);
  }

  /** Equal bytes of whole rows mean equal keys: the common case needs no look at fields. */
  private matchesExpected(bytes: Buffer, start: number, end: number): boolean {
    const row = this.expected;
    if (row >= this.seen.length || this.seen[row] === 1) return false;
    const backupEnd = this.backup.ends[row] as number;
    const backupStart = rowStart(this.backup, row);
    if (backupEnd - backupStart !== end - start) return false;
    if (this.backup.bytes.compare(bytes, start, end, backupStart, backupEnd) !== 0) return false;
    this.take(row);
    return true;
  }

  /** Number of equal rows found: 0 or 1. */
  private matchByKey(live: RowSlice, sink: DifferenceSink): number {
    this.liveKey.read(live.bytes, live.start);
    this.index ??= new KeyIndex(this.backup, new KeyReader(this.codec, this.keyColumns));
    const row = this.index.find(this.liveKey);
    if (row === -1) {
      sink.extra(live);
      return 0;
    }
    this.take(row);
    const backup = this.slice(row);
    if (backup.bytes.compare(live.bytes, live.start, live.end, backup.start, backup.end) === 0) return 1;
    sink.changed({ live, backup, index: row });
    return 0;
  }

  private take(row: number): void {
    this.seen[row] = 1;
    this.expected = row + 1;
  }

  private slice(row: number): RowSlice {
    return { bytes: this.backup.bytes, start: rowStart(this.backup, row), end: this.backup.ends[row] as number };
  }
}

/** Rows of one batch by key bytes: open addressing in one typed array. */
class KeyIndex {
  private readonly slots: Int32Array;

  constructor(
    private readonly batch: RowBatch,
    private readonly key: KeyReader,
  ) {
    const rows = batch.ends.length;
    this.slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * rows + 2)));
    for (let row = 0; row < rows; row++) {
      key.read(batch.bytes, rowStart(batch, row));
      let slot = this.slotOf(key);
      while (this.slots[slot] !== 0) slot = this.after(slot);
      this.slots[slot] = row + 1;
    }
  }

  find(wanted: KeyReader): number {
    for (let slot = this.slotOf(wanted); this.slots[slot] !== 0; slot = this.after(slot)) {
      const row = (this.slots[slot] as number) - 1;
      this.key.read(this.batch.bytes, rowStart(this.batch, row));
      if (this.key.equals(wanted)) return row;
    }
    return -1;
  }

  private slotOf(key: KeyReader): number {
    return key.hash(0) & (this.slots.length - 1);
  }

  private after(slot: number): number {
    return (slot + 1) & (this.slots.length - 1);
  }
}
