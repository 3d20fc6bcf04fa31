/** A table as one restore is about it. */
import type { TableManifest } from '../../domain/manifest';
import type { Adaptation } from './adaptation';

export interface ScopedTable {
  /** Of an adapted table with the structure that its rows are read in. */
  manifest: TableManifest;
  /** WHOLE: made equal to the backup within the scope. PARENT: only missing rows are inserted, none changed or deleted. */
  role: 'WHOLE' | 'PARENT';
  /** No row of it can be read; where it is missing it comes into being empty. */
  isLost?: true;
  /** Where the live table's structure changed since. */
  adaptation?: Adaptation;
}
