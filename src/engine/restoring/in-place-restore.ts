/**
 * Restores into filled tables: compares live with the backup, then applies nothing but the differences in one transaction, reads
 * back what it touched inside that transaction, and only then commits. All or nothing; a dry run stops after comparing.
 */
import { isAppError } from '../../domain/errors';
import type { ChangeWriteOptions } from '../../domain/source';
import { throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import { knownColumns } from '../reading/adaptation';
import { compareAll, noDifferencesYet, type FiringTriggers, type ScopeComparing } from './compare-scope';
import type { TableDifferences } from './differences';
import { describe, proveWrites, type InPlaceResult } from './prove-writes';
import { writeChanges } from './table-changes';
import { openWriter, undoWrite } from './undo-write';
import { requireNothingElse, sumsBeside } from './watch-triggers';

export interface InPlaceRestore extends Omit<ScopeComparing, 'findStrays'> {
  jobId: string;
  /** Compare only; write nothing. */
  compareOnly: boolean;
  /** Called with what is about to be written, before anything is. */
  beforeWriting?(differences: readonly TableDifferences[]): Promise<void>;
}

/** How carefully to go about it; what costs more is done only once the plain way met what needs it. */
interface Care {
  findStrays: boolean;
  /** Do every update as delete and insert: a unique key that the structures do not tell of stood in the way. */
  moveUpdates: boolean;
}

type Attempt = InPlaceRestore & Care;

/** Restores; what the plain way rolled back on is tried once more with the care that may cure it. */
export async function restoreInPlace(restore: InPlaceRestore, context: TaskContext): Promise<InPlaceResult> {
  if (restore.scope.tables.length === 0) return { tables: [], verifiedRows: 0 };
  // A plan must tell of such rows too; nothing is written that could meet one.
  const findStrays = restore.compareOnly && restore.scope.written.kind === 'BUSINESS';
  let care: Care = { findStrays, moveUpdates: false };
  for (;;) {
    try {
      return await compareAndApply({ ...restore, ...care }, context);
    } catch (error) {
      const more = moreCare(care, restore, error);
      if (more === null || context.committing || context.signal.aborted) throw error;
      care = more;
    }
  }
}

function moreCare(care: Care, { scope, compareOnly }: InPlaceRestore, error: unknown): Care | null {
  if (!isAppError(error) || compareOnly) return null;
  const isBusiness = scope.written.kind === 'BUSINESS';
  if (error.code === 'PLAN_DRIFTED' && isBusiness && !care.findStrays) return { ...care, findStrays: true };
  if (error.code === 'CONFLICT' && !care.moveUpdates) return { ...care, moveUpdates: true };
  return null;
}

async function compareAndApply(attempt: Attempt, context: TaskContext): Promise<InPlaceResult> {
  const { moveUpdates, scope } = attempt;
  const differences = noDifferencesYet(scope.tables, attempt, { deps: context.deps, moveUpdates });
  try {
    const triggers = await compareAll(attempt, differences, context);
    const hasWork = attempt.missing.size > 0 || differences.some(({ touched }) => touched.size > 0);
    if (!attempt.compareOnly && hasWork) {
      await attempt.beforeWriting?.(differences);
      return await applyAll({ ...attempt, triggers }, differences, context);
    }
    return { tables: differences.map((of) => describe(of, { triggers })), verifiedRows: unchanged(differences) };
  } finally {
    for (const table of differences) await table.close();
  }
}

async function applyAll(
  restore: Attempt & { triggers: FiringTriggers },
  differences: TableDifferences[],
  context: TaskContext,
): Promise<InPlaceResult> {
  throwIfAborted(context.signal);
  const options: ChangeWriteOptions = {
    jobId: restore.jobId,
    tables: differences.map(({ table }) => table.manifest.structure),
    missing: [...restore.missing],
    scope: restore.scope.written,
    signal: context.signal,
  };
  const writer = await openWriter(() => restore.source.openChangeWriter(options), context);
  try {
    const watching = { triggers: isComparedInPart(restore) ? restore.triggers : NO_TRIGGERS, writer, context };
    const watched = await sumsBeside(differences, watching);
    await writeChanges(writer, differences, context);
    await writer.checkReferences();
    const result = await proveWrites(restore, { writer, differences, context });
    await requireNothingElse(watched, watching);
    throwIfAborted(context.signal);
    context.progress.begin({ name: 'committing', from: 98, to: 99 });
    context.committing = true;
    await writer.commit();
    return result;
  } catch (error) {
    await undoWrite(() => writer.rollback(), context);
    throw error;
  }
}

const NO_TRIGGERS: FiringTriggers = new Map();

/**
 * Of single records only these are compared again, and of columns only those that the backup knows: whatever else triggers write must show
 * all the same.
 */
function isComparedInPart({ scope: { written, tables } }: Attempt): boolean {
  return written.kind === 'KEYS' || tables.some(({ adaptation }) => knownColumns(adaptation) !== undefined);
}

function unchanged(differences: TableDifferences[]): number {
  return differences.reduce((sum, { counts }) => sum + counts.unchanged, 0);
}
