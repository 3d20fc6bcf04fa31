/**
 * Finds the spans of a table in which rows with given values in some columns may stand, by the value indexes of its layers, without
 * reading any rows. Old values need no index of their own: whoever reads a span merges all of its layers, and a row that moved or went
 * is found where a layer below still has it.
 */
import type { BackupStore } from '../../domain/backup-store';
import type { LayerRef, TableManifest } from '../../domain/manifest';
import type { RowBatch, RowCodec } from '../../domain/rows';
import { FieldLocator, HAS_NULL, OTHER_NUMBER, readerOfFields, type IndexedColumns } from '../rows/value-reader';
import { chunkSpans, spanBytes, type ChunkSpan } from './backup-rows';
import { isDamage } from './prove-chunks';

/** How much may be worth reading; absent bounds are none. */
export interface SpanLimits {
  chunksOf?: (layer: LayerRef) => number;
  bytes?: number;
}

export type ListedSpans =
  { kind: 'LISTED'; spans: ChunkSpan[] } | { kind: 'TOO_MANY' } | { kind: 'DAMAGED'; message: string };

/** One for each layer; null in place of those that list no row. Null where a layer is not indexed so. */
export function indexRoots(layers: readonly LayerRef[], columns: IndexedColumns): (string | null)[] | null {
  const wanted = spell(columns);
  const found = layers.map(({ valueIndexes }) => valueIndexes?.find((index) => spell(index.columns) === wanted));
  return found.every((index) => index !== undefined) ? found.map(({ root }) => root) : null;
}

function spell(columns: IndexedColumns): string {
  return JSON.stringify(columns.map(({ name, form }) => [name, form]));
}

export interface PlainValues {
  texts: Set<string>;
  /** To look under; ascending. */
  numbers: Uint32Array;
}

/** Values given as the encoded fields of the columns, in their order. Null where one of them may be equal to anything. */
export function plainValues(
  columns: IndexedColumns,
  { bytes, ends }: RowBatch,
  { store, codec }: { store: BackupStore; codec: RowCodec },
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

export interface Listing {
  store: BackupStore;
  /** `indexRoots` */
  roots: readonly (string | null)[];
  /** Ascending. */
  numbers: Uint32Array;
  limits?: SpanLimits;
}

/** In the order of their keys. */
export async function listedSpans(table: TableManifest, listing: Listing): Promise<ListedSpans> {
  const { store, roots, numbers, limits } = listing;
  const ordinals: Set<number>[] = [];
  for (const [i, root] of roots.entries()) {
    const limit = limits?.chunksOf?.(table.layers[i] as LayerRef) ?? Infinity;
    const found = root === null ? [] : await lookUp(store, { root, numbers, limit });
    if (found === null) return { kind: 'TOO_MANY' };
    if (typeof found === 'string') return { kind: 'DAMAGED', message: found };
    ordinals.push(new Set(found));
  }
  if (ordinals.every(({ size }) => size === 0)) return { kind: 'LISTED', spans: [] };
  return spansAt(table, ordinals, listing);
}

/** Null for too many; in words where the index is damaged. */
async function lookUp(
  store: BackupStore,
  { root, numbers, limit }: { root: string; numbers: Uint32Array; limit: number },
): Promise<Uint32Array | string | null> {
  try {
    return await store.listedChunks(root, numbers, limit);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return error.message;
  }
}

async function spansAt(
  table: TableManifest,
  ordinals: readonly ReadonlySet<number>[],
  { store, limits }: Listing,
): Promise<ListedSpans> {
  const spans: ChunkSpan[] = [];
  let bytes = 0;
  for await (const span of chunkSpans(store, table)) {
    if (!isNamed(span, ordinals)) continue;
    spans.push(span);
    bytes += spanBytes(span);
    if (bytes > (limits?.bytes ?? Infinity)) return { kind: 'TOO_MANY' };
  }
  return { kind: 'LISTED', spans };
}

function isNamed({ index, deltas }: ChunkSpan, [base, ...above]: readonly ReadonlySet<number>[]): boolean {
  return base?.has(index) === true || deltas.some(({ layer, ordinal }) => above[layer - 1]?.has(ordinal) === true);
}
