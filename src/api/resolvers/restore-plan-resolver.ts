/** Plans of restores: look at them, apply them, take back what a restore changed. */
import { Arg, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { BackupId, ChangeSetId, RestoreId } from '../../domain/ids';
import type { RequestContext } from '../context';
import { parseDamagedId, parseIdOf } from '../global-id';
import { ApplyRestorePlanInput, PlanRestoreInput, UndoRestoreInput } from '../inputs/mutation-inputs';
import { BackupView, toBackupView } from '../types/backup';
import { JobView, toJobView } from '../types/job';
import { PlanRestorePayload, RestorePayload } from '../types/payloads';
import { toRestoreView } from '../types/restore';
import { RestorePlanView, toRestorePlanView } from '../types/restore-plan';
import { asPayload } from '../types/user-error';

@Resolver(() => RestorePlanView)
export class RestorePlanResolver {
  @Query(() => RestorePlanView, { nullable: true })
  async restorePlan(@Arg('id', () => ID) id: string, @Ctx() context: RequestContext): Promise<RestorePlanView | null> {
    const record = await context.loaders.restorePlans.load(parseIdOf('RestorePlan', id, ['id']));
    return record && toRestorePlanView(record);
  }

  @Mutation(() => PlanRestorePayload, {
    description: 'Compares the backup with the live source and keeps exactly what restoring would change. Reads only.',
  })
  async planRestore(
    @Arg('input', () => PlanRestoreInput) input: PlanRestoreInput,
    @Ctx() { services, principal, signal }: RequestContext,
  ): Promise<PlanRestorePayload> {
    return asPayload(async () => {
      const backupId = parseIdOf<BackupId>('Backup', input.backupId, ['input', 'backupId']);
      const damagedBackupId = parseDamagedId(input);
      const wanted = { ...input, backupId, damagedBackupId };
      const { job, plan } = await services.restorePlans.plan(principal, wanted, { signal });
      return { job: toJobView(job), plan: plan && toRestorePlanView(plan) };
    });
  }

  @Mutation(() => RestorePayload, {
    description:
      'Applies exactly this plan, in one transaction; the job fails with PLAN_DRIFTED, and nothing is changed, where a row is not as the ' +
      'plan saw it. Rows that the plan does not list stay as they are.',
  })
  async applyRestorePlan(
    @Arg('input', () => ApplyRestorePlanInput) input: ApplyRestorePlanInput,
    @Ctx() { services, principal, signal }: RequestContext,
  ): Promise<RestorePayload> {
    return asPayload(async () => {
      const planId = parseIdOf<ChangeSetId>('RestorePlan', input.planId, ['input', 'planId']);
      const { job, restore, plan } = await services.restorePlans.apply(principal, { ...input, planId }, { signal });
      return { job: toJobView(job), restore: restore && toRestoreView(restore), plan: plan && toRestorePlanView(plan) };
    });
  }

  @Mutation(() => RestorePayload, {
    description:
      'Takes back what a restore changed, in one transaction; the job fails with PLAN_DRIFTED, and nothing is changed, where a row has ' +
      'been changed since. An undo is a restore too, and can be undone.',
  })
  async undoRestore(
    @Arg('input', () => UndoRestoreInput) input: UndoRestoreInput,
    @Ctx() { services, principal, signal }: RequestContext,
  ): Promise<RestorePayload> {
    return asPayload(async () => {
      const restoreId = parseIdOf<RestoreId>('Restore', input.restoreId, ['input', 'restoreId']);
      const { job, restore } = await services.restorePlans.undo(principal, { ...input, restoreId }, { signal });
      return { job: toJobView(job), restore: restore && toRestoreView(restore) };
    });
  }

  @FieldResolver(() => JobView, { nullable: true, description: 'The job that made it, while it is kept.' })
  async job(@Root() { record }: RestorePlanView, @Ctx() { loaders }: RequestContext): Promise<JobView | null> {
    const job = record.jobId && (await loaders.jobs.load(record.jobId));
    return job && toJobView(job);
  }

  @FieldResolver(() => BackupView, { nullable: true, description: 'None once it is deleted.' })
  async backup(@Root() { record }: RestorePlanView, @Ctx() { loaders }: RequestContext): Promise<BackupView | null> {
    const backup = await loaders.backups.load(record.backupId);
    return backup && toBackupView(backup);
  }
}
