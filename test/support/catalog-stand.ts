/** Catalogs for tests: an empty one per test, on SQLite in a temporary folder or on MariaDB in a database of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes, randomUUID } from 'node:crypto';
import { createConnection } from 'mysql2/promise';
import type { Catalog } from '../../src/catalog/catalog';
import { openCatalog } from '../../src/catalog/open-catalog';
import type { Clock, Random } from '../../src/domain/ambient';
import { UNDOABLE_MS } from '../../src/domain/change-set';
import type { BackupId, ChangeSetId, JobId, RestoreId } from '../../src/domain/ids';
import type { BackupJobSpec, RestoreJobSpec } from '../../src/domain/job';
import type { StoredManifest } from '../../src/domain/manifest';
import { FakeClock } from './fake-clock';
import { silentLog } from './silent-log';

export const CATALOG_ENGINES = ['sqlite', 'mariadb'] as const;
export type CatalogEngineName = (typeof CATALOG_ENGINES)[number];

export const testRandom: Random = { uuid: () => randomUUID(), bytes: (size) => randomBytes(size) };

export interface CatalogPlace {
  url: string;
  remove(): Promise<void>;
}

const MARIADB = process.env.TEST_MYSQL_URL ?? process.env['RISKVAULT_TEST_MARIADB'] ?? 'mariadb://root@127.0.0.1:3306';

export async function makeCatalogPlace(engine: CatalogEngineName): Promise<CatalogPlace> {
  return engine === 'sqlite' ? sqlitePlace() : mariadbPlace();
}

function sqlitePlace(): CatalogPlace {
  const folder = mkdtempSync(join(tmpdir(), 'rv-catalog-'));
  return {
    url: `sqlite:${join(folder, 'catalog.sqlite')}`,
    remove: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })),
  };
}

async function mariadbPlace(): Promise<CatalogPlace> {
  const name = `rv_test_catalog_${randomBytes(6).toString('hex')}`;
  await onCatalogServer(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  return { url: `${MARIADB}/${name}`, remove: () => onCatalogServer(`DROP DATABASE ${name}`) };
}

/** A statement to the server of the catalogs on MariaDB. */
export async function onCatalogServer(statement: string): Promise<void> {
  const connection = await createConnection(MARIADB.replace('mariadb:', 'mysql:'));
  try {
    await connection.query(statement);
  } finally {
    await connection.end();
  }
}

export interface CatalogStand {
  catalog: Catalog;
  clock: FakeClock;
  place: CatalogPlace;
  /** Jobs announced after a commit, in order. */
  announced: JobId[];
  /** Another connection to the same catalog, as another process would have. */
  reopen(options?: { clock?: Clock; onEvent?: (jobId: JobId) => void }): Promise<Catalog>;
  close(): Promise<void>;
}

export async function openCatalogStand(engine: CatalogEngineName): Promise<CatalogStand> {
  const place = await makeCatalogPlace(engine);
  const clock = new FakeClock();
  const announced: JobId[] = [];
  const opened: Catalog[] = [];
  const reopen: CatalogStand['reopen'] = async (options = {}) => {
    const catalog = await openCatalog({ url: place.url, clock, random: testRandom, log: silentLog, ...options });
    opened.push(catalog);
    return catalog;
  };
  const catalog = await reopen({ onEvent: (jobId) => void announced.push(jobId) });
  const close = async (): Promise<void> => {
    for (const one of opened) await one.close();
    await place.remove();
  };
  return { catalog, clock, place, announced, reopen, close };
}

export function backupSpec(more: Partial<BackupJobSpec> = {}): BackupJobSpec {
  return {
    kind: 'BACKUP',
    backupId: randomUUID() as BackupId,
    source: 'default',
    type: 'FULL',
    dataTypes: ['ALL'],
    businessId: null,
    expiresAt: null,
    labels: {},
    ...more,
  };
}

export function restoreSpec(more: Partial<RestoreJobSpec> = {}): RestoreJobSpec {
  return {
    kind: 'RESTORE',
    restoreId: randomUUID() as RestoreId,
    backupId: randomUUID() as BackupId,
    source: 'default',
    type: 'FULL',
    dataTypes: ['ALL'],
    businessId: null,
    target: { kind: 'IN_PLACE' },
    dryRun: false,
    allowUnchecked: false,
    changeSetId: randomUUID() as ChangeSetId,
    undoableForMs: UNDOABLE_MS,
    ...more,
  };
}

/** A manifest as the repository would give it back for this backup. */
export function storedManifest(backupId: BackupId, more: Partial<StoredManifest['manifest']> = {}): StoredManifest {
  return {
    name: `manifests/2026/11/20261122T120000Z-FULL-${backupId}.json`,
    checksum: backupId.replace(/-/g, '').padEnd(64, '0'),
    manifest: {
      formatVersion: 1,
      backupId,
      jobId: randomUUID() as JobId,
      type: 'FULL',
      source: { name: 'default', kind: 'sqlite', version: '3', schema: 'main' },
      dataTypes: ['ASSESSMENTS', 'FACTORS'],
      scope: { kind: 'ALL' },
      parentId: null,
      createdAt: '2026-11-22T12:00:00.000Z',
      completedAt: '2026-11-22T12:00:05.000Z',
      readAt: '2026-11-22T12:00:01.000Z',
      expiresAt: null,
      consistency: 'SQLITE_SNAPSHOT',
      position: null,
      tables: [],
      serviceSettings: null,
      labels: {},
      createdBy: 'local',
      rowCount: 10,
      changedRowCount: 10,
      rawBytes: 9_007_199_254_740_991,
      storedBytes: 400,
      writtenBy: 'riskvault test',
      ...more,
    },
  };
}

/** Settles a job as its worker would after `stored` was written. */
export async function completeBackup(
  catalog: Catalog,
  more: Partial<StoredManifest['manifest']> = {},
): Promise<BackupId> {
  const spec = backupSpec();
  await catalog.queue.enqueue({ spec, createdBy: 'local' });
  const claimed = await catalog.queue.claim({ owner: 'test', leaseMs: 30_000, concurrencyPerSource: 100 });
  const stored = storedManifest(spec.backupId, more);
  await catalog.queue.settle(claimed!.lease, { state: 'COMPLETED', effect: { kind: 'BACKUP_STORED', stored } });
  return spec.backupId;
}
