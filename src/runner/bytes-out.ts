/**
 * The worker's half of what a task streams to its owner: parts of a bounded size, at most WINDOW of them not yet taken, so that neither side
 * holds more however slowly the bytes are taken in the end.
 */
import { AppError } from '../domain/errors';
import type { FromWorker } from './worker-protocol';

/** What crosses at once. */
const PART_BYTES = 256 * 1024;
/** Enough that the worker goes on while its owner hands on what came before, on a busy machine too, where threads wait their turn. */
const WINDOW = 8;

/** Gives the part away: its memory is the owner's from then on. */
export type SendPart = (message: Extract<FromWorker, { type: 'bytes' }>, transfer: ArrayBuffer[]) => void;

export class BytesOut {
  private untaken = 0;
  private wake: () => void = () => undefined;

  constructor(
    private readonly send: SendPart,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener('abort', () => this.wake());
  }

  /** Resolves when there is room for more. Throws CANCELLED once the signal aborted. */
  async put(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += PART_BYTES) {
      await this.room();
      const part = new Uint8Array(bytes.subarray(at, at + PART_BYTES)); // because: what is sent leaves this thread
      this.untaken++;
      this.send({ type: 'bytes', bytes: part }, [part.buffer]);
    }
  }

  /** The owner has taken one. */
  taken(): void {
    this.untaken--;
    this.wake();
  }

  private async room(): Promise<void> {
    while (this.untaken >= WINDOW && !this.signal.aborted)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    if (this.signal.aborted) throw new AppError('CANCELLED', 'The work was cancelled.');
  }
}
