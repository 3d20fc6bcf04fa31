/**
 * Streams a query's rows in the encoding `mysql-text-v1`. The fast way copies the server's row packets undecoded; it overrides
 * the row state of mysql2's Query command, reached through `createQuery`, which is public, but whose class is not. Where the
 * command no longer has that shape, the public way (`typeCast` to buffers) gives the same bytes, slower.
 *
 * Guarantees: batches hold whole rows; the socket is paused while the consumer is behind; at most a few batches are held.
 */
import * as driver from 'mysql2';
import type { RowBatch } from '../../domain/rows';
import { AppError } from '../../domain/errors';
import { encodeField } from './row-encoding';
import { throwIfAborted, toSourceError } from './errors';
import type { Session } from './session';

/** Rows are collected up to this size; a longer row is a batch of its own. */
const BATCH_BYTES = 256 * 1024;
/** Full batches that may wait for the consumer before the socket is paused. */
const WAITING_BATCHES = 3;
const FIRST_ROWS = 1024;
/** Released batch buffers kept for the next batches, over all statements of this thread. */
const MAX_FREE_BUFFERS = 32;
const freeBuffers: Buffer[] = [];

function takeBuffer(length: number): Buffer {
  return (
    (length <= BATCH_BYTES ? freeBuffers.pop() : undefined) ?? Buffer.allocUnsafeSlow(Math.max(BATCH_BYTES, length))
  );
}

function giveBuffer(buffer: Buffer): void {
  if (buffer.length === BATCH_BYTES && freeBuffers.length < MAX_FREE_BUFFERS) freeBuffers.push(buffer);
}

const NO_BYTES = Buffer.alloc(0);

function batchOf(buffer: Buffer, used: number, ends: Uint32Array): RowBatch {
  let owner: Buffer | null = buffer;
  const release = (): void => {
    if (owner !== null) giveBuffer(owner);
    owner = null;
  };
  return { bytes: buffer.subarray(0, used), ends, release };
}

/** What the fast way needs of a packet of mysql2: a view into the received bytes. */
interface RawPacket {
  buffer: Buffer;
  offset: number;
  end: number;
  isEOF(): boolean;
}

/** What the fast way needs of mysql2's Query command: a state machine whose states are methods. */
interface QueryCommand {
  row(packet: RawPacket): unknown;
  fieldsEOF(packet: RawPacket, connection: unknown): unknown;
  on(event: 'error' | 'end', listener: (error?: unknown) => void): unknown;
  then?: unknown;
}

type MakeQuery = (...sqlValuesCallbackConfig: [object, undefined, undefined, object]) => unknown;

/** True where mysql2 still has the inner shape that copying packets needs. */
export function canCopyPackets(): boolean {
  return (packetsCopyable ??= probePackets());
}

let packetsCopyable: boolean | undefined;

function probePackets(): boolean {
  try {
    const query = makeQuery('SELECT 1') as Partial<QueryCommand>;
    return typeof query.row === 'function' && typeof query.fieldsEOF === 'function' && typeof query.on === 'function';
  } catch {
    // Any failure means the shape is another one; the public way serves.
    return false;
  }
}

function makeQuery(sql: string): QueryCommand {
  const { createQuery } = driver as unknown as { createQuery: MakeQuery };
  return createQuery({ sql }, undefined, undefined, {}) as QueryCommand;
}

export interface ReadBatchesOptions {
  signal?: AbortSignal;
  /** `PUBLIC` decodes and encodes again, by public means alone. Default: the fastest there is. */
  way?: 'PACKETS' | 'PUBLIC';
  /** Ends the statement on the server when the consumer leaves early, so that the session can go on. Default: destroys it. */
  stop?: () => Promise<void>;
}

/** The rows of one statement. Leaving early ends the statement by `stop`, or the session with it. */
export async function* readBatches(
  session: Session,
  sql: string,
  options: ReadBatchesOptions = {},
): AsyncGenerator<RowBatch> {
  throwIfAborted(options.signal);
  if (session.ended) throw session.ended;
  const queue = new BatchQueue(session);
  const start = options.way !== 'PUBLIC' && canCopyPackets() ? startPackets : startPublic;
  const { connection } = session;
  const done = session.track<void>((resolve, reject) => start({ connection, sql, queue, resolve, reject }));
  done.then(
    () => queue.finish(),
    (error: unknown) => queue.fail(error),
  );
  try {
    for (let batch = await queue.next(); batch; batch = await queue.next()) {
      throwIfAborted(options.signal);
      yield batch;
    }
  } finally {
    if (!queue.finished) await leaveEarly({ session, queue, done }, options);
  }
}

interface Leaving {
  session: Session;
  queue: BatchQueue;
  /** Settles when the statement is over. */
  done: Promise<void>;
}

async function leaveEarly({ session, queue, done }: Leaving, { stop, signal }: ReadBatchesOptions): Promise<void> {
  if (!stop || signal?.aborted || session.ended) return session.destroy();
  queue.discard();
  try {
    await stop();
    // The statement ends as interrupted, or had ended by itself.
    await done.catch(() => undefined);
    // A stop that came too late for its statement meets this one instead.
    await session.run('DO 0').catch(() => undefined);
  } catch {
    // A statement that could not be stopped takes its session along.
    session.destroy();
  }
}

interface Statement {
  connection: driver.Connection;
  sql: string;
  queue: BatchQueue;
  resolve: () => void;
  reject: (error: unknown) => void;
}

function startPackets({ connection, sql, queue, resolve, reject }: Statement): void {
  const query = makeQuery(sql);
  const row = (packet: RawPacket): unknown => {
    if (packet.isEOF()) return null;
    queue.push(packet.buffer, packet.offset, packet.end);
    return row;
  };
  query.row = row;
  query.on('error', reject);
  query.on('end', () => resolve());
  (connection as unknown as { addCommand(command: unknown): void }).addCommand(query);
}

function startPublic({ connection, sql, queue, resolve, reject }: Statement): void {
  const query = connection.query({ sql, rowsAsArray: true, typeCast: (field) => field.buffer() });
  query.on('result', (values: unknown) => {
    const row = Buffer.concat((values as (Buffer | null)[]).map(encodeField));
    queue.push(row, 0, row.length);
  });
  query.on('error', reject);
  query.on('end', () => resolve());
}

/** Rows on their way from the socket to the consumer. */
class BatchQueue {
  private ready: RowBatch[] = [];
  private bytes = takeBuffer(BATCH_BYTES);
  private used = 0;
  private ends = new Uint32Array(FIRST_ROWS);
  private rows = 0;
  private paused = false;
  private discarding = false;
  private failure: AppError | null = null;
  private wake: (() => void) | null = null;
  finished = false;

  constructor(private readonly session: Session) {}

  push(source: Buffer, start: number, end: number): void {
    if (this.discarding) return;
    const length = end - start;
    if (this.used + length > this.bytes.length) this.flush(length);
    this.bytes.set(length === source.length ? source : source.subarray(start, end), this.used);
    this.used += length;
    if (this.rows === this.ends.length) this.growEnds();
    this.ends[this.rows++] = this.used;
  }

  private growEnds(): void {
    const larger = new Uint32Array(this.ends.length * 2);
    larger.set(this.ends);
    this.ends = larger;
  }

  private flush(nextLength: number): void {
    if (this.rows > 0) {
      this.ready.push(batchOf(this.bytes, this.used, this.ends.slice(0, this.rows)));
      this.rows = 0;
    } else {
      giveBuffer(this.bytes);
    }
    this.bytes = takeBuffer(nextLength);
    this.used = 0;
    if (this.ready.length >= WAITING_BATCHES && !this.paused && !this.finished) this.pause();
    this.signalConsumer();
  }

  private pause(): void {
    this.paused = true;
    this.session.stream.pause();
  }

  private resume(): void {
    this.paused = false;
    if (!this.session.ended) this.session.stream.resume();
  }

  /** The next batch, or null after the last; throws what ended the statement. */
  async next(): Promise<RowBatch | null> {
    for (;;) {
      const batch = this.ready.shift();
      if (this.paused && this.ready.length < WAITING_BATCHES) this.resume();
      if (batch) return batch;
      if (this.failure !== null) throw this.failure;
      if (this.finished) return null;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  finish(): void {
    this.finished = true;
    this.flush(0);
    giveBuffer(this.bytes);
    this.bytes = NO_BYTES;
    // The consumer may leave now without asking for more, and the session's next statement needs the socket flowing.
    if (this.paused) this.resume();
    this.signalConsumer();
  }

  fail(error: unknown): void {
    this.failure = error instanceof AppError ? error : toSourceError(error);
    this.finished = true;
    this.signalConsumer();
  }

  /** Forgets what is there and what still comes. */
  discard(): void {
    this.discarding = true;
    this.ready = [];
    if (this.paused) this.resume();
  }

  private signalConsumer(): void {
    this.wake?.();
    this.wake = null;
  }
}
