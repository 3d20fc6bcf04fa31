/** Comparisons of backups: make one, look at it, page through the rows that differ. */
import { Arg, Args, ArgsType, Ctx, Field, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { ChangesFound } from '../../domain/backup-reader';
import type { RowChangeKind } from '../../domain/change-set';
import type { RequestedDataType } from '../../domain/data-type';
import type { BackupId } from '../../domain/ids';
import { checkPageSize } from '../../services/paging';
import type { RequestContext } from '../context';
import { listFingerprint, parseChangeCursor, toChangeCursor } from '../cursors';
import { DataTypeEnum, RowChangeKindEnum } from '../enums';
import { parseIdOf } from '../global-id';
import { EventPageArgs } from '../inputs/list-inputs';
import { CompareBackupsInput } from '../inputs/mutation-inputs';
import { BackupView, toBackupView } from '../types/backup';
import { BackupComparisonView, RowChangeConnection, RowChangeView, toComparisonView } from '../types/comparison';
import { toConnection, type ConnectionView } from '../types/connection';
import { JobView, toJobView } from '../types/job';
import { CompareBackupsPayload } from '../types/payloads';
import { asPayload } from '../types/user-error';

@ArgsType()
class ChangesArgs extends EventPageArgs {
  @Field(() => DataTypeEnum, { nullable: true, description: 'Only of tables of this data type.' })
  readonly dataType?: RequestedDataType | null;

  @Field(() => String, { nullable: true, description: 'Only of this table.' })
  readonly table?: string | null;

  @Field(() => [RowChangeKindEnum], { nullable: true, description: 'Only changes of these kinds.' })
  readonly kinds?: RowChangeKind[] | null;
}

@Resolver(() => BackupComparisonView)
export class ComparisonResolver {
  @Query(() => BackupComparisonView, { nullable: true })
  async comparison(
    @Arg('id', () => ID) id: string,
    @Ctx() { loaders }: RequestContext,
  ): Promise<BackupComparisonView | null> {
    const record = await loaders.comparisons.load(parseIdOf('BackupComparison', id, ['id']));
    return record && toComparisonView(record);
  }

  @Mutation(() => CompareBackupsPayload, {
    description: 'Finds the rows in which a backup and another one, or its live source, differ. Reads only.',
  })
  async compareBackups(
    @Arg('input', () => CompareBackupsInput) input: CompareBackupsInput,
    @Ctx() { services, principal, signal }: RequestContext,
  ): Promise<CompareBackupsPayload> {
    return asPayload(async () => {
      const baseId = parseIdOf<BackupId>('Backup', input.baseId, ['input', 'baseId']);
      const targetId = input.targetId ? parseIdOf<BackupId>('Backup', input.targetId, ['input', 'targetId']) : null;
      const wanted = { ...input, baseId, targetId };
      const { job, comparison } = await services.comparisons.compare(principal, wanted, { signal });
      return { job: toJobView(job), comparison: comparison && toComparisonView(comparison) };
    });
  }

  @FieldResolver(() => RowChangeConnection, {
    description:
      'The rows that differ, table by table: those removed, changed, added. A page reads within limits: it may hold fewer than asked for ' +
      'while hasNextPage is true; endCursor goes on. hasNextPage may be true where nothing more is found.',
  })
  async changes(
    @Root() { record }: BackupComparisonView,
    @Args(() => ChangesArgs) { first, after, dataType, table, kinds }: ChangesArgs,
    @Ctx() { services, principal, signal }: RequestContext,
  ): Promise<ConnectionView<RowChangeView>> {
    const limit = checkPageSize(first, null);
    const fingerprint = listFingerprint('changes', record.id, { dataType, table, kinds });
    const from = after ? parseChangeCursor(after, fingerprint, ['after']) : null;
    const request = { comparison: record, dataType, table, kinds, limit, from };
    const found = await services.records.changes(principal, request, signal);
    return toChanges(found, { fingerprint, isFirst: from === null });
  }

  @FieldResolver(() => BackupView, { nullable: true, description: 'None once it is deleted.' })
  async base(@Root() { record }: BackupComparisonView, @Ctx() { loaders }: RequestContext): Promise<BackupView | null> {
    const backup = await loaders.backups.load(record.baseId);
    return backup && toBackupView(backup);
  }

  @FieldResolver(() => BackupView, {
    nullable: true,
    description: 'None where it is the live source, and once it is deleted.',
  })
  async target(
    @Root() { record }: BackupComparisonView,
    @Ctx() { loaders }: RequestContext,
  ): Promise<BackupView | null> {
    const backup = record.targetId && (await loaders.backups.load(record.targetId));
    return backup && toBackupView(backup);
  }

  @FieldResolver(() => JobView, { nullable: true, description: 'The job that made it, while it is kept.' })
  async job(@Root() { record }: BackupComparisonView, @Ctx() { loaders }: RequestContext): Promise<JobView | null> {
    const job = record.jobId && (await loaders.jobs.load(record.jobId));
    return job && toJobView(job);
  }
}

@Resolver(() => JobView)
export class JobComparison {
  @FieldResolver(() => BackupComparisonView, {
    nullable: true,
    description: 'The comparison that it made, once it has completed.',
  })
  async comparison(
    @Root() { record }: JobView,
    @Ctx() { loaders }: RequestContext,
  ): Promise<BackupComparisonView | null> {
    const made = record.spec.kind === 'COMPARISON' && (await loaders.comparisons.load(record.spec.comparisonId));
    return made ? toComparisonView(made) : null;
  }
}

function toChanges(
  { changes, next }: ChangesFound,
  { fingerprint, isFirst }: { fingerprint: string; isFirst: boolean },
): ConnectionView<RowChangeView> {
  const edges = changes.map((change) => ({
    node: new RowChangeView(change),
    cursor: toChangeCursor(fingerprint, change.next),
  }));
  const page = toConnection(edges, { hasNextPage: next !== null, hasPreviousPage: !isFirst });
  const endCursor = next === null ? page.pageInfo.endCursor : toChangeCursor(fingerprint, next);
  return { ...page, pageInfo: { ...page.pageInfo, endCursor } };
}
