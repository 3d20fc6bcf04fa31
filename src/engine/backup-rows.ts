/**
 * Reads a backup's rows back: a table's chunks as spans of its key space, and as units of work for parallel lanes. Between
 * them the spans of a table cover all keys exactly once, so that a live row belongs to exactly one.
 */
import type { BackupStore, ChunkEntry } from '../domain/backup-store';
import { AppError } from '../domain/errors';
import type { ChunkId, LayerRef, TableManifest } from '../domain/manifest';
import { WHOLE_TABLE, type KeyRange, type RowBatch } from '../domain/rows';
import { NO_ROWS, decodeRowChunk } from './row-chunk';
import type { RowFilter } from './row-filter';

/** A chunk and the keys it speaks for: from its first key (the first chunk: from the start) up to the next chunk's. */
export interface ChunkSpan {
  /** Position within its layer. */
  index: number;
  /** Null for the single span of a table without rows. */
  entry: ChunkEntry | null;
  range: KeyRange;
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

export function baseLayer(table: TableManifest): LayerRef {
  const [base, ...deltas] = table.layers;
  if (base?.kind === 'BASE' && deltas.length === 0) return base;
  throw new AppError(
    'FORMAT_TOO_NEW',
    `The backup of table ${table.table} has layers that this program cannot merge.`,
    {
      hint: 'Restore it with the version that wrote it, or a later one.',
    },
  );
}

export async function* chunkSpans(store: BackupStore, table: TableManifest): AsyncGenerator<ChunkSpan> {
  let index = 0;
  let current: ChunkEntry | null = null;
  for await (const entry of store.layerEntries(baseLayer(table))) {
    if (current !== null)
      yield { index, entry: current, range: { from: fromKey(index++, current), to: entry.firstKey } };
    current = entry;
  }
  const range = current === null ? WHOLE_TABLE : { from: fromKey(index, current), to: null };
  yield { index, entry: current, range };
}

export async function* chunkUnits(store: BackupStore, table: TableManifest): AsyncGenerator<ChunkUnit> {
  let spans: ChunkSpan[] = [];
  let bytes = 0;
  for await (const span of chunkSpans(store, table)) {
    spans.push(span);
    bytes += span.entry?.rawBytes ?? 0;
    if (bytes < UNIT_BYTES && spans.length < UNIT_CHUNKS) continue;
    yield asUnit(spans);
    spans = [];
    bytes = 0;
  }
  if (spans.length > 0) yield asUnit(spans);
}

/** Rows of spans as the restore wants them: filtered by its scope, without the chunks that are lost. */
export class BackupRows {
  constructor(
    private readonly store: BackupStore,
    /** Chunks that failed verification; their rows are given up. */
    private readonly lost: ReadonlySet<ChunkId>,
    private readonly filters: ReadonlyMap<string, RowFilter>,
  ) {}

  isLost(span: ChunkSpan): boolean {
    return span.entry !== null && this.lost.has(span.entry.id);
  }

  /** True where what is read of the table's chunks is exactly what they hold. */
  isWhole(table: string): boolean {
    return !this.filters.has(table);
  }

  async read(table: TableManifest, span: ChunkSpan): Promise<RowBatch> {
    if (span.entry === null || this.isLost(span)) return NO_ROWS;
    const rows = decodeRowChunk(await this.store.readChunk(span.entry.id));
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
    rawBytes: spans.reduce((sum, { entry }) => sum + (entry?.rawBytes ?? 0), 0),
  };
}

function fromKey(index: number, entry: ChunkEntry): Buffer | null {
  return index === 0 ? null : entry.firstKey;
}
