/**
 * Writes to a SQLite file, one after another, durable before anybody hears of them, and without holding up the thread.
 *
 * SQLite itself waits for the disk inside COMMIT, on the event loop: a busy disk takes tens of milliseconds. So the connection runs
 * with `synchronous = NORMAL`, where COMMIT only appends to the write-ahead log and only a checkpoint waits for the disk
 * (https://www.sqlite.org/pragma.html#pragma_synchronous). The log is then synced here, on libuv's threads, before the write
 * resolves; checkpoints run on a thread of their own, while the next write waits. (What SQLite still syncs by itself is the header
 * of a log that begins anew, once after each checkpoint.) What is promised is that of `synchronous = FULL`: a write that was
 * acknowledged, or shown by a read, survives a power cut.
 *
 * Only the log is ever opened beside SQLite: closing a second handle of the database file would drop SQLite's locks on it
 * (https://www.sqlite.org/howtocorrupt.html, section 2.2).
 */
import { open, realpath } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { Log } from '../domain/ambient';
import { AppError } from '../domain/errors';
import { WriteLine } from './write-line';

/** The write-ahead log; a file handle is one. */
export interface WriteAheadLog {
  /** Resolves once everything written to it is on the disk. */
  datasync(): Promise<void>;
  close(): Promise<void>;
}

export interface SqliteWritesOptions {
  /** The database file, already opened in WAL mode by a connection that outlives this object. */
  path: string;
  log: Log;
  /** For tests: the log, if not the file beside the database. */
  openWal?: (path: string) => Promise<WriteAheadLog>;
}

/** A write changes 2 to 20 pages of 4 KiB: the log stays below 12 MiB. */
const WRITES_PER_CHECKPOINT = 128;

const openFile = (path: string): Promise<WriteAheadLog> => open(path, 'r+');

export class SqliteWrites {
  private readonly line: WriteLine;
  private underWay: Promise<unknown> = Promise.resolve();
  private writes = 0;
  private failure: AppError | null = null;

  private constructor(
    private readonly options: SqliteWritesOptions,
    private readonly wal: WriteAheadLog,
  ) {
    this.line = WriteLine.join(options.path);
  }

  /** What was written before, e.g. by migrations, is made durable too. */
  static async open(options: SqliteWritesOptions): Promise<SqliteWrites> {
    const path = await realpath(options.path); // SQLite keeps the log beside the file that a link leads to
    const writes = new SqliteWrites({ ...options, path }, await (options.openWal ?? openFile)(`${path}-wal`));
    try {
      await writes.sync();
      return writes;
    } catch (error) {
      await writes.close();
      throw error;
    }
  }

  /**
   * Runs `transaction`, which must have committed when it resolves, after all that came before it. Resolves once its commit is on
   * the disk. After the disk failed to take one, every later write throws CATALOG_UNAVAILABLE: what the log holds is not known then.
   */
  run<T>(transaction: () => Promise<T>): Promise<T> {
    return this.line.run(() => {
      const write = this.commit(transaction);
      this.underWay = write.catch(() => undefined); // because its own caller gets the error
      return write;
    });
  }

  /** Resolves once every commit that can be seen by now is on the disk; throws as `run` does after the disk failed. */
  async durable(): Promise<void> {
    await this.underWay;
    if (this.failure) throw this.failure;
  }

  /** Resolves once every write that was asked for has ended. */
  idle(): Promise<void> {
    return this.line.idle();
  }

  /** Before the connections close; no write may follow. */
  async close(): Promise<void> {
    await this.idle();
    await this.wal.close();
    this.line.leave();
  }

  private async commit<T>(transaction: () => Promise<T>): Promise<T> {
    if (this.failure) throw this.failure;
    // Before this write, not after the last: nobody waits for it who could be answered. Then the log begins anew.
    if (this.writes > 0 && this.writes % WRITES_PER_CHECKPOINT === 0) await runCheckpoint(this.options);
    const result = await transaction();
    await this.sync();
    this.writes += 1;
    return result;
  }

  private async sync(): Promise<void> {
    try {
      await this.wal.datasync();
    } catch (cause) {
      this.failure = new AppError('CATALOG_UNAVAILABLE', 'The disk did not take a write to the catalog.', {
        cause,
        hint: 'Check the disk and its free space, then restart the service.',
      });
      throw this.failure;
    }
  }
}

/** Runs in the thread. PASSIVE waits for nobody and holds nobody up. */
const CHECKPOINT = `
const { driver, path } = require('node:worker_threads').workerData;
const database = new (require(driver))(path);
database.pragma('wal_checkpoint(PASSIVE)');
database.close();
`;

/** One that fails costs nothing but room: the log grows until the next. */
function runCheckpoint({ path, log }: SqliteWritesOptions): Promise<void> {
  return new Promise((resolve) => {
    const workerData = { driver: require.resolve('libsql'), path };
    const thread = new Worker(CHECKPOINT, { eval: true, workerData, resourceLimits: { maxOldGenerationSizeMb: 32 } });
    thread.on('error', (error) => log.warn("The catalog's write-ahead log could not be checkpointed.", { error }));
    thread.on('exit', () => resolve());
  });
}
