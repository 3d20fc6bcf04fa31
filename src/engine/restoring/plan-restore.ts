/**
 * Plans a restore: compares the live source with the backup and keeps exactly what restoring would change, as a change set. Reads only.
 */
import type { ChangeSetWriteSession } from '../../domain/backup-store';
import {
  changeCounts,
  conflictCounts,
  estimateApplyingMs,
  sumCounts,
  type ChangeSetTable,
  type StoredChangeSet,
} from '../../domain/change-set';
import type { RowCodec } from '../../domain/rows';
import type { Source } from '../../domain/source';
import type { EngineTask, PlannedTable, PlanResult } from '../../domain/task';
import { throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import type { ScopedTable } from '../reading/scoped-table';
import { storeWait } from '../store-wait';
import { compareAll, noDifferencesYet, type FiringTriggers, type ScopeComparing } from './compare-scope';
import type { TableDifferences } from './differences';
import { fitToLive, withStructureChanges } from './fit-tables';
import {
  isLoaded,
  keepChangeSet,
  keepDifferences,
  loadOrCopy,
  stateOf,
  type BackupTables,
  type Keeping,
} from './keep-changes';
import type { LeftOutRows } from './left-out-rows';
import { openBackup, type OpenedBackup } from './open-backup';
import { emptyTables, leaveOutOrphans, withLosses } from './restore-losses';
import { firingWarning, referenceWarnings } from './restore-warnings';
import { planThreeWay } from './three-way-restore';
import { typedSamples } from './typed-samples';

type PlanTask = Extract<EngineTask, { kind: 'PLAN' }>;

export async function planRestore(task: PlanTask, context: TaskContext): Promise<PlanResult> {
  const { spec, jobId } = task;
  const source = await context.deps.source(spec.source);
  const store = await context.deps.store();
  const lease = await store.beginRead(`plan ${jobId}`, storeWait(context));
  try {
    const made = await store.findChangeSet(spec.planId); // because an earlier attempt may have ended unseen
    return describePlan(made ?? (await makeAnyPlan(task, { source, store, context })), source.codec);
  } finally {
    await lease.release();
  }
}

function makeAnyPlan({ spec, jobId }: PlanTask, keeping: Keeping): Promise<StoredChangeSet> {
  const { threeWay } = spec;
  return threeWay === undefined ? makePlan({ spec, jobId }, keeping) : planThreeWay({ spec, jobId, threeWay }, keeping);
}

async function makePlan({ spec, jobId }: Pick<PlanTask, 'spec' | 'jobId'>, keeping: Keeping): Promise<StoredChangeSet> {
  const { source, store, context } = keeping;
  const notes: string[] = [];
  const backup = await openBackup(spec, { store, source, notes }, context);
  throwIfAborted(context.signal);
  const planning = await makeReady(backup, keeping);
  notes.push(...[...planning.leftOut.values()].flat());
  const facts = { changeSetId: spec.planId, kind: 'PLAN', jobId, backupId: spec.backupId, basedOn: null } as const;
  return keepChangeSet(
    { ...facts, scope: backup.scope.rows, notes, validForMs: spec.validForMs },
    keeping,
    async (session) => withWarnings(await planTables(session, planning, context), planning, context),
  );
}

interface Planning {
  backup: OpenedBackup;
  of: BackupTables;
  source: Source;
  /** Tables that are not there, lost ones included. */
  missing: ReadonlySet<string>;
  leftOut: LeftOutRows['reasons'];
}

async function makeReady(opened: OpenedBackup, { source, context }: Keeping): Promise<Planning> {
  const { scope, losses, rows } = opened;
  const tables = [...scope.tables, ...losses.lost];
  const states = await source.tableStates(tables.map(({ manifest }) => manifest.table));
  const of = { rows, states };
  const isMissing = (table: ScopedTable): boolean => stateOf(table, of) === 'MISSING';
  const missing = new Set(tables.filter(isMissing).map(({ manifest }) => manifest.table));
  const backup = await fitToLive(opened, { source, missing }, context);
  const leftOut = await leaveOutOrphans({ ...backup, source, missing, isScratch: false }, context);
  return { backup, of, source, missing, leftOut };
}

/** Tables without rows are loaded, unread; all others are compared at one moment. */
async function planTables(
  session: ChangeSetWriteSession,
  { backup, of, source, missing }: Planning,
  context: TaskContext,
): Promise<ChangeSetTable[]> {
  const { scope, losses } = backup;
  const findStrays = scope.rows.kind === 'BUSINESS'; // because nothing is written that would come to meet one
  const comparing: ScopeComparing = { ...backup, source, missing, findStrays };
  const compared = scope.tables.filter((table) => !isLoaded(table, of));
  const differences = noDifferencesYet(compared, comparing, { deps: context.deps, moveUpdates: false });
  const hasRows = [...of.states.values()].includes('FILLED');
  const empty = hasRows ? [] : emptyTables({ missing, losses });
  try {
    const triggers = await compareAll(comparing, differences, context);
    context.progress.begin({ name: 'keeping the plan', from: 60, to: 99 });
    const kept: ChangeSetTable[] = [];
    for (const table of [...scope.tables, ...empty]) {
      const found = differences.find((candidate) => candidate.table === table);
      const planned = found ? await keepDifferences(session, found, of) : await loadOrCopy(session, table, of);
      kept.push({ ...planned, warnings: triggerWarnings(planned, triggers) });
    }
    return kept;
  } finally {
    await closeAll(differences);
  }
}

async function closeAll(differences: readonly TableDifferences[]): Promise<void> {
  for (const table of differences) await table.close();
}

function triggerWarnings(table: ChangeSetTable, triggers: FiringTriggers): string[] {
  const firing = triggers.get(table.table);
  const { inserts, updates, deletes } = changeCounts(table);
  return firing && inserts + updates + deletes > 0 ? [firingWarning(firing)] : [];
}

async function withWarnings(
  tables: ChangeSetTable[],
  { source, backup, leftOut }: Planning,
  { signal }: TaskContext,
): Promise<ChangeSetTable[]> {
  const referring = await source.referringTables(tables.map(({ table }) => table), signal); // prettier-ignore
  return tables.map((table) => {
    const warnings = [...table.warnings, ...referenceWarnings(table, { tables, referring })];
    return withLosses(withStructureChanges({ ...table, warnings }, backup), { losses: backup.losses, leftOut });
  });
}

function describePlan({ hash, changeSet }: StoredChangeSet, codec: RowCodec): PlanResult {
  const { changeSetId, createdAt, expiresAt, tables, notes } = changeSet;
  return {
    kind: 'PLAN',
    changeSet: { changeSetId, planHash: hash, createdAt, expiresAt },
    tables: tables.map((table) => describeTable(table, codec)),
    ...sumCounts(tables.map(changeCounts)),
    estimatedMs: estimateApplyingMs(tables),
    notes,
  };
}

function describeTable(planned: ChangeSetTable, codec: RowCodec): PlannedTable {
  const { dataType, table, before, unchanged, warnings } = planned;
  const samples = typedSamples(planned, codec);
  const conflicts = planned.conflicts && conflictCounts(planned);
  const counts = { ...changeCounts(planned), unchanged, ...(conflicts && { conflicts }) };
  return { dataType, table, before, ...counts, samples, warnings };
}
