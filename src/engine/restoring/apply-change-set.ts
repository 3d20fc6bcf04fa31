/**
 * Applies a change set: a plan, or what a restore did, backwards. Exactly what it lists, in one transaction, each row against the one it
 * lists as old; rows that it does not list stay. Tables that are all loaded into nothing take the faster way of a bulk restore.
 */
import { changeCounts, conflictCounts, type AppliedKind, type ChangeSetTable } from '../../domain/change-set';
import { AppError, isAppError } from '../../domain/errors';
import { ALL_ROWS, type WrittenRows } from '../../domain/rows';
import type { ChangeWriter, Source, TableState } from '../../domain/source';
import type { RestoredTable, RestoreResult } from '../../domain/task';
import { throwIfAborted } from '../lanes';
import type { EngineStore, TaskContext } from '../ports';
import { BackupRows } from '../reading/rows-in-scope';
import { restoreInBulk } from './bulk-restore';
import { commitChanges, commitWithCare } from './commit-changes';
import type { Unfit } from '../structure-check';
import { requireFittingTables } from './fit-tables';
import { changesNothing, type UndoKeeper } from './keep-changes';
import { newerRowsIn } from './newer-rows';
import { proveChanges } from './prove-changes';
import { firingWarning, newerRowsWarning, UNPROVEN_REFERENCES } from './restore-warnings';
import { loadedTable, proveStored, StoredChanges } from './stored-changes';
import type { FiredTriggers } from './watch-triggers';

export interface Applying {
  jobId: string;
  source: Source;
  store: EngineStore;
  /** Those of the change set, reversed where it is undone. */
  tables: readonly ChangeSetTable[];
  scope: WrittenRows;
  kind: AppliedKind;
  keeper: UndoKeeper;
  /** False where the backup had lost rows: then rows beside those listed are not all newer. */
  isComplete: boolean;
  notes: string[];
}

type Listed = Pick<Applying, 'jobId' | 'source' | 'store' | 'tables'>;

export type Applied = Pick<RestoreResult, 'mode' | 'tables' | 'verifiedRows'>;

/** With how the tables are now. */
interface Ready extends Applying {
  states: ReadonlyMap<string, TableState>;
  missing: ReadonlySet<string>;
  triggers: FiredTriggers;
}

export async function applyChangeSet(applying: Applying, context: TaskContext): Promise<Applied> {
  const { source, store, tables } = applying;
  await proveStored(tables, { store, codec: source.codec }, context);
  throwIfAborted(context.signal);
  const ready = await makeReady(applying, context);
  if (changesNothing(tables) && tables.every(({ drops }) => !drops)) {
    return { mode: 'IN_PLACE', tables: tables.map((table) => describe(table, [])), verifiedRows: 0 };
  }
  const applied = await (isBulk(ready) ? load(ready, context) : changeWithCare(ready, context));
  await dropEmptied(applying, context);
  return applied;
}

/** What an earlier attempt of the job had committed. */
export async function finishApplied(applying: Applying, context: TaskContext): Promise<Applied> {
  await dropEmptied(applying, context);
  return { mode: 'IN_PLACE', tables: applying.tables.map((table) => describe(table, [])), verifiedRows: 0 };
}

/**
 * Whether all that the change set lists is in place: settles, where the source could keep no marker, whether an attempt that ended unseen
 * had committed.
 */
export async function isInPlace(applying: Listed, context: TaskContext): Promise<boolean> {
  const { source, tables } = applying;
  const states = await statesOf(applying);
  if (tables.some(({ table, drops }) => states.get(table) === 'MISSING' && !drops)) return false;
  const present = tables.filter(({ table }) => states.get(table) !== 'MISSING');
  const writer = await source.openChangeWriter({
    jobId: applying.jobId,
    tables: present.map(({ structure }) => structure),
    signal: context.signal,
  });
  try {
    await proveChanges(changesOf(applying, present), { writer, codec: source.codec, context });
    return !changesNothing(present);
  } catch (error) {
    if (isAppError(error) && error.code === 'CONFLICT') return false;
    throw error;
  } finally {
    await writer.rollback();
  }
}

async function statesOf({
  source,
  tables,
}: Pick<Listed, 'source' | 'tables'>): Promise<ReadonlyMap<string, TableState>> {
  return source.tableStates(tables.map(({ table }) => table));
}

/** A change set lists whole rows, so that it fits no table with other columns than it had. */
const CHANGED_SINCE: Record<AppliedKind, Unfit> = {
  RESTORE: { what: 'The tables changed since the plan; nothing was changed', hint: 'Make a new plan.' },
  UNDO: {
    what: 'The tables changed since the restore, so that it can not be undone as they are; nothing was changed',
    hint: 'Bring these columns to what they were then, for the time of the undo; or restore a backup of the time before the restore.',
  },
};

async function makeReady(applying: Applying, context: TaskContext): Promise<Ready> {
  const { source, tables } = applying;
  const states = await statesOf(applying);
  const isMissing = ({ table }: ChangeSetTable): boolean => (states.get(table) ?? 'MISSING') === 'MISSING';
  for (const table of tables) requireExpected(applying, { table, missing: isMissing(table) });
  const present = { tables: tables.filter((table) => !isMissing(table)), unfit: CHANGED_SINCE[applying.kind] };
  const live = await requireFittingTables(source, present, context);
  const created = tables.filter(isMissing).map(({ structure }) => structure);
  const firing = source.firesTriggers ? [...live, ...created].filter(({ triggers }) => triggers.length > 0) : [];
  return {
    ...applying,
    states,
    missing: new Set(created.map(({ table }) => table)),
    triggers: new Map(firing.map(({ table, triggers }) => [table, triggers.map(({ name }) => name)])),
  };
}

/** A plan was made for tables that were there or not. An undone restore may have left a table that it could not drop. */
function requireExpected(
  { kind }: Applying,
  { table: { table, before }, missing }: { table: ChangeSetTable; missing: boolean },
): void {
  if (missing && before !== 'MISSING') throw tableDrifted(table, 'is missing now');
  if (kind === 'RESTORE' && !missing && before === 'MISSING') throw tableDrifted(table, 'was missing and is there now');
}

function tableDrifted(table: string, what: string): AppError {
  return new AppError('PLAN_DRIFTED', `Table ${table} ${what}; nothing was changed.`, { hint: 'Make a new plan.' });
}

function isBulk({ tables, states }: Ready): boolean {
  return tables.every((table) => {
    const { inserts, updates, deletes, load } = table;
    const listed = inserts.rowCount + updates.after.rowCount + deletes.rowCount;
    return listed === 0 && load?.direction === 'IN' && states.get(table.table) !== 'FILLED';
  });
}

async function load(ready: Ready, context: TaskContext): Promise<Applied> {
  const { jobId, source, store, tables, scope, keeper, states } = ready;
  const manifests = tables.flatMap((table) => loadedTable(table) ?? []);
  const result = await restoreInBulk(
    {
      jobId,
      source,
      store,
      scope: {
        tables: manifests.map((manifest) => ({ manifest, role: 'WHOLE' })),
        rows: ALL_ROWS,
        written: scope,
        filtered: false,
      },
      rows: new BackupRows({ store, codec: source.codec }, new Set(), new Map()),
      beforePublishing: () => keeper.keep(async () => asTheyAre(tables, states)),
    },
    context,
  ).catch(async (error: unknown) => {
    if (!context.committing) await keeper.discard();
    throw error;
  });
  return { mode: 'BULK', ...result };
}

/** What was applied, by how the tables were just before. */
function asTheyAre(tables: readonly ChangeSetTable[], states: ReadonlyMap<string, TableState>): ChangeSetTable[] {
  return tables.map((table) => ({ ...table, before: states.get(table.table) ?? 'MISSING' }));
}

function changeWithCare(ready: Ready, context: TaskContext): Promise<Applied> {
  const hasUpdates = ready.tables.some(({ updates }) => updates.after.rowCount > 0);
  return commitWithCare((moveUpdates) => change(ready, { moveUpdates, context }), { hasUpdates, context });
}

function changesOf(
  { source, store }: Pick<Listed, 'source' | 'store'>,
  tables: readonly ChangeSetTable[],
  moveUpdates = false,
): StoredChanges[] {
  const reading = { store, codec: source.codec };
  return tables.map((table) => new StoredChanges(table, reading, { moveUpdates }));
}

async function change(
  ready: Ready,
  { moveUpdates, context }: { moveUpdates: boolean; context: TaskContext },
): Promise<Applied> {
  const { jobId, source, scope, tables, missing, keeper, states } = ready;
  await keeper.keep(async () => asTheyAre(tables, states));
  const structures = tables.map(({ structure }) => structure);
  const options = { jobId, tables: structures, missing: [...missing], scope, signal: context.signal };
  const changes = changesOf(ready, tables, moveUpdates);
  const describe = (writer: ChangeWriter): Promise<RestoredTable[]> => describeAll(ready, writer, context);
  try {
    const done = await commitChanges({ source, options, changes, triggers: ready.triggers, describe }, context);
    return { mode: 'IN_PLACE', tables: done.described, verifiedRows: done.verifiedRows };
  } catch (error) {
    if (!context.committing) await keeper.discard();
    throw error;
  }
}

async function describeAll(ready: Ready, writer: ChangeWriter, context: TaskContext): Promise<RestoredTable[]> {
  const described: RestoredTable[] = [];
  for (const table of ready.tables) {
    const warnings: string[] = [];
    const firing = ready.triggers.get(table.table);
    if (firing) warnings.push(firingWarning(firing));
    const newer = ready.isComplete ? await newerRowsIn(table, { writer, scope: ready.scope, context }) : 0;
    if (newer > 0) warnings.push(newerRowsWarning(newer));
    if (writer.unproven?.has(table.table)) warnings.push(UNPROVEN_REFERENCES);
    described.push(describe(table, warnings));
  }
  return described;
}

export function describe(table: ChangeSetTable, warnings: string[]): RestoredTable {
  const { dataType, table: name, unchanged } = table;
  const conflicts = table.conflicts && conflictCounts(table);
  return { dataType, table: name, ...changeCounts(table), unchanged, warnings, ...(conflicts && { conflicts }) };
}

/** Idempotent; a table that stays is no failure, for its rows are what was promised. */
async function dropEmptied({ source, tables, notes }: Applying, context: TaskContext): Promise<void> {
  const names = tables.filter(({ drops }) => drops).map(({ table }) => table);
  if (names.length === 0) return;
  context.progress.begin({ name: 'dropping tables', from: 99, to: 100 });
  for (const [table, reason] of await source.dropEmptyTables(names)) {
    notes.push(`Table ${table}, which was missing before, was kept: ${reason}.`);
  }
}
