/**
 * A set of values of which only hashes are kept, 64 bits each, in one typed array: millions of them stay small. It never denies a value
 * that was added; one that was not is taken for added about once in 10^19 divided by how many there are.
 */
import { murmur3 } from './key-bytes';

const FIRST_SLOTS = 1024;
const SECOND_SEED = 0x9e3779b9;

export class ValueHashes {
  /** Pairs; two zeros are a free slot. */
  private slots = new Uint32Array(2 * FIRST_SLOTS);
  private used = 0;

  add(value: string): void {
    if (3 * this.used >= this.slots.length) this.grow();
    if (this.put(hashesOf(value))) this.used++;
  }

  has(value: string): boolean {
    const hashes = hashesOf(value);
    const at = this.placeOf(hashes);
    return this.slots[at] === hashes[0] && this.slots[at + 1] === hashes[1];
  }

  /** False where they are there already. */
  private put(hashes: readonly [number, number]): boolean {
    const at = this.placeOf(hashes);
    const isNew = this.isFree(at);
    [this.slots[at], this.slots[at + 1]] = hashes;
    return isNew;
  }

  /** Where the hashes are, or would be. */
  private placeOf([first, second]: readonly [number, number]): number {
    let at = (2 * first) % this.slots.length;
    while (!this.isFree(at) && (this.slots[at] !== first || this.slots[at + 1] !== second)) {
      at = (at + 2) % this.slots.length;
    }
    return at;
  }

  private isFree(at: number): boolean {
    return this.slots[at] === 0 && this.slots[at + 1] === 0;
  }

  private grow(): void {
    const old = this.slots;
    this.slots = new Uint32Array(2 * old.length);
    for (let at = 0; at < old.length; at += 2) {
      const [first, second] = [old[at] as number, old[at + 1] as number];
      if (first !== 0 || second !== 0) this.put([first, second]);
    }
  }
}

function hashesOf(value: string): [number, number] {
  const bytes = Buffer.from(value, 'utf8');
  const [first, second] = [murmur3(bytes, 0, bytes.length, 0), murmur3(bytes, 0, bytes.length, SECOND_SEED)];
  return first === 0 && second === 0 ? [0, 1] : [first, second];
}
