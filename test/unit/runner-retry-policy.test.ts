/** Delays grow, stay within bounds, and spread. */
import { AppError } from '../../src/domain/errors';
import { mayRetry, retryDelayMs } from '../../src/runner/retry-policy';

describe('retry policy', () => {
  it('doubles the delay up to a minute and spreads it over its upper half', () => {
    expect([1, 2, 3, 4, 7, 50].map((attempt) => retryDelayMs(attempt, 1))).toEqual([1e3, 2e3, 4e3, 8e3, 6e4, 6e4]);
    expect(retryDelayMs(3, 0)).toBe(2_000);
  });

  it('retries only what may pass by itself, while attempts are left', () => {
    const passing = new AppError('SOURCE_UNAVAILABLE', 'away', { retryable: true });
    const lasting = new AppError('SCHEMA_MISMATCH', 'no');
    expect(mayRetry(passing, { attempt: 1, maxAttempts: 3 })).toBe(true);
    expect(mayRetry(passing, { attempt: 3, maxAttempts: 3 })).toBe(false);
    expect(mayRetry(lasting, { attempt: 1, maxAttempts: 3 })).toBe(false);
  });
});
