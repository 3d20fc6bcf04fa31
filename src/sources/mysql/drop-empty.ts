/** Takes away tables that are still empty: what a restore had created before it failed. Rows that came meanwhile keep theirs. */
import type { Session } from './session';
import { listTables } from './introspect';
import { qualified } from './sql';
import { holdsRows } from './staging';

/** Gives the names that were dropped. Each table is locked from the look to the drop, so that no row can slip in between. */
export async function dropEmptyTables(session: Session, schema: string, tables: readonly string[]): Promise<string[]> {
  const dropped: string[] = [];
  await session.run('SET SESSION foreign_key_checks = 0');
  for (const { table } of (await listTables(session, schema, tables)).values()) {
    if (await dropIfEmpty(session, table)) dropped.push(table);
  }
  return dropped;
}

async function dropIfEmpty(session: Session, table: string): Promise<boolean> {
  const name = qualified(undefined, table);
  await session.run(`LOCK TABLES ${name} WRITE`);
  try {
    if (await holdsRows(session, table)) return false;
    await session.run(`DROP TABLE ${name}`);
    return true;
  } finally {
    if (!session.ended) await session.run('UNLOCK TABLES');
  }
}
