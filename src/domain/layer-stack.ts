/** How tall a table's stack of layers may grow, and how tall a backup's are. */
import type { Manifest } from './manifest';

/** Every read of a range opens a chunk of each layer that changed it: a table with so many is taken whole next. */
export const MAX_DELTA_LAYERS = 16;

/** The largest number of delta layers that a table of the backup has. */
export function tallestStack({ tables }: Pick<Manifest, 'tables'>): number {
  return Math.max(0, ...tables.map(({ layers }) => layers.length - 1));
}
