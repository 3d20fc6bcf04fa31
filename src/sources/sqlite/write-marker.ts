/**
 * The marker that a job's writing leaves in the same transaction: whether it is there settles, after a crash or a lost
 * answer, whether the writing is.
 */
import type { Clock } from '../../domain/ambient';
import type { Database } from './database';
import { objectKind } from './introspect';

export const MARKER_TABLE = '_riskvault_writes';

/** Markers older than this are of jobs long settled. */
const KEEP_DAYS = 30;
const DAY_MS = 86_400_000;

export function leaveMarker(database: Database, jobId: string, clock: Clock): void {
  const now = clock.now();
  const horizon = new Date(now.getTime() - KEEP_DAYS * DAY_MS);
  database.exec(
    `CREATE TABLE IF NOT EXISTS ${MARKER_TABLE} (job_id TEXT PRIMARY KEY NOT NULL, written_at TEXT NOT NULL)`,
  );
  database.run(`DELETE FROM ${MARKER_TABLE} WHERE written_at < ?`, [horizon.toISOString()]);
  database.run(`INSERT OR REPLACE INTO ${MARKER_TABLE} VALUES (?, ?)`, [jobId, now.toISOString()]);
}

export function hasMarker(database: Database, jobId: string): boolean {
  if (!hasMarkerTable(database)) return false;
  return database.rows(`SELECT 1 FROM ${MARKER_TABLE} WHERE job_id = ?`, [jobId]).length > 0;
}

export function hasMarkerTable(database: Database): boolean {
  return objectKind(database, MARKER_TABLE) === 'TABLE';
}
