/**
 * What changed in a table, range by range, on its way into a delta layer: the changes of one range are held in memory until they are
 * its chunk, and what a range or a table adds up to has bounds beyond which the table had better be taken whole.
 */
import type { BackupWriteSession } from '../../domain/backup-store';
import type { TableManifest } from '../../domain/manifest';
import type { ChangeDetection } from '../../domain/backup';
import type { KeyRange, RowBatch, RowCodec } from '../../domain/rows';
import type { ConsistentRead } from '../../domain/source';
import type { TableStructure } from '../../domain/table';
import type { EngineStore, TaskContext } from '../ports';
import { indexedColumns } from '../rows/indexed-columns';
import { joinBatches, RowCollector } from '../rows/row-chunk';
import { LayerWriter, type LayerRange } from '../writing/layer-writer';

/** A range is merged in memory: what its changes may add up to, those of the layers below included. */
export const MAX_SPAN_CHANGE_BYTES = 16 * 1024 * 1024;
/** Beyond this share of the table a new base is smaller, and faster to read. */
const MAX_CHANGED_SHARE = 0.5;
/** Tables so small that their share of changes says nothing. */
const ALWAYS_CHANGED_BYTES = 1024 * 1024;

export interface ChangedTable {
  parent: TableManifest;
  /** As it is now; its rows are laid out as the parent's. */
  structure: TableStructure;
}

export interface ChangeContext {
  read: ConsistentRead;
  session: BackupWriteSession;
  store: EngineStore;
  codec: RowCodec;
  context: TaskContext;
}

export interface StoredChanges {
  manifest: TableManifest;
  /** Bytes of rows in chunks that were not stored before. */
  newRawBytes: number;
}

export function deltaLayer(
  structure: TableStructure,
  { read, session, store, codec, context }: ChangeContext,
): LayerWriter {
  const { tempDir: folder, random } = context.deps;
  return new LayerWriter({
    kind: 'DELTA',
    session,
    structure,
    codec,
    seed: store.chunkSeed,
    spill: { folder, random },
    indexedBy: indexedColumns(structure, read.tables),
  });
}

/** The table had better be taken whole. */
export class TooManyChanges extends Error {}

/** What changed in a table, over all lanes. */
export class ChangeTally {
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

/** Collects the changes of one range. */
export class RangeChanges {
  private readonly upserts = new RowCollector();
  private readonly tombstones = new RowCollector();
  private readonly settled: RowBatch[] = [];

  /** `bytes` is what the layers below hold of the range. */
  constructor(
    readonly range: KeyRange,
    private bytes: number,
  ) {}

  get isEmpty(): boolean {
    return this.settled.length === 0 && this.upserts.rowCount === 0 && this.tombstones.rowCount === 0;
  }

  /** The row's bytes must stay until the next `settle`. */
  upsert(bytes: Buffer, start: number, end: number): void {
    this.upserts.add(bytes, start, end);
    this.grow(end - start);
  }

  remove(key: Buffer): void {
    this.tombstones.add(key, 0, key.length);
    this.grow(key.length);
  }

  /** Copies what is kept of rows that are gone after this. */
  settle(): void {
    if (this.upserts.rowCount > 0) this.settled.push(this.upserts.takeBatch());
  }

  /** As the next chunk of a layer's range. */
  async storeIn(chunks: LayerRange): Promise<void> {
    this.settle();
    await chunks.storeDelta({
      range: this.range,
      tombstones: this.tombstones.takeBatch(),
      upserts: joinBatches(this.settled),
    });
  }

  private grow(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > MAX_SPAN_CHANGE_BYTES) throw new TooManyChanges();
  }
}

export interface FoundChanges {
  tally: ChangeTally;
  layer: LayerWriter;
  changeDetection: ChangeDetection;
  changeDetectionReason: string;
}

/** Finishes the layer. The table's state: the parent's stack and, where anything changed, one layer more. */
export async function finishChanges(
  { parent, structure }: ChangedTable,
  { tally, layer, changeDetection, changeDetectionReason }: FoundChanges,
): Promise<StoredChanges> {
  const delta = await layer.finish();
  const isEstimate = parent.rawBytesEstimated === true || (changeDetection === 'BINLOG' && delta.rowCount > 0);
  const manifest: TableManifest = {
    dataType: structure.mapping.dataType,
    table: structure.table,
    structure,
    rowCount: parent.rowCount + tally.rows,
    rawBytes: Math.max(0, Math.round(parent.rawBytes + tally.bytes)),
    ...(isEstimate ? { rawBytesEstimated: true as const } : {}),
    layers: delta.root === null ? parent.layers : [...parent.layers, delta],
    changeDetection,
    changeDetectionReason,
    changedRowCount: delta.rowCount,
  };
  return { manifest, newRawBytes: layer.newRawBytes };
}
