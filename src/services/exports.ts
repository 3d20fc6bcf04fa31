/** Exports of backups: make one, look at it, and at who downloaded it. The downloads themselves are another service's. */
import type { Catalog, ExportDownloadRecord, ExportRecord, JobRecord } from '../catalog/catalog';
import type { Clock, Random } from '../domain/ambient';
import type { ExportId } from '../domain/ids';
import type { ExportJobSpec } from '../domain/job';
import { authorize } from './authorize';
import type { CallOptions } from './backups';
import { createDeeds } from './deeds';
import type { DownloadLinks } from './download-links';
import { checkExportInput, exportSpec, type ExportBackupInput } from './export-rules';
import type { JobsService } from './jobs';
import type { Principal } from './principal';
import { requireStored } from './records';

export interface ExportsService {
  /**
   * Writes nothing but the record of it. The export is there once its job has completed. Throws INVALID_INPUT, NOT_FOUND,
   * IDEMPOTENCY_KEY_REUSED, FORBIDDEN, CATALOG_UNAVAILABLE.
   */
  create(principal: Principal, input: ExportBackupInput, options?: CallOptions): Promise<ExportJob>;
  /** In the order of the ids; null where there is none or the caller may not see it. One query. */
  findMany(principal: Principal, ids: readonly ExportId[]): Promise<(ExportRecord | null)[]>;
  /** Where it is downloaded, below the service's own address; null once it has expired, and for all but whoever made it. */
  linkOf(principal: Principal, record: ExportRecord): string | null;
  /** The newest of them first, and how many there are. */
  downloadsOf(principal: Principal, id: ExportId): Promise<{ newest: ExportDownloadRecord[]; count: number }>;
}

export interface ExportJob {
  job: JobRecord;
  export: ExportRecord | null;
}

export interface ExportsDependencies {
  catalog: Pick<Catalog, 'backups' | 'exports' | 'queue'>;
  links: DownloadLinks;
  jobs: JobsService;
  clock: Clock;
  random: Random;
  wake: () => void;
}

const MAX_SHOWN_DOWNLOADS = 100;

export function createExportsService(dependencies: ExportsDependencies): ExportsService {
  const { catalog, links, clock } = dependencies;
  const deeds = createDeeds(dependencies);
  return {
    async create(principal, input, options = {}) {
      authorize(principal, 'export:create');
      const job = await deeds.run(principal, { mutation: 'exportBackup', input: keyed(input), ...options }, () =>
        specOf(input, dependencies),
      );
      return { job, export: job.spec.kind === 'EXPORT' ? await catalog.exports.find(job.spec.exportId) : null };
    },
    async findMany(principal, ids) {
      authorize(principal, 'export:read');
      return catalog.exports.findMany(ids);
    },
    linkOf(principal, { id, createdBy, expiresAt }) {
      authorize(principal, 'export:read');
      return createdBy === principal.id && expiresAt > clock.now() ? links.pathOf(id) : null;
    },
    async downloadsOf(principal, id) {
      authorize(principal, 'export:read');
      const newest = await catalog.exports.downloadsOf(id, MAX_SHOWN_DOWNLOADS);
      return { newest, count: await catalog.exports.countDownloads(id) };
    },
  };
}

/** What makes two calls the same: a null within a filter is none that was left out. */
function keyed({ filter, ...input }: ExportBackupInput) {
  return { ...input, filter: filter === null || filter === undefined ? null : JSON.stringify(filter) };
}

async function specOf(
  input: ExportBackupInput,
  { catalog, random }: Pick<ExportsDependencies, 'catalog' | 'random'>,
): Promise<ExportJobSpec> {
  const checked = checkExportInput(input);
  const backup = requireStored(await catalog.backups.find(input.backupId), ['input', 'backupId']);
  return exportSpec(input, { checked, backup, exportId: random.uuid() as ExportId });
}
