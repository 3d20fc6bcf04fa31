/** Repositories and backups for tests: small, deterministic, written through the public interface alone. */
import { createHash } from 'node:crypto';
import type { Clock } from '../../src/domain/ambient';
import type { BackupWriteSession } from '../../src/domain/backup-store';
import { NO_ROWS, type ChangeSet, type RowListRef, type StoredChangeSet } from '../../src/domain/change-set';
import type { BackupId, ChangeSetId, JobId } from '../../src/domain/ids';
import type { LayerRef, Manifest, StoredManifest, TableManifest } from '../../src/domain/manifest';
import type { RepositorySettings } from '../../src/domain/settings';
import { openRepository, type Repository } from '../../src/repository/repository';
import type { FileSystem } from '../../src/repository/storage/file-system';
import { LocalStorage } from '../../src/repository/storage/local';
import type { Storage } from '../../src/repository/storage/storage';
import { FakeClock, MemoryLog, seededRandom } from './repository-ambient';
import { MemoryFileSystem } from './repository-memory-fs';

export const HOUR_MS = 60 * 60_000;

export const TEST_SETTINGS: RepositorySettings = {
  url: 'file:/repo',
  compression: 'zstd',
  compressionLevel: 1,
  gracePeriodMs: HOUR_MS,
};

export interface World {
  clock: FakeClock;
  fs: MemoryFileSystem;
}

export function newWorld(): World {
  const clock = new FakeClock();
  return { clock, fs: new MemoryFileSystem(() => clock.now()) };
}

let opened = 0;

export function memoryStorage(fs: FileSystem, seed = `storage ${opened++}`): LocalStorage {
  const random = seededRandom(seed);
  return new LocalStorage({ path: '/repo', temporaryName: () => random.bytes(16).toString('hex'), fileSystem: fs });
}

export interface OpenOptions {
  passphrase?: string;
  compression?: 'zstd' | 'none';
  gracePeriodMs?: number;
  packTargetBytes?: number;
  storage?: Storage;
  seed?: string;
}

/** Opens the repository in a world's file system as a new process would. */
export function openWorld(
  world: Omit<World, 'clock'> & { clock: Clock },
  options: OpenOptions = {},
): Promise<Repository> {
  const { storage, packTargetBytes, seed, ...settings } = options;
  return openRepository({
    settings: { ...TEST_SETTINGS, ...settings },
    clock: world.clock,
    random: seededRandom(seed ?? `repository ${opened++}`),
    log: new MemoryLog(),
    storage: storage ?? memoryStorage(world.fs),
    packTargetBytes,
  });
}

/** A payload of base rows that depends on `label` alone; half of it compresses. */
export function payloadOf(label: string, bytes = 600): Buffer {
  const parts: Buffer[] = [Buffer.from([1, 1])];
  for (let have = 0, part = 0; have < bytes; have += 64, part++) {
    parts.push(createHash('sha256').update(`${label}/${part}`).digest(), Buffer.alloc(32, label));
  }
  return Buffer.concat(parts);
}

export function backupIdOf(number: number): BackupId {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}` as BackupId;
}

export function manifestOf(
  backupId: BackupId,
  tables: TableManifest[],
  serviceSettings: string | null = null,
): Omit<Manifest, 'storedBytes'> {
  const sum = (pick: (table: TableManifest) => number): number =>
    tables.reduce((total, table) => total + pick(table), 0);
  return {
    formatVersion: 1,
    backupId,
    jobId: backupId as unknown as JobId,
    type: 'FULL',
    source: { name: 'default', kind: 'mariadb', version: '10.11.6', schema: 'kyb' },
    dataTypes: ['ASSESSMENTS'],
    scope: { kind: 'ALL' },
    parentId: null,
    createdAt: '2026-11-22T19:45:00.000Z',
    completedAt: '2026-11-22T19:45:10.000Z',
    readAt: '2026-11-22T19:45:01.000Z',
    expiresAt: null,
    consistency: 'SINGLE_CONNECTION',
    position: null,
    tables,
    serviceSettings,
    labels: {},
    createdBy: 'test',
    rowCount: sum((table) => table.rowCount),
    changedRowCount: sum((table) => table.changedRowCount),
    rawBytes: sum((table) => table.rawBytes),
    writtenBy: 'riskvault test',
  };
}

export function tableOf(table: string, layer: LayerRef): TableManifest {
  return {
    dataType: 'ASSESSMENTS',
    table,
    structure: {
      table,
      mapping: { dataType: 'ASSESSMENTS', table },
      columns: [{ name: 'id', type: 'varchar(36)', kind: 'TEXT', nullable: false }],
      generatedColumns: [],
      key: ['id'],
      keyIsPrimary: true,
      foreignKeys: [],
      indexes: [],
      triggers: [],
      createStatement: `CREATE TABLE ${table} (id varchar(36) PRIMARY KEY)`,
      rowEncoding: 'mysql-text-v1',
      estimatedRows: layer.rowCount,
      estimatedBytes: layer.rawBytes,
    },
    rowCount: layer.rowCount,
    rawBytes: layer.rawBytes,
    layers: [layer],
    changeDetection: 'NONE',
    changeDetectionReason: 'A full backup reads everything.',
    changedRowCount: layer.rowCount,
  };
}

/** Takes a backup of one table whose chunks are the payloads of these labels; aborts the session if anything fails. */
export async function takeBackup(
  repository: Repository,
  number: number,
  labels: readonly string[],
): Promise<StoredManifest> {
  const session = await repository.beginWrite(backupIdOf(number));
  try {
    const table = tableOf('risk_assessments', await putLayer(session, labels));
    return await session.commit(manifestOf(backupIdOf(number), [table]));
  } catch (error) {
    await session.abort();
    throw error;
  }
}

/** Replaces the backup's manifest by its next generation, whose one table's chunks are the payloads of these labels. */
export async function replaceBackup(
  repository: Repository,
  number: number,
  labels: readonly string[],
): Promise<StoredManifest> {
  const current = await repository.findManifest(backupIdOf(number));
  if (!current) throw new Error(`There is no backup ${number}.`);
  const session = await repository.beginWrite(backupIdOf(number));
  try {
    const table = tableOf('risk_assessments', await putLayer(session, labels));
    return await session.commitNext(manifestOf(backupIdOf(number), [table]), current);
  } catch (error) {
    await session.abort();
    throw error;
  }
}

async function putLayer(session: BackupWriteSession, labels: readonly string[]): Promise<LayerRef> {
  const layer = session.buildLayer('BASE');
  for (const label of labels) {
    const payload = payloadOf(label);
    const { id } = await session.putChunk(payload);
    const key = Buffer.from(label);
    await layer.add({ id, rowCount: 1, rawBytes: payload.length, firstKey: key, lastKey: key });
  }
  return layer.finish();
}

/** Reads a backup whole, through its layers, and gives its payloads. */
export async function readBackup(repository: Repository, number: number): Promise<Buffer[]> {
  const stored = await repository.findManifest(backupIdOf(number));
  if (!stored) throw new Error(`There is no backup ${number}.`);
  const payloads: Buffer[] = [];
  for (const { layers } of stored.manifest.tables) {
    for (const layer of layers) {
      for await (const entry of repository.layerEntries(layer)) payloads.push(await repository.readChunk(entry.id));
    }
  }
  return payloads;
}

export function labelsOf(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

/** Whether these are the payloads of these labels, in order. Jest's own comparison of buffers takes seconds. */
export function arePayloadsOf(payloads: readonly Buffer[], labels: readonly string[]): boolean {
  return (
    payloads.length === labels.length &&
    payloads.every((payload, index) => payload.equals(payloadOf(labels[index] as string)))
  );
}

export function changeSetIdOf(number: number): ChangeSetId {
  return backupIdOf(number + 500_000) as string as ChangeSetId;
}

export interface KeptChanges {
  /** Of the rows that it inserts, a chunk each. */
  inserts: readonly string[];
  load?: LayerRef[];
  /** From the time of `manifestOf` on. */
  expiresInMs: number;
}

/** Keeps a change set of one table; aborts the session if anything fails. */
export async function keepChangeSet(
  repository: Repository,
  number: number,
  { inserts, load, expiresInMs }: KeptChanges,
): Promise<StoredChangeSet> {
  const session = await repository.beginChangeSet(changeSetIdOf(number));
  try {
    const list = session.buildRowList();
    for (const label of inserts) {
      const payload = payloadOf(label);
      const { id } = await session.putChunk(payload);
      await list.add({ id, rowCount: 1, rawBytes: payload.length });
    }
    return await session.commitChangeSet(changeSetOf(number, { inserts: await list.finish(), load, expiresInMs }));
  } catch (error) {
    await session.abort();
    throw error;
  }
}

function changeSetOf(
  number: number,
  { inserts, load, expiresInMs }: { inserts: RowListRef; load?: LayerRef[]; expiresInMs: number },
): ChangeSet {
  const { source, createdAt, jobId, backupId, writtenBy } = manifestOf(backupIdOf(number), []);
  const { dataType, table, structure } = tableOf('risk_assessments', { kind: 'BASE', ...NO_ROWS });
  return {
    formatVersion: 1,
    changeSetId: changeSetIdOf(number),
    kind: 'PLAN',
    jobId,
    source,
    backupId,
    scope: { kind: 'ALL' },
    basedOn: null,
    createdAt,
    expiresAt: new Date(Date.parse(createdAt) + expiresInMs).toISOString(),
    tables: [
      {
        dataType,
        table,
        structure,
        before: 'FILLED',
        drops: false,
        deletes: NO_ROWS,
        updates: { before: NO_ROWS, after: NO_ROWS },
        inserts,
        load: load ? { direction: 'IN', layers: load, rowCount: 1, rawBytes: 1 } : null,
        unchanged: 0,
        samples: { inserts: [], updates: [], deletes: [] },
        warnings: [],
      },
    ],
    notes: [],
    writtenBy,
  };
}

/** Whether the chunks of the list are the payloads of these labels. */
export async function readRowList(
  repository: Repository,
  list: Pick<RowListRef, 'root'>,
  labels: readonly string[],
): Promise<boolean> {
  const payloads: Buffer[] = [];
  for await (const { id } of repository.layerEntries(list)) payloads.push(await repository.readChunk(id));
  return arePayloadsOf(payloads, labels);
}
