/** The settings that the parts of the program share, as `ops/config` validates them. All plain data: worker threads get a copy. */
import type { Invariant } from './invariant';
import type { SourceMapping } from './mapping';

export interface SourceSettings {
  name: string;
  /** `mysql://`, `mariadb://` or `sqlite:<path>`. */
  url: string;
  mapping: SourceMapping;
  /** Reader and writer connections of one job. */
  connections: number;
  maxBytesPerSecond?: number;
  maxRowsPerSecond?: number;
  /** How long a backup may hold up statements that wait on its metadata locks before it yields, ms. */
  metadataLockPatienceMs: number;
  /** What rehearsals ask of restored rows. Absent: nothing. */
  invariants?: readonly Invariant[];
  /** How long one of them may run, ms. Absent: DEFAULT_INVARIANT_LIMIT_MS. */
  invariantLimitMs?: number;
}

export interface RepositorySettings {
  /** `file:<path>` */
  url: string;
  passphrase?: string;
  compression: 'zstd' | 'none';
  /** 1 to 19; zstd only. */
  compressionLevel: number;
  /** Packs without a reference are kept at least this long after they were written, ms. */
  gracePeriodMs: number;
}

export interface RunnerSettings {
  /** Jobs at once in this process. */
  concurrency: number;
  /** Jobs at once on one source. */
  concurrencyPerSource: number;
  leaseMs: number;
  heartbeatMs: number;
  /** How often an idle runner looks for due work when no wake-up came. */
  pollMs: number;
  /** How long shutdown waits for running jobs before it cancels and requeues them. */
  drainMs: number;
}

export interface DownloadLimits {
  maxAtOnce: number;
  /** The longest that one may take. */
  maxDurationMs: number;
  /** How long a client may take nothing. */
  patienceMs: number;
}

export interface Settings {
  server: { host: string; port: number };
  /** Of exports. `baseUrl`: what links begin with, without a slash at the end; absent: where the service listens. */
  downloads: DownloadLimits & { baseUrl?: string; keyFile: string };
  /** `sqlite:<path>`, `mysql://` or `mariadb://` */
  catalog: { url: string };
  repository: RepositorySettings;
  sources: SourceSettings[];
  runner: RunnerSettings;
  /** `afterLayers`: delta layers on a table from which on its backup is compacted by itself. */
  compaction: { afterLayers: number };
  retention: { defaultDays: number };
  events: { keepDays: number };
  limits: {
    maxSockets: number;
    maxSubscriptionsPerSocket: number;
    maxMessageBytes: number;
    maxQueryDepth: number;
    maxQueryTokens: number;
    maxAliases: number;
    maxWaiters: number;
  };
  log: { level: 'debug' | 'info' | 'warn' | 'error' | 'silent' };
  /** True where the source is the embedded demo database, filled at the first start. */
  demo: boolean;
}
