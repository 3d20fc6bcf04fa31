/** The catalog's edge: whatever TypeORM and the drivers throw becomes an AppError here. */
import { AppError, isAppError } from '../domain/errors';

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
  'PROTOCOL_CONNECTION_LOST',
  'ER_CON_COUNT_ERROR',
  'ER_SERVER_SHUTDOWN',
  'ER_CONNECTION_KILLED',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_LOCK_DEADLOCK',
  'ER_OPTION_PREVENTS_STATEMENT',
  'POOL_CLOSED',
]);
const SQLITE_PASSING = ['SQLITE_BUSY', 'SQLITE_LOCKED'];
const SQLITE_BROKEN = ['SQLITE_FULL', 'SQLITE_IOERR', 'SQLITE_CANTOPEN', 'SQLITE_READONLY'];
const SQLITE_DAMAGED = ['SQLITE_NOTADB', 'SQLITE_CORRUPT'];
const REFUSED = [
  'ER_ACCESS_DENIED_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
  'ER_BAD_DB_ERROR',
  'ER_TABLEACCESS_DENIED_ERROR',
];
/** The database or its tables went while the service ran. */
const GONE = ['ER_NO_DB_ERROR', 'ER_NO_SUCH_TABLE'];
const TRY_AGAIN = ['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'SQLITE_BUSY_SNAPSHOT'];

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { code, driverError } = error as { code?: unknown; driverError?: { code?: unknown } };
  const found = code ?? driverError?.code;
  return typeof found === 'string' ? found : '';
}

/** True where the server rolled the transaction back for another one's sake, so that it can simply run again. */
export function isCollision(error: unknown): boolean {
  return TRY_AGAIN.includes(codeOf(error));
}

export function translateCatalogError(error: unknown): AppError {
  if (isAppError(error)) return error;
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (UNREACHABLE.has(code) || SQLITE_PASSING.some((prefix) => code.startsWith(prefix))) {
    return unavailable(
      `The catalog can't be reached: ${message}`,
      'Check the catalog database; the work goes on by itself.',
      error,
    );
  }
  if (SQLITE_BROKEN.some((prefix) => code.startsWith(prefix))) {
    return unavailable(
      `The catalog file can't be used: ${message}`,
      'Check free space and permissions of the catalog file.',
      error,
    );
  }
  if (SQLITE_DAMAGED.some((prefix) => code.startsWith(prefix))) {
    return unavailable(
      `The catalog file is damaged: ${message}`,
      'Stop the service, move the file and those beside it (-wal, -shm) away, and start again: it is rebuilt from the repository ' +
        '(docs/disaster-runbook.md, chapter 2).',
      error,
    );
  }
  if (REFUSED.includes(code)) {
    return unavailable(
      `The catalog refused access: ${message}`,
      'Create the database and grant the catalog user all rights on it.',
      error,
    );
  }
  if (GONE.includes(code)) {
    return unavailable(
      `The catalog's database or one of its tables is gone: ${message}`,
      'Bring it back, or create it empty, and restart the service: backups are found again in the repository.',
      error,
    );
  }
  return new AppError('INTERNAL', `The catalog failed: ${message}`, { cause: error });
}

function unavailable(message: string, hint: string, cause: unknown): AppError {
  return new AppError('CATALOG_UNAVAILABLE', message, { hint, retryable: true, cause });
}
