/**
 * Finds, in a backup, the rows that refer to given keys: through the indexes of the table's layers, reading only the key ranges that
 * they name. Gives up, with the reason, where it can't know them all or would read too much: then every row must be looked at.
 */
import type { BackupStore } from '../../domain/backup-store';
import type { TableManifest } from '../../domain/manifest';
import type { RowBatch, RowCodec } from '../../domain/rows';
import type { ForeignKey } from '../../domain/table';
import { NO_ROWS, RowCollector } from '../rows/row-chunk';
import { columnsOf, FieldLocator, HAS_NULL, positionsOf, ValueReader, type IndexedColumns } from '../rows/value-reader';
import { readSpan, type ChunkSpan } from './backup-rows';
import { indexRoots, listedSpans, plainValues, type ListedSpans, type SpanLimits } from './listed-spans';

/** What is read is also kept; beyond this comparing the table with its source is about as cheap. */
const MAX_READ_BYTES = 64 * 1024 * 1024;
/** The same for small tables, as a share, and for those so small that a share says nothing. */
const MAX_READ_SHARE = 0.25;
const ALWAYS_READ_BYTES = 8 * 1024 * 1024;
const ALWAYS_READ_CHUNKS = 64;

export interface ChildrenWanted {
  /** The referring table, as the backup holds it. */
  table: TableManifest;
  key: Pick<ForeignKey, 'name' | 'columns'>;
  /** Values of the key that rows may refer to: the encoded fields of its columns, in its order, each like a row of the batch. */
  values: RowBatch;
}

export interface ChildrenReading {
  store: BackupStore;
  codec: RowCodec;
}

/** Rows that may refer to one of the values, in no order; those that surely do not are not among them. */
export type FoundChildren = { kind: 'FOUND'; rows: RowBatch } | { kind: 'UNKNOWN'; reason: string };

export async function childrenOf(wanted: ChildrenWanted, reading: ChildrenReading): Promise<FoundChildren> {
  const { table, key } = wanted;
  const columns = columnsOf(table.structure, key.columns);
  if (columns === null) return unknown(wanted, 'only the server can tell which of its values are equal');
  const roots = indexRoots(table.layers, columns);
  if (roots === null) return unknown(wanted, 'the parent backup has no index of it');
  const values = plainValues(columns, wanted.values, reading);
  if (values === null) return unknown(wanted, 'only the server can tell what is equal to one of the values');
  if (values.texts.size === 0) return { kind: 'FOUND', rows: NO_ROWS };
  const { store } = reading;
  const listed = await listedSpans(table, { store, roots, numbers: values.numbers, limits: limitsOf(table) });
  if (listed.kind !== 'LISTED') return unknown(wanted, notListed(listed));
  return { kind: 'FOUND', rows: await readChildren(table, { ...listed, columns, texts: values.texts }, reading) };
}

function limitsOf({ rawBytes }: TableManifest): SpanLimits {
  return {
    chunksOf: ({ chunkCount }) => ALWAYS_READ_CHUNKS + MAX_READ_SHARE * chunkCount,
    bytes: Math.min(MAX_READ_BYTES, Math.max(ALWAYS_READ_BYTES, MAX_READ_SHARE * rawBytes)),
  };
}

function notListed(listed: Exclude<ListedSpans, { kind: 'LISTED' }>): string {
  return listed.kind === 'DAMAGED'
    ? `its index in the parent backup is damaged: ${listed.message}`
    : 'too much of the parent backup would have to be read';
}

function unknown({ table, key }: ChildrenWanted, why: string): FoundChildren {
  return { kind: 'UNKNOWN', reason: `its rows can't be found by foreign key ${key.name} (${table.table}): ${why}` };
}

/** Layers are merged before their rows are looked at: what a row once referred to does not count. */
async function readChildren(
  table: TableManifest,
  { spans, columns, texts }: { spans: readonly ChunkSpan[]; columns: IndexedColumns; texts: ReadonlySet<string> },
  reading: ChildrenReading,
): Promise<RowBatch> {
  const positions = positionsOf(table.structure, columns);
  const reader = new ValueReader(columns, positions, reading.store.chunkSeed);
  const locator = new FieldLocator(reading.codec, positions);
  const children = new RowCollector();
  for (const span of spans) {
    const { bytes, ends } = await readSpan(table, span, reading);
    let start = 0;
    for (const end of ends) {
      const number = reader.read(bytes, locator.locate(bytes, start));
      if (number !== HAS_NULL && (!reader.isPlain || texts.has(reader.plainText()))) children.add(bytes, start, end);
      start = end;
    }
  }
  return children.takeBatch();
}
