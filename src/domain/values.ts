/**
 * Values of rows as JSON, for people and programs, and the way back: what a caller's JSON value is compared with. Each row encoding has
 * rules of its own (`RowCodec.values`); schema/README.md tells them to clients.
 */
import { AppError } from './errors';

export type JsonValue = null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue };

/** A row by column name. Generated columns are not stored, and so not among them. */
export type JsonRow = Record<string, JsonValue>;

/** A field that two rows of the same key do not share. */
export interface FieldChange {
  name: string;
  before: JsonValue;
  after: JsonValue;
}

/**
 * Below 0 where the stored value stands before the caller's, 0 where they are the same, else above 0. The stored field must not be NULL.
 * `fields` is what `RowCodec.locate` wrote, `slot` where the column's three numbers begin in it.
 */
export type CompareField = (bytes: Buffer, fields: Int32Array, slot: number) => number;

/** The values of one column. Pure and synchronous. */
export interface ColumnValues {
  /** False where only equal and not equal mean anything. */
  readonly isOrdered: boolean;
  /** True where values may be text, which has a beginning and parts. */
  readonly isText: boolean;
  /** Where the field lies is told as to a CompareField; null for NULL. */
  toJson(bytes: Buffer, fields: Int32Array, slot: number): JsonValue;
  /** Of a column of documents alone: the field's own text, as it is stored; null for NULL. */
  text?(bytes: Buffer, fields: Int32Array, slot: number): string | null;
  /** Takes whatever `toJson` gives, and some ways to write it that mean the same. INVALID_INPUT, without a path, for what is no value of the column. */
  comparing(value: JsonValue): CompareField;
  /** The encoded field of a caller's value as rows hold it; null where it can't be told. Throws as `comparing`. */
  encode(value: JsonValue): Buffer | null;
}

/** What `comparing` answers to a value that the column can't hold: what it takes instead, and how that is written. */
export function noValue(wanted: string, hint: string): AppError {
  return new AppError('INVALID_INPUT', `The value is no ${wanted}.`, { hint });
}

/** The bytes of standard base64 with its padding; null for any other value. */
export function base64Bytes(value: JsonValue | undefined): Buffer | null {
  if (typeof value !== 'string') return null;
  const bytes = Buffer.from(value, 'base64');
  return bytes.toString('base64') === value ? bytes : null;
}

/** The member of an object that has no other. */
export function memberOf(value: JsonValue, name: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const [only, ...others] = Object.keys(value);
  return only === name && others.length === 0 ? value[name] : undefined;
}

/** The same JSON value, in whatever order objects have their members. */
export function sameJson(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b))
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => same(item, b[i]));
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]))
  );
}

function same(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return a !== undefined && b !== undefined && sameJson(a, b);
}
