/**
 * The payload of a delta chunk (FORMAT.md): what changed within the key range of one base chunk. Byte 0x02, the range's bounds, the
 * keys of rows that went, the rows that came or changed.
 */
import type { KeyBytes, KeyRange, RowBatch } from '../../domain/rows';
import { rowStart } from '../../domain/rows';
import { uvarintLength, writeUvarint } from '../../domain/uvarint';
import { malformed, readUvarint } from './uvarint';

export const DELTA_CHUNK = 0x02;

const HAS_FROM = 1;
const HAS_TO = 2;

export interface RangeDelta {
  range: KeyRange;
  /** Keys, back to back as rows are in a batch. */
  tombstones: RowBatch;
  upserts: RowBatch;
}

export function encodeDeltaChunk({ range, tombstones, upserts }: RangeDelta): Buffer {
  const bounds = [range.from, range.to].filter((bound) => bound !== null);
  const lists = [tombstones, upserts];
  const size = sum(bounds, sizeOfKey) + sum(lists, sizeOfList);
  const payload = Buffer.allocUnsafe(2 + size);
  payload[0] = DELTA_CHUNK;
  payload[1] = (range.from ? HAS_FROM : 0) | (range.to ? HAS_TO : 0);
  let at = 2;
  for (const bound of bounds) {
    at = writeUvarint(payload, at, bound.length);
    at += bound.copy(payload, at);
  }
  for (const list of lists) at = writeList(payload, at, list);
  return payload;
}

/** Shares the payload's memory. Throws INTEGRITY_FAILURE when it is no delta chunk. */
export function decodeDeltaChunk(payload: Buffer): RangeDelta {
  if (payload[0] !== DELTA_CHUNK) throw malformed(`its first byte is ${String(payload[0])}`);
  const flags = payload[1] ?? 0;
  const cursor = { at: 2 };
  const from = flags & HAS_FROM ? readKey(payload, cursor) : null;
  const to = flags & HAS_TO ? readKey(payload, cursor) : null;
  const tombstones = readList(payload, cursor);
  const upserts = readList(payload, cursor);
  if (cursor.at !== payload.length) throw malformed('its lengths do not add up to its size');
  return { range: { from, to }, tombstones, upserts };
}

function sizeOfKey(key: KeyBytes): number {
  return uvarintLength(key.length) + key.length;
}

function sizeOfList({ bytes, ends }: RowBatch): number {
  let size = uvarintLength(ends.length) + bytes.length;
  let start = 0;
  for (const end of ends) {
    size += uvarintLength(end - start);
    start = end;
  }
  return size;
}

function writeList(payload: Buffer, start: number, list: RowBatch): number {
  let at = writeUvarint(payload, start, list.ends.length);
  for (let i = 0; i < list.ends.length; i++)
    at = writeUvarint(payload, at, (list.ends[i] as number) - rowStart(list, i));
  return at + list.bytes.copy(payload, at);
}

function readKey(payload: Buffer, cursor: { at: number }): KeyBytes {
  const length = readUvarint(payload, cursor);
  return take(payload, cursor, length);
}

function readList(payload: Buffer, cursor: { at: number }): RowBatch {
  const count = readUvarint(payload, cursor);
  if (count > payload.length) throw malformed('it claims more rows than it has bytes');
  const ends = new Uint32Array(count);
  let end = 0;
  for (let i = 0; i < count; i++) ends[i] = end += readUvarint(payload, cursor);
  return { bytes: take(payload, cursor, end), ends };
}

function take(payload: Buffer, cursor: { at: number }, length: number): Buffer {
  const start = cursor.at;
  if (start + length > payload.length) throw malformed('it ends within a value');
  cursor.at += length;
  return payload.subarray(start, cursor.at);
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
