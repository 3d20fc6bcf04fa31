/**
 * Writes changes of many tables in one transaction, each row against its listed old one, proves inside of it that they are in place and
 * nothing else is, and only then commits. All or nothing.
 */
import { isAppError } from '../../domain/errors';
import type { ChangeWriteOptions, ChangeWriter, Source } from '../../domain/source';
import { throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import { proveChanges } from './prove-changes';
import { writeChanges, type TableChanges } from './table-changes';
import { openWriter, undoWrite } from './undo-write';
import { requireNothingElse, sumsBeside, type FiredTriggers } from './watch-triggers';

export interface ChangesToCommit<Described> {
  source: Source;
  options: ChangeWriteOptions;
  changes: readonly TableChanges[];
  triggers: FiredTriggers;
  /** Asked just before the commit, within the transaction. */
  describe: (writer: ChangeWriter) => Promise<Described>;
}

export interface CommittedChanges<Described> {
  described: Described;
  /** Rows that were read back as they were listed. */
  verifiedRows: number;
}

export async function commitChanges<Described>(
  work: ChangesToCommit<Described>,
  context: TaskContext,
): Promise<CommittedChanges<Described>> {
  const writer = await openWriter(() => work.source.openChangeWriter(work.options), context);
  try {
    return await writeAll(work, writer, context);
  } catch (error) {
    await undoWrite(() => writer.rollback(), context);
    throw error;
  }
}

/**
 * Commits, and where rows met a unique key that the structures do not show, does it once more with every update as a delete and an insert
 * (`moveUpdates`), which cures that.
 */
export async function commitWithCare<Done>(
  commit: (moveUpdates: boolean) => Promise<Done>,
  { hasUpdates, context }: { hasUpdates: boolean; context: TaskContext },
): Promise<Done> {
  try {
    return await commit(false);
  } catch (error) {
    const cannotCure = !isAppError(error) || error.code !== 'CONFLICT' || context.committing || context.signal.aborted;
    if (cannotCure || !hasUpdates) throw error;
    return commit(true);
  }
}

async function writeAll<Described>(
  { source, changes, triggers, describe }: ChangesToCommit<Described>,
  writer: ChangeWriter,
  context: TaskContext,
): Promise<CommittedChanges<Described>> {
  const watched = await sumsBeside(changes, { triggers, writer, context });
  await writeChanges(writer, changes, context);
  await writer.checkReferences();
  const verifiedRows = await proveChanges(changes, { writer, codec: source.codec, context });
  await requireNothingElse(watched, { triggers, writer, context });
  const described = await describe(writer);
  throwIfAborted(context.signal);
  context.progress.begin({ name: 'committing', from: 98, to: 99 });
  context.committing = true;
  await writer.commit();
  return { described, verifiedRows };
}
