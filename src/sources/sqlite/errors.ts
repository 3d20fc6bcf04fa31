/** Translates what the driver throws into the project's errors: the one place that knows SQLite's result codes. */
import { AppError, isAppError } from '../../domain/errors';

interface Translation {
  matches: RegExp;
  make: (message: string, cause: unknown) => AppError;
}

const unavailable = (text: string, hint: string, retryable: boolean) => (message: string, cause: unknown) =>
  new AppError('SOURCE_UNAVAILABLE', `${text} (${message})`, { hint, retryable, cause });

const TRANSLATIONS: readonly Translation[] = [
  {
    matches: /^SQLITE_(BUSY|LOCKED)/,
    make: unavailable('The source database is locked by another writer.', 'Try again when that writer is done.', true),
  },
  {
    matches: /^SQLITE_FULL/,
    make: unavailable('The disk of the source database is full.', 'Free space on that disk and start again.', false),
  },
  {
    matches: /^SQLITE_(NOTADB|CORRUPT)/,
    make: unavailable(
      'The source file is damaged or no SQLite database.',
      'Check the path; run PRAGMA integrity_check.',
      false,
    ),
  },
  {
    matches: /^SQLITE_(READONLY|PERM|AUTH)/,
    make: unavailable(
      'The source database may not be written.',
      'Grant write access to the file and its folder.',
      false,
    ),
  },
  {
    matches: /^SQLITE_(IOERR|CANTOPEN|NOMEM|PROTOCOL)/,
    make: unavailable('The source database cannot be read.', 'Check the disk and the path of the source.', true),
  },
  {
    matches: /^SQLITE_CONSTRAINT/,
    make: (message, cause) =>
      new AppError('CONFLICT', `A rule of the source database refuses a row: ${message}.`, {
        hint: 'Rows that came later stand in the way; look at them, then restore again.',
        cause,
      }),
  },
  {
    matches: /^SQLITE_(ERROR|SCHEMA|RANGE|MISMATCH)/,
    make: (message, cause) =>
      new AppError('SCHEMA_MISMATCH', `The source database refuses a statement: ${message}.`, {
        hint: 'Compare the mapping and the backup with the tables as they are now.',
        cause,
      }),
  },
];

/** Any thrown value as an AppError. */
export function toSourceError(error: unknown): AppError {
  if (isAppError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = errorCode(error);
  const translation = TRANSLATIONS.find(({ matches }) => matches.test(code));
  return translation ? translation.make(message, error) : new AppError('INTERNAL', message, { cause: error });
}

/** The driver reports a file that it can't open without a code. */
function errorCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === 'string' && code !== '') return code;
  return error instanceof Error && error.message.startsWith('ConnectionFailed') ? 'SQLITE_CANTOPEN' : '';
}

export function isBusy(error: unknown): boolean {
  return error instanceof AppError && /^SQLITE_(BUSY|LOCKED)/.test(errorCode(error.cause));
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AppError('CANCELLED', 'The work was cancelled.');
}
