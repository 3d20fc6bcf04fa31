/** When work that failed is tried again. Pure. */
import type { AppError } from '../domain/errors';
import { MAX_PUT_OFF_MS } from '../domain/job';

const FIRST_DELAY_MS = 1_000;

export function mayRetry(error: AppError, job: { attempt: number; maxAttempts: number }): boolean {
  return error.retryable && job.attempt < job.maxAttempts;
}

/**
 * Doubles with each attempt, up to a minute; `spread` (0 to 1) moves it between half and the whole, so that jobs that failed
 * together don't come back together.
 */
export function retryDelayMs(attempt: number, spread: number): number {
  const whole = Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), MAX_PUT_OFF_MS);
  return Math.round(whole * (0.5 + spread / 2));
}
