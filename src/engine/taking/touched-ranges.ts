/**
 * Finds the key ranges of a base layer that keys belong to, reading only the pages of its index that lead to them. The source alone
 * says where keys stand: nothing here understands their order.
 */
import type { BackupStore, LayerPage } from '../../domain/backup-store';
import type { LayerRef } from '../../domain/manifest';
import { WHOLE_TABLE, type KeyBytes, type KeyRange } from '../../domain/rows';

export interface TouchedRange {
  range: KeyRange;
  keys: KeyBytes[];
}

export interface RangeFinding {
  store: Pick<BackupStore, 'layerPage'>;
  /** How many of the bounds stand at or before each key. */
  place: (keys: readonly KeyBytes[], bounds: readonly KeyBytes[]) => Promise<Uint32Array>;
}

/** In the order of the layer. */
export async function* touchedRanges(
  base: LayerRef,
  keys: KeyBytes[],
  finding: RangeFinding,
): AsyncGenerator<TouchedRange> {
  if (keys.length === 0) return;
  if (base.root === null) yield { range: WHOLE_TABLE, keys };
  else yield* within(await finding.store.layerPage(base.root), { range: WHOLE_TABLE, keys }, finding);
}

/** `outer` is the range of the whole page. */
async function* within(
  { level, entries }: LayerPage,
  outer: TouchedRange,
  finding: RangeFinding,
): AsyncGenerator<TouchedRange> {
  const bounds = entries.slice(1).map(({ firstKey }) => firstKey);
  const groups = await grouped(outer.keys, bounds, finding);
  for (const [i, entry] of entries.entries()) {
    const keys = groups[i];
    if (keys === undefined) continue;
    const range = { from: bounds[i - 1] ?? outer.range.from, to: bounds[i] ?? outer.range.to };
    if (level === 0) yield { range, keys };
    else yield* within(await finding.store.layerPage(entry.id), { range, keys }, finding);
  }
}

/** The keys of each range between the bounds; nothing where there are none. */
async function grouped(
  keys: readonly KeyBytes[],
  bounds: readonly KeyBytes[],
  { place }: RangeFinding,
): Promise<(KeyBytes[] | undefined)[]> {
  const groups: (KeyBytes[] | undefined)[] = [];
  const places = await place(keys, bounds);
  keys.forEach((key, i) => (groups[places[i] as number] ??= []).push(key));
  return groups;
}
