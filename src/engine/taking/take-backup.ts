/**
 * Takes a backup: one consistent read, streamed through chunks into one write session, made real by its manifest. Memory does
 * not grow with the source: each lane holds a chunk and a few under way, and layer entries of unfinished ranges; indexes are sorted on
 * disk beyond a bound.
 *
 * A retry after a crash past the commit finds the manifest and returns it. Whatever fails or is cancelled leaves nothing.
 */
import type { BackupWriteSession } from '../../domain/backup-store';
import { distinctDataTypes, expandDataTypes, type DataType } from '../../domain/data-type';
import { AppError } from '../../domain/errors';
import type { BackupJobSpec } from '../../domain/job';
import type { ChunkId, Manifest, TableManifest } from '../../domain/manifest';
import { businessRoles } from '../../domain/ownership';
import { ALL_ROWS, type RowScope } from '../../domain/rows';
import type { ConsistentRead, Source, SourceInfo } from '../../domain/source';
import type { BackupResult, EngineTask } from '../../domain/task';
import { throwIfAborted } from '../lanes';
import type { EngineStore, TaskContext } from '../ports';
import { encodeDocument, isDocument } from '../rows/document-chunk';
import { storeWait } from '../store-wait';
import { findParent, isRelative } from './parent-backup';
import { takeTables } from './take-tables';

type BackupTask = Extract<EngineTask, { kind: 'BACKUP' }>;

export async function takeBackup(task: BackupTask, context: TaskContext): Promise<BackupResult> {
  const scope = backupScope(task.spec);
  const store = await context.deps.store();
  const earlier = await store.findManifest(task.spec.backupId);
  if (earlier !== null) return { kind: 'BACKUP', stored: earlier };
  const source = await context.deps.source(task.spec.source);
  const info = await source.info(context.signal);
  const write = { task, source, info, store, scope };
  // The session first: it may have to wait for a cleanup, and an open read would hold up the source meanwhile.
  const session = await store.beginWrite(task.spec.backupId, storeWait(context));
  return withSession(session, () => readAndWrite({ ...write, session }, context));
}

async function readAndWrite(
  write: Omit<BackupWrite, 'read' | 'dataTypes'>,
  context: TaskContext,
): Promise<BackupResult> {
  const { source, task } = write;
  const { deps, signal } = context;
  const asked = askedDataTypes(task.spec);
  context.progress.begin({ name: 'opening', from: 0, to: 1 });
  const read = await source.openConsistentRead({ dataTypes: asked, ...deps.limits(source.name), signal });
  try {
    const dataTypes = distinctDataTypes(read.tables.map(({ mapping }) => mapping.dataType));
    return await writeBackup({ ...write, read, dataTypes }, context);
  } finally {
    await read.close();
  }
}

interface BackupWrite {
  task: BackupTask;
  source: Source;
  info: SourceInfo;
  read: ConsistentRead;
  store: EngineStore;
  session: BackupWriteSession;
  scope: RowScope;
  /** Of those asked for, the ones that the source has tables of: nothing else can be said to be backed up. */
  dataTypes: DataType[];
}

async function withSession(session: BackupWriteSession, work: () => Promise<BackupResult>): Promise<BackupResult> {
  try {
    return await work();
  } catch (error) {
    await session.abort();
    throw error;
  }
}

async function writeBackup(write: BackupWrite, context: TaskContext): Promise<BackupResult> {
  const { read, scope, task, session } = write;
  context.hooks.onLog(`Reading ${read.tables.length} tables, consistency ${read.consistency}, lanes ${read.lanes}.`);
  const parent = await findParentOf(write, context);
  const { source, store } = write;
  const { tables, newRawBytes } = await takeTables(
    { read, session, store, source, scope, type: task.spec.type, parent },
    context,
  );
  if (scope.kind === 'BUSINESS') requireOwnedRows(tables, scope.businessId);
  const serviceSettings = await storeServiceSettings(write);
  await read.close();
  throwIfAborted(context.signal);
  context.progress.begin({ name: 'verifying', from: 90, to: 99 });
  const stored = await session.commit(describe(write, { tables, serviceSettings, newRawBytes, parent }, context));
  context.hooks.onLog(`Backup ${task.spec.backupId} is complete: ${stored.name}.`);
  return { kind: 'BACKUP', stored };
}

/** Under the session's lease: from now on nothing that the parent refers to can go, whatever becomes of the parent. */
async function findParentOf(
  { task, store, info, dataTypes }: BackupWrite,
  context: TaskContext,
): Promise<Manifest | null> {
  const { type, source } = task.spec;
  const parent = await findParent(store, { type, source, info, dataTypes });
  if (parent !== null) context.hooks.onLog(`Standing on backup ${parent.backupId} of ${parent.readAt}.`);
  else if (isRelative(type)) context.hooks.onLog(`There is no backup for an ${type} one to stand on: taken as FULL.`);
  return parent;
}

async function storeServiceSettings({ task, session }: BackupWrite): Promise<ChunkId | null> {
  if (task.spec.type !== 'SYSTEM' || !isDocument(task.serviceSettings)) return null;
  const { id } = await session.putChunk(encodeDocument(task.serviceSettings));
  return id;
}

function describe(
  { task, source, info, read, scope, dataTypes }: BackupWrite,
  written: Pick<Manifest, 'tables' | 'serviceSettings' | 'newRawBytes'> & { parent: Manifest | null },
  { deps }: TaskContext,
): Omit<Manifest, 'storedBytes'> {
  const { spec } = task;
  const { tables, serviceSettings, newRawBytes, parent } = written;
  return {
    formatVersion: 1,
    backupId: spec.backupId,
    jobId: task.jobId,
    type: parent === null && isRelative(spec.type) ? 'FULL' : spec.type,
    source: { name: source.name, kind: info.kind, version: info.version, schema: info.schema },
    dataTypes,
    scope,
    parentId: parent?.backupId ?? null,
    createdAt: task.createdAt,
    completedAt: deps.clock.now().toISOString(),
    readAt: read.readAt.toISOString(),
    expiresAt: spec.expiresAt,
    consistency: read.consistency,
    position: read.position,
    tables,
    serviceSettings,
    labels: spec.labels,
    createdBy: task.createdBy,
    rowCount: sum(tables, (table) => table.rowCount),
    changedRowCount: sum(tables, (table) => table.changedRowCount),
    rawBytes: sum(tables, (table) => table.rawBytes),
    newRawBytes,
    writtenBy: deps.writtenBy,
  };
}

function backupScope(spec: BackupJobSpec): RowScope {
  if (spec.type !== 'BUSINESS') return ALL_ROWS;
  if (spec.businessId === null) throw new AppError('INVALID_INPUT', 'A BUSINESS backup needs a businessId.');
  return { kind: 'BUSINESS', businessId: spec.businessId };
}

function askedDataTypes(spec: BackupJobSpec): DataType[] {
  return spec.type === 'SYSTEM' ? ['CONFIG'] : expandDataTypes(spec.dataTypes);
}

function requireOwnedRows(tables: readonly TableManifest[], businessId: string): void {
  const roles = businessRoles(tables.map(({ structure }) => structure));
  const owned = tables.some(({ table, rowCount }) => rowCount > 0 && roles.get(table) === 'OWNED');
  if (owned) return;
  throw new AppError('NOT_FOUND', `There is no such business in the source: ${businessId}.`, {
    hint: 'Give the id that the risk platform itself uses, and data types that hold rows of it.',
    path: ['input', 'businessId'],
  });
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
