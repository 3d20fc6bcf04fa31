/** The value indexes that a manifest names, beside its layers. */
import type { ChunkId, Manifest } from '../domain/manifest';

export function indexRoots({ tables }: Pick<Manifest, 'tables'>): ChunkId[] {
  const indexes = tables.flatMap(({ layers }) => layers.flatMap(({ valueIndexes }) => valueIndexes ?? []));
  return indexes.flatMap(({ root }) => root ?? []);
}
