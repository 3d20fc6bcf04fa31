/**
 * Backups: create, look at, verify, delete, expire. What creates a job authorizes, validates, writes job and records in one catalog
 * transaction and then wakes the runner.
 */
import type {
  BackupBucket, BackupFilter, BackupOrderField, BackupRecord, BackupStatistics, BusinessCount, Catalog, JobRecord,
} from '../catalog/catalog'; // prettier-ignore
import type { Clock, Random } from '../domain/ambient';
import type { VerificationLevel } from '../domain/backup';
import { AppError } from '../domain/errors';
import type { BackupId } from '../domain/ids';
import type { JobSpec } from '../domain/job';
import { authorize } from './authorize';
import { checkCreateBackup, type BackupRules, type CreateBackupInput } from './backup-rules';
import { idempotencyClaim, type KeyedInput } from './idempotency';
import { InputProblems } from './input-problems';
import { checkIdempotencyKey, checkWaitFor, type Given } from './input-rules';
import type { JobsService } from './jobs';
import { listPage, type ListPage, type ListRequest } from './paging';
import type { Principal } from './principal';

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

/** Errors of all: INVALID_INPUT, NOT_FOUND, CONFLICT, IDEMPOTENCY_KEY_REUSED, FORBIDDEN, CATALOG_UNAVAILABLE. */
export interface BackupsService {
  create(principal: Principal, input: CreateBackupInput, options?: CallOptions): Promise<BackupJob>;
  /** A backup without a manifest goes at once (`job` is null); any other by a CLEANUP job. */
  delete(principal: Principal, input: DeleteBackupInput, options?: CallOptions): Promise<DeletedBackup>;
  /** A dry run lists what has expired and makes no job. */
  cleanupExpired(principal: Principal, input: CleanupExpiredBackupsInput, options?: CallOptions): Promise<CleanedUp>;
  verify(principal: Principal, input: VerifyBackupInput, options?: CallOptions): Promise<BackupJob>;
  /** In the order of the ids; null where there is none or the caller may not see it. One query. */
  findMany(principal: Principal, ids: readonly BackupId[]): Promise<(BackupRecord | null)[]>;
  list(principal: Principal, request: BackupListRequest): Promise<ListPage<BackupRecord>>;
  count(principal: Principal, filter?: BackupFilter): Promise<number>;
  statistics(principal: Principal, filter?: BackupFilter): Promise<BackupStatistics>;
  countByBusiness(principal: Principal, options: { filter?: BackupFilter; limit: number }): Promise<BusinessCount[]>;
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
  /** What had expired when it was asked; at most MAX_EXPIRED_LISTED. */
  expiredBackupIds: BackupId[];
}

export interface BackupsDependencies extends BackupRules {
  catalog: Pick<Catalog, 'backups' | 'jobs' | 'queue'>;
  jobs: JobsService;
  clock: Clock;
  random: Random;
  wake: () => void;
}

export const MAX_EXPIRED_LISTED = 1_000;
const ID_PATH = ['input', 'backupId'];

export function createBackupsService(dependencies: BackupsDependencies): BackupsService {
  const { catalog, jobs } = dependencies;
  const commands = createCommands(dependencies);
  const read = (principal: Principal) => authorize(principal, 'backup:read');
  return {
    ...commands,
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
    async series(principal, options) {
      read(principal);
      return catalog.backups.statisticsSeries(options);
    },
    async cleanupExpired(principal, input, options = {}) {
      authorize(principal, 'backup:delete');
      const waitMs = checkWaiting(input);
      const expired = await catalog.backups.listExpired(MAX_EXPIRED_LISTED);
      const expiredBackupIds = expired.map((backup) => backup.id);
      if (input.dryRun) return { job: null, expiredBackupIds };
      const spec: JobSpec = { kind: 'CLEANUP', dryRun: false };
      const job = await commands.enqueue(principal, { spec, mutation: 'cleanupExpiredBackups', input });
      return { job: await jobs.waitFor(principal, job, { waitMs, ...options }), expiredBackupIds };
    },
  };
}

/** What changes something; split from the reads only to keep each part short. */
function createCommands(dependencies: BackupsDependencies) {
  const { catalog, jobs, clock, random, wake } = dependencies;

  const enqueue = async (principal: Principal, { spec, mutation, input }: Deed): Promise<JobRecord> => {
    const idempotency = idempotencyClaim(principal, mutation, input);
    const { job } = await catalog.queue.enqueue({ spec, createdBy: principal.id, idempotency });
    wake();
    return job;
  };

  return {
    enqueue,
    async create(principal: Principal, input: CreateBackupInput, options: CallOptions = {}): Promise<BackupJob> {
      authorize(principal, 'backup:create');
      const { spec, waitMs } = checkCreateBackup(input, dependencies);
      const backupId = random.uuid() as BackupId;
      const deed: Deed = { spec: spec({ backupId, now: clock.now() }), mutation: 'createBackup', input };
      const job = await jobs.waitFor(principal, await enqueue(principal, deed), { waitMs, ...options });
      return { job, backup: job.backupId && (await catalog.backups.find(job.backupId)) };
    },

    async verify(principal: Principal, input: VerifyBackupInput, options: CallOptions = {}): Promise<BackupJob> {
      authorize(principal, 'backup:verify');
      const level = input.level ?? 'DATA';
      const waitMs = checkWaiting(input, (problems) => checkLevel(level, problems));
      const backup = await catalog.backups.find(input.backupId);
      checkStored(backup);
      const spec: JobSpec = { kind: 'VERIFICATION', backupId: input.backupId, level };
      const enqueued = await enqueue(principal, { spec, mutation: 'verifyBackup', input });
      const job = await jobs.waitFor(principal, enqueued, { waitMs, ...options });
      return { job, backup: await catalog.backups.find(input.backupId) };
    },

    async delete(principal: Principal, input: DeleteBackupInput, options: CallOptions = {}): Promise<DeletedBackup> {
      authorize(principal, 'backup:delete');
      const waitMs = checkWaiting(input);
      const { backupId } = input;
      const backup = await catalog.backups.find(backupId);
      if (!backup) throw noSuchBackup();
      if (hasNoManifest(backup)) return deleteRow(catalog, backupId);
      await checkUnused(catalog, backup);
      const spec: JobSpec = { kind: 'CLEANUP', backupIds: [backupId], dryRun: false };
      const enqueued = await enqueue(principal, { spec, mutation: 'deleteBackup', input });
      const job = await jobs.waitFor(principal, enqueued, { waitMs, ...options });
      const gone = job.state === 'COMPLETED' && (await catalog.backups.find(backupId)) === null;
      return { job, deletedBackupId: gone ? backupId : null };
    },
  };
}

interface Deed {
  spec: JobSpec;
  mutation: string;
  input: KeyedInput;
}

/** What the inputs of all job-making mutations share; gives how long to hold the answer. */
function checkWaiting(input: KeyedInput, checkRest?: (problems: InputProblems) => void): number {
  const problems = new InputProblems();
  checkRest?.(problems);
  checkIdempotencyKey(input.idempotencyKey, problems);
  const waitMs = checkWaitFor(input.waitFor, problems);
  problems.throwIfAny();
  return waitMs;
}

function checkLevel(level: VerificationLevel, problems: InputProblems): void {
  if (level !== 'RESTORE') return;
  problems.add(
    'level',
    'Verification by a RESTORE is not available yet.',
    'Use DATA, or restore into a scratch schema.',
  );
}

export function noSuchBackup(): AppError {
  return new AppError('NOT_FOUND', 'There is no such backup.', { hint: 'List backups to find it.', path: ID_PATH });
}

/** NOT_FOUND, or CONFLICT where nothing is stored that could be verified. */
function checkStored(backup: BackupRecord | null): void {
  if (!backup) throw noSuchBackup();
  if (backup.status === 'COMPLETED' || backup.status === 'EXPIRED') return;
  throw new AppError('CONFLICT', `The backup is ${backup.status}: nothing of it is stored.`, {
    hint: 'Verify a backup whose status is COMPLETED.',
    path: ID_PATH,
  });
}

function hasNoManifest(backup: BackupRecord): boolean {
  return backup.status === 'FAILED' || backup.status === 'CANCELLED' || backup.missingSince !== null;
}

async function deleteRow(catalog: Pick<Catalog, 'backups'>, backupId: BackupId): Promise<DeletedBackup> {
  await catalog.backups.deleteUnstored(backupId); // because: a row that has gone meanwhile is what was asked for
  return { job: null, deletedBackupId: backupId };
}

/** CONFLICT while the backup is being made, restored or verified. */
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
    kinds: ['RESTORE', 'VERIFICATION'],
  } as const;
  const { items } = await catalog.jobs.list({ filter, limit: 1 });
  if (items[0]) refuse(`A ${items[0].kind} job uses the backup.`, 'Wait until it has ended, or cancel it.');
}
