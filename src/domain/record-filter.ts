/**
 * Which records a caller wants, as JSON: an object whose members must all be true of a record.
 *
 *     { "status": { "in": ["OPEN", "REVIEW"] }, "score": { "gte": 7.5, "lt": 9 }, "or": [{ "note": { "isNull": true } }, { "not": { … } }] }
 *
 * A member is a column with comparators (eq, ne, lt, lte, gt, gte, in, startsWith, contains, isNull), or `and`, `or` with a list of
 * such objects, or `not` with one. As in SQL a comparator is neither true nor false of NULL, and so is `not` of it; `isNull` tells. Here
 * only the form is checked: what columns there are, and what values they take, knows whoever has the table.
 */
import { AppError } from './errors';
import type { JsonValue } from './values';

export const COMPARATORS = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'startsWith', 'contains', 'isNull'] as const;
export type Comparator = (typeof COMPARATORS)[number];

interface OfColumn {
  column: string;
  /** Where it stands in what the caller gave, for errors. */
  path: string[];
}

export type RecordFilter =
  | { kind: 'AND' | 'OR'; of: RecordFilter[] }
  | { kind: 'NOT'; of: RecordFilter }
  | ({ kind: 'IS_NULL'; isNull: boolean } & OfColumn)
  | ({ kind: 'IN'; values: JsonValue[] } & OfColumn)
  | ({ kind: 'TEXT'; comparator: 'startsWith' | 'contains'; text: string } & OfColumn)
  | ({ kind: 'COMPARE'; comparator: 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte'; value: JsonValue } & OfColumn);

export const MAX_FILTER_DEPTH = 8;
export const MAX_FILTER_COMPARATORS = 100;
export const MAX_IN_VALUES = 100;
export const MAX_VALUE_DEPTH = 32;

type JsonObject = Record<string, JsonValue>;

/** Throws INVALID_INPUT with the path of what is wrong; `path` is where `filter` itself stands. */
export function parseRecordFilter(filter: JsonValue, path: readonly string[]): RecordFilter {
  const budget = { comparators: MAX_FILTER_COMPARATORS };
  return parseObject(filter, { path: [...path], depth: 1, budget });
}

interface Place {
  path: string[];
  depth: number;
  budget: { comparators: number };
}

function parseObject(value: JsonValue, place: Place): RecordFilter {
  if (place.depth > MAX_FILTER_DEPTH)
    throw refuse(place.path, 'The filter is nested too deep.', `Nest at most ${MAX_FILTER_DEPTH} levels.`);
  const object = objectAt(
    value,
    place.path,
    'Give an object of columns with comparators, such as {"status": {"eq": "OPEN"}}.',
  );
  return { kind: 'AND', of: Object.entries(object).map(([name, member]) => parseMember(name, member, place)) };
}

function parseMember(name: string, value: JsonValue, place: Place): RecordFilter {
  const inner = { ...place, path: [...place.path, name], depth: place.depth + 1 };
  if (name === 'not') return { kind: 'NOT', of: parseObject(value, inner) };
  if (name === 'and' || name === 'or') return { kind: name === 'and' ? 'AND' : 'OR', of: parseList(value, inner) };
  const object = objectAt(
    value,
    inner.path,
    `Give comparators, such as {"eq": …}; there are ${COMPARATORS.join(', ')}.`,
  );
  return {
    kind: 'AND',
    of: Object.entries(object).map(([comparator, operand]) =>
      parseComparator({ column: name, comparator, operand }, inner),
    ),
  };
}

function parseList(value: JsonValue, place: Place): RecordFilter[] {
  if (!Array.isArray(value) || value.length === 0)
    throw refuse(place.path, 'This is no list of filters.', 'Give a list of at least one object.');
  return value.map((item, i) => parseObject(item, { ...place, path: [...place.path, String(i)] }));
}

function parseComparator(
  { column, comparator, operand }: { column: string; comparator: string; operand: JsonValue },
  { path: above, budget }: Place,
): RecordFilter {
  const of = { column, path: [...above, comparator] };
  if (--budget.comparators < 0)
    throw refuse(of.path, 'The filter has too many comparators.', `Give at most ${MAX_FILTER_COMPARATORS}.`);
  switch (comparator) {
    case 'isNull':
      if (typeof operand === 'boolean') return { kind: 'IS_NULL', isNull: operand, ...of };
      throw refuse(of.path, 'isNull takes true or false.', 'Give true or false.');
    case 'in':
      return { kind: 'IN', values: valuesOf(operand, of.path), ...of };
    case 'startsWith':
    case 'contains':
      if (typeof operand === 'string') return { kind: 'TEXT', comparator, text: operand, ...of };
      throw refuse(of.path, `${comparator} takes text.`, 'Give a string.');
    case 'eq':
    case 'ne':
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      return { kind: 'COMPARE', comparator, value: notNull(operand, of.path), ...of };
  }
  throw refuse(of.path, 'There is no such comparator.', `There are ${COMPARATORS.join(', ')}.`);
}

function valuesOf(operand: JsonValue, path: readonly string[]): JsonValue[] {
  if (Array.isArray(operand) && operand.length > 0 && operand.length <= MAX_IN_VALUES)
    return operand.map((value, i) => notNull(value, [...path, String(i)]));
  throw refuse(path, 'in takes a list of values.', `Give a list of 1 to ${MAX_IN_VALUES} values.`);
}

function notNull(value: JsonValue, path: readonly string[], hint = 'Use {"isNull": true}.'): JsonValue {
  if (isDeeper(value, MAX_VALUE_DEPTH))
    throw refuse(path, 'The value is nested too deep.', `Nest at most ${MAX_VALUE_DEPTH} levels.`);
  if (value !== null) return value;
  throw refuse(path, 'Nothing compares with null.', hint);
}

/** A key: an object of values by column, or one value. Throws INVALID_INPUT where it is neither, or not flat enough. */
export function parseRecordKey(key: JsonValue, path: readonly string[]): JsonValue {
  const checked = notNull(key, path, 'Give the fields that identify the record.');
  if (typeof checked === 'object' && !Array.isArray(checked))
    for (const [name, value] of Object.entries(checked as JsonObject)) notNull(value, [...path, name], 'Give a value.');
  return checked;
}

/** Level by level: what is nested beyond all sense overflows recursion. */
function isDeeper(value: JsonValue, levels: number): boolean {
  let level: JsonValue[] = [value];
  for (let depth = 0; depth <= levels && level.length > 0; depth++)
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  return level.length > 0;
}

function objectAt(value: JsonValue, path: readonly string[], hint: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw refuse(path, 'This is no object.', hint);
}

function refuse(path: readonly string[], message: string, hint: string): AppError {
  return new AppError('INVALID_INPUT', message, { hint, path });
}
