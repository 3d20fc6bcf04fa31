/**
 * From a catalog URL to TypeORM's options: `sqlite:<path>` on libsql, `mysql://` and `mariadb://` on mysql2.
 * `synchronize` is never on: hand-written migrations make the schema.
 */
import Libsql from 'libsql';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { AppError } from '../domain/errors';
import { ENTITIES } from './entities';
import { MIGRATIONS } from './migrations/migrations';

export type CatalogEngine = 'sqlite' | 'mariadb';

export interface CatalogLocation {
  engine: CatalogEngine;
  options: DataSourceOptions;
  /** SQLite alone: the file. */
  path?: string;
}

/** Another process's write is waited for this long, e.g. the doctor's beside a running service. */
const BUSY_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 10_000;
const POOL_SIZE = 10;

const COMMON = {
  entities: ENTITIES,
  migrations: MIGRATIONS,
  migrationsTableName: 'migrations',
  synchronize: false,
  logging: false as const,
};

export function createDataSource(options: DataSourceOptions): DataSource {
  return new DataSource(options);
}

export function locateCatalog(url: string): CatalogLocation {
  if (url.startsWith('sqlite:')) return locateSqlite(url.slice('sqlite:'.length));
  if (/^(mysql|mariadb):\/\//.test(url)) return { engine: 'mariadb', options: mariadbOptions(url) };
  throw invalidUrl();
}

function invalidUrl(cause?: unknown): AppError {
  return new AppError('CONFIG_INVALID', 'The catalog URL is not one of sqlite:<path>, mysql://… and mariadb://….', {
    hint: 'Set catalog.url (RISKVAULT_CATALOG_URL), e.g. sqlite:./data/catalog.sqlite.',
    cause,
  });
}

function locateSqlite(path: string): CatalogLocation {
  if (path === '' || path === ':memory:') throw invalidUrl();
  return { engine: 'sqlite', path, options: sqliteOptions(path) };
}

export function sqliteOptions(path: string, access: 'write' | 'read' = 'write'): DataSourceOptions {
  return {
    ...COMMON,
    type: 'better-sqlite3',
    database: path,
    driver: Libsql, // the same interface as better-sqlite3, with binaries for every supported Node
    prepareDatabase: (database: { pragma(text: string): unknown }) => {
      database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
      if (access === 'read') return void database.pragma('query_only = ON');
      database.pragma('journal_mode = WAL');
      // Both wait for the disk, which is not for the event loop to do: `SqliteWrites` does it.
      database.pragma('synchronous = NORMAL');
      database.pragma('wal_autocheckpoint = 0');
    },
  };
}

function mariadbOptions(text: string): DataSourceOptions {
  const url = parseUrl(text);
  return {
    ...COMMON,
    type: 'mariadb', // 'mysql' would see a schema difference in every JSON column
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 3306 : Number(url.port),
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    charset: 'utf8mb4_bin',
    supportBigNumbers: true,
    bigNumberStrings: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    poolSize: POOL_SIZE,
    ...(url.searchParams.get('ssl') === 'true' ? { ssl: {} } : {}),
  };
}

function parseUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    throw invalidUrl(error);
  }
  if (url.hostname === '' || url.pathname.length < 2) throw invalidUrl();
  return url;
}
