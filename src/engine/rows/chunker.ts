/**
 * Cuts a stream of encoded rows into chunks whose boundaries a hash of the key decides (FORMAT.md, chunk boundaries), so that
 * an inserted or deleted row moves at most the boundaries next to it. Every row comes out exactly once, in order.
 */
import { AppError } from '../../domain/errors';
import type { KeyBytes, RowBatch, RowCodec } from '../../domain/rows';
import type { BufferPool } from './buffer-pool';
import { KeyReader } from './key-bytes';
import { HeldBatches, RowCollector } from './row-chunk';

export const MIN_CHUNK_BYTES = 128 * 1024;
export const TARGET_CHUNK_BYTES = 512 * 1024;
export const MAX_CHUNK_BYTES = 2 * 1024 * 1024;
export const MAX_ROW_BYTES = 64 * 1024 * 1024;

/** A row of n bytes starts a chunk with probability n / (target - min): chunks then average the target size. */
const HASH_PER_ROW_BYTE = 2 ** 32 / (TARGET_CHUNK_BYTES - MIN_CHUNK_BYTES);

export interface ChunkDraft {
  payload: Buffer;
  rowCount: number;
  rawBytes: number;
  firstKey: KeyBytes;
  lastKey: KeyBytes;
}

export interface ChunkerOptions {
  codec: RowCodec;
  keyColumns: readonly number[];
  /** `BackupStore.chunkSeed` */
  seed: number;
  /** For error messages. */
  table: string;
  /** Where payloads come from; whoever gets a draft gives its payload back. Absent: each is a buffer of its own. */
  pool?: BufferPool;
}

export class Chunker {
  private readonly rows: RowCollector;
  private readonly held = new HeldBatches();
  private readonly key: KeyReader;
  private readonly seed: number;
  private firstKey: KeyBytes = Buffer.alloc(0);
  private lastRowBuffer: Buffer = this.firstKey;
  private lastRowStart = 0;

  constructor(private readonly options: ChunkerOptions) {
    this.key = new KeyReader(options.codec, options.keyColumns);
    this.seed = options.seed;
    this.rows = new RowCollector(options.pool);
  }

  /** Takes the next rows and gives the chunks they completed. Releases the batch once its rows are in chunks. */
  push(batch: RowBatch): ChunkDraft[] {
    const { bytes, ends } = batch;
    const drafts: ChunkDraft[] = [];
    let start = 0;
    for (let i = 0; i < ends.length; i++) {
      const end = ends[i] as number;
      if (this.startsChunk(bytes, start, end - start)) drafts.push(this.cut());
      if (this.rows.rowCount === 0) this.firstKey = this.keyAt(bytes, start);
      this.rows.add(bytes, start, end);
      this.lastRowBuffer = bytes;
      this.lastRowStart = start;
      start = end;
    }
    this.held.add(batch, this.rows.rowCount);
    return drafts;
  }

  /** Whether no row waits for the next boundary. */
  get isEmpty(): boolean {
    return this.rows.rowCount === 0;
  }

  /** Whether the batch's first row would start a chunk. */
  cutsBefore({ bytes, ends }: RowBatch): boolean {
    return this.isEmpty || this.startsChunk(bytes, 0, ends[0] as number);
  }

  /** The rows since the last boundary; null when there are none. */
  flush(): ChunkDraft | null {
    if (this.rows.rowCount === 0) return null;
    const last = this.cut();
    this.held.releaseAll();
    return last;
  }

  private startsChunk(bytes: Buffer, start: number, size: number): boolean {
    if (size > MAX_ROW_BYTES) throw this.rowTooLarge(bytes, start, size);
    const filled = this.rows.rawBytes;
    if (filled === 0) return false;
    if (filled + size > MAX_CHUNK_BYTES) return true;
    if (filled < MIN_CHUNK_BYTES) return false;
    this.key.read(bytes, start);
    return this.key.hash(this.seed) < size * HASH_PER_ROW_BYTE;
  }

  private cut(): ChunkDraft {
    const { rowCount, rawBytes } = this.rows;
    const lastKey = this.keyAt(this.lastRowBuffer, this.lastRowStart);
    return { payload: this.rows.takePayload(), rowCount, rawBytes, firstKey: this.firstKey, lastKey };
  }

  private keyAt(bytes: Buffer, start: number): KeyBytes {
    this.key.read(bytes, start);
    return this.key.copy();
  }

  private rowTooLarge(bytes: Buffer, start: number, size: number): AppError {
    const mib = (size / 2 ** 20).toFixed(1);
    return new AppError(
      'INVALID_INPUT',
      `The row of table ${this.options.table} with key (${this.keyText(bytes, start)}) has ${mib} MiB; the largest is 64 MiB.`,
      { hint: 'Shorten the row, or leave the table out of the source mapping.' },
    );
  }

  private keyText(bytes: Buffer, start: number): string {
    const { codec, keyColumns } = this.options;
    const columnCount = Math.max(...keyColumns) + 1;
    const fields = new Int32Array(3 * columnCount);
    codec.locate(bytes, start, columnCount, fields);
    const text = (column: number): string | null =>
      codec.valueText(bytes, fields[3 * column] as number, fields[3 * column + 2] as number);
    return keyColumns.map(text).join(', ');
  }
}
