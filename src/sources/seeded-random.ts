/** A small deterministic generator for made-up data: the same seed gives the same sequence for ever. No secrets from it. */

export interface SeededRandom {
  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** `count` different elements, in a random order. */
  sample<T>(from: readonly T[], count: number): T[];
  /** A decimal number as text with `digits` places. */
  decimal(low: number, high: number, digits: number): string;
  bytes(size: number): Buffer;
  uuid(): string;
}

export function createSeededRandom(seed: number): SeededRandom {
  const next = mulberry32(seed);
  const fraction = (): number => next() / 2 ** 32;
  const int = (low: number, high: number): number => low + Math.floor(fraction() * (high - low + 1));
  return {
    int,
    chance: (probability) => fraction() < probability,
    pick: (from) => from[int(0, from.length - 1)] as never,
    sample: (from, count) => sample(from, count, int),
    decimal: (low, high, digits) => (low + fraction() * (high - low)).toFixed(digits),
    bytes: (size) => Buffer.from(Array.from({ length: size }, () => int(0, 255))),
    uuid: () => uuidOf(hex(next()) + hex(next()) + hex(next()) + hex(next())),
  };
}

/** Tommy Ettinger's generator: 32 bits of state, unsigned 32-bit numbers. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

function sample<T>(from: readonly T[], count: number, int: (low: number, high: number) => number): T[] {
  const left = [...from];
  return Array.from({ length: Math.min(count, left.length) }, () => left.splice(int(0, left.length - 1), 1)[0] as T);
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0');
}

function uuidOf(digits: string): string {
  const variant = '89ab'[parseInt(digits[16] as string, 16) & 3] as string;
  const parts = [digits.slice(0, 8), digits.slice(8, 12), `4${digits.slice(13, 16)}`, variant + digits.slice(17, 20)];
  return [...parts, digits.slice(20, 32)].join('-');
}
