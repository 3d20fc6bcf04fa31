/**
 * A clock that moves only when told to. Sleepers wake in the order of their due times; `advance` lets everything that each
 * wake-up caused settle before it goes on.
 */
import type { Clock } from '../../src/domain/ambient';
import { AppError } from '../../src/domain/errors';

interface Sleeper {
  due: number;
  wake: () => void;
}

export class FakeClock implements Clock {
  private elapsedMs = 0;
  private readonly sleepers = new Set<Sleeper>();

  constructor(private startMs = Date.UTC(2026, 10, 22, 12)) {}

  now(): Date {
    return new Date(this.startMs + this.elapsedMs);
  }

  monotonicMs(): number {
    return this.elapsedMs;
  }

  /** Sleeps that nobody has woken yet. */
  get sleeping(): number {
    return this.sleepers.size;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new AppError('CANCELLED', 'The wait was cancelled.'));
      const sleeper: Sleeper = { due: this.elapsedMs + ms, wake: () => settle(resolve) };
      const onAbort = (): void => settle(() => reject(new AppError('CANCELLED', 'The wait was cancelled.')));
      const settle = (then: () => void): void => {
        this.sleepers.delete(sleeper);
        signal?.removeEventListener('abort', onAbort);
        then();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.sleepers.add(sleeper);
    });
  }

  /** Moves the wall clock alone, as an operator or a time server does. */
  stepWallClock(ms: number): void {
    this.startMs += ms;
  }

  async advance(ms: number): Promise<void> {
    const target = this.elapsedMs + ms;
    for (let next = this.nextBefore(target); next !== undefined; next = this.nextBefore(target)) {
      this.elapsedMs = Math.max(this.elapsedMs, next.due);
      next.wake();
      await settled();
    }
    this.elapsedMs = target;
    await settled();
  }

  private nextBefore(target: number): Sleeper | undefined {
    const due = [...this.sleepers].filter((sleeper) => sleeper.due <= target);
    return due.sort((a, b) => a.due - b.due)[0];
  }
}

/** Lets queued callbacks run. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets the event loop turn until `condition` holds; fails after `limitMs` of real time, for the sake of a clear message. */
export async function until(condition: () => boolean | Promise<boolean>, limitMs = 20_000): Promise<void> {
  const started = process.hrtime.bigint();
  while (!(await condition())) {
    if (Number(process.hrtime.bigint() - started) / 1e6 > limitMs)
      throw new Error(`never came true: ${condition.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
