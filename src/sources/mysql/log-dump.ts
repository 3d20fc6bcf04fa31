/**
 * The raw events of the server's binary log, asked for as a replica asks (COM_BINLOG_DUMP). mysql2 can send the command, but its own
 * `createBinlogStream` drops the bytes of every event that it does not know, errors included; so the command is one of ours, given to
 * the connection by the methods that mysql2's commands use.
 *
 * Guarantees: ends at the end of the log instead of waiting for more; the socket is paused while the consumer is behind; the
 * session serves nothing else and is destroyed when reading ends, however it ends.
 */
import type { Random } from '../../domain/ambient';
import { AppError } from '../../domain/errors';
import { toSourceError } from './errors';
import type { Session } from './session';

const COM_BINLOG_DUMP = 0x12;
const PACKET_HEADER_BYTES = 4;
/** Events that wait for the consumer; beyond it the socket is paused. */
const WAITING_BYTES = 1024 * 1024;

export interface DumpStart {
  file: string;
  /** Where in the file an event begins; the protocol has 32 bits for it. */
  offset: number;
  /** What this reader calls itself; a server ends the older of two readers of one number. */
  readerId: number;
}

/** A number that no server of the platform will have, new for every reader. */
export function randomReaderId(random: Random): number {
  return (random.bytes(4).readUInt32LE(0) | 0x80000000) >>> 0;
}

/** Events in the order of the log, each with its header, and its checksum where the log has them. */
export async function* dumpLog(session: Session, start: DumpStart): AsyncGenerator<Buffer[]> {
  const queue = new EventQueue(session);
  try {
    await session.run(
      'SET @source_binlog_checksum = @@GLOBAL.binlog_checksum, @master_binlog_checksum = @@GLOBAL.binlog_checksum, @mariadb_slave_capability = 4',
    );
    session
      .track<void>((resolve, reject) =>
        sendDump(session, start, { push: (event) => queue.push(event), resolve, reject }),
      )
      .then(
        () => queue.end(null),
        (error: unknown) => queue.end(toSourceError(error)),
      );
    for (let events = await queue.next(); events; events = await queue.next()) yield events;
  } finally {
    session.destroy();
  }
}

/** What is used of mysql2's packets. */
interface WirePacket {
  buffer: Buffer;
  offset: number;
  end: number;
  isEOF(): boolean;
  isError(): boolean;
  asError(encoding: string): Error;
}

/** What mysql2's own commands use of a connection. */
interface WireConnection {
  clientEncoding: string;
  addCommand(command: WireCommand): void;
  writePacket(packet: { buffer: Buffer; length(): number; writeHeader(sequenceId: number): void }): void;
  _resetSequenceId(): void;
}

interface WireCommand {
  /** Called once without a packet, then for each; true ends the command. */
  execute(packet: WirePacket | undefined, connection: WireConnection): boolean;
  /** Called when the connection broke. */
  onResult(error: Error): void;
}

interface DumpSink {
  push: (event: Buffer) => void;
  resolve: () => void;
  reject: (error: unknown) => void;
}

function sendDump({ connection, dialect }: Session, start: DumpStart, sink: DumpSink): void {
  const wire = connection as unknown as WireConnection;
  if (typeof wire.addCommand !== 'function' || typeof wire._resetSequenceId !== 'function') {
    throw new AppError('INTERNAL', 'This version of mysql2 takes no command that reads the binary log.');
  }
  wire.addCommand({
    execute: (packet) => (packet ? received(packet, wire, sink) : sent(wire, dumpPacket(start, dialect.logDumpFlags))),
    onResult: sink.reject,
  });
}

function sent(wire: WireConnection, buffer: Buffer): boolean {
  wire._resetSequenceId();
  wire.writePacket({
    buffer,
    length: () => buffer.length,
    writeHeader: (sequenceId) => {
      buffer.writeUIntLE(buffer.length - PACKET_HEADER_BYTES, 0, 3);
      buffer.writeUInt8(sequenceId, 3);
    },
  });
  return false;
}

function received(packet: WirePacket, wire: WireConnection, sink: DumpSink): boolean {
  if (packet.isError()) {
    sink.reject(packet.asError(wire.clientEncoding));
    return true;
  }
  if (packet.isEOF()) {
    sink.resolve();
    return true;
  }
  // The first byte says OK.
  sink.push(packet.buffer.subarray(packet.offset + 1, packet.end));
  return false;
}

function dumpPacket({ file, offset, readerId }: DumpStart, flags: number): Buffer {
  const name = Buffer.from(file, 'utf8');
  const packet = Buffer.alloc(PACKET_HEADER_BYTES + 11);
  packet.writeUInt8(COM_BINLOG_DUMP, 4);
  packet.writeUInt32LE(offset, 5);
  packet.writeUInt16LE(flags, 9);
  packet.writeUInt32LE(readerId, 11);
  return Buffer.concat([packet, name]);
}

/** Events on their way from the socket to the consumer. */
class EventQueue {
  private waiting: Buffer[] = [];
  private bytes = 0;
  private paused = false;
  private ended: { failure: AppError | null } | null = null;
  private wake: (() => void) | null = null;

  constructor(private readonly session: Session) {}

  push(event: Buffer): void {
    this.waiting.push(event);
    this.bytes += event.length;
    if (this.bytes >= WAITING_BYTES && !this.paused) {
      this.paused = true;
      this.session.stream.pause();
    }
    this.signal();
  }

  end(failure: AppError | null): void {
    this.ended = { failure };
    this.signal();
  }

  /** All that came since the last call, or null after the end; throws what ended it. */
  async next(): Promise<Buffer[] | null> {
    while (this.waiting.length === 0) {
      if (this.ended?.failure) throw this.ended.failure;
      if (this.ended) return null;
      this.resume();
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    const events = this.waiting;
    this.waiting = [];
    this.bytes = 0;
    this.resume();
    return events;
  }

  private resume(): void {
    if (!this.paused) return;
    this.paused = false;
    if (!this.session.ended) this.session.stream.resume();
  }

  private signal(): void {
    this.wake?.();
    this.wake = null;
  }
}
