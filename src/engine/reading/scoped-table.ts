/** A table as one restore is about it. */
import type { TableManifest } from '../../domain/manifest';
import type { KeyBytes } from '../../domain/rows';
import type { Adaptation } from './adaptation';

export interface ScopedTable {
  /** Of an adapted table with the structure that its rows are read in. */
  manifest: TableManifest;
  /**
   * WHOLE: made equal to the backup within the scope. PARENT: only missing rows are inserted, none changed or deleted. RECORDS: the backup's
   * rows in scope are made to be as it has them, whatever else is live.
   */
  role: 'WHOLE' | 'PARENT' | 'RECORDS';
  /** Of RECORDS, by their keys: rows that others refer to, which are treated as PARENT. */
  isParent?: (key: KeyBytes) => boolean;
  /** No row of it can be read; where it is missing it comes into being empty. */
  isLost?: true;
  /** Where the live table's structure changed since. */
  adaptation?: Adaptation;
}
