/** What must hold of two tables so that rows of the one can be followed to those of the other that refer to them. Pure. */
import type { ForeignKey, TableStructure } from '../../domain/table';

/** Whether no two rows of the table have the same values in these columns. */
export function isUnique({ key, indexes }: TableStructure, columns: readonly string[]): boolean {
  const lists = [key, ...indexes.flatMap((index) => (index.unique ? [index.columns] : []))];
  return lists.some((list) => list.length > 0 && list.every((name) => columns.includes(name)));
}

/** Whether equal values of the referring and the referenced columns are of the same bytes, but for what a collation calls equal. */
export function isOfOneKind(parent: TableStructure, child: TableStructure, key: ForeignKey): boolean {
  return key.columns.every((name, i) => {
    const above = parent.columns.find((column) => column.name === key.referencedColumns[i]);
    const below = child.columns.find((column) => column.name === name);
    if (above === undefined || below === undefined || above.kind !== below.kind) return false;
    return above.charset === below.charset && (above.kind !== 'ENUM' || above.type === below.type);
  });
}

export function overlaps(columns: readonly string[], others: readonly string[]): boolean {
  return columns.some((name) => others.includes(name));
}
