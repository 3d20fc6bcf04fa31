/**
 * The bytes of pages of a value index (FORMAT.md, section 8). Leaves are written into one buffer as they come: an index has
 * millions of them.
 */
import { uvarintLength, writeUvarint } from '../domain/uvarint';
import { HASH_BYTES } from './keyring';
import { CUT_MAX_BYTES, cutsAfter } from './page-cut';
import type { OpenPage } from './page-tree';
import { ByteReader } from './uvarint';

export const VALUE_PAGE_KIND = 0x05;
/** A number in more chunks has several entries, so that one entry is small whatever the table's size. */
export const MAX_ORDINALS = 4096;
/** Of a number or an ordinal, which both stay below 2^32. */
const UVARINT_BYTES = 5;
const MAX_LEAF_BYTES = (MAX_ORDINALS + 2) * UVARINT_BYTES;
const CUT_FACTOR = 0x9e3779b1;

/** The chunks of one number; filled anew for the next one. */
export interface Leaf {
  number: number;
  ordinals: Uint32Array;
  count: number;
}

export interface InnerEntry {
  id: Buffer;
  /** Entries of level 0 below. */
  leafCount: number;
  first: number;
  last: number;
}

export class OpenLeaves implements OpenPage<Leaf, InnerEntry> {
  entryCount = 0;
  private readonly bytes = Buffer.allocUnsafe(CUT_MAX_BYTES + MAX_LEAF_BYTES);
  private size = 0;
  private first = 0;
  private last = 0;

  add({ number, ordinals, count }: Leaf): boolean {
    const start = this.size;
    let at = writeUvarint(this.bytes, start, number - this.last);
    at = writeUvarint(this.bytes, at, count);
    let before = 0;
    for (let i = 0; i < count; i++) {
      const ordinal = ordinals[i] as number;
      at = writeUvarint(this.bytes, at, ordinal - before);
      before = ordinal;
    }
    if (this.entryCount === 0) this.first = number;
    this.last = number;
    this.size = at;
    this.entryCount++;
    const { entryCount } = this;
    return cutsAfter({ number: Math.imul(number, CUT_FACTOR) >>> 0, bytes: at - start }, { entryCount, bytes: at });
  }

  encode(): Buffer {
    return encodePage(0, this.entryCount, [this.bytes.subarray(0, this.size)]);
  }

  asEntry(id: Buffer): InnerEntry {
    return { id, leafCount: this.entryCount, first: this.first, last: this.last };
  }
}

export class OpenInner implements OpenPage<InnerEntry, InnerEntry> {
  private readonly entries: Buffer[] = [];
  private bytes = 0;
  private leafCount = 0;
  private first = 0;
  private last = 0;

  constructor(private readonly level: number) {}

  get entryCount(): number {
    return this.entries.length;
  }

  add(entry: InnerEntry): boolean {
    const encoded = encodeInner(entry);
    if (this.entries.length === 0) this.first = entry.first;
    this.last = entry.last;
    this.leafCount += entry.leafCount;
    this.entries.push(encoded);
    this.bytes += encoded.length;
    const { entryCount, bytes } = this;
    return cutsAfter({ number: encoded.readUInt32BE(0), bytes: encoded.length }, { entryCount, bytes });
  }

  encode(): Buffer {
    return encodePage(this.level, this.entries.length, this.entries);
  }

  asEntry(id: Buffer): InnerEntry {
    return { id, leafCount: this.leafCount, first: this.first, last: this.last };
  }
}

function encodeInner({ id, leafCount, first, last }: InnerEntry): Buffer {
  const numbers = [leafCount, first, last];
  const bytes = Buffer.alloc(HASH_BYTES + numbers.reduce((sum, number) => sum + uvarintLength(number), 0));
  let at = id.copy(bytes);
  for (const number of numbers) at = writeUvarint(bytes, at, number);
  return bytes;
}

function encodePage(level: number, count: number, entries: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(2 + uvarintLength(count));
  header[0] = VALUE_PAGE_KIND;
  header[1] = level;
  writeUvarint(header, 2, count);
  return Buffer.concat([header, ...entries]);
}

export interface ValuePage {
  level: number;
  /** Empty at level 0. */
  inner: InnerEntry[];
  /** Read from the first on; none above level 0. */
  leaves: LeafReader;
}

/** Throws INTEGRITY_FAILURE when the payload is no such page. Leaves are decoded as they are read. */
export function decodeValuePage(payload: Buffer): ValuePage {
  const reader = new ByteReader(payload, 'page of a value index');
  if (reader.byte() !== VALUE_PAGE_KIND) throw reader.malformed('it is a chunk of another kind');
  const level = reader.byte();
  const count = reader.uvarint();
  if (count === 0) throw reader.malformed('it has no entries');
  if (level === 0) return { level, inner: [], leaves: new LeafReader(reader, count) };
  const inner: InnerEntry[] = [];
  for (let index = 0; index < count; index++) inner.push(decodeInner(reader));
  reader.end();
  return { level, inner, leaves: new LeafReader(reader, 0) };
}

function decodeInner(reader: ByteReader): InnerEntry {
  return { id: reader.take(HASH_BYTES), leafCount: reader.uvarint(), first: reader.uvarint(), last: reader.uvarint() };
}

/** The entries of a page of level 0, one at a time. */
export class LeafReader {
  /** Of the entry that `next` moved to. */
  number = 0;
  private left: number;

  constructor(
    private readonly reader: ByteReader,
    count: number,
  ) {
    this.left = count;
  }

  /** False after the last entry. The entry's ordinals must be taken before the next one is asked for. */
  next(): boolean {
    if (this.left === 0) {
      this.reader.end();
      return false;
    }
    this.left--;
    this.number += this.reader.uvarint();
    return true;
  }

  /** Calls with each ordinal of the current entry. */
  takeOrdinals(onOrdinal: (ordinal: number) => void): void {
    let ordinal = 0;
    for (let count = this.reader.uvarint(); count > 0; count--) onOrdinal((ordinal += this.reader.uvarint()));
  }
}
