/**
 * Plans a restore: compares the live source with the backup and keeps exactly what restoring would change, as a change set. Reads only.
 */
import type { ChangeSetWriteSession } from '../../domain/backup-store';
import { changeCounts, type ChangeSetTable, type StoredChangeSet } from '../../domain/change-set';
import type { Source } from '../../domain/source';
import type { EngineTask, PlanResult } from '../../domain/task';
import { throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import type { ScopedTable } from '../reading/scoped-table';
import { storeWait } from '../store-wait';
import { compareAll, noDifferencesYet, type FiringTriggers, type ScopeComparing } from './compare-scope';
import { describePlan } from './describe-plan';
import type { TableDifferences } from './differences';
import { fitToLive, withStructureChanges } from './fit-tables';
import {
  isLoaded,
  keepChangeSet,
  keepDifferences,
  loadOrCopy,
  stateOf,
  type BackupTables,
  type ChangeSetFacts,
  type Keeping,
} from './keep-changes';
import type { LeftOutRows } from './left-out-rows';
import { openBackup, type OpenedBackup } from './open-backup';
import { emptyTables, leaveOutOrphans, withLosses } from './restore-losses';
import { firingWarning, referenceWarnings, withReasons } from './restore-warnings';
import { planThreeWay } from './three-way-restore';

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
  const { planId: changeSetId, backupId, validForMs } = spec;
  const notes: string[] = [];
  const backup = await openBackup(spec, { store, source, notes }, context);
  return keepPlan(backup, { changeSetId, jobId, backupId, notes, validForMs }, keeping);
}

export type PlanFacts = Pick<ChangeSetFacts, 'changeSetId' | 'jobId' | 'backupId' | 'notes' | 'validForMs'>;

/** What restoring the opened backup would change. */
export async function keepPlan(backup: OpenedBackup, plan: PlanFacts, keeping: Keeping): Promise<StoredChangeSet> {
  const { context } = keeping;
  throwIfAborted(context.signal);
  const planning = await makeReady(backup, keeping);
  const notes = [...plan.notes, ...[...planning.leftOut.values()].flat()];
  const facts = { ...plan, notes, kind: 'PLAN', scope: backup.scope.written, basedOn: null } as const;
  return keepChangeSet(facts, keeping, async (session) =>
    withWarnings(await planTables(session, planning, context), planning, context),
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
  const of = { rows, states, signal: context.signal };
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
  const findStrays = scope.written.kind === 'BUSINESS'; // because nothing is written that would come to meet one
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
  const { losses, reasons, manifest, scope } = backup;
  const referring = await source.referringTables(tables.map(({ table }) => table), signal); // prettier-ignore
  // What single records refer to in the backup's tables was looked for.
  const seen = scope.written.kind === 'KEYS' ? manifest.tables : tables;
  const references = { known: seen.map(({ table }) => table), referring };
  return tables.map((table) => {
    const warnings = [...table.warnings, ...referenceWarnings(table, references)];
    const told = withLosses(withStructureChanges({ ...table, warnings }, backup), { losses, leftOut });
    return withReasons(told, reasons);
  });
}
