/** Opens a catalog: connects, upgrades its schema, and hands out its typed operations. */
import 'reflect-metadata';
import type { DataSource } from 'typeorm';
import type { Clock, Log, Random } from '../domain/ambient';
import { CatalogBackups } from './backup-records';
import type { Catalog, CatalogInfo } from './catalog';
import { CatalogComparisons } from './comparison-records';
import { createDataSource, locateCatalog, sqliteOptions, type CatalogLocation } from './data-source';
import { Database, EVENT_COUNTER, readCounter, type OnEvent } from './database';
import { CatalogEvents } from './event-records';
import { CatalogExports } from './export-records';
import { CatalogHolds } from './hold-records';
import { CatalogJobs } from './job-records';
import { CatalogQueue } from './job-queue';
import { CatalogPlans } from './plan-records';
import { CatalogRestores } from './restore-records';
import { SqliteWrites, type WriteAheadLog } from './sqlite-writes';
import { translateCatalogError } from './translate-error';
import { inspectSchema, upgradeCatalog } from './upgrade';
import { WriteLine } from './write-line';

export interface OpenCatalogOptions {
  /** `sqlite:<path>`, `mysql://` or `mariadb://` */
  url: string;
  clock: Clock;
  random: Random;
  log: Log;
  /** Called after each commit with the jobs that got an event: wire it to the bus. It must not throw. */
  onEvent?: OnEvent;
  /** For tests: what makes a SQLite catalog's commits durable, if not the file's own write-ahead log. */
  openWal?: (path: string) => Promise<WriteAheadLog>;
}

/** Throws CATALOG_UNAVAILABLE, CONFIG_INVALID for a bad URL, FORMAT_TOO_NEW for a catalog of a newer program. */
export async function openCatalog(options: OpenCatalogOptions): Promise<Catalog> {
  const location = locateCatalog(options.url);
  const sources: DataSource[] = [];
  try {
    return await open(options, location, sources);
  } catch (error) {
    await closeAll(sources);
    throw translateCatalogError(error);
  }
}

async function open(options: OpenCatalogOptions, location: CatalogLocation, sources: DataSource[]): Promise<Catalog> {
  const { clock, random, log } = options;
  const writer = await connect(createDataSource(location.options), sources);
  const version = await inLine(location, () => upgradeCatalog({ dataSource: writer, location, clock, random, log }));
  const reader =
    location.path === undefined
      ? writer
      : await connect(createDataSource(sqliteOptions(location.path, 'read')), sources);
  const onEvent = options.onEvent ?? (() => undefined);
  const writes = location.path === undefined ? null : await SqliteWrites.open({ ...options, path: location.path });
  const database = new Database({ engine: location.engine, writer, reader, writes, clock, random, onEvent });
  const close = async (): Promise<void> => {
    await database.idle();
    await writes?.close();
    await closeAll(sources);
  };
  return assemble(database, { info: { engine: location.engine, ...version }, close });
}

/** For the time of the upgrade alone: it may fail. */
async function inLine<T>({ path }: CatalogLocation, work: () => Promise<T>): Promise<T> {
  if (path === undefined) return work();
  const line = WriteLine.join(path);
  try {
    return await line.run(work);
  } finally {
    line.leave();
  }
}

export interface CatalogInspection extends Pick<CatalogInfo, 'schemaVersion'> {
  /** What keeps it, for people: `SQLite`, `MariaDB 10.11.6`, `MySQL 9.7.4`. */
  server: string;
  outdated: boolean;
}

/** Whether a catalog opens, and what its next start would do to it; changes nothing. Errors as `openCatalog`. */
export async function inspectCatalog(url: string): Promise<CatalogInspection> {
  const location = locateCatalog(url);
  const sources: DataSource[] = [];
  try {
    const options = location.path === undefined ? location.options : sqliteOptions(location.path, 'read');
    const dataSource = await connect(createDataSource(options), sources);
    return { server: await serverOf(location, dataSource), ...(await inspectSchema(dataSource)) };
  } catch (error) {
    throw translateCatalogError(error);
  } finally {
    await closeAll(sources);
  }
}

async function serverOf({ engine }: CatalogLocation, dataSource: DataSource): Promise<string> {
  if (engine === 'sqlite') return 'SQLite';
  const [row] = await dataSource.query<{ version: string }[]>('SELECT VERSION() AS version');
  const version = row?.version ?? '';
  return `${/mariadb/i.test(version) ? 'MariaDB' : 'MySQL'} ${/^[\d.]*\d/.exec(version)?.[0] ?? ''}`.trim();
}

async function connect(source: DataSource, sources: DataSource[]): Promise<DataSource> {
  await source.initialize();
  sources.push(source);
  return source;
}

function assemble(database: Database, { info, close }: { info: Catalog['info']; close: () => Promise<void> }): Catalog {
  let closing: Promise<void> | undefined;
  return {
    info,
    jobs: new CatalogJobs(database),
    backups: new CatalogBackups(database),
    holds: new CatalogHolds(database),
    restores: new CatalogRestores(database),
    plans: new CatalogPlans(database),
    comparisons: new CatalogComparisons(database),
    exports: new CatalogExports(database),
    events: new CatalogEvents(database),
    queue: new CatalogQueue(database),
    ping: () => database.read(async (manager) => void (await readCounter(manager, EVENT_COUNTER))),
    close: () => (closing ??= close()),
  };
}

async function closeAll(sources: DataSource[]): Promise<void> {
  for (const source of [...sources].reverse()) {
    if (source.isInitialized) await source.destroy();
  }
}
