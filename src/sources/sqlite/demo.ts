/**
 * The demo database: the reference tables in SQLite, filled, so that a newcomer has something to back up. It is built under
 * another name and takes its own when it is whole; one that exists is never touched.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { link } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DEMO_COLUMNS, demoRows, type DemoTable } from '../demo-data';
import { Database } from './database';
import { DEMO_INDEXES, DEMO_TABLES } from './demo-schema';
import { quoteNames } from './quote';
import { flush, publishScratch, removeDatabaseFiles } from './scratch';

export const DEMO_BUSINESSES = 2000;

/** The database being built, with the pid of its builder; further letters are SQLite's own files beside it. */
const UNFINISHED = /^.+?(?:\.(\d+))?\.unfinished/;

/** Rows between which the thread is given free. */
const ROWS_PER_TURN = 500;

export interface DemoOptions {
  /** Default DEMO_BUSINESSES. */
  businesses?: number;
  seed?: number;
}

/** Creates the demo database unless there is a file at `path`; says how many rows it wrote, 0 where one existed. */
export async function createDemoDatabase(path: string, options: DemoOptions = {}): Promise<number> {
  if (existsSync(path)) return 0;
  mkdirSync(dirname(path), { recursive: true });
  removeLeftovers(path);
  const unfinished = `${path}.${process.pid}.unfinished`; // two services may start in one folder at once
  const database = Database.open(unfinished, { create: true });
  try {
    const rows = await fill(database, options);
    database.close();
    return (await publish(unfinished, path)) ? rows : 0;
  } finally {
    database.close();
    removeDatabaseFiles(unfinished);
  }
}

/** What starts that were cut off left behind; what a living process is building stays. */
function removeLeftovers(path: string): void {
  const folder = dirname(path);
  for (const name of readdirSync(folder)) {
    const [leftover, pid] = UNFINISHED.exec(name) ?? [];
    if (leftover === undefined || !name.startsWith(`${basename(path)}.`)) continue;
    if (pid === undefined || !isOtherAlive(Number(pid))) removeDatabaseFiles(join(folder, leftover));
  }
}

function isOtherAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // because it lives, under another user
  }
}

/** False where another process was faster: its database is used, and this one goes. */
async function publish(unfinished: string, path: string): Promise<boolean> {
  try {
    await flush(unfinished);
    await link(unfinished, path);
    await flush(dirname(path));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    await publishScratch(unfinished, path); // because some file systems have no links
    return true;
  }
}

async function fill(database: Database, { businesses = DEMO_BUSINESSES, seed }: DemoOptions): Promise<number> {
  database.exec(
    'PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; PRAGMA foreign_keys = OFF; BEGIN',
  );
  for (const statement of DEMO_TABLES) database.exec(statement);
  const inserts = insertStatements();
  let count = 0;
  for (const { table, values } of demoRows({ businesses, seed })) {
    database.run(inserts[table], values);
    count += 1;
    if (count % ROWS_PER_TURN === 0) await nextTurn();
  }
  for (const statement of DEMO_INDEXES) database.exec(statement);
  database.exec('COMMIT');
  return count;
}

function insertStatements(): Record<DemoTable, string> {
  const entries = Object.entries(DEMO_COLUMNS).map(([table, columns]) => {
    const places = columns.map(() => '?').join(', ');
    return [table, `INSERT INTO ${table} (${quoteNames(columns)}) VALUES (${places})`];
  });
  return Object.fromEntries(entries) as Record<DemoTable, string>;
}
