/** `node` and `nodes`: anything with an id, by its id. */
import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import { AppError } from '../../domain/errors';
import type { BackupId, ChangeSetId, ExportId, HoldId, JobId, RestoreId } from '../../domain/ids';
import { MAX_PAGE_SIZE } from '../../services/paging';
import type { RequestContext } from '../context';
import { parseGlobalId, type NodeType } from '../global-id';
import { toBackupView } from '../types/backup';
import { toComparisonView } from '../types/comparison';
import { toExportView } from '../types/export';
import { toJobView } from '../types/job';
import { toLegalHoldView } from '../types/legal-hold';
import { Node } from '../types/node';
import { toRestoreView } from '../types/restore';
import { toRestorePlanView } from '../types/restore-plan';

type LoadNode = (id: string, loaders: RequestContext['loaders']) => Promise<Node | null>;

const LOAD: Record<NodeType, LoadNode> = {
  Backup: async (id, { backups }) => {
    const record = await backups.load(id as BackupId);
    return record && toBackupView(record);
  },
  Export: async (id, { exports }) => {
    const record = await exports.load(id as ExportId);
    return record && toExportView(record);
  },
  Job: async (id, { jobs }) => {
    const record = await jobs.load(id as JobId);
    return record && toJobView(record);
  },
  LegalHold: async (id, { legalHolds }) => {
    const record = await legalHolds.load(id as HoldId);
    return record && toLegalHoldView(record);
  },
  Restore: async (id, { restores }) => {
    const record = await restores.load(id as RestoreId);
    return record && toRestoreView(record);
  },
  BackupComparison: async (id, { comparisons }) => {
    const record = await comparisons.load(id as ChangeSetId);
    return record && toComparisonView(record);
  },
  RestorePlan: async (id, { restorePlans }) => {
    const record = await restorePlans.load(id as ChangeSetId);
    return record && toRestorePlanView(record);
  },
};

@Resolver()
export class NodeResolver {
  @Query(() => Node, { nullable: true, description: 'None where there is none, or you may not see it.' })
  async node(@Arg('id', () => ID) id: string, @Ctx() context: RequestContext): Promise<Node | null> {
    return loadNode(id, context, ['id']);
  }

  @Query(() => [Node], { nullable: 'items', description: 'In the order of the ids; at most 100.' })
  async nodes(@Arg('ids', () => [ID]) ids: string[], @Ctx() context: RequestContext): Promise<(Node | null)[]> {
    if (ids.length <= MAX_PAGE_SIZE) return Promise.all(ids.map((id) => loadNode(id, context, ['ids'])));
    const hint = `Give at most ${MAX_PAGE_SIZE} ids.`;
    throw new AppError('INVALID_INPUT', `${ids.length} ids were given.`, { hint, path: ['ids'] });
  }
}

function loadNode(globalId: string, { loaders }: RequestContext, path: readonly string[]): Promise<Node | null> {
  const { type, id } = parseGlobalId(globalId, path);
  return LOAD[type](id, loaders);
}
