/**
 * Watches for statements that wait on the metadata locks which open snapshots hold, such as an ALTER TABLE. Behind one that
 * waits, the whole platform's statements on that table queue up: past the patience a backup gives way.
 */
import { AppError } from '../../domain/errors';
import type { Clock, Log } from '../../domain/ambient';
import { quoteText } from './sql';
import type { Session } from './session';

const LOOK_EVERY_MS = 1000;

export interface LockWatchOptions {
  session: Session;
  clock: Clock;
  log: Log;
  patienceMs: number;
  tables: readonly string[];
  /** Called once, when a statement waited too long. */
  onExceeded: (error: AppError) => void;
  signal: AbortSignal;
}

/** Runs until `signal` aborts or a statement waited too long. Never throws: not being able to watch is no reason to fail. */
export async function watchLocks(options: LockWatchOptions): Promise<void> {
  const { clock, log, signal, patienceMs } = options;
  const everyMs = Math.max(20, Math.min(LOOK_EVERY_MS, patienceMs / 2));
  const firstSeen = new Map<string, number>();
  try {
    while (!signal.aborted) {
      const waited = await longestWait(options, firstSeen);
      if (waited && waited.ms >= patienceMs) return options.onExceeded(gaveWay(waited.id, waited.ms));
      await clock.sleep(everyMs, signal);
    }
  } catch (error) {
    if (!signal.aborted)
      log.warn('Statements waiting on this backup can no longer be watched.', { error: String(error) });
  }
}

/** Waits are timed from when they were first seen: the server's own time counts from the statement's start. */
async function longestWait(
  { session, tables, clock }: LockWatchOptions,
  firstSeen: Map<string, number>,
): Promise<{ id: string; ms: number } | null> {
  // Only the waiting statement's text tells which table it wants: the lock's own table is not visible on every server.
  const named = tables.map((table) => `LOCATE(${quoteText(table)}, INFO) > 0`).join(' OR ');
  const rows = await session.rows(
    `SELECT ID AS id FROM information_schema.PROCESSLIST
     WHERE STATE = 'Waiting for table metadata lock' AND (${named || 'FALSE'})`,
  );
  const waiting = rows.map(({ id }) => String(id));
  for (const id of firstSeen.keys()) if (!waiting.includes(id)) firstSeen.delete(id);
  const nowMs = clock.monotonicMs();
  for (const id of waiting) if (!firstSeen.has(id)) firstSeen.set(id, nowMs);
  const [oldest] = [...firstSeen].sort((a, b) => a[1] - b[1]);
  return oldest ? { id: oldest[0], ms: nowMs - oldest[1] } : null;
}

function gaveWay(id: string, waitedMs: number): AppError {
  const seconds = Math.round(waitedMs / 1000);
  const message = `Connection ${id} of the source has waited ${seconds} s for a table that this backup reads.`;
  return new AppError('SOURCE_UNAVAILABLE', `${message} The backup gave way.`, {
    hint: 'Run backups at another time than schema changes, or raise metadataLockPatienceMs.',
    retryable: true,
  });
}
