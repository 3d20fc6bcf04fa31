/**
 * Scratch schemas: databases of their own beside the source's, filled by a restore. A marker table within says that one is ours,
 * whose job made it, and whether it is whole; no other database is ever dropped or written.
 */
import { AppError } from '../../domain/errors';
import { isAccessDenied, serverErrorNumber } from './errors';
import { quoteName, quoteText } from './sql';
import type { Session } from './session';

/** Of the names that the doctor's grants cover. */
export const SCRATCH_PREFIX = 'scratch_';
export const SCRATCH_MARKER = '_riskvault_scratch';
const SCHEMA_NAME = /^[A-Za-z][A-Za-z0-9_]{0,62}$/;
const DATABASE_EXISTS = 1007;
/**
 * Whoever has read a table of it in a transaction that is open keeps it from being dropped, and the server's own limit is a day. Nobody
 * has business there: what holds it is a client that was left open, or ends soon. Then whoever drops it tries again.
 */
const DROP_PATIENCE_SECONDS = 10;

export function checkScratchName(schema: string, sourceSchema: string): void {
  if (SCHEMA_NAME.test(schema) && schema.toLowerCase() !== sourceSchema.toLowerCase()) return;
  throw new AppError('INVALID_INPUT', `"${schema}" can't name a scratch schema.`, {
    hint: "Use a letter, then letters, digits and underscores, at most 63 in all; not the source's own name.",
  });
}

/** Creates it, empty and marked as unfinished. A name that is taken, by whomever, is CONFLICT. */
export async function createScratch(session: Session, schema: string, jobId: string): Promise<void> {
  const { schema: sourceSchema } = session.target;
  checkScratchName(schema, sourceSchema);
  const [charset] = await session.rows(
    `SELECT DEFAULT_CHARACTER_SET_NAME AS charset, DEFAULT_COLLATION_NAME AS collation
     FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${quoteText(sourceSchema)}`,
  );
  const defaults = charset ? `CHARACTER SET ${charset.charset} COLLATE ${charset.collation}` : '';
  try {
    await session.run(`CREATE DATABASE ${quoteName(schema)} ${defaults}`);
  } catch (error) {
    if (isAccessDenied(error)) throw scratchDenied(schema, error);
    if (serverErrorNumber(error) !== DATABASE_EXISTS) throw error;
    const hint = 'Drop it, or choose another name.';
    throw new AppError('CONFLICT', `The scratch schema ${schema} exists already.`, { hint });
  }
  await session.run(
    `CREATE TABLE ${marker(schema)} (job_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
       source_schema VARCHAR(64) NOT NULL, finished BOOLEAN NOT NULL) ENGINE=InnoDB`,
  );
  await session.run(`INSERT INTO ${marker(schema)} VALUES (${quoteText(jobId)}, ${quoteText(sourceSchema)}, FALSE)`);
}

/** A name that the pattern of the doctor's grants does not cover is not granted, though the doctor is content. */
function scratchDenied(schema: string, cause: unknown): AppError {
  const covered = schema.startsWith(SCRATCH_PREFIX);
  const hint = covered
    ? 'Run `npm run doctor`: it prints the GRANT statement for scratch schemas.'
    : `Choose a name that begins with ${SCRATCH_PREFIX}: the grants that \`npm run doctor\` prints cover those alone.`;
  const message = `The source does not let this user create the scratch schema ${schema}.`;
  return new AppError('SOURCE_UNAVAILABLE', message, { hint, cause });
}

function marker(schema: string): string {
  return `${quoteName(schema)}.${quoteName(SCRATCH_MARKER)}`;
}

export async function finishScratch(session: Session, schema: string, jobId: string): Promise<void> {
  await session.run(`UPDATE ${marker(schema)} SET finished = TRUE WHERE job_id = ${quoteText(jobId)}`);
}

/** Scratch schemas that the job made, finished or not. */
export async function scratchOf(session: Session, jobId: string): Promise<{ schema: string; finished: boolean }[]> {
  const rows = await session.rows(
    `SELECT TABLE_SCHEMA AS name FROM information_schema.TABLES WHERE TABLE_NAME = ${quoteText(SCRATCH_MARKER)}`,
  );
  const found: { schema: string; finished: boolean }[] = [];
  for (const { name } of rows) {
    const schema = String(name);
    const [mark] = await session.rows(`SELECT finished FROM ${marker(schema)} WHERE job_id = ${quoteText(jobId)}`);
    if (mark) found.push({ schema, finished: Number(mark.finished) === 1 });
  }
  return found;
}

/** Schemas whose names begin so. */
export async function scratchesNamed(session: Session, prefix: string): Promise<string[]> {
  checkScratchName(prefix, session.target.schema);
  const rows = await session.rows(
    `SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE LEFT(SCHEMA_NAME, ${prefix.length}) = ${quoteText(prefix)}`,
  );
  return rows.map(({ name }) => String(name));
}

/**
 * Drops the job's own, also one whose making was cut off before its marker was written; none that is another's. The name must be one that
 * nobody else would take: an empty schema of it counts as the job's. Idempotent.
 */
export async function discardScratch(session: Session, schema: string, jobId: string): Promise<void> {
  checkScratchName(schema, session.target.schema);
  const [exists] = await session.rows(
    `SELECT 1 AS found FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${quoteText(schema)}`,
  );
  if (!exists) return;
  if (await isOfJob(session, schema, jobId)) return dropDatabase(session, schema);
  throw new AppError('CONFLICT', `The scratch schema ${schema} was not made by this job.`, {
    hint: 'Look whose it is, and drop it by hand.',
  });
}

async function isOfJob(session: Session, schema: string, jobId: string): Promise<boolean> {
  const tables = await session.rows(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${quoteText(schema)}`,
  );
  if (tables.length === 0) return true;
  if (!tables.some(({ name }) => name === SCRATCH_MARKER)) return false;
  const marks = await session.rows(`SELECT job_id FROM ${marker(schema)}`);
  return marks.length === 0 ? tables.length === 1 : marks.some(({ job_id: of }) => of === jobId);
}

export async function dropScratch(session: Session, schema: string): Promise<void> {
  checkScratchName(schema, session.target.schema);
  const [exists] = await session.rows(
    `SELECT 1 AS found FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${quoteText(schema)}`,
  );
  const [ours] = await session.rows(
    `SELECT 1 AS found FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = ${quoteText(schema)} AND TABLE_NAME = ${quoteText(SCRATCH_MARKER)}`,
  );
  if (ours) return dropDatabase(session, schema);
  const why = exists ? 'was not made by a restore' : 'does not exist';
  throw new AppError('INVALID_INPUT', `The scratch schema ${schema} ${why}.`, { hint: 'Check the name.' });
}

async function dropDatabase(session: Session, schema: string): Promise<void> {
  await session.run(`SET SESSION lock_wait_timeout = ${DROP_PATIENCE_SECONDS}`);
  await session.run(`DROP DATABASE IF EXISTS ${quoteName(schema)}`);
}
