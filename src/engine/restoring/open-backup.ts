/**
 * Opens a backup for a restore or its plan: finds its manifest and what of it is meant, proves every chunk of that, and gives its rows.
 * Nothing was written before all of it is known to be sound.
 */
import { AppError } from '../../domain/errors';
import type { Manifest } from '../../domain/manifest';
import type { RowCodec } from '../../domain/rows';
import type { Source } from '../../domain/source';
import type { EngineStore, TaskContext } from '../ports';
import { spanBytes } from '../reading/backup-rows';
import { collectBusinessRows, noRowOf, type BusinessRows } from '../reading/business-rows';
import { firstLosses, proveChunks, type ChunkProof } from '../reading/prove-chunks';
import { underLiveNames, type Renamed } from '../reading/renamed-tables';
import { BackupRows } from '../reading/rows-in-scope';
import type { ScopedTable } from '../reading/scoped-table';
import { collectRecords } from './collect-records';
import { restoreScope, type Losses, type RestoreScope, type ScopeSpec } from './restore-scope';

export interface OpenedBackup {
  /** Its tables under the names that they have now, unless they go into a scratch schema. */
  manifest: Manifest;
  renamed: Renamed;
  /** Without the tables of which all is lost. */
  scope: RestoreScope;
  rows: BackupRows;
  losses: Losses;
  /** What is damaged, one sentence each; empty unless damage was allowed. */
  damage: readonly string[];
  /** By table: sentences for an operator on why rows of it come. */
  reasons?: ReadonlyMap<string, readonly string[]>;
}

interface Opening {
  store: EngineStore;
  codec: RowCodec;
  context: TaskContext;
}

interface Surroundings {
  store: EngineStore;
  source: Source;
  notes: string[];
}

export async function openBackup(
  spec: ScopeSpec,
  { store, source, notes }: Surroundings,
  context: TaskContext,
): Promise<OpenedBackup> {
  const { manifest, renamed } = named(await requireManifest(store, spec), { spec, source });
  const opening = { store, codec: source.codec, context };
  const whole = restoreScope(spec, manifest);
  if (spec.keys) return openRecords(spec, { manifest, renamed, whole, store, source, notes }, context);
  const business = whole.filtered && whole.rows.kind === 'BUSINESS' ? whole.rows.businessId : null;
  const found = business === null ? null : await findBusiness(whole, business, opening);
  const proof = found?.proof ?? (await proveAll(whole, opening));
  if (proof.losses.length > 0 && !spec.allowUnchecked) throw damaged(proof);
  if (business !== null && found?.isKnown === false) throw noRowOf(business);
  notes.push(...proof.losses, ...(found?.notes ?? []));
  const isLost = ({ manifest: { table } }: ScopedTable): boolean => proof.lostTables.has(table);
  const scope = { ...whole, tables: whole.tables.filter((table) => !isLost(table)) };
  const losses = { hurt: proof.hurtTables, lost: whole.tables.filter(isLost) };
  const rows = new BackupRows({ store, codec: source.codec }, proof.lostChunks, found?.tables ?? new Map());
  return { manifest, renamed, scope, rows, losses, damage: proof.losses };
}

type Named = Pick<OpenedBackup, 'manifest' | 'renamed'>;

/** A scratch schema shows the backup as it is. */
function named(manifest: Manifest, { spec, source }: { spec: ScopeSpec; source: Source }): Named {
  if (spec.target?.kind === 'SCRATCH') return { manifest, renamed: new Map() };
  return underLiveNames(manifest, source.mapping);
}

async function openRecords(
  { keys = [], allowUnchecked, target }: ScopeSpec,
  { manifest, renamed, whole, store, source, notes }: Surroundings & Named & { whole: RestoreScope },
  context: TaskContext,
): Promise<OpenedBackup> {
  const businessId = whole.rows.kind === 'BUSINESS' ? whole.rows.businessId : null;
  const search = { keys, manifest, renamed, tables: whole.tables, businessId, store, source };
  const found = await collectRecords({ ...search, isScratch: target?.kind === 'SCRATCH' }, context);
  const { tables, proof, reasons } = found;
  if (proof.losses.length > 0 && (found.refusal !== null || !allowUnchecked)) throw damaged(proof);
  if (found.refusal !== null) throw found.refusal;
  notes.push(...proof.losses);
  const rows = new BackupRows({ store, codec: source.codec }, proof.lostChunks, found.rows);
  const scope: RestoreScope = { tables, rows: whole.rows, written: { kind: 'KEYS' }, filtered: true };
  const losses = { hurt: new Set<string>(), lost: [] };
  return { manifest, renamed, scope, rows, losses, damage: proof.losses, reasons };
}

export async function requireManifest(store: EngineStore, spec: Pick<ScopeSpec, 'backupId'>): Promise<Manifest> {
  const stored = await store.findManifest(spec.backupId);
  if (stored !== null) return stored.manifest;
  throw new AppError('BACKUP_NOT_RESTORABLE', `The repository holds no backup ${spec.backupId}.`, {
    hint: 'It was deleted or never completed; choose another one.',
  });
}

async function proveAll({ tables }: RestoreScope, { store, codec, context }: Opening): Promise<ChunkProof> {
  const bytesTotal = tables.reduce((sum, { manifest: table }) => sum + table.rawBytes, 0);
  const rowsTotal = tables.reduce((sum, { manifest: table }) => sum + table.rowCount, 0);
  context.progress.begin({ name: 'verifying', from: 0, to: 30, rowsTotal, bytesTotal });
  return proveChunks(tables, { store, codec, context });
}

/** Proves no more than the chunks that hold rows of the business. */
function findBusiness(
  { tables }: RestoreScope,
  businessId: string,
  { store, codec, context }: Opening,
): Promise<BusinessRows> {
  const { progress, signal } = context;
  progress.begin({ name: 'verifying', from: 0, to: 30 });
  return collectBusinessRows(tables, businessId, {
    ...{ store, codec, signal },
    onRead: ({ table }, span) => progress.advance({ rows: span.entry?.rowCount ?? 0, bytes: spanBytes(span), table }),
  });
}

function damaged({ losses }: ChunkProof): AppError {
  return new AppError('INTEGRITY_FAILURE', `The backup is damaged, nothing was written. ${firstLosses(losses)}`, {
    hint: 'Restore from another backup, or set allowUnchecked (offline: --allow-unchecked) to restore what is left of this one.',
  });
}
