// A repository that takes no writes is told when that begins and when it ends, and readiness shows it without ending.
import { AppError } from '../../../src/domain/errors';
import { createHealth } from '../../../src/ops/health';
import { createLogger } from '../../../src/ops/logger';
import { watchWrites } from '../../../src/ops/write-watch';
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
  const watch = await watchWrites({ probe, clock, log });
  const health = createHealth({
    checks: [{ name: 'repository writes', optional: true, check: () => watch.check() }],
    clock,
    freshMs: 0,
  });
  const warning = 'the repository takes no writes: backups fail until it does';
  expect(messages()).toEqual([warning]);
  expect(await health.ready()).toMatchObject({
    ready: true,
    checks: [{ name: 'repository writes', ok: false, optional: true, message: 'REPOSITORY_FULL' }],
  });
  await clock.advance(120_000);
  expect(messages()).toEqual([warning]);
  full = false;
  await clock.advance(60_000);
  expect(messages()).toEqual([warning, 'the repository takes writes again']);
  expect((await health.ready()).checks).toMatchObject([{ ok: true }]);
  full = true;
  await clock.advance(60_000);
  expect(messages()).toEqual([warning, 'the repository takes writes again', warning]);
  await watch.stop();
  expect(clock.sleeping).toBe(0);
});
