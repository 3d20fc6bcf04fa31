/**
 * Reads every chunk that a restore will read, before it writes anything: each must be what its id says, decode as rows and
 * hold as many as its index entry claims.
 */
import type { BackupStore, ChunkEntry } from '../domain/backup-store';
import { AppError, isAppError } from '../domain/errors';
import type { ChunkId, TableManifest } from '../domain/manifest';
import { baseLayer } from './backup-rows';
import { runLanes } from './lanes';
import type { TaskContext } from './ports';
import type { ScopedTable } from './scoped-table';
import { decodeRowChunk } from './row-chunk';

const CHUNKS_AT_ONCE = 4;

export interface ChunkProof {
  /** Chunks whose rows can't be had. */
  lostChunks: Set<ChunkId>;
  /** Tables whose index of chunks can't be read to its end. */
  lostTables: Set<string>;
  /** One sentence per loss. */
  losses: string[];
}

export async function proveChunks(
  tables: readonly ScopedTable[],
  store: BackupStore,
  context: TaskContext,
): Promise<ChunkProof> {
  const proof: ChunkProof = { lostChunks: new Set(), lostTables: new Set(), losses: [] };
  for (const { manifest } of tables) await proveTable(manifest, { store, context, proof });
  return proof;
}

interface Proving {
  store: BackupStore;
  context: TaskContext;
  proof: ChunkProof;
}

async function proveTable(table: TableManifest, proving: Proving): Promise<void> {
  const { store, context, proof } = proving;
  const layer = baseLayer(table);
  let rows = 0;
  const prove = async (entry: ChunkEntry): Promise<void> => {
    rows += entry.rowCount;
    await proveChunk(table, entry, proving);
    context.progress.advance({ rows: entry.rowCount, bytes: entry.rawBytes, table: table.table });
  };
  try {
    await runLanes({ lanes: CHUNKS_AT_ONCE, signal: context.signal }, store.layerEntries(layer), prove);
    if (rows !== layer.rowCount) throw integrityFailure(`its index lists ${rows} rows, its manifest ${layer.rowCount}`);
  } catch (error) {
    if (!isDamage(error)) throw error;
    proof.lostTables.add(table.table);
    proof.losses.push(`All rows of table ${table.table} are lost: ${error.message}`);
  }
}

async function proveChunk(table: TableManifest, entry: ChunkEntry, { store, proof }: Proving): Promise<void> {
  try {
    const { ends } = decodeRowChunk(await store.readChunk(entry.id));
    if (ends.length !== entry.rowCount)
      throw integrityFailure(`it holds ${ends.length} rows instead of ${entry.rowCount}`);
  } catch (error) {
    if (!isDamage(error)) throw error;
    proof.lostChunks.add(entry.id);
    proof.losses.push(
      `${entry.rowCount} rows of table ${table.table} are lost with chunk ${entry.id}: ${error.message}`,
    );
  }
}

/** What says that bytes are wrong or gone, and not that they could not be fetched just now. */
export function isDamage(error: unknown): error is AppError {
  return isAppError(error) && (error.code === 'INTEGRITY_FAILURE' || error.code === 'NOT_FOUND');
}

function integrityFailure(what: string): AppError {
  return new AppError('INTEGRITY_FAILURE', `A chunk or its index is damaged: ${what}.`);
}
