/** Multi-row INSERT statements from encoded rows, each within what the server takes as one statement. */
import type { RowBatch } from '../../domain/rows';
import { rowStart } from '../../domain/rows';
import { AppError } from '../../domain/errors';
import type { TableStructure } from '../../domain/table';
import { mysqlCodec } from './row-encoding';
import { hasErrorValue, quoteNames, storedLiteral } from './sql';
import { LENIENT_SQL_MODE, STRICT_SQL_MODE, type Session } from './session';

/** Longer statements gain nothing, and cost memory on both sides. */
const STATEMENT_BYTES = 1024 * 1024;

/** Values of one encoded row, column by column. */
export function rowValues(table: TableStructure, batch: RowBatch, index: number): (Buffer | null)[] {
  const fields = new Int32Array(table.columns.length * 3);
  const end = mysqlCodec.locate(batch.bytes, rowStart(batch, index), table.columns.length, fields);
  if (end !== batch.ends[index]) {
    throw new AppError('INTEGRITY_FAILURE', `A row of ${table.table} holds more or fewer fields than it has columns.`);
  }
  return table.columns.map((_, i) => {
    const start = fields[3 * i + 1] as number;
    return start < 0 ? null : batch.bytes.subarray(start, fields[3 * i + 2]);
  });
}

/** The table, and its quoted name where it takes rows. */
export interface InsertTarget {
  name: string;
  table: TableStructure;
}

interface Insert {
  sql: string;
  rows: number;
  errorValues: number;
}

function* insertStatements({ name, table }: InsertTarget, batch: RowBatch, maxBytes: number): Generator<Insert> {
  const head = `INSERT INTO ${name} (${quoteNames(table.columns.map((column) => column.name))}) VALUES `;
  const limit = Math.min(STATEMENT_BYTES, maxBytes / 2);
  let tuples: string[] = [];
  let size = head.length;
  let errorValues = 0;
  for (let i = 0; i < batch.ends.length; i++) {
    const values = rowValues(table, batch, i);
    const tuple = `(${table.columns.map((column, c) => storedLiteral(column, values[c] ?? null)).join(', ')})`;
    if (tuples.length > 0 && size + tuple.length > limit) {
      yield { sql: head + tuples.join(', '), rows: tuples.length, errorValues };
      [tuples, size, errorValues] = [[], head.length, 0];
    }
    tuples.push(tuple);
    size += tuple.length + 2;
    errorValues += countErrorValues(table, values);
  }
  if (tuples.length > 0) yield { sql: head + tuples.join(', '), rows: tuples.length, errorValues };
}

export function countErrorValues(table: TableStructure, values: readonly (Buffer | null)[]): number {
  return table.columns.filter((column, i) => values[i]?.length === 0 && hasErrorValue(column)).length;
}

/** Inserts every row of the batch. A row that the server changed or left out is an error. */
export async function insertBatch(session: Session, target: InsertTarget, batch: RowBatch): Promise<void> {
  const { table } = target;
  for (const { sql, rows, errorValues } of insertStatements(target, batch, session.maxPacketBytes)) {
    requireFit(session, table, sql);
    const { affectedRows, warnings } = await withErrorValues(session, errorValues, () => session.run(sql));
    if (affectedRows !== rows) throw lostRows(table.table, rows, affectedRows);
    if (warnings !== Math.min(errorValues, 65_535)) throw await changedValues(session, table.table);
  }
}

/** The server would cut the connection over a statement that it does not take, and not say why. */
export function requireFit({ maxPacketBytes }: Session, { table }: TableStructure, statement: string): void {
  // One byte of a packet is the command's.
  if (statement.length < maxPacketBytes - 1) return;
  const mib = Math.ceil((statement.length + 2) / 1024 / 1024);
  throw new AppError('SOURCE_UNAVAILABLE', `A row of table ${table} is too long for one statement of the source.`, {
    hint: `Raise max_allowed_packet on the server to ${mib} MiB at least, then restore again.`,
  });
}

/** Strict mode does not take back the '' that an earlier refused ENUM value left, so it is lifted, and warnings are counted. */
export async function withErrorValues<T>(session: Session, errorValues: number, work: () => Promise<T>): Promise<T> {
  if (errorValues === 0) return work();
  await session.run(`SET SESSION sql_mode = '${LENIENT_SQL_MODE}'`);
  const result = await work();
  await session.run(`SET SESSION sql_mode = '${STRICT_SQL_MODE}'`);
  return result;
}

export function lostRows(table: string, sent: number, stored: number): AppError {
  const message = `Of ${sent} rows sent to table ${table} the source stored ${stored}.`;
  return new AppError('INTEGRITY_FAILURE', message, {
    hint: 'Compare the keys and collations of the table with the backup.',
  });
}

/** Says which value the server would have changed. */
export async function changedValues(session: Session, table: string): Promise<AppError> {
  const shown = await session.rows('SHOW WARNINGS LIMIT 3');
  const first = shown.map((row) => String(row.Message)).join('; ');
  return new AppError('SCHEMA_MISMATCH', `The source would have changed values of table ${table}: ${first}`, {
    hint: 'Compare the column types of the backup with those of the table as it is now.',
  });
}
