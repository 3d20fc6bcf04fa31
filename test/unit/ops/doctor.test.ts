// What an operator reads from the doctor: every section, however it went, and an exit that tells errors from warnings.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../../src/domain/errors';
import type { Source } from '../../../src/domain/source';
import { systemClock } from '../../../src/ops/ambient';
import {
  bad, clockSection, examine, isError, ok, renderSection, renderSummary, sourceSection, spaceSection,
} from '../../../src/ops/doctor'; // prettier-ignore

const section = (title: string, run: () => unknown) => ({ title, examine: async () => run() as never });

test('a section that throws is a finding with its remedy, and the next one is still examined', async () => {
  const seen: string[] = [];
  const refused = new AppError('SOURCE_UNAVAILABLE', 'mysql://u:hunter2@db is away.', { hint: 'Start it.' });
  const examined = await examine(
    [
      section('One', () => {
        throw refused;
      }),
      section('Two', () => [ok('a', 'Fine.'), bad('b', 'WARNING', 'Hm.')]),
    ],
    { clock: systemClock, onSection: ({ title }) => seen.push(title) },
  );
  expect(seen).toEqual(['One', 'Two']);
  expect(examined.map(renderSection).join('')).toBe(
    'One\n  ERROR   mysql://***@db is away. Start it.\nTwo\n  ok      Fine.\n  WARNING Hm.\n',
  );
  expect(renderSummary(examined)).toBe('3 checks: 1 error, 1 warning');
  expect(examined.map(({ findings }) => findings.some(isError))).toEqual([true, false]);
});

test('a section that hangs is given up', async () => {
  const [hung] = await examine([section('Hangs', () => new Promise(() => undefined))], {
    clock: systemClock,
    timeoutMs: 20,
  });
  expect(hung!.findings[0]).toMatchObject({ ok: false, severity: 'ERROR', message: 'no answer within 0.02 s' });
});

test("a source's own findings come with the statements that mend them, and mapping problems once", async () => {
  const grant = 'GRANT RELOAD ON *.* TO `rv`@`%`;';
  const source = {
    name: 'default',
    diagnose: async () => [
      { check: 'grants', ok: false, severity: 'WARNING', message: 'RELOAD is missing.', statement: grant },
      { check: 'mapping', ok: false, severity: 'ERROR', message: 'said twice' },
    ],
    checkMapping: async () => [{ table: 't', problem: 'NO_KEY', message: 't has no key.', hint: 'Add one.' }],
  } as unknown as Source;
  const [examined] = await examine([sourceSection(source)], { clock: systemClock });
  expect(renderSection(examined!)).toBe(
    `Source default\n  WARNING RELOAD is missing.\n            ${grant}\n  ERROR   t has no key. Add one.\n`,
  );
});

test('a mapping that can not be examined does not hide the grants that are missing', async () => {
  const source = {
    name: 'default',
    diagnose: async () => [
      { check: 'grants', ok: false, severity: 'ERROR', message: 'No SELECT.', statement: 'GRANT;' },
    ],
    checkMapping: async () => Promise.reject(new AppError('SOURCE_UNAVAILABLE', 'Denied.')),
  } as unknown as Source;
  const [examined] = await examine([sourceSection(source)], { clock: systemClock });
  expect(renderSection(examined!)).toMatch(/ERROR +No SELECT\.\n +GRANT;\n +WARNING The mapped tables/);
});

test('a remedy follows the words of others as a sentence of its own', async () => {
  const denied = new AppError('SOURCE_UNAVAILABLE', 'Denied (using password: YES)', { hint: 'Check it.' });
  const [examined] = await examine([section('One', () => Promise.reject(denied))], { clock: systemClock });
  expect(examined!.findings[0]!.message).toBe('Denied (using password: YES). Check it.');
});

test('a clock from before this program is an error', async () => {
  const at = (iso: string) =>
    clockSection({ ...systemClock, now: () => new Date(iso) }).examine(new AbortController().signal);
  expect((await at('1970-01-01T00:00:00Z')).some(isError)).toBe(true);
  expect((await at('2027-01-01T00:00:00Z')).some(isError)).toBe(false);
});

test('free space is told for folders that are not there yet', async () => {
  const missing = join(tmpdir(), 'not', 'there', 'yet');
  const [finding] = await spaceSection({ 'the repository': missing }).examine(new AbortController().signal);
  expect(finding!.message).toContain(`GiB are free for the repository (${missing})`);
});
