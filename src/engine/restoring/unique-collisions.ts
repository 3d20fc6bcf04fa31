/**
 * Says which updates could meet another row on a unique key midway, e.g. two rows that swap a value: those that change a column
 * of one. A unique key over generated columns or expressions can change with any column.
 */
import type { RowCodec } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';
import type { RowSlice } from '../rows/compare-rows';
import { FieldReader } from '../rows/row-filter';

export type CollisionTest = (before: RowSlice, after: RowSlice) => boolean;

/** Null where no update can. */
export function collisionTest(structure: TableStructure, codec: RowCodec): CollisionTest | null {
  const unique = structure.indexes.filter((index) => index.unique);
  const names = [...new Set(unique.flatMap((index) => index.columns))];
  if (names.length === 0) return null;
  const columns = names.map((name) => structure.columns.findIndex((column) => column.name === name));
  if (columns.includes(-1)) return () => true;
  const before = new FieldReader(codec, structure);
  const after = new FieldReader(codec, structure);
  return (old, next) => {
    before.locate(old.bytes, old.start);
    after.locate(next.bytes, next.start);
    return columns.some((column) => !before.sameField(after, column));
  };
}
