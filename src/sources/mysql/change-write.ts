/**
 * The change writer: applies listed differences in one transaction. Every old row is locked and compared byte by byte; any
 * difference is PLAN_DRIFTED. Foreign keys are left alone until `checkReferences`. The job's mark is part of the transaction,
 * so that a COMMIT whose answer was lost is settled by looking for it. Missing tables are created before it begins.
 */
import { AppError } from '../../domain/errors';
import type { RowBatch } from '../../domain/rows';
import { isWhole, rowStart } from '../../domain/rows';
import type { ChangeWriteOptions, ChangeWriter, ReadRowsOptions } from '../../domain/source';
import type { TableStructure } from '../../domain/table';
import { prepareForWriting } from './bulk-load';
import type { WriteContext } from './bulk-write';
import { businessNarrowing, type Narrowing } from './business-index';
import { ChangedReferences } from './change-references';
import { createMissing, noMarker, undoCreation } from './create-missing';
import { isConnectionLost, isDuplicateKey, toSourceError } from './errors';
import { changedValues, countErrorValues, insertBatch, requireFit, rowValues, withErrorValues } from './insert-rows';
import { requireColumns } from './introspect';
import { keyColumns, keysCondition, orderByKey } from './key-range';
import { keyBatches } from './place-keys';
import { readBatches } from './raw-rows';
import { inPlace, selectRows } from './read-rows';
import { endThreads, undoBeginning } from './recover-write';
import { openSession, type Session } from './session';
import { hasOldCharset, quoteName, selectList, storedLiteral } from './sql';
import { markStatement, prepareMarkers, readMark } from './write-marker';

/** Keys named in one statement; each also costs a literal. */
const ROWS_PER_STATEMENT = 500;
/** The server rolls back a transaction of ours that said nothing for so long; reading a chunk takes far less. */
const IDLE_TRANSACTION_SECONDS = 900;
const UPDATE_STATEMENT_BYTES = 512 * 1024;

export async function openChangeWriter(context: WriteContext, options: ChangeWriteOptions): Promise<ChangeWriter> {
  const session = await openSession(context.target, { signal: options.signal, multipleStatements: true });
  let makes = false;
  try {
    await prepareForWriting(session);
    // A program or machine that stops dead must not hold its row locks for a day.
    await session.run(`SET SESSION wait_timeout = ${IDLE_TRANSACTION_SECONDS}`);
    const canMark = await prepareMarkers(session);
    const isMissing = ({ table }: TableStructure): boolean => options.missing?.includes(table) ?? false;
    for (const table of options.tables) {
      if (!isMissing(table)) await requireColumns(session, context.target.schema, table);
    }
    const created = options.tables.filter(isMissing);
    if (created.length > 0 && !canMark) throw noMarker();
    makes = created.length > 0;
    if (makes) await createMissing(session, options.jobId, created);
    await session.run('START TRANSACTION');
    return new MysqlChangeWriter(context, options, session, { canMark, created });
  } catch (error) {
    session.destroy();
    if (makes) await undoBeginning(context.target, options.jobId, [session]);
    throw toSourceError(error, 'beginning to write');
  }
}

interface Beginnings {
  canMark: boolean;
  /** Tables that were missing. */
  created: readonly TableStructure[];
}

type WriteState = 'OPEN' | 'COMMITTED' | 'ROLLED_BACK';

class MysqlChangeWriter implements ChangeWriter {
  private state: WriteState = 'OPEN';
  private readonly references: ChangedReferences;
  /** Of the rows as they are since the last change. */
  private narrowed: Narrowing | undefined;

  // eslint-disable-next-line max-params -- made in one place, above
  constructor(
    private readonly context: WriteContext,
    private readonly options: ChangeWriteOptions,
    private readonly session: Session,
    private readonly begun: Beginnings,
  ) {
    this.references = new ChangedReferences(session, options.tables);
  }

  get unproven(): ReadonlySet<string> {
    return this.references.unproven;
  }

  async deleteRows(table: TableStructure, oldRows: RowBatch): Promise<void> {
    await this.changing('deleting from', table, async () => {
      await this.references.removed(table, oldRows);
      for (const part of parts(oldRows)) {
        const keys = await this.lock(table, part);
        const { affectedRows } = await this.session.run(`DELETE FROM ${quoteName(table.table)} WHERE ${keys}`);
        if (affectedRows !== part.ends.length) throw drifted(table, 'rows were not there to be deleted');
      }
    });
  }

  async updateRows(table: TableStructure, oldRows: RowBatch, newRows: RowBatch): Promise<void> {
    if (oldRows.ends.length !== newRows.ends.length)
      throw new AppError('INTERNAL', 'Old and new rows are not as many.');
    await this.changing('updating', table, async () => {
      await this.references.removed(table, oldRows, newRows);
      await this.references.wrote(table, newRows);
      for (const part of parts(oldRows)) await this.lock(table, part);
      await this.sendUpdates(table, newRows);
    });
  }

  async insertRows(table: TableStructure, rows: RowBatch): Promise<void> {
    await this.changing('inserting into', table, async () => {
      await this.references.wrote(table, rows);
      for (const part of parts(rows)) await insertBatch(this.session, { name: quoteName(table.table), table }, part);
    });
  }

  /** Locks the rows and proves that they are, byte for byte, the ones given. Returns the condition that names them. */
  private async lock(table: TableStructure, oldRows: RowBatch): Promise<string> {
    const expected = new Map<string, Buffer>();
    const columns = keyColumns(table);
    const keyAt = columns.map((column) => table.columns.indexOf(column));
    const keys: (Buffer | null)[][] = [];
    for (let i = 0; i < oldRows.ends.length; i++) {
      keys.push(keyValues(rowValues(table, oldRows, i), keyAt));
      expected.set(keyText(keys[i] as Buffer[]), oldRows.bytes.subarray(rowStart(oldRows, i), oldRows.ends[i]));
    }
    const condition = keysCondition(columns, keys);
    const list = selectList(table.columns, this.session.dialect);
    const sql = `SELECT ${list} FROM ${quoteName(table.table)} WHERE ${condition} ORDER BY ${orderByKey(table)} FOR UPDATE`;
    for await (const live of readBatches(this.session, sql, { signal: this.options.signal })) {
      for (let i = 0; i < live.ends.length; i++) {
        const key = keyValues(rowValues(table, live, i), keyAt);
        const old = expected.get(keyText(key));
        const row = live.bytes.subarray(rowStart(live, i), live.ends[i]);
        if (!old?.equals(row)) throw drifted(table, `the row with key (${key.join(', ')}) is another now`);
        expected.delete(keyText(key));
      }
    }
    if (expected.size > 0) {
      const gone = keys.find((key) => expected.has(keyText(key))) ?? [];
      throw drifted(table, `the row with key (${gone.join(', ')}) is gone`);
    }
    return condition;
  }

  private async sendUpdates(table: TableStructure, newRows: RowBatch): Promise<void> {
    let statements: string[] = [];
    let bytes = 0;
    let errorValues = 0;
    const send = async (): Promise<void> => {
      await this.runUpdates(table, statements, errorValues);
      [statements, bytes, errorValues] = [[], 0, 0];
    };
    const limit = Math.min(UPDATE_STATEMENT_BYTES, this.session.maxPacketBytes / 2);
    for (let i = 0; i < newRows.ends.length; i++) {
      const values = rowValues(table, newRows, i);
      const statement = updateStatement(table, values);
      requireFit(this.session, table, statement);
      if (statements.length > 0 && bytes + statement.length > limit) await send();
      statements.push(statement);
      bytes += statement.length;
      errorValues += countErrorValues(table, values);
    }
    await send();
  }

  private async runUpdates(table: TableStructure, statements: readonly string[], errorValues: number): Promise<void> {
    const results = await withErrorValues(this.session, errorValues, () => this.session.runAll(statements));
    if (results.some(({ affectedRows }) => affectedRows !== 1))
      throw drifted(table, 'rows were not there to be updated');
    // Its condition on the key would warn by itself; what was written is compared with the backup before COMMIT in any case.
    if (keyColumns(table).some(hasOldCharset)) return;
    const warnings = results.reduce((sum, result) => sum + result.warnings, 0);
    if (warnings !== errorValues) throw await changedValues(this.session, table.table);
  }

  async *readRows(table: TableStructure, read: ReadRowsOptions): AsyncGenerator<RowBatch> {
    const { session, options, context } = this;
    const { tables } = options;
    const select = { table, tables, mapping: context.mapping, dialect: session.dialect, locate: inPlace, read };
    try {
      const narrowing = read.scope?.kind === 'BUSINESS' ? await this.narrowing() : undefined;
      for (const keys of read.keys ? keyBatches(table, read.keys) : [undefined]) {
        const sql = selectRows({ ...select, keys, narrowing });
        if (sql !== null) yield* readBatches(session, sql, { signal: read.signal ?? options.signal });
      }
    } catch (error) {
      throw toSourceError(error, `reading table ${table.table}`);
    }
  }

  private async narrowing(): Promise<Narrowing> {
    return (this.narrowed ??= await businessNarrowing(this.session, this.options.tables));
  }

  async countRows(table: TableStructure): Promise<number> {
    try {
      const [[count] = []] = await this.session.values(`SELECT COUNT(*) FROM ${quoteName(table.table)}`);
      return Number(count);
    } catch (error) {
      throw toSourceError(error, `counting table ${table.table}`);
    }
  }

  async checkReferences(): Promise<void> {
    if (isWhole(this.options.scope)) for (const table of this.begun.created) await this.references.created(table);
    await this.references.check();
  }

  async commit(): Promise<void> {
    if (this.state === 'COMMITTED') return;
    if (this.state !== 'OPEN') throw new AppError('INTERNAL', 'A write that was rolled back can not be committed.');
    if (this.begun.canMark) await this.session.run(markStatement(this.options.jobId, 'COMMITTED'));
    try {
      await this.session.run('COMMIT');
    } catch (error) {
      if (!this.isLostAnswer(error)) throw error;
      await this.settle(toSourceError(error));
    }
    this.state = 'COMMITTED';
    await this.session.close();
    this.context.onEnd();
  }

  /** A cancellation that comes during COMMIT cuts the connection too, and leaves the same doubt. */
  private isLostAnswer(error: unknown): boolean {
    return isConnectionLost(error) || toSourceError(error).code === 'CANCELLED';
  }

  /** Returns when the transaction is found committed; throws what happened otherwise. */
  private async settle(lost: AppError): Promise<void> {
    if (!this.begun.canMark) throw unknownOutcome(lost);
    const session = await openSession(this.context.target).catch((error: unknown) => {
      throw unknownOutcome(toSourceError(error));
    });
    try {
      await endThreads(session, [this.session.threadId]);
      const mark = await readMark(session, this.options.jobId);
      if (mark === 'UNKNOWABLE') throw unknownOutcome(lost);
      if (mark?.state !== 'COMMITTED') throw lost;
    } finally {
      await session.close();
    }
  }

  async rollback(): Promise<void> {
    if (this.state !== 'OPEN') return;
    this.state = 'ROLLED_BACK';
    const broken = this.session.ended !== null;
    await this.session.close();
    if (broken) await this.endBroken();
    this.context.onEnd();
    await this.undoCreation();
  }

  /** On a session of its own: this one's may be broken. What fails here is left to `recoverWrite`. */
  private async undoCreation(): Promise<void> {
    if (this.begun.created.length === 0) return;
    const session = await openSession(this.context.target);
    try {
      await undoCreation(session, this.options.jobId);
    } finally {
      await session.close();
    }
  }

  /** The server may not have noticed yet that the connection is gone, and still hold its locks. */
  private async endBroken(): Promise<void> {
    try {
      const session = await openSession(this.context.target);
      await endThreads(session, [this.session.threadId]);
      await session.close();
    } catch (error) {
      // A server that can't be reached ends the transaction by itself.
      this.context.log.debug('A broken connection could not be ended from outside.', { error: String(error) });
    }
  }

  private async changing(doing: string, table: TableStructure, work: () => Promise<void>): Promise<void> {
    this.narrowed = undefined;
    try {
      await work();
    } catch (error) {
      if (isDuplicateKey(error) && !isOtherIndex(table, error)) {
        const [entry = 'a key to be written'] =
          /Duplicate entry '.*' for key/s.exec(error instanceof Error ? error.message : '') ?? [];
        throw drifted(table, `a key to be written exists already (${entry})`, error);
      }
      throw toSourceError(error, `${doing} table ${table.table}`);
    }
  }
}

/** A unique index beside the key was violated: by a row that the plan does not list. */
function isOtherIndex(table: TableStructure, error: unknown): boolean {
  const message = error instanceof Error ? error.message : '';
  return table.indexes.some(({ name }) => message.endsWith(`'${name}'`) || message.endsWith(`.${name}'`));
}

/** Pieces of a batch that one statement can name. */
function* parts(batch: RowBatch): Generator<RowBatch> {
  for (let from = 0; from < batch.ends.length; from += ROWS_PER_STATEMENT) {
    const offset = rowStart(batch, from);
    const ends = batch.ends.subarray(from, from + ROWS_PER_STATEMENT).map((end) => end - offset);
    yield { bytes: batch.bytes.subarray(offset, offset + (ends[ends.length - 1] as number)), ends };
  }
}

function keyValues(values: readonly (Buffer | null)[], keyAt: readonly number[]): (Buffer | null)[] {
  return keyAt.map((position) => values[position] ?? null);
}

function keyText(key: readonly (Buffer | null)[]): string {
  return key.map((value) => `${value?.length}:${value?.toString('latin1')}`).join();
}

/** Names every stored column: one left out, such as an ON UPDATE timestamp, would move by itself. */
function updateStatement(table: TableStructure, values: readonly (Buffer | null)[]): string {
  const sets = table.columns.map(
    (column, i) => `${quoteName(column.name)} = ${storedLiteral(column, values[i] ?? null)}`,
  );
  const columns = keyColumns(table);
  const key = columns.map((column) => values[table.columns.indexOf(column)] ?? null);
  return `UPDATE ${quoteName(table.table)} SET ${sets.join(', ')} WHERE ${keysCondition(columns, [key])}`;
}

function drifted(table: TableStructure, what: string, cause?: unknown): AppError {
  return new AppError('PLAN_DRIFTED', `Table ${table.table} changed since the plan was made: ${what}.`, {
    hint: 'Make a new plan.',
    cause,
  });
}

function unknownOutcome(cause: AppError): AppError {
  return new AppError(
    'SOURCE_UNAVAILABLE',
    'The connection was lost during COMMIT, and whether it happened is not known yet.',
    {
      hint: 'When the source answers again, compare it with the backup by a dry run.',
      retryable: true,
      cause,
    },
  );
}
