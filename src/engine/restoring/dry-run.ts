/** A dry run: keeps a plan of what it would change, which can be applied as it was looked at; only counts where the repository takes no writes. */
import type { StoredChangeSet } from '../../domain/change-set';
import type { RestoreJobSpec } from '../../domain/job';
import type { PlannedTable, RestoredTable, RestoreResult } from '../../domain/task';
import { describePlan } from './describe-plan';
import { takesNoWrites } from './keep-changes';
import type { Settled } from './settle-restore';

type Outcome = Pick<RestoreResult, 'mode' | 'tables' | 'verifiedRows' | 'plan'>;

export interface DryRun {
  spec: RestoreJobSpec;
  /** Keeps the plan under the id that the restore's own changes would have. */
  keep: () => Promise<StoredChangeSet>;
  count: () => Promise<Outcome>;
}

export async function dryRun(
  { spec, keep, count }: DryRun,
  { source, store, notes }: Pick<Settled, 'source' | 'store' | 'notes'>,
): Promise<Outcome> {
  if (!(spec.undoableForMs > 0)) return count();
  try {
    const made = await store.findChangeSet(spec.changeSetId); // because an earlier attempt may have ended unseen
    const plan = describePlan(made ?? (await keep()), source.codec);
    notes.splice(0, Infinity, ...plan.notes);
    return { mode: 'DRY_RUN', tables: plan.tables.map(asRestored), verifiedRows: 0, plan };
  } catch (error) {
    if (!takesNoWrites(error)) throw error;
    notes.push(`No plan of this is kept, for the repository takes no writes: ${error.message}`);
    return { ...(await count()), plan: null };
  }
}

function asRestored({ samples: _samples, before: _before, ...table }: PlannedTable): RestoredTable {
  return table;
}
