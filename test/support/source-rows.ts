/** Looks into what a source reads: collects batches, and shows rows as the text of their fields. For tests of any source. */
import type { RowBatch, RowCodec } from '../../src/domain/rows';
import { rowStart } from '../../src/domain/rows';
import type { ConsistentRead, ReadRowsOptions, Source } from '../../src/domain/source';
import type { TableStructure } from '../../src/domain/table';
import { keyColumnIndexes } from '../../src/domain/table';

export async function collect(batches: AsyncIterable<RowBatch>): Promise<RowBatch[]> {
  const all: RowBatch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

/** Every row as its own bytes. */
export function rowBytes(batches: readonly RowBatch[]): Buffer[] {
  return batches.flatMap((batch) =>
    [...batch.ends].map((end, i) => Buffer.from(batch.bytes.subarray(rowStart(batch, i), end))),
  );
}

/** One batch of the given rows. */
export function batchOf(rows: readonly Buffer[]): RowBatch {
  let end = 0;
  return { bytes: Buffer.concat(rows), ends: Uint32Array.from(rows, (row) => (end += row.length)) };
}

export async function* stream(batches: readonly RowBatch[]): AsyncIterable<RowBatch> {
  for (const batch of batches) yield batch;
}

/** The fields of one encoded row, as text. */
export function fieldsOf(codec: RowCodec, row: Buffer, columnCount: number): (string | null)[] {
  const out = new Int32Array(columnCount * 3);
  const end = codec.locate(row, 0, columnCount, out);
  if (end !== row.length) throw new Error(`a row of ${row.length} bytes was located up to ${end}`);
  return Array.from({ length: columnCount }, (_, i) =>
    codec.valueText(row, out[3 * i] as number, out[3 * i + 2] as number),
  );
}

/** The raw key of one encoded row. */
export function keyOf(codec: RowCodec, table: TableStructure, row: Buffer): Buffer {
  const out = new Int32Array(table.columns.length * 3);
  codec.locate(row, 0, table.columns.length, out);
  return Buffer.concat(keyColumnIndexes(table).map((i) => row.subarray(out[3 * i], out[3 * i + 2])));
}

export function tableNamed(read: { tables: readonly TableStructure[] }, name: string): TableStructure {
  const found = read.tables.find((table) => table.table === name);
  if (!found) throw new Error(`the read has no table ${name}`);
  return found;
}

export async function readTable(read: ConsistentRead, name: string, options: ReadRowsOptions = {}): Promise<Buffer[]> {
  return rowBytes(await collect(read.readRows(tableNamed(read, name), options)));
}

/** Rows of every table of `read`, by table name. */
export async function readAll(read: ConsistentRead, options: ReadRowsOptions = {}): Promise<Map<string, Buffer[]>> {
  const all = new Map<string, Buffer[]>();
  for (const table of read.tables) all.set(table.table, await readTable(read, table.table, options));
  return all;
}

/** Opens a consistent read of everything mapped, hands it to `work` and closes it. */
export async function withRead<T>(source: Source, work: (read: ConsistentRead) => Promise<T>): Promise<T> {
  const read = await source.openConsistentRead({ dataTypes: ALL_TYPES, connections: 2 });
  try {
    return await work(read);
  } finally {
    await read.close();
  }
}

export const ALL_TYPES = ['BUSINESSES', 'ASSESSMENTS', 'FACTORS', 'TRENDS', 'ALERTS', 'HISTORY', 'CONFIG'] as const;
