/**
 * The one error type of the whole program and its closed set of codes.
 *
 * Adapters (sources, repository, catalog) translate what they catch at their edge into an AppError and add the table or
 * object they touched. Everything above decides by `code` and `retryable` alone, never by message.
 */

/** Codes that the API's `ErrorCode` enum publishes: something a caller can cause, see or mend. */
export const PUBLIC_ERROR_CODES = [
  'INVALID_INPUT',
  'NOT_FOUND',
  'CONFLICT',
  'IDEMPOTENCY_KEY_REUSED',
  'PLAN_DRIFTED',
  'PLAN_EXPIRED',
  'LEGAL_HOLD',
  'NOT_CANCELABLE',
  'BACKUP_NOT_RESTORABLE',
  'INTEGRITY_FAILURE',
  'SOURCE_UNAVAILABLE',
  'REPOSITORY_UNAVAILABLE',
  'REPOSITORY_FULL',
  'WRONG_PASSPHRASE',
  'FORMAT_TOO_NEW',
  'SCHEMA_MISMATCH',
  'CURSOR_EXPIRED',
  'FORBIDDEN',
] as const;

/** Codes that stay inside: how the program itself failed or was stopped. */
export const INTERNAL_ERROR_CODES = [
  'CONFIG_INVALID',
  'CATALOG_UNAVAILABLE',
  'CANCELLED',
  'LEASE_LOST',
  'WORKER_DIED',
  'INTERNAL',
] as const;

export type PublicErrorCode = (typeof PUBLIC_ERROR_CODES)[number];
export type ErrorCode = PublicErrorCode | (typeof INTERNAL_ERROR_CODES)[number];

export interface AppErrorOptions {
  /** What the reader should do next, one sentence, imperative. */
  hint?: string;
  /** True when the same work may succeed later without anybody changing anything. Default false. */
  retryable?: boolean;
  /** Input field that caused it, outermost first, e.g. `['input', 'businessId']`. */
  path?: readonly string[];
  /** True when something of the work may still be where it was done, so that only another attempt can take it away. Default false. */
  unsettled?: boolean;
  cause?: unknown;
}

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly path: readonly string[] | undefined;
  readonly unsettled: boolean;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.hint = options.hint;
    this.retryable = options.retryable ?? false;
    this.path = options.path;
    this.unsettled = options.unsettled ?? false;
  }
}

/** An AppError as plain data: it crosses worker threads and is stored as a job's failure. */
export interface ErrorData {
  code: ErrorCode;
  message: string;
  hint?: string;
  retryable: boolean;
  path?: readonly string[];
  unsettled?: true;
}

export function isAppError(error: unknown): error is AppError {
  return error instanceof AppError;
}

/** Any thrown value as an AppError; what nobody foresaw becomes INTERNAL and keeps its cause. */
export function toAppError(error: unknown): AppError {
  if (isAppError(error)) return error;
  if ((error as { name?: unknown } | null)?.name === 'AbortError') {
    return new AppError('CANCELLED', 'The work was cancelled.', { cause: error });
  }
  return new AppError('INTERNAL', messageOf(error), { cause: error });
}

/** By shape, not by class: errors may come from another realm, as Node's own do in a sandbox. */
function messageOf(error: unknown): string {
  const message = (error as { message?: unknown } | null)?.message;
  return typeof message === 'string' ? message : String(error);
}

export function toErrorData(error: unknown): ErrorData {
  const { code, message, hint, retryable, path, unsettled } = toAppError(error);
  return { code, message, hint, retryable, path, ...(unsettled && { unsettled }) };
}

export function fromErrorData(data: ErrorData): AppError {
  const { code, message, ...options } = data;
  return new AppError(code, message, options);
}

export function isPublicErrorCode(code: ErrorCode): code is PublicErrorCode {
  return (PUBLIC_ERROR_CODES as readonly string[]).includes(code);
}
