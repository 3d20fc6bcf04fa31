/**
 * Streams the tables of a consistent read into a write session: key ranges are read on all lanes at once, and whatever order
 * they finish in, each table's layer gets its entries in key order.
 */
import type { BackupWriteSession, ChunkEntry, LayerBuilder } from '../domain/backup-store';
import type { LayerRef, TableManifest } from '../domain/manifest';
import { WHOLE_TABLE, rowCount, type KeyRange, type RowCodec, type RowScope } from '../domain/rows';
import type { ConsistentRead } from '../domain/source';
import { keyColumnIndexes, type TableStructure } from '../domain/table';
import { BufferPool } from './buffer-pool';
import { Chunker, type ChunkDraft } from './chunker';
import { OrderedWindow, runLanes } from './lanes';
import type { TaskContext } from './ports';

/** One unit of a lane's work: long enough to amortize a query, short enough to spread a large table over all lanes. */
export const RANGE_BYTES = 64 * 1024 * 1024;
/** Chunks of a lane being stored while it reads on. */
const CHUNKS_UNDER_WAY = 4;
/** Enough for what a few lanes have under way. */
const POOLED_BYTES = 8 * 1024 * 1024;

export interface TableStoring {
  read: ConsistentRead;
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

export interface StoredTables {
  tables: TableManifest[];
  /** Bytes of the rows in chunks that were not stored before. */
  newRawBytes: number;
}

export async function storeTables(given: TableStoring, context: TaskContext): Promise<StoredTables> {
  const storing = { ...given, pool: new BufferPool(POOLED_BYTES), added: { rawBytes: 0 } };
  const { read, session } = storing;
  const layers = read.tables.map((table) => new LayerAssembly(table, session.buildLayer('BASE')));
  context.progress.begin({
    name: 'reading',
    from: 1,
    to: 90,
    rowsTotal: storing.scope.kind === 'ALL' ? total(read.tables, 'estimatedRows') : null,
    bytesTotal: storing.scope.kind === 'ALL' ? total(read.tables, 'estimatedBytes') : null,
  });
  await runLanes({ lanes: read.lanes, signal: context.signal }, rangesOf(layers, storing), async (work, signal) => {
    await work.layer.finishRange(work.index, await storeRange(work, { storing, context, signal }));
  });
  const tables: TableManifest[] = [];
  for (const layer of layers) tables.push(await layer.finish());
  return { tables, newRawBytes: storing.added.rawBytes };
}

interface RangeWork {
  layer: LayerAssembly;
  index: number;
  range: KeyRange;
}

/** Plans a table's ranges only when a lane gets to it. A business is too small to be worth planning. */
async function* rangesOf(layers: LayerAssembly[], { read, scope }: TableStoring): AsyncGenerator<RangeWork> {
  for (const layer of layers) {
    const ranges = scope.kind === 'ALL' ? await read.planRanges(layer.table, RANGE_BYTES) : [WHOLE_TABLE];
    for (const [index, range] of ranges.entries()) yield { layer, index, range };
  }
}

async function storeRange(
  { layer, range }: RangeWork,
  { storing, context, signal }: { storing: PooledStoring; context: TaskContext; signal: AbortSignal },
): Promise<ChunkEntry[]> {
  const { codec, seed, read, scope, pool } = storing;
  const { table } = layer;
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

/** Puts the entries of ranges that finish in any order into a layer in key order. */
class LayerAssembly {
  private readonly outstanding = new Map<number, ChunkEntry[]>();
  private nextRange = 0;
  private adding: Promise<void> = Promise.resolve();

  constructor(
    readonly table: TableStructure,
    private readonly builder: LayerBuilder,
  ) {}

  async finishRange(index: number, entries: ChunkEntry[]): Promise<void> {
    this.outstanding.set(index, entries);
    this.adding = this.adding.then(() => this.addReady());
    await this.adding;
  }

  async finish(): Promise<TableManifest> {
    await this.adding;
    return tableManifest(this.table, await this.builder.finish());
  }

  private async addReady(): Promise<void> {
    for (;;) {
      const entries = this.outstanding.get(this.nextRange);
      if (entries === undefined) return;
      this.outstanding.delete(this.nextRange++);
      for (const entry of entries) await this.builder.add(entry);
    }
  }
}

function tableManifest(structure: TableStructure, layer: LayerRef): TableManifest {
  return {
    dataType: structure.mapping.dataType,
    table: structure.table,
    structure,
    rowCount: layer.rowCount,
    rawBytes: layer.rawBytes,
    layers: [layer],
    changeDetection: 'NONE',
    changeDetectionReason: 'A backup of this type holds every row in its scope.',
    changedRowCount: layer.rowCount,
  };
}

function total(tables: readonly TableStructure[], field: 'estimatedRows' | 'estimatedBytes'): number {
  return tables.reduce((sum, table) => sum + table[field], 0);
}
