/** A filter of records on the rows of one table: compiled once, true, false or neither (null) of each row, as in SQL. */
import { AppError, isAppError } from '../../domain/errors';
import type { RecordFilter } from '../../domain/record-filter';
import type { TableStructure } from '../../domain/table';
import type { ColumnValues, CompareField, JsonValue } from '../../domain/values';

/** `fields` is what `RowCodec.locate` wrote of all columns of a row. */
export type RecordTest = (bytes: Buffer, fields: Int32Array) => boolean | null;

interface Table {
  structure: TableStructure;
  values: readonly ColumnValues[];
}

/** Throws INVALID_INPUT with the filter's own path for what the table does not have. */
export function compileFilter(filter: RecordFilter, table: Table): RecordTest {
  switch (filter.kind) {
    case 'AND':
      return both(filter.of.map((part) => compileFilter(part, table)));
    case 'OR':
      return not(both(filter.of.map((part) => not(compileFilter(part, table)))));
    case 'NOT':
      return not(compileFilter(filter.of, table));
    case 'IS_NULL':
    case 'IN':
    case 'TEXT':
    case 'COMPARE':
      return compileColumn(filter, table);
  }
}

type OfColumn = Exclude<RecordFilter, { kind: 'AND' | 'OR' | 'NOT' }>;

function compileColumn(filter: OfColumn, { structure, values }: Table): RecordTest {
  const column = structure.columns.findIndex(({ name }) => name === filter.column);
  const columnValues = values[column];
  if (columnValues === undefined) throw noSuchColumn(filter, structure);
  const slot = 3 * column;
  const test = testOf(filter, columnValues);
  if (filter.kind === 'IS_NULL') return (_, fields) => isNull(fields, slot) === filter.isNull;
  return (bytes, fields) => (isNull(fields, slot) ? null : test(bytes, fields, slot));
}

function isNull(fields: Int32Array, slot: number): boolean {
  return fields[slot + 1] === -1;
}

type FieldTest = (bytes: Buffer, fields: Int32Array, slot: number) => boolean;

function testOf(filter: OfColumn, values: ColumnValues): FieldTest {
  switch (filter.kind) {
    case 'IS_NULL':
      return () => filter.isNull;
    case 'IN':
      return anyOf(filter.values.map((value, i) => comparing(values, value, [...filter.path, String(i)])));
    case 'TEXT':
      return textTest(filter, values);
    case 'COMPARE':
      return compareTest(filter, values);
  }
}

function anyOf(compares: readonly CompareField[]): FieldTest {
  return (bytes, fields, slot) => compares.some((compare) => compare(bytes, fields, slot) === 0);
}

function textTest(
  { comparator, text, path, column }: Extract<OfColumn, { kind: 'TEXT' }>,
  values: ColumnValues,
): FieldTest {
  if (!values.isText) throw unfit(path, `${column} is no text.`);
  return (bytes, fields, slot) => {
    const value = values.toJson(bytes, fields, slot);
    return typeof value === 'string' && (comparator === 'contains' ? value.includes(text) : value.startsWith(text));
  };
}

const VERDICTS: Record<Extract<OfColumn, { kind: 'COMPARE' }>['comparator'], (order: number) => boolean> = {
  eq: (order) => order === 0,
  ne: (order) => order !== 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
};

function compareTest(
  { comparator, value, path, column }: Extract<OfColumn, { kind: 'COMPARE' }>,
  values: ColumnValues,
): FieldTest {
  if (!values.isOrdered && comparator !== 'eq' && comparator !== 'ne')
    throw unfit(path, `Values of ${column} are equal or not, none is less.`);
  const compare = comparing(values, value, path);
  const verdict = VERDICTS[comparator];
  return (bytes, fields, slot) => verdict(compare(bytes, fields, slot));
}

function comparing(values: ColumnValues, value: JsonValue, path: readonly string[]): CompareField {
  try {
    return values.comparing(value);
  } catch (error) {
    if (!isAppError(error)) throw error;
    throw new AppError(error.code, error.message, { hint: error.hint, path });
  }
}

function both(tests: readonly RecordTest[]): RecordTest {
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return only;
  return (bytes, fields) => {
    let verdict: boolean | null = true;
    for (const test of tests) {
      const found = test(bytes, fields);
      if (found === false) return false;
      verdict = found === null ? null : verdict;
    }
    return verdict;
  };
}

function not(test: RecordTest): RecordTest {
  return (bytes, fields) => {
    const found = test(bytes, fields);
    return found === null ? null : !found;
  };
}

function noSuchColumn({ column, path }: OfColumn, { table, columns }: TableStructure): AppError {
  const names = columns.map(({ name }) => name).join(', ');
  const hint = `It stores: ${names}.`;
  return new AppError('INVALID_INPUT', `The table ${table} stores no column ${JSON.stringify(column)}.`, {
    hint,
    path: path.slice(0, -1),
  });
}

function unfit(path: readonly string[], message: string): AppError {
  return new AppError('INVALID_INPUT', message, { hint: 'Use eq, ne, in or isNull.', path });
}
