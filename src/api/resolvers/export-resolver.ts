/** Exports of backups: make one, look at it, learn where it is downloaded. */
import { Arg, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { BackupId } from '../../domain/ids';
import { parseRecordFilter } from '../../domain/record-filter';
import type { JsonValue } from '../../domain/values';
import type { RequestContext } from '../context';
import { parseIdOf } from '../global-id';
import { ExportBackupInput } from '../inputs/mutation-inputs';
import { BackupView, toBackupView } from '../types/backup';
import { ExportDownloadsView, ExportDownloadView, ExportView, toExportView } from '../types/export';
import { JobView, toJobView } from '../types/job';
import { ExportBackupPayload } from '../types/payloads';
import { asPayload } from '../types/user-error';

@Resolver(() => ExportView)
export class ExportResolver {
  @Query(() => ExportView, { nullable: true })
  async export(@Arg('id', () => ID) id: string, @Ctx() context: RequestContext): Promise<ExportView | null> {
    const record = await context.loaders.exports.load(parseIdOf('Export', id, ['id']));
    return record && toExportView(record);
  }

  @Mutation(() => ExportBackupPayload, {
    description:
      'Proves that what is to be exported is sound, and gives a link by which it is downloaded until it expires. Whoever has the link ' +
      'needs nothing else. Nothing exported is kept.',
  })
  async exportBackup(
    @Arg('input', () => ExportBackupInput) input: ExportBackupInput,
    @Ctx() { services, principal, signal }: RequestContext,
  ): Promise<ExportBackupPayload> {
    return asPayload(async () => {
      const backupId = parseIdOf<BackupId>('Backup', input.backupId, ['input', 'backupId']);
      const filter = (input.filter ?? null) as JsonValue;
      if (filter !== null) parseRecordFilter(filter, ['input', 'filter']);
      const made = await services.exports.create(principal, { ...input, backupId, filter }, { signal });
      return { job: toJobView(made.job), export: made.export && toExportView(made.export) };
    });
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'For whoever made it, until it expires. Treat it as a password.',
  })
  downloadUrl(@Root() { record }: ExportView, @Ctx() { services, principal, linkTo }: RequestContext): string | null {
    const path = services.exports.linkOf(principal, record);
    return path && linkTo(path);
  }

  @FieldResolver(() => ExportDownloadsView)
  async downloads(
    @Root() { record }: ExportView,
    @Ctx() { services, principal }: RequestContext,
  ): Promise<ExportDownloadsView> {
    const { newest, count } = await services.exports.downloadsOf(principal, record.id);
    return { totalCount: count, nodes: newest.map((download) => new ExportDownloadView(download)) };
  }

  @FieldResolver(() => JobView, { nullable: true, description: 'The job that made it, while it is kept.' })
  async job(@Root() { record }: ExportView, @Ctx() { loaders }: RequestContext): Promise<JobView | null> {
    const job = record.jobId && (await loaders.jobs.load(record.jobId));
    return job && toJobView(job);
  }

  @FieldResolver(() => BackupView, { nullable: true, description: 'None once it is deleted.' })
  async backup(@Root() { record }: ExportView, @Ctx() { loaders }: RequestContext): Promise<BackupView | null> {
    const backup = await loaders.backups.load(record.backupId);
    return backup && toBackupView(backup);
  }
}
