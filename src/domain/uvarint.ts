/** Writes unsigned LEB128 integers below 2^53 (FORMAT.md, section 1). Reading is each format's own: each bounds it differently. */

export function uvarintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

/** Writes `value` at `offset`; returns the offset after it. */
export function writeUvarint(target: Buffer, offset: number, value: number): number {
  let rest = value;
  while (rest >= 0x80) {
    target[offset++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[offset++] = rest;
  return offset;
}
