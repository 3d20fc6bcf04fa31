/**
 * Reads a backup's rows back: a table's stack of layers as spans of its key space. Between them the spans of a table cover all keys
 * exactly once, so that a live row belongs to exactly one.
 */
import type { BackupStore, ChunkEntry } from '../../domain/backup-store';
import { AppError } from '../../domain/errors';
import type { LayerRef, TableManifest } from '../../domain/manifest';
import { WHOLE_TABLE, type KeyRange, type RowBatch, type RowCodec } from '../../domain/rows';
import { keyColumnIndexes } from '../../domain/table';
import { decodeDeltaChunk } from '../rows/delta-chunk';
import { mergeRows } from '../rows/merge-rows';
import { NO_ROWS, decodeRowChunk } from '../rows/row-chunk';

/** A base chunk with its changes, and the keys it speaks for: from its first key (the first chunk: from the start) up to the next's. */
export interface ChunkSpan {
  /** Position within the base layer. */
  index: number;
  /** Null for the single span of a base layer without rows. */
  entry: ChunkEntry | null;
  /** Whether the base chunk's own rows stand in key order. */
  ordered: boolean;
  /** Delta chunks of this range, bottom up. */
  deltas: readonly DeltaEntry[];
  range: KeyRange;
}

/** What reading a span's rows takes. */
export type SpanChunks = Pick<ChunkSpan, 'entry' | 'deltas'>;

export interface DeltaEntry extends ChunkEntry {
  /** Position of its layer within the stack. */
  layer: number;
  /** Position within the layer. */
  ordinal: number;
}

/** What reading a table's rows takes of its manifest. */
export type LayerStack = Pick<TableManifest, 'table' | 'structure' | 'layers'>;

export async function* chunkSpans(
  store: BackupStore,
  table: Pick<LayerStack, 'table' | 'layers'>,
): AsyncGenerator<ChunkSpan> {
  const { base, deltas } = layersOf(table);
  const cursors = deltas.map((layer, index) => new DeltaCursor(store.layerEntries(layer), index + 1));
  for await (const span of baseSpans(store, base)) {
    const taken: DeltaEntry[] = [];
    for (const cursor of cursors) taken.push(...(await cursor.take(span.range)));
    yield { ...span, ordered: base.kind === 'BASE', deltas: taken };
  }
  for (const cursor of cursors) await cursor.requireEnd(table.table);
}

async function* baseSpans(store: BackupStore, base: LayerRef): AsyncGenerator<Omit<ChunkSpan, 'deltas' | 'ordered'>> {
  let index = 0;
  let current: ChunkEntry | null = null;
  for await (const entry of store.layerEntries(base)) {
    if (current !== null)
      yield { index, entry: current, range: { from: fromKey(index++, current), to: entry.firstKey } };
    current = entry;
  }
  const range = current === null ? WHOLE_TABLE : { from: fromKey(index, current), to: null };
  yield { index, entry: current, range };
}

export function layersOf(table: Pick<LayerStack, 'table' | 'layers'>): { base: LayerRef; deltas: LayerRef[] } {
  const [base, ...deltas] = table.layers;
  if (base && base.kind !== 'DELTA' && deltas.every(({ kind }) => kind === 'DELTA')) return { base, deltas };
  throw new AppError('INTEGRITY_FAILURE', `The manifest's layers of table ${table.table} are no stack.`, {
    hint: 'Restore from another backup.',
  });
}

/** Entries of a delta layer, taken range by range in the base layer's order. */
class DeltaCursor {
  private readonly entries: AsyncIterator<ChunkEntry>;
  private next: IteratorResult<ChunkEntry> | null = null;
  private ordinal = 0;

  constructor(
    entries: AsyncIterable<ChunkEntry>,
    private readonly layer: number,
  ) {
    this.entries = entries[Symbol.asyncIterator]();
  }

  async take({ from, to }: KeyRange): Promise<DeltaEntry[]> {
    const taken: DeltaEntry[] = [];
    for (;;) {
      this.next ??= await this.entries.next();
      if (this.next.done || !sameBound(this.next.value.firstKey, from) || !sameBound(this.next.value.lastKey, to)) {
        return taken;
      }
      taken.push({ ...this.next.value, layer: this.layer, ordinal: this.ordinal++ });
      this.next = null;
    }
  }

  /** A range that no base chunk has would be changes that nobody applies. */
  async requireEnd(table: string): Promise<void> {
    this.next ??= await this.entries.next();
    if (this.next.done) return;
    throw new AppError('INTEGRITY_FAILURE', `A delta layer of table ${table} does not fit its base layer.`, {
      hint: 'Restore from another backup.',
    });
  }
}

/** In the index of a delta layer an open bound is empty. */
function sameBound(bound: Buffer, of: Buffer | null): boolean {
  return of === null ? bound.length === 0 : bound.equals(of);
}

/** The rows of a span, all layers applied. Throws INTEGRITY_FAILURE for a chunk that is not what its id says. */
export async function readSpan(
  table: LayerStack,
  span: SpanChunks,
  { store, codec }: { store: BackupStore; codec: RowCodec },
): Promise<RowBatch> {
  return applyChanges(table, { span, base: await readBase(span, store) }, { store, codec });
}

/** The rows of a span's base chunk alone. Throws as `readSpan`. */
export async function readBase({ entry }: SpanChunks, store: BackupStore): Promise<RowBatch> {
  return entry === null ? NO_ROWS : decodeRowChunk(await store.readChunk(entry.id));
}

/** What the rows of a span's base chunk have become. Throws as `readSpan`. */
export async function applyChanges(
  table: Pick<LayerStack, 'structure'>,
  { span, base }: { span: SpanChunks; base: RowBatch },
  { store, codec }: { store: BackupStore; codec: RowCodec },
): Promise<RowBatch> {
  if (span.deltas.length === 0) return base;
  const deltas = await Promise.all(span.deltas.map(async ({ id }) => decodeDeltaChunk(await store.readChunk(id))));
  return mergeRows(base, deltas, { codec, keyColumns: keyColumnIndexes(table.structure) });
}

function fromKey(index: number, entry: ChunkEntry): Buffer | null {
  return index === 0 ? null : entry.firstKey;
}

/** Whether the rows of a span are read in key order. Merged ones are in none; the source gives them back in its own. */
export function isInKeyOrder({ ordered, deltas }: ChunkSpan): boolean {
  return ordered && deltas.length === 0;
}

/** Bytes of rows to read for a span. */
export function spanBytes({ entry, deltas }: SpanChunks): number {
  return deltas.reduce((sum, { rawBytes }) => sum + rawBytes, entry?.rawBytes ?? 0);
}
