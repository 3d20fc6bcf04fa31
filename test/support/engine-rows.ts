/** Encoded rows for engine tests: plain values in and out, in the encoding `sqlite-v1`. */
import type { RowBatch } from '../../src/domain/rows';
import type { TableStructure } from '../../src/domain/table';
import type { TableMapping } from '../../src/domain/mapping';
import { sqliteCodec } from '../../src/sources/sqlite/row-encoding';

export type Value = string | number | null;
export type Row = Value[];

export function encodeField(value: Value): Buffer {
  if (value === null) return Buffer.from([0]);
  if (typeof value === 'string') return sqliteCodec.encodeText(value);
  const field = Buffer.alloc(9);
  field[0] = 1;
  field.writeBigInt64BE(BigInt(value), 1);
  return field;
}

export function encodeRow(row: Row): Buffer {
  return Buffer.concat(row.map(encodeField));
}

export function batchOf(rows: readonly Buffer[]): RowBatch {
  let end = 0;
  return { bytes: Buffer.concat(rows), ends: Uint32Array.from(rows, (row) => (end += row.length)) };
}

export function rowsOf(batch: RowBatch): Buffer[] {
  return Array.from(batch.ends, (end, i) => batch.bytes.subarray(i === 0 ? 0 : batch.ends[i - 1], end));
}

export function decodeRow(row: Buffer, columnCount: number): Row {
  const fields = new Int32Array(3 * columnCount);
  sqliteCodec.locate(row, 0, columnCount, fields);
  return Array.from({ length: columnCount }, (_, i) => {
    const start = fields[3 * i] as number;
    if (row[start] === 1) return Number(row.readBigInt64BE(start + 1));
    return sqliteCodec.valueText(row, start, fields[3 * i + 2] as number);
  });
}

/** A structure whose columns are all DYNAMIC; the first `keyLength` of them are the key. */
export function tableOf(
  mapping: TableMapping,
  columns: readonly string[],
  options: { keyLength?: number; foreignKeys?: TableStructure['foreignKeys']; unique?: string[][] } = {},
): TableStructure {
  return {
    table: mapping.table,
    mapping,
    columns: columns.map((name) => ({ name, type: '', kind: 'DYNAMIC', nullable: true })),
    generatedColumns: [],
    key: columns.slice(0, options.keyLength ?? 1),
    keyIsPrimary: true,
    foreignKeys: options.foreignKeys ?? [],
    indexes: (options.unique ?? []).map((names, i) => ({ name: `unique_${i}`, unique: true, columns: names })),
    triggers: [],
    createStatement: `CREATE TABLE ${mapping.table} (…)`,
    rowEncoding: sqliteCodec.name,
    estimatedRows: 1000,
    estimatedBytes: 100_000,
  };
}

export async function* batchesOf(rows: readonly Buffer[], rowsPerBatch: number): AsyncGenerator<RowBatch> {
  for (let i = 0; i < rows.length; i += rowsPerBatch) yield batchOf(rows.slice(i, i + rowsPerBatch));
}
