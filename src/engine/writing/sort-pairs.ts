/** Sorts pairs (number, ordinal) by number. Stable: what stood in ascending order of ordinals stays so within a number. */

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const PASSES = 3;

/** The result is new memory. */
export function sortPairs(pairs: Uint32Array): Uint32Array {
  let from = pairs;
  let to = new Uint32Array(pairs.length);
  let spare = new Uint32Array(pairs.length);
  for (let pass = 0; pass < PASSES; pass++) {
    distribute(from, to, pass * DIGIT_BITS);
    from = to;
    [to, spare] = [spare, to];
  }
  return from;
}

/** One pass of a radix sort. */
function distribute(from: Uint32Array, to: Uint32Array, shift: number): void {
  const places = new Uint32Array(DIGITS);
  for (let i = 0; i < from.length; i += 2) places[((from[i] as number) >>> shift) & (DIGITS - 1)]!++;
  let start = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const count = places[digit] as number;
    places[digit] = start;
    start += count;
  }
  for (let i = 0; i < from.length; i += 2) {
    const digit = ((from[i] as number) >>> shift) & (DIGITS - 1);
    const at = 2 * (places[digit] as number);
    places[digit] = (places[digit] as number) + 1;
    to[at] = from[i] as number;
    to[at + 1] = from[i + 1] as number;
  }
}
