/**
 * Where an offline restore writes: a database of which nothing is known but its URL. What it holds is read as the backup's own
 * manifest maps it, so that the service's settings may be lost; rows that are there are only written over where that was asked for.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { AppError } from '../../domain/errors';
import type { Manifest } from '../../domain/manifest';
import type { SourceSettings } from '../../domain/settings';
import type { Source, WriteRecovery } from '../../domain/source';

/** Writer and reader connections, as the service has them by default. */
export const TARGET_CONNECTIONS = 4;
const METADATA_LOCK_PATIENCE_MS = 10_000;
const SQLITE_SCHEME = 'sqlite:';

export function targetSettings({ source, tables }: Manifest, url: string): SourceSettings {
  return {
    name: source.name,
    url,
    mapping: tables.map(({ structure }) => structure.mapping),
    connections: TARGET_CONNECTIONS,
    metadataLockPatienceMs: METADATA_LOCK_PATIENCE_MS,
  };
}

/** Rows of one kind of database can't be written into another. */
export function requireSameKind({ source, tables }: Manifest, { codec }: Source): void {
  if (tables.every(({ structure }) => structure.rowEncoding === codec.name)) return;
  throw new AppError('BACKUP_NOT_RESTORABLE', `The backup is of a ${source.kind} database, and the target is none.`, {
    hint: source.kind === 'sqlite' ? 'Give a sqlite: target.' : 'Give a mysql:// or mariadb:// target.',
  });
}

/** The target, and how the restore that is taken up was found there; null as long as none was looked for. */
export interface Target {
  source: Source;
  recovery: () => WriteRecovery | null;
}

/** `tell` is told what settling a restore that was cut off did, which whatever comes after may not say. */
export function settling(target: Source, tell: (line: string) => void): Target {
  let found: WriteRecovery | null = null;
  const recoverWrite: Source['recoverWrite'] = async (jobId) => {
    const wasOpen = (await target.unfinishedWrites?.())?.includes(jobId);
    found = await target.recoverWrite(jobId);
    if (wasOpen && found === 'ABSENT')
      tell(`Restore ${jobId} had not ended: what it left in the target was taken away.`);
    if (wasOpen && found === 'COMMITTED') tell(`Restore ${jobId} had ended but for its last step, which was done now.`);
    return found;
  };
  return { source: Object.create(target, { recoverWrite: { value: recoverWrite } }) as Source, recovery: () => found };
}

/**
 * The target, for a restore that must not touch rows: it says so itself whenever the engine asks how its tables are, so that rows
 * that came while the backup was proven are not written over either. What a restore that is taken up had committed is no such row.
 */
export function onlyIfEmpty({ source, recovery }: Target): Target {
  const tableStates: Source['tableStates'] = async (tables, schema) => {
    const states = await source.tableStates(tables, schema);
    const filled = tables.filter((table) => states.get(table) === 'FILLED');
    if (filled.length > 0 && recovery() !== 'COMMITTED') throw holdsRows(filled);
    return states;
  };
  return { source: Object.create(source, { tableStates: { value: tableStates } }) as Source, recovery };
}

/** Throws CONFLICT where another restore has not ended: what it left would stay, and it may still be running. */
export async function requireNoUnfinished({ source }: Target): Promise<void> {
  const [jobId, ...others] = (await source.unfinishedWrites?.()) ?? [];
  if (jobId === undefined) return;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  throw new AppError('CONFLICT', `Nothing was written: in the target restore ${jobId}${more} has not ended.`, {
    hint: `Wait for it; or, if it was killed, run this command again with --take-up ${jobId}, which takes away what it left.`,
  });
}

function holdsRows(tables: readonly string[]): AppError {
  return new AppError('CONFLICT', `Nothing was written: the target holds rows in ${tables.join(', ')}.`, {
    hint:
      'Restore into an empty database, or beside the rows with --scratch <name>; --in-place makes the rows there equal to the ' +
      'backup, and --dry-run says first what that would change.',
  });
}

/** A SQLite file that is not there yet is made; what is given undoes that. */
export function createMissingFile(url: string): () => void {
  const path = url.slice(SQLITE_SCHEME.length);
  if (!url.startsWith(SQLITE_SCHEME) || existsSync(path)) return () => undefined;
  create(path);
  return () => ['', '-wal', '-shm', '-journal'].forEach((suffix) => rmSync(path + suffix, { force: true }));
}

function create(path: string): void {
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    throw new AppError('SOURCE_UNAVAILABLE', `The file ${path} can't be made: ${(cause as Error).message}`, { cause });
  }
}
