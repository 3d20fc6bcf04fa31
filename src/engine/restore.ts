/**
 * Restores a backup: settles what an earlier attempt of the job did, takes a lease so that no cleanup deletes what it reads, proves
 * every chunk it will read, checks that structures fit, and then loads in bulk or applies differences in place, as the state of the
 * tables decides. Nothing is written before all of that is known to be sound.
 */
import { createHash } from 'node:crypto';
import { AppError } from '../domain/errors';
import type { RestoreJobSpec } from '../domain/job';
import type { Manifest } from '../domain/manifest';
import type { Source, TableState } from '../domain/source';
import type { EngineTask, RestoredTable, RestoreResult } from '../domain/task';
import { BackupRows, chunkSpans } from './backup-rows';
import { restoreInBulk } from './bulk-restore';
import { decodeDocument } from './document-chunk';
import { restoreInPlace } from './in-place-restore';
import { throwIfAborted } from './lanes';
import type { EngineStore, TaskContext } from './ports';
import { isDamage, proveChunks, type ChunkProof } from './prove-chunks';
import { restoreScope, scopeFilters, type RestoreScope } from './restore-scope';
import type { ScopedTable } from './scoped-table';
import { storeWait } from './store-wait';
import { requireSameStructures } from './structure-check';

type RestoreTask = Extract<EngineTask, { kind: 'RESTORE' }>;
type Outcome = Pick<RestoreResult, 'mode' | 'tables' | 'verifiedRows'>;

export async function restoreBackup(task: RestoreTask, context: TaskContext): Promise<RestoreResult> {
  const { spec, jobId } = task;
  const store = await context.deps.store();
  const source = await context.deps.source(spec.source);
  const earlier = await settleEarlierAttempt(task, source);
  if (task.recoverOnly && earlier === 'OPEN') throw cancelledBeforeCommit();
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
  const scope = await proveScope(spec, { manifest, store, context, notes });
  const filters = await scopeFilters(scope.scope, { store, codec: source.codec, signal: context.signal });
  const rows = new BackupRows(store, scope.proof.lostChunks, filters);
  const restore: Restore = { jobId, spec, source, store, scope: scope.scope, rows };
  const serviceSettings = await readServiceSettings(spec, { manifest, store, notes });
  const outcome = await writeScope(restore, { committed, notes, context });
  return { kind: 'RESTORE', ...outcome, ...totals(outcome.tables), serviceSettings, notes };
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
 * Cleans up after an attempt that died and says whether it had committed. A scratch schema that was complete is dropped and made
 * again: it can be, and then it is proven like any other.
 */
async function settleEarlierAttempt(
  { spec, jobId, attempt }: RestoreTask,
  source: Source,
): Promise<'COMMITTED' | 'OPEN'> {
  if (attempt <= 1 || spec.dryRun) return 'OPEN';
  await source.recoverWrite(creationId(jobId));
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
    context,
    notes,
  }: { manifest: Manifest; store: EngineStore; context: TaskContext; notes: string[] },
): Promise<{ scope: RestoreScope; proof: ChunkProof }> {
  const scope = restoreScope(spec, manifest);
  const bytesTotal = scope.tables.reduce((sum, { manifest: table }) => sum + table.rawBytes, 0);
  const rowsTotal = scope.tables.reduce((sum, { manifest: table }) => sum + table.rowCount, 0);
  context.progress.begin({ name: 'verifying', from: 0, to: 30, rowsTotal, bytesTotal });
  const proof = await proveChunks(scope.tables, store, context);
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
  const states = await source.tableStates(scope.tables.map(({ manifest }) => manifest.table));
  const stateOf = ({ manifest }: ScopedTable): TableState => states.get(manifest.table) ?? 'MISSING';
  const missing = scope.tables.filter((table) => stateOf(table) === 'MISSING');
  const existing = scope.tables.filter((table) => stateOf(table) !== 'MISSING');
  await requireFittingTables(restore, existing, context);
  if (spec.dryRun) return dryRun(restore, { missing, existing }, context);
  if (committed) return proveCommitted(restore, { missing, existing, notes }, context);
  if (existing.every((table) => stateOf(table) === 'EMPTY')) {
    return { mode: 'BULK', ...(await restoreInBulk(restore, context)) };
  }
  if (missing.length > 0) await createEmpty(restore, missing, context);
  try {
    return { mode: 'IN_PLACE', ...(await restoreInPlace({ ...restore, compareOnly: false }, context)) };
  } catch (error) {
    await dropCreated(restore, missing, context);
    throw error;
  }
}

/** All or nothing: tables that came into being for rows which then could not be written go again. */
async function dropCreated({ source }: Restore, created: ScopedTable[], { deps }: TaskContext): Promise<void> {
  if (created.length === 0) return;
  try {
    await source.dropEmptyTables(created.map(({ manifest }) => manifest.table));
  } catch (error) {
    // The failure that led here tells more; what stays behind is empty.
    deps.log.warn('Empty tables that a failed restore had created stay behind.', { error });
  }
}

async function toScratch(restore: Restore, scratchSchema: string, context: TaskContext): Promise<Outcome> {
  if (restore.spec.dryRun) return dryRun(restore, { missing: restore.scope.tables, existing: [] }, context);
  return { mode: 'BULK', ...(await restoreInBulk({ ...restore, scratchSchema }, context)) };
}

async function requireFittingTables({ source }: Restore, existing: ScopedTable[], context: TaskContext): Promise<void> {
  const structures = existing.map(({ manifest }) => manifest.structure);
  if (structures.length === 0) return;
  const read = await source.openConsistentRead({
    dataTypes: [...new Set(existing.map(({ manifest }) => manifest.dataType))],
    tables: structures.map(({ table }) => table),
    connections: 1,
    signal: context.signal,
  });
  try {
    requireSameStructures(structures, read.tables, source.codec.name);
  } finally {
    await read.close();
  }
}

/** Missing tables beside filled ones come into being empty; the differences then fill them in the one transaction. */
async function createEmpty(restore: Restore, missing: ScopedTable[], context: TaskContext): Promise<void> {
  const writer = await restore.source.openBulkWriter({
    jobId: creationId(restore.jobId),
    tables: missing.map(({ manifest }) => manifest.structure),
    connections: 1,
    signal: context.signal,
  });
  try {
    for (const { manifest } of missing) await writer.finishLoading(manifest.structure);
    await writer.finishTables();
    await writer.publish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

async function dryRun(
  restore: Restore,
  { missing, existing }: { missing: ScopedTable[]; existing: ScopedTable[] },
  context: TaskContext,
): Promise<Outcome> {
  const scope = { ...restore.scope, tables: existing };
  const compared = await restoreInPlace({ ...restore, scope, compareOnly: true }, context);
  const tables = [...compared.tables];
  for (const table of missing) tables.push(await countInserts(restore, table, context));
  const order = restore.scope.tables.map(({ manifest }) => manifest.table);
  tables.sort((a, b) => order.indexOf(a.table) - order.indexOf(b.table));
  return { mode: 'DRY_RUN', tables, verifiedRows: 0 };
}

/** Compares what an earlier attempt committed with the backup, and writes nothing: what differs now was changed since. */
async function proveCommitted(
  restore: Restore,
  { notes, ...tables }: { missing: ScopedTable[]; existing: ScopedTable[]; notes: string[] },
  context: TaskContext,
): Promise<Outcome> {
  const compared = await dryRun(restore, tables, context);
  const { inserts, updates, deletes } = totals(compared.tables);
  const differing = inserts + updates + deletes;
  if (differing > 0) notes.push(`${differing} rows differ from the backup by now: they were changed after that.`);
  const verifiedRows = compared.tables.reduce((sum, { unchanged }) => sum + unchanged, 0);
  const applied = compared.tables.map((table) => ({ ...table, inserts: 0, updates: 0, deletes: 0 }));
  return { mode: 'IN_PLACE', tables: applied, verifiedRows };
}

async function countInserts(
  { store, rows }: Restore,
  { manifest }: ScopedTable,
  context: TaskContext,
): Promise<RestoredTable> {
  let inserts = 0;
  for await (const span of chunkSpans(store, manifest)) {
    throwIfAborted(context.signal);
    inserts += (await rows.read(manifest, span)).ends.length;
  }
  const { dataType, table } = manifest;
  return { dataType, table, inserts, updates: 0, deletes: 0, unchanged: 0, warnings: [] };
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

/**
 * The id under which missing tables are created, derived from the job's: its marker must not be taken for that of the job, whose
 * rows come later.
 */
function creationId(jobId: string): string {
  const hex = createHash('sha256').update(`create tables of ${jobId}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
