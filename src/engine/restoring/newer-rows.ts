/** Rows that a change set does not list and that came since: they stay, and are counted for whoever reads the result. */
import { changeCounts, type ChangeSetTable } from '../../domain/change-set';
import { rowCount, type RowScope, type WrittenRows } from '../../domain/rows';
import type { ChangeWriter } from '../../domain/source';
import type { TaskContext } from '../ports';

/** How many rows more than listed and compared ones the table would have; 0 where that can't be told. */
export async function newerRowsIn(
  table: ChangeSetTable,
  { writer, scope, context }: { writer: ChangeWriter; scope: WrittenRows; context: TaskContext },
): Promise<number> {
  // Beside single records stand all others.
  if (scope.kind === 'KEYS') return 0;
  // Parents of a business are compared one by one, and others' rows stand beside them.
  if (scope.kind === 'BUSINESS' && table.structure.mapping.business === undefined) return 0;
  const { inserts, updates } = changeCounts(table);
  const live = scope.kind === 'ALL' ? await writer.countRows(table.structure) : await count(table, { writer, scope, context }); // prettier-ignore
  return Math.max(0, live - table.unchanged - inserts - updates);
}

async function count(
  { structure }: ChangeSetTable,
  { writer, scope, context }: { writer: ChangeWriter; scope: RowScope; context: TaskContext },
): Promise<number> {
  let rows = 0;
  for await (const batch of writer.readRows(structure, { scope, signal: context.signal })) {
    rows += rowCount(batch);
    batch.release?.();
  }
  return rows;
}
