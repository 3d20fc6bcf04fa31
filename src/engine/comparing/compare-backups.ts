/**
 * Compares a backup with another one, or with the live source, and keeps exactly the rows that differ, as a change set that nobody applies.
 * Reads only. Memory does not grow with what is found: rows wait on disk, one table at a time.
 */
import type { BackupStore, ChangeSetWriteSession } from '../../domain/backup-store';
import {
  changeCounts,
  NO_ROWS,
  type ChangeSet,
  type ChangeSetTable,
  type StoredChangeSet,
} from '../../domain/change-set';
import { AppError, isAppError } from '../../domain/errors';
import type { BackupId } from '../../domain/ids';
import type { Manifest } from '../../domain/manifest';
import { ALL_ROWS } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';
import type { ComparedTable, ComparisonResult, DiffCounts, EngineTask } from '../../domain/task';
import type { TaskContext } from '../ports';
import { comparedColumns } from '../reading/compared-columns';
import { underLiveNames } from '../reading/renamed-tables';
import type { DiffSink, Side } from '../rows/join-states';
import { storeWait } from '../store-wait';
import { comparedScope, nothingToCompare, type ComparedScope } from './compared-scope';
import { FoundChanges } from './found-changes';
import { liveTables } from './live-tables';
import { storedTables } from './stored-tables';
import type { ComparedTables, TableComparison } from './table-comparison';

type ComparisonTask = Extract<EngineTask, { kind: 'COMPARISON' }>;

export async function compareBackups(task: ComparisonTask, context: TaskContext): Promise<ComparisonResult> {
  const store = await context.deps.store();
  const lease = await store.beginRead(`comparison ${task.jobId}`, storeWait(context));
  try {
    const made = await store.findChangeSet(task.spec.comparisonId); // because an earlier attempt may have ended unseen
    return describe(made ?? (await compare(task, { store, context })));
  } finally {
    await lease.release();
  }
}

/** Under the names that its tables have now. */
async function requireManifest({ store, context }: Comparing, id: BackupId, field: string): Promise<Manifest> {
  const stored = await store.findManifest(id);
  if (stored !== null) {
    const { mapping } = await context.deps.source(stored.manifest.source.name);
    return underLiveNames(stored.manifest, mapping).manifest;
  }
  throw new AppError('NOT_FOUND', `The repository holds no backup ${id}.`, {
    hint: 'It was deleted or never completed; choose another one.',
    path: ['input', field],
  });
}

interface Comparing {
  store: BackupStore;
  context: TaskContext;
}

async function compare(task: ComparisonTask, comparing: Comparing): Promise<StoredChangeSet> {
  const { backupId, targetId } = task.spec;
  const base = await requireManifest(comparing, backupId, 'baseId');
  const target = targetId === null ? null : await requireManifest(comparing, targetId, 'targetId');
  const scope = comparedScope(task.spec, base, target);
  const compared =
    target === null ? await liveTables(base, scope, comparing) : await storedTables({ base, target }, scope, comparing);
  try {
    if (compared.tables.length === 0) throw nothingToCompare();
    return await keep(compared, { task, base, target, scope }, comparing);
  } finally {
    await compared.close();
  }
}

interface Facts {
  task: ComparisonTask;
  base: Manifest;
  target: Manifest | null;
  scope: ComparedScope;
}

async function keep(compared: ComparedTables, facts: Facts, { store, context }: Comparing): Promise<StoredChangeSet> {
  const session = await store.beginChangeSet(facts.task.spec.comparisonId, storeWait(context));
  try {
    const tables: ChangeSetTable[] = [];
    for (const [at, table] of compared.tables.entries()) {
      const share = 99 / compared.tables.length;
      context.progress.begin({ name: 'comparing', from: at * share, to: (at + 1) * share, rowsTotal: table.rowCount });
      tables.push(await keepTable(table, session, context));
    }
    requireKnown(tables, facts.scope);
    return await session.commitChangeSet(changeSetOf(tables, { compared, ...facts }, context));
  } catch (error) {
    await session.abort();
    throw error;
  }
}

async function keepTable(
  comparison: TableComparison,
  session: ChangeSetWriteSession,
  context: TaskContext,
): Promise<ChangeSetTable> {
  const facts = factsOf(comparison);
  if (comparison.load) return { ...facts, load: comparison.load };
  const found = new FoundChanges(context);
  try {
    const { unchanged } = await tell(comparison, found);
    return { ...facts, unchanged, ...(await found.store(session)) };
  } finally {
    await found.close();
  }
}

async function tell(comparison: TableComparison, sink: DiffSink): Promise<DiffCounts> {
  try {
    return await comparison.tell(sink);
  } catch (error) {
    if (!isAppError(error) || (error.code !== 'INTEGRITY_FAILURE' && error.code !== 'NOT_FOUND')) throw error;
    throw new AppError('INTEGRITY_FAILURE', `Table ${comparison.table} can't be compared: ${error.message}`, {
      hint: 'Verify both backups to learn what is damaged, or compare other ones.',
      cause: error,
    });
  }
}

function factsOf({ dataType, table, structures, rowCount, codec }: TableComparison): ChangeSetTable {
  const { before, after } = structures;
  const columns = before && after && comparedColumns({ before, after }, codec);
  return {
    dataType,
    table,
    structure: (after ?? before) as TableStructure,
    ...(before && after && !isSameStructure(before, after) ? { structureBefore: before } : {}),
    before: before === null ? 'MISSING' : rowCount === 0 ? 'EMPTY' : 'FILLED',
    drops: after === null,
    deletes: NO_ROWS,
    updates: { before: NO_ROWS, after: NO_ROWS },
    inserts: NO_ROWS,
    load: null,
    unchanged: 0,
    samples: { inserts: [], updates: [], deletes: [] },
    warnings: columns?.notes ?? [aloneIn(before === null ? 'after' : 'before')],
  };
}

/** Rows that are compared by their bytes may still be shown in another way, as a column of another type. */
function isSameStructure(before: TableStructure, after: TableStructure): boolean {
  return JSON.stringify([before.columns, before.key]) === JSON.stringify([after.columns, after.key]);
}

function aloneIn(side: Side): string {
  return side === 'before' ? 'The target has no such table.' : 'The base has no such table.';
}

/** A business that neither side knows was most likely misspelt. */
function requireKnown(tables: readonly ChangeSetTable[], { businessId }: ComparedScope): void {
  if (businessId === null || tables.some((table) => table.unchanged + sumOf(table) > 0)) return;
  throw new AppError('NOT_FOUND', `Neither the base nor the target holds a row of the business ${businessId}.`, {
    hint: 'Give the id as the risk platform has it, or had it when the backup was taken.',
    path: ['input', 'businessId'],
  });
}

function sumOf(table: ChangeSetTable): number {
  const { inserts, updates, deletes } = changeCounts(table);
  return inserts + updates + deletes;
}

function changeSetOf(
  tables: ChangeSetTable[],
  { compared, task, base, target, scope }: Facts & { compared: ComparedTables },
  { deps }: TaskContext,
): ChangeSet {
  const { comparisonId, backupId, targetId, validForMs } = task.spec;
  const { businessId, notes } = scope;
  const now = deps.clock.now();
  return {
    formatVersion: 1,
    changeSetId: comparisonId,
    kind: 'COMPARISON',
    jobId: task.jobId,
    source: base.source,
    backupId,
    scope: businessId === null ? ALL_ROWS : { kind: 'BUSINESS', businessId },
    compared: {
      baseReadAt: base.readAt,
      targetReadAt: compared.readAt,
      targetId,
      targetSource: (target ?? base).source.name,
    },
    basedOn: null,
    createdAt: now.toISOString(),
    expiresAt: new Date(now.getTime() + validForMs).toISOString(),
    tables,
    notes: [...notes, ...compared.notes],
    writtenBy: deps.writtenBy,
  };
}

function describe({ changeSet }: StoredChangeSet): ComparisonResult {
  const { changeSetId, createdAt, expiresAt, notes, compared } = changeSet;
  const tables = changeSet.tables.map(describeTable);
  const sum = (of: keyof DiffCounts): number => tables.reduce((total, table) => total + table[of], 0);
  return {
    kind: 'COMPARISON',
    changeSet: { changeSetId, createdAt, expiresAt },
    baseReadAt: compared?.baseReadAt ?? createdAt,
    targetReadAt: compared?.targetReadAt ?? createdAt,
    ...{ removed: sum('removed'), added: sum('added'), changed: sum('changed'), unchanged: sum('unchanged') },
    tables,
    notes,
  };
}

function describeTable(compared: ChangeSetTable): ComparedTable {
  const { dataType, table, before, drops, unchanged, warnings: notes } = compared;
  const { inserts: added, updates: changed, deletes: removed } = changeCounts(compared);
  return { dataType, table, inBase: before !== 'MISSING', inTarget: !drops, removed, added, changed, unchanged, notes };
}
