/**
 * One connection to a SQLite database: the only place that touches the driver. Statements always run to their end here, so
 * none stays open and holds a snapshot; text is never fetched as text where its bytes matter, since the driver ends the
 * process on invalid UTF-8 and cuts text at a NUL.
 */
import { existsSync } from 'node:fs';
import Libsql from 'libsql';
import type { Clock } from '../../domain/ambient';
import { AppError } from '../../domain/errors';
import { isBusy, throwIfAborted, toSourceError } from './errors';

export type SqlValue = null | bigint | number | string | Buffer;

/** Short, because waiting inside SQLite blocks the thread; longer waits go through `whenFree`. */
const BUSY_TIMEOUT_MS = 50;
const BUSY_PATIENCE_MS = 10_000;
const BUSY_PAUSE_MS = 50;
const MAX_CACHED_STATEMENTS = 200;

export class Database {
  private readonly statements = new Map<string, Libsql.Statement>();

  private constructor(
    private readonly handle: Libsql.Database,
    readonly path: string,
  ) {}

  /** Opens a database file; throws SOURCE_UNAVAILABLE where there is none, unless it may be created. */
  static open(path: string, options: { create?: boolean } = {}): Database {
    if (!options.create && !existsSync(path)) throw noSuchFile(path);
    const database = new Database(
      guarded(() => new Libsql(path)),
      path,
    );
    // The driver would sort in memory, however large a table is.
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}; PRAGMA temp_store = FILE`);
    return database;
  }

  /** Runs statements without parameters. */
  exec(sql: string): void {
    guarded(() => this.handle.exec(sql));
  }

  /** Rows as arrays; integers are bigints. */
  rows(sql: string, parameters: readonly SqlValue[] = []): SqlValue[][] {
    return guarded(() => this.statement(sql).all([...parameters]) as SqlValue[][]);
  }

  /** How many columns the rows of a query have; runs nothing. */
  columnCount(sql: string): number {
    return guarded(() => this.statement(sql).columns().length);
  }

  /** The first field of the first row, or null. */
  value(sql: string, parameters: readonly SqlValue[] = []): SqlValue {
    return this.rows(sql, parameters)[0]?.[0] ?? null;
  }

  /** Runs one statement and says how many rows it changed. */
  run(sql: string, parameters: SqlValue[]): number {
    return guarded(() => this.statement(sql).run(parameters).changes);
  }

  get inTransaction(): boolean {
    return this.handle.open && this.handle.inTransaction;
  }

  rollback(): void {
    if (this.inTransaction) this.exec('ROLLBACK');
  }

  /** Ends an open transaction and the connection. Idempotent. */
  close(): void {
    if (!this.handle.open) return;
    try {
      this.rollback();
    } finally {
      this.statements.clear();
      this.handle.close();
    }
  }

  private statement(sql: string): Libsql.Statement {
    const known = this.statements.get(sql);
    if (known) return known;
    if (this.statements.size >= MAX_CACHED_STATEMENTS) this.statements.clear();
    const statement = this.handle.prepare(sql).safeIntegers(true);
    // The driver refuses to set it on a statement that gives no rows.
    if (statement.reader) statement.raw();
    this.statements.set(sql, statement);
    return statement;
  }
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toSourceError(error);
  }
}

function noSuchFile(path: string): AppError {
  return new AppError('SOURCE_UNAVAILABLE', `There is no SQLite database at ${path}.`, {
    hint: 'Check the path in the url of the source.',
    retryable: true,
  });
}

/** Repeats `work` while another writer holds the lock, without blocking the thread meanwhile; gives up after a while. */
export async function whenFree<T>(clock: Clock, work: () => T, signal?: AbortSignal): Promise<T> {
  const deadlineMs = clock.monotonicMs() + BUSY_PATIENCE_MS;
  for (;;) {
    throwIfAborted(signal);
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || clock.monotonicMs() >= deadlineMs) throw error;
    }
    await clock.sleep(BUSY_PAUSE_MS, signal);
  }
}

/**
 * Puts the database into WAL mode, which it keeps: only there do readers and writers leave each other alone.
 * Throws SOURCE_UNAVAILABLE where that can't be had.
 */
export async function useWriteAheadLog(database: Database, clock: Clock, signal?: AbortSignal): Promise<void> {
  const mode = await whenFree(clock, () => database.value('PRAGMA journal_mode = WAL'), signal);
  if (mode === 'wal') return;
  throw new AppError('SOURCE_UNAVAILABLE', `The source database stays in journal mode ${String(mode)}, not WAL.`, {
    hint: 'Grant write access to the file and its folder, on a local disk, so that it can be switched to WAL mode.',
  });
}

/** The file that a `sqlite:` url names. */
export function pathOfUrl(url: string): string {
  const path = url.replace(/^sqlite:(\/\/)?/, '');
  if (path !== '' && url.startsWith('sqlite:')) return path;
  throw new AppError('CONFIG_INVALID', 'The url of a SQLite source must read sqlite:<path>.');
}
