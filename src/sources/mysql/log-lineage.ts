/**
 * Whether the binary log between two positions is one piece of one server's log that holds every change. Each rule gives the
 * reason, for an operator, why it is not.
 */
import type { Random } from '../../domain/ambient';
import type { LogPosition } from '../../domain/source';
import { isAccessDenied } from './errors';
import { dumpLog, randomReaderId } from './log-dump';
import { LogCursor, splitName } from './log-events';
import { openSession, type ConnectionTarget, type Session } from './session';

export type Span = { from: LogPosition; to: LogPosition };

/** Offsets beyond can't be asked for. */
const MAX_OFFSET = 2 ** 32 - 1;

/** What the two positions say by themselves; null where nothing speaks against them. */
export function positionsRefusal({ from, to }: Span): string | null {
  if (from.serverId !== to.serverId || differ(from.serverUid, to.serverUid)) {
    return 'the earlier backup read another server, whose log is another one';
  }
  if (from.createdAt === undefined) {
    return 'when the log file of the earlier backup was created is not known: REPLICATION SLAVE was not granted';
  }
  if (from.preparedXa || to.preparedXa) return 'XA transactions were prepared as the source was read';
  if (Number(from.offset) > MAX_OFFSET) return `the earlier backup stands beyond 4 GiB of ${from.file}`;
  return isBefore(to, from) ? `the log went back from ${spell(from)} to ${spell(to)}: it was reset` : null;
}

function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

export function spell({ file, offset }: LogPosition): string {
  return `${file}:${offset}`;
}

function isBefore(a: LogPosition, b: LogPosition): boolean {
  const names = [splitName(a.file), splitName(b.file)] as const;
  if (names[0].base !== names[1].base || names[0].number < names[1].number) return true;
  return names[0].number === names[1].number && Number(a.offset) < Number(b.offset);
}

/** What the server says of its log as a whole. */
export async function serverRefusal(session: Session, span: Span): Promise<string | null> {
  const identity = await readIdentity(session);
  const { from } = span;
  if (identity.serverId !== from.serverId || differ(identity.serverUid, from.serverUid)) {
    return 'this is another server than the earlier backup read';
  }
  const rules = [logRefusal, replicaRefusal, gtidRefusal];
  for (const rule of rules) {
    const refusal = await rule(session, span);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** Who the server is, as positions name it. */
export async function readIdentity(session: Session): Promise<{ serverId: string; serverUid?: string }> {
  const rows = await session.rows(
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_id', 'server_uid', 'server_uuid')",
  );
  const valueOf = (pattern: RegExp): string =>
    String(rows.find((row) => pattern.test(String(row.Variable_name)))?.Value ?? '');
  const serverUid = valueOf(/^server_uu?id$/i);
  return { serverId: valueOf(/^server_id$/i), ...(serverUid === '' ? {} : { serverUid }) };
}

/** Servers before MariaDB 11.7 show their filters here alone. */
async function logRefusal(session: Session): Promise<string | null> {
  const status = await rowsIfAllowed(session, session.dialect.showLogStatus);
  if (status === null)
    return "whether the log is filtered can't be seen: the privilege to see its position is not granted";
  const [row] = status;
  if (!row) return 'the server keeps no binary log';
  const filter = [row.Binlog_Do_DB, row.Binlog_Ignore_DB].find((value) => value !== null && value !== '');
  return filter === undefined ? null : `the log is filtered by schema: binlog_do_db or binlog_ignore_db is ${filter}`;
}

/** A replica, former ones included, that does not log what it replicates. */
async function replicaRefusal(session: Session): Promise<string | null> {
  const { logsUpdatesVariable, showReplicas } = session.dialect;
  const settings = await readVariables(session, [logsUpdatesVariable, 'gtid_slave_pos']);
  if (settings.get(logsUpdatesVariable) === 'ON') return null;
  const unlogged = `what the server replicates from another is not in its log: ${logsUpdatesVariable} is off`;
  // MariaDB keeps it when it has been a replica.
  if ((settings.get('gtid_slave_pos') ?? '') !== '') return unlogged;
  const replicas = await rowsIfAllowed(session, showReplicas);
  if (replicas === null)
    return `whether the server is a replica can't be seen: the privilege for ${showReplicas} is not granted`;
  const cluster = await readVariables(session, ['wsrep_on']);
  return replicas.length > 0 || cluster.get('wsrep_on') === 'ON' ? unlogged : null;
}

async function readVariables(session: Session, names: readonly string[]): Promise<Map<string, string>> {
  const list = names.map((name) => `'${name}'`).join(', ');
  const rows = await session.rows(`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${list})`);
  return new Map(rows.map((row) => [String(row.Variable_name).toLowerCase(), String(row.Value)]));
}

async function rowsIfAllowed(session: Session, sql: string): Promise<Awaited<ReturnType<Session['rows']>> | null> {
  try {
    return await session.rows(sql);
  } catch (error) {
    if (!isAccessDenied(error)) throw error;
    // What can't be seen is answered by the caller, who says what to grant.
    return null;
  }
}

/** Transactions that were there can't be gone. */
async function gtidRefusal(session: Session, { from, to }: Span): Promise<string | null> {
  if (from.gtid === undefined || to.gtid === undefined) return null;
  const held =
    session.dialect.kind === 'mariadb' ? holdsDomains(from.gtid, to.gtid) : await holdsSet(session, from.gtid, to.gtid);
  return held
    ? null
    : `transactions of the earlier backup are gone from the log: ${from.gtid} is not within ${to.gtid}`;
}

async function holdsSet(session: Session, from: string, to: string): Promise<boolean> {
  const isSet = (set: string): boolean => /^[\w:,-]*$/.test(set);
  if (!isSet(from) || !isSet(to)) return false;
  const [row] = await session.rows(`SELECT GTID_SUBSET('${from}', '${to}') AS held`);
  return Number(row?.held) === 1;
}

/** MariaDB: `domain-server-sequence`, the last one of each domain. */
function holdsDomains(from: string, to: string): boolean {
  const parse = (gtids: string): [string, number][] =>
    gtids.split(',').map((gtid) => [gtid.split('-')[0] ?? '', Number(gtid.split('-')[2])]);
  const last = new Map(parse(to));
  return parse(from).every(([domain, sequence]) => (last.get(domain) ?? -1) >= sequence);
}

/** When a log file was begun, RFC 3339, by its first event. Throws where this user may not read the log, or the file is gone. */
export async function readLogCreation(
  target: ConnectionTarget,
  file: string,
  { random, signal }: { random: Random; signal?: AbortSignal },
): Promise<string | undefined> {
  const session = await openSession(target, { signal, noSchema: true });
  const cursor = new LogCursor({ file, offset: 4 });
  for await (const events of dumpLog(session, { file, offset: 4, readerId: randomReaderId(random) })) {
    for (const event of events) {
      cursor.take(event);
      if (cursor.createdAtSeconds !== null) return timeText(cursor.createdAtSeconds);
    }
  }
  return undefined;
}

export function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
