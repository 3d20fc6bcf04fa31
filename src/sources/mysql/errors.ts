/** Translates what the driver and the server throw into the project's errors: the one place that knows their codes. */
import { AppError, isAppError, type ErrorCode } from '../../domain/errors';

interface Translation {
  code: ErrorCode;
  text: string;
  hint: string;
  retryable?: boolean;
}

const lost: Translation = {
  code: 'SOURCE_UNAVAILABLE',
  text: 'The connection to the source was lost or could not be made.',
  hint: 'Check that the database server runs and can be reached, then try again.',
  retryable: true,
};
const denied: Translation = {
  code: 'SOURCE_UNAVAILABLE',
  text: 'The source does not grant this user what is needed.',
  hint: 'Run `npm run doctor`: it prints the GRANT statements that each capability needs.',
};
const stranger: Translation = {
  code: 'SOURCE_UNAVAILABLE',
  text: 'The source refuses the user or the password.',
  hint: "Check the user and the password in the source's URL, and that the server lets this user in from this machine.",
};
const nowhere: Translation = {
  code: 'SCHEMA_MISMATCH',
  text: 'The source has no such database.',
  hint: "Check the name of the database in the source's URL, or create the database.",
};
const busy: Translation = {
  code: 'SOURCE_UNAVAILABLE',
  text: 'The source was busy: a lock was not granted in time, or its server ended the statement.',
  hint: 'Try again when the statements that hold the locks are done.',
  retryable: true,
};
const full: Translation = {
  code: 'SOURCE_UNAVAILABLE',
  text: 'The source has no room left.',
  hint: 'Free space on the database server and start again.',
};
const changed: Translation = {
  code: 'SOURCE_UNAVAILABLE',
  text: 'A table was altered while it was about to be read.',
  hint: 'Try again when the schema change is done.',
  retryable: true,
};
const mismatch: Translation = {
  code: 'SCHEMA_MISMATCH',
  text: 'The source does not have the tables or columns as expected.',
  hint: 'Compare the mapping and the backup with the tables as they are now.',
};
const misfit: Translation = {
  code: 'SCHEMA_MISMATCH',
  text: 'A value does not fit its column in the source.',
  hint: 'Compare the column types of the backup with those of the tables as they are now.',
};
const refused: Translation = {
  code: 'CONFLICT',
  text: 'A rule of the source refuses a row.',
  hint: 'Rows that came later stand in the way; look at them, then restore again.',
};
const readOnly: Translation = {
  code: 'SOURCE_UNAVAILABLE',
  text: 'The source takes no writes: it is read-only.',
  hint: 'Restore into a primary server, or end its read-only mode.',
};

const BY_NUMBER: Record<number, Translation> = {};
const register = (translation: Translation, numbers: number[]): void => {
  for (const number of numbers) BY_NUMBER[number] = translation;
};
register(lost, [1040, 1053, 1129, 1152, 1153, 1158, 1159, 1160, 1161, 1203, 1927, 2006, 2013, 3032, 4031]);
// 1401 is how MySQL answers XA RECOVER to a user without XA_RECOVER_ADMIN.
register(denied, [1044, 1095, 1141, 1142, 1143, 1227, 1370, 1401, 1410, 1419]);
register(stranger, [1045, 1130, 1698, 3118]);
register(nowhere, [1049]);
register(busy, [1205, 1213, 1317, 1969, 1792, 3024, 3572]);
register(full, [1021, 1026, 1114, 1030]);
register(changed, [1412]);
register(mismatch, [1051, 1054, 1072, 1146, 1347]);
register(misfit, [1048, 1136, 1264, 1265, 1292, 1364, 1366, 1406, 1411, 1300, 3140, 3144]);
register(refused, [1062, 1216, 1217, 1451, 1452, 3819, 4025]);
register(readOnly, [1290, 1836]);

const LOST_CODES = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'PROTOCOL_ERROR',
  'PROTOCOL_UNEXPECTED_PACKET',
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);

/** Any thrown value as an AppError; `doing` says what was attempted, e.g. `reading table businesses`. */
export function toSourceError(error: unknown, doing?: string): AppError {
  if (isAppError(error)) return error;
  const translation = translationOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const where = doing ? ` While ${doing}:` : '';
  if (!translation) return new AppError('INTERNAL', `The source answered:${where} ${message}`, { cause: error });
  const { code, text, hint, retryable } = translation;
  return new AppError(code, `${text}${where} ${message}`, { hint, retryable, cause: error });
}

function translationOf(error: unknown): Translation | undefined {
  const number = serverErrorNumber(error);
  if (number !== null) return BY_NUMBER[number];
  const { code, fatal } = (error ?? {}) as { code?: unknown; fatal?: unknown };
  if (typeof code === 'string' && LOST_CODES.has(code)) return lost;
  return fatal === true ? lost : undefined;
}

/** The server's own error number, also of an AppError that was made from it; null where the server did not answer. */
export function serverErrorNumber(error: unknown): number | null {
  if (isAppError(error)) return error.cause === undefined ? null : serverErrorNumber(error.cause);
  const number = (error as { errno?: unknown } | null)?.errno;
  // The operating system's numbers are negative.
  return typeof number === 'number' && number >= 1000 ? number : null;
}

/** The server ended the statement because it took longer than the session allows. */
export function isStatementTimeout(error: unknown): boolean {
  const number = serverErrorNumber(error);
  return number === 1969 || number === 3024;
}

export function isDuplicateKey(error: unknown): boolean {
  return serverErrorNumber(error) === 1062;
}

export function isAccessDenied(error: unknown): boolean {
  const number = serverErrorNumber(error);
  return number !== null && (BY_NUMBER[number] === denied || BY_NUMBER[number] === stranger);
}

/** The user may connect, but not enter the database that the source's URL names. */
export function isDatabaseDenied(error: unknown): boolean {
  return serverErrorNumber(error) === 1044;
}

/** True where the connection went away without an answer, so that what was asked may or may not have happened. */
export function isConnectionLost(error: unknown): boolean {
  const cause = isAppError(error) ? error.cause : error;
  return translationOf(cause) === lost;
}

export function cancelled(): AppError {
  return new AppError('CANCELLED', 'The work was cancelled.');
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled();
}
