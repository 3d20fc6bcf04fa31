/**
 * The rows of a backup as a restore wants them: those in its scope, without the chunks that are lost, in stretches of the key space that
 * together cover all keys exactly once. Of one business among many only the spans that hold its rows are read, and a stretch reaches over
 * those between: so live rows that the backup has nowhere are met in exactly one stretch too. Where the live table's structure changed since,
 * rows are given as rows of the live table.
 */
import type { BackupStore } from '../../domain/backup-store';
import type { ChunkId, TableManifest } from '../../domain/manifest';
import type { KeyBytes, KeyRange, RowBatch, RowCodec } from '../../domain/rows';
import { joinBatches, NO_ROWS } from '../rows/row-chunk';
import { RowAdapter } from '../rows/row-adapter';
import { RowFilter, type RowPredicate } from '../rows/row-filter';
import { requireInsertable, type Adaptation } from './adaptation';
import { chunkSpans, isInKeyOrder, readSpan, spanBytes, type ChunkSpan } from './backup-rows';
import type { ScopedRows, ScopedSpan } from './business-rows';

/** A part of a table's key space that is compared or loaded at once. */
export interface Stretch {
  /** Tells it from others of its table. */
  index: number;
  /** In key order. */
  spans: readonly ChunkSpan[];
  range: KeyRange;
  /** The backup has no more rows of it in scope than these. */
  rowCount: number;
  rawBytes: number;
}

/** Consecutive chunks of roughly this size are loaded by one lane in one go. */
const UNIT_BYTES = 32 * 1024 * 1024;
const UNIT_CHUNKS = 256;
/** Rows of a business that are compared at once, and so held in memory: mostly all of a table. */
const STRETCH_BYTES = 4 * 1024 * 1024;

export class BackupRows {
  /** Rows that are in memory, by table and position of their span. */
  private readonly known = new Map<string, ReadonlyMap<number, RowBatch>>();
  /** Rows that are there and not restored, by table. */
  private leftOut: ReadonlyMap<string, RowPredicate> = new Map();
  /** By the names of live tables. */
  private readonly adapted = new Map<string, AdaptedRows>();

  constructor(
    private readonly reading: { store: BackupStore; codec: RowCodec },
    /** Chunks that failed verification; their rows are given up. */
    private readonly lost: ReadonlySet<ChunkId>,
    /** Of one business among many, by table name; empty where all rows are in scope. */
    private readonly scoped: ReadonlyMap<string, ScopedRows>,
  ) {
    for (const [table, { spans }] of scoped) {
      const kept = spans.flatMap(({ span, rows }) => (rows === undefined ? [] : [[span.index, rows] as const]));
      this.known.set(table, new Map(kept));
    }
  }

  /** True where what is read of the span is exactly what its base chunk holds, in key order. */
  isPlain(table: string, span: ChunkSpan): boolean {
    return isInKeyOrder(span) && !this.scoped.has(table) && !this.leftOut.has(table) && !this.adapted.has(table);
  }

  /** From now on rows of the table are read as rows of the live one. */
  adapt(stored: TableManifest, adaptation: Adaptation): void {
    const adapter = new RowAdapter(adaptation, stored.structure.columns.length, this.reading.codec);
    this.adapted.set(stored.table, { stored, adaptation, adapter });
  }

  /** Rows that refer to lost ones are from now on not among those to load; compared, they neither differ nor are missing. */
  leaveOut(leftOut: ReadonlyMap<string, RowPredicate>): void {
    this.leftOut = leftOut;
  }

  isLeftOut(table: string): RowPredicate | undefined {
    return this.leftOut.get(table);
  }

  /** True where every row that the backup holds of the table is read as it is stored. */
  isWhole(table: string): boolean {
    return this.lost.size === 0 && ![this.scoped, this.leftOut, this.adapted].some((changed) => changed.has(table));
  }

  /** What is to be loaded of a span. Throws SCHEMA_MISMATCH where a row can't be inserted into the table as it is now. */
  async readToLoad(table: TableManifest, span: ChunkSpan): Promise<RowBatch> {
    const rows = await this.read(table, span);
    const adapted = this.adapted.get(table.table);
    if (adapted !== undefined && rows.ends.length > 0) requireInsertable(adapted.adaptation);
    const isLeftOut = this.leftOut.get(table.table);
    return isLeftOut === undefined ? rows : new RowFilter((bytes, start) => !isLeftOut(bytes, start)).apply(rows);
  }

  /** Without lost chunks, of whose range nothing is known. */
  async *stretches(table: TableManifest): AsyncGenerator<Stretch> {
    const scoped = this.scoped.get(table.table);
    if (scoped !== undefined) {
      yield* this.stretchesAround(scoped.spans);
      return;
    }
    for await (const span of chunkSpans(this.reading.store, table)) if (!this.isLost(span)) yield stretchOf(span);
  }

  /** The same in larger parts, for loading. */
  async *units(table: TableManifest): AsyncGenerator<Stretch> {
    if (this.scoped.has(table.table)) {
      yield* this.stretches(table);
      return;
    }
    let spans: ChunkSpan[] = [];
    let bytes = 0;
    for await (const span of chunkSpans(this.reading.store, table)) {
      spans.push(span);
      bytes += spanBytes(span);
      if (bytes < UNIT_BYTES && spans.length < UNIT_CHUNKS) continue;
      yield unitOf(spans);
      spans = [];
      bytes = 0;
    }
    if (spans.length > 0) yield unitOf(spans);
  }

  async readStretch(table: TableManifest, { spans }: Stretch): Promise<RowBatch> {
    const batches: RowBatch[] = [];
    for (const span of spans) batches.push(await this.read(table, span));
    return joinBatches(batches);
  }

  async read(table: TableManifest, span: ChunkSpan): Promise<RowBatch> {
    const adapted = this.adapted.get(table.table);
    if (adapted === undefined) return this.readStored(table, span);
    return adapted.adapter.apply(await this.readStored(adapted.stored, span));
  }

  private async readStored(table: TableManifest, span: ChunkSpan): Promise<RowBatch> {
    if (this.isLost(span)) return NO_ROWS;
    const known = this.known.get(table.table)?.get(span.index);
    if (known !== undefined) return known;
    const rows = await readSpan(table, span, this.reading);
    return this.scoped.get(table.table)?.filter.apply(rows) ?? rows;
  }

  /** Without one of its changes nothing of a range is what it was. */
  isLost({ entry, deltas }: ChunkSpan): boolean {
    return (entry !== null && this.lost.has(entry.id)) || deltas.some(({ id }) => this.lost.has(id));
  }

  private *stretchesAround(spans: readonly ScopedSpan[]): Generator<Stretch> {
    const open = new OpenStretch();
    for (const scoped of spans) {
      const { from, to } = scoped.span.range;
      const isLost = this.isLost(scoped.span);
      if (from !== null && (isLost || !open.hasRoomFor(scoped))) yield* open.endAt(from);
      if (isLost) open.goOnFrom(to);
      else open.add(scoped);
    }
    yield* open.endAt(null);
  }
}

interface AdaptedRows {
  /** With the structure of the backup. */
  stored: TableManifest;
  adaptation: Adaptation;
  adapter: RowAdapter;
}

/** A stretch on its way, from where the last one ended. */
class OpenStretch {
  private spans: ScopedSpan[] = [];
  private rawBytes = 0;
  private index = 0;
  /** Null at the start of the table. */
  private from: KeyBytes | null = null;
  private isOver = false;

  hasRoomFor({ rawBytes }: ScopedSpan): boolean {
    return this.spans.length === 0 || this.rawBytes + rawBytes <= STRETCH_BYTES;
  }

  add(scoped: ScopedSpan): void {
    this.spans.push(scoped);
    this.rawBytes += scoped.rawBytes;
  }

  /** Null where no key comes after. */
  goOnFrom(bound: KeyBytes | null): void {
    this.from = bound;
    this.isOver = bound === null;
  }

  /** `to`: null for the end of the table. Gives nothing where no key lies between. */
  *endAt(to: KeyBytes | null): Generator<Stretch> {
    const { spans, rawBytes, from } = this;
    const isEmpty = spans.length === 0 && from !== null && to !== null && from.equals(to);
    if (!this.isOver && !isEmpty) {
      const rowCount = spans.reduce((sum, scoped) => sum + scoped.rowCount, 0);
      yield { index: this.index++, spans: spans.map(({ span }) => span), range: { from, to }, rowCount, rawBytes };
    }
    this.spans = [];
    this.rawBytes = 0;
    this.goOnFrom(to);
  }
}

function stretchOf(span: ChunkSpan): Stretch {
  const rowCount = span.deltas.reduce((sum, delta) => sum + delta.rowCount, span.entry?.rowCount ?? 0);
  return { index: span.index, spans: [span], range: span.range, rowCount, rawBytes: spanBytes(span) };
}

function unitOf(spans: readonly ChunkSpan[]): Stretch {
  const [first, last] = [spans[0] as ChunkSpan, spans[spans.length - 1] as ChunkSpan];
  return {
    index: first.index,
    spans,
    range: { from: first.range.from, to: last.range.to },
    rowCount: spans.reduce((sum, { entry }) => sum + (entry?.rowCount ?? 0), 0),
    rawBytes: spans.reduce((sum, span) => sum + spanBytes(span), 0),
  };
}
