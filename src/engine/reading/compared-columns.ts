/** Which columns of two structures of one table can be compared, and what is to be told of the rest. */
import { isAppError } from '../../domain/errors';
import type { FieldFit, RowCodec } from '../../domain/rows';
import { keyColumnIndexes, type ColumnStructure, type TableStructure } from '../../domain/table';
import type { RowSlice } from '../rows/compare-rows';
import type { RowMatching, Side } from '../rows/join-states';
import { comparable, type MatchedColumn } from '../rows/matched-columns';
import { FieldReader } from '../rows/row-filter';

export type Structures = Record<Side, TableStructure>;

export interface ComparedColumns {
  /** Those that both have, with values of which the one side's have a place in the other's column; in the order of the second. */
  columns: MatchedColumn[];
  /** True where rows of both are encoded alike, so that equal bytes are equal rows. */
  isSameLayout: boolean;
  /** False where nothing tells which row of the one is which of the other. */
  hasSameKey: boolean;
  /** Whether keys sort in the one as in the other, so that a range of keys means the same rows in both. */
  keepsKeyOrder: boolean;
  /** What is not compared, and why. */
  notes: string[];
}

export function comparedColumns({ before, after }: Structures, codec: RowCodec): ComparedColumns {
  const columns: MatchedColumn[] = [];
  const notes = before.columns.filter(({ name }) => columnOf(after, name) === undefined).map(isGone);
  for (const column of after.columns) {
    const earlier = columnOf(before, column.name);
    const matched = earlier && matchColumn({ before, after }, column.name, codec);
    if (matched) columns.push(matched);
    else notes.push(earlier === undefined ? isNew(column) : isOther(earlier, column));
  }
  const keys = matchKeys({ before, after }, codec);
  if (keys === null) notes.push(otherKey(before, after));
  const isAsBefore = (column: MatchedColumn, i: number): boolean => !column.recode && before.columns[i]?.name === column.name; // prettier-ignore
  const isSameLayout = keys !== null && [before, after].every((side) => side.columns.length === columns.length) && columns.every(isAsBefore); // prettier-ignore
  return { columns, isSameLayout, hasSameKey: keys !== null, keepsKeyOrder: keys?.keepsOrder === true, notes };
}

/** Null where their keys are others. */
export function matchingOf(structures: Structures, codec: RowCodec): RowMatching | null {
  const compared = comparedColumns(structures, codec);
  if (!compared.hasSameKey) return null;
  const { before, after } = structures;
  const keyColumns = { before: keyColumnIndexes(before), after: keyColumnIndexes(after) };
  if (compared.isSameLayout) return { codec, keyColumns };
  return { codec, keyColumns, isSame: sameIn(compared.columns, structures, codec) };
}

/** Null where no value of the one has a certain place in the column of the other. */
function matchColumn(structures: Structures, name: string, codec: RowCodec): MatchedColumn | null {
  const found = fitEitherWay(structures, name, codec);
  if (found === null) return null;
  const { side, fit } = found;
  return fit.recode === null ? { name } : { name, recode: { side, field: orAsItIs(fit.recode) } };
}

/** The side whose values the column of the other one holds, and how. */
function fitEitherWay(
  { before, after }: Structures,
  name: string,
  codec: RowCodec,
): { side: Side; fit: FieldFit } | null {
  const earlier = { table: before, column: columnOf(before, name) as ColumnStructure };
  const later = { table: after, column: columnOf(after, name) as ColumnStructure };
  const forth = codec.fit(earlier, later);
  if (typeof forth !== 'string') return { side: 'before', fit: forth };
  const back = codec.fit(later, earlier);
  return typeof back === 'string' ? null : { side: 'after', fit: back };
}

/** A value that has no place in the other column is none of its values. */
function orAsItIs(recode: (field: Buffer) => Buffer): (field: Buffer) => Buffer {
  return (field) => {
    try {
      return recode(field);
    } catch (error) {
      if (!isAppError(error)) throw error;
      return field;
    }
  };
}

/** Null where they are other columns, or their values are stored in two ways: rows are found by the bytes of their keys. */
function matchKeys({ before, after }: Structures, codec: RowCodec): { keepsOrder: boolean } | null {
  if (before.key.join() !== after.key.join()) return null;
  let keepsOrder = true;
  for (const name of after.key) {
    const fit = fitEitherWay({ before, after }, name, codec)?.fit;
    const isAlike = fit ? fit.recode === null : hasSameBytes({ before, after }, name);
    if (!isAlike) return null;
    keepsOrder &&= fit?.keepsOrder === true;
  }
  return { keepsOrder };
}

/** As far as can be told of types of which neither holds all values of the other. */
function hasSameBytes({ before, after }: Structures, name: string): boolean {
  const [one, other] = [columnOf(before, name), columnOf(after, name)];
  return one?.kind === other?.kind && one?.charset === other?.charset;
}

function columnOf({ columns }: TableStructure, name: string): ColumnStructure | undefined {
  return columns.find((column) => column.name === name);
}

function sameIn(
  columns: readonly MatchedColumn[],
  { before, after }: Structures,
  codec: RowCodec,
): RowMatching['isSame'] {
  const [one, other] = [new FieldReader(codec, before), new FieldReader(codec, after)];
  const placed = columns.map((column) => [column, positionOf(before, column.name), positionOf(after, column.name)] as const); // prettier-ignore
  const fieldOf = (of: FieldReader, at: number) => ({ field: of.field(at), isNull: of.isNull(at) });
  return (rowBefore: RowSlice, rowAfter: RowSlice) => {
    one.locate(rowBefore.bytes, rowBefore.start);
    other.locate(rowAfter.bytes, rowAfter.start);
    return placed.every(([column, earlier, later]) =>
      comparable(column, 'before', fieldOf(one, earlier)).equals(comparable(column, 'after', fieldOf(other, later))),
    );
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
  const [base, target] = [before.key.join(', '), after.key.join(', ')];
  const what = base === target ? `The values of its key (${base}) are stored in two ways` : `Its key is (${target}) in the target and (${base}) in the base`; // prettier-ignore
  return `${what}, so no row of the one is known to be one of the other: all are told as removed and added.`;
}
