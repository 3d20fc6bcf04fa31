/**
 * What layers say of one key. Backups share layers, and layers chunks: each is read once for all, and of a chunk only the one row is kept.
 */
import type { BackupStore, ChunkEntry } from '../../domain/backup-store';
import type { ChunkId, LayerRef, TableManifest } from '../../domain/manifest';
import { throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import { decodeDeltaChunk } from '../rows/delta-chunk';
import { decodeRowChunk } from '../rows/row-chunk';
import { layersOf } from './backup-rows';
import type { KeyProbe } from './key-probe';

/** Undefined: nothing. Null: the row went. Else the row. */
type Word = Buffer | null | undefined;

export class KeyedLayers {
  private readonly ofLayers = new Map<ChunkId, Word>();
  private readonly ofChunks = new Map<ChunkId, Word>();
  /** Of rows, uncompressed. */
  readBytes = 0;

  constructor(private readonly reading: { store: BackupStore; probe: KeyProbe; context: TaskContext }) {}

  /** The row in the table's state; null where it has none. Throws INTEGRITY_FAILURE. */
  async rowOf(table: TableManifest): Promise<Buffer | null> {
    const { base, deltas } = layersOf(table);
    let row: Buffer | null = null;
    for (const layer of [base, ...deltas]) {
      const word = await this.wordOf(layer);
      if (word !== undefined) row = word;
    }
    return row;
  }

  private async wordOf({ root, kind }: LayerRef): Promise<Word> {
    if (root === null) return undefined;
    if (!this.ofLayers.has(root)) this.ofLayers.set(root, await this.lastWord(root, kind));
    return this.ofLayers.get(root);
  }

  /** Of all chunks below a page: a range's changes may be spread over several, which apply in their order. */
  private async lastWord(page: ChunkId, kind: LayerRef['kind']): Promise<Word> {
    const { level, entries } = await this.reading.store.layerPage(page);
    let last: Word;
    for (const entry of entries) {
      if (!this.reading.probe.mayHold(entry, kind)) continue;
      const word = level === 0 ? await this.wordOfChunk(entry, kind) : await this.lastWord(entry.id, kind);
      if (word !== undefined) last = word;
    }
    return last;
  }

  private async wordOfChunk(entry: ChunkEntry, kind: LayerRef['kind']): Promise<Word> {
    if (this.ofChunks.has(entry.id)) return this.ofChunks.get(entry.id);
    throwIfAborted(this.reading.context.signal);
    this.readBytes += entry.rawBytes;
    const payload = await this.reading.store.readChunk(entry.id);
    const word =
      kind === 'DELTA' ? this.wordOfDelta(payload) : (this.reading.probe.findRow(decodeRowChunk(payload)) ?? undefined);
    this.ofChunks.set(entry.id, word);
    return word;
  }

  /** Tombstones apply before upserts. */
  private wordOfDelta(payload: Buffer): Word {
    const { tombstones, upserts } = decodeDeltaChunk(payload);
    const row = this.reading.probe.findRow(upserts);
    if (row !== null) return row;
    return this.reading.probe.isAmong(tombstones) ? null : undefined;
  }
}
