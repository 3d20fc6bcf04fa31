/**
 * Finds, in a backup, the rows that refer to given keys: through the indexes of the table's layers, reading only the key ranges that
 * they name. Gives up, with the reason, where it can't know them all or would read too much: then every row must be looked at.
 */
import type { BackupStore } from '../../domain/backup-store';
import type { LayerRef, TableManifest } from '../../domain/manifest';
import type { RowBatch, RowCodec } from '../../domain/rows';
import type { ForeignKey } from '../../domain/table';
import {
  columnsOf, FieldLocator, ValueReader, OTHER_NUMBER, positionsOf, HAS_NULL, readerOfFields, type IndexedColumns,
} from '../rows/value-reader'; // prettier-ignore
import { NO_ROWS, RowCollector } from '../rows/row-chunk';
import { chunkSpans, readSpan, spanBytes, type ChunkSpan } from './backup-rows';
import { isDamage } from './prove-chunks';

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
  const roots = rootsOf(table.layers, columns);
  if (roots === null) return unknown(wanted, 'the parent backup has no index of it');
  const values = valuesOf(columns, wanted.values, reading);
  if (values === null) return unknown(wanted, 'only the server can tell what is equal to one of the values');
  if (values.texts.size === 0) return { kind: 'FOUND', rows: NO_ROWS };
  const spans = await spansOf(wanted, { roots, numbers: values.numbers }, reading);
  if (typeof spans === 'string') return unknown(wanted, spans);
  return { kind: 'FOUND', rows: await readChildren(table, { spans, columns, texts: values.texts }, reading) };
}

function unknown({ table, key }: ChildrenWanted, why: string): FoundChildren {
  return { kind: 'UNKNOWN', reason: `its rows can't be found by foreign key ${key.name} (${table.table}): ${why}` };
}

/** One for each layer; null in place of those that list no row. Null where a layer is not indexed so. */
function rootsOf(layers: readonly LayerRef[], columns: IndexedColumns): (string | null)[] | null {
  const wanted = spell(columns);
  const found = layers.map(({ valueIndexes }) => valueIndexes?.find((index) => spell(index.columns) === wanted));
  return found.every((index) => index !== undefined) ? found.map(({ root }) => root) : null;
}

function spell(columns: IndexedColumns): string {
  return JSON.stringify(columns.map(({ name, form }) => [name, form]));
}

interface PlainValues {
  texts: Set<string>;
  /** To look under; ascending. */
  numbers: Uint32Array;
}

/** Null where one of them may be equal to anything. */
function valuesOf(
  columns: IndexedColumns,
  { bytes, ends }: RowBatch,
  { store, codec }: ChildrenReading,
): PlainValues | null {
  const reader = readerOfFields(columns, store.chunkSeed);
  const locator = new FieldLocator(codec, [columns.length - 1]);
  const texts = new Set<string>();
  const numbers = new Set<number>([OTHER_NUMBER]);
  let start = 0;
  for (const end of ends) {
    const number = reader.read(bytes, locator.locate(bytes, start));
    start = end;
    if (number === HAS_NULL) continue;
    if (!reader.isPlain) return null;
    texts.add(reader.plainText());
    numbers.add(number);
  }
  return { texts, numbers: Uint32Array.from(numbers).sort() };
}

/** In words why not, where they can't be told or are too many. */
async function spansOf(
  { table }: ChildrenWanted,
  { roots, numbers }: { roots: readonly (string | null)[]; numbers: Uint32Array },
  { store }: ChildrenReading,
): Promise<ChunkSpan[] | string> {
  const ordinals: Set<number>[] = [];
  for (const [index, root] of roots.entries()) {
    const limit = ALWAYS_READ_CHUNKS + MAX_READ_SHARE * (table.layers[index] as LayerRef).chunkCount;
    const found = root === null ? new Uint32Array(0) : await lookUp(store, { root, numbers, limit });
    if (typeof found === 'string') return found;
    ordinals.push(new Set(found));
  }
  return spansAt(table, ordinals, store);
}

const TOO_MANY = 'too much of the parent backup would have to be read';

async function lookUp(
  store: BackupStore,
  { root, numbers, limit }: { root: string; numbers: Uint32Array; limit: number },
): Promise<Uint32Array | string> {
  try {
    return (await store.listedChunks(root, numbers, limit)) ?? TOO_MANY;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return `its index in the parent backup is damaged: ${error.message}`;
  }
}

async function spansAt(
  table: TableManifest,
  ordinals: readonly ReadonlySet<number>[],
  store: BackupStore,
): Promise<ChunkSpan[] | string> {
  const spans: ChunkSpan[] = [];
  const most = Math.min(MAX_READ_BYTES, Math.max(ALWAYS_READ_BYTES, MAX_READ_SHARE * table.rawBytes));
  let bytes = 0;
  for await (const span of chunkSpans(store, table)) {
    if (!isNamed(span, ordinals)) continue;
    spans.push(span);
    bytes += spanBytes(span);
    if (bytes > most) return TOO_MANY;
  }
  return spans;
}

function isNamed({ index, deltas }: ChunkSpan, [base, ...above]: readonly ReadonlySet<number>[]): boolean {
  return base?.has(index) === true || deltas.some(({ layer, ordinal }) => above[layer - 1]?.has(ordinal) === true);
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
