/** The bytes of pages of layer indexes (FORMAT.md, section 8). Pure. */
import { uvarintLength, writeUvarint } from '../domain/uvarint';
import type { ChunkEntry } from '../domain/backup-store';
import { HASH_BYTES } from './keyring';
import { ByteReader } from './uvarint';

export const PAGE_KIND = 0x03;

/** An entry of any level: a chunk (`chunkCount` 1) or a page and the sums below it. */
export interface PageEntry {
  id: Buffer;
  chunkCount: number;
  rowCount: number;
  rawBytes: number;
  firstKey: Buffer;
  lastKey: Buffer;
}

export interface LayerPage {
  level: number;
  entries: PageEntry[];
}

function numbersOf(entry: PageEntry, level: number): number[] {
  return level === 0 ? [entry.rowCount, entry.rawBytes] : [entry.chunkCount, entry.rowCount, entry.rawBytes];
}

export function encodeEntry(entry: PageEntry, level: number): Buffer {
  const numbers = numbersOf(entry, level);
  const { firstKey, lastKey } = entry;
  const lengths = [...numbers, firstKey.length, lastKey.length].reduce((sum, value) => sum + uvarintLength(value), 0);
  const bytes = Buffer.alloc(HASH_BYTES + lengths + firstKey.length + lastKey.length);
  entry.id.copy(bytes);
  let at = HASH_BYTES;
  for (const value of numbers) at = writeUvarint(bytes, at, value);
  at = writeUvarint(bytes, at, firstKey.length);
  at += firstKey.copy(bytes, at);
  at = writeUvarint(bytes, at, lastKey.length);
  lastKey.copy(bytes, at);
  return bytes;
}

export function encodePage(level: number, entries: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(2 + uvarintLength(entries.length));
  header[0] = PAGE_KIND;
  header[1] = level;
  writeUvarint(header, 2, entries.length);
  return Buffer.concat([header, ...entries]);
}

/** Throws INTEGRITY_FAILURE when the payload is no page. */
export function decodePage(payload: Buffer): LayerPage {
  const reader = new ByteReader(payload, 'layer index page');
  if (reader.byte() !== PAGE_KIND) throw reader.malformed('it is a chunk of another kind');
  const level = reader.byte();
  const count = reader.uvarint();
  if (count === 0) throw reader.malformed('it has no entries');
  const entries: PageEntry[] = [];
  for (let index = 0; index < count; index++) entries.push(decodeEntry(reader, level));
  reader.end();
  return { level, entries };
}

function decodeEntry(reader: ByteReader, level: number): PageEntry {
  return {
    id: reader.take(HASH_BYTES),
    chunkCount: level === 0 ? 1 : reader.uvarint(),
    rowCount: reader.uvarint(),
    rawBytes: reader.uvarint(),
    firstKey: reader.take(reader.uvarint()),
    lastKey: reader.take(reader.uvarint()),
  };
}

export function toChunkEntry(entry: PageEntry): ChunkEntry {
  const { rowCount, rawBytes, firstKey, lastKey } = entry;
  return {
    id: entry.id.toString('hex'),
    rowCount,
    rawBytes,
    firstKey: Buffer.from(firstKey),
    lastKey: Buffer.from(lastKey),
  };
}

export function fromChunkEntry(entry: ChunkEntry): PageEntry {
  const { rowCount, rawBytes, firstKey, lastKey } = entry;
  return { id: Buffer.from(entry.id, 'hex'), chunkCount: 1, rowCount, rawBytes, firstKey, lastKey };
}
