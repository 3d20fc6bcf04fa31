/** Drops tables that a restore had brought into being, once its undoing has emptied them and nothing refers to them. */
import { AppError } from '../../domain/errors';
import { serverErrorNumber } from './errors';
import { listTables } from './introspect';
import { openSession, type ConnectionTarget, type Session } from './session';
import { holdsRows } from './staging';
import { quoteName } from './sql';

/** The table is referred to: as MariaDB, as MySQL, as either for its parents, says it. */
const REFERRED_TO = [1217, 1451, 3730];

/** As `Source.dropEmptyTables`. */
export async function dropEmptyTables(
  target: ConnectionTarget,
  tables: readonly string[],
): Promise<Map<string, string>> {
  const session = await openSession(target);
  try {
    return await dropAll(session, tables);
  } finally {
    await session.close();
  }
}

/** Round by round: one that another of them refers to goes once that is gone. */
async function dropAll(session: Session, tables: readonly string[]): Promise<Map<string, string>> {
  const live = await listTables(session, session.target.schema, tables);
  let left = [...live.values()].map(({ table }) => table);
  const kept = new Map<string, string>();
  for (let before = -1; left.length !== before;) {
    before = left.length;
    const staying: string[] = [];
    for (const table of left) {
      const reason = await tryDrop(session, table);
      if (reason !== null) staying.push(table);
      if (reason !== null) kept.set(table, reason);
      else kept.delete(table);
    }
    left = staying;
  }
  return kept;
}

/** Locked from the look to the drop, so that no row can slip in between. Null once it is gone. */
async function tryDrop(session: Session, table: string): Promise<string | null> {
  const name = quoteName(table);
  await session.run(`LOCK TABLES ${name} WRITE`);
  try {
    if (await holdsRows(session, table)) return 'it has rows';
    await session.run(`DROP TABLE ${name}`);
    return null;
  } catch (error) {
    const number = serverErrorNumber(error);
    if (number === null || session.ended) throw error;
    if (REFERRED_TO.includes(number)) return 'other tables refer to it';
    return new AppError('CONFLICT', error instanceof Error ? error.message : String(error)).message;
  } finally {
    if (!session.ended) await session.run('UNLOCK TABLES');
  }
}
