/** The live side of a comparison: one moment of the tables that are there, on a consistent read; a missing table has no rows. */
import type { RowBatch } from '../../domain/rows';
import type { ConsistentRead, Source } from '../../domain/source';
import type { TaskContext } from '../ports';
import type { ScopedTable } from '../reading/scoped-table';
import type { LiveReader } from './compare-tables';

export type LiveTables = LiveReader & Pick<ConsistentRead, 'lanes' | 'tables' | 'close'>;

export interface LiveTablesOptions {
  source: Source;
  tables: readonly ScopedTable[];
  missing: ReadonlySet<string>;
}

export async function openLiveTables(
  { source, tables, missing }: LiveTablesOptions,
  { deps, signal }: TaskContext,
): Promise<LiveTables> {
  const existing = tables.filter(({ manifest }) => !missing.has(manifest.table));
  if (existing.length === 0) return NOTHING_LIVE;
  const read = await source.openConsistentRead({
    dataTypes: [...new Set(existing.map(({ manifest }) => manifest.dataType))],
    tables: existing.map(({ manifest }) => manifest.table),
    ...deps.limits(source.name),
    signal,
  });
  return {
    lanes: read.lanes,
    tables: read.tables,
    readRows: (table, options) => (missing.has(table.table) ? noRows() : read.readRows(table, options)),
    close: () => read.close(),
  };
}

const NOTHING_LIVE: LiveTables = { lanes: 1, tables: [], readRows: noRows, close: async () => undefined };

async function* noRows(): AsyncGenerator<RowBatch> {}
