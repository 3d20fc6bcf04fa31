/**
 * Change detection by SCAN: reads the whole live table in the key ranges of the parent backup's chunks, the server deciding which row
 * is in which, joins each range with the parent's rows, and stores only what differs, as a delta layer. Exact for everything that can
 * happen to rows: nothing has to be logged, stamped or noticed.
 */
import type { BackupWriteSession } from '../domain/backup-store';
import type { LayerRef, TableManifest } from '../domain/manifest';
import type { RowBatch, RowCodec } from '../domain/rows';
import type { ConsistentRead } from '../domain/source';
import { keyColumnIndexes, type TableStructure } from '../domain/table';
import { chunkSpans, readSpan, spanBytes, type ChunkSpan } from './backup-rows';
import { compareRows, type DifferenceSink, type RowSlice } from './compare-rows';
import { KeyReader } from './key-bytes';
import { runLanes } from './lanes';
import { LayerWriter } from './layer-writer';
import type { EngineStore, TaskContext } from './ports';
import { NO_ROWS, RowCollector } from './row-chunk';

/** A range is merged in memory: what its changes may add up to, those of the layers below included. */
const MAX_SPAN_CHANGE_BYTES = 16 * 1024 * 1024;
/** Beyond this share of the table a new base is smaller, and faster to read. */
const MAX_CHANGED_SHARE = 0.5;
/** Tables so small that their share of changes says nothing. */
const ALWAYS_CHANGED_BYTES = 1024 * 1024;

export interface TableScan {
  parent: TableManifest;
  /** As it is now; its rows are laid out as the parent's. */
  structure: TableStructure;
}

export interface ScanContext {
  read: ConsistentRead;
  session: BackupWriteSession;
  store: EngineStore;
  codec: RowCodec;
  context: TaskContext;
}

export interface ScannedTable {
  manifest: TableManifest;
  /** Bytes of rows in chunks that were not stored before. */
  newRawBytes: number;
}

/** Null where so much changed that the table had better be taken whole. */
export async function scanChanges(table: TableScan, scanning: ScanContext): Promise<ScannedTable | null> {
  const layer = deltaLayer(table.structure, scanning);
  try {
    return await scanInto(layer, table, scanning);
  } catch (error) {
    if (error instanceof TooManyChanges) return null;
    throw error;
  } finally {
    await layer.close();
  }
}

export function deltaLayer(structure: TableStructure, { session, store, codec, context }: ScanContext): LayerWriter {
  const { tempDir: folder, random } = context.deps;
  return new LayerWriter({
    kind: 'DELTA',
    session,
    structure,
    codec,
    seed: store.chunkSeed,
    spill: { folder, random },
  });
}

async function scanInto(layer: LayerWriter, table: TableScan, scanning: ScanContext): Promise<ScannedTable> {
  const { parent, structure } = table;
  const { context, store, read } = scanning;
  const tally = new ChangeTally(parent.rawBytes);
  await runLanes({ lanes: read.lanes, signal: context.signal }, chunkSpans(store, parent), async (span, signal) => {
    await scanSpan(table, { span, signal, tally, layer }, scanning);
    context.progress.advance({ rows: span.entry?.rowCount ?? 0, bytes: spanBytes(span), table: structure.table });
  });
  return { manifest: describe(table, { tally, delta: await layer.finish() }), newRawBytes: layer.newRawBytes };
}

interface SpanScan {
  span: ChunkSpan;
  signal: AbortSignal;
  tally: ChangeTally;
  layer: LayerWriter;
}

async function scanSpan(
  { parent, structure }: TableScan,
  { span, signal, tally, layer }: SpanScan,
  { read, store, codec }: ScanContext,
): Promise<void> {
  const keyColumns = keyColumnIndexes(structure);
  const backup = await readSpan(parent, span, { store, codec });
  const sink = new ChangeSink(span, { key: new KeyReader(codec, keyColumns), tally });
  const live = read.readRows(structure, { range: span.range, signal });
  await compareRows({ codec, keyColumns, backup, live, sink });
  const changes = layer.beginRange();
  if (!sink.isEmpty) await changes.storeDelta({ range: span.range, ...sink.take() });
  await layer.finishRange(span.index, changes);
}

class TooManyChanges extends Error {}

/** What changed in a table, over all lanes. */
class ChangeTally {
  rows = 0;
  bytes = 0;
  private changedBytes = 0;

  constructor(private readonly parentBytes: number) {}

  change(rows: number, { before, after }: { before: number; after: number }): void {
    this.rows += rows;
    this.bytes += after - before;
    this.changedBytes += after;
    if (this.changedBytes > ALWAYS_CHANGED_BYTES + MAX_CHANGED_SHARE * this.parentBytes) throw new TooManyChanges();
  }
}

/** Collects the changes of one span. */
class ChangeSink implements DifferenceSink {
  private readonly upserts = new RowCollector();
  private readonly tombstones = new RowCollector();
  private readonly settled: RowBatch[] = [];
  private bytes: number;

  constructor(
    span: ChunkSpan,
    private readonly to: { key: KeyReader; tally: ChangeTally },
  ) {
    this.bytes = span.deltas.reduce((sum, { rawBytes }) => sum + rawBytes, 0);
  }

  get isEmpty(): boolean {
    return this.settled.length === 0 && this.tombstones.rowCount === 0;
  }

  equal(): void {
    // because an unchanged row is in the parent's layers already
  }

  changed({ live, backup }: { live: RowSlice; backup: RowSlice }): void {
    this.upsert(live, { rows: 0, before: backup.end - backup.start });
  }

  extra(live: RowSlice): void {
    this.upsert(live, { rows: 1, before: 0 });
  }

  missing(backup: RowSlice): void {
    const { key, tally } = this.to;
    key.read(backup.bytes, backup.start);
    const name = key.copy();
    this.tombstones.add(name, 0, name.length);
    tally.change(-1, { before: backup.end - backup.start, after: 0 });
    this.grow(name.length);
  }

  /** Live rows are gone after this: those that are kept are copied. */
  settle(): Promise<void> {
    if (this.upserts.rowCount > 0) this.settled.push(this.upserts.takeBatch());
    return Promise.resolve();
  }

  take(): { tombstones: RowBatch; upserts: RowBatch } {
    return { tombstones: this.tombstones.takeBatch(), upserts: joined(this.settled) };
  }

  private upsert({ bytes, start, end }: RowSlice, { rows, before }: { rows: number; before: number }): void {
    this.upserts.add(bytes, start, end);
    this.to.tally.change(rows, { before, after: end - start });
    this.grow(end - start);
  }

  private grow(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > MAX_SPAN_CHANGE_BYTES) throw new TooManyChanges();
  }
}

function joined(batches: readonly RowBatch[]): RowBatch {
  if (batches.length <= 1) return batches[0] ?? NO_ROWS;
  const rows = new RowCollector();
  for (const batch of batches) rows.addBatch(batch);
  return rows.takeBatch();
}

function describe(
  { parent, structure }: TableScan,
  { tally, delta }: { tally: ChangeTally; delta: LayerRef },
): TableManifest {
  return {
    dataType: structure.mapping.dataType,
    table: structure.table,
    structure,
    rowCount: parent.rowCount + tally.rows,
    rawBytes: parent.rawBytes + tally.bytes,
    layers: delta.root === null ? parent.layers : [...parent.layers, delta],
    changeDetection: 'SCAN',
    changeDetectionReason: 'Every row was compared with the parent backup.',
    changedRowCount: delta.rowCount,
  };
}
