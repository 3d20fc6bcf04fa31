/** Comparisons of a backup with another one, or with its live source: make one, look at it. */
import type { BackupRecord, Catalog, ComparisonRecord, JobRecord } from '../catalog/catalog';
import type { Random } from '../domain/ambient';
import { COMPARISON_KEPT_MS } from '../domain/change-set';
import { AppError } from '../domain/errors';
import type { ChangeSetId } from '../domain/ids';
import type { ComparisonJobSpec } from '../domain/job';
import { authorize } from './authorize';
import type { CallOptions } from './backups';
import { checkAgainstBackups, checkComparisonInput, requireStored, type CompareBackupsInput } from './comparison-rules';
import { createDeeds } from './deeds';
import { quote } from './input-rules';
import type { JobsService } from './jobs';
import type { SourcePort } from './ports';
import type { Principal } from './principal';

export interface ComparisonJob {
  job: JobRecord;
  comparison: ComparisonRecord | null;
}

/** Errors of all: FORBIDDEN, CATALOG_UNAVAILABLE. */
export interface ComparisonsService {
  /** Reads only; the comparison is there once its job has completed. Throws INVALID_INPUT, NOT_FOUND, IDEMPOTENCY_KEY_REUSED. */
  compare(principal: Principal, input: CompareBackupsInput, options?: CallOptions): Promise<ComparisonJob>;
  /** In the order of the ids; null where there is none or the caller may not see it. One query. */
  findMany(principal: Principal, ids: readonly ChangeSetId[]): Promise<(ComparisonRecord | null)[]>;
}

export interface ComparisonsDependencies {
  catalog: Pick<Catalog, 'backups' | 'comparisons' | 'queue'>;
  sources: readonly SourcePort[];
  jobs: JobsService;
  random: Random;
  wake: () => void;
}

export function createComparisonsService(dependencies: ComparisonsDependencies): ComparisonsService {
  const { catalog } = dependencies;
  const deeds = createDeeds(dependencies);
  return {
    async compare(principal, input, options = {}) {
      authorize(principal, 'backup:compare');
      const job = await deeds.run(principal, { mutation: 'compareBackups', input, ...options }, () =>
        comparisonSpec(input, dependencies),
      );
      const { spec } = job;
      return { job, comparison: spec.kind === 'COMPARISON' ? await catalog.comparisons.find(spec.comparisonId) : null };
    },
    async findMany(principal, ids) {
      authorize(principal, 'backup:read');
      return catalog.comparisons.findMany(ids);
    },
  };
}

async function comparisonSpec(
  input: CompareBackupsInput,
  { catalog, sources, random }: ComparisonsDependencies,
): Promise<ComparisonJobSpec> {
  const checked = checkComparisonInput(input);
  const base = requireStored(await catalog.backups.find(input.baseId), 'baseId');
  const target = input.targetId ? requireStored(await catalog.backups.find(input.targetId), 'targetId') : null;
  requireSource(base, 'baseId', sources);
  if (target !== null) requireSource(target, 'targetId', sources);
  const businessId = checkAgainstBackups(checked, { base, target });
  return {
    kind: 'COMPARISON',
    comparisonId: random.uuid() as ChangeSetId,
    source: base.source,
    backupId: base.id,
    targetId: target?.id ?? null,
    dataTypes: checked.dataTypes,
    businessId,
    validForMs: COMPARISON_KEPT_MS,
  };
}

/** It alone knows how rows are encoded. */
function requireSource({ source }: BackupRecord, field: string, sources: readonly SourcePort[]): void {
  if (sources.some(({ name }) => name === source)) return;
  throw new AppError('INVALID_INPUT', `The backup's source ${quote(source)} is no longer configured.`, {
    hint: `Add a source named ${quote(source)} to the settings.`,
    path: ['input', field],
  });
}
