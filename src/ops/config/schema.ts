/**
 * Every setting, its default and what is allowed. Durations are ISO 8601, as in the API. The shape is that of the settings
 * file; environment variables are laid over it before it is checked.
 */
import { z } from 'zod';
import { MAX_RETENTION_DAYS, MIN_RETENTION_DAYS } from '../../domain/backup';
import { formatDuration, parseDurationMs } from '../../domain/duration';
import { MAX_DELTA_LAYERS } from '../../domain/layer-stack';
import { DEFAULT_MAPPING, type SourceMapping } from '../../domain/mapping';
import { DEFAULT_INVARIANT_LIMIT_MS } from '../../domain/invariant';
import type { Settings } from '../../domain/settings';
import { invariantsSchema, toInvariant, unmappedDataTypes } from './invariants';
import * as leaf from './leaf';
import { mappingSchema } from './mapping';

/** Heartbeats that may be lost before a lease expires. */
const HEARTBEATS_PER_LEASE = 3;
const SOURCE_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;

const ms = (duration: string): number => parseDurationMs(duration)!;

export type FileSettings = z.infer<ReturnType<typeof settingsSchema>>;

/** `base` is the folder that relative paths start from. */
export function settingsSchema(base: string) {
  return z.strictObject({
    dataFolder: leaf.folder(base).prefault('./data'),
    server: group({
      host: leaf.host().default('127.0.0.1'),
      port: leaf.port().default(4000),
    }),
    catalog: group({ url: leaf.databaseUrl(base).optional() }),
    repository: repository(base),
    sources: z.array(source(base)).default([]).superRefine(refuseRepeatedNames, leaf.besideProblems),
    runner,
    retention: group({
      defaultDays: leaf.integer({ min: MIN_RETENTION_DAYS, max: MAX_RETENTION_DAYS }).default(30),
    }),
    events: group({ keepDays: leaf.integer({ min: 1, max: 3650 }).default(30) }),
    limits,
    downloads,
    log: group({ level: leaf.oneOf(['debug', 'info', 'warn', 'error', 'silent']).default('info') }),
  });
}

/** A group that may be left out whole. */
function group<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess((value) => value ?? {}, z.strictObject(shape));
}

function repository(base: string) {
  return group({
    url: leaf.repositoryUrl(base).optional(),
    passphrase: leaf.secretText('a text (quote it if it is a number)').optional(),
    compression: leaf.oneOf(['zstd', 'none']).default('zstd'),
    compressionLevel: leaf.integer({ min: 1, max: 19 }).default(1),
    gracePeriod: leaf.duration({ min: 'PT0S', max: 'P365D' }).default(ms('P1D')),
    compactAfterLayers: leaf.integer({ min: 1, max: MAX_DELTA_LAYERS }).default(8),
  });
}

function source(base: string) {
  const shape = z.strictObject({
    name: leaf.text('a name of letters, digits, _ and -, at most 63', SOURCE_NAME).default('default'),
    url: leaf.databaseUrl(base),
    dataTypes: mappingSchema.default([...DEFAULT_MAPPING]),
    connections: leaf.integer({ min: 1, max: 64 }).default(4),
    maxBytesPerSecond: leaf.integer({ min: 1024, max: Number.MAX_SAFE_INTEGER }).optional(),
    maxRowsPerSecond: leaf.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).optional(),
    metadataLockPatience: leaf.duration({ min: 'PT1S', max: 'P1D' }).default(ms('PT10S')),
    invariants: invariantsSchema.default([]),
    invariantTimeLimit: leaf.duration({ min: 'PT1S', max: 'P1D' }).default(DEFAULT_INVARIANT_LIMIT_MS),
  });
  return shape.superRefine(refuseUnmapped, leaf.besideProblems);
}

/** What was refused elsewhere is told there. */
function refuseUnmapped(given: unknown, context: z.RefinementCtx): void {
  const { invariants, dataTypes } = given as { invariants?: unknown; dataTypes?: unknown };
  if (!Array.isArray(invariants) || !Array.isArray(dataTypes)) return;
  invariants.forEach((entry, at) => {
    const unmapped = unmappedDataTypes(entry, dataTypes as SourceMapping);
    if (unmapped.length === 0) return;
    const message = `names ${unmapped.join(', ')}, to which no table is mapped`;
    context.addIssue({ code: 'custom', path: ['invariants', at, 'dataTypes'], message });
  });
}

function refuseRepeatedNames(sources: unknown, context: z.RefinementCtx): void {
  const names = Array.isArray(sources) ? sources.map(nameOf) : [];
  names.forEach((name, at) => {
    if (typeof name !== 'string' || names.indexOf(name) === at) return;
    context.addIssue({ code: 'custom', path: [at, 'name'], message: `${leaf.show(name)} is another source's name` });
  });
}

function nameOf(source: unknown): unknown {
  return typeof source === 'object' && source !== null && 'name' in source ? source.name : undefined;
}

const runner = group({
  concurrency: leaf.integer({ min: 1, max: 64 }).default(2),
  concurrencyPerSource: leaf.integer({ min: 1, max: 64 }).default(1),
  lease: leaf.duration({ min: 'PT1S', max: 'PT1H' }).default(ms('PT30S')),
  heartbeat: leaf.duration({ min: 'PT0.1S', max: 'PT20M' }).default(ms('PT10S')),
  poll: leaf.duration({ min: 'PT0.1S', max: 'PT10M' }).default(ms('PT5S')),
  drain: leaf.duration({ min: 'PT0S', max: 'PT1H' }).default(ms('PT30S')),
}).superRefine(({ lease, heartbeat }, context) => {
  const known = typeof lease === 'number' && typeof heartbeat === 'number';
  if (!known || heartbeat * HEARTBEATS_PER_LEASE <= lease) return;
  const message = `is too long for the lease: give at most a third of it, ${formatDuration(Math.floor(lease / HEARTBEATS_PER_LEASE))}`;
  context.addIssue({ code: 'custom', path: ['heartbeat'], message });
}, leaf.besideProblems);

const limits = group({
  maxSockets: leaf.integer({ min: 1, max: 100_000 }).default(2_000),
  maxSubscriptionsPerSocket: leaf.integer({ min: 1, max: 10_000 }).default(100),
  maxMessageBytes: leaf.integer({ min: 1_024, max: 16_777_216 }).default(262_144),
  maxQueryDepth: leaf.integer({ min: 3, max: 100 }).default(16),
  maxQueryTokens: leaf.integer({ min: 100, max: 100_000 }).default(2_000),
  maxAliases: leaf.integer({ min: 1, max: 1_000 }).default(30),
  maxWaiters: leaf.integer({ min: 0, max: 10_000 }).default(100),
});

const downloads = group({
  baseUrl: leaf.webUrl().optional(),
  maxAtOnce: leaf.integer({ min: 1, max: 64 }).default(2),
  maxDuration: leaf.duration({ min: 'PT1S', max: 'P7D' }).default(ms('PT12H')),
  patience: leaf.duration({ min: 'PT1S', max: 'PT1H' }).default(ms('PT1M')),
});

/** What the file says, in the shape that the rest of the program uses, places without a setting filled in. */
export function toSettings(file: FileSettings): Settings {
  const { dataFolder, repository: store, runner: run, downloads: load } = file;
  const demo = file.sources.length === 0;
  return {
    server: file.server,
    catalog: { url: file.catalog.url ?? `sqlite:${dataFolder}/catalog.sqlite` },
    repository: {
      url: store.url ?? `file:${dataFolder}/repository`,
      ...(store.passphrase !== undefined && { passphrase: store.passphrase }),
      compression: store.compression,
      compressionLevel: store.compressionLevel,
      gracePeriodMs: store.gracePeriod,
    },
    sources: demo ? [demoSource(dataFolder)] : file.sources.map(toSource),
    runner: {
      concurrency: run.concurrency,
      concurrencyPerSource: run.concurrencyPerSource,
      leaseMs: run.lease,
      heartbeatMs: run.heartbeat,
      pollMs: run.poll,
      drainMs: run.drain,
    },
    compaction: { afterLayers: store.compactAfterLayers },
    retention: file.retention,
    events: file.events,
    limits: file.limits,
    downloads: {
      ...(load.baseUrl !== undefined && { baseUrl: load.baseUrl }),
      maxAtOnce: load.maxAtOnce,
      maxDurationMs: load.maxDuration,
      patienceMs: load.patience,
      keyFile: `${dataFolder}/downloads.key`,
    },
    log: file.log,
    demo,
  };
}

function toSource({
  dataTypes: mapping,
  metadataLockPatience,
  invariants,
  invariantTimeLimit,
  ...rest
}: FileSettings['sources'][number]): Settings['sources'][number] {
  return {
    ...rest,
    mapping,
    metadataLockPatienceMs: metadataLockPatience,
    invariants: invariants.map((entry) => toInvariant(entry, mapping)),
    invariantLimitMs: invariantTimeLimit,
  };
}

function demoSource(dataFolder: string): Settings['sources'][number] {
  return {
    name: 'default',
    url: `sqlite:${dataFolder}/demo.sqlite`,
    mapping: DEFAULT_MAPPING,
    connections: 1,
    metadataLockPatienceMs: ms('PT10S'),
  };
}
