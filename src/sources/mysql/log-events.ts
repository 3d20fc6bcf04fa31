/**
 * The events of a binary log, as far as change detection needs them: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication.html
 * and https://mariadb.com/kb/en/replication-protocol/. Numbers are little-endian. Every event is checked against its checksum and against
 * where the one before it ended, so that nothing in between can be missed.
 */
import { crc32 } from 'node:zlib';

const HEADER_BYTES = 19;
const CHECKSUM_BYTES = 4;
const ARTIFICIAL = 0x20;
export const IGNORABLE = 0x80;

export const EVENT = {
  QUERY: 2,
  STOP: 3,
  ROTATE: 4,
  INTVAR: 5,
  RAND: 13,
  USER_VAR: 14,
  FORMAT_DESCRIPTION: 15,
  XID: 16,
  TABLE_MAP: 19,
  WRITE_ROWS_V1: 23,
  UPDATE_ROWS_V1: 24,
  DELETE_ROWS_V1: 25,
  HEARTBEAT: 27,
  IGNORABLE: 28,
  ROWS_QUERY: 29,
  WRITE_ROWS: 30,
  UPDATE_ROWS: 31,
  DELETE_ROWS: 32,
  GTID: 33,
  ANONYMOUS_GTID: 34,
  PREVIOUS_GTIDS: 35,
  TRANSACTION_CONTEXT: 36,
  VIEW_CHANGE: 37,
  XA_PREPARE: 38,
  PARTIAL_UPDATE_ROWS: 39,
  TRANSACTION_PAYLOAD: 40,
  HEARTBEAT_V2: 41,
  GTID_TAGGED: 42,
  ANNOTATE_ROWS: 160,
  BINLOG_CHECKPOINT: 161,
  MARIADB_GTID: 162,
  MARIADB_GTID_LIST: 163,
  START_ENCRYPTION: 164,
  FIRST_COMPRESSED: 165,
  LAST_COMPRESSED: 171,
} as const;

/** Thrown where the log can't be trusted to hold every change; its message is for an operator. Never leaves this folder. */
export class LogUnusable extends Error {}

export interface LogEvent {
  type: number;
  flags: number;
  body: Buffer;
}

export interface LogPlace {
  file: string;
  offset: number;
}

/** Follows a dump: where it stands, and what each event holds. */
export class LogCursor {
  private hasChecksums: boolean | null = null;
  /** When the current file was begun, seconds since 1970. */
  createdAtSeconds: number | null = null;
  private file: string;
  private offset: number;

  constructor(private readonly start: LogPlace) {
    this.file = start.file;
    this.offset = start.offset;
  }

  get place(): LogPlace {
    return { file: this.file, offset: this.offset };
  }

  /** Takes the next event; null for one that the server made up to say where it reads. Throws LogUnusable. */
  take(event: Buffer): LogEvent | null {
    if (event.length < HEADER_BYTES || event.readUInt32LE(9) !== event.length) throw damaged(this.place);
    const type = event.readUInt8(4);
    if (type === EVENT.FORMAT_DESCRIPTION) this.format(event);
    // Before the first description nothing says whether there are checksums; what comes before it is made up.
    else if (this.hasChecksums && !checksumFits(event)) throw damaged(this.place);
    const end = event.length - (this.hasChecksums ? CHECKSUM_BYTES : 0);
    const flags = event.readUInt16LE(17);
    const body = event.subarray(HEADER_BYTES, end);
    const nextOffset = event.readUInt32LE(13);
    if (type === EVENT.ROTATE && (flags & ARTIFICIAL || nextOffset === 0)) return this.enter(body);
    if (flags & ARTIFICIAL || isMadeUp(type, nextOffset, this.offset)) return null;
    this.advance(event.length, nextOffset);
    return { type, flags, body };
  }

  private format(event: Buffer): void {
    const algorithm = event.readUInt8(event.length - CHECKSUM_BYTES - 1);
    if (algorithm > 1) throw new LogUnusable('the binary log has checksums of an unknown kind');
    this.hasChecksums = algorithm === 1;
    if (this.hasChecksums && !checksumFits(event)) throw damaged(this.place);
    this.createdAtSeconds = event.readUInt32LE(0);
    // Only a server that starts writes when it did; a file that follows upon another has 0, as has one that is read from its middle.
    const startedAt = event.readUInt32LE(HEADER_BYTES + 52);
    if (startedAt !== 0 && this.file !== this.start.file) {
      throw new LogUnusable('the server was started anew in between: what it did without a binary log is not in it');
    }
  }

  /** The server says which file it reads now. */
  private enter(body: Buffer): null {
    const name = body.subarray(8).toString('utf8');
    if (this.hasChecksums === null) {
      if (!name.startsWith(this.file))
        throw new LogUnusable(`the server reads ${name} where ${this.file} was asked for`);
      return null;
    }
    if (name === this.file) return null;
    if (!follows(this.file, name)) throw new LogUnusable(`the binary log goes from ${this.file} to ${name}`);
    this.file = name;
    this.offset = 4;
    this.createdAtSeconds = null;
    return null;
  }

  private advance(size: number, nextOffset: number): void {
    this.offset += size;
    // Offsets in events have 32 bits; 0 stands in some that were written through a cache.
    if (nextOffset === 0 || nextOffset === this.offset % 2 ** 32) return;
    throw new LogUnusable(`events are missing or damaged in ${this.file} before ${nextOffset}`);
  }
}

/** What describes a file that is read from its middle, and heartbeats, stand nowhere in it. */
function isMadeUp(type: number, nextOffset: number, offset: number): boolean {
  if (type === EVENT.HEARTBEAT || type === EVENT.HEARTBEAT_V2) return true;
  if (type === EVENT.START_ENCRYPTION) return nextOffset === 0;
  return type === EVENT.FORMAT_DESCRIPTION && (nextOffset === 0 || offset !== 4);
}

function checksumFits(event: Buffer): boolean {
  const end = event.length - CHECKSUM_BYTES;
  return crc32(event.subarray(0, end)) === event.readUInt32LE(end);
}

function damaged({ file, offset }: LogPlace): LogUnusable {
  return new LogUnusable(`${file} holds no whole event at ${offset}`);
}

/** True where `next` is the file that a server makes after `file`. */
function follows(file: string, next: string): boolean {
  return splitName(file).base === splitName(next).base && splitName(next).number === splitName(file).number + 1;
}

/** `binlog.000012` as its base and its number. */
export function splitName(file: string): { base: string; number: number } {
  const dot = file.lastIndexOf('.');
  return { base: file.slice(0, dot), number: Number(file.slice(dot + 1)) };
}

export interface QueryBody {
  schema: string;
  statement: string;
}

/** The text is read byte by byte: what it is searched for is ASCII, or the search gives up. */
export function readQuery(body: Buffer): QueryBody {
  const schemaLength = body.readUInt8(8);
  const at = 13 + body.readUInt16LE(11);
  return {
    schema: body.toString('utf8', at, at + schemaLength),
    statement: body.toString('latin1', at + schemaLength + 1),
  };
}

/** A column as the log describes it: its wire type and the two bytes that go with it. */
export interface WireColumn {
  type: number;
  meta: readonly [number, number];
}

export interface TableMapBody {
  id: number;
  schema: string;
  table: string;
  columnCount: number;
  /** Null where a type is unknown, so that the lengths of its values are. */
  columns: WireColumn[] | null;
}

export function readTableMap(body: Buffer): TableMapBody {
  const schemaEnd = 9 + body.readUInt8(8);
  const tableEnd = schemaEnd + 2 + body.readUInt8(schemaEnd + 1);
  const [columnCount, typesAt] = packedInteger(body, tableEnd + 1);
  const types = body.subarray(typesAt, typesAt + columnCount);
  const [, metaAt] = packedInteger(body, typesAt + columnCount);
  return {
    id: readTableId(body),
    schema: body.toString('utf8', 9, schemaEnd),
    table: body.toString('utf8', schemaEnd + 2, tableEnd),
    columnCount,
    columns: readColumns(types, body, metaAt),
  };
}

const META_BYTES: ReadonlyMap<number, number> = new Map([
  ...[1, 2, 3, 8, 9, 10, 13, 14].map((type) => [type, 0] as const),
  ...[4, 5, 17, 18, 19, 140, 242, 245, 249, 250, 251, 252, 255].map((type) => [type, 1] as const),
  ...[15, 16, 141, 246, 247, 248, 253, 254].map((type) => [type, 2] as const),
]);

function readColumns(types: Buffer, body: Buffer, metaAt: number): WireColumn[] | null {
  const columns: WireColumn[] = [];
  let at = metaAt;
  for (const type of types) {
    const size = META_BYTES.get(type);
    if (size === undefined) return null;
    columns.push({ type, meta: [size > 0 ? body.readUInt8(at) : 0, size > 1 ? body.readUInt8(at + 1) : 0] });
    at += size;
  }
  return columns;
}

function readTableId(body: Buffer): number {
  return body.readUIntLE(0, 6);
}

/** The value, and the offset after it. */
function packedInteger(bytes: Buffer, at: number): [number, number] {
  const first = bytes.readUInt8(at);
  if (first < 0xfb) return [first, at + 1];
  if (first === 0xfc) return [bytes.readUInt16LE(at + 1), at + 3];
  if (first === 0xfd) return [bytes.readUIntLE(at + 1, 3), at + 4];
  return [Number(bytes.readBigUInt64LE(at + 1)), at + 9];
}

const NO_FOREIGN_KEY_CHECKS = 0x02;

export interface RowsBody {
  change: 'INSERT' | 'UPDATE' | 'DELETE';
  tableId: number;
  columnCount: number;
  /** Which columns the images hold, a bit each; an update has old and new ones. */
  present: Buffer[];
  /** Where the rows begin. */
  rowsAt: number;
  bytes: Buffer;
  /** False where the session let no foreign key act. */
  cascades: boolean;
}

const CHANGE_OF: ReadonlyMap<number, RowsBody['change']> = new Map<number, RowsBody['change']>([
  [EVENT.WRITE_ROWS_V1, 'INSERT'],
  [EVENT.UPDATE_ROWS_V1, 'UPDATE'],
  [EVENT.DELETE_ROWS_V1, 'DELETE'],
  [EVENT.WRITE_ROWS, 'INSERT'],
  [EVENT.UPDATE_ROWS, 'UPDATE'],
  [EVENT.DELETE_ROWS, 'DELETE'],
]);

/** Null where the event is of another type. */
export function readRows({ type, body }: LogEvent): RowsBody | null {
  const change = CHANGE_OF.get(type);
  if (change === undefined) return null;
  const flags = body.readUInt16LE(6);
  const columnsAt = type >= EVENT.WRITE_ROWS ? 8 + body.readUInt16LE(8) : 8;
  const [columnCount, presentAt] = packedInteger(body, columnsAt);
  const size = bitmapBytes(columnCount);
  const images = change === 'UPDATE' ? [0, 1] : [0];
  return {
    change,
    tableId: readTableId(body),
    columnCount,
    present: images.map((i) => body.subarray(presentAt + i * size, presentAt + (i + 1) * size)),
    rowsAt: presentAt + images.length * size,
    bytes: body,
    cascades: (flags & NO_FOREIGN_KEY_CHECKS) === 0,
  };
}

export function bitmapBytes(bits: number): number {
  return (bits + 7) >> 3;
}

export function hasBit(bitmap: Buffer, bit: number): boolean {
  return (bitmap.readUInt8(bit >> 3) & (1 << (bit & 7))) !== 0;
}
