/** The changes of one table on their way into a change set. */
import type { ChangeSetWriteSession } from '../../domain/backup-store';
import type { ChangeSetTable, ConflictLists } from '../../domain/change-set';
import type { RowBatch } from '../../domain/rows';
import { untilAborted } from '../lanes';
import { ListWriter, storePairs, storeRows } from '../writing/row-lists';
import type { ConflictingRows } from './damage';
import type { TableChanges } from './table-changes';

type StoredLists = Pick<ChangeSetTable, 'deletes' | 'updates' | 'inserts' | 'samples'>;

export async function storeLists(
  session: ChangeSetWriteSession,
  changes: TableChanges,
  signal: AbortSignal,
): Promise<StoredLists> {
  const deletes = await storeRows(session, untilAborted(changes.deletes(), signal));
  const pairs = [changes.updates(), changes.moves()].map((rows) => untilAborted(rows, signal));
  const updates = await storePairs(session, pairs);
  const inserts = await storeRows(session, untilAborted(changes.inserts(), signal));
  return {
    deletes: deletes.list,
    updates: { before: updates.before, after: updates.after },
    inserts: inserts.list,
    samples: { deletes: deletes.samples, updates: updates.samples, inserts: inserts.samples },
  };
}

/** All three lists are cut at the same rows. */
export async function storeConflicts(
  session: ChangeSetWriteSession,
  batches: AsyncIterable<ConflictingRows>,
  signal: AbortSignal,
): Promise<Omit<ConflictLists, 'fieldCount'>> {
  const [undamaged, damaged, live] = [new ListWriter(session), new ListWriter(session), new ListWriter(session)];
  const lists = [undamaged, damaged, live];
  for await (const rows of untilAborted(batches, signal)) {
    const sides = [rows.undamaged, rows.damaged, rows.live];
    for (let row = 0; row < rows.live.ends.length; row++) {
      if (lists.some((list, i) => list.isFullFor(sides[i] as RowBatch, row))) {
        for (const list of lists) await list.flush();
      }
      lists.forEach((list, i) => list.add(sides[i] as RowBatch, row));
    }
  }
  return { undamaged: await undamaged.finish(), damaged: await damaged.finish(), live: await live.finish() };
}
