/** What an export is refused with that would lack rows. */
import { AppError } from '../../domain/errors';
import { firstLosses } from '../reading/prove-chunks';

export function damaged(losses: readonly string[]): AppError {
  return new AppError('INTEGRITY_FAILURE', `The backup is damaged. ${firstLosses(losses)}`, {
    hint: 'Export from another backup, or verify this one to see what is hurt.',
  });
}
