/**
 * Restores a backup: settles what an earlier attempt of the job did, takes a lease so that no cleanup deletes what it reads, proves
 * every chunk it will read, checks that structures fit, and then loads in bulk or applies differences in place, as the state of the
 * tables decides. Nothing is written before all of that is known to be sound.
 */
import { AppError } from '../../domain/errors';
import type { RestoreJobSpec } from '../../domain/job';
import type { Manifest } from '../../domain/manifest';
import type { RowCodec } from '../../domain/rows';
import type { Source, TableState } from '../../domain/source';
import type { EngineTask, RestoredTable, RestoreResult } from '../../domain/task';
import { throwIfAborted } from '../lanes';
import type { EngineStore, TaskContext } from '../ports';
import { spanBytes } from '../reading/backup-rows';
import { collectBusinessRows, noRowOf, type BusinessRows } from '../reading/business-rows';
import { isDamage, proveChunks, type ChunkProof } from '../reading/prove-chunks';
import { BackupRows } from '../reading/rows-in-scope';
import type { ScopedTable } from '../reading/scoped-table';
import { decodeDocument } from '../rows/document-chunk';
import { storeWait } from '../store-wait';
import { requireSameStructures } from '../structure-check';
import { restoreInBulk } from './bulk-restore';
import { restoreInPlace } from './in-place-restore';
import { findLeftOutRows, type LeftOutRows } from './left-out-rows';
import { openLiveTables } from './live-tables';
import { restoreScope, type RestoreScope } from './restore-scope';

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
  const proven = await proveScope(spec, { manifest, store, codec: source.codec, context, notes });
  const restore: Restore = { jobId, spec, source, store, ...proven };
  const serviceSettings = await readServiceSettings(spec, { manifest, store, notes });
  const outcome = await writeScope(restore, { committed, notes, context });
  return { kind: 'RESTORE', ...outcome, ...totals(outcome.tables), serviceSettings, changeSet: null, notes };
}

interface Losses {
  /** Names of tables that lost some of their rows. */
  hurt: ReadonlySet<string>;
  /** Tables that lost all. */
  lost: readonly ScopedTable[];
}

interface Restore {
  jobId: string;
  spec: RestoreJobSpec;
  source: Source;
  store: EngineStore;
  scope: RestoreScope;
  rows: BackupRows;
  losses: Losses;
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

interface ScopeProving {
  manifest: Manifest;
  store: EngineStore;
  codec: RowCodec;
  context: TaskContext;
  notes: string[];
}

async function proveScope(
  spec: RestoreJobSpec,
  proving: ScopeProving,
): Promise<Pick<Restore, 'scope' | 'rows' | 'losses'>> {
  const { manifest, store, codec, notes } = proving;
  const scope = restoreScope(spec, manifest);
  const { rows: wanted } = scope;
  const business = scope.filtered && wanted.kind === 'BUSINESS' ? wanted.businessId : null;
  const found = business === null ? null : await findBusiness(scope, business, proving);
  const proof = found?.proof ?? (await proveAll(scope, proving));
  if (proof.losses.length > 0 && !spec.allowUnchecked) throw damaged(proof);
  if (business !== null && found?.isKnown === false) throw noRowOf(business);
  notes.push(...proof.losses, ...(found?.notes ?? []));
  const isLost = ({ manifest: { table } }: ScopedTable): boolean => proof.lostTables.has(table);
  const tables = scope.tables.filter((table) => !isLost(table));
  const losses = { hurt: proof.hurtTables, lost: scope.tables.filter(isLost) };
  const rows = new BackupRows({ store, codec }, proof.lostChunks, found?.tables ?? new Map());
  return { scope: { ...scope, tables }, rows, losses };
}

async function proveAll({ tables }: RestoreScope, { store, codec, context }: ScopeProving): Promise<ChunkProof> {
  const bytesTotal = tables.reduce((sum, { manifest: table }) => sum + table.rawBytes, 0);
  const rowsTotal = tables.reduce((sum, { manifest: table }) => sum + table.rowCount, 0);
  context.progress.begin({ name: 'verifying', from: 0, to: 30, rowsTotal, bytesTotal });
  return proveChunks(tables, { store, codec, context });
}

/** Proves no more than the chunks that hold rows of the business. */
function findBusiness(
  { tables }: RestoreScope,
  businessId: string,
  { store, codec, context }: ScopeProving,
): Promise<BusinessRows> {
  const { progress, signal } = context;
  progress.begin({ name: 'verifying', from: 0, to: 30 });
  return collectBusinessRows(tables, businessId, {
    ...{ store, codec, signal },
    onRead: ({ table }, span) => progress.advance({ rows: span.entry?.rowCount ?? 0, bytes: spanBytes(span), table }),
  });
}

function damaged({ losses }: ChunkProof): AppError {
  const rest = losses.length > 3 ? ` (and ${losses.length - 3} more losses)` : '';
  return new AppError(
    'INTEGRITY_FAILURE',
    `The backup is damaged, nothing was written. ${losses.slice(0, 3).join(' ')}${rest}`,
    {
      hint: 'Restore from another backup, or set allowUnchecked (offline: --allow-unchecked) to restore what is left of this one.',
    },
  );
}

async function writeScope(
  restore: Restore,
  { committed, notes, context }: { committed: boolean; notes: string[]; context: TaskContext },
): Promise<Outcome> {
  const { spec, source, scope } = restore;
  throwIfAborted(context.signal);
  const isScratch = spec.target.kind === 'SCRATCH';
  const names = [...scope.tables, ...restore.losses.lost].map(({ manifest }) => manifest.table);
  const states = isScratch ? new Map<string, TableState>() : await source.tableStates(names);
  const missing = new Set(names.filter((table) => (states.get(table) ?? 'MISSING') === 'MISSING'));
  await requireFittingTables({ ...restore, missing }, context);
  const leftOut = await leaveOutOrphans({ ...restore, missing }, context);
  notes.push(...[...leftOut.values()].flat());
  const outcome = await write({ ...restore, missing, states, committed, notes }, context);
  return { ...outcome, tables: outcome.tables.map((table) => withLosses(table, { ...restore, leftOut })) };
}

interface Write extends Live {
  states: ReadonlyMap<string, TableState>;
  committed: boolean;
  notes: string[];
}

async function write(restore: Write, context: TaskContext): Promise<Outcome> {
  const { spec, states, missing, committed } = restore;
  if (spec.dryRun) return dryRun(restore, context);
  if (committed) return proveCommitted(restore, context);
  if (spec.target.kind === 'IN_PLACE' && [...states.values()].includes('FILLED')) {
    const present = restore.scope.tables.map(({ manifest }) => manifest.table);
    const created = new Set(present.filter((table) => missing.has(table)));
    return {
      mode: 'IN_PLACE',
      ...(await restoreInPlace({ ...restore, missing: created, compareOnly: false }, context)),
    };
  }
  const scratchSchema = spec.target.kind === 'SCRATCH' ? spec.target.schema : undefined;
  return { mode: 'BULK', ...(await restoreInBulk({ ...withLostTables(restore), scratchSchema }, context)) };
}

/** Of a damaged backup: leaves out what refers to lost rows, so that the rest breaks no foreign key. Gives the reasons by table. */
async function leaveOutOrphans(restore: Live, context: TaskContext): Promise<LeftOutRows['reasons']> {
  const { source, rows, losses, scope, spec, missing } = restore;
  if (losses.hurt.size === 0 && losses.lost.length === 0) return new Map();
  const inTarget = { source, missing, tables: [...scope.tables, ...losses.lost] };
  const live = spec.target.kind === 'SCRATCH' ? null : await openLiveTables(inTarget, context);
  try {
    const tables = scope.tables.map(({ manifest }) => manifest);
    const lost = losses.lost.map(({ manifest }) => manifest);
    const search = { codec: source.codec, rows, tables, hurt: losses.hurt, lost, live };
    const { predicates, reasons } = await findLeftOutRows(search, context);
    rows.leaveOut(predicates);
    return reasons;
  } finally {
    await live?.close();
  }
}

/** Missing tables of which nothing is left come into being empty: those that refer to them need them. */
function withLostTables({ missing, scope, losses, ...restore }: Write): Omit<Write, 'missing' | 'losses'> {
  const lost = losses.lost.filter(({ manifest }) => missing.has(manifest.table));
  const empty = lost.map((table): ScopedTable => ({ ...table, isLost: true }));
  return { ...restore, scope: { ...scope, tables: [...scope.tables, ...empty] } };
}

function withLosses(
  table: RestoredTable,
  { losses, leftOut }: { losses: Losses; leftOut: LeftOutRows['reasons'] },
): RestoredTable {
  const isLost = losses.lost.some(({ manifest }) => manifest.table === table.table);
  const warnings = [
    ...(isLost ? ['All of its rows are lost.'] : []),
    ...(losses.hurt.has(table.table) ? ['Rows of it are lost; the notes say how many.'] : []),
    ...(leftOut.has(table.table) ? ['Rows of it that refer to lost rows are left out; the notes say how many.'] : []),
  ];
  return { ...table, warnings: [...table.warnings, ...warnings] };
}

/** With the names of tables that are not there. */
type Live = Restore & { missing: ReadonlySet<string> };

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
