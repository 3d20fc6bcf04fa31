// The parts around the service: the log keeps secrets, readiness tells the truth, shutdown ends in order, waits can be cancelled.
import { EventEmitter } from 'node:events';
import { AppError } from '../../../src/domain/errors';
import type { Clock, Log } from '../../../src/domain/ambient';
import { systemClock, systemRandom } from '../../../src/ops/ambient';
import { startEventLoopLag, watchStalls } from '../../../src/ops/event-loop-lag';
import { createHealth } from '../../../src/ops/health';
import { createLogger } from '../../../src/ops/logger';
import { installShutdown } from '../../../src/ops/shutdown';
import { isUuid } from '../../../src/domain/ids';
import { FakeClock } from '../../support/fake-clock';

function capture(readable = false) {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', readable, destination: { write: (line) => void lines.push(line) } });
  return { log, lines };
}

describe('the log', () => {
  test('writes one JSON line per entry, with the fields of its parents', () => {
    const { log, lines } = capture();
    log.child({ jobId: 'j1' }).info('reading', { table: 'risk_alerts', rows: 12n });
    log.debug('not at this level');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toEqual({
      level: 'info', time: expect.any(String), jobId: 'j1', table: 'risk_alerts', rows: '12', msg: 'reading',
    }); // prettier-ignore
  });

  test.each([
    [
      'a field named like a secret',
      { passphrase: 'hunter2', nested: { apiKey: ['hunter2'], Authorization: 'hunter2' } },
    ],
    ['a URL in a field', { url: 'mysql://root:hunter2@db/kyb', list: ['redis://:hunter2@h'] }],
    [
      'an error and its cause',
      { error: new Error('at mysql://u:hunter2@h', { cause: new Error('mysql://hunter2@h') }) },
    ],
    ['an AppError', { error: new AppError('SOURCE_UNAVAILABLE', 'mariadb://u:hunter2@h/db is away') }],
    ['bytes', { row: Buffer.from('hunter2') }],
    ['a link to a download', { url: 'http://h/exports/0a1b2c3d-0000-4000-8000-000000000000/hunter2-abc_DEF' }],
  ])('never writes a secret: %s', (_, fields) => {
    for (const readable of [true, false]) {
      const { log, lines } = capture(readable);
      log.child(fields).error('connecting to mysql://u:hunter2@h', fields);
      expect(lines[0]).not.toContain('hunter2');
      expect(lines[0]).not.toContain(JSON.stringify([...Buffer.from('hunter2')]).slice(1, -1));
    }
  });

  test('tells a failure that was foreseen in one line, and a bug with its stack', () => {
    const cause = Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' });
    const foreseen = new AppError('REPOSITORY_UNAVAILABLE', 'Cannot write "locks/1": EROFS: read-only file system', {
      cause,
      hint: 'See that it can be written.',
    });
    const json = capture();
    json.log.warn('no lease', { error: foreseen });
    expect(JSON.parse(json.lines[0]!)).toMatchObject({
      error: { code: 'REPOSITORY_UNAVAILABLE', message: foreseen.message, hint: foreseen.hint },
    });
    expect(json.lines[0]!.length).toBeLessThan(400);
    const readable = capture(true);
    readable.log.warn('no lease', { error: foreseen });
    expect(readable.lines[0]).toMatch(/ {2}error=REPOSITORY_UNAVAILABLE: Cannot write .*file system\n$/);
    for (const bug of [
      new TypeError('x is undefined'),
      new AppError('INTERNAL', 'odd', { cause: new Error('deeper') }),
    ]) {
      const { log, lines } = capture();
      log.error('failed', { error: bug });
      expect(lines[0]).toContain('ops.test.ts');
    }
  });

  test('leaves the example of a URL in a hint readable', () => {
    const { log, lines } = capture(true);
    log.warn(
      'give mysql://user:password@host:3306/database, mariadb://… or sqlite:path, not mysql://user:hunter2@host',
    );
    expect(lines[0]).toContain('give mysql://user:password@host:3306/database, mariadb://…');
    expect(lines[0]).toContain('not mysql://***@host');
  });

  test('is readable where people read it', () => {
    const { log, lines } = capture(true);
    log.warn('slow', { table: 'a b', ms: 5 });
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d WARN {2}slow {2}table="a b" {2}ms=5\n$/);
  });
});

describe('readiness', () => {
  test('needs every check, and tells a prober the code of what failed but not the message', async () => {
    const health = createHealth({
      clock: systemClock,
      checks: [
        { name: 'catalog', check: async () => {} },
        { name: 'repository', check: () => Promise.reject(new AppError('REPOSITORY_UNAVAILABLE', 'secret place')) },
      ],
    });
    expect(await health.ready()).toMatchObject({
      ready: false,
      checks: [
        { name: 'catalog', ok: true },
        { name: 'repository', ok: false, message: 'REPOSITORY_UNAVAILABLE' },
      ],
    });
  });

  test('gives up on a check that hangs and aborts it; a burst of probes shares one round', async () => {
    let calls = 0;
    const aborted: boolean[] = [];
    const check = (signal: AbortSignal) =>
      new Promise<void>(() => {
        calls += 1;
        signal.addEventListener('abort', () => aborted.push(true));
      });
    const health = createHealth({
      clock: systemClock,
      timeoutMs: 20,
      freshMs: 60_000,
      checks: [{ name: 'source', check }],
    });
    const probes = await Promise.all([health.ready(), health.ready(), health.ready()]);
    expect(probes.map((probe) => probe.ready)).toEqual([false, false, false]);
    expect(probes[0].checks[0]!.message).toBe('no answer within 20 ms');
    expect([calls, aborted]).toEqual([1, [true]]);
  });

  test('ends with draining', async () => {
    const health = createHealth({ clock: systemClock, checks: [] });
    expect((await health.ready()).ready).toBe(true);
    health.startDraining();
    expect(await health.ready()).toEqual({ ready: false, draining: true, checks: [], longestStallMs: 0 });
  });
});

describe('shutdown', () => {
  const silent: Log = createLogger({ level: 'silent', destination: { write: () => undefined } });

  function install(
    steps: { name: string; run(): Promise<void> | void }[],
    { deadlineMs = 5_000, clock = systemClock }: { deadlineMs?: number; clock?: Clock } = {},
  ) {
    const port = new EventEmitter() as EventEmitter & { exit(code: number): void };
    const exits: number[] = [];
    const exited = new Promise<void>((resolve) => {
      port.exit = (code) => {
        exits.push(code);
        resolve();
      };
    });
    const shutdown = installShutdown({ steps, deadlineMs, clock, log: silent, process: port });
    return { port, exits, exited, shutdown };
  }

  test('runs every step in order on the first signal, also after one failed, and says so in the exit code', async () => {
    const ran: string[] = [];
    const { port, exits, exited } = install([
      { name: 'http', run: async () => void (await Promise.resolve(), ran.push('http')) },
      { name: 'runner', run: () => Promise.reject(new Error('broken')) },
      { name: 'catalog', run: () => void ran.push('catalog') },
    ]);
    port.emit('SIGTERM', 'SIGTERM');
    await exited;
    expect([ran, exits]).toEqual([['http', 'catalog'], [1]]);
    expect([port.listenerCount('SIGTERM'), port.listenerCount('SIGINT')]).toEqual([0, 0]);
  });

  test('leaves with 0 when all went well, however it began', async () => {
    const { shutdown, exits } = install([{ name: 'a', run: () => undefined }]);
    await Promise.all([shutdown.begin('test'), shutdown.begin('again')]);
    expect(exits).toEqual([0]);
  });

  test('leaves at once on a later signal, but not on the echo of the first, and at the deadline', async () => {
    const hangs = { name: 'hangs', run: () => new Promise<void>(() => undefined) };
    const clock = new FakeClock();
    const impatient = install([hangs], { clock });
    impatient.port.emit('SIGINT', 'SIGINT');
    impatient.port.emit('SIGINT', 'SIGINT');
    expect(impatient.exits).toEqual([]);
    await clock.advance(1_000);
    impatient.port.emit('SIGINT', 'SIGINT');
    expect(impatient.exits).toEqual([130]);
    const late = install([hangs], { deadlineMs: 10 });
    late.port.emit('SIGTERM', 'SIGTERM');
    await late.exited;
    expect(late.exits).toEqual([1]);
  });
});

describe('the real clock and randomness', () => {
  test('a sleep ends with CANCELLED as soon as its signal aborts', async () => {
    const stop = new AbortController();
    const sleeping = systemClock.sleep(3_600_000, stop.signal);
    stop.abort();
    await expect(sleeping).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(systemClock.sleep(1, stop.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  test('a sleep longer than a timer takes does not end at once', async () => {
    const stop = new AbortController();
    const sleeping = systemClock.sleep(2 ** 40, stop.signal);
    const first = await Promise.race([
      sleeping.catch(() => 'cancelled'),
      systemClock.sleep(5).then(() => 'still asleep'),
    ]);
    stop.abort();
    await expect(sleeping).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(first).toBe('still asleep');
  });

  test('ids are lower-case UUIDs, bytes are as many as asked for', () => {
    expect(isUuid(systemRandom.uuid())).toBe(true);
    expect(systemRandom.bytes(7)).toHaveLength(7);
  });
});

test('a stall of the event loop is warned of and shown', async () => {
  const { log, lines } = capture();
  const clock = new FakeClock();
  const watch = watchStalls({ clock, log });
  await systemClock.sleep(30);
  for (const until = performance.now() + 120; performance.now() < until;);
  await systemClock.sleep(30);
  expect(watch.longestMs()).toBeGreaterThan(50);
  await clock.advance(60_000);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({ level: 'warn', msg: 'the event loop stood still', maxMs: expect.any(Number) }),
  ]);
  await watch.stop();
});

test('event-loop lag sees a blocked loop', async () => {
  const lag = startEventLoopLag();
  await systemClock.sleep(30);
  lag.reset();
  await systemClock.sleep(30);
  const until = performance.now() + 80;
  while (performance.now() < until);
  await systemClock.sleep(20);
  expect(lag.snapshot().maxMs).toBeGreaterThan(50);
  lag.stop();
});
