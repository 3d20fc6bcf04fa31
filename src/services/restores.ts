/** Restores: start one from a backup, look at them. */
import type {
  BackupRecord, Catalog, JobRecord, RestoreFilter, RestoreOrderField, RestorePlanRecord, RestoreRecord,
} from '../catalog/catalog'; // prettier-ignore
import type { Random } from '../domain/ambient';
import { PLAN_VALID_MS, UNDOABLE_MS } from '../domain/change-set';
import type { BackupId, ChangeSetId, RestoreId } from '../domain/ids';
import type { RestoreJobSpec } from '../domain/job';
import type { ThreeWay } from '../domain/three-way';
import { authorize } from './authorize';
import { noSuchBackup, type CallOptions } from './backups';
import { createDeeds } from './deeds';
import type { JobsService } from './jobs';
import { listPage, type ListPage, type ListRequest } from './paging';
import type { SourcePort } from './ports';
import type { Principal } from './principal';
import {
  checkAgainstBackup, checkAgainstDamaged, checkRestorable, checkRestoreInput, type CheckedRestore, type RestoreBackupInput,
  type RestoredPart,
} from './restore-rules'; // prettier-ignore
import { sourceOfBackup } from './sources';

export type RestoreListRequest = ListRequest<RestoreFilter, RestoreOrderField>;

export interface RestoresService {
  /** Throws INVALID_INPUT, NOT_FOUND, BACKUP_NOT_RESTORABLE, IDEMPOTENCY_KEY_REUSED, FORBIDDEN. */
  restore(principal: Principal, input: RestoreBackupInput, options?: CallOptions): Promise<PlannedRestoreJob>;
  /** In the order of the ids; null where there is none or the caller may not see it. One query. */
  findMany(principal: Principal, ids: readonly RestoreId[]): Promise<(RestoreRecord | null)[]>;
  list(principal: Principal, request: RestoreListRequest): Promise<ListPage<RestoreRecord>>;
  count(principal: Principal, filter?: RestoreFilter): Promise<number>;
}

export interface RestoreJob {
  job: JobRecord;
  restore: RestoreRecord | null;
}

export interface PlannedRestoreJob extends RestoreJob {
  /** What it applies, or, as a dry run that completed, kept. */
  plan: RestorePlanRecord | null;
}

export interface RestoresDependencies {
  catalog: Pick<Catalog, 'backups' | 'restores' | 'plans' | 'queue'>;
  sources: readonly SourcePort[];
  jobs: JobsService;
  random: Random;
  wake: () => void;
}

export function createRestoresService(dependencies: RestoresDependencies): RestoresService {
  const { catalog, random } = dependencies;
  const deeds = createDeeds(dependencies);
  const specFor = async (input: RestoreBackupInput): Promise<RestoreJobSpec> => {
    const checked = checkRestoreInput(input);
    const found = await findRestorable(checked, input.backupId, dependencies);
    const undoableForMs = checked.dryRun ? PLAN_VALID_MS : UNDOABLE_MS;
    const kept = { changeSetId: random.uuid() as ChangeSetId, undoableForMs };
    return { ...specOf(checked, found), restoreId: random.uuid() as RestoreId, ...kept };
  };
  const read = (principal: Principal) => authorize(principal, 'restore:read');
  return {
    async restore(principal, input, options = {}) {
      authorize(principal, 'restore:create');
      const job = await deeds.run(principal, { mutation: 'restoreBackup', input, ...options }, () => specFor(input));
      const restore = job.restoreId && (await catalog.restores.find(job.restoreId));
      const plan = restore?.planId ? await catalog.plans.find(restore.planId) : null;
      return { job, restore, plan };
    },
    async findMany(principal, ids) {
      read(principal);
      return catalog.restores.findMany(ids);
    },
    async list(principal, request) {
      read(principal);
      return listPage(catalog.restores, request);
    },
    async count(principal, filter) {
      read(principal);
      return catalog.restores.count(filter);
    },
  };
}

/** Throws NOT_FOUND, BACKUP_NOT_RESTORABLE, and INVALID_INPUT where the backup does not hold what is asked for. */
export async function findRestorable(
  checked: CheckedRestore,
  backupId: BackupId,
  { catalog, sources }: Pick<RestoresDependencies, 'catalog' | 'sources'>,
): Promise<Restorable> {
  const backup = await catalog.backups.find(backupId);
  if (!backup) throw noSuchBackup();
  checkRestorable(backup);
  const part = checkAgainstBackup(checked, backup, sourceOfBackup(sources, backup.source));
  if (checked.threeWay !== null) {
    const damaged = await findDamaged(checked.threeWay, catalog.backups);
    checkAgainstDamaged(checked, { undamaged: backup, damaged });
  }
  return { backup, part };
}

export interface Restorable {
  backup: BackupRecord;
  part: RestoredPart;
}

async function findDamaged(
  { damagedBackupId }: ThreeWay,
  backups: RestoresDependencies['catalog']['backups'],
): Promise<BackupRecord> {
  const backup = await backups.find(damagedBackupId);
  if (!backup) throw noSuchBackup(['input', 'damagedBackupId']);
  checkRestorable(backup, 'damagedBackupId');
  return backup;
}

function specOf(
  checked: CheckedRestore,
  { backup, part }: Restorable,
): Omit<RestoreJobSpec, 'restoreId' | 'changeSetId' | 'undoableForMs'> {
  const { type, businessId, target, dryRun, allowUnchecked, threeWay } = checked;
  const { id: backupId, source } = backup;
  const wanted = { type, ...part, businessId, ...(threeWay && { threeWay }) };
  return { kind: 'RESTORE', backupId, source, ...wanted, target, dryRun, allowUnchecked };
}
