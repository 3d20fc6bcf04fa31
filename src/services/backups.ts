/**
 * Backups: create, look at, verify, rehearse, compact, delete, expire. What creates a job authorizes, validates, writes job and records in one catalog
 * transaction and then wakes the runner.
 */
import type {
  BackupBucket, BackupFilter, BackupOrderField, BackupRecord, BackupStatistics, BusinessCount, Catalog,
  IdempotencyClaim, JobRecord,
} from '../catalog/catalog'; // prettier-ignore
import type { Clock, Random } from '../domain/ambient';
import type { VerificationLevel } from '../domain/backup';
import { AppError } from '../domain/errors';
import type { BackupId } from '../domain/ids';
import type { JobSpec, RehearsalJobSpec } from '../domain/job';
import {
  FORECAST_STEP_MS, FORECAST_WINDOW_MS, forecastStorage, type StorageForecast,
} from '../domain/storage-forecast'; // prettier-ignore
import { authorize } from './authorize';
import { checkCreateBackup, type BackupRules, type CreateBackupInput } from './backup-rules';
import { checkWaiting, createDeeds, type Deeds } from './deeds';
import type { Given } from './input-rules';
import type { JobsService } from './jobs';
import { listPage, type ListPage, type ListRequest } from './paging';
import type { Principal } from './principal';
import { sourceOfBackup } from './sources';

export type BackupListRequest = ListRequest<BackupFilter, BackupOrderField>;

/** How a call is made: `signal` aborts when the caller has gone, which ends its waiting and nothing else. */
export interface CallOptions {
  signal?: AbortSignal;
}

export interface DeleteBackupInput {
  backupId: BackupId;
  idempotencyKey?: Given<string>;
  waitFor?: Given<string>;
}

export interface CleanupExpiredBackupsInput {
  dryRun?: Given<boolean>;
  idempotencyKey?: Given<string>;
  waitFor?: Given<string>;
}

export interface VerifyBackupInput {
  backupId: BackupId;
  level?: Given<VerificationLevel>;
  idempotencyKey?: Given<string>;
  waitFor?: Given<string>;
}

export interface RehearseRestoreInput {
  backupId: BackupId;
  idempotencyKey?: Given<string>;
  waitFor?: Given<string>;
}

export interface CompactBackupInput {
  backupId: BackupId;
  idempotencyKey?: Given<string>;
  waitFor?: Given<string>;
}

/** Errors of all: INVALID_INPUT, NOT_FOUND, CONFLICT, IDEMPOTENCY_KEY_REUSED, FORBIDDEN, CATALOG_UNAVAILABLE. */
export interface BackupsService {
  create(principal: Principal, input: CreateBackupInput, options?: CallOptions): Promise<BackupJob>;
  /** A backup without a manifest goes at once (`job` is null); any other by a CLEANUP job. */
  delete(principal: Principal, input: DeleteBackupInput, options?: CallOptions): Promise<DeletedBackup>;
  /** A dry run lists what has expired and makes no job. */
  cleanupExpired(principal: Principal, input: CleanupExpiredBackupsInput, options?: CallOptions): Promise<CleanedUp>;
  /** Level RESTORE is a rehearsal. */
  verify(principal: Principal, input: VerifyBackupInput, options?: CallOptions): Promise<BackupJob>;
  /** Throws also BACKUP_NOT_RESTORABLE where the backup's source is no longer configured. */
  rehearse(principal: Principal, input: RehearseRestoreInput, options?: CallOptions): Promise<BackupJob>;
  /** Turns its stacks of layers into single bases. Where there are none the job completes and says so. */
  compact(principal: Principal, input: CompactBackupInput, options?: CallOptions): Promise<BackupJob>;
  /** In the order of the ids; null where there is none or the caller may not see it. One query. */
  findMany(principal: Principal, ids: readonly BackupId[]): Promise<(BackupRecord | null)[]>;
  list(principal: Principal, request: BackupListRequest): Promise<ListPage<BackupRecord>>;
  count(principal: Principal, filter?: BackupFilter): Promise<number>;
  statistics(principal: Principal, filter?: BackupFilter): Promise<BackupStatistics>;
  countByBusiness(principal: Principal, options: { filter?: BackupFilter; limit: number }): Promise<BusinessCount[]>;
  /** Null while there is too little history. */
  forecast(principal: Principal, filter?: BackupFilter): Promise<StorageForecast | null>;
  series(principal: Principal, options: { filter?: BackupFilter; bucketMs: number }): Promise<BackupBucket[]>;
}

export interface BackupJob {
  job: JobRecord;
  backup: BackupRecord | null;
}

export interface DeletedBackup {
  job: JobRecord | null;
  /** Set once the backup is gone. */
  deletedBackupId: BackupId | null;
}

export interface CleanedUp {
  job: JobRecord | null;
  /** What had expired when it was asked, but for what a legal hold keeps; at most MAX_EXPIRED_LISTED. */
  expiredBackupIds: BackupId[];
}

export interface BackupsDependencies extends BackupRules {
  catalog: Pick<Catalog, 'backups' | 'holds' | 'jobs' | 'queue'>;
  jobs: JobsService;
  clock: Clock;
  random: Random;
  wake: () => void;
}

export const MAX_EXPIRED_LISTED = 1_000;
const ID_PATH = ['input', 'backupId'];

export function createBackupsService(dependencies: BackupsDependencies): BackupsService {
  const { catalog } = dependencies;
  const deeds = createDeeds(dependencies);
  const read = (principal: Principal) => authorize(principal, 'backup:read');
  return {
    ...createCommands(dependencies, deeds),
    async findMany(principal, ids) {
      read(principal);
      return catalog.backups.findMany(ids);
    },
    async list(principal, request) {
      read(principal);
      return listPage(catalog.backups, request);
    },
    async count(principal, filter) {
      read(principal);
      return catalog.backups.count(filter);
    },
    async statistics(principal, filter) {
      read(principal);
      return catalog.backups.statistics(filter);
    },
    async countByBusiness(principal, options) {
      read(principal);
      return catalog.backups.statisticsByBusiness(options);
    },
    async forecast(principal, filter) {
      read(principal);
      const windowFrom = new Date(dependencies.clock.now().getTime() - FORECAST_WINDOW_MS);
      const createdFrom = filter?.createdFrom && filter.createdFrom > windowFrom ? filter.createdFrom : windowFrom;
      const series = { filter: { ...filter, createdFrom }, bucketMs: FORECAST_STEP_MS };
      const buckets = await catalog.backups.statisticsSeries(series);
      const points = buckets.filter(({ completed }) => completed > 0);
      return forecastStorage(points.map(({ from, storedBytes }) => ({ at: from, storedBytes })));
    },
    async series(principal, options) {
      read(principal);
      return catalog.backups.statisticsSeries(options);
    },
    async cleanupExpired(principal, input, options = {}) {
      authorize(principal, 'backup:delete');
      const listExpired = async () => (await catalog.backups.listExpired(MAX_EXPIRED_LISTED)).map(({ id }) => id);
      let expiredBackupIds: BackupId[] | undefined;
      const job = await deeds.run(principal, { mutation: 'cleanupExpiredBackups', input, ...options }, async () => {
        checkWaiting(input);
        expiredBackupIds = await listExpired();
        return input.dryRun ? null : ({ kind: 'CLEANUP', dryRun: false } satisfies JobSpec);
      });
      return { job, expiredBackupIds: expiredBackupIds ?? (await listExpired()) };
    },
  };
}

/** What changes something; split from the reads only to keep each part short. */
function createCommands(dependencies: BackupsDependencies, deeds: Deeds) {
  const { catalog, clock, random } = dependencies;
  return {
    async create(principal: Principal, input: CreateBackupInput, options: CallOptions = {}): Promise<BackupJob> {
      authorize(principal, 'backup:create');
      const job = await deeds.run(principal, { mutation: 'createBackup', input, ...options }, () => {
        const { spec } = checkCreateBackup(input, dependencies);
        return spec({ backupId: random.uuid() as BackupId, now: clock.now() });
      });
      return { job, backup: job.backupId && (await catalog.backups.find(job.backupId)) };
    },

    async verify(principal: Principal, input: VerifyBackupInput, options: CallOptions = {}): Promise<BackupJob> {
      const { backupId, level: given } = input;
      const level = given ?? 'DATA';
      authorize(principal, level === 'RESTORE' ? 'backup:rehearse' : 'backup:verify');
      const job = await deeds.run(principal, { mutation: 'verifyBackup', input, ...options }, async () => {
        checkWaiting(input);
        if (level === 'RESTORE') return planRehearsal(backupId, dependencies);
        checkStored(await catalog.backups.find(backupId), 'Verify');
        return { kind: 'VERIFICATION', backupId, level };
      });
      return { job, backup: await catalog.backups.find(backupId) };
    },

    async rehearse(principal: Principal, input: RehearseRestoreInput, options: CallOptions = {}): Promise<BackupJob> {
      authorize(principal, 'backup:rehearse');
      const { backupId } = input;
      const job = await deeds.run(principal, { mutation: 'rehearseRestore', input, ...options }, () => {
        checkWaiting(input);
        return planRehearsal(backupId, dependencies);
      });
      return { job, backup: await catalog.backups.find(backupId) };
    },

    async compact(principal: Principal, input: CompactBackupInput, options: CallOptions = {}): Promise<BackupJob> {
      authorize(principal, 'backup:compact');
      const { backupId } = input;
      const job = await deeds.run(principal, { mutation: 'compactBackup', input, ...options }, async () => {
        checkWaiting(input);
        checkStored(await catalog.backups.find(backupId), 'Compact');
        return { kind: 'COMPACTION', backupId };
      });
      return { job, backup: await catalog.backups.find(backupId) };
    },

    async delete(principal: Principal, input: DeleteBackupInput, options: CallOptions = {}): Promise<DeletedBackup> {
      authorize(principal, 'backup:delete');
      const { backupId } = input;
      const job = await deeds.run(principal, { mutation: 'deleteBackup', input, ...options }, (idempotency) =>
        planDeletion(catalog, input, idempotency),
      );
      if (job === null) return { job, deletedBackupId: backupId };
      const gone = job.state === 'COMPLETED' && (await catalog.backups.find(backupId)) === null;
      return { job, deletedBackupId: gone ? backupId : null };
    },
  };
}

/** Into its own source: that has to be configured still. */
async function planRehearsal(
  backupId: BackupId,
  { catalog, sources }: Pick<BackupsDependencies, 'catalog' | 'sources'>,
): Promise<RehearsalJobSpec> {
  const backup = checkStored(await catalog.backups.find(backupId), 'Rehearse');
  const { name: source } = sourceOfBackup(sources, backup.source);
  return { kind: 'REHEARSAL', backupId, source };
}

export function noSuchBackup(path: readonly string[] = ID_PATH): AppError {
  return new AppError('NOT_FOUND', 'There is no such backup.', { hint: 'List backups to find it.', path });
}

/** NOT_FOUND, or CONFLICT where nothing is stored that could be worked on. */
function checkStored(backup: BackupRecord | null, deed: 'Verify' | 'Rehearse' | 'Compact'): BackupRecord {
  if (!backup) throw noSuchBackup();
  if (backup.status === 'COMPLETED' || backup.status === 'EXPIRED') return backup;
  throw new AppError('CONFLICT', `The backup is ${backup.status}: nothing of it is stored.`, {
    hint: `${deed} a backup whose status is COMPLETED.`,
    path: ID_PATH,
  });
}

function hasNoManifest(backup: BackupRecord): boolean {
  return backup.status === 'FAILED' || backup.status === 'CANCELLED' || backup.missingSince !== null;
}

/** Null where no job is needed: what has no manifest went at once. */
async function planDeletion(
  catalog: Pick<Catalog, 'backups' | 'holds' | 'jobs'>,
  input: DeleteBackupInput,
  idempotency: IdempotencyClaim | null,
): Promise<JobSpec | null> {
  checkWaiting(input);
  const { backupId } = input;
  const backup = await catalog.backups.find(backupId);
  if (!backup) throw noSuchBackup();
  await checkNotHeld(catalog, backupId);
  if (hasNoManifest(backup)) {
    await catalog.backups.deleteUnstored(backupId, idempotency); // because: a row that has gone meanwhile is what was asked for
    return null;
  }
  await checkUnused(catalog, backup);
  return { kind: 'CLEANUP', backupIds: [backupId], dryRun: false };
}

/** What the catalog does not know of yet, the cleanup finds in the repository. */
async function checkNotHeld(catalog: Pick<Catalog, 'holds'>, backupId: BackupId): Promise<void> {
  const [holds = []] = await catalog.holds.ofBackups([backupId]);
  if (holds.length === 0) return;
  throw new AppError('LEGAL_HOLD', 'A legal hold keeps the backup.', {
    hint: 'Release all its legal holds first.',
    path: ID_PATH,
  });
}

/** CONFLICT while the backup is being made, planned with, restored, compared, exported, verified, rehearsed or compacted. */
async function checkUnused(catalog: Pick<Catalog, 'jobs'>, backup: BackupRecord): Promise<void> {
  const refuse = (message: string, hint: string) => {
    throw new AppError('CONFLICT', message, { hint, path: ID_PATH });
  };
  if (backup.status === 'PENDING' || backup.status === 'RUNNING') {
    refuse(`The backup is ${backup.status}.`, 'Cancel its job first, or wait until it has ended.');
  }
  const filter = {
    backupIds: [backup.id],
    states: ['PENDING', 'RUNNING'],
    kinds: ['PLAN', 'RESTORE', 'COMPARISON', 'EXPORT', 'VERIFICATION', 'REHEARSAL', 'COMPACTION'],
  } as const;
  const { items } = await catalog.jobs.list({ filter, limit: 1 });
  const user = items[0] ?? (await secondUser(catalog, backup.id));
  if (user) refuse(`An unfinished job uses the backup: ${user.kind}.`, 'Wait until it has ended, or cancel it.');
}

/** More are never unfinished at once for long; a page has no more. */
const MAX_UNFINISHED = 1000;

/** A job that undoes the damage which the backup shows, or compares another one with it. */
async function secondUser(catalog: Pick<Catalog, 'jobs'>, backupId: BackupId): Promise<JobRecord | undefined> {
  const filter = { states: ['PENDING', 'RUNNING'], kinds: ['PLAN', 'RESTORE', 'COMPARISON'] } as const;
  const { items } = await catalog.jobs.list({ filter, limit: MAX_UNFINISHED });
  return items.find(({ spec }) => secondOf(spec) === backupId);
}

function secondOf(spec: JobSpec): BackupId | null {
  if (spec.kind === 'COMPARISON') return spec.targetId;
  return 'threeWay' in spec ? (spec.threeWay?.damagedBackupId ?? null) : null;
}
