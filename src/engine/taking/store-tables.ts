/**
 * Streams the tables of a consistent read into a write session: key ranges are read on all lanes at once, and whatever order
 * they finish in, each table's layer gets its entries in key order.
 */
import type { BackupWriteSession } from '../../domain/backup-store';
import type { LayerRef, TableManifest } from '../../domain/manifest';
import { WHOLE_TABLE, rowCount, type KeyRange, type RowCodec, type RowScope } from '../../domain/rows';
import type { ConsistentRead } from '../../domain/source';
import { keyColumnIndexes, type TableStructure } from '../../domain/table';
import { OrderedWindow, runLanes } from '../lanes';
import type { TaskContext } from '../ports';
import { BufferPool } from '../rows/buffer-pool';
import { Chunker } from '../rows/chunker';
import { indexedColumns } from '../rows/indexed-columns';
import { LayerWriter, type LayerRange } from '../writing/layer-writer';

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
  const storing = { ...given, pool: new BufferPool(POOLED_BYTES) };
  const layers = storing.tables.map((table) => ({ ...table, layer: layerOf(table, storing, context) }));
  try {
    begin(storing, context);
    await runLanes({ lanes: storing.read.lanes, signal: context.signal }, rangesOf(layers, storing), (work, signal) =>
      storeRange(work, { storing, context, signal }),
    );
    const tables: TableManifest[] = [];
    for (const { layer, ...table } of layers) tables.push(wholeTable(table, await layer.finish()));
    return { tables, newRawBytes: layers.reduce((sum, { layer }) => sum + layer.newRawBytes, 0) };
  } finally {
    for (const { layer } of layers) await layer.close();
  }
}

function layerOf(
  { structure }: TableToStore,
  { session, codec, seed, scope, read }: TableStoring,
  { deps }: TaskContext,
): LayerWriter {
  const spill = { folder: deps.tempDir, random: deps.random };
  const indexedBy = scope.kind === 'ALL' ? indexedColumns(structure, read.tables) : [];
  return new LayerWriter({ kind: 'BASE', session, structure, codec, seed, spill, indexedBy });
}

function begin({ scope, from, tables }: TableStoring, { progress }: TaskContext): void {
  const structures = tables.map(({ structure }) => structure);
  progress.begin({
    name: 'reading',
    from,
    to: 90,
    rowsTotal: scope.kind === 'ALL' ? total(structures, 'estimatedRows') : null,
    bytesTotal: scope.kind === 'ALL' ? total(structures, 'estimatedBytes') : null,
  });
}

type StoringTable = TableToStore & { layer: LayerWriter };

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
  { table: { structure, layer }, index, range }: RangeWork,
  storing: { storing: PooledStoring; context: TaskContext; signal: AbortSignal },
): Promise<void> {
  const stored = new OrderedWindow<void>(CHUNKS_UNDER_WAY);
  const chunks = layer.beginRange();
  try {
    await storeRows(structure, { range, chunks, stored }, storing);
    await stored.finish();
  } finally {
    await stored.settle();
  }
  await layer.finishRange(index, chunks);
}

interface StoringRange {
  range: KeyRange;
  chunks: LayerRange;
  stored: OrderedWindow<void>;
}

async function storeRows(
  table: TableStructure,
  { range, chunks, stored }: StoringRange,
  { storing, context, signal }: { storing: PooledStoring; context: TaskContext; signal: AbortSignal },
): Promise<void> {
  const { codec, seed, read, scope, pool } = storing;
  const chunker = new Chunker({ codec, seed, keyColumns: keyColumnIndexes(table), table: table.table, pool });
  for await (const batch of read.readRows(table, { range, scope, signal })) {
    const [rows, bytes] = [rowCount(batch), batch.bytes.length];
    for (const draft of chunker.push(batch)) await stored.add(chunks.storeRows(draft, pool));
    context.progress.advance({ rows, bytes, table: table.table });
  }
  const last = chunker.flush();
  if (last !== null) await stored.add(chunks.storeRows(last, pool));
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
