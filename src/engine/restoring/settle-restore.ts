/** What an attempt of a restore finds of earlier ones that ended unseen. */
import { AppError } from '../../domain/errors';
import type { Source, WriteRecovery } from '../../domain/source';
import type { EngineTask } from '../../domain/task';
import type { EngineStore } from '../ports';

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

export function cancelledBeforeCommit(): AppError {
  return new AppError('CANCELLED', 'The restore was cancelled; nothing of it is in the source.');
}
