/** The changes of one table on their way into a change set. */
import type { ChangeSetWriteSession } from '../../domain/backup-store';
import type { ChangeSetTable } from '../../domain/change-set';
import { storePairs, storeRows } from '../writing/row-lists';
import type { TableChanges } from './table-changes';

type StoredLists = Pick<ChangeSetTable, 'deletes' | 'updates' | 'inserts' | 'samples'>;

export async function storeLists(session: ChangeSetWriteSession, changes: TableChanges): Promise<StoredLists> {
  const deletes = await storeRows(session, changes.deletes());
  const updates = await storePairs(session, [changes.updates(), changes.moves()]);
  const inserts = await storeRows(session, changes.inserts());
  return {
    deletes: deletes.list,
    updates: { before: updates.before, after: updates.after },
    inserts: inserts.list,
    samples: { deletes: deletes.samples, updates: updates.samples, inserts: inserts.samples },
  };
}
