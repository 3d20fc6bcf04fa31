/**
 * Streams the tables of a consistent read into a write session: key ranges are read on all lanes at once, and whatever order
 * they finish in, each table's layer gets its entries in key order.
 */
import type { BackupWriteSession, ChunkEntry } from '../domain/backup-store';
import type { LayerRef, TableManifest } from '../domain/manifest';
import { WHOLE_TABLE, rowCount, type KeyRange, type RowCodec, type RowScope } from '../domain/rows';
import type { ConsistentRead } from '../domain/source';
import { keyColumnIndexes, type TableStructure } from '../domain/table';
import { BufferPool } from './buffer-pool';
import { Chunker, type ChunkDraft } from './chunker';
import { OrderedWindow, runLanes } from './lanes';
import { LayerAssembly } from './layer-assembly';
import type { TaskContext } from './ports';

/** One unit of a lane's work: long enough to amortize a query, short enough to spread a large table over all lanes. */
export const RANGE_BYTES = 64 * 1024 * 1024;
/** Chunks of a lane being stored while it reads on. */
const CHUNKS_UNDER_WAY = 4;
/** Enough for what a few lanes have under way. */
const POOLED_BYTES = 8 * 1024 * 1024;

export interface TableStoring {
  read: ConsistentRead;
  tables: readonly TableToStore[];
  /** Of the job's progress, percent. */
  from: number;
  session: BackupWriteSession;
  codec: RowCodec;
  seed: number;
  scope: RowScope;
}

interface PooledStoring extends TableStoring {
  pool: BufferPool;
  /** Grows with each chunk that was not stored before. */
  added: { rawBytes: number };
}

export interface TableToStore {
  structure: TableStructure;
  /** Why the table is taken whole; kept with the backup. */
  reason: string;
}

export interface StoredTables {
  tables: TableManifest[];
  /** Bytes of the rows in chunks that were not stored before. */
  newRawBytes: number;
}

export async function storeTables(given: TableStoring, context: TaskContext): Promise<StoredTables> {
  const storing = { ...given, pool: new BufferPool(POOLED_BYTES), added: { rawBytes: 0 } };
  const { read, session, scope, from } = storing;
  const structures = storing.tables.map(({ structure }) => structure);
  const layers = storing.tables.map((table) => ({ ...table, layer: new LayerAssembly(session.buildLayer('BASE')) }));
  context.progress.begin({
    name: 'reading',
    from,
    to: 90,
    rowsTotal: scope.kind === 'ALL' ? total(structures, 'estimatedRows') : null,
    bytesTotal: scope.kind === 'ALL' ? total(structures, 'estimatedBytes') : null,
  });
  await runLanes({ lanes: read.lanes, signal: context.signal }, rangesOf(layers, storing), async (work, signal) => {
    await work.table.layer.finishRange(work.index, await storeRange(work, { storing, context, signal }));
  });
  const tables: TableManifest[] = [];
  for (const { structure, reason, layer } of layers)
    tables.push(wholeTable({ structure, reason }, await layer.finish()));
  return { tables, newRawBytes: storing.added.rawBytes };
}

type StoringTable = TableToStore & { layer: LayerAssembly };

interface RangeWork {
  table: StoringTable;
  index: number;
  range: KeyRange;
}

/** Plans a table's ranges only when a lane gets to it. A business is too small to be worth planning. */
async function* rangesOf(tables: StoringTable[], { read, scope }: TableStoring): AsyncGenerator<RangeWork> {
  for (const table of tables) {
    const ranges = scope.kind === 'ALL' ? await read.planRanges(table.structure, RANGE_BYTES) : [WHOLE_TABLE];
    for (const [index, range] of ranges.entries()) yield { table, index, range };
  }
}

async function storeRange(
  { table: { structure: table }, range }: RangeWork,
  { storing, context, signal }: { storing: PooledStoring; context: TaskContext; signal: AbortSignal },
): Promise<ChunkEntry[]> {
  const { codec, seed, read, scope, pool } = storing;
  const chunker = new Chunker({ codec, seed, keyColumns: keyColumnIndexes(table), table: table.table, pool });
  const stored = new OrderedWindow<ChunkEntry>(CHUNKS_UNDER_WAY);
  try {
    for await (const batch of read.readRows(table, { range, scope, signal })) {
      const [rows, bytes] = [rowCount(batch), batch.bytes.length];
      for (const draft of chunker.push(batch)) await stored.add(storeChunk(storing, draft));
      context.progress.advance({ rows, bytes, table: table.table });
    }
    const last = chunker.flush();
    if (last !== null) await stored.add(storeChunk(storing, last));
    return await stored.finish();
  } finally {
    await stored.settle();
  }
}

async function storeChunk({ session, pool, added }: PooledStoring, draft: ChunkDraft): Promise<ChunkEntry> {
  const { payload, ...facts } = draft;
  const { id, storedBytes } = await session.putChunk(payload);
  if (storedBytes > 0) added.rawBytes += facts.rawBytes;
  // Not after a failure: another thread may be reading the payload still.
  pool.give(payload);
  return { id, ...facts };
}

function wholeTable({ structure, reason }: TableToStore, layer: LayerRef): TableManifest {
  return {
    dataType: structure.mapping.dataType,
    table: structure.table,
    structure,
    rowCount: layer.rowCount,
    rawBytes: layer.rawBytes,
    layers: [layer],
    changeDetection: 'NONE',
    changeDetectionReason: reason,
    changedRowCount: layer.rowCount,
  };
}

function total(tables: readonly TableStructure[], field: 'estimatedRows' | 'estimatedBytes'): number {
  return tables.reduce((sum, table) => sum + table[field], 0);
}
