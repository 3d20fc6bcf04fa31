/** ISO 8601 durations: what is read, what is refused, and that what is written reads back the same. */
import fc from 'fast-check';
import { formatDuration, parseDurationMs } from '../../src/domain/duration';

test.each([
  ['PT30S', 30_000],
  ['PT0S', 0],
  ['PT1.5S', 1_500],
  ['PT1M30S', 90_000],
  ['P1DT12H', 129_600_000],
  ['P2W', 1_209_600_000],
])('%s is %d ms', (text, ms) => expect(parseDurationMs(text)).toBe(ms));

test.each(['', 'P', 'PT', 'P1DT', '30', 'PT30', 'P1Y', 'P1M', 'pt30s', 'PT-1S', 'PT1S ', 'P1W1D', 'PT1.S'])(
  '%p is none',
  (text) => expect(parseDurationMs(text)).toBeNull(),
);

test('what is written reads back the same', () => {
  const property = fc.property(
    fc.integer({ min: 0, max: 10 ** 12 }),
    (ms) => parseDurationMs(formatDuration(ms)) === ms,
  );
  fc.assert(property, { seed: 20261122, numRuns: 500 });
});
