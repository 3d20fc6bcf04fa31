/**
 * Opens one moment of the source on several connections, by the best means that this server and user allow:
 *
 *     BACKUP_STAGE        MariaDB: commits are blocked for the moment in which the snapshots open
 *     GLOBAL_READ_LOCK    the same by FLUSH TABLES WITH READ LOCK
 *     MATCHING_POSITIONS  MariaDB: snapshots opened one after another that stand at the same place of the binary log
 *     SINGLE_CONNECTION   one snapshot
 *
 * Guarantees: no lock is left behind, whatever fails; waiting for a lock is bounded, for others queue up behind it.
 */
import type { Clock, Log } from '../../domain/ambient';
import type { ConsistencyMethod, LogPosition } from '../../domain/source';
import { isAccessDenied, isConnectionLost, serverErrorNumber } from './errors';
import { readIdentity } from './log-lineage';
import type { Session } from './session';

/** Lock waits of ours block the platform's commits, so they are short. */
export const LOCK_WAIT_SECONDS = 5;
/** The server itself lets go of a lock whose holder stopped dead and says nothing more. */
const LOCK_IDLE_SECONDS = 10;
const MATCH_ATTEMPTS = 10;

export interface Snapshot {
  consistency: ConsistencyMethod;
  /** The sessions that hold the snapshot; the rest is of no use for it. */
  sessions: Session[];
  position: LogPosition | null;
  readAt: Date;
}

export interface LadderOptions {
  /** Takes the momentary lock; not one of the readers. */
  control: Session;
  readers: readonly Session[];
  clock: Clock;
  log: Log;
}

type Rung = (options: LadderOptions) => Promise<Snapshot | null>;

export async function openSnapshot(options: LadderOptions): Promise<Snapshot> {
  const rungs: Rung[] = [byBackupStage, byGlobalReadLock, byMatchingPositions];
  // A single reader on MariaDB needs no lock: its snapshot tells its own position.
  if (options.readers.length > 1 || !options.control.dialect.hasBinlogSnapshotStatus) {
    for (const rung of rungs) {
      const snapshot = await rung(options);
      if (snapshot) return snapshot;
    }
  }
  return bySingleConnection(options);
}

async function byBackupStage(options: LadderOptions): Promise<Snapshot | null> {
  if (!options.control.dialect.hasBackupStages) return null;
  return underLock(options, {
    consistency: 'BACKUP_STAGE',
    lock: ['BACKUP STAGE START', 'BACKUP STAGE BLOCK_COMMIT'],
    unlock: 'BACKUP STAGE END',
  });
}

async function byGlobalReadLock(options: LadderOptions): Promise<Snapshot | null> {
  return underLock(options, {
    consistency: 'GLOBAL_READ_LOCK',
    lock: ['FLUSH TABLES WITH READ LOCK'],
    unlock: 'UNLOCK TABLES',
  });
}

interface MomentaryLock {
  consistency: ConsistencyMethod;
  lock: string[];
  unlock: string;
}

async function underLock({ control, readers, log }: LadderOptions, way: MomentaryLock): Promise<Snapshot | null> {
  try {
    await control.run(`SET @riskvault_wait = @@SESSION.wait_timeout, SESSION wait_timeout = ${LOCK_IDLE_SECONDS}`);
    for (const statement of way.lock) await control.run(statement);
    await Promise.all(readers.map(startSnapshot));
    const readAt = await serverTime(control);
    const position = await logStatus(control);
    await unlock(control, way);
    return { consistency: way.consistency, sessions: [...readers], position, readAt };
  } catch (error) {
    if (control.ended) throw error;
    // Where the lock was not had, there is none to let go of.
    await unlock(control, way).catch(() => undefined);
    if (!mayFallBack(error)) throw error;
    log.debug('A way to a consistent read is not open.', { way: way.consistency, error: String(error) });
    return null;
  }
}

async function unlock(control: Session, way: MomentaryLock): Promise<void> {
  try {
    await control.run(way.unlock);
  } finally {
    if (!control.ended) await control.run('SET SESSION wait_timeout = @riskvault_wait');
  }
}

/** Not allowed, not known to this server, or not granted in time: the next way may do. */
function mayFallBack(error: unknown): boolean {
  if (isConnectionLost(error)) return false;
  const number = serverErrorNumber(error);
  return isAccessDenied(error) || number === 1064 || number === 1205 || number === 1192;
}

async function startSnapshot(session: Session): Promise<void> {
  await session.run('ROLLBACK');
  await session.run('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
}

async function byMatchingPositions({ control, readers, clock }: LadderOptions): Promise<Snapshot | null> {
  if (!control.dialect.hasBinlogSnapshotStatus || readers.length < 2) return null;
  for (let attempt = 1; attempt <= MATCH_ATTEMPTS; attempt++) {
    await Promise.all(readers.map(startSnapshot));
    const positions = await Promise.all(readers.map(snapshotPosition));
    const [first] = positions;
    // Without a binary log all positions are empty alike, and prove nothing.
    if (!first) return null;
    if (positions.every((position) => position?.file === first.file && position.offset === first.offset)) {
      const position = await completePosition(control, { ...first, locked: false });
      return { consistency: 'MATCHING_POSITIONS', sessions: [...readers], position, readAt: await serverTime(control) };
    }
    await clock.sleep(attempt);
  }
  return null;
}

async function bySingleConnection({ control, readers }: LadderOptions): Promise<Snapshot> {
  const [reader] = readers as [Session];
  await startSnapshot(reader);
  const own = control.dialect.hasBinlogSnapshotStatus ? await snapshotPosition(reader) : null;
  const position = own ? await completePosition(control, { ...own, locked: false }) : null;
  return { consistency: 'SINGLE_CONNECTION', sessions: [reader], position, readAt: await serverTime(control) };
}

async function serverTime(session: Session): Promise<Date> {
  const [row] = await session.rows('SELECT UTC_TIMESTAMP(6) AS at');
  return new Date(`${String(row?.at).replace(' ', 'T').slice(0, 23)}Z`);
}

async function snapshotPosition(session: Session): Promise<{ file: string; offset: string } | null> {
  const rows = await session.rows("SHOW STATUS LIKE 'binlog_snapshot_%'");
  const valueOf = (name: string): string =>
    String(rows.find((row) => String(row.Variable_name).toLowerCase() === name)?.Value ?? '');
  const file = valueOf('binlog_snapshot_file');
  return file === '' ? null : { file, offset: valueOf('binlog_snapshot_position') };
}

/** Where the log stands now; only of use while commits are blocked. */
async function logStatus(control: Session): Promise<LogPosition | null> {
  try {
    const [row] = await control.rows(control.dialect.showLogStatus);
    if (!row) return null;
    const [extra] = await control.rows(`SELECT ${control.dialect.gtidExpression} AS gtid`);
    const gtid = String(extra?.gtid ?? '').replace(/\s/g, '');
    return completePosition(control, { file: String(row.File), offset: String(row.Position), gtid, locked: true });
  } catch (error) {
    if (!isAccessDenied(error)) throw error;
    // The moment is sound without it; the backup is then no parent for reading the log.
    return null;
  }
}

/** Without `createdAt`, which no statement tells: it is read from the log itself once no lock is held. */
async function completePosition(
  control: Session,
  { locked, ...place }: { file: string; offset: string; gtid?: string; locked: boolean },
): Promise<LogPosition> {
  const prepared = (await hasPreparedXa(control)) || (!locked && (await hasSeenXa(control)));
  const { gtid, ...spot } = place;
  return {
    ...spot,
    ...(await readIdentity(control)),
    ...(gtid ? { gtid } : {}),
    ...(prepared ? { preparedXa: true } : {}),
  };
}

/**
 * A user who may not ask is told no. That is sound where commits are blocked: what stands prepared then is committed later, and the
 * log says so after this position.
 */
async function hasPreparedXa(control: Session): Promise<boolean> {
  try {
    return (await control.rows('XA RECOVER')).length > 0;
  } catch (error) {
    if (!isAccessDenied(error)) throw error;
    return false;
  }
}

/** Without a lock, one that is just being committed may be in the log before the position and not yet in the snapshot. */
async function hasSeenXa(control: Session): Promise<boolean> {
  const rows = await control.rows("SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_xa_prepare', 'Com_xa_commit')");
  return rows.some(({ Value: count }) => Number(count) > 0);
}
