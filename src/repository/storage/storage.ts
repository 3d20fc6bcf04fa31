/**
 * The storage port: named, immutable objects. What the repository demands of anything it is kept in; the contract suite in
 * test/contract runs against every implementation.
 *
 * Guarantees: an object appears whole and durable or not at all; a name is written at most once; a listing is complete or
 * throws. Every failure is a StorageError.
 */
import { AppError, type ErrorCode } from '../../domain/errors';

export interface ObjectInfo {
  name: string;
  sizeBytes: number;
}

export interface ObjectStat extends ObjectInfo {
  modifiedAt: Date;
}

export interface Storage {
  /** Where it is, for people, e.g. `file:/var/lib/riskvault`. */
  readonly location: string;
  /** Writes an object, durable when it resolves. Throws EXISTS if the name is taken, and changes nothing then. */
  put(name: string, bytes: Buffer): Promise<void>;
  /** Starts an object that is written piece by piece; it appears at `commit` or never. */
  openWriter(name: string): Promise<ObjectWriter>;
  /** The whole object; throws MISSING. */
  get(name: string): Promise<Buffer>;
  /** Exactly `length` bytes from `offset`; throws MISSING, or TRUNCATED when the object ends before. */
  getRange(name: string, offset: number, length: number): Promise<Buffer>;
  /** Every object whose name starts with `prefix` ('' or ending in '/'), unordered; complete, or it throws. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  stat(name: string): Promise<ObjectStat | null>;
  /** Removes an object; resolves also when there is none. */
  delete(name: string): Promise<void>;
  /** Removes what writers that never finished left behind before `before`. */
  removeAbandoned(before: Date): Promise<void>;
  /** Bytes that can still be stored; null where nobody knows. */
  freeBytes(): Promise<number | null>;
}

export interface ObjectWriter {
  /** Appends; resolves when more may come (backpressure). Calls must not overlap. */
  write(bytes: Buffer): Promise<void>;
  /** Makes the object durable and visible under its name. Throws EXISTS if the name was taken meanwhile. */
  commit(): Promise<void>;
  /** Leaves nothing behind. Idempotent; harmless after `commit`. */
  abort(): Promise<void>;
}

export type StorageFault = 'EXISTS' | 'MISSING' | 'TRUNCATED' | 'FULL' | 'UNAVAILABLE' | 'BAD_NAME';

const CODES: Record<StorageFault, ErrorCode> = {
  EXISTS: 'CONFLICT',
  MISSING: 'NOT_FOUND',
  TRUNCATED: 'INTEGRITY_FAILURE',
  FULL: 'REPOSITORY_FULL',
  UNAVAILABLE: 'REPOSITORY_UNAVAILABLE',
  BAD_NAME: 'INVALID_INPUT',
};

const HINTS: Record<StorageFault, string | undefined> = {
  EXISTS: undefined,
  MISSING: undefined,
  TRUNCATED: 'Run a check of the repository at level DATA.',
  FULL: 'Free some MB where the repository is, or give its disk more; then delete backups and run a cleanup, which both write a little before they free anything.',
  UNAVAILABLE: 'See that the repository can be reached and that the service may read and write there.',
  BAD_NAME: undefined,
};

export class StorageError extends AppError {
  constructor(
    readonly fault: StorageFault,
    readonly objectName: string,
    detail: { message: string; cause?: unknown },
  ) {
    const { message, cause } = detail;
    super(CODES[fault], message, { hint: HINTS[fault], retryable: fault === 'UNAVAILABLE', cause });
    this.name = 'StorageError';
  }
}

export function isStorageFault(error: unknown, fault: StorageFault): error is StorageError {
  return error instanceof StorageError && error.fault === fault;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;

/** Refuses everything that is not a plain object name: absolute, dotted, with backslashes, spaces or control characters. */
export function assertObjectName(name: string): void {
  if (name.length <= 255 && NAME.test(name)) return;
  throw new StorageError('BAD_NAME', name, { message: `"${name.slice(0, 80)}" is no object name.` });
}

export function assertPrefix(prefix: string): void {
  if (prefix !== '' && !prefix.endsWith('/')) {
    throw new StorageError('BAD_NAME', prefix, { message: `The prefix "${prefix.slice(0, 80)}" does not end in "/".` });
  }
  if (prefix !== '') assertObjectName(prefix.slice(0, -1));
}
