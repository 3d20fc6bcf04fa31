/**
 * The MySQL and MariaDB source: implements the source port over mysql2. Connections are opened per piece of work and end with it;
 * `close` ends those that are still open.
 */
import type { Clock, Log, Random } from '../../domain/ambient';
import type { SourceMapping } from '../../domain/mapping';
import { DEFAULT_INVARIANT_LIMIT_MS, type Invariant, type InvariantCheck } from '../../domain/invariant';
import type { SourceSettings } from '../../domain/settings';
import type {
  BulkWriteOptions,
  BulkWriter,
  ChangeWriteOptions,
  ChangeWriter,
  ChangeLogReport,
  CheckInvariantsOptions,
  ConsistentRead,
  MappingProblem,
  OpenReadOptions,
  ReadChangeLogOptions,
  Source,
  SourceFinding,
  SourceInfo,
  TableState,
  WriteRecovery,
} from '../../domain/source';
import { OpenHandles } from '../open-handles';
import { openBulkWriter, type WriteContext } from './bulk-write';
import { openChangeWriter } from './change-write';
import { readChangeLog } from './change-log';
import { openConsistentRead } from './consistent-read';
import { diagnoseSafely } from './diagnose';
import { dropEmptyTables } from './drop-empty';
import { estimateRows } from './estimate-rows';
import { isDatabaseDenied, toSourceError } from './errors';
import { readReferringTables } from './incoming-references';
import { listTables } from './introspect';
import { checkInvariants, examineInvariants } from './invariants';
import { checkMapping } from './mapping-check';
import { recoverWrite } from './recover-write';
import { mysqlCodec } from './row-encoding';
import { discardScratch, dropScratch, scratchesNamed } from './scratch';
import { openSession, parseTarget, type ConnectionTarget, type Session, type SessionOptions } from './session';
import { holdsRows } from './staging';
import { unfinishedJobs } from './write-marker';

export interface MysqlSourceOptions {
  settings: SourceSettings;
  clock: Clock;
  random: Random;
  log: Log;
}

/** Nothing is connected yet. Throws CONFIG_INVALID for a URL that names no database. */
export function openMysqlSource(options: MysqlSourceOptions): Source {
  return new MysqlSource(options);
}

class MysqlSource implements Source {
  readonly codec = mysqlCodec;
  /** Neither MySQL nor MariaDB can leave triggers out for a session. */
  readonly firesTriggers = true;
  private readonly target: ConnectionTarget;
  private readonly open = new OpenHandles();

  constructor(private readonly options: MysqlSourceOptions) {
    this.target = parseTarget(options.settings.url, options.settings.name);
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
    return this.within({ signal }, async ({ dialect }) => ({
      kind: dialect.kind,
      version: dialect.version,
      schema: this.target.schema,
    }));
  }

  async checkMapping(signal?: AbortSignal): Promise<MappingProblem[]> {
    const { mapping } = this.options.settings;
    return this.within({ signal }, (session) => checkMapping(session, this.target.schema, mapping));
  }

  async diagnose(signal?: AbortSignal): Promise<SourceFinding[]> {
    const { settings, clock } = this.options;
    const examine = (session: Session): Promise<SourceFinding[]> =>
      diagnoseSafely({ session, mapping: settings.mapping, clock });
    try {
      return await this.within({ signal }, async (session) => [
        ...(await examine(session)),
        ...(await examineInvariants(session, this.invariants)),
      ]);
    } catch (error) {
      if (!isDatabaseDenied(error)) throw error;
      // A user without any grant on the database can't enter it: all the more it must be told which ones are missing.
      return this.within({ signal, noSchema: true }, examine);
    }
  }

  async estimateRows(signal?: AbortSignal): Promise<Map<string, number>> {
    const { mapping } = this.options.settings;
    return this.within({ signal }, (session) => estimateRows(session, this.target.schema, mapping));
  }

  async openConsistentRead(options: OpenReadOptions): Promise<ConsistentRead> {
    return this.open.track(
      (onEnd) => openConsistentRead({ ...this.options, target: this.target, onEnd }, options),
      (read) => read.close(),
    );
  }

  async readChangeLog(options: ReadChangeLogOptions): Promise<ChangeLogReport> {
    try {
      return await readChangeLog({ target: this.target, random: this.options.random }, options);
    } catch (error) {
      throw toSourceError(error, `reading the binary log of source ${this.name}`);
    }
  }

  async tableStates(tables: readonly string[], schema?: string): Promise<Map<string, TableState>> {
    return this.within({ noSchema: schema !== undefined }, async (session) => {
      const live = await listTables(session, schema ?? this.target.schema, tables);
      const states = new Map<string, TableState>();
      for (const table of tables) {
        const found = live.get(table);
        states.set(table, !found ? 'MISSING' : (await holdsRows(session, found.table, schema)) ? 'FILLED' : 'EMPTY');
      }
      return states;
    });
  }

  async openBulkWriter(options: BulkWriteOptions): Promise<BulkWriter> {
    return this.open.track(
      (onEnd) => openBulkWriter(this.writing(onEnd), options),
      (writer) => writer.abort(),
    );
  }

  async openChangeWriter(options: ChangeWriteOptions): Promise<ChangeWriter> {
    return this.open.track(
      (onEnd) => openChangeWriter(this.writing(onEnd), options),
      (writer) => writer.rollback(),
    );
  }

  private writing(onEnd: () => void): WriteContext {
    const { settings, clock, log } = this.options;
    return { target: this.target, mapping: settings.mapping, clock, log, onEnd };
  }

  async recoverWrite(jobId: string): Promise<WriteRecovery> {
    return this.within({}, (session) => recoverWrite(session, jobId));
  }

  async unfinishedWrites(): Promise<string[]> {
    return this.within({}, unfinishedJobs);
  }

  async referringTables(tables: readonly string[], signal?: AbortSignal): Promise<Map<string, string[]>> {
    return this.within({ signal }, (session) => readReferringTables(session, tables));
  }

  async dropEmptyTables(tables: readonly string[]): Promise<Map<string, string>> {
    try {
      return tables.length === 0 ? new Map() : await dropEmptyTables(this.target, tables);
    } catch (error) {
      throw toSourceError(error, 'dropping empty tables');
    }
  }

  async dropScratch(schema: string): Promise<void> {
    await this.within({}, (session) => dropScratch(session, schema));
  }

  async scratchesNamed(prefix: string): Promise<string[]> {
    return this.within({ noSchema: true }, (session) => scratchesNamed(session, prefix));
  }

  async discardScratch(schema: string, jobId: string): Promise<void> {
    await this.within({ noSchema: true }, (session) => discardScratch(session, schema, jobId));
  }

  async checkInvariants(options: CheckInvariantsOptions): Promise<InvariantCheck[]> {
    const { invariantLimitMs = DEFAULT_INVARIANT_LIMIT_MS } = this.options.settings;
    try {
      return await checkInvariants(this.target, { ...options, limitMs: invariantLimitMs });
    } catch (error) {
      throw toSourceError(error, 'checking invariants');
    }
  }

  async close(): Promise<void> {
    await this.open.endAll();
  }

  private async within<T>(options: SessionOptions, work: (session: Session) => Promise<T>): Promise<T> {
    try {
      const session = await openSession(this.target, options);
      try {
        return await work(session);
      } finally {
        await session.close();
      }
    } catch (error) {
      throw toSourceError(error, `asking source ${this.name}`);
    }
  }
}
