/**
 * Which columns of a changed table keep the values of the column that was: each value carries its storage class, and is changed only by a
 * column of another affinity. Those of a strict table take nothing but their type.
 */
import type { ColumnOf, FieldFit } from '../../domain/rows';
import { affinityOf } from './affinity';
import { isStrict } from './create-statement';

export function fitSqliteColumn(from: ColumnOf, to: ColumnOf): FieldFit | string {
  const keepsOrder = from.column.collation === to.column.collation;
  if (keepsValues(from, to)) return { recode: null, keepsOrder };
  return isStrict(to.table.createStatement) ? 'and strict, so that it refuses other values' : 'which would turn its values into others'; // prettier-ignore
}

function keepsValues(from: ColumnOf, to: ColumnOf): boolean {
  const [old, now] = [affinityOf(from), affinityOf(to)];
  if (!isStrict(to.table.createStatement)) return now === 'BLOB' || old === now || (isWhole(old) && isWhole(now));
  return isAny(to) || (isStrict(from.table.createStatement) && !isAny(from) && old === now);
}

/** As far as values are stored, the two do the same. */
function isWhole(affinity: string): boolean {
  return affinity === 'INTEGER' || affinity === 'NUMERIC';
}

function isAny({ column: { type } }: ColumnOf): boolean {
  return /^any$/i.test(type);
}
