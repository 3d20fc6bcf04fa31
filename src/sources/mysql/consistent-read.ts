/**
 * One moment of the source, read over several connections. Structures are read within the moment: the snapshots hold
 * metadata locks on every table from then on, so structure and rows agree until the read is closed.
 */
import { AppError } from '../../domain/errors';
import type { Clock, Log, Random } from '../../domain/ambient';
import type { SourceMapping } from '../../domain/mapping';
import type { KeyBytes, KeyRange, RowBatch } from '../../domain/rows';
import type {
  ConsistencyMethod,
  ConsistentRead,
  KeyedRead,
  KeyPlacing,
  LogPosition,
  OpenReadOptions,
  ReadKeysOptions,
  ReadRowsOptions,
} from '../../domain/source';
import type { SourceSettings } from '../../domain/settings';
import type { TableStructure } from '../../domain/table';
import { createThrottle, type Throttle } from '../throttle';
import { businessNarrowing, type Narrowing } from './business-index';
import { throwIfAborted, toSourceError } from './errors';
import { introspect } from './introspect';
import { Lanes } from './lanes';
import { watchLocks } from './lock-watch';
import { readLogCreation } from './log-lineage';
import { checkMapping } from './mapping-check';
import { keyBatches, placeKeys } from './place-keys';
import { planRanges } from './plan-ranges';
import { readBatches } from './raw-rows';
import { inPlace, selectRows, type Locate } from './read-rows';
import { openSession, type ConnectionTarget, type Session } from './session';
import { LOCK_WAIT_SECONDS, openSnapshot, type Snapshot } from './snapshot-ladder';
import { qualified } from './sql';

export interface ReadContext {
  target: ConnectionTarget;
  settings: SourceSettings;
  clock: Clock;
  random: Random;
  log: Log;
  /** Called when the read is closed. */
  onEnd: () => void;
}

export async function openConsistentRead(context: ReadContext, options: OpenReadOptions): Promise<ConsistentRead> {
  const { target } = context;
  const sessionOptions = { signal: options.signal, lockWaitSeconds: LOCK_WAIT_SECONDS };
  const opened: Session[] = [];
  try {
    const control = await openSession(target, sessionOptions);
    opened.push(control);
    const mapping = await soundMapping(control, context, options);
    for (let i = 0; i < Math.max(1, options.connections); i++) opened.push(await openSession(target, sessionOptions));
    const snapshot = await openSnapshot({ ...context, control, readers: opened.slice(1) });
    const tables = await pinStructures(snapshot, target.schema, mapping);
    snapshot.position &&= await datedPosition(context, snapshot.position, options.signal);
    await Promise.all(
      opened
        .slice(1)
        .filter((s) => !snapshot.sessions.includes(s))
        .map((s) => s.close()),
    );
    return new MysqlConsistentRead({ ...context, control, snapshot, tables, open: options });
  } catch (error) {
    for (const session of opened) session.destroy();
    throw error;
  }
}

/** With the creation time of its file, where this user may read it: no statement tells it, only the file's first event. */
async function datedPosition(
  { target, random, log }: ReadContext,
  position: LogPosition,
  signal: AbortSignal | undefined,
): Promise<LogPosition> {
  try {
    const createdAt = await readLogCreation(target, position.file, { random, signal });
    return { ...position, ...(createdAt === undefined ? {} : { createdAt }) };
  } catch (error) {
    throwIfAborted(signal);
    // The moment is sound without it; the backup is then no parent for reading the log.
    log.debug('When the binary log was created can not be read.', { file: position.file, error: String(error) });
    return position;
  }
}

async function soundMapping(
  control: Session,
  { target, settings }: ReadContext,
  { dataTypes, tables }: OpenReadOptions,
): Promise<SourceMapping> {
  const mapping = settings.mapping.filter(
    ({ dataType, table }) => dataTypes.includes(dataType) && (tables?.includes(table) ?? true),
  );
  const all = await checkMapping(control, target.schema, settings.mapping);
  const problems = all.filter(({ table }) => mapping.some((entry) => entry.table === table));
  const [first] = problems;
  if (first) {
    const rest = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    throw new AppError('SCHEMA_MISMATCH', `${first.message}${rest}`, { hint: first.hint });
  }
  return mapping;
}

/** Opens every table within the first snapshot, so that none can be altered, then reads the structures. */
async function pinStructures(
  { sessions }: Snapshot,
  schema: string,
  mapping: SourceMapping,
): Promise<TableStructure[]> {
  const [pin] = sessions as [Session];
  for (const { table } of mapping) await pin.run(`SELECT 1 FROM ${qualified(schema, table)} LIMIT 0`);
  return introspect(pin, schema, mapping);
}

interface ReadState extends ReadContext {
  control: Session;
  snapshot: Snapshot;
  tables: TableStructure[];
  open: OpenReadOptions;
}

class MysqlConsistentRead implements ConsistentRead {
  readonly consistency: ConsistencyMethod;
  readonly readAt: Date;
  readonly position: LogPosition | null;
  readonly tables: readonly TableStructure[];
  readonly byKey?: KeyedRead;
  private readonly pool: Lanes;
  private readonly reader: LaneReader;
  private readonly watching = new AbortController();
  private readonly watch: Promise<void>;

  constructor(private readonly state: ReadState) {
    const { snapshot, settings, clock, open } = state;
    this.consistency = snapshot.consistency;
    this.readAt = snapshot.readAt;
    this.position = snapshot.position;
    this.tables = state.tables;
    this.pool = new Lanes(snapshot.sessions);
    this.reader = new LaneReader({
      ...state,
      lanes: this.pool,
      mapping: settings.mapping,
      locate: inPlace,
      throttle: createThrottle({ clock, ...limits(settings, open) }),
      signal: open.signal,
    });
    if (state.control.dialect.valueRow !== null) this.byKey = this.reader;
    this.watch = watchLocks({
      ...state,
      session: state.control,
      patienceMs: settings.metadataLockPatienceMs,
      tables: state.tables.map(({ table }) => table),
      onExceeded: (error) => this.pool.destroy(error),
      signal: this.watching.signal,
    });
  }

  get lanes(): number {
    return this.pool.sessions.length;
  }

  planRanges(table: TableStructure, targetBytes: number): Promise<KeyRange[]> {
    return this.reader.planRanges(table, targetBytes);
  }

  readRows(table: TableStructure, options: ReadRowsOptions): AsyncIterable<RowBatch> {
    return this.reader.readRows(table, options);
  }

  async close(): Promise<void> {
    this.watching.abort();
    await this.pool.close();
    await this.state.control.close();
    await this.watch;
    this.state.onEnd();
  }
}

function limits(
  settings: SourceSettings,
  open: OpenReadOptions,
): { maxBytesPerSecond?: number; maxRowsPerSecond?: number } {
  return {
    maxBytesPerSecond: open.maxBytesPerSecond ?? settings.maxBytesPerSecond,
    maxRowsPerSecond: open.maxRowsPerSecond ?? settings.maxRowsPerSecond,
  };
}

export interface LaneReaderOptions {
  target: ConnectionTarget;
  lanes: Lanes;
  tables: readonly TableStructure[];
  mapping: SourceMapping;
  locate: Locate;
  throttle?: Throttle;
  signal?: AbortSignal;
}

/** Reads tables over a pool of sessions, each read on one of them. */
export class LaneReader implements KeyedRead {
  private narrowed: Narrowing | undefined;

  constructor(private readonly options: LaneReaderOptions) {}

  async planRanges(table: TableStructure, targetBytes: number): Promise<KeyRange[]> {
    const { lanes, locate, signal } = this.options;
    const place = locate(table.table);
    const name = qualified(place.schema, place.table);
    return lanes.use((session) => planRanges({ session, table, targetBytes, name }), signal);
  }

  async placeKeys(table: TableStructure, placing: KeyPlacing): Promise<Uint32Array | null> {
    const signal = anySignal(placing.signal, this.options.signal);
    return this.onLane(table, signal, (session) => placeKeys(session, table, placing));
  }

  readRows(table: TableStructure, read: ReadRowsOptions): AsyncGenerator<RowBatch> {
    return this.read(table, read, read.keys ? keyBatches(table, read.keys) : [undefined]);
  }

  readKeys(table: TableStructure, { keys, ...read }: ReadKeysOptions): AsyncGenerator<RowBatch> {
    return this.read(table, read, keyBatches(table, keys));
  }

  /** One statement for each list of keys. */
  private async *read(
    table: TableStructure,
    read: ReadRowsOptions,
    lists: Iterable<readonly KeyBytes[] | undefined>,
  ): AsyncGenerator<RowBatch> {
    const { lanes, throttle } = this.options;
    const signal = anySignal(read.signal, this.options.signal);
    const session = await lanes.take(signal);
    try {
      const narrowing = await this.narrowing(session, read);
      for (const keys of lists) {
        const sql = selectRows({ ...this.options, table, dialect: session.dialect, read, keys, narrowing });
        if (sql === null) return;
        for await (const batch of readBatches(session, sql, { signal, stop: () => this.stop(session) })) {
          await throttle?.take(batch.bytes.length, batch.ends.length, signal);
          yield batch;
        }
      }
    } catch (error) {
      throw toSourceError(error, `reading table ${table.table}`);
    } finally {
      lanes.give(session);
    }
  }

  private async onLane<T>(
    table: TableStructure,
    signal: AbortSignal | undefined,
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.options.lanes.use(work, signal);
    } catch (error) {
      throw toSourceError(error, `asking for the order of keys of table ${table.table}`);
    }
  }

  /** Found once: the snapshots that the lanes hold show the same. Loaded tables are read whole, under other names. */
  private async narrowing(session: Session, { scope }: ReadRowsOptions): Promise<Narrowing | undefined> {
    const { locate, tables } = this.options;
    if (scope?.kind !== 'BUSINESS' || locate !== inPlace) return undefined;
    return (this.narrowed ??= await businessNarrowing(session, tables));
  }

  /** Ends a session's statement from outside, so that the session and its snapshot live on. */
  private async stop(session: Session): Promise<void> {
    const killer = await openSession(this.options.target, { noSchema: true });
    try {
      await killer.run(`KILL QUERY ${session.threadId}`);
    } finally {
      await killer.close();
    }
  }
}

function anySignal(a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined {
  if (!a || !b || a === b) return a ?? b;
  return AbortSignal.any([a, b]);
}
