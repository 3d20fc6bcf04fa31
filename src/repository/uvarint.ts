/** A cursor over bytes that refuses to read past the end, unsigned LEB128 integers below 2^53 included (FORMAT.md, section 1). */
import { AppError } from '../domain/errors';

const MAX_BYTES = 8;

export class ByteReader {
  offset = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly what: string,
  ) {}

  byte(): number {
    const value = this.bytes[this.offset];
    if (value === undefined) throw this.malformed('it ends too early');
    this.offset++;
    return value;
  }

  uvarint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 1; count <= MAX_BYTES; count++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return this.checkedUvarint(value, byte, count);
      scale *= 0x80;
    }
    throw this.malformed('a number is too long');
  }

  private checkedUvarint(value: number, lastByte: number, count: number): number {
    if (lastByte === 0 && count > 1) throw this.malformed('a number is not in its shortest form');
    if (!Number.isSafeInteger(value)) throw this.malformed('a number is too large');
    return value;
  }

  /** A view, not a copy. */
  take(length: number): Buffer {
    if (length > this.bytes.length - this.offset) throw this.malformed('it ends too early');
    this.offset += length;
    return this.bytes.subarray(this.offset - length, this.offset);
  }

  end(): void {
    if (this.offset !== this.bytes.length) throw this.malformed('something follows its end');
  }

  malformed(reason: string): AppError {
    return new AppError('INTEGRITY_FAILURE', `The ${this.what} is malformed: ${reason}.`);
  }
}
