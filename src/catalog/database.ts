/**
 * One way to read and one way to write, for both engines.
 *
 * On SQLite TypeORM shares one connection among all callers, so that a write made while another caller's transaction is open
 * would be lost with its rollback: here every write waits in one line, and reads use a connection of their own, which sees only
 * what is committed; what a read saw is handed out once it is durable. On MariaDB both use the pool.
 *
 * A write takes the event counter's row first. That lock makes transitions of jobs happen one after another in all processes:
 * global sequences are allocated in commit order, guards can't race, and two transactions never wait for each other in a circle.
 */
import type { DataSource, EntityManager } from 'typeorm';
import type { Clock, Random } from '../domain/ambient';
import type { JobId } from '../domain/ids';
import type { CatalogEngine } from './data-source';
import { CounterEntity } from './entities';
import { isCollision, translateCatalogError } from './translate-error';
import type { SqliteWrites } from './sqlite-writes';

/** Called after a commit, for each job that got an event. It must not throw. */
export type OnEvent = (jobId: JobId) => void;

export interface DatabaseOptions {
  engine: CatalogEngine;
  writer: DataSource;
  reader: DataSource;
  /** Where writes wait for each other, and for the disk, on SQLite; null on MariaDB. */
  writes: SqliteWrites | null;
  clock: Clock;
  random: Random;
  onEvent: OnEvent;
}

/** One transaction under way: jobs touched in it are announced once it has committed. */
export interface Write {
  readonly manager: EntityManager;
  /** One moment for everything the transaction writes. */
  readonly now: Date;
  announce(jobId: JobId): void;
}

/** The newest global sequence given out. */
export const EVENT_COUNTER = 'events';
/** The highest global sequence whose event was deleted: older cursors have expired. */
export const DELETED_COUNTER = 'events_deleted';
const MAX_COLLISIONS = 5;

export class Database {
  readonly engine: CatalogEngine;
  readonly clock: Clock;
  readonly random: Random;

  constructor(private readonly options: DatabaseOptions) {
    this.engine = options.engine;
    this.clock = options.clock;
    this.random = options.random;
  }

  /** Reads what is committed and durable. Not within a write: it would wait for that write's end. */
  async read<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    try {
      const seen = await work(this.options.reader.manager);
      await this.options.writes?.durable();
      return seen;
    } catch (error) {
      throw translateCatalogError(error);
    }
  }

  /** A transaction that holds the event counter: for every change of a job. */
  write<T>(work: (write: Write) => Promise<T>): Promise<T> {
    return this.transaction(async (write) => {
      await lockEventCounter(write.manager);
      return work(write);
    });
  }

  /** A transaction without the counter: for heartbeats and what belongs to no job. */
  async transaction<T>(work: (write: Write) => Promise<T>): Promise<T> {
    const touched = new Set<JobId>();
    const result = await this.inLine(() => this.runWithRetry(work, touched));
    for (const jobId of touched) this.options.onEvent(jobId);
    return result;
  }

  /** Resolves once every write that was asked for has ended. */
  async idle(): Promise<void> {
    await this.options.writes?.idle();
  }

  private inLine<T>(work: () => Promise<T>): Promise<T> {
    const { writes } = this.options;
    return writes === null ? work() : writes.run(work);
  }

  private async runWithRetry<T>(work: (write: Write) => Promise<T>, touched: Set<JobId>): Promise<T> {
    for (let collisions = 0; ; collisions += 1) {
      touched.clear();
      try {
        return await this.runOnce(work, touched);
      } catch (error) {
        if (!isCollision(error) || collisions >= MAX_COLLISIONS) throw translateCatalogError(error);
      }
    }
  }

  private runOnce<T>(work: (write: Write) => Promise<T>, touched: Set<JobId>): Promise<T> {
    const run = (manager: EntityManager): Promise<T> =>
      work({ manager, now: this.clock.now(), announce: (jobId) => void touched.add(jobId) });
    const { manager } = this.options.writer;
    return this.engine === 'sqlite' ? manager.transaction(run) : manager.transaction('READ COMMITTED', run);
  }
}

/** Writing the value onto itself locks the row on MariaDB and takes the write lock of SQLite, before anything is read. */
async function lockEventCounter(manager: EntityManager): Promise<void> {
  await manager.query('UPDATE counters SET value = value WHERE name = ?', [EVENT_COUNTER]);
}

/** The next global sequence; only inside `Database.write`. */
export async function nextGlobalSequence(manager: EntityManager): Promise<number> {
  await manager.query('UPDATE counters SET value = value + 1 WHERE name = ?', [EVENT_COUNTER]);
  return readCounter(manager, EVENT_COUNTER);
}

/** Remembers that events up to `sequence` may be gone. */
export async function raiseDeletedFloor(manager: EntityManager, sequence: number): Promise<void> {
  const sql = 'UPDATE counters SET value = ? WHERE name = ? AND value < ?';
  await manager.query(sql, [sequence, DELETED_COUNTER, sequence]);
}

export async function readCounter(manager: EntityManager, name: string): Promise<number> {
  return (await manager.findOneByOrFail(CounterEntity, { name })).value;
}
