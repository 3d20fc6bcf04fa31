/** All use cases, wired. The API sees this and nothing below it. */
import type { Catalog } from '../catalog/catalog';
import type { Clock, Random } from '../domain/ambient';
import type { BackupReader } from '../domain/backup-reader';
import { createBackupsService, type BackupsService } from './backups';
import { createComparisonsService, type ComparisonsService } from './comparisons';
import type { BackupExporter } from '../domain/export';
import type { DownloadLimits } from '../domain/settings';
import { createDownloadLinks } from './download-links';
import { createDownloadsService, type DownloadsService } from './downloads';
import { createExportsService, type ExportsService } from './exports';
import { createJobsService, type JobsService } from './jobs';
import type { EventFeed, RepositoryPort, SourcePort } from './ports';
import { createLegalHoldsService, type LegalHoldsService } from './legal-holds';
import { createRecordsService, type RecordsService } from './records';
import { createRepositoryService, type RepositoryService } from './repository';
import { createRestorePlansService, type RestorePlansService } from './restore-plans';
import { createRestoresService, type RestoresService } from './restores';
import { createRetentionService, type RetentionService } from './retention';
import { createSourcesService, type SourcesService } from './sources';
import { createWaiters } from './waiters';

export interface Services {
  readonly backups: BackupsService;
  readonly legalHolds: LegalHoldsService;
  readonly records: RecordsService;
  readonly retention: RetentionService;
  readonly restores: RestoresService;
  readonly restorePlans: RestorePlansService;
  readonly comparisons: ComparisonsService;
  readonly exports: ExportsService;
  readonly downloads: DownloadsService;
  readonly jobs: JobsService;
  readonly sources: SourcesService;
  readonly repository: RepositoryService;
  /** The services' clock, for what is shown relative to now. */
  now(): Date;
  /** Lets every held answer go, now and from now on: the first step of a shutdown. Idempotent. */
  releaseWaiters(): void;
}

export interface ServicesOptions {
  catalog: Catalog;
  feed: EventFeed;
  sources: readonly SourcePort[];
  repository: RepositoryPort;
  reader: BackupReader;
  exporter: BackupExporter;
  /** `key`: 32 random bytes, under which links to downloads are derived. */
  downloads: { key: Buffer; limits: DownloadLimits };
  defaultRetentionDays: number;
  maxWaiters: number;
  clock: Clock;
  random: Random;
  /** Tells the runner that there is something to do; called after the transaction has committed. */
  wake: () => void;
}

export function createServices(options: ServicesOptions): Services {
  const { catalog, feed, sources, clock, random, wake, maxWaiters, defaultRetentionDays } = options;
  const waiters = createWaiters({ feed, clock, maxWaiters });
  const jobs = createJobsService({ catalog, feed, waiters, wake });
  const links = createDownloadLinks(options.downloads.key);
  const { exporter } = options;
  return {
    jobs,
    backups: createBackupsService({ catalog, jobs, clock, random, wake, sources, defaultRetentionDays }),
    legalHolds: createLegalHoldsService({ catalog, repository: options.repository, clock, random }),
    records: createRecordsService({ catalog, reader: options.reader, sources, clock }),
    retention: createRetentionService({ catalog, repository: options.repository, clock }),
    restores: createRestoresService({ catalog, sources, jobs, random, wake }),
    restorePlans: createRestorePlansService({ catalog, sources, jobs, clock, random, wake }),
    comparisons: createComparisonsService({ catalog, sources, jobs, random, wake }),
    exports: createExportsService({ catalog, links, jobs, clock, random, wake }),
    downloads: createDownloadsService({ catalog, exporter, links, limits: options.downloads.limits, clock }),
    sources: createSourcesService(sources, clock),
    repository: createRepositoryService(options.repository),
    now: () => clock.now(),
    releaseWaiters: () => waiters.releaseAll(),
  };
}
