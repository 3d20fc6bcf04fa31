/**
 * Which spans two states of a table do not share. Two that name the same chunks hold the same rows, so neither is read; of trees of index
 * pages only those pages are read that one of both alone has.
 */
import type { BackupStore, ChunkEntry } from '../../domain/backup-store';
import type { LayerRef, TableManifest } from '../../domain/manifest';
import { chunkSpans, layersOf, type ChunkSpan, type SpanChunks } from './backup-rows';
import { unsharedRuns, type UnsharedRun } from './unshared-runs';

/** True where one look at the manifests tells that all rows are the same. */
export function isSameStack(before: TableManifest, after: TableManifest): boolean {
  return (
    before.layers.length === after.layers.length &&
    before.layers.every((layer, i) => isSameLayer(layer, after.layers[i]))
  );
}

/** True where each span of one state speaks for the keys of the other's span of the same position. */
export function isSameBase(before: TableManifest, after: TableManifest): boolean {
  return isSameLayer(layersOf(before).base, layersOf(after).base);
}

function isSameLayer(one: LayerRef, other: LayerRef | undefined): boolean {
  return one.kind === other?.kind && one.root === other.root;
}

/** Of two stacks on the same base: the spans of both whose changes differ. */
export async function* changedSpans(
  store: BackupStore,
  before: TableManifest,
  after: TableManifest,
): AsyncGenerator<{ before: ChunkSpan; after: ChunkSpan }> {
  const others = chunkSpans(store, after);
  for await (const span of chunkSpans(store, before)) {
    const other = await others.next();
    if (other.done !== true && nameOf(span) !== nameOf(other.value)) yield { before: span, after: other.value };
  }
  await others.next(); // which proves that no change of its layers is left over
}

/** Of any two states. Rows of one run may still have their like, or nothing like them, in any other. */
export function unsharedSpans(
  store: BackupStore,
  before: TableManifest,
  after: TableManifest,
): AsyncIterable<UnsharedRun<SpanChunks>> {
  const stacks = [layersOf(before), layersOf(after)] as const;
  if (stacks.every(({ deltas }) => deltas.length === 0)) return unsharedChunks(store, stacks[0].base, stacks[1].base);
  return unsharedRuns(chunkSpans(store, before), chunkSpans(store, after), nameOf);
}

function nameOf({ entry, deltas }: SpanChunks): string {
  return [entry?.id ?? '', ...deltas.map(({ id }) => id)].join();
}

async function* unsharedChunks(
  store: BackupStore,
  before: LayerRef,
  after: LayerRef,
): AsyncGenerator<UnsharedRun<SpanChunks>> {
  const trees = [await treeOf(store, before), await treeOf(store, after)] as const;
  const level = Math.min(trees[0].level, trees[1].level);
  const entries = trees.map((tree) => entriesAt(store, tree, level));
  for await (const run of unsharedBelow(store, entries as [Entries, Entries], level)) {
    yield { before: run.before.map(spanOf), after: run.after.map(spanOf) };
  }
}

type Entries = AsyncIterable<ChunkEntry>;

/** Level by level, for a page that both trees have lists the same chunks. */
async function* unsharedBelow(
  store: BackupStore,
  [before, after]: readonly [Entries, Entries],
  level: number,
): AsyncGenerator<UnsharedRun<ChunkEntry>> {
  for await (const run of unsharedRuns(before, after, ({ id }) => id)) {
    if (level === 0) yield run;
    else yield* unsharedBelow(store, [listed(store, run.before), listed(store, run.after)], level - 1);
  }
}

async function treeOf(store: BackupStore, { root }: LayerRef): Promise<{ level: number; entries: ChunkEntry[] }> {
  return root === null ? { level: 0, entries: [] } : store.layerPage(root);
}

/** Trees of different heights are compared from the lower one's root on. */
function entriesAt(store: BackupStore, tree: { level: number; entries: ChunkEntry[] }, level: number): Entries {
  let entries: Entries = each(tree.entries);
  for (let above = tree.level; above > level; above--) entries = listed(store, entries);
  return entries;
}

async function* listed(store: BackupStore, pages: Entries | readonly ChunkEntry[]): AsyncGenerator<ChunkEntry> {
  for await (const { id } of pages) yield* (await store.layerPage(id)).entries;
}

async function* each(entries: readonly ChunkEntry[]): AsyncGenerator<ChunkEntry> {
  yield* entries;
}

function spanOf(entry: ChunkEntry): SpanChunks {
  return { entry, deltas: [] };
}
