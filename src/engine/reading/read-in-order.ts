/** A range's rows in the order of their keys where bytes alone tell it, else in one that stays. */
import type { BackupStore } from '../../domain/backup-store';
import type { TableManifest } from '../../domain/manifest';
import type { RowBatch, RowCodec } from '../../domain/rows';
import { keyColumnIndexes } from '../../domain/table';
import { sortRows } from '../rows/sort-rows';
import { isInKeyOrder, readSpan, type ChunkSpan } from './backup-rows';

/** Throws as `readSpan`. */
export async function readInOrder(
  table: TableManifest,
  span: ChunkSpan,
  { store, codec }: { store: BackupStore; codec: RowCodec },
): Promise<RowBatch> {
  const rows = await readSpan(table, span, { store, codec });
  const sortKey = isInKeyOrder(span) ? null : codec.sortKey?.(table.structure);
  if (!sortKey) return rows;
  return sortRows(rows, span.range, { codec, sortKey, keyColumns: keyColumnIndexes(table.structure) }) ?? rows;
}
