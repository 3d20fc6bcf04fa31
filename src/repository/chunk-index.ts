/**
 * Where each chunk is, in typed arrays: 58 bytes a place and at most two places a chunk, so that a terabyte’s index fits in memory. An id
 * may have several entries (the same chunk in several packs). Ids are uniform hashes, so their first bytes serve as hash of an open table.
 */
import { HASH_BYTES } from './keyring';
import type { PlacedRecord } from './pack-format';

const FIRST_CAPACITY = 1024;
const EMPTY = -1;
/** What is known of an entry's stored bytes beyond its pack's index. */
const BAD = 1;
const PROVEN = 2;

export interface ChunkPlace {
  pack: number;
  offset: number;
  storedLength: number;
  rawLength: number;
  codec: number;
}

export class ChunkIndex {
  private count = 0;
  private ids = Buffer.alloc(FIRST_CAPACITY * HASH_BYTES);
  private numbers = new Uint32Array(FIRST_CAPACITY * 4);
  private codecs = new Uint8Array(FIRST_CAPACITY);
  private states = new Uint8Array(FIRST_CAPACITY);
  private slots = new Int32Array(FIRST_CAPACITY * 2).fill(EMPTY);

  get size(): number {
    return this.count;
  }

  add(pack: number, record: PlacedRecord): void {
    if (this.count === this.codecs.length) this.grow();
    const entry = this.count++;
    record.id.copy(this.ids, entry * HASH_BYTES);
    this.numbers.set([pack, record.offset, record.storedLength, record.rawLength], entry * 4);
    this.codecs[entry] = record.codec;
    this.insert(entry);
  }

  /** Entries of this id, in the order in which they were added. */
  *find(id: Buffer): IterableIterator<number> {
    const mask = this.slots.length - 1;
    for (let slot = id.readUInt32LE(0) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.slots[slot] as number;
      if (entry === EMPTY) return;
      if (this.ids.compare(id, 0, HASH_BYTES, entry * HASH_BYTES, (entry + 1) * HASH_BYTES) === 0) yield entry;
    }
  }

  /** A sound entry of this id, or -1. */
  findSound(id: Buffer): number {
    for (const entry of this.find(id)) if (!this.isBad(entry)) return entry;
    return EMPTY;
  }

  place(entry: number): ChunkPlace {
    const at = entry * 4;
    return {
      pack: this.numbers[at] as number,
      offset: this.numbers[at + 1] as number,
      storedLength: this.numbers[at + 2] as number,
      rawLength: this.numbers[at + 3] as number,
      codec: this.codecs[entry] as number,
    };
  }

  id(entry: number): Buffer {
    return this.ids.subarray(entry * HASH_BYTES, (entry + 1) * HASH_BYTES);
  }

  /** From now on the entry is no reason to leave a chunk unstored. */
  markBad(entry: number): void {
    this.states[entry] = BAD;
  }

  isBad(entry: number): boolean {
    return this.states[entry] === BAD;
  }

  /** The entry's bytes were read and gave its payload. */
  markProven(entry: number): void {
    this.states[entry] = PROVEN;
  }

  isProven(entry: number): boolean {
    return this.states[entry] === PROVEN;
  }

  /** The entry's pack, without the rest of its place. */
  packOf(entry: number): number {
    return this.numbers[entry * 4] as number;
  }

  storedLengthOf(entry: number): number {
    return this.numbers[entry * 4 + 2] as number;
  }

  /** A new index with only the entries of the packs that `keep` says. */
  filtered(keep: (pack: number) => boolean): ChunkIndex {
    const kept = new ChunkIndex();
    for (let entry = 0; entry < this.count; entry++) {
      const place = this.place(entry);
      if (!keep(place.pack)) continue;
      kept.add(place.pack, { ...place, id: this.id(entry), kind: 0 });
      kept.states[kept.count - 1] = this.states[entry] as number;
    }
    return kept;
  }

  private insert(entry: number): void {
    const mask = this.slots.length - 1;
    let slot = this.ids.readUInt32LE(entry * HASH_BYTES) & mask;
    while (this.slots[slot] !== EMPTY) slot = (slot + 1) & mask;
    this.slots[slot] = entry;
  }

  private grow(): void {
    const capacity = this.codecs.length * 2;
    const ids = Buffer.alloc(capacity * HASH_BYTES);
    this.ids.copy(ids);
    this.ids = ids;
    this.numbers = extended(this.numbers, new Uint32Array(capacity * 4));
    this.codecs = extended(this.codecs, new Uint8Array(capacity));
    this.states = extended(this.states, new Uint8Array(capacity));
    this.slots = new Int32Array(capacity * 2).fill(EMPTY);
    for (let entry = 0; entry < this.count; entry++) this.insert(entry);
  }
}

function extended<T extends Uint32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
