/** Tables as callers name them: by data type, and by name where it has several. */
import type { DataType, RequestedDataType } from '../domain/data-type';
import { AppError } from '../domain/errors';
import { isGiven, type Given } from './input-rules';

export interface NamedTable {
  dataType: RequestedDataType;
  /** Needed where the data type has several. */
  table?: Given<string>;
}

/** The table named, or the only one of the data type. */
export function tableOf(
  tables: readonly { dataType: DataType; table: string }[],
  { dataType, table }: NamedTable,
  holder: string,
): { dataType: DataType; table: string } {
  if (dataType === 'ALL') throw refuse('dataType', 'ALL is no single data type.', 'Name one of them.');
  const held = tables.filter((candidate) => candidate.dataType === dataType).map(({ table: name }) => name);
  const [only, ...others] = held.filter((name) => !isGiven(table) || name === table);
  if (only !== undefined && others.length === 0) return { dataType, table: only };
  if (held.length === 0)
    throw refuse('dataType', `${holder} holds no table of ${dataType}.`, 'Name another data type.');
  const message = isGiven(table) ? `${dataType} has no such table.` : `${dataType} has several tables.`;
  throw refuse('table', message, `Name one of: ${held.join(', ')}.`);
}

/** Of what is wrong with one argument of a query. */
export function refuse(path: string, message: string, hint: string): AppError {
  return new AppError('INVALID_INPUT', message, { hint, path: [path] });
}
