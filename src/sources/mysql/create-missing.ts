/**
 * Tables that an in-place write needs and that are missing. Creating them would commit the transaction that fills them, so they
 * come before it: built empty under staging names, renamed in, and listed in the job's mark, which the transaction's own COMMITTED
 * overwrites. Until then whoever rolls back, or recovers, takes them away again.
 */
import { AppError } from '../../domain/errors';
import type { TableStructure } from '../../domain/table';
import { listTables } from './introspect';
import type { Session } from './session';
import { quoteName } from './sql';
import { StagedReferences } from './staged-references';
import {
  addIndexes,
  appeared,
  createForLoading,
  dropStaged,
  holdsRows,
  planStaging,
  putInPlace,
  type BuildPlan,
  type StagedTable,
} from './staging';
import { markStatement, readMark, unmark } from './write-marker';

/** Throws PLAN_DRIFTED where one is there by now. When it fails, its mark says what `recoverWrite` has to take away. */
export async function createMissing(session: Session, jobId: string, tables: readonly TableStructure[]): Promise<void> {
  const names = tables.map(({ table }) => table);
  const [there] = (await listTables(session, session.target.schema, names)).keys();
  if (there !== undefined) throw appeared(there);
  const plans = await planStaging(session, jobId, tables);
  const staged = plans.flatMap((plan) => plan.staged ?? []);
  await session.run(markStatement(jobId, 'LOADING', JSON.stringify(staged)));
  await build(session, plans);
  await session.run(markStatement(jobId, 'CREATED', JSON.stringify(staged)));
  await putInPlace(session, staged);
}

async function build(session: Session, plans: BuildPlan[]): Promise<void> {
  const references = new StagedReferences(session, plans);
  for (const plan of plans) await createForLoading(session, plan);
  for (const plan of plans) {
    await addIndexes(session, plan);
    await references.add(session, plan);
  }
}

/**
 * Takes away what the job created and did not fill, as its mark tells; rows that somebody put into a table keep it. Idempotent.
 * Waits for a transaction of the job that the server is still ending.
 */
export async function undoCreation(session: Session, jobId: string): Promise<void> {
  const mark = await readMark(session, jobId);
  if (mark === null || mark === 'UNKNOWABLE' || mark.state === 'COMMITTED') return;
  const staged = JSON.parse(mark.detail) as StagedTable[];
  await session.run('SET SESSION foreign_key_checks = 0');
  if (mark.state === 'CREATED') await dropRenamed(session, staged);
  await dropStaged(session, staged);
  await unmark(session, jobId);
}

/** Those that bear no staging name any more bear their own. */
async function dropRenamed(session: Session, tables: readonly StagedTable[]): Promise<void> {
  const { schema } = session.target;
  const staging = tables.map((table) => table.staging);
  const staged = await listTables(session, schema, staging);
  const renamed = tables.filter((table) => !staged.has(table.staging)).map(({ table }) => table);
  for (const { table } of (await listTables(session, schema, renamed)).values()) await dropIfEmpty(session, table);
}

/** Locked from the look to the drop, so that no row can slip in between. */
async function dropIfEmpty(session: Session, table: string): Promise<void> {
  const name = quoteName(table);
  await session.run(`LOCK TABLES ${name} WRITE`);
  try {
    if (!(await holdsRows(session, table))) await session.run(`DROP TABLE ${name}`);
  } finally {
    if (!session.ended) await session.run('UNLOCK TABLES');
  }
}

/** This user may keep no marks: what a crash left could not be told from what was there. */
export function noMarker(): AppError {
  return new AppError(
    'SOURCE_UNAVAILABLE',
    'This user may not create tables in the source, so tables can not be restored.',
    {
      hint: 'Run `npm run doctor`: it prints the GRANT statements that restoring needs.',
    },
  );
}
