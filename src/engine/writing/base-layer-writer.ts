/**
 * Writes a base layer chunk by chunk, in key order: new chunks are stored a few at a time, chunks that are stored already are only listed
 * again. Memory does not grow with the layer.
 */
import type { ChunkEntry } from '../../domain/backup-store';
import type { LayerRef } from '../../domain/manifest';
import type { RowBatch } from '../../domain/rows';
import type { ChunkDraft } from '../rows/chunker';
import { NO_ROWS } from '../rows/row-chunk';
import { LayerWriter, type LayerRange, type LayerTarget } from './layer-writer';

export type BaseTarget = LayerTarget & { kind: Exclude<LayerRef['kind'], 'DELTA'> };

const CHUNKS_UNDER_WAY = 4;

export class BaseLayerWriter {
  private readonly layer: LayerWriter;
  private readonly pending: Promise<void>[] = [];
  private nextChunk = 0;

  constructor(target: BaseTarget) {
    this.layer = new LayerWriter(target);
  }

  /** Bytes of rows in chunks that were not stored before. */
  get newRawBytes(): number {
    return this.layer.newRawBytes;
  }

  /** Resolves when there is room for more. */
  store(draft: ChunkDraft): Promise<void> {
    return this.push((range) => range.storeRows(draft));
  }

  /** `readRows` is asked for the chunk's rows only where the indexes need to know them. */
  keep(entry: ChunkEntry, readRows: () => Promise<RowBatch>): Promise<void> {
    return this.push(async (range) => range.list(entry, this.layer.isIndexed ? await readRows() : NO_ROWS));
  }

  async finish(): Promise<LayerRef> {
    while (this.pending.length > 0) await this.pending.shift();
    return this.layer.finish();
  }

  /** Waits until nothing is under way, whatever became of it, and gives up what is not finished. */
  async close(): Promise<void> {
    await Promise.allSettled(this.pending);
    await this.layer.close();
  }

  private async push(work: (range: LayerRange) => Promise<void>): Promise<void> {
    const chunk = this.write(this.nextChunk++, work);
    chunk.catch(() => undefined); // awaited in its turn; unhandled it must not count
    this.pending.push(chunk);
    if (this.pending.length >= CHUNKS_UNDER_WAY) await this.pending.shift();
  }

  private async write(index: number, work: (range: LayerRange) => Promise<void>): Promise<void> {
    const range = this.layer.beginRange();
    await work(range);
    await this.layer.finishRange(index, range);
  }
}
