/**
 * A session: one connection to the server with every setting that makes reading and writing lossless. Errors come out as
 * AppErrors. A cancelled or broken session is destroyed and never answers again; no promise of it stays open.
 */
import type { Duplex, Readable } from 'node:stream';
import { createConnection, type Connection, type ConnectionOptions, type QueryOptions } from 'mysql2';
import { AppError, isAppError } from '../../domain/errors';
import type { Dialect } from './dialect';
import { dialectOf } from './dialect';
import { cancelled, isConnectionLost, throwIfAborted, toSourceError } from './errors';

const CONNECT_TIMEOUT_MS = 10_000;
/** A slow consumer may leave the server waiting on a full socket this long. */
const SOCKET_PATIENCE_SECONDS = 3600;
const SORTED_BYTES = 65_536;
const SQL_MODE = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION';
export const STRICT_SQL_MODE = `STRICT_ALL_TABLES,${SQL_MODE}`;
export const LENIENT_SQL_MODE = SQL_MODE;

export type SqlRow = Record<string, string | number | null>;

/** What a statement without rows answered. */
export interface StatementResult {
  affectedRows: number;
  warnings: number;
  info: string;
}

export interface SessionOptions {
  signal?: AbortSignal;
  /** Several statements may be sent as one, each with a result of its own. */
  multipleStatements?: boolean;
  /** How long to wait for a metadata or global lock, seconds; default: the server's. */
  lockWaitSeconds?: number;
  /** Without a schema; for questions about schemas. */
  noSchema?: boolean;
}

/** Where and as whom to connect; made from the source's URL once. */
export interface ConnectionTarget {
  options: ConnectionOptions;
  schema: string;
  /** For messages: never holds the password. */
  label: string;
}

export function parseTarget(url: string, sourceName: string): ConnectionTarget {
  const parsed = tryParse(url);
  const schema = parsed ? decodeURIComponent(parsed.pathname.slice(1)) : '';
  if (!parsed || !/^(mysql|mariadb):$/.test(parsed.protocol) || schema === '' || schema.includes('/')) {
    throw new AppError('CONFIG_INVALID', `The URL of source ${sourceName} names no MySQL or MariaDB database.`, {
      hint: 'Write it as mysql://user:password@host:3306/schema.',
    });
  }
  const host = parsed.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1';
  const port = Number(parsed.port || 3306);
  const socketPath = parsed.searchParams.get('socket') ?? undefined;
  return {
    schema,
    label: socketPath ?? `${host}:${port}`,
    options: {
      ...(socketPath === undefined ? { host, port } : { socketPath }),
      user: decodeURIComponent(parsed.username),
      password: decodeURIComponent(parsed.password),
      ...tlsOptions(parsed.searchParams),
    },
  };
}

function tryParse(url: string): URL | null {
  try {
    return new URL(url);
  } catch {
    // A URL that can't be parsed is answered like one of another kind; its text may hold a password.
    return null;
  }
}

/** `ssl=true` verifies the server's certificate, `ssl=unverified` only encrypts. */
function tlsOptions(parameters: URLSearchParams): ConnectionOptions {
  const ssl = parameters.get('ssl');
  if (ssl === 'unverified') return { ssl: { rejectUnauthorized: false } };
  return ssl === 'true' || ssl === 'verified' ? { ssl: { rejectUnauthorized: true } } : {};
}

export async function openSession(target: ConnectionTarget, options: SessionOptions = {}): Promise<Session> {
  throwIfAborted(options.signal);
  const connection = createConnection({
    ...target.options,
    ...(options.noSchema ? {} : { database: target.schema }),
    charset: 'utf8mb4',
    timezone: 'Z',
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    multipleStatements: options.multipleStatements ?? false,
  });
  const session = new Session(connection, target, options.signal);
  await session.begin(options);
  return session;
}

export class Session {
  private readonly pending = new Set<(error: AppError) => void>();
  private end: AppError | null = null;
  private readonly onAbort = (): void => this.destroy(cancelled());
  private knownDialect: Dialect | null = null;
  /** The server's number for this connection. */
  threadId = 0;
  /** Table names are compared without regard to case. */
  foldsTableNames = false;
  /** The longest statement that the server takes. */
  maxPacketBytes = 0;

  constructor(
    readonly connection: Connection,
    readonly target: ConnectionTarget,
    private readonly signal: AbortSignal | undefined,
  ) {
    connection.on('error', (error: unknown) => this.destroy(toSourceError(error, `talking to ${target.label}`)));
    connection.once('end', () => this.destroy(this.lostError()));
    this.stream.once('close', () => this.destroy(this.lostError()));
    signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  /** Connects and sets up the session. */
  async begin(options: SessionOptions): Promise<void> {
    try {
      await this.track<void>((resolve, reject) =>
        this.connection.connect((error) => (error ? reject(error) : resolve())),
      );
      const [row] = await this.rows(
        'SELECT VERSION() AS version, CONNECTION_ID() AS id, @@lower_case_table_names AS folded, @@max_allowed_packet AS packet',
      );
      this.knownDialect = dialectOf(String(row?.version));
      this.threadId = Number(row?.id);
      this.foldsTableNames = Number(row?.folded) !== 0;
      this.maxPacketBytes = Number(row?.packet);
      await this.run(setupStatement(this.knownDialect, options));
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  get dialect(): Dialect {
    return this.knownDialect as Dialect;
  }

  /** The error that ended the session; null while it lives. */
  get ended(): AppError | null {
    return this.end;
  }

  /** The socket, TLS included; pausing it is what holds back a server that sends faster than rows are used. */
  get stream(): Duplex {
    return (this.connection as unknown as { stream: Duplex }).stream;
  }

  /** Rows as objects. Numbers beyond 2^53, dates and decimals are strings. */
  async rows(sql: string): Promise<SqlRow[]> {
    return this.ask<SqlRow[]>({ sql });
  }

  /** Rows as arrays. */
  async values(sql: string): Promise<(string | number | null)[][]> {
    return this.ask<(string | number | null)[][]>({ sql, rowsAsArray: true });
  }

  /** Shows each row as it comes and keeps none, so that there may be any number of them. */
  async visit(sql: string, see: (row: unknown[]) => void): Promise<void> {
    await this.track<void>((resolve, reject) => {
      const query = this.connection.query({ sql, rowsAsArray: true });
      query.on('result', (row) => see(row as unknown as unknown[]));
      query.on('error', reject);
      query.on('end', () => resolve());
    });
  }

  async run(sql: string): Promise<StatementResult> {
    return toResult(await this.ask({ sql }));
  }

  /** Several statements in one message; needs `multipleStatements`. */
  async runAll(statements: readonly string[]): Promise<StatementResult[]> {
    if (statements.length === 0) return [];
    const answer = await this.ask<unknown>({ sql: statements.join(';\n') });
    return statements.length === 1 ? [toResult(answer)] : (answer as unknown[]).map(toResult);
  }

  /** LOAD DATA LOCAL: the server reads `data`. A failing stream destroys the session, so that no part counts as the whole. */
  async loadData(sql: string, data: Readable): Promise<StatementResult> {
    data.once('error', (error) => this.destroy(isAppError(error) ? error : toSourceError(error)));
    return toResult(await this.ask({ sql, infileStreamFactory: () => data }));
  }

  /** Resolves when what was sent has left this process, so that no more piles up than is under way. */
  async drained(): Promise<void> {
    const { stream } = this;
    if (stream.writableNeedDrain) await this.track<void>((resolve) => stream.once('drain', () => resolve()));
  }

  private ask<T>(options: QueryOptions): Promise<T> {
    return this.track<T>((resolve, reject) => {
      this.connection.query(options, (error, rows) => (error ? reject(error) : resolve(rows as T)));
    });
  }

  /** Runs one exchange whose promise also settles when the session ends, which the driver does not promise. */
  async track<T>(exchange: (resolve: (value: T) => void, reject: (error: unknown) => void) => void): Promise<T> {
    if (this.end) throw this.end;
    let drop: (error: AppError) => void = () => undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        drop = reject;
        this.pending.add(drop);
        exchange(resolve, reject);
      });
    } catch (error) {
      throw this.translated(error);
    } finally {
      this.pending.delete(drop);
    }
  }

  private translated(error: unknown): AppError {
    if (this.signal?.aborted) return cancelled();
    const translated = toSourceError(error);
    if (isConnectionLost(translated)) this.destroy(translated);
    return translated;
  }

  private lostError(): AppError {
    return toSourceError(Object.assign(new Error('the server closed the connection'), { code: 'ECONNRESET' }));
  }

  /** Cuts the connection at once; whatever is under way fails with `reason`. Idempotent. */
  destroy(reason: AppError = cancelled()): void {
    if (this.end) return;
    this.end = reason;
    this.signal?.removeEventListener('abort', this.onAbort);
    this.connection.destroy();
    this.stream.destroy();
    for (const drop of this.pending) drop(reason);
    this.pending.clear();
  }

  /** Says goodbye to the server, whose open transaction ends before this resolves. Idempotent. */
  async close(): Promise<void> {
    if (this.end) return;
    // A server that is gone has nothing left to end.
    await this.run('ROLLBACK').catch(() => undefined);
    // Without a goodbye the server would count an aborted client.
    if (!this.end) await this.track<void>((resolve) => this.connection.end(() => resolve())).catch(() => undefined);
    this.destroy();
  }
}

function toResult(answer: unknown): StatementResult {
  const { affectedRows, warningStatus, info } = answer as Record<string, unknown>;
  return {
    affectedRows: Number(affectedRows ?? 0),
    warnings: Number(warningStatus ?? 0),
    info: typeof info === 'string' ? info : '',
  };
}

function setupStatement(dialect: Dialect, options: SessionOptions): string {
  const settings = [
    // Statements are utf8mb4; results come as the columns hold them.
    'NAMES utf8mb4',
    'SESSION character_set_results = NULL',
    "SESSION time_zone = '+00:00'",
    `SESSION sql_mode = '${SQL_MODE}'`,
    'SESSION sql_quote_show_create = 1',
    'SESSION autocommit = 1',
    `SESSION ${dialect.isolationVariable} = 'REPEATABLE-READ'`,
    `SESSION ${dialect.statementTimeVariable} = 0`,
    `SESSION net_write_timeout = ${SOCKET_PATIENCE_SECONDS}`,
    `SESSION net_read_timeout = ${SOCKET_PATIENCE_SECONDS}`,
    'SESSION wait_timeout = 86400',
    // Keys are put in order by all of their weights: the longest key has fewer than this.
    `SESSION max_sort_length = ${SORTED_BYTES}`,
  ];
  if (options.lockWaitSeconds !== undefined) settings.push(`SESSION lock_wait_timeout = ${options.lockWaitSeconds}`);
  return `SET ${settings.join(', ')}`;
}
