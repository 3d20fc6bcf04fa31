/**
 * Three-way restores and their plans: undo what differs between an undamaged backup and a damaged one, and nothing else. Every row is
 * written against the live one that the merge saw, so that a later edit is never lost; done again, it finds nothing left to do.
 */
import type { ChangeSetWriteSession } from '../../domain/backup-store';
import { sumConflicts, type ChangeSetTable, type StoredChangeSet } from '../../domain/change-set';
import type { JobId } from '../../domain/ids';
import type { PlanJobSpec, RestoreJobSpec } from '../../domain/job';
import { ALL_ROWS, type RowCodec } from '../../domain/rows';
import type { ChangeWriter } from '../../domain/source';
import type { RestoredTable, RestoreResult } from '../../domain/task';
import { unresolved, type ConflictPolicy, type ThreeWay } from '../../domain/three-way';
import { throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import { RowMerger } from '../rows/merge-row';
import type { RowPairs } from '../rows/spool';
import { TypedRows } from '../rows/typed-rows';
import { describe as describeChanges } from './apply-change-set';
import { commitChanges, commitWithCare } from './commit-changes';
import type { ConflictingRows } from './damage';
import { dryRun } from './dry-run';
import { keepChangeSet, noChanges, UndoKeeper, type Keeping } from './keep-changes';
import { imagesAt, type TableMerge } from './merge-damage';
import { withMergedTables, type MergedTables } from './merge-tables';
import {
  conflictsWarning,
  firingWarning,
  keptEditsWarning,
  referenceWarnings,
  UNPROVEN_REFERENCES,
} from './restore-warnings';
import { storeConflicts, storeLists } from './row-lists';
import type { Settled } from './settle-restore';
import type { TableChanges } from './table-changes';

type Outcome = Pick<RestoreResult, 'mode' | 'tables' | 'verifiedRows' | 'serviceSettings' | 'changeSet' | 'plan'>;

/** Under FAIL, where there are conflicts, it is kept for people alone. */
export async function planThreeWay(
  { spec, jobId, threeWay }: { spec: PlanJobSpec; jobId: JobId; threeWay: ThreeWay },
  keeping: Keeping,
): Promise<StoredChangeSet> {
  const { source, context } = keeping;
  const notes: string[] = [];
  return withMergedTables({ ...keeping, spec, threeWay, notes }, context, (merged) => {
    const { planId: changeSetId, backupId, validForMs } = spec;
    const kind = isUnresolved(merged, threeWay) ? 'UNRESOLVED' : 'PLAN';
    const facts = {
      changeSetId,
      kind,
      jobId,
      backupId,
      scope: merged.scope.rows,
      threeWay,
      basedOn: null,
      notes,
    } as const;
    context.progress.begin({ name: 'keeping the plan', from: 60, to: 99 });
    return keepChangeSet({ ...facts, validForMs }, keeping, async (session) => {
      const tables = await keepMerges(session, merged, { ...threeWay, signal: context.signal });
      const referring = await source.referringTables(tables.map(({ table }) => table), context.signal); // prettier-ignore
      return tables.map((table) => ({
        ...table,
        warnings: [
          ...table.warnings,
          ...referenceWarnings(table, { known: tables.map(({ table: name }) => name), referring }),
        ],
      }));
    });
  });
}

/** Plans and applies. Throws CONFLICT, having written nothing, where the policy is FAIL and there are conflicts. */
export async function restoreThreeWay(
  { spec, jobId }: { spec: RestoreJobSpec; jobId: JobId },
  { source, store, earlier, notes }: Settled,
  context: TaskContext,
): Promise<Outcome> {
  const threeWay = spec.threeWay as ThreeWay;
  const keeperFor = (scope: MergedTables['scope']['rows']): UndoKeeper =>
    new UndoKeeper({ jobId, spec, kind: 'RESTORE', scope, threeWay, basedOn: null, notes }, { store, source, context });
  if (earlier === 'COMMITTED') return tellCommitted(keeperFor(ALL_ROWS), notes);
  if (spec.dryRun) return planOnly({ spec, jobId, threeWay }, { source, store, notes }, context);
  return withMergedTables({ spec, threeWay, source, store, notes }, context, async (merged) => {
    const keeper = keeperFor(merged.scope.rows);
    const restore = { ...merged, jobId, spec, threeWay, source, store, keeper };
    if (isUnresolved(merged, threeWay)) throw await firstConflicts(merged, source.codec);
    if (earlier === 'UNKNOWN') await keeper.recall({ mayBeNone: true }); // which tells what was done, should nothing be left to do
    const done = await apply(restore, context);
    return { ...done, changeSet: keeper.describe() };
  });
}

async function planOnly(
  { spec, jobId, threeWay }: { spec: RestoreJobSpec; jobId: JobId; threeWay: ThreeWay },
  settled: Pick<Settled, 'source' | 'store' | 'notes'>,
  context: TaskContext,
): Promise<Outcome> {
  const planned = { ...spec, kind: 'PLAN', planId: spec.changeSetId, validForMs: spec.undoableForMs } as const;
  const keep = () => planThreeWay({ spec: planned, jobId, threeWay }, { ...settled, context });
  const count = () =>
    withMergedTables({ spec, threeWay, ...settled }, context, async (merged) =>
      outcome('DRY_RUN', { ...merged, threeWay }),
    );
  return { ...(await dryRun({ spec, keep, count }, settled)), serviceSettings: null, changeSet: null };
}

interface Restore extends MergedTables {
  jobId: JobId;
  spec: RestoreJobSpec;
  threeWay: ThreeWay;
  source: Settled['source'];
  store: Settled['store'];
  keeper: UndoKeeper;
}

/** Read from what was kept: the live rows may have moved on, and the backups be gone. */
async function tellCommitted(keeper: UndoKeeper, notes: string[]): Promise<Outcome> {
  notes.push('An earlier attempt of this job had committed already.');
  await keeper.recall();
  const tables = keeper.tables.map((table) => describeChanges(table, []));
  return { mode: 'IN_PLACE', tables, verifiedRows: 0, serviceSettings: null, changeSet: keeper.describe() };
}

function isUnresolved({ merges }: MergedTables, { conflictPolicy }: ThreeWay): boolean {
  return conflictPolicy === 'FAIL' && merges.some(({ conflicts }) => conflicts.rows > 0);
}

type Told = Omit<Outcome, 'changeSet'>;

async function apply(restore: Restore, context: TaskContext): Promise<Told> {
  const { merges, keeper, threeWay } = restore;
  throwIfAborted(context.signal);
  if (merges.every(({ differences }) => differences.images === 0)) return outcome('IN_PLACE', restore);
  await keeper.keep((session) => keepMerges(session, restore, { ...threeWay, signal: context.signal }));
  try {
    const changes = merges.map(({ differences }) => differences);
    const hasUpdates = changes.some(({ counts }) => counts.updates > 0);
    const attempt = (moveUpdates: boolean): Promise<Told> =>
      commit(restore, moveUpdates ? changes.map(moved) : changes, context);
    return await commitWithCare(attempt, { hasUpdates, context });
  } catch (error) {
    if (!context.committing) await keeper.discard();
    throw error;
  }
}

async function commit(restore: Restore, changes: readonly TableChanges[], context: TaskContext): Promise<Told> {
  const { jobId, source, triggers, scope } = restore;
  const tables = changes.map(({ structure }) => structure);
  const options = { jobId, tables, scope: scope.rows, signal: context.signal };
  const describe = async (writer: ChangeWriter): Promise<Told> => outcome('IN_PLACE', restore, writer.unproven);
  const { described, verifiedRows } = await commitChanges({ source, options, changes, triggers, describe }, context);
  return { ...described, verifiedRows };
}

function moved(changes: TableChanges): TableChanges {
  async function* none(): AsyncGenerator<RowPairs> {}
  async function* all(): AsyncGenerator<RowPairs> {
    yield* changes.updates();
    yield* changes.moves();
  }
  const { structure, images } = changes;
  return {
    structure,
    images,
    deletes: () => changes.deletes(),
    updates: none,
    moves: all,
    inserts: () => changes.inserts(),
  };
}

function outcome(
  mode: Outcome['mode'],
  restore: MergedTables & { threeWay: ThreeWay },
  unproven?: ReadonlySet<string>,
): Told {
  const tables = restore.merges.map((merge) => describeMerge(merge, restore, unproven));
  return { mode, tables, verifiedRows: 0, serviceSettings: null };
}

function describeMerge(
  merge: TableMerge,
  { triggers, threeWay }: Pick<Restore, 'triggers' | 'threeWay'>,
  unproven?: ReadonlySet<string>,
): RestoredTable {
  const { differences, conflicts } = merge;
  const { dataType, table } = differences.table.manifest;
  const warnings = warningsOf(merge, { triggers, policy: threeWay.conflictPolicy });
  if (unproven?.has(table)) warnings.push(UNPROVEN_REFERENCES);
  return { dataType, table, ...differences.counts, warnings, ...(conflicts.rows > 0 && { conflicts }) };
}

function warningsOf(
  { differences, conflicts, keptEdits }: TableMerge,
  { triggers, policy }: { triggers: MergedTables['triggers']; policy: ConflictPolicy },
): string[] {
  const firing = triggers.get(differences.structure.table);
  const warnings = firing && differences.images > 0 ? [firingWarning(firing)] : [];
  if (conflicts.rows > 0) warnings.push(conflictsWarning(conflicts, policy));
  if (keptEdits > 0) warnings.push(keptEditsWarning(keptEdits));
  return warnings;
}

async function keepMerges(
  session: ChangeSetWriteSession,
  { merges, scope, triggers }: MergedTables,
  { conflictPolicy: policy, signal }: Pick<ThreeWay, 'conflictPolicy'> & Pick<TaskContext, 'signal'>,
): Promise<ChangeSetTable[]> {
  const tables: ChangeSetTable[] = [];
  for (const [i, merge] of merges.entries()) {
    const { table, counts } = merge.differences;
    const { before } = scope.tables[i] as MergedTables['scope']['tables'][number];
    const facts = { before, unchanged: counts.unchanged, warnings: warningsOf(merge, { triggers, policy }) };
    tables.push({ ...noChanges(table), ...facts, ...(await storeLists(session, merge.differences, signal)), ...(await keepConflicts(session, merge, signal)) }); // prettier-ignore
  }
  return tables;
}

async function keepConflicts(
  session: ChangeSetWriteSession,
  merge: TableMerge,
  signal: AbortSignal,
): Promise<Pick<ChangeSetTable, 'conflicts'>> {
  const { rows, fields: fieldCount } = merge.conflicts;
  if (rows === 0) return {};
  return { conflicts: { ...(await storeConflicts(session, merge.conflictingRows(), signal)), fieldCount } };
}

const FIRST_CONFLICTS = 3;

/** Names the first rows, with their fields. */
async function firstConflicts({ merges }: MergedTables, codec: RowCodec): Promise<Error> {
  const named: string[] = [];
  for (const merge of merges) {
    for await (const rows of merge.conflictingRows()) {
      const wanted = FIRST_CONFLICTS - named.length;
      named.push(...nameConflicts(merge, rows, codec).slice(0, wanted));
      if (named.length === FIRST_CONFLICTS) break;
    }
  }
  return unresolved(sumConflicts(merges.map(({ conflicts }) => conflicts)), { first: named.join('; ') });
}

function nameConflicts({ structure }: TableMerge, rows: ConflictingRows, codec: RowCodec): string[] {
  const merger = new RowMerger(codec, structure, 'FAIL');
  const typed = new TypedRows(codec, structure);
  return Array.from(rows.live.ends, (_, n) => {
    const images = imagesAt(rows, n);
    const row = images.undamaged ?? images.live;
    const key = row === null ? {} : typed.key(row.bytes, row.start);
    const columns = merger.merge(images).conflicts.map((column) => structure.columns[column]?.name);
    return `${structure.table} ${JSON.stringify(key)} in ${columns.join(', ')}`;
  });
}
