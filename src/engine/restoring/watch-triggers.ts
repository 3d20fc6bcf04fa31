/** Where triggers run on what a change set writes: notices, before COMMIT, whatever else they wrote into its tables. */
import { AppError } from '../../domain/errors';
import type { ChangeWriter } from '../../domain/source';
import type { TaskContext } from '../ports';
import { addChanges, sumRows, type RowSums } from './prove-changes';
import type { TableChanges } from './table-changes';

/** Names of the triggers that will run, by table. */
export type FiredTriggers = ReadonlyMap<string, readonly string[]>;

interface Watching {
  triggers: FiredTriggers;
  writer: ChangeWriter;
  context: TaskContext;
}

export type Watched = ReadonlyMap<TableChanges, RowSums>;

/** Read before anything is written: what the rows of each table must add up to in the end. Empty where no trigger will run. */
export async function sumsBeside(
  changes: readonly TableChanges[],
  { triggers, writer, context }: Watching,
): Promise<Watched> {
  const fires = changes.some(({ images, structure: { table } }) => images > 0 && triggers.has(table));
  const watched = new Map<TableChanges, RowSums>();
  for (const of of fires ? changes : []) {
    const sums = await sumRows(of.structure, { writer, context });
    await addChanges(sums, of);
    watched.set(of, sums);
  }
  return watched;
}

export async function requireNothingElse(watched: Watched, { triggers, writer, context }: Watching): Promise<void> {
  for (const [of, expected] of watched) {
    if ((await sumRows(of.structure, { writer, context })).equals(expected)) continue;
    const names = [...triggers.values()].flat().join(', ');
    throw new AppError(
      'CONFLICT',
      `Table ${of.structure.table} got other rows than were listed while triggers ran (${names}); nothing was changed.`,
      { hint: 'Drop these triggers for the time of the restore. If others wrote, try again.' },
    );
  }
}
