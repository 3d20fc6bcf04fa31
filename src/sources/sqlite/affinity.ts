/** What a SQLite column makes of values that are stored in it, by its declared type (https://sqlite.org/datatype3.html, 3.1). */
import type { ColumnOf } from '../../domain/rows';
import { isStrict } from './create-statement';

export type Affinity = 'INTEGER' | 'TEXT' | 'BLOB' | 'REAL' | 'NUMERIC';

/** BLOB, which changes nothing, for ANY of a strict table too. */
export function affinityOf({ column: { type }, table }: ColumnOf): Affinity {
  if (/^any$/i.test(type) && isStrict(table.createStatement)) return 'BLOB';
  if (/INT/i.test(type)) return 'INTEGER';
  if (/CHAR|CLOB|TEXT/i.test(type)) return 'TEXT';
  if (/BLOB/i.test(type) || type === '') return 'BLOB';
  return /REAL|FLOA|DOUB/i.test(type) ? 'REAL' : 'NUMERIC';
}
