/**
 * Raw key bytes of encoded rows: where they are, what they hash to. Identity of a row is exactly these bytes. Built for the
 * hot path: one reader per stream of rows, no allocation per row.
 */
import { rowStart, type KeyBytes, type RowBatch, type RowCodec } from '../../domain/rows';

/** Murmur3, 32 bits, of `bytes[start, end)`; unsigned. */
// eslint-disable-next-line max-params -- called once a row: an options object would be the hot path's only allocation
export function murmur3(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed | 0;
  const blocksEnd = start + ((end - start) & ~3);
  for (let at = start; at < blocksEnd; at += 4) {
    const block =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    hash ^= scramble(block);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let at = end - 1; at >= blocksEnd; at--) tail = (tail << 8) | (bytes[at] as number);
  hash ^= scramble(tail) ^ (end - start);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(block: number): number {
  const mixed = Math.imul(block, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}

/** Finds the key of one row at a time; after `read` the key is `bytes[start, end)` until the next `read`. */
export class KeyReader {
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  private readonly fields: Int32Array;
  private readonly locatedColumns: number;
  private readonly adjacent: boolean;
  private scratch = Buffer.allocUnsafe(256);

  constructor(
    private readonly codec: RowCodec,
    private readonly keyColumns: readonly number[],
  ) {
    this.locatedColumns = Math.max(...keyColumns) + 1;
    this.fields = new Int32Array(3 * this.locatedColumns);
    this.adjacent = keyColumns.every((column, i) => i === 0 || column === (keyColumns[i - 1] as number) + 1);
  }

  read(row: Buffer, rowStart: number): void {
    this.codec.locate(row, rowStart, this.locatedColumns, this.fields);
    if (!this.adjacent) return this.gather(row);
    this.bytes = row;
    this.start = this.fields[3 * (this.keyColumns[0] as number)] as number;
    this.end = this.fields[3 * (this.keyColumns[this.keyColumns.length - 1] as number) + 2] as number;
  }

  hash(seed: number): number {
    return murmur3(this.bytes, this.start, this.end, seed);
  }

  copy(): Buffer {
    return Buffer.from(this.bytes.subarray(this.start, this.end));
  }

  equals(other: KeyReader): boolean {
    return this.bytes.compare(other.bytes, other.start, other.end, this.start, this.end) === 0;
  }

  private gather(row: Buffer): void {
    let size = 0;
    for (const column of this.keyColumns) size += this.fieldSize(column);
    if (size > this.scratch.length) this.scratch = Buffer.allocUnsafe(2 * size);
    let at = 0;
    for (const column of this.keyColumns) {
      at += row.copy(this.scratch, at, this.fields[3 * column], this.fields[3 * column + 2]);
    }
    this.bytes = this.scratch;
    this.start = 0;
    this.end = size;
  }

  private fieldSize(column: number): number {
    return (this.fields[3 * column + 2] as number) - (this.fields[3 * column] as number);
  }
}

/** The keys of a batch's rows, in memory of their own. */
export function keysOf(batch: RowBatch, codec: RowCodec, keyColumns: readonly number[]): KeyBytes[] {
  const reader = new KeyReader(codec, keyColumns);
  return Array.from(batch.ends, (_, row) => {
    reader.read(batch.bytes, rowStart(batch, row));
    return reader.copy();
  });
}
