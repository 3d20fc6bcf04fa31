/** What must hold of two tables so that rows of the one can be followed to those of the other that refer to them. Pure. */
import type { ColumnStructure, ForeignKey, TableStructure } from '../../domain/table';

/** Whether no two rows of the table have the same values in these columns. */
export function isUnique({ key, indexes }: TableStructure, columns: readonly string[]): boolean {
  const lists = [key, ...indexes.flatMap((index) => (index.unique ? [index.columns] : []))];
  return lists.some((list) => list.length > 0 && list.every((name) => columns.includes(name)));
}

export interface ColumnPair {
  above: ColumnStructure;
  below: ColumnStructure;
}

/** What each column of the key refers to; null where a column is not among these. */
export function pairsOf(
  above: readonly ColumnStructure[],
  below: readonly ColumnStructure[],
  key: ForeignKey,
): ColumnPair[] | null {
  const pairs = key.columns.flatMap((name, i) => {
    const referred = above.find((column) => column.name === key.referencedColumns[i]);
    const referring = below.find((column) => column.name === name);
    return referred && referring ? [{ above: referred, below: referring }] : [];
  });
  return pairs.length === key.columns.length ? pairs : null;
}

/**
 * Whether values that InnoDB takes for equal are printed alike, but for what a collation or a display width makes of them. It compares
 * what it stores, which for DECIMAL(10,1) and DECIMAL(10,2), or times of one and of two decimals, is the same for other values.
 */
export function isOfOneKind({ above, below }: ColumnPair): boolean {
  const isSame = above.kind === below.kind && above.charset === below.charset && above.collation === below.collation;
  return isSame && (above.kind === 'INTEGER' || withoutLength(above) === withoutLength(below));
}

function withoutLength({ type }: ColumnStructure): string {
  return type.toLowerCase().replace(/^((?:var)?char|varbinary)\(\d+\)/, '$1');
}

export function overlaps(columns: readonly string[], others: readonly string[]): boolean {
  return columns.some((name) => others.includes(name));
}
