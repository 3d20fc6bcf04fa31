/**
 * The API on a real port with real services and a real SQLite catalog. Nothing runs jobs by itself: a test claims and settles them,
 * and so decides what a job does and when.
 */
import { print } from 'graphql';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type ApiServer } from '../../src/api/server';
import type { Catalog, JobRecord, Lease, Outcome } from '../../src/catalog/catalog';
import { openCatalog } from '../../src/catalog/open-catalog';
import type { Clock, Log } from '../../src/domain/ambient';
import type { BackupReader } from '../../src/domain/backup-reader';
import type { BackupExporter } from '../../src/domain/export';
import { AppError } from '../../src/domain/errors';
import {
  NO_PROGRESS,
  type BackupJobSpec,
  type ComparisonJobSpec,
  type PlanJobSpec,
  type RestoreJobSpec,
} from '../../src/domain/job';
import { DEFAULT_MAPPING } from '../../src/domain/mapping';
import type { StoredManifest } from '../../src/domain/manifest';
import type { ComparisonResult } from '../../src/domain/task';
import type { DownloadLimits, Settings } from '../../src/domain/settings';
import type { ChangeSetId } from '../../src/domain/ids';
import type { PlanResult } from '../../src/domain/task';
import { systemClock, systemRandom } from '../../src/ops/ambient';
import type { RepositoryPort, SourcePort } from '../../src/services/ports';
import { createServices, type Services } from '../../src/services/services';
import { createEventBus } from '../../src/events/event-bus';
import { createEventFeed, type EventFeed } from '../../src/events/event-feed';
import { rehearsed } from './rehearsed';

export const API_LIMITS: Settings['limits'] = {
  maxSockets: 2_000,
  maxSubscriptionsPerSocket: 20,
  maxMessageBytes: 256 * 1024,
  maxQueryDepth: 12,
  maxQueryTokens: 2_000,
  maxAliases: 30,
  maxWaiters: 50,
};

/** Of backups without records. */
export const TEST_READER: BackupReader = {
  findRecords: async () => ({ columns: [], records: [], next: null }),
  findHistory: async () => ({ versions: [], next: null }),
  findChanges: async () => ({ changes: [], next: null }),
  findConflicts: async () => ({ conflicts: [], next: null }),
};

/** Of backups without rows. */
const TEST_EXPORTER: BackupExporter = { stream: async () => undefined };

export const DOWNLOAD_LIMITS: DownloadLimits = { maxAtOnce: 2, maxDurationMs: 60_000, patienceMs: 30_000 };

export interface ApiStandOptions {
  limits?: Partial<Settings['limits']>;
  clock?: Clock;
  consoleDir?: string;
  sources?: readonly SourcePort[];
  repository?: RepositoryPort;
  reader?: BackupReader;
  exporter?: BackupExporter;
  downloads?: Partial<DownloadLimits>;
  /** A look at the catalog on its way to the services, to count or to break. */
  wrapCatalog?: (catalog: Catalog) => Catalog;
}

export interface Answer<Data = Record<string, never>> {
  status: number;
  data?: Data | null;
  errors?: { message: string; path?: (string | number)[]; extensions?: Record<string, unknown> }[];
}

export interface LoggedError {
  message: string;
  fields?: Record<string, unknown>;
}

export interface ApiStand {
  server: ApiServer;
  services: Services;
  catalog: Catalog;
  feed: EventFeed;
  /** How often the runner was woken. */
  wakes(): number;
  logged: LoggedError[];
  post<Data = Record<string, never>>(
    query: string,
    variables?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<Data>>;
  /** Runs a committed operation; fails on any top-level error. */
  run<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data>;
  claim(): Promise<{ job: JobRecord; lease: Lease }>;
  settle(lease: Lease, outcome: Outcome): Promise<JobRecord>;
  /** Claims the next job and completes it with `progressEvents` events on the way. */
  completeNext(progressEvents?: number): Promise<JobRecord>;
  close(): Promise<void>;
}

export async function openApiStand(options: ApiStandOptions = {}): Promise<ApiStand> {
  const { clock = systemClock } = options;
  const folder = mkdtempSync(join(tmpdir(), 'rv-api-'));
  const bus = createEventBus();
  const logged: LoggedError[] = [];
  const log = recordingLog(logged);
  const url = `sqlite:${join(folder, 'catalog.sqlite')}`;
  const catalog = await openCatalog({ url, clock, random: systemRandom, log, onEvent: bus.notify });
  const feed = createEventFeed({ catalog, bus, clock: systemClock });
  let wakes = 0;
  const limits = { ...API_LIMITS, ...options.limits };
  const services = createServices({
    catalog: options.wrapCatalog?.(catalog) ?? catalog,
    feed,
    sources: options.sources ?? [testSource()],
    repository: options.repository ?? TEST_REPOSITORY,
    reader: options.reader ?? TEST_READER,
    exporter: options.exporter ?? TEST_EXPORTER,
    downloads: { key: systemRandom.bytes(32), limits: { ...DOWNLOAD_LIMITS, ...options.downloads } },
    defaultRetentionDays: 30,
    maxWaiters: limits.maxWaiters,
    clock,
    random: systemRandom,
    wake: () => (wakes += 1),
  });
  const server = await createServer({
    services,
    settings: { server: { host: '127.0.0.1', port: 0 }, limits, downloads: {} },
    clock: systemClock,
    random: systemRandom,
    log,
    health: { ready: () => Promise.resolve({ ready: true }) },
    consoleDir: options.consoleDir,
  });

  const post: ApiStand['post'] = (query, variables, headers) => postTo(server.address, query, variables, headers);
  const claim: ApiStand['claim'] = async () => {
    const claimed = await catalog.queue.claim({ owner: 'test', leaseMs: 60_000, concurrencyPerSource: 100 });
    if (!claimed) throw new Error('there is no job to claim');
    return claimed;
  };
  return {
    server, services, catalog, feed, logged, post, claim,
    wakes: () => wakes,
    async run(document, variables) {
      const { data, errors } = await post(print(document), variables);
      if (errors) throw new Error(JSON.stringify(errors));
      return data as never;
    },
    settle: (lease, outcome) => catalog.queue.settle(lease, outcome),
    async completeNext(progressEvents = 0) {
      const { job, lease } = await claim();
      for (let done = 1; done <= progressEvents; done += 1) await saveProgress(catalog, lease, done / progressEvents);
      return catalog.queue.settle(lease, { state: 'COMPLETED', effect: effectOf(job) });
    },
    async close() {
      await server.close();
      await catalog.close();
      rmSync(folder, { recursive: true, force: true });
    },
  }; // prettier-ignore
}

export async function saveProgress(catalog: Catalog, lease: Lease, part: number): Promise<void> {
  const progress = { ...NO_PROGRESS, percent: Math.round(part * 10_000) / 100, phase: 'reading' };
  await catalog.queue.saveProgress(lease, { type: 'PROGRESS', progress });
}

async function postTo(
  address: string,
  query: string,
  variables?: unknown,
  headers?: Record<string, string>,
): Promise<Answer<never>> {
  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return { status: response.status, ...((await response.json()) as object) };
}

type Effect = Extract<Outcome, { state: 'COMPLETED' }>['effect'];

export const PLAN_HASH = 'ab'.repeat(32);
const PLAN_SAMPLES = {
  inserts: [{ id: 't1', score: '1.0000' }],
  updates: [{ key: { id: 't2' }, fields: [{ name: 'score', before: '2.0000', after: null }] }],
  deletes: [{ id: 't3', score: null }],
};

function changesOf({ changeSetId, undoableForMs }: RestoreJobSpec, createdAt: Date) {
  return { changeSetId, hash: 'cd'.repeat(32), expiresAt: new Date(createdAt.getTime() + undoableForMs).toISOString() };
}

function planOf(spec: PlanJobSpec | RestoreJobSpec, changeSetId: ChangeSetId, createdAt: Date): PlanResult {
  const validForMs = spec.kind === 'PLAN' ? spec.validForMs : spec.undoableForMs;
  const expiresAt = new Date(createdAt.getTime() + validForMs).toISOString();
  const changeSet = { changeSetId, planHash: PLAN_HASH, createdAt: createdAt.toISOString(), expiresAt };
  const counts = { inserts: 3, updates: 2, deletes: 1 };
  const conflicts = spec.threeWay && { conflicts: { rows: 2, fields: 3 } };
  const table = { dataType: 'TRENDS', table: 'risk_trends', before: 'FILLED', ...conflicts } as const;
  const tables = [{ ...table, ...counts, unchanged: 4, samples: PLAN_SAMPLES, warnings: [] }];
  return { kind: 'PLAN', changeSet, ...counts, estimatedMs: 5, notes: [], tables };
}

/** What a job of each kind would leave when all went well. */
export function effectOf({ spec, createdAt }: JobRecord): Effect {
  switch (spec.kind) {
    case 'BACKUP':
      return { kind: 'BACKUP_STORED', stored: storedManifest(spec) };
    case 'PLAN':
      return { kind: 'PLANNED', planId: spec.planId, result: planOf(spec, spec.planId, createdAt) };
    case 'RESTORE':
      return {
        kind: 'RESTORED',
        restoreId: spec.restoreId,
        result: {
          kind: 'RESTORE',
          mode: spec.dryRun ? 'DRY_RUN' : 'IN_PLACE',
          tables: [{ dataType: 'TRENDS', table: 'risk_trends', inserts: 3, updates: 2, deletes: 1, unchanged: 4, warnings: [] }],
          inserts: 3, updates: 2, deletes: 1, verifiedRows: 9, serviceSettings: null,
          changeSet: spec.dryRun ? null : changesOf(spec, createdAt), notes: ['all well'],
          ...(spec.dryRun && { plan: planOf(spec, spec.changeSetId, createdAt) }),
        },
      }; // prettier-ignore
    case 'COMPARISON':
      return { kind: 'COMPARED', result: comparisonResult(spec, createdAt) };
    case 'VERIFICATION':
      return {
        kind: 'VERIFIED',
        backupId: spec.backupId,
        result: {
          kind: 'VERIFICATION',
          level: spec.level,
          passed: true,
          findings: [],
          checkedChunks: 5,
          checkedBytes: 500,
        },
      };
    case 'REHEARSAL':
      return { kind: 'REHEARSED', backupId: spec.backupId, result: rehearsed() };
    case 'EXPORT':
      return {
        kind: 'EXPORTED',
        result: { kind: 'EXPORT', tables: [{ dataType: 'TRENDS', table: 'risk_trends', rowCount: 10 }], notes: [] },
      };
    case 'COMPACTION':
      return { kind: 'COMPACTED', stored: compactedManifest(spec.backupId) };
    case 'CLEANUP':
      return {
        kind: 'BACKUPS_DELETED',
        backupIds: spec.backupIds ?? [],
        result: {
          kind: 'CLEANUP',
          deletedBackupIds: spec.backupIds ?? [],
          kept: [],
          freedBytes: 400,
          rewrittenPacks: 3,
          rewrittenBytes: 50,
        },
      };
  }
}

export function comparisonResult({ comparisonId, validForMs }: ComparisonJobSpec, createdAt: Date): ComparisonResult {
  const expiresAt = new Date(createdAt.getTime() + validForMs).toISOString();
  const counts = { removed: 1, added: 3, changed: 2, unchanged: 4 };
  const table = {
    dataType: 'TRENDS',
    table: 'risk_trends',
    inBase: true,
    inTarget: true,
    ...counts,
    notes: ['a note'],
  } as const;
  return {
    kind: 'COMPARISON',
    changeSet: { changeSetId: comparisonId, createdAt: createdAt.toISOString(), expiresAt },
    baseReadAt: '2026-11-22T12:00:00.000Z', targetReadAt: '2026-11-23T12:00:00.000Z',
    ...counts, tables: [{ ...table, notes: ['a note'] }], notes: [],
  }; // prettier-ignore
}

export function storedManifest(spec: BackupJobSpec): StoredManifest {
  const { backupId, type, businessId, expiresAt, labels } = spec;
  const at = new Date(Date.UTC(2026, 10, 22, 12)).toISOString();
  const dataTypes = type === 'SYSTEM' ? (['CONFIG'] as const) : (['TRENDS', 'ALERTS', 'CONFIG'] as const);
  return {
    name: `manifests/2026/11/20261122T120000Z-${type}-${backupId}.json`,
    checksum: 'c'.repeat(64),
    manifest: {
      formatVersion: 1, backupId, jobId: backupId as never, type, expiresAt, labels,
      source: { name: spec.source, kind: 'sqlite', version: '3', schema: 'main' },
      dataTypes: [...dataTypes],
      scope: businessId === null ? { kind: 'ALL' } : { kind: 'BUSINESS', businessId },
      parentId: null, createdAt: at, completedAt: at, readAt: at, consistency: 'SQLITE_SNAPSHOT', position: null,
      tables: [tableManifest()], serviceSettings: null, createdBy: 'local', rowCount: 10, changedRowCount: 10,
      rawBytes: 9_007_199_254_740_991, storedBytes: 400, writtenBy: 'riskvault test',
    },
  }; // prettier-ignore
}

/** As `storedManifest`, of a FULL backup that was compacted. */
function compactedManifest(backupId: BackupJobSpec['backupId']): StoredManifest {
  const fixed = { kind: 'BACKUP', source: 'default', type: 'FULL', businessId: null } as const;
  const stored = storedManifest({ ...fixed, dataTypes: [], backupId, expiresAt: null, labels: {} });
  const manifest = { ...stored.manifest, storedBytes: 450, compactedAt: '2026-11-23T12:00:00.000Z' };
  return { name: stored.name.replace('.json', '.g2.json'), checksum: 'd'.repeat(64), manifest };
}

function tableManifest(): StoredManifest['manifest']['tables'][number] {
  return {
    dataType: 'TRENDS', table: 'risk_trends', structure: {} as never, rowCount: 10, rawBytes: 1_000, layers: [],
    changeDetection: 'NONE', changeDetectionReason: 'a full backup reads everything', changedRowCount: 10,
  }; // prettier-ignore
}

export function testSource(more: Partial<SourcePort> = {}): SourcePort {
  return {
    name: 'default',
    mapping: DEFAULT_MAPPING,
    schema: 'kyb',
    info: () => Promise.resolve({ kind: 'mariadb', version: '10.11', schema: 'kyb' }),
    checkMapping: () => Promise.resolve([]),
    estimateRows: () => Promise.resolve(new Map([['risk_alerts', 12]])),
    ...more,
  };
}

export function deadSource(name: string): SourcePort {
  const refuse = () =>
    Promise.reject(new AppError('SOURCE_UNAVAILABLE', `The source ${name} can't be reached.`, { retryable: true }));
  return testSource({ name, info: refuse, checkMapping: refuse, estimateRows: refuse });
}

export const TEST_REPOSITORY: RepositoryPort = {
  location: 'file:/repository',
  facts: () => Promise.resolve({ formatVersion: 1, encrypted: false, compression: 'zstd' }),
  freeBytes: () => Promise.resolve(1_000_000),
  usage: () => Promise.resolve({ packCount: 7, packBytes: 70_000 }),
  placeHold: (hold) => Promise.resolve(hold),
  releaseHold: (hold) => Promise.resolve({ ...hold, reason: null, createdBy: null, createdAt: '' }),
  freedBy: (backupIds) => Promise.resolve({ freedBytes: backupIds.length * 100, deadBytes: backupIds.length }),
};

function recordingLog(logged: LoggedError[]): Log {
  const quiet = () => undefined;
  const log: Log = {
    debug: quiet,
    info: quiet,
    warn: quiet,
    error: (message, fields) => void logged.push({ message, fields }),
    child: () => log,
  };
  return log;
}
