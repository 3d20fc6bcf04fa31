/**
 * Reads, between two consistent reads, which rows may have changed, from the binary log. It is read as a replica reads it, from
 * the earlier position to the later one exactly, and in constant memory. What it can't tell for certain it does not tell: the table
 * is given up with the reason, and its rows must be compared.
 */
import type { Random } from '../../domain/ambient';
import type { ChangeLogReport, LogPosition, ReadChangeLogOptions } from '../../domain/source';
import { isAccessDenied, serverErrorNumber, throwIfAborted } from './errors';
import { dumpLog, randomReaderId } from './log-dump';
import { LogCursor, LogUnusable, splitName, type LogPlace } from './log-events';
import { positionsRefusal, serverRefusal, spell, timeText } from './log-lineage';
import { keyRefusal, LogScan } from './log-scan';
import { LogWatch } from './log-watch';
import { openSession, type ConnectionTarget, type Session } from './session';

/** The server could not go on reading its log. */
const LOG_READ_FAILED = 1236;

export interface ChangeLogContext {
  target: ConnectionTarget;
  random: Random;
}

export async function readChangeLog(
  context: ChangeLogContext,
  options: ReadChangeLogOptions,
): Promise<ChangeLogReport> {
  const control = await openSession(context.target, { signal: options.signal });
  try {
    const watch = await planWatch(control, options);
    const report = { unusable: watch.unusable, cascades: watch.cascades(), events: 0, bytes: 0 };
    const planned = watch.watchesOthers ? await logEnd(control) : null;
    if (!watch.isHopeless) await readLog(context, options, { watch, report, planned });
    return report;
  } finally {
    await control.close();
  }
}

async function planWatch(control: Session, options: ReadChangeLogOptions): Promise<LogWatch> {
  const watch = new LogWatch(options.tables, {
    schema: control.target.schema,
    foldsTableNames: control.foldsTableNames,
    followsReferences: options.onReferences !== undefined,
  });
  const refusal = positionsRefusal(options) ?? (await serverRefusal(control, options));
  if (refusal !== null) watch.giveUpAll(refusal);
  else await watch.plan(control, !(await logsCascades(control)));
  for (const { table, columns, key } of options.tables) {
    const keyReason = keyRefusal(columns, key);
    if (keyReason !== null) watch.refuse(table, keyReason);
  }
  return watch;
}

/** MySQL can leave foreign keys to the engine or, since 9.6, see to them itself, which logs what they do. */
async function logsCascades(session: Session): Promise<boolean> {
  const [row] = await session.rows("SHOW GLOBAL VARIABLES LIKE 'innodb\\_native\\_foreign\\_keys'");
  return row !== undefined && row.Value === 'OFF';
}

async function logEnd(session: Session): Promise<LogPlace | null> {
  const [row] = await session.rows(session.dialect.showLogStatus);
  return row ? { file: String(row.File), offset: Number(row.Position) } : null;
}

interface Reading {
  watch: LogWatch;
  report: ChangeLogReport;
  /** Where the log stood once the watch was planned, by definitions that may have changed since `to`; null where they can't have. */
  planned: LogPlace | null;
}

async function readLog(context: ChangeLogContext, options: ReadChangeLogOptions, reading: Reading): Promise<void> {
  try {
    await readEvents(context, options, reading);
  } catch (error) {
    const reason = unusableReason(error, options.from);
    if (reason === null) throw error;
    reading.watch.giveUpAll(reason);
  }
}

async function readEvents(
  { target, random }: ChangeLogContext,
  { from, to, onKeys, onReferences, signal }: ReadChangeLogOptions,
  { watch, report, planned }: Reading,
): Promise<void> {
  const session = await openSession(target, { signal, noSchema: true });
  const start = { file: from.file, offset: Number(from.offset) };
  const cursor = new LogCursor(start);
  const scan = new LogScan(watch, { onKeys, onReferences });
  let isPast = false;
  for await (const events of dumpLog(session, { ...start, readerId: randomReaderId(random) })) {
    for (const raw of events) {
      const event = cursor.take(raw);
      if (event && isPast) scan.takeLater(event);
      else if (event) {
        report.events++;
        report.bytes += raw.length;
        await scan.take(event);
      }
      throwIfAborted(signal);
      isPast ||= isAtEnd(cursor, { from, to });
      if (watch.isHopeless || (isPast && hasReached(cursor, planned))) return;
    }
  }
  if (isPast) return;
  throw new LogUnusable(`the log ends before ${spell(to)}: it was reset`);
}

/** True at `to`. Throws LogUnusable where a file was not created when its position says, or `to` is not between two events. */
function isAtEnd(cursor: LogCursor, { from, to }: { from: LogPosition; to: LogPosition }): boolean {
  const { createdAtSeconds, place } = cursor;
  if (createdAtSeconds === null) return false;
  for (const { file, createdAt } of [from, to]) {
    if (file !== place.file || createdAt === undefined || createdAt === timeText(createdAtSeconds)) continue;
    throw new LogUnusable(`${file} was created anew since the earlier backup: the log was reset`);
  }
  if (place.file !== to.file || place.offset < Number(to.offset)) return false;
  if (place.offset === Number(to.offset)) return true;
  throw new LogUnusable(`no event of ${to.file} ends at ${to.offset}`);
}

function hasReached({ place }: LogCursor, planned: LogPlace | null): boolean {
  if (planned === null) return true;
  const [at, end] = [splitName(place.file).number, splitName(planned.file).number];
  return at > end || (at === end && place.offset >= planned.offset);
}

/** In words, why the log can't be used after such an error; null for errors that say nothing of the log. */
function unusableReason(error: unknown, from: LogPosition): string | null {
  if (error instanceof LogUnusable) return error.message;
  if (error instanceof RangeError) return `an event of the log is not of the form that it should be: ${error.message}`;
  if (isAccessDenied(error)) return 'this user may not read the log: REPLICATION SLAVE is not granted';
  if (serverErrorNumber(error) !== LOG_READ_FAILED) return null;
  return `the log can't be read from ${spell(from)} on, for it was purged or reset: ${(error as Error).message}`;
}
