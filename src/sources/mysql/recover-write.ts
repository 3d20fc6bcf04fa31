/** Settles a write whose writer is gone, or never came to be: takes away what it left, or carries it through. */
import type { WriteRecovery } from '../../domain/source';
import { prepareForWriting } from './bulk-load';
import { undoCreation } from './create-missing';
import { serverErrorNumber } from './errors';
import { dropScratch, scratchOf } from './scratch';
import { openSession, type ConnectionTarget, type Session } from './session';
import { carryThrough, dropStaged, type StagedTable } from './staging';
import { readMark, unmark, type WriteMark } from './write-marker';

/** What a statement undoes when it is ended can take long; whoever meets its tables waits for its locks in any case. */
const MOST_LOOKS = 600;
const LOOK_EVERY_SECONDS = 0.05;

/** As `Source.recoverWrite`. */
export async function recoverWrite(session: Session, jobId: string): Promise<WriteRecovery> {
  const scratches = await scratchOf(session, jobId);
  for (const { schema, finished } of scratches) if (!finished) await dropScratch(session, schema);
  if (scratches.some(({ finished }) => finished)) return 'COMMITTED';
  const mark = await readMark(session, jobId);
  if (mark === 'UNKNOWABLE') return 'UNKNOWN';
  if (mark === null) return 'ABSENT';
  return mark.state === 'COMMITTED' ? 'COMMITTED' : recoverByMark(session, jobId, mark);
}

/** Settles what an interrupted write of the live schema left, by its mark. */
async function recoverByMark(session: Session, jobId: string, mark: WriteMark): Promise<WriteRecovery> {
  const staged = JSON.parse(mark.detail) as StagedTable[];
  await prepareForWriting(session);
  if (mark.state === 'PUBLISHING') {
    await carryThrough(session, jobId, staged);
    return 'COMMITTED';
  }
  if (mark.state === 'CREATED') await undoCreation(session, jobId);
  else await undoStaged(session, jobId, staged);
  return 'ABSENT';
}

export async function undoStaged(session: Session, jobId: string, staged: readonly StagedTable[]): Promise<void> {
  await dropStaged(session, staged);
  await unmark(session, jobId);
}

/**
 * Ends the sessions of a write that failed before there was a writer, and takes away what they made. On a session of its own, for
 * those may be broken, cancelled, or in the middle of a statement. Where it throws, `recoverWrite` has to do it.
 */
export async function undoBeginning(target: ConnectionTarget, jobId: string, begun: readonly Session[]): Promise<void> {
  for (const session of begun) session.destroy();
  const cleaner = await openSession(target);
  try {
    await endThreads(
      cleaner,
      begun.map(({ threadId }) => threadId),
    );
    await recoverWrite(cleaner, jobId);
  } finally {
    await cleaner.close();
  }
}

/** A statement such as an index build goes on after its client left, until it is told; returns when it is over. */
export async function endThreads(session: Session, threads: readonly number[]): Promise<void> {
  for (const thread of threads) {
    for (let look = 0; look < MOST_LOOKS && (await kill(session, thread)); look++) {
      await session.run(`DO SLEEP(${LOOK_EVERY_SECONDS})`);
    }
  }
}

/** False when there is no such thread, or none that this user may end. */
async function kill(session: Session, thread: number): Promise<boolean> {
  try {
    await session.run(`KILL CONNECTION ${thread}`);
    return true;
  } catch (error) {
    if (session.ended || serverErrorNumber(error) === null) throw error;
    return false;
  }
}
