// A repository that takes no writes is told when that begins and when it ends, and readiness shows it without ending.
import { AppError } from '../../../src/domain/errors';
import { createHealth } from '../../../src/ops/health';
import { createLogger } from '../../../src/ops/logger';
import { watchCondition } from '../../../src/ops/condition-watch';
import { FakeClock } from '../../support/fake-clock';

test('the start and every minute try it; the log tells each change once, and health the state', async () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } });
  const messages = (): unknown[] => lines.map((line) => (JSON.parse(line) as { msg: unknown }).msg);
  let full = true;
  const probe = async (): Promise<void> => {
    if (full) throw new AppError('REPOSITORY_FULL', 'No space left.');
  };
  const words = { failing: 'it takes no writes', working: 'it takes writes again' };
  const watch = watchCondition({ probe, words, clock, log });
  await watch.tried;
  const health = createHealth({
    checks: [{ name: 'repository writes', optional: true, check: () => watch.check() }],
    clock,
    freshMs: 0,
  });
  const warning = words.failing;
  expect(messages()).toEqual([warning]);
  expect(await health.ready()).toMatchObject({
    ready: true,
    checks: [{ name: 'repository writes', ok: false, optional: true, message: 'REPOSITORY_FULL' }],
  });
  await clock.advance(120_000);
  expect(messages()).toEqual([warning]);
  full = false;
  await clock.advance(60_000);
  expect(messages()).toEqual([warning, words.working]);
  expect((await health.ready()).checks).toMatchObject([{ ok: true }]);
  full = true;
  await clock.advance(60_000);
  expect(messages()).toEqual([warning, words.working, warning]);
  await watch.stop();
  expect(clock.sleeping).toBe(0);
});

test('stopping ends a try that hangs, and tells of no failure', async () => {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } });
  const probe = (signal: AbortSignal): Promise<void> =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('cut off'))));
  const watch = watchCondition({ probe, words: { failing: 'away', working: 'back' }, clock: new FakeClock(), log });
  await watch.stop();
  expect(lines).toEqual([]);
});
