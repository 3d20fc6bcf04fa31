/**
 * Applies listed differences in one transaction, under SQLite's one write lock: from the first comparison to the commit
 * nobody else writes. Triggers are off meanwhile, so a restored row brings about nothing but itself.
 */
import type { Clock } from '../../domain/ambient';
import { AppError } from '../../domain/errors';
import type { SourceMapping } from '../../domain/mapping';
import { isWhole, rowCount, type RowBatch } from '../../domain/rows';
import type { ChangeWriteOptions, ChangeWriter, ReadRowsOptions } from '../../domain/source';
import type { TableStructure } from '../../domain/table';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createTable } from './create-table';
import { Database } from './database';
import { throwIfAborted } from './errors';
import {
  TableNames,
  affectedTables,
  danglingError,
  danglingRows,
  newlyDangling,
  type DanglingRow,
} from './foreign-key-check';
import { objectKind } from './introspect';
import { keyOrder, type KeyOrder } from './key-order';
import { quoteName } from './quote';
import { hasRow, keyBytesOf, readRow, readRows } from './read-rows';
import { hasMarker, leaveMarker } from './write-marker';
import { beginWriting, dropTriggers, raiseLastNumber, requireSameColumns } from './write-transaction';
import { deleteRow, insertRow, keyText, rowsOf, updateRow } from './write-rows';

export interface SqliteChangeOptions extends ChangeWriteOptions {
  sourcePath: string;
  mapping: SourceMapping;
  clock: Clock;
  /** Called when the writer is done with, however it ended. */
  onEnd: () => void;
}

export async function openChangeWriter(options: SqliteChangeOptions): Promise<ChangeWriter> {
  const database = await beginWriting(options.sourcePath, options.clock, options.signal);
  try {
    const triggers = options.tables.flatMap((table) => prepareTable(database, table, options));
    return new SqliteChangeWriter(database, options, triggers);
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Creates the table where it is missing; takes its triggers off, or leaves them out. Gives the statements that put them on. */
function prepareTable(database: Database, table: TableStructure, { missing }: SqliteChangeOptions): string[] {
  if (!missing?.includes(table.table)) {
    requireSameColumns(database, table);
    return dropTriggers(database, table.table);
  }
  if (objectKind(database, table.table) !== null) throw appeared(table.table);
  const { indexes, triggers } = createTable(database, table);
  for (const statement of indexes) database.run(statement, []);
  return triggers;
}

class SqliteChangeWriter implements ChangeWriter {
  /** Statements that put triggers back before the commit. */
  private readonly triggers: string[];
  private readonly orders = new Map<string, KeyOrder>();
  private readonly touched = new TableNames();
  private readonly created: TableNames;

  constructor(
    private readonly database: Database,
    private readonly options: SqliteChangeOptions,
    triggers: string[],
  ) {
    this.triggers = triggers;
    this.created = TableNames.of(options.missing ?? []);
    for (const table of options.missing ?? []) this.touched.add(table);
  }

  async deleteRows(table: TableStructure, oldRows: RowBatch): Promise<void> {
    await this.eachRow(table, oldRows, (row) => {
      const key = this.requireUnchanged(table, row);
      deleteRow(this.database, table, { order: this.order(table), key });
    });
  }

  async updateRows(table: TableStructure, oldRows: RowBatch, newRows: RowBatch): Promise<void> {
    if (rowCount(oldRows) !== rowCount(newRows)) {
      throw new AppError(
        'INTERNAL',
        `${rowCount(oldRows)} old rows of ${table.table} have ${rowCount(newRows)} new ones.`,
      );
    }
    const replacements = rowsOf(newRows);
    await this.eachRow(table, oldRows, (row) => {
      const key = this.requireUnchanged(table, row);
      updateRow(this.database, table, { order: this.order(table), key, row: replacements.next().value as Buffer });
    });
  }

  async insertRows(table: TableStructure, rows: RowBatch): Promise<void> {
    await this.eachRow(table, rows, (row) => {
      const at = { order: this.order(table), key: keyBytesOf(table, row) };
      if (hasRow(this.database, table, at)) throw drifted(table, row, 'exists by now');
      insertRow(this.database, table, row);
    });
  }

  readRows(table: TableStructure, options: ReadRowsOptions): AsyncIterable<RowBatch> {
    const { tables, mapping } = this.options;
    return readRows({ database: this.database, tables, mapping }, table, options);
  }

  async countRows(table: TableStructure): Promise<number> {
    return Number(this.database.value(`SELECT COUNT(*) FROM ${quoteName(table.table)}`));
  }

  async checkReferences(): Promise<void> {
    const found = danglingRows(this.database, affectedTables(this.database, this.touched));
    if (found.length === 0) return;
    const isProven = ({ parent }: DanglingRow): boolean => this.created.has(parent) && isWhole(this.options.scope);
    const others = found.filter((row) => !isProven(row));
    const ours = [...found.filter(isProven), ...newlyDangling(others, this.danglingBefore(others))];
    const restored = TableNames.of(this.options.tables.map(({ table }) => table));
    if (ours.length > 0) throw danglingError(this.database, ours, restored);
  }

  /** A second connection still sees the database as it was before this transaction. */
  private danglingBefore(found: readonly DanglingRow[]): DanglingRow[] {
    const before = Database.open(this.options.sourcePath);
    try {
      const tables = new Set(found.map((row) => row.table).filter((table) => !this.created.has(table)));
      return danglingRows(before, [...tables]);
    } finally {
      before.close();
    }
  }

  async commit(): Promise<void> {
    throwIfAborted(this.options.signal);
    for (const table of this.options.tables) raiseLastNumber(this.database, table);
    for (const statement of this.triggers.splice(0)) this.database.run(statement, []);
    leaveMarker(this.database, this.options.jobId, this.options.clock);
    try {
      this.database.exec('COMMIT');
    } catch (error) {
      this.settle(error);
    } finally {
      await this.rollback();
    }
  }

  /** A COMMIT that failed has nearly always left the transaction open; where not, the marker says what happened. */
  private settle(error: unknown): void {
    if (this.database.inTransaction || !hasMarker(this.database, this.options.jobId)) throw error;
  }

  /** Harmless after a commit. */
  async rollback(): Promise<void> {
    this.database.close();
    this.options.onEnd();
  }

  private async eachRow(table: TableStructure, rows: RowBatch, work: (row: Buffer) => void): Promise<void> {
    throwIfAborted(this.options.signal);
    this.touched.add(table.table);
    for (const row of rowsOf(rows)) work(row);
    await nextTurn();
  }

  /** The row's key, once the live row has proven equal to the listed one. */
  private requireUnchanged(table: TableStructure, row: Buffer): Buffer {
    const key = keyBytesOf(table, row);
    const live = readRow(this.database, table, { order: this.order(table), key });
    if (live === null) throw drifted(table, row, 'is gone');
    if (!live.equals(row)) throw drifted(table, row, 'was changed meanwhile');
    return key;
  }

  private order(table: TableStructure): KeyOrder {
    const known = this.orders.get(table.table) ?? keyOrder(this.database, table);
    this.orders.set(table.table, known);
    return known;
  }
}

function appeared(table: string): AppError {
  return new AppError('PLAN_DRIFTED', `Table ${table} was missing when the restore began and was created meanwhile.`, {
    hint: 'Restore again, which keeps rows that came later.',
  });
}

function drifted(table: TableStructure, row: Buffer, what: string): AppError {
  return new AppError('PLAN_DRIFTED', `The row ${keyText(table, row)} of ${table.table} ${what}.`, {
    hint: 'Plan the restore again: the live data moved.',
  });
}
