/**
 * Rows on their way from comparing to writing, or what else would make memory grow with the data, kept on disk. The files are
 * encrypted with a key that only this process holds, and unlinked as soon as they are open where the system allows it: nothing
 * readable outlives the work, however it ends.
 */
import { createCipheriv, createDecipheriv, type Cipher } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '../../domain/ambient';
import { AppError } from '../../domain/errors';
import type { RowBatch } from '../../domain/rows';
import type { RowSlice } from './compare-rows';
import { RowCollector } from './row-chunk';

const FRAME_BYTES = 256 * 1024;
const FRAME_ROWS = 8192;
const HEADER_BYTES = 8;

export class RowSpool {
  rowCount = 0;
  private readonly key: Buffer;
  private readonly iv: Buffer;
  private readonly path: string;
  private gathered = Buffer.alloc(0);
  private gatheredBytes = 0;
  private gatheredEnds: number[] = [];
  /** Full frames that await `settle`. */
  private full: Buffer[] = [];
  private file: FileHandle | null = null;
  private cipher: Cipher | null = null;
  private size = 0;
  private writing: Promise<void> = Promise.resolve();

  constructor(folder: string, random: Random) {
    this.path = join(folder, `riskvault-${random.uuid()}.spool`);
    this.key = random.bytes(32);
    this.iv = random.bytes(16);
  }

  /** Copies rows in; those of one call stay together in one batch. */
  add(...rows: RowSlice[]): void {
    const bytes = rows.reduce((sum, { start, end }) => sum + end - start, 0);
    if (this.gatheredBytes + bytes > this.gathered.length || this.gatheredEnds.length >= FRAME_ROWS) {
      this.closeFrame();
      this.gathered = Buffer.allocUnsafe(Math.max(FRAME_BYTES, bytes));
    }
    for (const row of rows) {
      this.gatheredBytes += row.bytes.copy(this.gathered, this.gatheredBytes, row.start, row.end);
      this.gatheredEnds.push(this.gatheredBytes);
    }
    this.rowCount += rows.length;
  }

  /** Writes full frames out; called between batches, for backpressure. */
  async settle(): Promise<void> {
    const frames = this.full;
    this.full = [];
    for (const frame of frames) this.writing = this.writing.then(() => this.write(frame));
    await this.writing;
  }

  /** The rows in the order they were added; may be read again. Nothing may be added any more. */
  async *batches(): AsyncGenerator<RowBatch> {
    this.closeFrame();
    await this.settle();
    if (this.file === null) return;
    const decipher = createDecipheriv('aes-256-ctr', this.key, this.iv);
    for (let at = 0; at < this.size;) {
      const header = decipher.update(await readFully(this.file, at, HEADER_BYTES));
      const ends = 4 * header.readUInt32LE(0);
      const body = decipher.update(await readFully(this.file, at + HEADER_BYTES, ends + header.readUInt32LE(4)));
      yield { ends: readEnds(body, ends / 4), bytes: body.subarray(ends) };
      at += HEADER_BYTES + body.length;
    }
  }

  async close(): Promise<void> {
    await this.writing.catch(() => undefined); // whoever awaited the write has seen its error
    await this.file?.close();
    this.file = null;
    await rm(this.path, { force: true });
  }

  private closeFrame(): void {
    if (this.gatheredEnds.length > 0) this.full.push(encodeFrame(this.gathered, this.gatheredBytes, this.gatheredEnds));
    this.gatheredBytes = 0;
    this.gatheredEnds = [];
  }

  private async write(frame: Buffer): Promise<void> {
    try {
      this.file ??= await this.create();
      this.cipher ??= createCipheriv('aes-256-ctr', this.key, this.iv);
      const sealed = this.cipher.update(frame);
      for (let done = 0; done < sealed.length;) {
        const { bytesWritten } = await this.file.write(sealed, done, sealed.length - done, this.size + done);
        done += bytesWritten;
      }
      this.size += sealed.length;
    } catch (cause) {
      throw new AppError('INTERNAL', `Data could not be spooled to ${this.path}.`, {
        cause,
        hint: 'Make room in the folder for temporary files, or point TMPDIR at a larger one.',
      });
    }
  }

  private async create(): Promise<FileHandle> {
    const file = await open(this.path, 'wx+', 0o600);
    // Windows refuses to unlink an open file; there `close` removes it.
    await rm(this.path, { force: true }).catch(() => undefined);
    return file;
  }
}

/** Row n of the one becomes row n of the other. */
export interface RowPairs {
  oldRows: RowBatch;
  newRows: RowBatch;
}

/** Splits a batch of alternating rows (old, new, old, new, ...) in two. */
export function splitPairs(batch: RowBatch): RowPairs {
  const [oldRows, newRows] = splitRows(batch, 2) as [RowBatch, RowBatch];
  return { oldRows, newRows };
}

/** Deals the rows of a batch out to so many, in turn. */
export function splitRows(batch: RowBatch, count: number): RowBatch[] {
  const sides = Array.from({ length: count }, () => new RowCollector());
  let start = 0;
  batch.ends.forEach((end, i) => {
    (sides[i % count] as RowCollector).add(batch.bytes, start, end);
    start = end;
  });
  return sides.map((side) => side.takeBatch());
}

/** Of a spool whose rows were added in pairs: the old one, the new one. */
export async function* pairsOf(spool: RowSpool): AsyncGenerator<RowPairs> {
  for await (const batch of spool.batches()) yield splitPairs(batch);
}

function encodeFrame(bytes: Buffer, size: number, ends: readonly number[]): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + 4 * ends.length + size);
  frame.writeUInt32LE(ends.length, 0);
  frame.writeUInt32LE(size, 4);
  let at = HEADER_BYTES;
  for (const end of ends) at = frame.writeUInt32LE(end, at);
  bytes.copy(frame, at, 0, size);
  return frame;
}

function readEnds(body: Buffer, count: number): Uint32Array {
  const ends = new Uint32Array(count);
  for (let i = 0; i < count; i++) ends[i] = body.readUInt32LE(4 * i);
  return ends;
}

async function readFully(file: FileHandle, position: number, size: number): Promise<Buffer> {
  const target = Buffer.allocUnsafe(size);
  for (let done = 0; done < size;) {
    const { bytesRead } = await file.read(target, done, size - done, position + done);
    if (bytesRead === 0) throw new AppError('INTERNAL', 'A spool ended early.');
    done += bytesRead;
  }
  return target;
}
