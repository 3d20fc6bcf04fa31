/** The URL of a database given on a command line: checked by the same rules as those in the settings. */
import { AppError } from '../../domain/errors';
import { databaseUrl } from './leaf';

/** The URL, a relative path made absolute from `base`. Throws INVALID_INPUT, which never repeats the URL. */
export function checkDatabaseUrl(value: string, base: string): string {
  const parsed = databaseUrl(base).safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AppError('INVALID_INPUT', `The target can't be used: ${issue?.message ?? 'it is no database URL'}.`);
}
