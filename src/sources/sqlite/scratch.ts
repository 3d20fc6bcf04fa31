/**
 * Scratch "schemas": sibling files of the source database, `<source>.<schema>.scratch.sqlite`. One is built under a name of
 * its job's and takes its own name when it is whole, so that what bears the name is complete.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { open, rename, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../../domain/errors';
import { Database } from './database';
import { toSourceError } from './errors';
import { hasMarker, hasMarkerTable } from './write-marker';

const SCHEMA_NAME = /^[A-Za-z][A-Za-z0-9_]{0,62}$/;
const SUFFIX = '.scratch.sqlite';
/** What SQLite may leave beside a database file. */
const SIDECARS = ['', '-wal', '-shm', '-journal'];

/** Throws INVALID_INPUT for a name that is no plain identifier. */
export function scratchPath(sourcePath: string, schema: string): string {
  if (SCHEMA_NAME.test(schema)) return `${sourcePath}.${schema}${SUFFIX}`;
  throw new AppError('INVALID_INPUT', `"${schema}" can't name a scratch schema.`, {
    hint: 'Use a letter, then letters, digits and underscores, at most 63 in all.',
  });
}

/** Where a job builds its scratch schema before it is whole. */
export function unfinishedScratchPath(sourcePath: string, schema: string, jobId: string): string {
  return `${scratchPath(sourcePath, schema)}.${jobTag(jobId)}.unfinished`;
}

function jobTag(jobId: string): string {
  return createHash('sha256').update(jobId).digest('hex').slice(0, 16);
}

/** Throws CONFLICT where the name is taken, whoever took it: nothing is ever overwritten. */
export function refuseTakenScratch(sourcePath: string, schema: string): void {
  const path = scratchPath(sourcePath, schema);
  if (!existsSync(path)) return;
  throw new AppError('CONFLICT', `The scratch schema ${schema} exists already.`, {
    hint: 'Drop it, or choose another name.',
  });
}

/** Gives a finished scratch file its name, durably. */
export async function publishScratch(unfinishedPath: string, path: string): Promise<void> {
  await flush(unfinishedPath);
  await rename(unfinishedPath, path);
  await flush(dirname(path));
}

/** How much room is left beside the source's file. */
export async function freeScratchBytes(sourcePath: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(dirname(sourcePath));
    return bavail * bsize;
  } catch (error) {
    throw toSourceError(error);
  }
}

/** Makes a file, or the names in a folder, durable. */
export async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function removeDatabaseFiles(path: string): void {
  for (const sidecar of SIDECARS) rmSync(path + sidecar, { force: true });
}

/** Removes what a job left of a scratch schema that it did not finish. */
export function removeUnfinishedScratch(sourcePath: string, jobId: string): void {
  const tail = `.${jobTag(jobId)}.unfinished`;
  for (const path of siblings(sourcePath)) if (path.includes(tail)) rmSync(path, { force: true });
}

/** Whether a scratch schema that this job finished exists. */
export function hasFinishedScratch(sourcePath: string, jobId: string): boolean {
  return siblings(sourcePath).some((path) => path.endsWith(SUFFIX) && inspect(path, (d) => hasMarker(d, jobId)));
}

/** Drops a scratch schema that a restore made; refuses every other file with INVALID_INPUT. */
export function dropScratch(sourcePath: string, schema: string): void {
  const path = scratchPath(sourcePath, schema);
  if (existsSync(path) && inspect(path, hasMarkerTable)) return removeDatabaseFiles(path);
  const why = existsSync(path) ? 'was not made by a restore' : 'does not exist';
  throw new AppError('INVALID_INPUT', `The scratch schema ${schema} ${why}.`, { hint: 'Check the name.' });
}

/** Scratch schemas whose names begin so, whole or not. */
export function scratchesNamed(sourcePath: string, prefix: string): string[] {
  const start = basename(sourcePath).length + 1;
  const names = siblings(sourcePath).map((path) => {
    const name = basename(path);
    return name.slice(start, name.indexOf(SUFFIX, start));
  });
  return [...new Set(names)].filter((name) => name.startsWith(prefix));
}

/** Removes what this job made of it, whole or not; CONFLICT for another's. Idempotent. */
export function discardScratch(sourcePath: string, schema: string, jobId: string): void {
  const path = scratchPath(sourcePath, schema);
  removeDatabaseFiles(unfinishedScratchPath(sourcePath, schema, jobId));
  if (!existsSync(path)) return;
  if (inspect(path, (database) => hasMarker(database, jobId))) return removeDatabaseFiles(path);
  throw new AppError('CONFLICT', `The scratch schema ${schema} was not made by this job.`, {
    hint: 'Look whose it is, and remove it by hand.',
  });
}

function siblings(sourcePath: string): string[] {
  const folder = dirname(sourcePath);
  if (!existsSync(folder)) return [];
  const start = `${basename(sourcePath)}.`;
  const names = readdirSync(folder).filter((name) => name.startsWith(start) && name.includes(SUFFIX));
  return names.map((name) => join(folder, name));
}

function inspect(path: string, look: (database: Database) => boolean): boolean {
  const database = Database.open(path);
  try {
    return look(database);
  } finally {
    database.close();
  }
}
