/** Restores: queries and mutations. */
import { Arg, Args, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';
import type { RestoreOrderField } from '../../catalog/catalog';
import type { BackupId } from '../../domain/ids';
import type { RequestContext } from '../context';
import { listFingerprint } from '../cursors';
import { parseDamagedId, parseIdOf } from '../global-id';
import { RestoreListArgs, toOrder, toPage, toRestoreFilter } from '../inputs/list-inputs';
import { RestoreBackupInput } from '../inputs/mutation-inputs';
import { pageToConnection, type CountedConnectionView } from '../types/connection';
import { toJobView } from '../types/job';
import { RestorePayload } from '../types/payloads';
import { RestoreConnection, RestoreView, toRestoreView } from '../types/restore';
import { toRestorePlanView } from '../types/restore-plan';
import { asPayload } from '../types/user-error';

@Resolver(() => RestoreView)
export class RestoreResolver {
  @Query(() => RestoreView, { nullable: true })
  async restore(@Arg('id', () => ID) id: string, @Ctx() context: RequestContext): Promise<RestoreView | null> {
    const record = await context.loaders.restores.load(parseIdOf('Restore', id, ['id']));
    return record && toRestoreView(record);
  }

  @Query(() => RestoreConnection)
  async restores(
    @Args(() => RestoreListArgs) args: RestoreListArgs,
    @Ctx() { services, principal }: RequestContext,
  ): Promise<CountedConnectionView<RestoreView>> {
    const filter = toRestoreFilter(args.filter);
    const order = toOrder<RestoreOrderField>(null);
    const fingerprint = listFingerprint('restores', filter, order);
    const page = await services.restores.list(principal, { page: toPage(args, fingerprint), filter, order });
    const countAll = () => services.restores.count(principal, filter);
    return { ...pageToConnection(page, fingerprint, toRestoreView), countAll };
  }

  @Mutation(() => RestorePayload, { description: 'Plans and applies in one job.' })
  async restoreBackup(
    @Arg('input', () => RestoreBackupInput) input: RestoreBackupInput,
    @Ctx() { services, principal, signal }: RequestContext,
  ): Promise<RestorePayload> {
    return asPayload(async () => {
      const backupId = parseIdOf<BackupId>('Backup', input.backupId, ['input', 'backupId']);
      const damagedBackupId = parseDamagedId(input);
      const wanted = { ...input, backupId, damagedBackupId };
      const { job, restore, plan } = await services.restores.restore(principal, wanted, { signal });
      return { job: toJobView(job), restore: restore && toRestoreView(restore), plan: plan && toRestorePlanView(plan) };
    });
  }
}
