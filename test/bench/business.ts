/**
 * Restores one damaged business in place, and reads its records, out of backups of more and more businesses with the same rows each: what
 * it takes, and which chunks of rows it reads. The engine alone, in this process: what a job and its thread cost does not grow with the data.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { DEFAULT_MAPPING } from '../../src/domain/mapping';
import type { BackupId } from '../../src/domain/ids';
import type { Manifest } from '../../src/domain/manifest';
import type { Source } from '../../src/domain/source';
import type { RecordsResult, RestoreResult } from '../../src/domain/task';
import { openMysqlSource } from '../../src/sources/mysql/source';
import { openRepository, type Repository } from '../../src/repository/repository';
import { backup, compact, restore, run } from '../support/engine-context';
import { countingStore } from '../support/counting-store';
import { testAmbient } from '../support/sqlite';
import { fillReferenceData, ROWS_PER_BUSINESS } from './reference-data';

const SIZES = [1000, 10_000, 100_000];
const TIMES = 5;
const NAME = 'Business 17';

export interface BusinessBench {
  serverUrl: string;
  schema: string;
  /** Emptied after each size. */
  folder: string;
  /** What changes rows all over the tables. */
  change: () => Promise<unknown>;
  sizes?: readonly number[];
}

export async function businessSeries(bench: BusinessBench): Promise<void> {
  for (const businesses of bench.sizes ?? SIZES) {
    const rows = await fillReferenceData({ ...bench, rows: businesses * ROWS_PER_BUSINESS });
    const folder = join(bench.folder, 'business');
    mkdirSync(folder, { recursive: true });
    const url = Object.assign(new URL(bench.serverUrl), { pathname: `/${bench.schema}` }).href;
    const connection = await createConnection({ uri: url, multipleStatements: true });
    const settings = { name: 'default', url, mapping: DEFAULT_MAPPING, connections: 2, metadataLockPatienceMs: 60_000 };
    const source = openMysqlSource({ settings, ...testAmbient });
    try {
      await oneSize({
        source,
        connection,
        folder,
        label: `${businesses} businesses, ${rows} rows`,
        change: bench.change,
      });
    } finally {
      await source.close();
      await connection.end();
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

interface Size extends Pick<BusinessBench, 'change'> {
  source: Source;
  connection: Connection;
  folder: string;
  label: string;
}

async function oneSize(size: Size): Promise<void> {
  const { source, change } = size;
  const store = await open(size);
  const full = (await backup({ source, store }, { type: 'FULL' })).stored.manifest;
  await measure('full', full, size);
  await change();
  const incremental = (await backup({ source, store }, { type: 'INCREMENTAL' })).stored.manifest;
  await measure('incremental', incremental, size);
  await measure('compacted', (await compact({ source, store }, incremental.backupId)).stored.manifest, size);
  await store.close();
}

function open({ folder }: Size): Promise<Repository> {
  const settings = {
    url: `file:${folder}`,
    passphrase: 'bench',
    compression: 'zstd' as const,
    compressionLevel: 1,
    gracePeriodMs: 86_400_000,
  };
  return openRepository({ settings, ...testAmbient });
}

async function measure(kind: string, manifest: Manifest, size: Size): Promise<void> {
  const id = await businessId(size.connection);
  await measureRestores(kind, manifest, { ...size, id });
  await measureReading(kind, manifest, { ...size, id });
}

interface OfBusiness extends Size {
  id: string;
}

/** The median of some restores, each of new damage and by a repository opened anew. */
async function measureRestores(kind: string, manifest: Manifest, size: OfBusiness): Promise<void> {
  const { id } = size;
  const runs: RestoreRun[] = [];
  for (let time = 0; time < TIMES; time++) {
    await damage(size.connection, id);
    runs.push(await restoreOnce(manifest.backupId, id, size));
  }
  const sorted = [...runs].sort((a, b) => a.wallMs - b.wallMs);
  const median = sorted[Math.floor(TIMES / 2)] as RestoreRun;
  const { base, delta, bytes, result } = median;
  const all = manifest.tables.flatMap(({ layers }) => layers).reduce((sum, { chunkCount }) => sum + chunkCount, 0);
  const rows = result.tables.reduce((sum, { unchanged, updates, inserts }) => sum + unchanged + updates + inserts, 0);
  console.log(
    `${size.label}, ${kind}: ${median.wallMs.toFixed(0)} ms (${sorted.map(({ wallMs }) => wallMs.toFixed(0)).join(' ')}), CPU ${median.cpuMs.toFixed(0)} ms, ` +
      `${rows} rows of the business; read ${base} chunks and ${delta} of changes of ${all}, ${(bytes / 1024 / 1024).toFixed(1)} MiB`,
  );
}

/** All records of the business, table by table, by a repository opened anew. */
async function measureReading(kind: string, manifest: Manifest, size: OfBusiness): Promise<void> {
  const runs: ReadingRun[] = [];
  for (let time = 0; time < TIMES; time++) runs.push(await readOnce(manifest, size));
  const sorted = [...runs].sort((a, b) => a.wallMs - b.wallMs);
  const { wallMs, cpuMs, rows, base, delta, bytes } = sorted[Math.floor(TIMES / 2)] as ReadingRun;
  console.log(
    `${size.label}, ${kind}: reading ${wallMs.toFixed(0)} ms (${sorted.map((run) => run.wallMs.toFixed(0)).join(' ')}), CPU ${cpuMs.toFixed(0)} ms, ` +
      `${rows} records; read ${base} chunks and ${delta} of changes, ${(bytes / 1024 / 1024).toFixed(1)} MiB`,
  );
}

interface ReadingRun {
  wallMs: number;
  cpuMs: number;
  rows: number;
  base: number;
  delta: number;
  bytes: number;
}

async function readOnce({ backupId, tables }: Manifest, size: OfBusiness): Promise<ReadingRun> {
  const repository = await open(size);
  const { store, reads } = countingStore(repository);
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
  let rows = 0;
  for (const { dataType, table, structure } of tables) {
    if (structure.mapping.business === undefined) continue;
    const wanted = { backupId, dataType, table, businessId: size.id, filter: null, limit: 100, from: null };
    const found = (await run({ kind: 'RECORDS', wanted }, { source: size.source, store })) as RecordsResult;
    if (found.next !== null) throw new Error(`${table} has more than a page of the business.`);
    rows += found.records.length;
  }
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  await repository.close();
  return { wallMs, cpuMs: (user + system) / 1000, rows, base: reads.base.length, delta: reads.delta.length, bytes: reads.bytes }; // prettier-ignore
}

interface RestoreRun {
  wallMs: number;
  cpuMs: number;
  base: number;
  delta: number;
  bytes: number;
  result: RestoreResult;
}

async function restoreOnce(backupId: BackupId, id: string, size: Size): Promise<RestoreRun> {
  const repository = await open(size);
  const { store, reads } = countingStore(repository);
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
  const spec = { backupId, type: 'BUSINESS', businessId: id } as const;
  const result = await restore({ source: size.source, store, connections: 2 }, spec);
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  await repository.close();
  if (result.notes.length > 0 || result.updates + result.inserts + result.deletes === 0)
    throw new Error(`Not what was asked for: ${JSON.stringify(result)}`);
  return { wallMs, cpuMs: (user + system) / 1000, base: reads.base.length, delta: reads.delta.length, bytes: reads.bytes, result }; // prettier-ignore
}

async function businessId(connection: Connection): Promise<string> {
  const [[row]] = await connection.query<RowDataPacket[]>('SELECT id FROM businesses WHERE name = ?', [NAME]);
  return String(row?.id);
}

/** Rows of each kind of harm: changed, gone, too many. */
async function damage(connection: Connection, id: string): Promise<void> {
  const own = `tenant_id = (SELECT tenant_id FROM businesses WHERE id = '${id}') AND business_id = '${id}'`;
  await connection.query(
    `UPDATE risk_trends SET score = 99 - score WHERE ${own};
     DELETE FROM risk_history WHERE ${own} LIMIT 2;
     DELETE f FROM risk_factor_scores f JOIN risk_assessments a ON a.id = f.assessment_id WHERE a.${own.replace('AND business_id', 'AND a.business_id')};
     INSERT INTO risk_alerts (id, tenant_id, business_id, risk_factor, level, message, score, threshold, triggered_at)
       SELECT UUID(), tenant_id, id, 'extra', 'low', 'extra', 1, 2, NOW(6) FROM businesses WHERE id = '${id}'`,
  );
}
