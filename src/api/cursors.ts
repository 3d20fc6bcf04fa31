/**
 * Cursors, opaque to clients.
 * - Of a list: where a record stands in the list's order, bound to list, filter and order; with another of these it is refused.
 * - Of a record of a backup: which row of which key range comes next.
 * - Of a change that a comparison found: which row of which of its lists comes next.
 * - Of a row in conflict: which row of which table comes next.
 * - Of an event: its job, its sequence there and its place among all events, so that it serves `jobEvents`, `Job.events` and
 *   `jobUpdates` alike.
 */
import { createHash } from 'node:crypto';
import type { JobEventRecord, KeysetPosition } from '../catalog/catalog';
import type { ChangePlace, HistoryPlace, RecordPlace } from '../domain/backup-reader';
import type { ConflictPlace } from '../domain/restore-conflict';
import { AppError } from '../domain/errors';
import { isUuid, type BackupId } from '../domain/ids';
import { canonicalJson } from '../services/idempotency';

const MAX_LENGTH = 300;
const FINGERPRINT_LENGTH = 12;

/** What a list cursor is bound to: the list's name, filter and order. */
export function listFingerprint(...parts: unknown[]): string {
  return createHash('sha256').update(canonicalJson(parts)).digest('base64url').slice(0, FINGERPRINT_LENGTH);
}

export function toListCursor(fingerprint: string, { value, id }: KeysetPosition): string {
  return encode([fingerprint, value, id]);
}

/** Throws INVALID_INPUT for a cursor that is malformed or was made by another list, filter or order. */
export function parseListCursor(cursor: string, fingerprint: string, path: readonly string[]): KeysetPosition {
  const [boundTo, value, id] = decode(cursor, path);
  const isPosition = typeof id === 'string' && isUuid(id) && (value === null || Number.isFinite(value));
  if (typeof boundTo !== 'string' || !isPosition) throw malformed(path);
  if (boundTo === fingerprint) return { value: value as number | null, id };
  throw otherList(path);
}

function otherList(path: readonly string[]): AppError {
  return new AppError('INVALID_INPUT', 'The cursor belongs to another filter or order.', {
    hint: 'Go on with the filter and order that gave the cursor, or start again without one.',
    path,
  });
}

/** Of records of a backup: bound to the backup, its table and filter, and within to one state of its layers. */
export function toRecordCursor(fingerprint: string, { state, span, row }: RecordPlace): string {
  return encode([fingerprint, state, span, row]);
}

/** Throws as `parseListCursor`. */
export function parseRecordCursor(cursor: string, fingerprint: string, path: readonly string[]): RecordPlace {
  const [boundTo, state, span, row] = decode(cursor, path, 4);
  if (typeof boundTo !== 'string' || typeof state !== 'string' || !isCount(span) || !isCount(row))
    throw malformed(path);
  if (boundTo !== fingerprint) throw otherList(path);
  return { state, span, row };
}

/** Of rows in conflict: bound to their plan. */
export function toConflictCursor(fingerprint: string, { table, row }: ConflictPlace): string {
  return encode([fingerprint, table, row]);
}

/** Throws as `parseListCursor`. */
export function parseConflictCursor(cursor: string, fingerprint: string, path: readonly string[]): ConflictPlace {
  const [boundTo, table, row] = decode(cursor, path);
  if (typeof boundTo !== 'string' || !isCount(table) || !isCount(row)) throw malformed(path);
  if (boundTo !== fingerprint) throw otherList(path);
  return { table, row };
}

/** Of versions of a record: bound to source, table and key. */
export function toHistoryCursor(fingerprint: string, { run, seen, isGiven, before }: HistoryPlace): string {
  return encode([fingerprint, run, seen, isGiven ? 1 : 0, before]);
}

/** Throws as `parseListCursor`. */
export function parseHistoryCursor(cursor: string, fingerprint: string, path: readonly string[]): HistoryPlace {
  const [boundTo, run, seen, isGiven, before] = decode(cursor, path, 5);
  const isPlace = isIdOrNull(run) && isIdOrNull(before) && isIdOrNull(seen) && seen !== null;
  if (typeof boundTo !== 'string' || !isPlace) throw malformed(path);
  if (boundTo !== fingerprint) throw otherList(path);
  return { run, seen, isGiven: isGiven === 1, before };
}

/** Of changes: bound to the comparison, its tables and kinds. */
export function toChangeCursor(fingerprint: string, { list, span, row }: ChangePlace): string {
  return encode([fingerprint, list, span, row]);
}

/** Throws as `parseListCursor`. */
export function parseChangeCursor(cursor: string, fingerprint: string, path: readonly string[]): ChangePlace {
  const [boundTo, list, span, row] = decode(cursor, path, 4);
  if (typeof boundTo !== 'string' || !isCount(list) || !isCount(span) || !isCount(row)) throw malformed(path);
  if (boundTo !== fingerprint) throw otherList(path);
  return { list, span, row };
}

function isIdOrNull(value: unknown): value is BackupId | null {
  return value === null || (typeof value === 'string' && isUuid(value));
}

export function toEventCursor({ jobId, sequence, globalSequence }: JobEventRecord): string {
  return encode([jobId, sequence, globalSequence]);
}

/** The sequence within its job; throws INVALID_INPUT for malformed cursors and those of another job. */
export function parseJobEventCursor(cursor: string, jobId: string, path: readonly string[]): number {
  const event = parseEventCursor(cursor, path);
  if (event.jobId === jobId) return event.sequence;
  throw new AppError('INVALID_INPUT', "The cursor is one of another job's events.", { hint: HINT, path });
}

/** The place among all events. */
export function parseGlobalEventCursor(cursor: string, path: readonly string[]): number {
  return parseEventCursor(cursor, path).globalSequence;
}

const HINT = 'Give the cursor of the last event you saw, or none.';

function parseEventCursor(cursor: string, path: readonly string[]) {
  const [jobId, sequence, globalSequence] = decode(cursor, path);
  if (typeof jobId !== 'string' || !isUuid(jobId) || !isCount(sequence) || !isCount(globalSequence)) {
    throw malformed(path);
  }
  return { jobId, sequence, globalSequence };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function malformed(path: readonly string[]): AppError {
  return new AppError('INVALID_INPUT', 'The cursor is malformed.', {
    hint: 'Give a cursor as this API gave it.',
    path,
  });
}

function encode(parts: readonly (string | number | null)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

function decode(cursor: string, path: readonly string[], length = 3): unknown[] {
  if (cursor.length > MAX_LENGTH) throw malformed(path);
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(parts) && parts.length === length) return parts;
  } catch {
    // because: whatever can't be read is answered below like any other malformed cursor
  }
  throw malformed(path);
}
