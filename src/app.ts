/**
 * The composition root of the service: the one place that sees every part and wires it. Tests start the service through it, with
 * the very parts that run in production. It opens in order (catalog, repository, sources, runner, API) and closes in reverse;
 * a part that fails to open closes those before it.
 */
import { join } from 'node:path';
import { assertCanListen } from './api/listen';
import { createServer } from './api/server';
import type { Catalog } from './catalog/catalog';
import { openCatalog } from './catalog/open-catalog';
import type { Clock, Log, Random } from './domain/ambient';
import type { BackupReader } from './domain/backup-reader';
import type { BackupExporter } from './domain/export';
import { AppError, isAppError } from './domain/errors';
import type { Settings } from './domain/settings';
import type { Source } from './domain/source';
import type { EngineResult, EngineTask, TaskExecutor } from './domain/task';
import { createEventBus } from './events/event-bus';
import { createEventFeed } from './events/event-feed';
import { openSource, schemaOf, sqlitePath } from './open-source';
import { watchCondition, type ConditionWatch } from './ops/condition-watch';
import { watchStalls } from './ops/event-loop-lag';
import { createHealth, type HealthCheck } from './ops/health';
import { openKeyFile } from './ops/key-file';
import type { ShutdownStep } from './ops/shutdown';
import { openRepository, type Repository } from './repository/repository';
import { createRunner, type Runner } from './runner/runner';
import { createWorkerExecutor } from './runner/worker-executor';
import type { EventFeed, RepositoryPort, SourcePort } from './services/ports';
import { createServices, type Services } from './services/services';
import { createDemoDatabase } from './sources/sqlite/demo';
import { PROGRAM } from './program';
import type { WorkerSettings } from './worker';

export interface AppOptions {
  settings: Settings;
  clock: Clock;
  random: Random;
  log: Log;
  /** The folder of compiled code: worker threads and the console are loaded from it. */
  distFolder: string;
  /** Absent: worker threads. */
  executor?: TaskExecutor;
}

export interface App {
  /** Where the API listens, e.g. `http://127.0.0.1:4000`. */
  readonly address: string;
  readonly port: number;
  /** Rows written into a demo database made just now; 0 where there was one, or none is wanted. */
  readonly demoRows: number;
  /** The parts in the order in which they end. Each is idempotent. */
  readonly shutdownSteps: readonly ShutdownStep[];
  /** Runs all steps. */
  close(): Promise<void>;
}

/** Threads beside those of jobs, whose end nobody need wait for: previews of retention and readers of records ask one question each at a time. */
const QUESTIONS_AT_ONCE = 2;

/** Problems that time does not heal: the service must not start and look well. */
const FATAL_REPOSITORY_CODES = ['WRONG_PASSPHRASE', 'FORMAT_TOO_NEW', 'CONFIG_INVALID', 'INTEGRITY_FAILURE'];

/** Throws CONFIG_INVALID, CATALOG_UNAVAILABLE, WRONG_PASSPHRASE or FORMAT_TOO_NEW; then nothing is left open. */
export async function createApp(options: AppOptions): Promise<App> {
  const steps: ShutdownStep[] = [];
  try {
    return await wire(options, steps);
  } catch (error) {
    await runAll(steps);
    throw error;
  }
}

async function wire(options: AppOptions, steps: ShutdownStep[]): Promise<App> {
  const { settings, clock, random, log } = options;
  // Each part is put before those that it needs: shutdown runs from the front.
  const closes = (name: string, run: ShutdownStep['run']): unknown => steps.unshift({ name, run });

  await assertCanListen(settings.server);
  const demoRows = settings.demo ? await createDemoDatabase(sqlitePath(settings.sources[0]?.url ?? '')) : 0;
  const bus = createEventBus();
  const catalog = await openCatalog({
    url: settings.catalog.url,
    clock,
    random,
    log,
    onEvent: (jobId) => bus.notify(jobId),
  });
  closes('catalog', () => catalog.close());

  const repository = lazyRepository(options);
  closes('repository', () => repository.close());
  await importBackups({ catalog, repository, log });

  const writes = watchCondition({ probe: () => probeWrites(repository), words: WRITES, clock, log });
  await writes.tried;
  closes('repository watch', () => writes.stop());

  const sources = settings.sources.map((source) => openSource({ settings: source, clock, random, log }));
  closes('sources', async () => void (await Promise.all(sources.map((source) => source.close()))));
  const reaches = watchSources(sources, { clock, log });
  closes('source watch', async () => void (await Promise.all([...reaches.values()].map((watch) => watch.stop()))));

  const executor = options.executor ?? workerThreads(options);
  closes('worker threads', () => executor.close());

  const runner = runnerOf(options, { catalog, executor });
  const stalls = watchStalls({ clock, log });
  closes('event loop watch', () => stalls.stop());
  const health = createHealth({
    checks: healthChecks({ catalog, repository, runner, writes, reaches }),
    clock,
    longestStallMs: () => stalls.longestMs(),
  });
  const feed = createEventFeed({ catalog, bus, clock });
  const services = await servicesOf(options, { catalog, feed, sources, repository, executor, runner });
  const server = await createServer({
    services,
    settings,
    clock,
    random,
    log,
    health,
    consoleDir: join(options.distFolder, 'console'),
  });
  closes('api', () => server.close());
  runner.start();
  // Running jobs end while clients can still watch them.
  closes('runner', () => runner.drain());
  closes('readiness', () => health.startDraining());
  return { address: server.address, port: server.port, demoRows, shutdownSteps: steps, close: () => runAll(steps) };
}

async function servicesOf(
  { settings, clock, random }: AppOptions,
  { catalog, feed, sources, repository, executor, runner }: ServiceParts,
): Promise<Services> {
  return createServices({
    catalog,
    feed,
    sources: sourcePorts(settings, sources),
    repository: repositoryPort(settings, { repository, executor }),
    reader: backupReader(executor),
    exporter: backupExporter(executor),
    downloads: { key: await openKeyFile(settings.downloads.keyFile, random), limits: settings.downloads },
    defaultRetentionDays: settings.retention.defaultDays,
    maxWaiters: settings.limits.maxWaiters,
    clock,
    random,
    wake: () => runner.wake(),
  });
}

interface ServiceParts {
  catalog: Catalog;
  feed: EventFeed;
  sources: readonly Source[];
  repository: LazyRepository;
  executor: TaskExecutor;
  runner: Runner;
}

function runnerOf(options: AppOptions, parts: { catalog: Catalog; executor: TaskExecutor }): Runner {
  const { settings, clock, random, log } = options;
  return createRunner({
    ...parts,
    settings: settings.runner,
    eventKeepDays: settings.events.keepDays,
    compactAfterLayers: settings.compaction.afterLayers,
    owner: `${PROGRAM} ${process.pid}`,
    serviceSettings: async () => serviceSettingsOf(settings),
    clock,
    random,
    log,
  });
}

async function runAll(steps: readonly ShutdownStep[]): Promise<void> {
  for (const step of steps) await step.run();
}

function workerThreads({ settings, distFolder, clock, log }: AppOptions): TaskExecutor {
  const { sources, repository, runner, downloads } = settings;
  return createWorkerExecutor({
    workerFile: join(distFolder, 'worker.js'),
    workerData: { settings: { sources, repository }, writtenBy: PROGRAM } satisfies WorkerSettings,
    // Each download has one for as long as it takes, and so takes none of a job's.
    maxWorkers: runner.concurrency + QUESTIONS_AT_ONCE + downloads.maxAtOnce,
    clock,
    log,
  });
}

interface LazyRepository {
  open(): Promise<Repository>;
  close(): Promise<void>;
}

/** Opened when first needed, and again after a failure: a repository that is away for a while must not end the service. */
function lazyRepository({ settings, clock, random, log }: AppOptions): LazyRepository {
  let opened: Promise<Repository> | null = null;
  return {
    open() {
      opened ??= openRepository({ settings: settings.repository, clock, random, log }).catch((error: unknown) => {
        opened = null;
        throw error;
      });
      return opened;
    },
    async close() {
      const repository = await opened?.catch(() => null); // because: what never opened has nothing to close
      await repository?.close();
    },
  };
}

/** Brings the catalog's backups and holds in line with the repository; a repository that is away for now is reported and waited for. */
async function importBackups({
  catalog,
  repository,
  log,
}: {
  catalog: Catalog;
  repository: LazyRepository;
  log: Log;
}): Promise<void> {
  try {
    const store = await repository.open();
    const damaged = (name: string, error: unknown): void =>
      log.error('a manifest is damaged', { manifest: name, error });
    const storedIds = () => store.storedBackupIds();
    const { imported, missing } = await catalog.backups.reconcile(store.listManifests(damaged), storedIds);
    if (imported.length > 0) log.info('found backups in the repository', { imported: imported.length });
    if (missing.length > 0) log.error('backups have no manifest in the repository', { backupIds: missing });
    const holds = await catalog.holds.reconcile(store.listHolds());
    if (holds.added + holds.removed > 0) log.info('brought legal holds in line with the repository', { ...holds });
  } catch (error) {
    if (!isAppError(error) || FATAL_REPOSITORY_CODES.includes(error.code)) throw error;
    log.error('the repository is not available', { error });
  }
}

function sourcePorts(settings: Settings, sources: readonly Source[]): SourcePort[] {
  return settings.sources.map(({ name, mapping, url }, index) => {
    const source = sources[index] as Source;
    return {
      name,
      mapping,
      schema: schemaOf(url),
      info: (signal) => source.info(signal),
      checkMapping: (signal) => source.checkMapping(signal),
      estimateRows: (signal) => source.estimateRows(signal),
    };
  });
}

function repositoryPort(
  settings: Settings,
  { repository, executor }: { repository: LazyRepository; executor: TaskExecutor },
): RepositoryPort {
  const { url, compression } = settings.repository;
  return {
    location: url,
    async facts() {
      const { config } = await repository.open();
      return { formatVersion: config.formatVersion, encrypted: config.encrypted, compression };
    },
    freeBytes: async () => (await repository.open()).freeBytes(),
    usage: async () => (await repository.open()).info(),
    placeHold: async (hold) => (await repository.open()).placeHold(hold),
    releaseHold: async (hold) => (await repository.open()).releaseHold(hold),
    freedBy: (backupIds, signal) => ask(executor, { kind: 'FREED_BYTES', backupIds }, signal),
  };
}

/** In a worker thread, as jobs are run. */
async function ask<Kind extends EngineResult['kind']>(
  executor: TaskExecutor,
  task: Extract<EngineTask, { kind: Kind }>,
  signal: AbortSignal,
): Promise<Extract<EngineResult, { kind: Kind }>> {
  const untold = (): void => undefined; // because: nobody watches a question
  const result = await executor.run(task, { signal, onProgress: untold, onLog: untold });
  if (result.kind === task.kind) return result as Extract<EngineResult, { kind: Kind }>;
  throw new AppError('INTERNAL', `A question for ${task.kind} was answered with a ${result.kind} result.`);
}

function backupReader(executor: TaskExecutor): BackupReader {
  return {
    findRecords: (wanted, signal) => ask(executor, { kind: 'RECORDS', wanted }, signal),
    findHistory: (wanted, signal) => ask(executor, { kind: 'RECORD_HISTORY', wanted }, signal),
    findChanges: (wanted, signal) => ask(executor, { kind: 'ROW_CHANGES', wanted }, signal),
    findConflicts: (wanted, signal) => ask(executor, { kind: 'CONFLICTS', wanted }, signal),
  };
}

function backupExporter(executor: TaskExecutor): BackupExporter {
  const untold = (): void => undefined; // because: nobody watches a download but its client
  return {
    async stream(streaming, { take, signal }) {
      const hooks = { signal, onProgress: untold, onLog: untold, onBytes: take };
      await executor.run({ kind: 'EXPORT_STREAM', ...streaming }, hooks);
    },
  };
}

const WRITES = {
  failing: 'the repository takes no writes: backups fail until it does',
  working: 'the repository takes writes again',
};
const REACH = {
  failing: 'the source can not be used: backups of it, and restores into it, fail until it can',
  working: 'the source can be used again',
};

/** By name. Nobody waits for the first try: a server that is away takes its time to say so. */
function watchSources(
  sources: readonly Source[],
  { clock, log }: Pick<AppOptions, 'clock' | 'log'>,
): Map<string, ConditionWatch> {
  const watch = (source: Source): ConditionWatch =>
    watchCondition({
      probe: async (signal) => void (await source.info(signal)),
      words: REACH,
      clock,
      log: log.child({ source: source.name }),
    });
  return new Map(sources.map((source) => [source.name, watch(source)]));
}

/** What is no longer there must not be made anew: an empty mount point would take writes. */
async function probeWrites(repository: LazyRepository): Promise<void> {
  const opened = await repository.open();
  await opened.ping();
  await opened.probe();
}

function healthChecks({
  catalog,
  repository,
  runner,
  writes,
  reaches,
}: {
  catalog: Catalog;
  repository: LazyRepository;
  runner: Runner;
  writes: ConditionWatch;
  reaches: ReadonlyMap<string, ConditionWatch>;
}): HealthCheck[] {
  return [
    { name: 'catalog', check: () => catalog.ping() },
    { name: 'repository', check: async () => (await repository.open()).ping() },
    { name: 'repository writes', optional: true, check: () => writes.check() },
    ...[...reaches].map(([name, watch]) => ({
      name: `source ${name}`,
      optional: true,
      check: () => watch.check(),
    })),
    {
      name: 'runner',
      check: async () => {
        if (runner.state !== 'RUNNING') throw new Error(`the runner is ${runner.state}`);
      },
    },
  ];
}

/** What a SYSTEM backup keeps of the service itself: how it is set up, without addresses, users or secrets. */
function serviceSettingsOf({ sources, retention, events, runner }: Settings): unknown {
  return {
    program: PROGRAM,
    sources: sources.map(({ name, mapping }) => ({ name, mapping })),
    retention,
    events,
    runner,
  };
}
