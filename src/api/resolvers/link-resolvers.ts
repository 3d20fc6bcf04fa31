/** What leads from one type to another. Apart from the types, so that these need not know each other. All go through the loaders. */
import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { AppError } from '../../domain/errors';
import type { ChangeSetId } from '../../domain/ids';
import type { JobSpec } from '../../domain/job';
import { checkPageSize } from '../../services/paging';
import type { RequestContext } from '../context';
import { parseJobEventCursor, toEventCursor } from '../cursors';
import { EventPageArgs } from '../inputs/list-inputs';
import { BackupView, toBackupView } from '../types/backup';
import { toConnection, type ConnectionView } from '../types/connection';
import { ExportView, toExportView } from '../types/export';
import { JobEventConnection, JobEventView, JobView, toJobView } from '../types/job';
import { LegalHoldView, toLegalHoldView } from '../types/legal-hold';
import { RestoreView, toRestoreView } from '../types/restore';
import { RestorePlanView, toRestorePlanView } from '../types/restore-plan';

@Resolver(() => BackupView)
export class BackupLinks {
  @FieldResolver(() => JobView, { nullable: true, description: 'The job that made it, while it is kept.' })
  async job(@Root() { record }: BackupView, @Ctx() { loaders }: RequestContext): Promise<JobView | null> {
    const job = record.jobId && (await loaders.jobs.load(record.jobId));
    return job && toJobView(job);
  }

  @FieldResolver(() => BackupView, {
    nullable: true,
    description: 'What an incremental or differential was taken against.',
  })
  async parent(@Root() { record }: BackupView, @Ctx() { loaders }: RequestContext): Promise<BackupView | null> {
    const parent = record.parentId && (await loaders.backups.load(record.parentId));
    return parent && toBackupView(parent);
  }
}

@Resolver(() => BackupView)
export class BackupHolds {
  @FieldResolver(() => LegalHoldView, { nullable: true, description: 'The oldest in force; none where none is.' })
  async legalHold(@Root() { record }: BackupView, @Ctx() { loaders }: RequestContext): Promise<LegalHoldView | null> {
    const hold = (await loaders.legalHoldsOf.load(record.id))?.[0];
    return hold ? toLegalHoldView(hold) : null;
  }

  @FieldResolver(() => [LegalHoldView], { description: 'All in force, oldest first.' })
  async legalHolds(@Root() { record }: BackupView, @Ctx() { loaders }: RequestContext): Promise<LegalHoldView[]> {
    return ((await loaders.legalHoldsOf.load(record.id)) ?? []).map(toLegalHoldView);
  }
}

@Resolver(() => RestoreView)
export class RestoreLinks {
  @FieldResolver(() => JobView, { nullable: true, description: 'The job that runs it, while it is kept.' })
  async job(@Root() { record }: RestoreView, @Ctx() { loaders }: RequestContext): Promise<JobView | null> {
    const job = record.jobId && (await loaders.jobs.load(record.jobId));
    return job && toJobView(job);
  }

  @FieldResolver(() => BackupView, { nullable: true, description: 'None once it is deleted.' })
  async backup(@Root() { record }: RestoreView, @Ctx() { loaders }: RequestContext): Promise<BackupView | null> {
    const backup = await loaders.backups.load(record.backupId);
    return backup && toBackupView(backup);
  }

  @FieldResolver(() => RestorePlanView, {
    nullable: true,
    description: 'The plan that it applied; of a dry run the one that it kept.',
  })
  async plan(@Root() { record }: RestoreView, @Ctx() { loaders }: RequestContext): Promise<RestorePlanView | null> {
    const plan = record.planId && (await loaders.restorePlans.load(record.planId));
    return plan && toRestorePlanView(plan);
  }

  @FieldResolver(() => RestoreView, { nullable: true, description: 'The restore whose changes it took back.' })
  async undoes(@Root() { record }: RestoreView, @Ctx() { loaders }: RequestContext): Promise<RestoreView | null> {
    const undone = record.undoesId && (await loaders.restores.load(record.undoesId));
    return undone && toRestoreView(undone);
  }
}

@Resolver(() => JobView)
export class JobLinks {
  @FieldResolver(() => RestorePlanView, {
    nullable: true,
    description: 'The plan that it made, once it has completed.',
  })
  async plan(@Root() { record }: JobView, @Ctx() { loaders }: RequestContext): Promise<RestorePlanView | null> {
    const planId = keptPlan(record.spec);
    const plan = planId && (await loaders.restorePlans.load(planId));
    return plan && toRestorePlanView(plan);
  }

  @FieldResolver(() => ExportView, { nullable: true, description: 'The export that it made, once it has completed.' })
  async export(@Root() { record }: JobView, @Ctx() { loaders }: RequestContext): Promise<ExportView | null> {
    const made = record.spec.kind === 'EXPORT' && (await loaders.exports.load(record.spec.exportId));
    return made ? toExportView(made) : null;
  }

  @FieldResolver(() => BackupView, { nullable: true, description: 'The backup it makes, verifies or restores.' })
  async backup(@Root() { record }: JobView, @Ctx() { loaders }: RequestContext): Promise<BackupView | null> {
    const backup = record.backupId && (await loaders.backups.load(record.backupId));
    return backup && toBackupView(backup);
  }

  @FieldResolver(() => RestoreView, { nullable: true })
  async restore(@Root() { record }: JobView, @Ctx() { loaders }: RequestContext): Promise<RestoreView | null> {
    const restore = record.restoreId && (await loaders.restores.load(record.restoreId));
    return restore && toRestoreView(restore);
  }

  @FieldResolver(() => JobEventConnection, { description: 'Oldest first; the same cursors as `jobEvents`.' })
  async events(
    @Root() { record }: JobView,
    @Args(() => EventPageArgs) { first, after }: EventPageArgs,
    @Ctx() { services, principal }: RequestContext,
  ): Promise<ConnectionView<JobEventView>> {
    const limit = checkPageSize(first, null);
    const sequence = after ? parseJobEventCursor(after, record.id, ['events', 'after']) : null;
    const { events, hasMore } = await services.jobs.eventsPage(principal, { jobId: record.id, after: sequence, limit });
    const edges = events.map((event) => ({ node: new JobEventView(event), cursor: toEventCursor(event) }));
    return toConnection(edges, { hasNextPage: hasMore, hasPreviousPage: sequence !== null });
  }
}

function keptPlan(spec: JobSpec): ChangeSetId | null {
  if (spec.kind === 'PLAN') return spec.planId;
  return spec.kind === 'RESTORE' && spec.dryRun ? spec.changeSetId : null;
}

@Resolver(() => JobEventView)
export class JobEventLinks {
  @FieldResolver(() => JobView, { description: 'The job as it is now, which may be further than this event.' })
  async job(@Root() { record }: JobEventView, @Ctx() { loaders }: RequestContext): Promise<JobView> {
    const job = await loaders.jobs.load(record.jobId);
    if (job) return toJobView(job);
    throw new AppError('NOT_FOUND', 'The job of this event is no longer kept.');
  }
}
