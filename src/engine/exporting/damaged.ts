/** What an export is refused with that would lack rows. */
import { AppError } from '../../domain/errors';

export function damaged(losses: readonly string[]): AppError {
  const rest = losses.length > 3 ? ` (and ${losses.length - 3} more losses)` : '';
  return new AppError('INTEGRITY_FAILURE', `The backup is damaged. ${losses.slice(0, 3).join(' ')}${rest}`, {
    hint: 'Export from another backup, or verify this one to see what is hurt.',
  });
}
