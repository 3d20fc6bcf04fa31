/** Which columns of two structures of one table can be compared, and what is to be told of the rest. */
import type { RowSlice } from '../rows/compare-rows';
import type { RowMatching, Side } from '../rows/join-states';
import { FieldReader } from '../rows/row-filter';
import { keyColumnIndexes, type ColumnStructure, type TableStructure } from '../../domain/table';
import type { RowCodec } from '../../domain/rows';

export type Structures = Record<Side, TableStructure>;

export interface ComparedColumns {
  /** Names of the columns that both have, with values that are encoded alike, in the order of the second. */
  names: string[];
  /** True where rows of both are encoded alike, so that equal bytes are equal rows. */
  isSameLayout: boolean;
  /** False where nothing tells which row of the one is which of the other. */
  hasSameKey: boolean;
  /** What is not compared, and why. */
  notes: string[];
}

export function comparedColumns({ before, after }: Structures): ComparedColumns {
  const names: string[] = [];
  const notes = before.columns.filter(({ name }) => columnOf(after, name) === undefined).map(isGone);
  for (const column of after.columns) {
    const earlier = columnOf(before, column.name);
    if (earlier !== undefined && isAlike(earlier, column)) names.push(column.name);
    else notes.push(earlier === undefined ? isNew(column) : isOther(earlier, column));
  }
  const hasSameKey = before.key.join() === after.key.join() && after.key.every((name) => names.includes(name));
  if (!hasSameKey) notes.push(otherKey(before, after));
  const isSameLayout = hasSameKey && [before, after].every(({ columns }) => columns.map(({ name }) => name).join() === names.join()); // prettier-ignore
  return { names, isSameLayout, hasSameKey, notes };
}

/** Null where their keys are others. */
export function matchingOf(structures: Structures, codec: RowCodec): RowMatching | null {
  const compared = comparedColumns(structures);
  if (!compared.hasSameKey) return null;
  const { before, after } = structures;
  const keyColumns = { before: keyColumnIndexes(before), after: keyColumnIndexes(after) };
  if (compared.isSameLayout) return { codec, keyColumns };
  return { codec, keyColumns, isSame: sameIn(compared.names, structures, codec) };
}

/** Values are the same where their bytes are: nothing else knows each type, charset and collation for certain. */
function isAlike(one: ColumnStructure, other: ColumnStructure): boolean {
  return one.kind === other.kind && one.charset === other.charset;
}

function columnOf({ columns }: TableStructure, name: string): ColumnStructure | undefined {
  return columns.find((column) => column.name === name);
}

function sameIn(names: readonly string[], { before, after }: Structures, codec: RowCodec): RowMatching['isSame'] {
  const [one, other] = [new FieldReader(codec, before), new FieldReader(codec, after)];
  const positions = names.map((name) => [positionOf(before, name), positionOf(after, name)] as const);
  return (rowBefore: RowSlice, rowAfter: RowSlice) => {
    one.locate(rowBefore.bytes, rowBefore.start);
    other.locate(rowAfter.bytes, rowAfter.start);
    return positions.every(([earlier, later]) => one.field(earlier).equals(other.field(later)));
  };
}

function positionOf({ columns }: TableStructure, name: string): number {
  return columns.findIndex((column) => column.name === name);
}

function isGone({ name }: ColumnStructure): string {
  return `Column ${name} is in the base alone; its values are not compared.`;
}

function isNew({ name }: ColumnStructure): string {
  return `Column ${name} is in the target alone; its values are not compared.`;
}

function isOther(earlier: ColumnStructure, { name, type, charset }: ColumnStructure): string {
  const spell = (column: Pick<ColumnStructure, 'type' | 'charset'>): string =>
    [column.type || 'no type', column.charset].filter(Boolean).join(' ');
  return `Column ${name} is ${spell({ type, charset })} in the target and ${spell(earlier)} in the base; its values are not compared.`;
}

function otherKey(before: TableStructure, after: TableStructure): string {
  return `Its key is (${after.key.join(', ')}) in the target and (${before.key.join(', ')}) in the base, so no row of the one is known to be one of the other: all are told as removed and added.`;
}
