/** Backups: queries and mutations. */
import { Arg, Args, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { BackupFilter as CatalogBackupFilter, BackupStatistics as CatalogStatistics } from '../../catalog/catalog';
import { parseDurationMs } from '../../domain/duration';
import { AppError } from '../../domain/errors';
import type { BackupId } from '../../domain/ids';
import { MAX_PAGE_SIZE } from '../../services/paging';
import type { RequestContext } from '../context';
import { listFingerprint } from '../cursors';
import { parseIdOf, toGlobalId } from '../global-id';
import { BackupFilter, BackupListArgs, toBackupFilter, toOrder, toPage } from '../inputs/list-inputs';
import {
  CleanupExpiredBackupsInput, CreateBackupInput, DeleteBackupInput, VerifyBackupInput,
} from '../inputs/mutation-inputs'; // prettier-ignore
import { DurationScalar } from '../scalars';
import { BackupConnection, BackupView, toBackupView } from '../types/backup';
import { pageToConnection, type CountedConnectionView } from '../types/connection';
import { toJobView } from '../types/job';
import {
  CleanupExpiredBackupsPayload, CreateBackupPayload, DeleteBackupPayload, VerifyBackupPayload,
} from '../types/payloads'; // prettier-ignore
import { BackupStatistics, BusinessCount, StatisticsBucket } from '../types/statistics';
import { asPayload } from '../types/user-error';

const ID_PATH = ['input', 'backupId'];
const MIN_BUCKET_MS = 3_600_000;

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
}

/** What the fields that cost another query need of their parent. */
interface StatisticsRoot {
  filter: CatalogBackupFilter;
  bucketMs: number;
}

@Resolver(() => BackupStatistics)
export class BackupStatisticsResolver {
  @Query(() => BackupStatistics)
  async backupStatistics(
    @Arg('filter', () => BackupFilter, { nullable: true }) filter: BackupFilter | null,
    @Arg('bucket', () => DurationScalar, { nullable: true, description: 'Of `series`; at least PT1H, default P1D.' })
    bucket: string | null,
    @Ctx() { services, principal }: RequestContext,
  ): Promise<BackupStatistics> {
    const root: StatisticsRoot = { filter: toBackupFilter(filter), bucketMs: toBucketMs(bucket ?? 'P1D') };
    const sums = await services.backups.statistics(principal, root.filter);
    return { ...root, ...toStatistics(sums, services.now()) };
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

  @FieldResolver(() => [StatisticsBucket], { description: 'By time of creation; empty buckets are left out.' })
  series(@Root() root: StatisticsRoot, @Ctx() { services, principal }: RequestContext): Promise<StatisticsBucket[]> {
    return services.backups
      .series(principal, root)
      .then((buckets) =>
        buckets.map(({ averageDurationMs, ...bucket }) => ({ ...bucket, averageDuration: averageDurationMs })),
      );
  }
}

function toBucketMs(bucket: string): number {
  const ms = parseDurationMs(bucket);
  if (ms !== null && ms >= MIN_BUCKET_MS) return ms;
  const hint = 'Give an ISO 8601 duration of at least PT1H.';
  throw new AppError('INVALID_INPUT', 'bucket is malformed or too short.', { hint, path: ['bucket'] });
}

function toStatistics({ byDataType, averageDurationMs, ...sums }: CatalogStatistics, now: Date): BackupStatistics {
  const freshness = byDataType.map(({ dataType, newestReadAt }) => ({
    dataType,
    newestReadAt,
    age: newestReadAt && now.getTime() - newestReadAt.getTime(),
  }));
  const storageRatio = sums.storedBytes > 0 ? sums.rawBytes / sums.storedBytes : 1;
  return { ...sums, storageRatio, byDataType, averageDuration: averageDurationMs, freshness };
}
