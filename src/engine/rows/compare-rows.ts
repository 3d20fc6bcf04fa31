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
  /** Live and backup hold the row, with different bytes. `index` is the row's within the backup's batch; a parent that is there stays as it is. */
  changed(change: { live: RowSlice; backup: RowSlice; index: number; isParent?: true }): void;
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
  /** How many columns, the first ones, the backup tells of; a live row keeps its others. Absent: all. */
  knownColumns?: number;
  /** Where live rows have other columns. Absent: they are encoded as the backup's, and the same where their bytes are. */
  unlike?: UnlikeRows;
}

/** How rows of another layout are told to be the same as the backup's: keys have the same bytes in both. */
export interface UnlikeRows {
  liveKeyColumns: readonly number[];
  isSame(live: RowSlice, backup: RowSlice): boolean;
}

export async function compareRows(comparison: Comparison): Promise<void> {
  const { live, sink } = comparison;
  const join = new ChunkJoin(comparison);
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
  private readonly backup: RowBatch;
  private readonly liveKey: KeyReader;
  private readonly kept: KeptFields | null;

  constructor(private readonly comparison: Omit<Comparison, 'live' | 'sink'>) {
    const { backup, codec, keyColumns, knownColumns, unlike } = comparison;
    this.backup = backup;
    this.seen = new Uint8Array(backup.ends.length);
    this.liveKey = new KeyReader(codec, unlike?.liveKeyColumns ?? keyColumns);
    this.kept = knownColumns === undefined ? null : new KeptFields(codec, knownColumns);
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
    if (this.comparison.unlike !== undefined || row >= this.seen.length || this.seen[row] === 1) return false;
    if (this.kept !== null) return this.matchesKnown(row, { bytes, start, end });
    const backupEnd = this.backup.ends[row] as number;
    const backupStart = rowStart(this.backup, row);
    if (backupEnd - backupStart !== end - start) return false;
    if (this.backup.bytes.compare(bytes, start, end, backupStart, backupEnd) !== 0) return false;
    this.take(row);
    return true;
  }

  /** Equal bytes in the columns that the backup knows, its key among them. */
  private matchesKnown(row: number, live: RowSlice): boolean {
    if (!this.kept?.agree(this.slice(row), live)) return false;
    this.take(row);
    return true;
  }

  /** Number of equal rows found: 0 or 1. */
  private matchByKey(live: RowSlice, sink: DifferenceSink): number {
    this.liveKey.read(live.bytes, live.start);
    this.index ??= this.indexed();
    const row = this.index.find(this.liveKey);
    if (row === -1) {
      sink.extra(live);
      return 0;
    }
    this.take(row);
    const backup = this.kept?.merge(this.slice(row), live) ?? this.slice(row);
    if (this.isSame(live, backup)) return 1;
    sink.changed({ live, backup, index: row });
    return 0;
  }

  private isSame(live: RowSlice, backup: RowSlice): boolean {
    const { unlike } = this.comparison;
    if (unlike !== undefined) return unlike.isSame(live, backup);
    return backup.bytes.compare(live.bytes, live.start, live.end, backup.start, backup.end) === 0;
  }

  private indexed(): KeyIndex {
    const { codec, keyColumns } = this.comparison;
    return new KeyIndex(this.backup, new KeyReader(codec, keyColumns));
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

/** Columns that the backup does not know, the last ones: what it would make of a live row has the live row's own values there. */
class KeptFields {
  private readonly places: Int32Array;

  constructor(
    private readonly codec: RowCodec,
    private readonly knownColumns: number,
  ) {
    this.places = new Int32Array(3 * knownColumns);
  }

  /** Whether nothing differs of what the backup knows. */
  agree(backup: RowSlice, live: RowSlice): boolean {
    const [known, kept] = [this.endOfKnown(backup), this.endOfKnown(live)];
    return (
      known - backup.start === kept - live.start &&
      backup.bytes.compare(live.bytes, live.start, kept, backup.start, known) === 0
    );
  }

  /** The live row itself where they agree. */
  merge(backup: RowSlice, live: RowSlice): RowSlice {
    if (this.agree(backup, live)) return live;
    const [known, kept] = [this.endOfKnown(backup), this.endOfKnown(live)];
    const bytes = Buffer.concat([backup.bytes.subarray(backup.start, known), live.bytes.subarray(kept, live.end)]);
    return { bytes, start: 0, end: bytes.length };
  }

  private endOfKnown({ bytes, start }: RowSlice): number {
    return this.codec.locate(bytes, start, this.knownColumns, this.places);
  }
}
