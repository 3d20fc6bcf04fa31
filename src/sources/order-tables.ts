/** Parents before children: the order in which tables are listed, created and filled. Pure. */
import type { TableStructure } from '../domain/table';

/** Stable: tables keep the given order where no foreign key asks for another; those of a cycle follow in the given order. */
export function parentsFirst<T extends Pick<TableStructure, 'table' | 'foreignKeys'>>(tables: readonly T[]): T[] {
  const ordered: T[] = [];
  const waiting = new Set(tables);
  while (waiting.size > 0) {
    const next = [...waiting].find((table) => !hasWaitingParent(table, waiting)) ?? first(waiting);
    waiting.delete(next);
    ordered.push(next);
  }
  return ordered;
}

function hasWaitingParent<T extends Pick<TableStructure, 'table' | 'foreignKeys'>>(table: T, waiting: Set<T>): boolean {
  const parents = table.foreignKeys
    .filter((key) => key.referencedSchema === undefined)
    .map((key) => key.referencedTable);
  return [...waiting].some((other) => other !== table && parents.includes(other.table));
}

function first<T>(values: Set<T>): T {
  return [...values][0] as T;
}
