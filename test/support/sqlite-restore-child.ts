/**
 * A process to be killed: restores `<kept>` into `<target>`, in bulk, into a scratch schema or by difference, and prints a line
 * at every step. Run by the kill test.
 */
import type { SourceMapping } from '../../src/domain/mapping';
import type { RowBatch } from '../../src/domain/rows';
import type { Source } from '../../src/domain/source';
import type { TableStructure } from '../../src/domain/table';
import { batchOf, readAll, stream, withRead } from './source-rows';
import { openTestSource } from './sqlite';

const BATCH_ROWS = 50;
export const KILL_MAPPING: SourceMapping = [
  { dataType: 'BUSINESSES', table: 'p' },
  { dataType: 'ALERTS', table: 'c' },
];

interface Kept {
  tables: readonly TableStructure[];
  rows: Map<string, Buffer[]>;
}

const step = (): boolean => process.stdout.write('step\n');

function batches(rows: readonly Buffer[]): RowBatch[] {
  const found: RowBatch[] = [];
  for (let i = 0; i < rows.length; i += BATCH_ROWS) found.push(batchOf(rows.slice(i, i + BATCH_ROWS)));
  return found;
}

async function* stepping(rows: readonly Buffer[]): AsyncIterable<RowBatch> {
  for await (const batch of stream(batches(rows))) {
    step();
    yield batch;
  }
}

async function inBulk(target: Source, { tables, rows }: Kept, jobId: string, scratchSchema?: string): Promise<void> {
  const writer = await target.openBulkWriter({ jobId, scratchSchema, tables, connections: 1 });
  for (const table of tables) await writer.load(table, stepping(rows.get(table.table) ?? []));
  for (const table of tables) await writer.finishLoading(table);
  step();
  await writer.finishTables();
  step();
  await writer.publish();
}

async function byDifference(target: Source, { tables, rows }: Kept, jobId: string): Promise<void> {
  const writer = await target.openChangeWriter({ jobId, tables });
  for (const table of tables) {
    for await (const batch of stepping(rows.get(table.table) ?? [])) await writer.insertRows(table, batch);
  }
  await writer.checkReferences();
  step();
  await writer.commit();
}

async function main([keptPath, targetPath, mode, jobId]: string[]): Promise<void> {
  const source = openTestSource(keptPath as string, KILL_MAPPING);
  const kept = await withRead(source, async (read) => ({ tables: read.tables, rows: await readAll(read) }));
  const target = openTestSource(targetPath as string, KILL_MAPPING);
  if (mode === 'difference') await byDifference(target, kept, jobId as string);
  else await inBulk(target, kept, jobId as string, mode === 'scratch' ? 'killed' : undefined);
  step();
}

if (require.main === module) void main(process.argv.slice(2)); // because a rejection ends the process, which the test sees
