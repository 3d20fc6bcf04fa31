/** Cancellation at the points where work can stop without harm. */
import { AppError } from '../domain/errors';

export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AppError('CANCELLED', 'The work was cancelled.');
}
