/**
 * Restores a backup: settles what an earlier attempt of the job did, takes a lease so that no cleanup deletes what it reads, proves
 * every chunk it will read, checks that structures fit, and then loads in bulk or applies differences in place, as the state of the
 * tables decides. Nothing is written before all of that is known to be sound.
 */
import { sumCounts } from '../../domain/change-set';
import type { JobId } from '../../domain/ids';
import type { RestoreJobSpec } from '../../domain/job';
import type { Manifest } from '../../domain/manifest';
import type { Source, TableState, WriteRecovery } from '../../domain/source';
import type { EngineTask, RestoreResult } from '../../domain/task';
import { throwIfAborted } from '../lanes';
import type { EngineStore, TaskContext } from '../ports';
import { isDamage } from '../reading/prove-chunks';
import { decodeDocument } from '../rows/document-chunk';
import { storeWait } from '../store-wait';
import { restoreInBulk } from './bulk-restore';
import { dryRun } from './dry-run';
import { fitToLive, withStructureChanges } from './fit-tables';
import { restoreInPlace, type InPlaceRestore } from './in-place-restore';
import { keepDifferences, loadOrCopy, UndoKeeper } from './keep-changes';
import { openBackup, type OpenedBackup } from './open-backup';
import { keepPlan } from './plan-restore';
import { restoreKept } from './restore-kept';
import { emptyTables, leaveOutOrphans, withLosses } from './restore-losses';
import { withReasons } from './restore-warnings';
import { cancelledBeforeCommit, requireCommitted, settleEarlierAttempt, type Settled } from './settle-restore';
import { restoreThreeWay } from './three-way-restore';

type RestoreTask = Extract<EngineTask, { kind: 'RESTORE' }>;
type Outcome = Pick<RestoreResult, 'mode' | 'tables' | 'verifiedRows' | 'plan'>;

export async function restoreBackup(task: RestoreTask, context: TaskContext): Promise<RestoreResult> {
  const { spec, jobId } = task;
  const source = await context.deps.source(spec.source);
  // Before the repository, which may be gone: what an earlier attempt left must go in any case.
  const earlier = await settleEarlierAttempt(task, source);
  const isKept = spec.plan !== undefined || spec.undoes !== undefined;
  const mayHaveCommitted = earlier === 'COMMITTED' || (earlier === 'UNKNOWN' && spec.target.kind === 'IN_PLACE');
  if (task.recoverOnly && !mayHaveCommitted) throw cancelledBeforeCommit();
  const store = await context.deps.store();
  const lease = await store.beginRead(`restore ${jobId}`, storeWait(context));
  try {
    const settled: Settled = { source, store, earlier, notes: [] };
    if (task.recoverOnly && !isKept) settled.earlier = await requireCommitted(task, settled, context);
    const way = isKept ? restoreKept : spec.threeWay ? restoreThreeWay : restoreSettled;
    const parts = await way(task, settled, context);
    return { kind: 'RESTORE', ...parts, ...sumCounts(parts.tables), notes: settled.notes };
  } finally {
    await lease.release();
  }
}

async function restoreSettled(
  { spec, jobId }: RestoreTask,
  { source, store, earlier, notes }: Settled,
  context: TaskContext,
): Promise<Outcome & Pick<RestoreResult, 'serviceSettings' | 'changeSet'>> {
  const committed = earlier === 'COMMITTED';
  if (committed) notes.push('An earlier attempt of this job had committed already.');
  const backup = await openBackup(spec, { store, source, notes }, context);
  const facts = { jobId, spec, kind: 'RESTORE', scope: backup.scope.written, basedOn: null, notes } as const;
  const keeper = new UndoKeeper(facts, { store, source, context });
  const restore: Restore = { ...backup, jobId, spec, source, store, keeper };
  const serviceSettings = await readServiceSettings(restore, notes);
  const outcome = await (spec.dryRun ? planOnly : writeScope)(restore, { earlier, notes, context });
  return { ...outcome, serviceSettings, changeSet: keeper.describe() };
}

interface Restore extends OpenedBackup {
  jobId: JobId;
  spec: RestoreJobSpec;
  source: Source;
  store: EngineStore;
  keeper: UndoKeeper;
}

interface Ready extends Restore {
  states: ReadonlyMap<string, TableState>;
  /** Tables that are not there, lost ones included. */
  missing: ReadonlySet<string>;
  earlier: WriteRecovery;
  notes: string[];
}

interface Attempt {
  earlier: WriteRecovery;
  notes: string[];
  context: TaskContext;
}

async function planOnly(restore: Restore, attempt: Attempt): Promise<Outcome> {
  const { spec, jobId, source, store } = restore;
  const { changeSetId, backupId, undoableForMs: validForMs } = spec;
  const { notes, context } = attempt;
  const facts = { changeSetId, jobId, backupId, notes, validForMs };
  const keep = () => keepPlan(restore, facts, { store, source, context });
  return dryRun({ spec, keep, count: () => writeScope(restore, attempt) }, { source, store, notes });
}

async function writeScope(restore: Restore, { earlier, notes, context }: Attempt): Promise<Outcome> {
  const { spec, source, scope, losses, reasons } = restore;
  throwIfAborted(context.signal);
  const isScratch = spec.target.kind === 'SCRATCH';
  const names = [...scope.tables, ...losses.lost].map(({ manifest }) => manifest.table);
  const states = isScratch ? new Map<string, TableState>() : await source.tableStates(names);
  const missing = new Set(names.filter((table) => (states.get(table) ?? 'MISSING') === 'MISSING'));
  const fitted = await fitToLive(restore, { source, missing }, context);
  const leftOut = await leaveOutOrphans({ ...fitted, missing, isScratch }, context);
  notes.push(...[...leftOut.values()].flat());
  const outcome = await write({ ...fitted, missing, states, earlier, notes }, context);
  const tables = outcome.tables.map((table) => withLosses(withStructureChanges(table, fitted), { losses, leftOut }));
  return { ...outcome, tables: tables.map((table) => withReasons(table, reasons)) };
}

async function write(ready: Ready, context: TaskContext): Promise<Outcome> {
  const { spec, states, earlier, keeper } = ready;
  if (spec.dryRun) return compareOnly(ready, context);
  if (earlier === 'COMMITTED') return proveCommitted(ready, context);
  if (earlier === 'UNKNOWN') await keeper.recall({ mayBeNone: true }); // which tells what was done, should nothing be left to do
  const result = spec.target.kind === 'IN_PLACE' && [...states.values()].includes('FILLED') ? inPlace : inBulk;
  try {
    return await result(ready, context);
  } catch (error) {
    if (!context.committing) await keeper.discard(); // because nothing was changed, and there is nothing to undo
    throw error;
  }
}

async function inBulk(ready: Ready, context: TaskContext): Promise<Outcome> {
  const { spec, keeper } = ready;
  const { signal } = context;
  const scope = { ...ready.scope, tables: [...ready.scope.tables, ...emptyTables(ready)] };
  if (spec.target.kind === 'SCRATCH') {
    const { schema: scratchSchema } = spec.target;
    return { mode: 'BULK', ...(await restoreInBulk({ ...ready, scope, scratchSchema }, context)) };
  }
  const beforePublishing = (): Promise<void> =>
    keeper.keep(async (session) => {
      const tables = [];
      for (const table of scope.tables) tables.push(await loadOrCopy(session, table, { ...ready, signal }));
      return tables;
    });
  return { mode: 'BULK', ...(await restoreInBulk({ ...ready, scope, beforePublishing }, context)) };
}

async function inPlace(ready: Ready, context: TaskContext): Promise<Outcome> {
  const { scope, keeper } = ready;
  const { signal } = context;
  const present = scope.tables.map(({ manifest }) => manifest.table);
  const missing = new Set(present.filter((table) => ready.missing.has(table)));
  const beforeWriting: InPlaceRestore['beforeWriting'] = (differences) =>
    keeper.keep(async (session) => {
      const tables = [];
      for (const of of differences) tables.push(await keepDifferences(session, of, { ...ready, signal }));
      return tables;
    });
  const result = await restoreInPlace({ ...ready, missing, compareOnly: false, beforeWriting }, context);
  return { mode: 'IN_PLACE', ...result };
}

async function compareOnly(restore: Ready, context: TaskContext): Promise<Outcome> {
  const { tables } = await restoreInPlace({ ...restore, compareOnly: true }, context);
  return { mode: 'DRY_RUN', tables, verifiedRows: 0 };
}

/** Compares what an earlier attempt committed with the backup, and writes nothing: what differs now was changed since. */
async function proveCommitted(restore: Ready, context: TaskContext): Promise<Outcome> {
  await restore.keeper.recall();
  const compared = await compareOnly(restore, context);
  const { inserts, updates, deletes } = sumCounts(compared.tables);
  const differing = inserts + updates + deletes;
  if (differing > 0)
    restore.notes.push(`${differing} rows differ from the backup by now: they were changed after that.`);
  const verifiedRows = compared.tables.reduce((sum, { unchanged }) => sum + unchanged, 0);
  const applied = compared.tables.map((table) => ({ ...table, inserts: 0, updates: 0, deletes: 0 }));
  return { mode: 'IN_PLACE', tables: applied, verifiedRows };
}

/** Read before anything is written, as every chunk is: damaged settings must not come to light half way. */
async function readServiceSettings(
  { spec, manifest, store }: { spec: RestoreJobSpec; manifest: Manifest; store: EngineStore },
  notes: string[],
): Promise<unknown> {
  if (spec.type !== 'SYSTEM' || manifest.serviceSettings === null) return null;
  try {
    return decodeDocument(await store.readChunk(manifest.serviceSettings));
  } catch (error) {
    if (!spec.allowUnchecked || !isDamage(error)) throw error;
    notes.push(`The service's settings are lost: ${error.message}`);
    return null;
  }
}
