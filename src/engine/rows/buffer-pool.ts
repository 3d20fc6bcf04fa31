/**
 * Large buffers used over and over: allocating and collecting each one anew was the largest single cost of moving data. Keeps a
 * bounded number of bytes; what is taken and never given back is simply collected.
 */

const SMALLEST_BYTES = 256 * 1024;
/** Larger ones are rare and would push out many others. */
const LARGEST_BYTES = 4 * 1024 * 1024;

export class BufferPool {
  private readonly free: Buffer[] = [];
  private freeBytes = 0;

  constructor(private readonly maxFreeBytes: number) {}

  /** A buffer of exactly this length, its content undefined. */
  take(length: number): Buffer {
    const at = this.free.findIndex((buffer) => buffer.length >= length);
    if (at < 0) return Buffer.allocUnsafeSlow(capacityFor(length)).subarray(0, length);
    const [buffer] = this.free.splice(at, 1) as [Buffer];
    this.freeBytes -= buffer.length;
    return buffer.subarray(0, length);
  }

  /** Nobody may use the buffer, which `take` gave, from now on. Once only. */
  give(taken: Buffer): void {
    const whole = Buffer.from(taken.buffer);
    if (whole.length > LARGEST_BYTES || this.freeBytes + whole.length > this.maxFreeBytes) return;
    this.freeBytes += whole.length;
    this.free.push(whole);
  }
}

function capacityFor(length: number): number {
  return length > LARGEST_BYTES ? length : Math.max(SMALLEST_BYTES, 2 ** Math.ceil(Math.log2(length)));
}
