/** Backups: queries and mutations. */
import { Arg, Args, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { BackupFilter as CatalogBackupFilter, BackupStatistics as CatalogStatistics } from '../../catalog/catalog';
import { parseDurationMs } from '../../domain/duration';
import { AppError } from '../../domain/errors';
import { DATA_TYPES, type DataType } from '../../domain/data-type';
import type { BackupId } from '../../domain/ids';
import { growthReachedAt, type StorageForecast as Forecast } from '../../domain/storage-forecast';
import { storageRatios } from '../../domain/storage-ratios';
import { MAX_PAGE_SIZE } from '../../services/paging';
import type { RequestContext } from '../context';
import { listFingerprint } from '../cursors';
import { parseIdOf, toGlobalId } from '../global-id';
import { BackupFilter, BackupListArgs, toBackupFilter, toOrder, toPage } from '../inputs/list-inputs';
import {
  CleanupExpiredBackupsInput, CompactBackupInput, CreateBackupInput, DeleteBackupInput, RehearseRestoreInput, VerifyBackupInput,
} from '../inputs/mutation-inputs'; // prettier-ignore
import { BigIntScalar, DateTimeScalar, DurationScalar } from '../scalars';
import { BackupConnection, BackupView, toBackupView } from '../types/backup';
import { pageToConnection, type CountedConnectionView } from '../types/connection';
import { toJobView } from '../types/job';
import {
  CleanupExpiredBackupsPayload, CompactBackupPayload, CreateBackupPayload, DeleteBackupPayload, RehearseRestorePayload,
  VerifyBackupPayload,
} from '../types/payloads'; // prettier-ignore
import { BackupStatistics, BusinessCount, StatisticsBucket, StorageForecast } from '../types/statistics';
import { asPayload } from '../types/user-error';

const ID_PATH = ['input', 'backupId'];
const MIN_BUCKET_MS = 3_600_000;
const MAX_BUCKET_MS = 36_500 * 24 * MIN_BUCKET_MS;

@Resolver(() => BackupView)
export class BackupResolver {
  @Query(() => BackupView, { nullable: true })
  async backup(@Arg('id', () => ID) id: string, @Ctx() context: RequestContext): Promise<BackupView | null> {
    const record = await context.loaders.backups.load(parseIdOf('Backup', id, ['id']));
    return record && toBackupView(record);
  }

  @Query(() => BackupConnection)
  async backups(
    @Args(() => BackupListArgs) args: BackupListArgs,
    @Ctx() { services, principal }: RequestContext,
  ): Promise<CountedConnectionView<BackupView>> {
    const filter = toBackupFilter(args.filter);
    const order = toOrder(args.orderBy);
    const fingerprint = listFingerprint('backups', filter, order);
    const page = await services.backups.list(principal, { page: toPage(args, fingerprint), filter, order });
    const countAll = () => services.backups.count(principal, filter);
    return { ...pageToConnection(page, fingerprint, toBackupView), countAll };
  }

  /** Starts a backup; `job` is what to watch. */
  @Mutation(() => CreateBackupPayload)
  async createBackup(
    @Arg('input', () => CreateBackupInput) input: CreateBackupInput,
    @Ctx() { services, principal, signal }: RequestContext,
  ): Promise<CreateBackupPayload> {
    return asPayload(async () => {
      const { job, backup } = await services.backups.create(principal, input, { signal });
      return { job: toJobView(job), backup: backup && toBackupView(backup) };
    });
  }

  @Mutation(() => DeleteBackupPayload)
  async deleteBackup(
    @Arg('input', () => DeleteBackupInput) input: DeleteBackupInput,
    @Ctx() { services, principal, signal }: RequestContext,
  ): Promise<DeleteBackupPayload> {
    return asPayload(async () => {
      const backupId = parseIdOf<BackupId>('Backup', input.backupId, ID_PATH);
      const { job, deletedBackupId } = await services.backups.delete(principal, { ...input, backupId }, { signal });
      return {
        job: job && toJobView(job),
        deletedBackupId: deletedBackupId && toGlobalId('Backup', deletedBackupId),
      };
    });
  }

  @Mutation(() => CleanupExpiredBackupsPayload)
  async cleanupExpiredBackups(
    @Arg('input', () => CleanupExpiredBackupsInput) input: CleanupExpiredBackupsInput,
    @Ctx() { services, principal, signal }: RequestContext,
  ): Promise<CleanupExpiredBackupsPayload> {
    return asPayload(async () => {
      const { job, expiredBackupIds } = await services.backups.cleanupExpired(principal, input, { signal });
      return {
        job: job && toJobView(job),
        expiredBackupIds: expiredBackupIds.map((id) => toGlobalId('Backup', id)),
      };
    });
  }

  @Mutation(() => VerifyBackupPayload)
  async verifyBackup(
    @Arg('input', () => VerifyBackupInput) input: VerifyBackupInput,
    @Ctx() { services, principal, signal }: RequestContext,
  ): Promise<VerifyBackupPayload> {
    return asPayload(async () => {
      const backupId = parseIdOf<BackupId>('Backup', input.backupId, ID_PATH);
      const { job, backup } = await services.backups.verify(principal, { ...input, backupId }, { signal });
      return { job: toJobView(job), backup: backup && toBackupView(backup) };
    });
  }

  /** Restores it into a scratch schema of its source's own server, checks what is there, and drops the schema. */
  @Mutation(() => RehearseRestorePayload)
  async rehearseRestore(
    @Arg('input', () => RehearseRestoreInput) input: RehearseRestoreInput,
    @Ctx() { services, principal, signal }: RequestContext,
  ): Promise<RehearseRestorePayload> {
    return asPayload(async () => {
      const backupId = parseIdOf<BackupId>('Backup', input.backupId, ID_PATH);
      const { job, backup } = await services.backups.rehearse(principal, { ...input, backupId }, { signal });
      return { job: toJobView(job), backup: backup && toBackupView(backup) };
    });
  }

  /** Without a tall stack of layers the job completes and says that nothing was to do. */
  @Mutation(() => CompactBackupPayload)
  async compactBackup(
    @Arg('input', () => CompactBackupInput) input: CompactBackupInput,
    @Ctx() { services, principal, signal }: RequestContext,
  ): Promise<CompactBackupPayload> {
    return asPayload(async () => {
      const backupId = parseIdOf<BackupId>('Backup', input.backupId, ID_PATH);
      const { job, backup } = await services.backups.compact(principal, { ...input, backupId }, { signal });
      return { job: toJobView(job), backup: backup && toBackupView(backup) };
    });
  }
}

/** What the fields that cost another query need of their parent. */
interface StatisticsRoot {
  filter: CatalogBackupFilter;
  bucketMs: number;
}

interface ForecastRoot extends Forecast {
  /** Rounded, as the API shows it; what is computed from it is not. */
  exact: Forecast;
  storedBytes: number;
}

@Resolver(() => BackupStatistics)
export class BackupStatisticsResolver {
  @Query(() => BackupStatistics)
  async backupStatistics(
    @Arg('filter', () => BackupFilter, { nullable: true }) filter: BackupFilter | null,
    @Arg('bucket', () => DurationScalar, { nullable: true, description: 'Of `series`; PT1H to P36500D, default P1D.' })
    bucket: string | null,
    @Ctx() { services, principal }: RequestContext,
  ): Promise<BackupStatistics> {
    const root: StatisticsRoot = { filter: toBackupFilter(filter), bucketMs: toBucketMs(bucket ?? 'P1D') };
    const sums = await services.backups.statistics(principal, root.filter);
    const now = services.now();
    return { ...root, ...toStatistics(sums, { now, mapped: services.sources.mappedDataTypes() }) };
  }

  @FieldResolver(() => [BusinessCount], { description: 'Businesses by number of their backups, most first.' })
  byBusiness(
    @Root() { filter }: StatisticsRoot,
    @Arg('first', () => Int, { nullable: true, defaultValue: 20 }) given: number | null,
    @Ctx() { services, principal }: RequestContext,
  ): Promise<BusinessCount[]> {
    const first = given ?? 20;
    if (first >= 1 && first <= MAX_PAGE_SIZE) {
      return services.backups.countByBusiness(principal, { filter, limit: first });
    }
    const hint = `Give 1 to ${MAX_PAGE_SIZE}.`;
    throw new AppError('INVALID_INPUT', `first ${first} is out of range.`, { hint, path: ['byBusiness', 'first'] });
  }

  @FieldResolver(() => StorageForecast, {
    nullable: true,
    description: 'None before there were completed backups in three different hours, the last a day after the first.',
  })
  async forecast(
    @Root() { filter, storedBytes }: StatisticsRoot & Pick<BackupStatistics, 'storedBytes'>,
    @Ctx() { services, principal }: RequestContext,
  ): Promise<ForecastRoot | null> {
    const exact = await services.backups.forecast(principal, filter);
    return exact && { ...exact, exact, bytesPerDay: Math.round(exact.bytesPerDay), storedBytes };
  }

  @FieldResolver(() => [StatisticsBucket], { description: 'By time of creation; empty buckets are left out.' })
  series(@Root() root: StatisticsRoot, @Ctx() { services, principal }: RequestContext): Promise<StatisticsBucket[]> {
    return services.backups
      .series(principal, root)
      .then((buckets) =>
        buckets.map(({ averageDurationMs, ...bucket }) => ({ ...bucket, averageDuration: averageDurationMs })),
      );
  }
}

@Resolver(() => StorageForecast)
export class StorageForecastResolver {
  @FieldResolver(() => DateTimeScalar, {
    nullable: true,
    description:
      'When the stored bytes of the backups counted here reach this size if nothing is deleted: the present where they have; none where ' +
      'they do not grow.',
  })
  reachedAt(
    @Root() { exact, storedBytes }: ForecastRoot,
    @Arg('bytes', () => BigIntScalar) bytes: bigint,
    @Ctx() { services }: RequestContext,
  ): Date | null {
    return growthReachedAt(exact, Number(bytes) - storedBytes, services.now());
  }

  @FieldResolver(() => BigIntScalar, {
    nullable: true,
    description: 'What the repository has room for; none where nobody knows.',
  })
  freeBytes(@Root() _: ForecastRoot, @Ctx() { services, principal }: RequestContext): Promise<number | null> {
    return services.repository.freeBytes(principal);
  }

  @FieldResolver(() => DateTimeScalar, {
    nullable: true,
    description: 'When that room is used up if nothing is deleted; none where nobody knows, or nothing grows.',
  })
  async fullAt(@Root() { exact }: ForecastRoot, @Ctx() { services, principal }: RequestContext): Promise<Date | null> {
    const freeBytes = await services.repository.freeBytes(principal);
    return freeBytes === null ? null : growthReachedAt(exact, freeBytes, services.now());
  }
}

function toBucketMs(bucket: string): number {
  const ms = parseDurationMs(bucket);
  if (ms !== null && ms >= MIN_BUCKET_MS && ms <= MAX_BUCKET_MS) return ms;
  const hint = 'Give an ISO 8601 duration of PT1H to P36500D.';
  const message = 'bucket is malformed, below PT1H or above P36500D.';
  throw new AppError('INVALID_INPUT', message, { hint, path: ['bucket'] });
}

function toStatistics(
  { byDataType, averageDurationMs, counted, ...sums }: CatalogStatistics,
  { now, mapped }: { now: Date; mapped: ReadonlySet<DataType> },
): BackupStatistics {
  const newest = new Map(byDataType.map(({ dataType, newestReadAt }) => [dataType, newestReadAt]));
  // Never backed up is the stalest of all: a data type that a source has is told even where there is nothing of it.
  const told = DATA_TYPES.filter((dataType) => mapped.has(dataType) || newest.has(dataType));
  const freshness = told.map((dataType) => {
    const newestReadAt = newest.get(dataType) ?? null;
    return { dataType, newestReadAt, age: newestReadAt && now.getTime() - newestReadAt.getTime() };
  });
  const storageRatio = sums.storedBytes > 0 ? sums.rawBytes / sums.storedBytes : 1;
  const ratios = storageRatios(counted);
  return { ...sums, ...ratios, storageRatio, byDataType, averageDuration: averageDurationMs, freshness };
}
