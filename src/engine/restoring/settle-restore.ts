/** What an attempt of a restore finds of earlier ones that ended unseen. */
import { AppError } from '../../domain/errors';
import { ALL_ROWS } from '../../domain/rows';
import type { Source, WriteRecovery } from '../../domain/source';
import type { EngineTask } from '../../domain/task';
import type { EngineStore, TaskContext } from '../ports';
import { isInPlace } from './apply-change-set';
import { UndoKeeper } from './keep-changes';

type RestoreTask = Extract<EngineTask, { kind: 'RESTORE' }>;

/** How the job stands when an attempt begins to work. */
export interface Settled {
  source: Source;
  store: EngineStore;
  /** UNKNOWN: an earlier attempt may have committed, and the source can't tell. */
  earlier: WriteRecovery;
  notes: string[];
}

/**
 * Cleans up after an attempt that died and says whether it had committed. A first attempt asks too: a catalog brought back from a copy
 * may not know that the job was done, and rows were written since. A scratch schema that was complete is dropped and made again: it can
 * be, and then it is proven like any other.
 */
export async function settleEarlierAttempt({ spec, jobId }: RestoreTask, source: Source): Promise<WriteRecovery> {
  if (spec.dryRun) return 'ABSENT';
  const recovery = await source.recoverWrite(jobId);
  if (recovery !== 'COMMITTED' || spec.target.kind === 'IN_PLACE') return recovery;
  await source.dropScratch(spec.target.schema);
  return 'ABSENT';
}

/**
 * Of a cancelled restore in one job. Where the source keeps no marker the rows are asked, once a change set of this very job shows that it
 * came so far; throws CANCELLED where these tell that nothing was done.
 */
export async function requireCommitted(
  { spec, jobId }: RestoreTask,
  { source, store, earlier, notes }: Settled,
  context: TaskContext,
): Promise<'COMMITTED'> {
  if (earlier === 'COMMITTED') return earlier;
  const facts = { jobId, spec, kind: 'RESTORE', scope: ALL_ROWS, basedOn: null, notes } as const;
  const keeper = new UndoKeeper(facts, { store, source, context });
  await keeper.recall({ mayBeNone: true });
  const { tables, hasKept } = keeper;
  if (hasKept && (await isInPlace({ jobId, source, store, tables }, context))) return 'COMMITTED';
  throw cancelledBeforeCommit();
}

export function cancelledBeforeCommit(): AppError {
  return new AppError('CANCELLED', 'The restore was cancelled; nothing of it is in the source.');
}
