/** Time, randomness and a log for repository tests: all of them deterministic, none of them waits. */
import { createHash } from 'node:crypto';
import type { Clock, Log, Random } from '../../src/domain/ambient';
import { AppError } from '../../src/domain/errors';

/** Stands still unless told; short sleeps move it, long ones last until somebody moves it or aborts. */
export class FakeClock implements Clock {
  private nowMs = Date.parse('2026-11-22T19:45:00.000Z');
  private readonly sleepers = new Set<{ untilMs: number; wake: () => void }>();

  now(): Date {
    return new Date(this.nowMs);
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  advance(ms: number): void {
    this.nowMs += ms;
    for (const sleeper of this.sleepers) if (sleeper.untilMs <= this.nowMs) sleeper.wake();
  }

  /** Time passes while the process is suspended: nobody wakes. */
  suspend(ms: number): void {
    this.nowMs += ms;
  }

  /** The clock of a machine whose time of day differs by that much. */
  shifted(ms: number): Clock {
    return {
      now: () => new Date(this.nowMs + ms),
      monotonicMs: () => this.nowMs,
      sleep: (duration, signal) => this.sleep(duration, signal),
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 5000) {
      this.advance(ms);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => (): void => {
        this.sleepers.delete(sleeper);
        signal?.removeEventListener('abort', abort);
        settle();
      };
      const sleeper = { untilMs: this.nowMs + ms, wake: end(resolve) };
      const abort = end(() => reject(new AppError('CANCELLED', 'The sleep was cancelled.')));
      if (signal?.aborted) return abort();
      this.sleepers.add(sleeper);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}

/** The same bytes for the same seed. */
export function seededRandom(seed: string): Random {
  let count = 0;
  const bytes = (size: number): Buffer => {
    const parts: Buffer[] = [];
    for (let have = 0; have < size; have += 32) parts.push(createHash('sha256').update(`${seed}/${count++}`).digest());
    return Buffer.concat(parts).subarray(0, size);
  };
  const uuid = (): string => {
    const hex = bytes(16).toString('hex');
    return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)].join(
      '-',
    );
  };
  return { bytes, uuid };
}

/** Keeps its messages. */
export class MemoryLog implements Log {
  readonly messages: string[] = [];
  debug = (): void => undefined;
  info = (message: string): void => void this.messages.push(message);
  warn = (message: string): void => void this.messages.push(message);
  error = (message: string): void => void this.messages.push(message);
  child = (): Log => this;
}
