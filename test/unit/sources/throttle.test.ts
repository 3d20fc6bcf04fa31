/** The throttle lets through what was allowed, in total over all that share it. */
import type { Clock } from '../../../src/domain/ambient';
import { AppError } from '../../../src/domain/errors';
import { createThrottle } from '../../../src/sources/throttle';

/** A clock whose sleepers wake at once, having moved it on. */
function fakeClock(): Clock & { slept: number[] } {
  let nowMs = 1000;
  const slept: number[] = [];
  return {
    slept,
    now: () => new Date(nowMs),
    monotonicMs: () => nowMs,
    sleep: async (ms, signal) => {
      if (signal?.aborted) throw new AppError('CANCELLED', 'cancelled');
      slept.push(ms);
      nowMs += ms;
    },
  };
}

test('without limits nobody waits', async () => {
  const clock = fakeClock();
  const throttle = createThrottle({ clock });
  for (let i = 0; i < 100; i++) await throttle.take(1e9, 1e6);
  expect(clock.slept).toEqual([]);
});

test('bytes and rows each hold back, whichever is scarcer', async () => {
  const clock = fakeClock();
  const throttle = createThrottle({ clock, maxBytesPerSecond: 1000, maxRowsPerSecond: 10 });
  const start = clock.monotonicMs();
  for (let i = 0; i < 10; i++) await throttle.take(500, 1);
  expect(clock.monotonicMs() - start).toBeCloseTo(5000 - 100);
  for (let i = 0; i < 10; i++) await throttle.take(1, 10);
  expect(clock.monotonicMs() - start).toBeCloseTo(15_000 - 100);
});

test('idle time earns no more than a short burst', async () => {
  const clock = fakeClock();
  const throttle = createThrottle({ clock, maxRowsPerSecond: 100 });
  await clock.sleep(60_000);
  const start = clock.monotonicMs();
  await throttle.take(0, 100);
  expect(clock.monotonicMs() - start).toBeCloseTo(900);
});

test('a wait ends when it is cancelled', async () => {
  const throttle = createThrottle({ clock: fakeClock(), maxRowsPerSecond: 1 });
  await expect(throttle.take(0, 100, AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' });
});
