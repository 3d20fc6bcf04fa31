/**
 * Compares live tables with a backup, stretch by stretch on all lanes of a consistent read: in each stretch's key range the rows in
 * scope of both sides are joined. Reads everything in scope, keeps only differences.
 */
import type { KeyBytes, RowBatch, RowCodec, RowScope } from '../../domain/rows';
import type { ReadRowsOptions } from '../../domain/source';
import { keyColumnIndexes, type TableStructure } from '../../domain/table';
import { AppError } from '../../domain/errors';
import { runLanes } from '../lanes';
import type { TaskContext } from '../ports';
import { knownColumns } from '../reading/adaptation';
import type { BackupRows, Stretch } from '../reading/rows-in-scope';
import type { ScopedTable } from '../reading/scoped-table';
import { compareRows, type DifferenceSink } from '../rows/compare-rows';
import { keysOf } from '../rows/key-bytes';
import { FieldReader, type RowPredicate } from '../rows/row-filter';
import { compareRecords } from './compare-records';
import { compareWithStrays } from './stray-search';

/** The one method of reads and writers that comparing needs. */
export interface LiveReader {
  readRows(table: TableStructure, options: ReadRowsOptions): AsyncIterable<RowBatch>;
}

export interface TableComparing {
  rows: BackupRows;
  codec: RowCodec;
  scope: RowScope;
  live: LiveReader;
  /**
   * Look for rows of a business that the live side lacks among the rows of nobody as well: where a parent went without its
   * children, their path leads nowhere and they are in no business's scope. Reads more; needed once an insert met such a row.
   */
  findStrays: boolean;
}

export interface StretchWork {
  table: ScopedTable;
  stretch: Stretch;
  sink: DifferenceSink;
  signal: AbortSignal;
}

/** Compares all that is not lost; `sinkOf` says where the differences of a stretch go. */
export async function compareTable(
  table: ScopedTable,
  options: { comparing: TableComparing; lanes: number; context: TaskContext },
  sinkOf: (stretch: Stretch) => DifferenceSink,
): Promise<void> {
  const { comparing, lanes, context } = options;
  const stretches = comparing.rows.stretches(table.manifest);
  await runLanes({ lanes, signal: context.signal }, stretches, async (stretch, signal) => {
    await compareStretch({ table, stretch, sink: sinkOf(stretch), signal }, comparing);
    context.progress.advance({ rows: stretch.rowCount, bytes: stretch.rawBytes, table: table.manifest.table });
  });
}

export async function compareStretch(
  { table, stretch, signal, ...work }: StretchWork,
  comparing: TableComparing,
): Promise<void> {
  const { rows, codec } = comparing;
  const { structure } = table.manifest;
  const sink = sparing(work.sink, rows.isLeftOut(structure.table));
  const backup = await rows.readStretch(table.manifest, stretch);
  // Looked for by their keys: a stretch without any in scope has nothing to say.
  if (table.role !== 'WHOLE' && backup.ends.length === 0) return;
  if (table.role === 'RECORDS') return compareRecords({ table, backup, sink, signal }, comparing);
  const of = { codec, structure, knownColumns: knownColumns(table.adaptation) };
  const live = liveRows({ table, stretch, signal, backup }, comparing);
  if (!comparing.findStrays || table.role === 'PARENT') {
    return compareRows({ ...of, keyColumns: keyColumnIndexes(structure), backup, live, sink });
  }
  const everyone = (keys: readonly KeyBytes[]) => comparing.live.readRows(structure, { keys, signal });
  return compareWithStrays({ ...of, backup, own: live, everyone, sink });
}

/** What is live of a row that is left out stays as it is. */
function sparing(sink: DifferenceSink, isLeftOut: RowPredicate | undefined): DifferenceSink {
  if (isLeftOut === undefined) return sink;
  return {
    ...sink,
    changed: (change) => {
      if (!isLeftOut(change.backup.bytes, change.backup.start)) sink.changed(change);
    },
    missing: (row, index) => {
      if (!isLeftOut(row.bytes, row.start)) sink.missing(row, index);
    },
  };
}

/**
 * Live rows of a stretch. Parents are looked for whoever references them: one whose children were all deleted is no
 * parent of the business's live rows, and must not be inserted twice.
 */
function liveRows(
  { table, stretch, signal, backup }: Omit<StretchWork, 'sink'> & { backup: RowBatch },
  { codec, live, scope }: TableComparing,
): AsyncIterable<RowBatch> {
  const { structure } = table.manifest;
  if (table.role === 'PARENT')
    return live.readRows(structure, { keys: keysOf(backup, codec, keyColumnIndexes(structure)), signal });
  const rows = live.readRows(structure, { range: stretch.range, scope, signal });
  return scope.kind === 'BUSINESS' ? ownRows(rows, { structure, codec, scope }) : rows;
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
  if (business?.kind !== 'COLUMN') {
    yield* rows;
    return;
  }
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
