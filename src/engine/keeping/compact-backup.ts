/**
 * Compacts a backup: each tall stack of layers becomes a single base of the same rows, and the next generation of the manifest stands for
 * the backup. The source is not touched. Until the commit the backup is what it was; a crash leaves at most packs without a reference.
 */
import type { BackupStore, BackupWriteSession } from '../../domain/backup-store';
import { AppError } from '../../domain/errors';
import type { BackupId } from '../../domain/ids';
import type { Manifest, StoredManifest, TableManifest } from '../../domain/manifest';
import type { CompactionResult, EngineTask } from '../../domain/task';
import { throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import { indexedColumns } from '../rows/indexed-columns';
import type { IndexedColumns } from '../rows/value-reader';
import { storeWait } from '../store-wait';
import { codecOf } from '../reading/codec-of';
import { compactTable, type TableCompacting } from './compact-table';

type CompactionTask = Extract<EngineTask, { kind: 'COMPACTION' }>;

export async function compactBackup({ spec }: CompactionTask, context: TaskContext): Promise<CompactionResult> {
  const { backupId } = spec;
  const store = await context.deps.store();
  const session = await store.beginWrite(backupId, storeWait(context));
  try {
    const current = await requireManifest(store, backupId);
    const compaction = await compactTables(current.manifest, { store, session, context });
    if (compaction.compacted.length > 0) return await commit(current, compaction, { session, context });
    await session.abort();
    await store.removeSuperseded(backupId); // what an attempt left that ended right after its commit
    return { kind: 'COMPACTION', stored: current, compactedTables: [], kept: compaction.kept };
  } catch (error) {
    await session.abort();
    throw error;
  }
}

async function requireManifest(store: BackupStore, backupId: BackupId): Promise<StoredManifest> {
  const found = await store.findManifest(backupId);
  if (found !== null) return found;
  throw new AppError('NOT_FOUND', `The repository holds no backup ${backupId}.`, { hint: 'It may have been deleted.' });
}

interface Compaction {
  tables: TableManifest[];
  compacted: string[];
  kept: CompactionResult['kept'];
  newRawBytes: number;
}

const TOO_LARGE = 'A key range of it would be a chunk of more than 16 MiB, which nobody here can split in its order.';

async function compactTables(
  manifest: Manifest,
  { store, session, context }: Pick<TableCompacting, 'store' | 'session' | 'context'>,
): Promise<Compaction> {
  const done: Compaction = { tables: [], compacted: [], kept: [], newRawBytes: 0 };
  const tall = manifest.tables.filter(isTall);
  beginPhase(tall, context);
  for (const table of manifest.tables) {
    const result = isTall(table)
      ? await compactTable(table, {
          ...{ store, session, context },
          codec: await codecOf(manifest, table, context.deps),
          indexedBy: indexesOf(table, manifest),
        })
      : null;
    done.tables.push(result === null ? table : { ...table, layers: [result.base] });
    if (result !== null) done.compacted.push(table.table);
    else if (isTall(table)) done.kept.push({ table: table.table, reason: TOO_LARGE });
    done.newRawBytes += result?.newRawBytes ?? 0;
  }
  return done;
}

function indexesOf({ structure }: TableManifest, { scope, tables }: Manifest): IndexedColumns[] {
  return scope.kind === 'ALL' ? indexedColumns(structure, tables.map((table) => table.structure)) : []; // prettier-ignore
}

function isTall({ layers }: TableManifest): boolean {
  return layers.length > 1;
}

function beginPhase(tall: readonly TableManifest[], { progress }: TaskContext): void {
  const bytesTotal = tall.flatMap(({ layers }) => layers).reduce((sum, { rawBytes }) => sum + rawBytes, 0);
  const rowsTotal = tall.reduce((sum, { layers }) => sum + (layers[0]?.rowCount ?? 0), 0);
  progress.begin({ name: 'compacting', from: 0, to: 90, rowsTotal, bytesTotal });
}

async function commit(
  current: StoredManifest,
  { tables, compacted, kept, newRawBytes }: Compaction,
  { session, context }: { session: BackupWriteSession; context: TaskContext },
): Promise<CompactionResult> {
  throwIfAborted(context.signal);
  context.progress.begin({ name: 'verifying', from: 90, to: 99 });
  const { storedBytes, ...facts } = current.manifest;
  void storedBytes; // because the session adds to it what it stored
  const counted = facts.newRawBytes === undefined ? {} : { newRawBytes: facts.newRawBytes + newRawBytes };
  const compactedAt = context.deps.clock.now().toISOString();
  const stored = await session.commitNext({ ...facts, ...counted, tables, compactedAt }, current);
  context.hooks.onLog(`Backup ${facts.backupId} is compacted: ${stored.name}.`);
  return { kind: 'COMPACTION', stored, compactedTables: compacted, kept };
}
