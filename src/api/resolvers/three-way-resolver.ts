/** What three-way restores and their plans have beside others: the damaged backup, and rows in conflict. */
import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { ConflictsFound } from '../../domain/restore-conflict';
import { checkPageSize } from '../../services/paging';
import type { RequestContext } from '../context';
import { listFingerprint, parseConflictCursor, toConflictCursor } from '../cursors';
import { EventPageArgs } from '../inputs/list-inputs';
import { BackupView, toBackupView } from '../types/backup';
import { toConnection, type ConnectionView } from '../types/connection';
import { RestoreView } from '../types/restore';
import { RestoreConflictConnection, RestoreConflictView } from '../types/restore-conflict';
import { RestorePlanView } from '../types/restore-plan';

const DAMAGED = 'The later backup whose damage is undone; none where there is none, or once it is deleted.';

@Resolver(() => RestorePlanView)
export class ThreeWayPlans {
  @FieldResolver(() => BackupView, { nullable: true, description: DAMAGED })
  damagedBackup(@Root() { record }: RestorePlanView, @Ctx() context: RequestContext): Promise<BackupView | null> {
    return damagedBackupOf(record, context);
  }

  @FieldResolver(() => RestoreConflictConnection, {
    description:
      'Rows of which fields were damaged and changed later too, table by table. Kept until the plan expires.',
  })
  async conflicts(
    @Root() { record }: RestorePlanView,
    @Args(() => EventPageArgs) { first, after }: EventPageArgs,
    @Ctx() { services, principal, signal }: RequestContext,
  ): Promise<ConnectionView<RestoreConflictView>> {
    const limit = checkPageSize(first, null);
    const fingerprint = listFingerprint('conflicts', record.id);
    const from = after ? parseConflictCursor(after, fingerprint, ['conflicts', 'after']) : null;
    const found = await services.records.conflicts(principal, { plan: record, limit, from }, signal);
    return toConflicts(found, { fingerprint, isFirst: from === null });
  }
}

@Resolver(() => RestoreView)
export class ThreeWayRestores {
  @FieldResolver(() => BackupView, { nullable: true, description: DAMAGED })
  damagedBackup(@Root() { record }: RestoreView, @Ctx() context: RequestContext): Promise<BackupView | null> {
    return damagedBackupOf(record, context);
  }
}

async function damagedBackupOf(
  { threeWay }: Pick<RestoreView['record'], 'threeWay'>,
  { loaders }: RequestContext,
): Promise<BackupView | null> {
  const backup = threeWay && (await loaders.backups.load(threeWay.damagedBackupId));
  return backup && toBackupView(backup);
}

function toConflicts(
  { conflicts, next }: ConflictsFound,
  { fingerprint, isFirst }: { fingerprint: string; isFirst: boolean },
): ConnectionView<RestoreConflictView> {
  const edges = conflicts.map((conflict) => ({
    node: new RestoreConflictView(conflict),
    cursor: toConflictCursor(fingerprint, conflict.next),
  }));
  return toConnection(edges, { hasNextPage: next !== null, hasPreviousPage: !isFirst });
}
