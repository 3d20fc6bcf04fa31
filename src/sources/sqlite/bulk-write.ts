/**
 * Loads whole tables, into the source's own database or a scratch one. All of it is one transaction (of the source) or one
 * unfinished file (scratch): before `publish` nobody sees it, and a crash leaves nothing but a file that recovery removes.
 * CHECKs are not asked while loading: every row was in the source as it is.
 */
import type { Clock } from '../../domain/ambient';
import { AppError } from '../../domain/errors';
import type { SourceMapping } from '../../domain/mapping';
import { isWhole, type RowBatch } from '../../domain/rows';
import type { BulkWriteOptions, BulkWriter, ConsistentRead } from '../../domain/source';
import type { TableStructure } from '../../domain/table';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { consistentRead } from './consistent-read';
import { createTable, type Deferred } from './create-table';
import { Database } from './database';
import { throwIfAborted } from './errors';
import { TableNames, affectedTables, brokenReferences, danglingError, danglingRows } from './foreign-key-check';
import { introspectTable, objectKind } from './introspect';
import { quoteName } from './quote';
import { publishScratch, refuseTakenScratch, removeDatabaseFiles, scratchPath, unfinishedScratchPath } from './scratch';
import { leaveMarker } from './write-marker';
import { beginWriting, dropTriggers, raiseLastNumber, requireSameColumns } from './write-transaction';
import { insertRow, rowsOf } from './write-rows';

export interface SqliteBulkOptions extends BulkWriteOptions {
  sourcePath: string;
  mapping: SourceMapping;
  clock: Clock;
  /** Called when the writer is done with, however it ended. */
  onEnd: () => void;
}

export async function openBulkWriter(options: SqliteBulkOptions): Promise<BulkWriter> {
  const database = await openTarget(options);
  try {
    const deferred = new Map(options.tables.map((table) => [table.table, prepareTable(database, table)]));
    return new SqliteBulkWriter(database, options, deferred);
  } catch (error) {
    discard(database, options);
    throw error;
  }
}

async function openTarget(options: SqliteBulkOptions): Promise<Database> {
  const { sourcePath, scratchSchema, jobId, clock, signal } = options;
  throwIfAborted(signal);
  const database =
    scratchSchema === undefined
      ? await beginWriting(sourcePath, clock, signal)
      : beginScratch(sourcePath, scratchSchema, jobId);
  database.exec('PRAGMA ignore_check_constraints = ON');
  return database;
}

/** Nothing of an unfinished scratch file needs to survive a crash, so it is written without a journal. */
function beginScratch(sourcePath: string, schema: string, jobId: string): Database {
  refuseTakenScratch(sourcePath, schema);
  const path = unfinishedScratchPath(sourcePath, schema, jobId);
  removeDatabaseFiles(path);
  const database = Database.open(path, { create: true });
  database.exec(
    'PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32768; PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE',
  );
  return database;
}

function discard(database: Database, { sourcePath, scratchSchema, jobId }: SqliteBulkOptions): void {
  database.close();
  if (scratchSchema !== undefined) removeDatabaseFiles(unfinishedScratchPath(sourcePath, scratchSchema, jobId));
}

/** Creates the table, or makes sure that it is empty and takes its indexes and triggers off. */
function prepareTable(database: Database, table: TableStructure): Deferred {
  if (objectKind(database, table.table) === null) return createTable(database, table);
  requireSameColumns(database, table);
  if (database.rows(`SELECT 1 FROM ${quoteName(table.table)} LIMIT 1`).length > 0) {
    throw new AppError('CONFLICT', `Table ${table.table} is not empty.`, { hint: 'Restore in place instead.' });
  }
  return { indexes: dropIndexes(database, table), triggers: dropTriggers(database, table.table) };
}

function dropIndexes(database: Database, { table, mapping }: TableStructure): string[] {
  const { indexes } = introspectTable(database, { ...mapping, table });
  return indexes.flatMap(({ name, statement }) => {
    if (statement === undefined) return [];
    database.exec(`DROP INDEX ${quoteName(name)}`);
    return [statement];
  });
}

class SqliteBulkWriter implements BulkWriter {
  readonly lanes = 1;

  constructor(
    private readonly database: Database,
    private readonly options: SqliteBulkOptions,
    private readonly deferred: Map<string, Deferred>,
  ) {}

  async load(table: TableStructure, rows: AsyncIterable<RowBatch>): Promise<number> {
    let count = 0;
    for await (const batch of rows) {
      throwIfAborted(this.options.signal);
      for (const row of rowsOf(batch)) insertRow(this.database, table, row);
      count += batch.ends.length;
      await nextTurn();
    }
    return count;
  }

  async finishLoading(table: TableStructure): Promise<void> {
    throwIfAborted(this.options.signal);
    const deferred = this.deferred.get(table.table);
    for (const statement of deferred?.indexes.splice(0) ?? []) this.database.run(statement, []);
  }

  async finishTables(): Promise<void> {
    for (const table of this.options.tables) await this.finishLoading(table);
    for (const table of this.options.tables) raiseLastNumber(this.database, table);
    for (const { triggers } of this.deferred.values()) {
      for (const statement of triggers.splice(0)) this.database.run(statement, []);
    }
    this.proveReferences();
  }

  private proveReferences(): void {
    const loaded = TableNames.of(this.options.tables.map(({ table }) => table));
    const found = danglingRows(this.database, affectedTables(this.database, loaded));
    const ours = found.filter(({ table, parent }) =>
      loaded.has(table) ? this.mustResolve(parent, loaded) : loaded.has(parent) && this.provesIncoming,
    );
    if (ours.length === 0) return;
    const { tables, onBrokenReference } = this.options;
    if (onBrokenReference === undefined) throw danglingError(this.database, ours, loaded);
    for (const broken of brokenReferences(this.database, ours, tables)) onBrokenReference(broken);
  }

  /** A scratch schema may hold some of the tables only; what refers to the rest can't be proven there. */
  private mustResolve(parent: string, loaded: TableNames): boolean {
    return this.options.scratchSchema === undefined || loaded.has(parent);
  }

  private get provesIncoming(): boolean {
    return isWhole(this.options.scope);
  }

  async openReadBack(): Promise<ConsistentRead> {
    const { tables, mapping, clock } = this.options;
    const live = tables.map((table) => introspectTable(this.database, table.mapping));
    return consistentRead({ database: this.database, tables: live, mapping }, clock.now(), () => undefined);
  }

  async publish(): Promise<void> {
    const { sourcePath, scratchSchema, jobId, clock } = this.options;
    throwIfAborted(this.options.signal);
    leaveMarker(this.database, jobId, clock);
    this.database.exec('COMMIT');
    this.database.close();
    this.options.onEnd();
    if (scratchSchema === undefined) return;
    refuseTakenScratch(sourcePath, scratchSchema);
    await publishScratch(
      unfinishedScratchPath(sourcePath, scratchSchema, jobId),
      scratchPath(sourcePath, scratchSchema),
    );
  }

  async abort(): Promise<void> {
    discard(this.database, this.options);
    this.options.onEnd();
  }
}
