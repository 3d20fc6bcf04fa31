/**
 * Turns encoded rows into the text that LOAD DATA reads: fields ended by a tab, rows by a newline, both and the backslash
 * escaped by a backslash, NULL as \N. Bytes stay as they are otherwise; the statement says CHARACTER SET binary.
 */
import { Readable } from 'node:stream';
import type { RowBatch } from '../../domain/rows';
import { AppError } from '../../domain/errors';
import type { ColumnStructure } from '../../domain/table';
import { mysqlCodec } from './row-encoding';
import { hasErrorValue } from './sql';

const TAB = 9;
const NEWLINE = 10;
const BACKSLASH = 92;
const LETTER_N = 78;
/** A piece travels as one packet; larger ones gain nothing. */
const MAX_PIECE_BYTES = 1024 * 1024;
const PACKET_HEAD_BYTES = 64;
/** `\\N` and what ends the field. */
const NULL_TEXT_BYTES = 3;
/** Batches of plain rows are shorter; longer ones hold a huge row. */
const MAX_SCRATCH_BATCH_BYTES = 4 * 1024 * 1024;

export interface LoadCount {
  rows: number;
  /** ENUM values '' that stand for number 0: the server takes them only with one warning each. */
  errorValues: number;
}

/** How long a piece may be for a server that takes packets of `maxPacketBytes`. */
function pieceBytes(maxPacketBytes: number): number {
  return Math.min(MAX_PIECE_BYTES, maxPacketBytes - PACKET_HEAD_BYTES);
}

/** A stream of the rows as LOAD DATA text, counting on its way. One batch is held at a time. */
export function loadTextStream(options: LoadTextOptions): Readable {
  return Readable.from(pieces(options), { objectMode: true, highWaterMark: 2 });
}

export interface LoadTextOptions {
  columns: readonly ColumnStructure[];
  rows: AsyncIterable<RowBatch>;
  count: LoadCount;
  /** `Session.maxPacketBytes` */
  maxPacketBytes: number;
  /** `Session.drained`: the driver writes all it is given, however slowly the server takes it. */
  ready: () => Promise<void>;
}

async function* pieces({ columns, rows, count, maxPacketBytes, ready }: LoadTextOptions): AsyncGenerator<Buffer> {
  const size = pieceBytes(maxPacketBytes);
  const enums = columns.flatMap((column, i) => (hasErrorValue(column) ? [i] : []));
  const options: TextOptions = { columnCount: columns.length, enums, count, scratch: Buffer.alloc(0) };
  for await (const batch of rows) {
    const text = batchText(options, batch);
    for (let at = 0; at < text.length; at += size) {
      await ready();
      yield text.subarray(at, at + size);
    }
  }
}

interface TextOptions {
  columnCount: number;
  /** Positions of ENUM columns whose '' is counted. */
  enums: readonly number[];
  count: LoadCount;
  /** Holds one batch's text at its longest, and is used for the next batch again. */
  scratch: Buffer;
}

function batchText(options: TextOptions, batch: RowBatch): Buffer {
  const { bytes, ends } = batch;
  // A buffer that fits costs a pass of its own; one for the longest text would be kept, and be three times a huge row.
  if (bytes.length > MAX_SCRATCH_BATCH_BYTES) {
    const text = Buffer.allocUnsafeSlow(textBytes(options, batch));
    return text.subarray(0, writeRows(options, batch, text));
  }
  // Each byte may need a backslash, and each NULL, one byte long, becomes three.
  const longest = bytes.length * 3 + ends.length;
  if (options.scratch.length < longest) options.scratch = Buffer.allocUnsafeSlow(longest);
  const used = writeRows(options, batch, options.scratch);
  return Buffer.from(options.scratch.subarray(0, used));
}

function writeRows({ columnCount, enums, count }: TextOptions, { bytes, ends }: RowBatch, out: Buffer): number {
  const fields = new Int32Array(columnCount * 3);
  let used = 0;
  let start = 0;
  for (const end of ends) {
    if (mysqlCodec.locate(bytes, start, columnCount, fields) !== end) throw unevenRow();
    used = writeRow(bytes, fields, out, used);
    for (const i of enums) if (fields[3 * i + 1] === fields[3 * i + 2]) count.errorValues += 1;
    start = end;
  }
  count.rows += ends.length;
  return used;
}

/** How long the batch's text is at most: the escapes of whole rows are counted, prefixes of their lengths included. */
function textBytes({ columnCount }: TextOptions, { bytes, ends }: RowBatch): number {
  let escapes = 0;
  for (const byte of bytes) if (byte === TAB || byte === NEWLINE || byte === BACKSLASH) escapes += 1;
  return bytes.length + escapes + ends.length * columnCount * NULL_TEXT_BYTES;
}

function unevenRow(): AppError {
  return new AppError('INTEGRITY_FAILURE', 'A row holds more or fewer fields than its table has columns.');
}

// eslint-disable-next-line max-params -- the hot path: an object per row would cost more than its work
function writeRow(bytes: Buffer, fields: Int32Array, out: Buffer, at: number): number {
  let used = at;
  for (let slot = 0; slot < fields.length; slot += 3) {
    const valueStart = fields[slot + 1] as number;
    if (valueStart < 0) {
      out[used++] = BACKSLASH;
      out[used++] = LETTER_N;
    } else {
      const end = fields[slot + 2] as number;
      for (let i = valueStart; i < end; i++) {
        const byte = bytes[i] as number;
        if (byte === TAB || byte === NEWLINE || byte === BACKSLASH) out[used++] = BACKSLASH;
        out[used++] = byte;
      }
    }
    out[used++] = TAB;
  }
  out[used - 1] = NEWLINE;
  return used;
}
