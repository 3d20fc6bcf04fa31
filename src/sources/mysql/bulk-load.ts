/** Loads rows into one table by LOAD DATA LOCAL, or by INSERT where the server does not allow it. Loses and changes none. */
import type { RowBatch } from '../../domain/rows';
import type { ColumnStructure, TableStructure } from '../../domain/table';
import { changedValues, insertBatch, lostRows, rowValues } from './insert-rows';
import { holdsDecimals } from './json-literal';
import { loadTextStream, type LoadCount } from './load-text';
import { hasErrorValue, quoteName } from './sql';
import { LENIENT_SQL_MODE, STRICT_SQL_MODE, type Session } from './session';

export interface LoadOptions {
  session: Session;
  table: TableStructure;
  /** Quoted name of the table that takes the rows. */
  name: string;
  rows: AsyncIterable<RowBatch>;
  localInfile: boolean;
}

export async function localInfileAllowed(session: Session): Promise<boolean> {
  const [row] = await session.rows('SELECT @@GLOBAL.local_infile AS allowed');
  return Number(row?.allowed) === 1;
}

/** Prepares a session for loading: strict, foreign keys and CHECKs left alone, for the rows were sound when they were read. */
export async function prepareForWriting(session: Session): Promise<void> {
  const settings = [`SESSION sql_mode = '${STRICT_SQL_MODE}'`, 'SESSION foreign_key_checks = 0'];
  if (session.dialect.canSkipChecks) settings.push('SESSION check_constraint_checks = 0');
  await session.run(`SET ${settings.join(', ')}`);
}

/** The number of rows loaded, which is every row given. */
export async function loadRows(options: LoadOptions): Promise<number> {
  return options.localInfile ? loadByInfile(options) : loadByInserts(options);
}

async function loadByInserts({ session, table, name, rows }: LoadOptions): Promise<number> {
  let count = 0;
  for await (const batch of rows) {
    await insertBatch(session, { name, table }, batch);
    count += batch.ends.length;
  }
  return count;
}

/** Batches that LOAD DATA can't take are inserted between runs of those that it can. */
async function loadByInfile(options: LoadOptions): Promise<number> {
  const { session, table, name, rows } = options;
  const jsonAt = table.columns.flatMap(({ kind }, i) => (kind === 'JSON' && session.dialect.hasJsonType ? [i] : []));
  const batches = rows[Symbol.asyncIterator]();
  let count = 0;
  try {
    for (let run = new LoadRun(); !run.isLast;) {
      run = new LoadRun();
      count += await loadRun({ ...options, rows: run.take(batches, (batch) => hasDecimals(table, jsonAt, batch)) });
      if (run.refused) await insertBatch(session, { name, table }, run.refused);
      count += run.refused?.ends.length ?? 0;
    }
  } finally {
    await batches.return?.();
  }
  return count;
}

/** Batches up to the first one refused, or to the last one of all. */
class LoadRun {
  refused: RowBatch | null = null;
  isLast = false;

  async *take(batches: AsyncIterator<RowBatch>, refuses: (batch: RowBatch) => boolean): AsyncGenerator<RowBatch> {
    for (;;) {
      const next = await batches.next();
      if (next.done) this.isLast = true;
      else if (refuses(next.value)) this.refused = next.value;
      if (next.done || this.refused) return;
      yield next.value;
    }
  }
}

/** LOAD DATA reads JSON from its text, in which decimals are lost. */
function hasDecimals(table: TableStructure, jsonAt: readonly number[], batch: RowBatch): boolean {
  if (jsonAt.length === 0) return false;
  return Array.from(batch.ends).some((_, row) => {
    const values = rowValues(table, batch, row);
    return jsonAt.some((i) => values[i] && holdsDecimals(values[i]));
  });
}

async function loadRun({ session, table, name, rows }: LoadOptions): Promise<number> {
  const count: LoadCount = { rows: 0, errorValues: 0 };
  const lenient = table.columns.some(hasErrorValue);
  await session.run(`SET SESSION sql_mode = '${lenient ? LENIENT_SQL_MODE : STRICT_SQL_MODE}'`);
  const result = await session.loadData(
    loadStatement(session, table, name),
    loadTextStream({
      columns: table.columns,
      rows,
      count,
      maxPacketBytes: session.maxPacketBytes,
      ready: () => session.drained(),
    }),
  );
  // The server counts warnings beyond 65,535, but its answer does not.
  if (result.warnings !== Math.min(count.errorValues, 65_535)) throw await changedValues(session, table.table);
  if (result.affectedRows !== count.rows) throw lostRows(table.table, count.rows, result.affectedRows);
  return count.rows;
}

function loadStatement(session: Session, table: TableStructure, name: string): string {
  const fields = table.columns.map((column, i) => (refusesBinary(session, column) ? `@v${i}` : quoteName(column.name)));
  const converted = table.columns.flatMap((column, i) =>
    refusesBinary(session, column) ? [`${quoteName(column.name)} = CONVERT(@v${i} USING utf8mb4)`] : [],
  );
  return [
    `LOAD DATA LOCAL INFILE 'rows' INTO TABLE ${name} CHARACTER SET binary`,
    String.raw`FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n'`,
    `(${fields.join(', ')})`,
    converted.length === 0 ? '' : `SET ${converted.join(', ')}`,
  ].join(' ');
}

/** Types that are given as text but have no charset, such as UUID, and MySQL's JSON, take binary text for their inner form. */
function refusesBinary({ dialect }: Session, { kind, charset }: ColumnStructure): boolean {
  return (kind === 'JSON' && dialect.hasJsonType) || (kind === 'TEXT' && charset === undefined);
}
