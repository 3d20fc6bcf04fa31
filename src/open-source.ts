/** Opens a configured source by the scheme of its URL; shared by the composition roots, which alone know every kind of source. */
import type { Clock, Log, Random } from './domain/ambient';
import type { SourceSettings } from './domain/settings';
import type { Source } from './domain/source';
import { openMysqlSource } from './sources/mysql/source';
import { openSqliteSource } from './sources/sqlite/source';

export interface OpenSourceOptions {
  settings: SourceSettings;
  clock: Clock;
  random: Random;
  log: Log;
}

const SQLITE_SCHEME = 'sqlite:';

/** Connects to nothing yet: that happens, and fails, with its first use. */
export function openSource(options: OpenSourceOptions): Source {
  return isSqlite(options.settings.url) ? openSqliteSource(options) : openMysqlSource(options);
}

/** The schema that a source's URL names: a database of the server, or a SQLite file. */
export function schemaOf(url: string): string {
  if (isSqlite(url)) return url.slice(SQLITE_SCHEME.length);
  return decodeURIComponent(new URL(url).pathname.replace(/^\//, ''));
}

/** The path of a `sqlite:` URL's file. */
export function sqlitePath(url: string): string {
  return url.slice(SQLITE_SCHEME.length);
}

function isSqlite(url: string): boolean {
  return url.startsWith(SQLITE_SCHEME);
}
