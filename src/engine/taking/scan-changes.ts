/**
 * Change detection by SCAN: reads the whole live table in the key ranges of the parent backup's chunks, the server deciding which row
 * is in which, joins each range with the parent's rows, and stores only what differs, as a delta layer. Exact for everything that can
 * happen to rows: nothing has to be logged, stamped or noticed.
 */
import { keyColumnIndexes } from '../../domain/table';
import { runLanes } from '../lanes';
import { chunkSpans, readSpan, spanBytes, type ChunkSpan } from '../reading/backup-rows';
import { compareRows, type DifferenceSink, type RowSlice } from '../rows/compare-rows';
import { KeyReader } from '../rows/key-bytes';
import type { LayerWriter } from '../writing/layer-writer';
import { ChangeTally, deltaLayer, finishChanges, RangeChanges, TooManyChanges } from './range-changes';
import type { ChangeContext, ChangedTable, StoredChanges } from './range-changes';

export interface TableToScan extends ChangedTable {
  /** Why its rows are compared: for whoever asks why it was not told by the source's log. */
  reason: string;
}

/** Null where so much changed that the table had better be taken whole. */
export async function scanChanges(table: TableToScan, scanning: ChangeContext): Promise<StoredChanges | null> {
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

async function scanInto(layer: LayerWriter, table: TableToScan, scanning: ChangeContext): Promise<StoredChanges> {
  const { parent, structure, reason } = table;
  const { context, store, read } = scanning;
  const tally = new ChangeTally(parent.rawBytes);
  await runLanes({ lanes: read.lanes, signal: context.signal }, chunkSpans(store, parent), async (span, signal) => {
    await scanSpan(table, { span, signal, tally, layer }, scanning);
    context.progress.advance({ rows: span.entry?.rowCount ?? 0, bytes: spanBytes(span), table: structure.table });
  });
  return finishChanges(table, {
    tally,
    layer,
    changeDetection: 'SCAN',
    changeDetectionReason: `Every row was compared with the parent backup: ${reason}.`,
  });
}

interface SpanScan {
  span: ChunkSpan;
  signal: AbortSignal;
  tally: ChangeTally;
  layer: LayerWriter;
}

async function scanSpan(
  { parent, structure }: ChangedTable,
  { span, signal, tally, layer }: SpanScan,
  { read, store, codec }: ChangeContext,
): Promise<void> {
  const keyColumns = keyColumnIndexes(structure);
  const backup = await readSpan(parent, span, { store, codec });
  const below = span.deltas.reduce((sum, { rawBytes }) => sum + rawBytes, 0);
  const changes = new RangeChanges(span.range, below);
  const sink = new ChangeSink(changes, { key: new KeyReader(codec, keyColumns), tally });
  const live = read.readRows(structure, { range: span.range, signal });
  await compareRows({ codec, keyColumns, backup, live, sink });
  const chunks = layer.beginRange();
  if (!changes.isEmpty) await changes.storeIn(chunks);
  await layer.finishRange(span.index, chunks);
}

/** What the comparison of one span finds. */
class ChangeSink implements DifferenceSink {
  constructor(
    private readonly changes: RangeChanges,
    private readonly to: { key: KeyReader; tally: ChangeTally },
  ) {}

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
    this.changes.remove(key.copy());
    tally.change(-1, { before: backup.end - backup.start, after: 0 });
  }

  settle(): Promise<void> {
    this.changes.settle();
    return Promise.resolve();
  }

  private upsert({ bytes, start, end }: RowSlice, { rows, before }: { rows: number; before: number }): void {
    this.changes.upsert(bytes, start, end);
    this.to.tally.change(rows, { before, after: end - start });
  }
}
