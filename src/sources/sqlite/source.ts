/**
 * The SQLite source: implements the source port on one database file. Connections are opened per piece of work and closed
 * with it; `close` ends those that are still open. It works in a worker thread as in the main one.
 */
import { basename } from 'node:path';
import { existsSync } from 'node:fs';
import type { Clock, Log, Random } from '../../domain/ambient';
import type { SourceMapping } from '../../domain/mapping';
import type { Invariant, InvariantCheck } from '../../domain/invariant';
import type { SourceSettings } from '../../domain/settings';
import type {
  BulkWriteOptions,
  BulkWriter,
  ChangeWriteOptions,
  ChangeWriter,
  CheckInvariantsOptions,
  ConsistentRead,
  MappingProblem,
  OpenReadOptions,
  Source,
  SourceFinding,
  SourceInfo,
  TableState,
  WriteRecovery,
} from '../../domain/source';
import { OpenHandles } from '../open-handles';
import { openBulkWriter } from './bulk-write';
import { openChangeWriter } from './change-write';
import { openConsistentRead } from './consistent-read';
import { Database, pathOfUrl } from './database';
import { diagnose } from './diagnose';
import { dropEmptyTables, referringTables } from './drop-empty';
import { throwIfAborted } from './errors';
import { estimateRows } from './estimate-rows';
import { objectKind } from './introspect';
import { checkInvariants, examineInvariants } from './invariants';
import { checkMapping } from './mapping-check';
import { quoteName } from './quote';
import { sqliteCodec } from './row-encoding';
import {
  discardScratch,
  dropScratch,
  freeScratchBytes,
  hasFinishedScratch,
  removeUnfinishedScratch,
  scratchPath,
  scratchesNamed,
} from './scratch';
import { hasMarker } from './write-marker';

export interface SqliteSourceOptions {
  settings: SourceSettings;
  clock: Clock;
  random: Random;
  log: Log;
}

export function openSqliteSource(options: SqliteSourceOptions): Source {
  return new SqliteSource(options);
}

class SqliteSource implements Source {
  readonly codec = sqliteCodec;
  private readonly path: string;
  private readonly open = new OpenHandles();

  constructor(private readonly options: SqliteSourceOptions) {
    this.path = pathOfUrl(options.settings.url);
  }

  get name(): string {
    return this.options.settings.name;
  }

  get mapping(): SourceMapping {
    return this.options.settings.mapping;
  }

  get invariants(): readonly Invariant[] {
    return this.options.settings.invariants ?? [];
  }

  async info(signal?: AbortSignal): Promise<SourceInfo> {
    return this.look(signal, (database) => ({
      kind: 'sqlite',
      version: String(database.value('SELECT sqlite_version()')),
      schema: basename(this.path),
    }));
  }

  async checkMapping(signal?: AbortSignal): Promise<MappingProblem[]> {
    return this.look(signal, (database) => checkMapping(database, this.options.settings.mapping));
  }

  async diagnose(signal?: AbortSignal): Promise<SourceFinding[]> {
    throwIfAborted(signal);
    const findings = diagnose(this.path, this.options.settings.mapping);
    return [...findings, ...within(this.path, (database) => examineInvariants(database, this.invariants))];
  }

  async estimateRows(signal?: AbortSignal): Promise<Map<string, number>> {
    return this.look(signal, (database) => estimateRows(database, this.options.settings.mapping));
  }

  async openConsistentRead(options: OpenReadOptions): Promise<ConsistentRead> {
    const { settings, clock } = this.options;
    const limits = {
      maxBytesPerSecond: options.maxBytesPerSecond ?? settings.maxBytesPerSecond,
      maxRowsPerSecond: options.maxRowsPerSecond ?? settings.maxRowsPerSecond,
    };
    const { path } = this;
    return this.open.track(
      (onEnd) => openConsistentRead({ ...options, ...limits, path, mapping: settings.mapping, clock, onEnd }),
      (read) => read.close(),
    );
  }

  async tableStates(tables: readonly string[], schema?: string): Promise<Map<string, TableState>> {
    const path = schema === undefined ? this.path : scratchPath(this.path, schema);
    if (schema !== undefined && !existsSync(path)) return new Map(tables.map((table) => [table, 'MISSING']));
    return within(path, (database) => new Map(tables.map((table) => [table, tableState(database, table)])));
  }

  async openBulkWriter(options: BulkWriteOptions): Promise<BulkWriter> {
    return this.open.track(
      (onEnd) => openBulkWriter({ ...options, ...this.writing(), onEnd }),
      (writer) => writer.abort(),
    );
  }

  async openChangeWriter(options: ChangeWriteOptions): Promise<ChangeWriter> {
    return this.open.track(
      (onEnd) => openChangeWriter({ ...options, ...this.writing(), onEnd }),
      (writer) => writer.rollback(),
    );
  }

  private writing() {
    return { sourcePath: this.path, mapping: this.options.settings.mapping, clock: this.options.clock };
  }

  async recoverWrite(jobId: string): Promise<WriteRecovery> {
    removeUnfinishedScratch(this.path, jobId);
    if (hasFinishedScratch(this.path, jobId)) return 'COMMITTED';
    return within(this.path, (database) => (hasMarker(database, jobId) ? 'COMMITTED' : 'ABSENT'));
  }

  async referringTables(tables: readonly string[], signal?: AbortSignal): Promise<Map<string, string[]>> {
    return this.look(signal, (database) => {
      const found = tables.map((table): [string, string[]] => [table, referringTables(database, table).sort()]);
      return new Map(found.filter(([, children]) => children.length > 0));
    });
  }

  async dropEmptyTables(tables: readonly string[]): Promise<Map<string, string>> {
    return tables.length === 0 ? new Map() : dropEmptyTables(this.path, tables, this.options.clock);
  }

  async dropScratch(schema: string): Promise<void> {
    dropScratch(this.path, schema);
  }

  async scratchesNamed(prefix: string): Promise<string[]> {
    return scratchesNamed(this.path, prefix);
  }

  async discardScratch(schema: string, jobId: string): Promise<void> {
    discardScratch(this.path, schema, jobId);
  }

  async checkInvariants({ schema, invariants, signal }: CheckInvariantsOptions): Promise<InvariantCheck[]> {
    throwIfAborted(signal);
    return within(scratchPath(this.path, schema), (database) => checkInvariants(database, invariants, signal));
  }

  freeBytes(): Promise<number> {
    return freeScratchBytes(this.path);
  }

  async close(): Promise<void> {
    await this.open.endAll();
  }

  private async look<T>(signal: AbortSignal | undefined, work: (database: Database) => T): Promise<T> {
    throwIfAborted(signal);
    return within(this.path, work);
  }
}

function within<T>(path: string, work: (database: Database) => T): T {
  const database = Database.open(path);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

function tableState(database: Database, table: string): TableState {
  if (objectKind(database, table) === null) return 'MISSING';
  return database.rows(`SELECT 1 FROM ${quoteName(table)} LIMIT 1`).length === 0 ? 'EMPTY' : 'FILLED';
}
