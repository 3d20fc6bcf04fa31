/**
 * Compares live tables with a backup, chunk by chunk on all lanes of a consistent read: in each chunk's key range the rows in
 * scope of both sides are joined. Reads everything in scope, keeps only differences.
 */
import type { RowBatch, RowCodec, RowScope } from '../domain/rows';
import type { ReadRowsOptions } from '../domain/source';
import { keyColumnIndexes, type TableStructure } from '../domain/table';
import { AppError } from '../domain/errors';
import type { BackupRows, ChunkSpan } from './backup-rows';
import { chunkSpans } from './backup-rows';
import { compareRows, type DifferenceSink } from './compare-rows';
import { runLanes } from './lanes';
import type { EngineStore, TaskContext } from './ports';
import type { ScopedTable } from './restore-scope';
import { FieldReader } from './row-filter';

/** The one method of reads and writers that comparing needs. */
export interface LiveReader {
  readRows(table: TableStructure, options: ReadRowsOptions): AsyncIterable<RowBatch>;
}

export interface TableComparing {
  store: EngineStore;
  rows: BackupRows;
  codec: RowCodec;
  scope: RowScope;
  live: LiveReader;
}

export interface SpanWork {
  table: ScopedTable;
  span: ChunkSpan;
  sink: DifferenceSink;
  signal: AbortSignal;
}

/** Compares every chunk that is not lost; `sinkOf` says where the differences of one go. */
export async function compareTable(
  table: ScopedTable,
  options: { comparing: TableComparing; lanes: number; context: TaskContext },
  sinkOf: (span: ChunkSpan) => DifferenceSink,
): Promise<void> {
  const { comparing, lanes, context } = options;
  const spans = chunkSpans(comparing.store, table.manifest);
  await runLanes({ lanes, signal: context.signal }, spans, async (span, signal) => {
    if (!comparing.rows.isLost(span)) await compareSpan({ table, span, sink: sinkOf(span), signal }, comparing);
    const { rowCount = 0, rawBytes = 0 } = span.entry ?? {};
    context.progress.advance({ rows: rowCount, bytes: rawBytes, table: table.manifest.table });
  });
}

export async function compareSpan({ table, span, sink, signal }: SpanWork, comparing: TableComparing): Promise<void> {
  const { rows, codec } = comparing;
  const { structure } = table.manifest;
  const backup = await rows.read(table.manifest, span);
  // Parents are only ever inserted: a chunk without any in scope has nothing to say.
  if (table.role === 'PARENT' && backup.ends.length === 0) return;
  const live = liveRows({ table, span, signal }, comparing);
  await compareRows({ codec, keyColumns: keyColumnIndexes(structure), backup, live, sink });
}

/**
 * Live rows of a chunk's range. Parents are looked for whoever references them: one whose children were all deleted is no
 * parent of the business's live rows, and must not be inserted twice.
 */
function liveRows({ table, span, signal }: Omit<SpanWork, 'sink'>, comparing: TableComparing): AsyncIterable<RowBatch> {
  const { codec, live } = comparing;
  const scope: RowScope = table.role === 'PARENT' ? { kind: 'ALL' } : comparing.scope;
  const rows = live.readRows(table.manifest.structure, { range: span.range, scope, signal });
  return scope.kind === 'BUSINESS' ? ownRows(rows, { structure: table.manifest.structure, codec, scope }) : rows;
}

/**
 * Refuses live rows that a collation alone counts to the business (`ABC` for `abc`): they are another business's, and what the
 * backup does not list of them would be deleted.
 */
async function* ownRows(
  rows: AsyncIterable<RowBatch>,
  of: { structure: TableStructure; codec: RowCodec; scope: Extract<RowScope, { kind: 'BUSINESS' }> },
): AsyncGenerator<RowBatch> {
  const business = of.structure.mapping.business;
  if (business?.kind !== 'COLUMN') return yield* rows;
  const fields = new FieldReader(of.codec, of.structure);
  const column = of.structure.columns.findIndex(({ name }) => name === business.column);
  for await (const batch of rows) {
    let start = 0;
    for (const end of batch.ends) {
      fields.locate(batch.bytes, start);
      if (fields.text(column) !== of.scope.businessId) throw otherSpelling(of.structure, fields.text(column), of.scope);
      start = end;
    }
    yield batch;
  }
}

function otherSpelling(structure: TableStructure, found: string | null, scope: { businessId: string }): AppError {
  return new AppError(
    'CONFLICT',
    `Table ${structure.table} counts business ${String(found)} as ${scope.businessId}, by collation alone.`,
    {
      hint: 'Give the business id exactly as it is stored; if both spellings exist, give each business an id of its own.',
    },
  );
}
