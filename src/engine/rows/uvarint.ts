/** Reads the numbers in row chunks: LEB128 (FORMAT.md, `uvarint`). */
import { AppError } from '../../domain/errors';

/** Reads at most 5 bytes: no count or length in a chunk reaches 2^32. */
export function readUvarint(payload: Buffer, cursor: { at: number }): number {
  let value = 0;
  for (let factor = 1; factor <= 0x80 ** 4; factor *= 0x80) {
    const byte = payload[cursor.at++];
    if (byte === undefined) throw malformed('it ends within a number');
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
  }
  throw malformed('a number in it is too long');
}

export function malformed(what: string): AppError {
  return new AppError('INTEGRITY_FAILURE', `A row chunk is malformed: ${what}.`, {
    hint: 'Verify the backup at level DATA, and restore from another one.',
  });
}
