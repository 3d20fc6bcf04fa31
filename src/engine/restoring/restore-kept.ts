/** Restores by a change set that is kept: applies a plan that was shown, or undoes what a restore did. */
import {
  conflictCounts,
  reverseTable,
  sumConflicts,
  type ChangeSet,
  type ChangeSetTable,
  type StoredChangeSet,
} from '../../domain/change-set';
import { unresolved } from '../../domain/three-way';
import { AppError } from '../../domain/errors';
import type { ChangeSetId } from '../../domain/ids';
import type { RestoreJobSpec } from '../../domain/job';
import type { EngineTask, RestoreResult } from '../../domain/task';
import type { EngineStore, TaskContext } from '../ports';
import { applyChangeSet, finishApplied, isInPlace, type Applied, type Applying } from './apply-change-set';
import { UndoKeeper } from './keep-changes';
import { cancelledBeforeCommit, type Settled } from './settle-restore';

type RestoreTask = Extract<EngineTask, { kind: 'RESTORE' }>;
type Outcome = Applied & Pick<RestoreResult, 'serviceSettings' | 'changeSet'>;

export async function restoreKept(task: RestoreTask, settled: Settled, context: TaskContext): Promise<Outcome> {
  const { spec, jobId } = task;
  const { source, store, notes } = settled;
  requireInPlace(spec);
  const meant = await findMeant(spec, store);
  const { scope, threeWay, tables: listed, changeSetId: basedOn } = meant.changeSet;
  const kind = spec.undoes ? 'UNDO' : 'RESTORE';
  const tables: ChangeSetTable[] = spec.undoes ? listed.map(reverseTable) : listed;
  const facts = { jobId, spec, kind, scope, ...(threeWay && { threeWay }), basedOn, notes } as const;
  const keeper = new UndoKeeper(facts, { store, source, context });
  const isComplete = threeWay === undefined && meant.changeSet.notes.length === 0;
  const applying: Applying = { jobId, source, store, tables, scope, kind, keeper, isComplete, notes };
  const outcome = await applyOnce(applying, { task, settled, meant }, context);
  return { ...outcome, serviceSettings: null, changeSet: keeper.describe() };
}

/** An attempt that had committed is finished and told. */
async function applyOnce(
  applying: Applying,
  { task, settled, meant }: { task: RestoreTask; settled: Settled; meant: StoredChangeSet },
  context: TaskContext,
): Promise<Applied> {
  if (await hasCommitted(applying, settled, context)) {
    applying.notes.push('An earlier attempt of this job had committed already.');
    await applying.keeper.recall();
    return finishApplied(applying, context);
  }
  if (task.recoverOnly) throw cancelledBeforeCommit();
  requireInForce(meant, context);
  return applyChangeSet(applying, context);
}

/** Where the source keeps no marker the rows are asked, once a change set of this very job shows that it came so far. */
async function hasCommitted(applying: Applying, { earlier }: Settled, context: TaskContext): Promise<boolean> {
  if (earlier !== 'UNKNOWN') return earlier === 'COMMITTED';
  await applying.keeper.recall({ mayBeNone: true });
  return applying.keeper.hasKept && isInPlace(applying, context);
}

function requireInPlace({ target, dryRun }: RestoreJobSpec): void {
  if (target.kind === 'IN_PLACE' && !dryRun) return;
  throw new AppError('INVALID_INPUT', 'A plan is applied, or a restore undone, in the source itself.', {
    hint: 'Restore the backup into the scratch schema instead.',
  });
}

async function findMeant(spec: RestoreJobSpec, store: EngineStore): Promise<StoredChangeSet> {
  const { plan, undoes } = spec;
  const id = (undoes?.changeSetId ?? plan?.planId) as ChangeSetId;
  const found = await store.findChangeSet(id);
  if (found === null) throw expired(undoes !== undefined);
  const { changeSet, hash } = found;
  if (!undoes && changeSet.kind === 'UNRESOLVED') throw unresolved(sumConflicts(changeSet.tables.map(conflictCounts)));
  const isMeant = undoes ? isApplied(changeSet) : changeSet.kind === 'PLAN' && hash === plan?.planHash;
  if (isMeant && changeSet.source.name === spec.source) return found;
  throw new AppError('CONFLICT', 'The change set is not the one that was shown; nothing was changed.', {
    hint: 'Make a new plan, and apply that.',
  });
}

function isApplied({ kind }: ChangeSet): boolean {
  return kind === 'RESTORE' || kind === 'UNDO';
}

function requireInForce({ changeSet }: StoredChangeSet, { deps }: TaskContext): void {
  if (Date.parse(changeSet.expiresAt) > deps.clock.now().getTime()) return;
  throw expired(isApplied(changeSet));
}

function expired(isUndo: boolean): AppError {
  return isUndo
    ? new AppError('PLAN_EXPIRED', 'What the restore changed is not kept any more: it can not be undone.', {
        hint: 'Restore a backup of the time before it.',
      })
    : new AppError('PLAN_EXPIRED', 'The plan has expired; nothing was changed.', { hint: 'Make a new plan.' });
}
