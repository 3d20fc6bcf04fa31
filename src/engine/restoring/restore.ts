/**
 * Restores a backup: settles what an earlier attempt of the job did, takes a lease so that no cleanup deletes what it reads, proves
 * every chunk it will read, checks that structures fit, and then loads in bulk or applies differences in place, as the state of the
 * tables decides. Nothing is written before all of that is known to be sound.
 */
import { AppError } from '../../domain/errors';
import type { RestoreJobSpec } from '../../domain/job';
import type { Manifest } from '../../domain/manifest';
import type { RowCodec } from '../../domain/rows';
import type { Source } from '../../domain/source';
import type { EngineTask, RestoredTable, RestoreResult } from '../../domain/task';
import { throwIfAborted } from '../lanes';
import type { EngineStore, TaskContext } from '../ports';
import { BackupRows } from '../reading/backup-rows';
import { isDamage, proveChunks, type ChunkProof } from '../reading/prove-chunks';
import { decodeDocument } from '../rows/document-chunk';
import { storeWait } from '../store-wait';
import { requireSameStructures } from '../structure-check';
import { restoreInBulk } from './bulk-restore';
import { restoreInPlace } from './in-place-restore';
import { restoreScope, scopeFilters, type RestoreScope } from './restore-scope';

type RestoreTask = Extract<EngineTask, { kind: 'RESTORE' }>;
type Outcome = Pick<RestoreResult, 'mode' | 'tables' | 'verifiedRows'>;

export async function restoreBackup(task: RestoreTask, context: TaskContext): Promise<RestoreResult> {
  const { spec, jobId } = task;
  const source = await context.deps.source(spec.source);
  // Before the repository, which may be gone: what an earlier attempt left must go in any case.
  const earlier = await settleEarlierAttempt(task, source);
  if (task.recoverOnly && earlier === 'OPEN') throw cancelledBeforeCommit();
  const store = await context.deps.store();
  const lease = await store.beginRead(`restore ${jobId}`, storeWait(context));
  try {
    return await restoreSettled(task, { source, store, committed: earlier === 'COMMITTED' }, context);
  } finally {
    await lease.release();
  }
}

async function restoreSettled(
  { spec, jobId }: RestoreTask,
  { source, store, committed }: { source: Source; store: EngineStore; committed: boolean },
  context: TaskContext,
): Promise<RestoreResult> {
  const manifest = await requireManifest(store, spec);
  const notes: string[] = committed ? ['An earlier attempt of this job had committed already.'] : [];
  const scope = await proveScope(spec, { manifest, store, codec: source.codec, context, notes });
  const filters = await scopeFilters(scope.scope, { store, codec: source.codec, signal: context.signal });
  const rows = new BackupRows({ store, codec: source.codec }, scope.proof.lostChunks, filters);
  const restore: Restore = { jobId, spec, source, store, scope: scope.scope, rows };
  const serviceSettings = await readServiceSettings(spec, { manifest, store, notes });
  const outcome = await writeScope(restore, { committed, notes, context });
  return { kind: 'RESTORE', ...outcome, ...totals(outcome.tables), serviceSettings, changeSet: null, notes };
}

interface Restore {
  jobId: string;
  spec: RestoreJobSpec;
  source: Source;
  store: EngineStore;
  scope: RestoreScope;
  rows: BackupRows;
}

async function requireManifest(store: EngineStore, spec: RestoreJobSpec): Promise<Manifest> {
  const stored = await store.findManifest(spec.backupId);
  if (stored !== null) return stored.manifest;
  throw new AppError('BACKUP_NOT_RESTORABLE', `The repository holds no backup ${spec.backupId}.`, {
    hint: 'It was deleted or never completed; choose another one.',
  });
}

/**
 * Cleans up after an attempt that died and says whether it had committed. A first attempt asks too: a catalog brought back from a copy
 * may not know that the job was done, and rows were written since. A scratch schema that was complete is dropped and made again: it can
 * be, and then it is proven like any other.
 */
async function settleEarlierAttempt({ spec, jobId }: RestoreTask, source: Source): Promise<'COMMITTED' | 'OPEN'> {
  if (spec.dryRun) return 'OPEN';
  const recovery = await source.recoverWrite(jobId);
  if (recovery !== 'COMMITTED') return 'OPEN';
  if (spec.target.kind === 'IN_PLACE') return 'COMMITTED';
  await source.dropScratch(spec.target.schema);
  return 'OPEN';
}

function cancelledBeforeCommit(): AppError {
  return new AppError('CANCELLED', 'The restore was cancelled; nothing of it is in the source.');
}

async function proveScope(
  spec: RestoreJobSpec,
  {
    manifest,
    store,
    codec,
    context,
    notes,
  }: { manifest: Manifest; store: EngineStore; codec: RowCodec; context: TaskContext; notes: string[] },
): Promise<{ scope: RestoreScope; proof: ChunkProof }> {
  const scope = restoreScope(spec, manifest);
  const bytesTotal = scope.tables.reduce((sum, { manifest: table }) => sum + table.rawBytes, 0);
  const rowsTotal = scope.tables.reduce((sum, { manifest: table }) => sum + table.rowCount, 0);
  context.progress.begin({ name: 'verifying', from: 0, to: 30, rowsTotal, bytesTotal });
  const proof = await proveChunks(scope.tables, { store, codec, context });
  if (proof.losses.length > 0 && !spec.allowUnchecked) throw damaged(proof);
  notes.push(...proof.losses);
  const tables = scope.tables.filter(({ manifest: table }) => !proof.lostTables.has(table.table));
  return { scope: { ...scope, tables }, proof };
}

function damaged({ losses }: ChunkProof): AppError {
  const rest = losses.length > 3 ? ` (and ${losses.length - 3} more losses)` : '';
  return new AppError(
    'INTEGRITY_FAILURE',
    `The backup is damaged, nothing was written. ${losses.slice(0, 3).join(' ')}${rest}`,
    {
      hint: 'Restore from another backup, or set allowUnchecked to restore what is left of this one.',
    },
  );
}

async function writeScope(
  restore: Restore,
  { committed, notes, context }: { committed: boolean; notes: string[]; context: TaskContext },
): Promise<Outcome> {
  const { spec, source, scope } = restore;
  throwIfAborted(context.signal);
  if (spec.target.kind === 'SCRATCH') return toScratch(restore, spec.target.schema, context);
  const names = scope.tables.map(({ manifest }) => manifest.table);
  const states = await source.tableStates(names);
  const missing = new Set(names.filter((table) => (states.get(table) ?? 'MISSING') === 'MISSING'));
  await requireFittingTables({ ...restore, missing }, context);
  if (spec.dryRun) return dryRun({ ...restore, missing }, context);
  if (committed) return proveCommitted({ ...restore, missing, notes }, context);
  if (!names.some((table) => states.get(table) === 'FILLED')) {
    return { mode: 'BULK', ...(await restoreInBulk(restore, context)) };
  }
  return { mode: 'IN_PLACE', ...(await restoreInPlace({ ...restore, missing, compareOnly: false }, context)) };
}

/** With the names of tables that are not there. */
type Live = Restore & { missing: ReadonlySet<string> };

async function toScratch(restore: Restore, scratchSchema: string, context: TaskContext): Promise<Outcome> {
  const missing = new Set(restore.scope.tables.map(({ manifest }) => manifest.table));
  if (restore.spec.dryRun) return dryRun({ ...restore, missing }, context);
  return { mode: 'BULK', ...(await restoreInBulk({ ...restore, scratchSchema }, context)) };
}

async function requireFittingTables({ source, scope, missing }: Live, { signal }: TaskContext): Promise<void> {
  const existing = scope.tables.map(({ manifest }) => manifest).filter(({ table }) => !missing.has(table));
  if (existing.length === 0) return;
  const structures = existing.map(({ structure }) => structure);
  const read = await source.openConsistentRead({
    dataTypes: [...new Set(existing.map(({ dataType }) => dataType))],
    tables: structures.map(({ table }) => table),
    connections: 1,
    signal,
  });
  try {
    requireSameStructures(structures, read.tables, source.codec.name);
  } finally {
    await read.close();
  }
}

async function dryRun(restore: Live, context: TaskContext): Promise<Outcome> {
  const { tables } = await restoreInPlace({ ...restore, compareOnly: true }, context);
  return { mode: 'DRY_RUN', tables, verifiedRows: 0 };
}

/** Compares what an earlier attempt committed with the backup, and writes nothing: what differs now was changed since. */
async function proveCommitted(restore: Live & { notes: string[] }, context: TaskContext): Promise<Outcome> {
  const compared = await dryRun(restore, context);
  const { inserts, updates, deletes } = totals(compared.tables);
  const differing = inserts + updates + deletes;
  if (differing > 0)
    restore.notes.push(`${differing} rows differ from the backup by now: they were changed after that.`);
  const verifiedRows = compared.tables.reduce((sum, { unchanged }) => sum + unchanged, 0);
  const applied = compared.tables.map((table) => ({ ...table, inserts: 0, updates: 0, deletes: 0 }));
  return { mode: 'IN_PLACE', tables: applied, verifiedRows };
}

/** Read before anything is written, as every chunk is: damaged settings must not come to light half way. */
async function readServiceSettings(
  spec: RestoreJobSpec,
  { manifest, store, notes }: { manifest: Manifest; store: EngineStore; notes: string[] },
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

function totals(tables: readonly RestoredTable[]): Pick<RestoreResult, 'inserts' | 'updates' | 'deletes'> {
  const sum = (of: 'inserts' | 'updates' | 'deletes'): number => tables.reduce((total, table) => total + table[of], 0);
  return { inserts: sum('inserts'), updates: sum('updates'), deletes: sum('deletes') };
}
