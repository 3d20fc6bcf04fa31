/**
 * What is to change in one table, wherever its rows are kept, and the one order in which changes of many tables are written: so that no
 * unique key is taken when its new owner comes.
 */
import type { RowBatch } from '../../domain/rows';
import type { ChangeWriter } from '../../domain/source';
import type { TableStructure } from '../../domain/table';
import { throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import type { RowPairs } from '../rows/spool';

/** Each may be read as often as it is asked for. */
export interface TableChanges {
  readonly structure: TableStructure;
  /** Row images that pass when they are written: an update has two, a move passes twice. */
  readonly images: number;
  deletes(): AsyncIterable<RowBatch>;
  updates(): AsyncIterable<RowPairs>;
  /** Updates that could meet another row on a unique key midway: done as a delete at first and an insert at the end. */
  moves(): AsyncIterable<RowPairs>;
  inserts(): AsyncIterable<RowBatch>;
}

/** Deletes before updates before inserts, over all tables. */
export async function writeChanges(
  writer: ChangeWriter,
  tables: readonly TableChanges[],
  context: TaskContext,
): Promise<void> {
  const rowsTotal = tables.reduce((sum, { images }) => sum + images, 0);
  context.progress.begin({ name: 'writing', from: 60, to: 85, rowsTotal });
  for (const table of [...tables].reverse()) {
    await drain(table.deletes(), context, (rows) => writer.deleteRows(table.structure, rows));
    await drainPairs(table.moves(), context, ({ oldRows }) => writer.deleteRows(table.structure, oldRows));
  }
  for (const table of tables) {
    await drainPairs(table.updates(), context, ({ oldRows, newRows }) =>
      writer.updateRows(table.structure, oldRows, newRows),
    );
  }
  for (const table of tables) {
    await drainPairs(table.moves(), context, ({ newRows }) => writer.insertRows(table.structure, newRows));
    await drain(table.inserts(), context, (rows) => writer.insertRows(table.structure, rows));
  }
}

async function drain(
  batches: AsyncIterable<RowBatch>,
  context: TaskContext,
  apply: (batch: RowBatch) => Promise<void>,
): Promise<void> {
  for await (const batch of batches) {
    throwIfAborted(context.signal);
    if (batch.ends.length === 0) continue;
    await apply(batch);
    context.progress.advance({ rows: batch.ends.length, bytes: batch.bytes.length });
  }
}

async function drainPairs(
  batches: AsyncIterable<RowPairs>,
  context: TaskContext,
  apply: (pairs: RowPairs) => Promise<void>,
): Promise<void> {
  for await (const pairs of batches) {
    throwIfAborted(context.signal);
    if (pairs.oldRows.ends.length === 0) continue;
    await apply(pairs);
    const { oldRows, newRows } = pairs;
    context.progress.advance({ rows: 2 * oldRows.ends.length, bytes: oldRows.bytes.length + newRows.bytes.length });
  }
}
