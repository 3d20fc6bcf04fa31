/**
 * Brings a catalog to this program's schema. Forward only: a catalog with migrations that this program doesn't know is
 * refused before anything is written, and a SQLite file is copied beside itself before it is changed.
 */
import type { DataSource } from 'typeorm';
import type { Clock, Log, Random } from '../domain/ambient';
import { AppError } from '../domain/errors';
import { DELETED_COUNTER, EVENT_COUNTER } from './database';
import type { CatalogLocation } from './data-source';
import { CounterEntity, MetaEntity } from './entities';

export interface UpgradeOptions {
  dataSource: DataSource;
  location: CatalogLocation;
  clock: Clock;
  random: Random;
  log: Log;
}

const CATALOG_ID = 'catalog_id';
const MIGRATION_LOCK = 'riskvault_catalog_upgrade';
const MIGRATION_LOCK_WAIT_S = 60;

export async function upgradeCatalog(options: UpgradeOptions): Promise<{ catalogId: string; schemaVersion: string }> {
  const { dataSource, location } = options;
  const run = () => migrate(options);
  if (location.engine === 'sqlite') {
    await copyBeforeUpgrade(options);
    await withFileLock(dataSource, run);
  } else {
    await withServerLock(dataSource, run);
  }
  return { schemaVersion: newestMigration(dataSource), catalogId: await readCatalogId(dataSource) };
}

/** How a catalog stands to this program; changes nothing. Throws FORMAT_TOO_NEW. */
export async function inspectSchema(dataSource: DataSource): Promise<{ schemaVersion: string; outdated: boolean }> {
  const applied = await appliedMigrations(dataSource);
  refuseNewer(applied, knownMigrations(dataSource));
  const outdated = applied.length < knownMigrations(dataSource).length;
  return { schemaVersion: applied[applied.length - 1] ?? 'empty', outdated };
}

async function migrate({ dataSource, random, log }: UpgradeOptions): Promise<void> {
  const { schemaVersion, outdated } = await inspectSchema(dataSource);
  if (outdated) {
    const transaction = isSqlite(dataSource) ? 'none' : 'all'; // because the file lock is a transaction already
    await dataSource.runMigrations({ transaction });
    log.info('Catalog schema brought up to date.', { from: schemaVersion, to: newestMigration(dataSource) });
  }
  await seed(dataSource, random);
}

function knownMigrations(dataSource: DataSource): string[] {
  return dataSource.migrations.map((migration) => migration.name ?? migration.constructor.name);
}

function newestMigration(dataSource: DataSource): string {
  return knownMigrations(dataSource).at(-1) as string;
}

function isSqlite(dataSource: DataSource): boolean {
  return dataSource.options.type === 'better-sqlite3';
}

async function appliedMigrations(dataSource: DataSource): Promise<string[]> {
  const runner = dataSource.createQueryRunner();
  try {
    if (!(await runner.hasTable('migrations'))) return [];
    const rows = (await runner.query('SELECT name FROM migrations ORDER BY id')) as { name: string }[];
    return rows.map((row) => row.name);
  } finally {
    if (!isSqlite(dataSource)) await runner.release(); // SQLite's one runner is shared
  }
}

function refuseNewer(applied: string[], known: string[]): void {
  const unknown = applied.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new AppError('FORMAT_TOO_NEW', `The catalog was upgraded by a newer program (${unknown.join(', ')}).`, {
    hint: 'Run that newer version, or restore the copy of the catalog that it made before the upgrade.',
  });
}

/** A new file has nothing to copy. Not under the lock: SQLite copies no file from within a transaction. */
async function copyBeforeUpgrade(options: UpgradeOptions): Promise<void> {
  const { schemaVersion, outdated } = await inspectSchema(options.dataSource);
  if (outdated && schemaVersion !== 'empty') await copyFile(options, schemaVersion);
}

async function copyFile(options: UpgradeOptions, version: string): Promise<void> {
  const stamp = options.clock.now().toISOString().replace(/[:.]/g, '-');
  const target = `${options.location.path}.before-upgrade-from-${version}-${stamp}`;
  await options.dataSource.query('VACUUM INTO ?', [target]);
  options.log.info('Copied the catalog before its upgrade.', { file: target });
}

/** Two processes may start on one empty catalog at once: the second waits, and finds it made. */
async function withFileLock(dataSource: DataSource, work: () => Promise<void>): Promise<void> {
  await dataSource.query('BEGIN IMMEDIATE');
  try {
    await work();
    await dataSource.query('COMMIT');
  } catch (error) {
    await dataSource.query('ROLLBACK');
    throw error;
  }
}

/** The same on a server. */
async function withServerLock<T>(dataSource: DataSource, work: () => Promise<T>): Promise<T> {
  const runner = dataSource.createQueryRunner();
  const name = `${MIGRATION_LOCK}:${String(dataSource.options.database)}`.slice(0, 64);
  try {
    const [row] = (await runner.query('SELECT GET_LOCK(?, ?) AS held', [name, MIGRATION_LOCK_WAIT_S])) as {
      held: unknown;
    }[];
    if (Number(row?.held) !== 1) throw lockedError();
    return await work();
  } finally {
    await runner.query('DO RELEASE_LOCK(?)', [name]).catch(() => undefined); // because it ends with its connection anyway
    await runner.release();
  }
}

function lockedError(): AppError {
  return new AppError('CATALOG_UNAVAILABLE', 'Another process has been upgrading the catalog for a minute.', {
    hint: 'Wait for it to end, then start again.',
    retryable: true,
  });
}

async function seed(dataSource: DataSource, random: Random): Promise<void> {
  await insertIfAbsent(dataSource, CounterEntity, { name: EVENT_COUNTER, value: 0 });
  await insertIfAbsent(dataSource, CounterEntity, { name: DELETED_COUNTER, value: 0 });
  await insertIfAbsent(dataSource, MetaEntity, { name: CATALOG_ID, value: random.uuid() });
}

async function insertIfAbsent<T extends { name: string }>(
  dataSource: DataSource,
  entity: new () => T,
  row: T,
): Promise<void> {
  const found = await dataSource.manager.existsBy(entity, { name: row.name } as never);
  if (!found) await dataSource.manager.insert(entity, row as never);
}

async function readCatalogId(dataSource: DataSource): Promise<string> {
  const row = await dataSource.manager.findOneByOrFail(MetaEntity, { name: CATALOG_ID });
  return row.value;
}
