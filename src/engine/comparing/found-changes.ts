/** Rows of one table that differ, spooled to disk while they are found, then stored as the lists of a change set. */
import type { ChangeSetWriteSession } from '../../domain/backup-store';
import type { ChangeSetTable } from '../../domain/change-set';
import { untilAborted } from '../lanes';
import type { TaskContext } from '../ports';
import type { RowSlice } from '../rows/compare-rows';
import type { DiffSink } from '../rows/join-states';
import { pairsOf, RowSpool } from '../rows/spool';
import { storePairs, storeRows } from '../writing/row-lists';

export class FoundChanges implements DiffSink {
  private readonly gone: RowSpool;
  private readonly come: RowSpool;
  /** Alternating rows as they are before and after. */
  private readonly pairs: RowSpool;

  constructor(private readonly context: TaskContext) {
    const { tempDir, random } = context.deps;
    const spool = (): RowSpool => new RowSpool(tempDir, random);
    [this.gone, this.come, this.pairs] = [spool(), spool(), spool()];
  }

  removed(row: RowSlice): void {
    this.gone.add(row);
  }

  added(row: RowSlice): void {
    this.come.add(row);
  }

  changed(before: RowSlice, after: RowSlice): void {
    this.pairs.add(before, after);
  }

  async settle(): Promise<void> {
    for (const spool of this.spools()) await spool.settle();
  }

  /** Once all are found. */
  async store(
    session: ChangeSetWriteSession,
  ): Promise<Pick<ChangeSetTable, 'deletes' | 'updates' | 'inserts' | 'samples'>> {
    const { signal } = this.context;
    const deletes = await storeRows(session, untilAborted(this.gone.batches(), signal));
    const updates = await storePairs(session, [untilAborted(pairsOf(this.pairs), signal)]);
    const inserts = await storeRows(session, untilAborted(this.come.batches(), signal));
    return {
      deletes: deletes.list,
      updates: { before: updates.before, after: updates.after },
      inserts: inserts.list,
      samples: { deletes: deletes.samples, updates: updates.samples, inserts: inserts.samples },
    };
  }

  async close(): Promise<void> {
    for (const spool of this.spools()) await spool.close();
  }

  private spools(): RowSpool[] {
    return [this.gone, this.come, this.pairs];
  }
}
