/**
 * The job of an export: reads every chunk that a download will read, each of which must be sound, and counts the rows, so that a download
 * ends as it should unless the repository is harmed meanwhile. Writes nothing.
 */
import type { ExportedTable } from '../../domain/export';
import type { RowBatch } from '../../domain/rows';
import { rowStart } from '../../domain/rows';
import type { EngineTask, ExportResult } from '../../domain/task';
import { runLanes } from '../lanes';
import type { TaskContext } from '../ports';
import { spanBytes, type ChunkSpan } from '../reading/backup-rows';
import { newProof, noteLostTable, readProven, type ChunkProof } from '../reading/prove-chunks';
import { asReadFailure } from '../reading/stored-backup';
import type { RowPredicate } from '../rows/row-filter';
import { storeWait } from '../store-wait';
import { damaged } from './damaged';
import { openExport, type OpenedExport, type TableRows } from './open-export';

type ExportTask = Extract<EngineTask, { kind: 'EXPORT' }>;

const CHUNKS_AT_ONCE = 4;

export async function prepareExport({ jobId, spec }: ExportTask, context: TaskContext): Promise<ExportResult> {
  const store = await context.deps.store();
  const lease = await store.beginRead(`export ${jobId}`, storeWait(context));
  try {
    const opened = await openExport(spec, context);
    return { kind: 'EXPORT', tables: await proveAll(opened, context), notes: opened.notes };
  } catch (error) {
    throw await asReadFailure(error, { ...spec, what: 'What is to be exported' }, store);
  } finally {
    await lease.release();
  }
}

async function proveAll(opened: OpenedExport, context: TaskContext): Promise<ExportedTable[]> {
  const whole = opened.tables.filter(({ accepts }) => accepts === undefined).map(({ table }) => table);
  const rowsTotal = whole.reduce((sum, { rowCount }) => sum + rowCount, 0);
  const bytesTotal = whole.reduce((sum, { rawBytes }) => sum + rawBytes, 0);
  context.progress.begin({ name: 'verifying', from: 30, to: 100, rowsTotal, bytesTotal });
  const proof = newProof();
  const tables: ExportedTable[] = [];
  for (const rows of opened.tables) {
    const { dataType, table } = rows.table;
    tables.push({ dataType, table, rowCount: await proveTable(rows, { opened, proof, context }) });
  }
  if (proof.losses.length > 0) throw damaged(proof.losses);
  return tables;
}

interface Proving {
  opened: OpenedExport;
  proof: ChunkProof;
  context: TaskContext;
}

/** How many rows of the table are exported. */
async function proveTable({ table, spans, accepts }: TableRows, { opened, proof, context }: Proving): Promise<number> {
  const { store, codec } = opened;
  let count = 0;
  const prove = async (span: ChunkSpan): Promise<void> => {
    const rows = await readProven(table, span, { store, codec, proof });
    count += rows === null ? 0 : countOf(rows, accepts); // after the await: several are proven at a time
    context.progress.advance({ rows: span.entry?.rowCount ?? 0, bytes: spanBytes(span), table: table.table });
  };
  try {
    await runLanes({ lanes: CHUNKS_AT_ONCE, signal: context.signal }, spans(), prove);
  } catch (error) {
    noteLostTable(table, error, proof);
  }
  const isWhole = accepts === undefined && proof.losses.length === 0;
  if (isWhole && count !== table.rowCount)
    proof.losses.push(`Table ${table.table} holds ${count} rows, its manifest says ${table.rowCount}.`);
  return count;
}

function countOf(rows: RowBatch, accepts: RowPredicate | undefined): number {
  if (accepts === undefined) return rows.ends.length;
  let count = 0;
  for (let row = 0; row < rows.ends.length; row++) if (accepts(rows.bytes, rowStart(rows, row))) count++;
  return count;
}
