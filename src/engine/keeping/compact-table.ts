/**
 * Turns one table's stack of layers into a single base that holds the same rows, range by range, in the memory of one range.
 *
 * Where bytes alone tell the source's key order, the rows are sorted and cut as a full backup would have: it then finds these chunks
 * stored. Where they do not, or the ranges that the source assigned say otherwise, each range stays one chunk of rows in no known order
 * (MERGED). Either way a range that nothing changed keeps its chunk, unread where that can be.
 */
import type { BackupStore, BackupWriteSession, ChunkEntry } from '../../domain/backup-store';
import { AppError } from '../../domain/errors';
import type { LayerRef, TableManifest } from '../../domain/manifest';
import type { RowBatch, RowCodec } from '../../domain/rows';
import { keyColumnIndexes } from '../../domain/table';
import { throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import { applyChanges, chunkSpans, readBase, readSpan, spanBytes, type ChunkSpan } from '../reading/backup-rows';
import { Chunker, type ChunkDraft } from '../rows/chunker';
import { RowCollector } from '../rows/row-chunk';
import { isSorted, sortRows, type KeySorting } from '../rows/sort-rows';
import type { IndexedColumns } from '../rows/value-reader';
import { BaseLayerWriter, type BaseTarget } from '../writing/base-layer-writer';

/** A merged range is one chunk, which readers hold in memory; one that would outgrow this keeps its layers. */
const MAX_MERGED_BYTES = 16 * 1024 * 1024;

export interface TableCompacting {
  store: BackupStore;
  session: BackupWriteSession;
  codec: RowCodec;
  context: TaskContext;
  /** As `LayerTarget.indexedBy`. */
  indexedBy: readonly IndexedColumns[];
}

export interface CompactedTable {
  base: LayerRef;
  /** Bytes of rows in chunks that were not stored before. */
  newRawBytes: number;
}

/** Null where a range is too large to be one chunk. Throws INTEGRITY_FAILURE where the result would not hold the table's rows. */
export async function compactTable(table: TableManifest, compacting: TableCompacting): Promise<CompactedTable | null> {
  const sorted = await writeSorted(table, compacting);
  const written = sorted ?? (await writeMerged(table, compacting));
  if (written !== null) requireSameRows(table, written.base);
  return written;
}

function requireSameRows(table: TableManifest, base: LayerRef): void {
  const isSameSize = table.rawBytesEstimated === true || base.rawBytes === table.rawBytes;
  if (base.rowCount === table.rowCount && isSameSize) return;
  throw new AppError(
    'INTEGRITY_FAILURE',
    `Compacting table ${table.table} gave ${base.rowCount} rows of ${base.rawBytes} bytes; its manifest says ${table.rowCount} of ${table.rawBytes}.`,
    { hint: 'Nothing was changed. Verify the backup at level DATA, and take a FULL backup.' },
  );
}

/** Null where the order can't be told. */
async function writeSorted(table: TableManifest, compacting: TableCompacting): Promise<CompactedTable | null> {
  const { codec } = compacting;
  const sortKey = table.layers[0]?.kind === 'BASE' ? (codec.sortKey?.(table.structure) ?? null) : null;
  if (sortKey === null) return null;
  const sorting = { codec, sortKey, keyColumns: keyColumnIndexes(table.structure) };
  const target = targetOf(table, compacting, 'BASE');
  return withWriter(target, (writer) => new SortedTable(table, { compacting, sorting, writer }).write());
}

function writeMerged(table: TableManifest, compacting: TableCompacting): Promise<CompactedTable | null> {
  const target = targetOf(table, compacting, 'MERGED');
  return withWriter(target, (writer) => new MergedTable(table, { compacting, writer }).write());
}

function targetOf(
  { structure }: TableManifest,
  { session, store, codec, context, indexedBy }: TableCompacting,
  kind: BaseTarget['kind'],
): BaseTarget {
  const { tempDir: folder, random } = context.deps;
  return { kind, session, structure, codec, seed: store.chunkSeed, spill: { folder, random }, indexedBy };
}

async function withWriter(
  target: BaseTarget,
  write: (writer: BaseLayerWriter) => Promise<boolean>,
): Promise<CompactedTable | null> {
  const writer = new BaseLayerWriter(target);
  try {
    if (!(await write(writer))) return null;
    return { base: await writer.finish(), newRawBytes: writer.newRawBytes };
  } finally {
    await writer.close();
  }
}

class SortedTable {
  private readonly chunker: Chunker;

  constructor(
    private readonly table: TableManifest,
    private readonly by: { compacting: TableCompacting; sorting: KeySorting; writer: BaseLayerWriter },
  ) {
    const { codec, store } = by.compacting;
    const { keyColumns } = by.sorting;
    this.chunker = new Chunker({ codec, keyColumns, seed: store.chunkSeed, table: table.table });
  }

  /** False where the order can't be told. */
  async write(): Promise<boolean> {
    for await (const [span, next] of inPairs(chunkSpans(this.by.compacting.store, this.table))) {
      const { entry } = span;
      // A chunk ends where the next row starts one: it stays as it is where that row does too.
      const stays = entry !== null && isUntouched(span) && (next === null || isUntouched(next));
      if (!(await (stays ? this.keep(span, entry) : this.rewrite(span)))) return false;
      advance(this.table, span, this.by.compacting);
    }
    await this.flush();
    return true;
  }

  private async keep(span: ChunkSpan, entry: ChunkEntry): Promise<boolean> {
    if (!this.chunker.isEmpty) {
      const rows = await this.readSorted(span);
      if (rows === null) return false;
      if (!this.chunker.cutsBefore(rows)) return this.push(rows);
      await this.flush();
    }
    await this.by.writer.keep(entry, () => readBase(span, this.by.compacting.store));
    return true;
  }

  private async rewrite(span: ChunkSpan): Promise<boolean> {
    const rows = await this.readSorted(span);
    return rows !== null && this.push(rows);
  }

  /** Where the source's own order is to be seen, in rows that nothing changed, it must be ours. */
  private async readSorted(span: ChunkSpan): Promise<RowBatch | null> {
    const { compacting, sorting } = this.by;
    const base = await readBase(span, compacting.store);
    if (!isSorted(base, sorting)) return null;
    return sortRows(await applyChanges(this.table, { span, base }, compacting), span.range, sorting);
  }

  private async push(rows: RowBatch): Promise<boolean> {
    for (const draft of this.chunker.push(rows)) await this.by.writer.store(draft);
    return true;
  }

  private async flush(): Promise<void> {
    const last = this.chunker.flush();
    if (last !== null) await this.by.writer.store(last);
  }
}

const OPEN = Buffer.alloc(0);

/** A chunk of merged rows, or one that stays. */
type MergedChunk = { kind: 'NEW'; draft: ChunkDraft } | { kind: 'KEPT'; entry: ChunkEntry; span: ChunkSpan };

class MergedTable {
  /** Waits for its upper bound: ranges without rows join it. */
  private last: MergedChunk | null = null;

  constructor(
    private readonly table: TableManifest,
    private readonly by: { compacting: TableCompacting; writer: BaseLayerWriter },
  ) {}

  /** False where a range is too large to be one chunk. */
  async write(): Promise<boolean> {
    for await (const span of chunkSpans(this.by.compacting.store, this.table)) {
      if (!(await this.take(span))) return false;
      advance(this.table, span, this.by.compacting);
    }
    await this.writeLast();
    return true;
  }

  private async take(span: ChunkSpan): Promise<boolean> {
    const { entry } = span;
    if (isUntouched(span)) {
      if (entry !== null) await this.begin({ kind: 'KEPT', entry: { ...entry, ...this.boundsOf(span) }, span });
      return true;
    }
    const rows = new RowCollector();
    rows.addBatch(await readSpan(this.table, span, this.by.compacting));
    const { rowCount, rawBytes } = rows;
    if (rowCount === 0) this.join(span);
    else if (rawBytes > MAX_MERGED_BYTES) return false;
    else {
      const draft = { payload: rows.takePayload(), rowCount, rawBytes, ...this.boundsOf(span) };
      await this.begin({ kind: 'NEW', draft });
    }
    return true;
  }

  /** The first range is open below whatever became of its rows. */
  private boundsOf({ range }: ChunkSpan): Pick<ChunkEntry, 'firstKey' | 'lastKey'> {
    return { firstKey: (this.last && range.from) ?? OPEN, lastKey: range.to ?? OPEN };
  }

  private async begin(chunk: MergedChunk): Promise<void> {
    await this.writeLast();
    this.last = chunk;
  }

  private join({ range }: ChunkSpan): void {
    if (this.last === null) return;
    const bounds = this.last.kind === 'NEW' ? this.last.draft : this.last.entry;
    bounds.lastKey = range.to ?? OPEN;
  }

  private async writeLast(): Promise<void> {
    const { last } = this;
    if (last?.kind === 'NEW') await this.by.writer.store(last.draft);
    if (last?.kind !== 'KEPT') return;
    await this.by.writer.keep(last.entry, () => readBase(last.span, this.by.compacting.store));
  }
}

function isUntouched({ deltas }: ChunkSpan): boolean {
  return deltas.length === 0;
}

function advance({ table }: TableManifest, span: ChunkSpan, { context }: TableCompacting): void {
  throwIfAborted(context.signal);
  context.progress.advance({ rows: span.entry?.rowCount ?? 0, bytes: spanBytes(span), table });
}

/** Each item with the one after it. */
async function* inPairs<Item>(items: AsyncIterable<Item>): AsyncGenerator<[Item, Item | null]> {
  let held: Item | null = null;
  for await (const item of items) {
    if (held !== null) yield [held, item];
    held = item;
  }
  if (held !== null) yield [held, null];
}
