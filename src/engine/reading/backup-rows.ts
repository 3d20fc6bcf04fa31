/**
 * Reads a backup's rows back: a table's stack of layers as spans of its key space, and as units of work for parallel lanes. Between
 * them the spans of a table cover all keys exactly once, so that a live row belongs to exactly one.
 */
import type { BackupStore, ChunkEntry } from '../../domain/backup-store';
import { AppError } from '../../domain/errors';
import type { ChunkId, LayerRef, TableManifest } from '../../domain/manifest';
import { WHOLE_TABLE, type KeyRange, type RowBatch, type RowCodec } from '../../domain/rows';
import { keyColumnIndexes } from '../../domain/table';
import { decodeDeltaChunk } from '../rows/delta-chunk';
import { mergeRows } from '../rows/merge-rows';
import { NO_ROWS, decodeRowChunk } from '../rows/row-chunk';
import { RowFilter, type RowPredicate } from '../rows/row-filter';

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

export interface DeltaEntry extends ChunkEntry {
  /** Position of its layer within the stack. */
  layer: number;
  /** Position within the layer. */
  ordinal: number;
}

export interface ChunkUnit {
  spans: ChunkSpan[];
  range: KeyRange;
  rowCount: number;
  rawBytes: number;
}

/** Consecutive chunks of roughly this size are loaded or compared by one lane in one go. */
const UNIT_BYTES = 32 * 1024 * 1024;
const UNIT_CHUNKS = 256;

export async function* chunkSpans(store: BackupStore, table: TableManifest): AsyncGenerator<ChunkSpan> {
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

export function layersOf(table: TableManifest): { base: LayerRef; deltas: LayerRef[] } {
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
  table: TableManifest,
  span: ChunkSpan,
  { store, codec }: { store: BackupStore; codec: RowCodec },
): Promise<RowBatch> {
  return applyChanges(table, { span, base: await readBase(span, store) }, { store, codec });
}

/** The rows of a span's base chunk alone. Throws as `readSpan`. */
export async function readBase({ entry }: ChunkSpan, store: BackupStore): Promise<RowBatch> {
  return entry === null ? NO_ROWS : decodeRowChunk(await store.readChunk(entry.id));
}

/** What the rows of a span's base chunk have become. Throws as `readSpan`. */
export async function applyChanges(
  table: TableManifest,
  { span, base }: { span: ChunkSpan; base: RowBatch },
  { store, codec }: { store: BackupStore; codec: RowCodec },
): Promise<RowBatch> {
  if (span.deltas.length === 0) return base;
  const deltas = await Promise.all(span.deltas.map(async ({ id }) => decodeDeltaChunk(await store.readChunk(id))));
  return mergeRows(base, deltas, { codec, keyColumns: keyColumnIndexes(table.structure) });
}

export async function* chunkUnits(store: BackupStore, table: TableManifest): AsyncGenerator<ChunkUnit> {
  let spans: ChunkSpan[] = [];
  let bytes = 0;
  for await (const span of chunkSpans(store, table)) {
    spans.push(span);
    bytes += spanBytes(span);
    if (bytes < UNIT_BYTES && spans.length < UNIT_CHUNKS) continue;
    yield asUnit(spans);
    spans = [];
    bytes = 0;
  }
  if (spans.length > 0) yield asUnit(spans);
}

/** Rows of spans as the restore wants them: filtered by its scope, without the chunks that are lost. */
export class BackupRows {
  /** Rows that are there and not restored, by table. */
  private leftOut: ReadonlyMap<string, RowPredicate> = new Map();

  constructor(
    private readonly reading: { store: BackupStore; codec: RowCodec },
    /** Chunks that failed verification; their rows are given up. */
    private readonly lost: ReadonlySet<ChunkId>,
    private readonly filters: ReadonlyMap<string, RowFilter>,
  ) {}

  /** Without one of its changes nothing of a range is what it was. */
  isLost({ entry, deltas }: ChunkSpan): boolean {
    return (entry !== null && this.lost.has(entry.id)) || deltas.some(({ id }) => this.lost.has(id));
  }

  /** True where what is read of the span is exactly what its base chunk holds, in key order. */
  isPlain(table: string, span: ChunkSpan): boolean {
    return isInKeyOrder(span) && !this.filters.has(table) && !this.leftOut.has(table);
  }

  /** Rows that refer to lost ones are from now on not among those to load; compared, they neither differ nor are missing. */
  leaveOut(leftOut: ReadonlyMap<string, RowPredicate>): void {
    this.leftOut = leftOut;
  }

  isLeftOut(table: string): RowPredicate | undefined {
    return this.leftOut.get(table);
  }

  /** What is to be loaded of a span. */
  async readToLoad(table: TableManifest, span: ChunkSpan): Promise<RowBatch> {
    const rows = await this.read(table, span);
    const isLeftOut = this.leftOut.get(table.table);
    return isLeftOut === undefined ? rows : new RowFilter((bytes, start) => !isLeftOut(bytes, start)).apply(rows);
  }

  async read(table: TableManifest, span: ChunkSpan): Promise<RowBatch> {
    if (this.isLost(span)) return NO_ROWS;
    const rows = await readSpan(table, span, this.reading);
    const filter = this.filters.get(table.table);
    return filter === undefined ? rows : filter.apply(rows);
  }
}

function asUnit(spans: ChunkSpan[]): ChunkUnit {
  const first = spans[0] as ChunkSpan;
  const last = spans[spans.length - 1] as ChunkSpan;
  return {
    spans,
    range: { from: first.range.from, to: last.range.to },
    rowCount: spans.reduce((sum, { entry }) => sum + (entry?.rowCount ?? 0), 0),
    rawBytes: spans.reduce((sum, span) => sum + spanBytes(span), 0),
  };
}

function fromKey(index: number, entry: ChunkEntry): Buffer | null {
  return index === 0 ? null : entry.firstKey;
}

/** Whether the rows of a span are read in key order. Merged ones are in none; the source gives them back in its own. */
export function isInKeyOrder({ ordered, deltas }: ChunkSpan): boolean {
  return ordered && deltas.length === 0;
}

/** Bytes of rows to read for a span. */
export function spanBytes({ entry, deltas }: ChunkSpan): number {
  return deltas.reduce((sum, { rawBytes }) => sum + rawBytes, entry?.rawBytes ?? 0);
}
