/**
 * The payload of a base row chunk (FORMAT.md): byte 0x01, uvarint row count, one uvarint length per row, the rows back to
 * back. Building copies each row once; decoding copies nothing.
 */
import { rowStart, type RowBatch } from '../../domain/rows';
import { uvarintLength, writeUvarint } from '../../domain/uvarint';
import type { BufferPool } from './buffer-pool';
import { malformed, readUvarint } from './uvarint';

export const BASE_ROW_CHUNK = 0x01;

/** Collects rows by reference into the buffers they arrived in, and copies them when a payload or batch is asked for. */
export class RowCollector {
  rowCount = 0;
  rawBytes = 0;
  private headerBytes = 0;
  private lengths = new Uint32Array(1024);
  private buffers: Buffer[] = [];
  private starts: number[] = [];
  private stops: number[] = [];

  /** With a pool payloads come out of it, and whoever takes one gives it back. */
  constructor(private readonly pool?: BufferPool) {}

  add(bytes: Buffer, start: number, end: number): void {
    if (this.rowCount === this.lengths.length) this.growLengths();
    this.lengths[this.rowCount++] = end - start;
    this.rawBytes += end - start;
    this.headerBytes += uvarintLength(end - start);
    const last = this.buffers.length - 1;
    if (last >= 0 && this.buffers[last] === bytes && this.stops[last] === start) {
      this.stops[last] = end;
      return;
    }
    this.buffers.push(bytes);
    this.starts.push(start);
    this.stops.push(end);
  }

  addBatch({ bytes, ends }: RowBatch): void {
    let start = 0;
    for (const end of ends) {
      this.add(bytes, start, end);
      start = end;
    }
  }

  /** The rows as a chunk payload; empties the collector. */
  takePayload(): Buffer {
    const size = 1 + uvarintLength(this.rowCount) + this.headerBytes + this.rawBytes;
    const payload = this.pool?.take(size) ?? Buffer.allocUnsafe(size);
    payload[0] = BASE_ROW_CHUNK;
    let at = writeUvarint(payload, 1, this.rowCount);
    for (let i = 0; i < this.rowCount; i++) at = writeUvarint(payload, at, this.lengths[i] as number);
    this.copyRows(payload, at);
    this.clear();
    return payload;
  }

  /** The rows as a batch of their own; empties the collector. */
  takeBatch(): RowBatch {
    const bytes = Buffer.allocUnsafe(this.rawBytes);
    this.copyRows(bytes, 0);
    const ends = new Uint32Array(this.rowCount);
    let end = 0;
    for (let i = 0; i < this.rowCount; i++) ends[i] = end += this.lengths[i] as number;
    this.clear();
    return { bytes, ends };
  }

  clear(): void {
    this.rowCount = this.rawBytes = this.headerBytes = 0;
    this.buffers = [];
    this.starts = [];
    this.stops = [];
  }

  private copyRows(target: Buffer, offset: number): void {
    for (let i = 0; i < this.buffers.length; i++) {
      offset += (this.buffers[i] as Buffer).copy(target, offset, this.starts[i], this.stops[i]);
    }
  }

  private growLengths(): void {
    const grown = new Uint32Array(2 * this.lengths.length);
    grown.set(this.lengths);
    this.lengths = grown;
  }
}

/** Batches whose rows a collector refers to: each is released once none of its rows is collected any more. */
export class HeldBatches {
  private held: RowBatch[] = [];

  /** Call after the batch's rows were added; `collected` says how many rows the collector holds now. */
  add(batch: RowBatch, collected: number): void {
    if (collected <= batch.ends.length) {
      for (const earlier of this.held) earlier.release?.();
      this.held = [];
    }
    if (collected === 0) batch.release?.();
    else this.held.push(batch);
  }

  releaseAll(): void {
    for (const batch of this.held) batch.release?.();
    this.held = [];
  }
}

export function encodeRowChunk(batch: RowBatch): Buffer {
  const rows = new RowCollector();
  rows.addBatch(batch);
  return rows.takePayload();
}

/** The rows of a payload, sharing its memory. Throws INTEGRITY_FAILURE when it is no base row chunk. */
export function decodeRowChunk(payload: Buffer): RowBatch {
  if (payload[0] !== BASE_ROW_CHUNK) throw malformed(`its first byte is ${String(payload[0])}`);
  const cursor = { at: 1 };
  const rowCount = readUvarint(payload, cursor);
  if (rowCount > payload.length) throw malformed('it claims more rows than it has bytes');
  const ends = new Uint32Array(rowCount);
  let end = 0;
  for (let i = 0; i < rowCount; i++) ends[i] = end += readUvarint(payload, cursor);
  if (cursor.at + end !== payload.length) throw malformed('its row lengths do not add up to its size');
  return { bytes: payload.subarray(cursor.at), ends };
}

export function batchOfOne(row: Buffer): RowBatch {
  return { bytes: row, ends: Uint32Array.of(row.length) };
}

/** The rows of all batches, in their order. */
export function joinBatches(batches: readonly RowBatch[]): RowBatch {
  if (batches.length <= 1) return batches[0] ?? NO_ROWS;
  const rows = new RowCollector();
  for (const batch of batches) rows.addBatch(batch);
  return rows.takeBatch();
}

export const NO_ROWS: RowBatch = { bytes: Buffer.alloc(0), ends: new Uint32Array(0) };

/** The same rows in an order that does not depend on where they came from: that of their bytes. */
export function sortedRows(batch: RowBatch): RowBatch {
  const { bytes, ends } = batch;
  const order = Array.from(ends, (_, row) => row);
  order.sort((a, b) => bytes.compare(bytes, rowStart(batch, b), ends[b], rowStart(batch, a), ends[a]));
  const rows = new RowCollector();
  for (const row of order) rows.add(bytes, rowStart(batch, row), ends[row] as number);
  return rows.takeBatch();
}
