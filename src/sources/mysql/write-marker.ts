/**
 * The table `_riskvault_writes` in the source's own schema: one row per writing job, put there by the same transaction as the
 * job's changes, or moved along by a bulk load step by step. It is what tells, after a crash or a lost answer, how a job stands.
 */
import { isAccessDenied, serverErrorNumber } from './errors';
import { quoteText } from './sql';
import type { Session } from './session';

export const MARKER_TABLE = '_riskvault_writes';
/** Rows older than this settle nothing any more. */
const KEEP_DAYS = 90;
const NO_SUCH_TABLE = 1146;

/**
 * LOADING: nothing of it counts. PUBLISHING: complete and proven, to be carried through. CREATED: empty tables bear their names,
 * to be taken away again unless their rows are committed too. COMMITTED: done.
 */
export type WriteState = 'LOADING' | 'PUBLISHING' | 'CREATED' | 'COMMITTED';

export interface WriteMark {
  state: WriteState;
  detail: string;
}

/** Creates the table where it is missing. False where this user may not, so that no marker can be kept. */
export async function prepareMarkers(session: Session): Promise<boolean> {
  try {
    await session.run(
      `CREATE TABLE IF NOT EXISTS \`${MARKER_TABLE}\` (
         job_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
         state VARCHAR(20) CHARACTER SET ascii NOT NULL,
         detail LONGTEXT CHARACTER SET utf8mb4 NOT NULL,
         written_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
       ) ENGINE=InnoDB COMMENT='What Riskvault wrote here, by job'`,
    );
    await session.run(`DELETE FROM \`${MARKER_TABLE}\` WHERE written_at < NOW() - INTERVAL ${KEEP_DAYS} DAY`);
    return true;
  } catch (error) {
    if (isAccessDenied(error)) return false;
    throw error;
  }
}

export function markStatement(jobId: string, state: WriteState, detail = ''): string {
  const values = [jobId, state, detail].map(quoteText).join(', ');
  return `REPLACE INTO \`${MARKER_TABLE}\` (job_id, state, detail) VALUES (${values})`;
}

export async function unmark(session: Session, jobId: string): Promise<void> {
  await session.run(`DELETE FROM \`${MARKER_TABLE}\` WHERE job_id = ${quoteText(jobId)}`);
}

/**
 * How the job stands; null where it left no mark, 'UNKNOWABLE' where marks can't be read. A locking read: it waits for a
 * transaction of that job which the server is still ending.
 */
export async function readMark(session: Session, jobId: string): Promise<WriteMark | null | 'UNKNOWABLE'> {
  try {
    const [row] = await session.rows(
      `SELECT state, detail FROM \`${MARKER_TABLE}\` WHERE job_id = ${quoteText(jobId)} FOR UPDATE`,
    );
    return row ? { state: row.state as WriteState, detail: String(row.detail) } : null;
  } catch (error) {
    if (serverErrorNumber(error) === NO_SUCH_TABLE) return null;
    if (isAccessDenied(error)) return 'UNKNOWABLE';
    throw error;
  }
}

/** Jobs that left a mark and have not ended; none where marks can't be read. */
export async function unfinishedJobs(session: Session): Promise<string[]> {
  try {
    const rows = await session.rows(
      `SELECT job_id AS job FROM \`${MARKER_TABLE}\` WHERE state <> 'COMMITTED' ORDER BY written_at`,
    );
    return rows.map(({ job }) => String(job));
  } catch (error) {
    if (serverErrorNumber(error) === NO_SUCH_TABLE || isAccessDenied(error)) return [];
    throw error;
  }
}
