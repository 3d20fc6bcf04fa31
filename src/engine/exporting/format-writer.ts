/** How a format writes tables and rows as text, one after the other. */
import type { ExportedTable } from '../../domain/export';
import type { TableManifest } from '../../domain/manifest';
import type { RowBatch } from '../../domain/rows';

/** One export on its way. */
export interface FormatWriter {
  /** Before all rows. */
  begin(tables: readonly TableManifest[]): Iterable<string>;
  table(table: TableManifest): TableWriter;
  /** After all rows. */
  end(counts: readonly ExportedTable[]): string;
}

export interface TableWriter {
  readonly begin: string;
  rows(batch: RowBatch): Iterable<string>;
  readonly end: string;
}
