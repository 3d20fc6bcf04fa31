/**
 * Staging: missing and empty tables are built beside the live schema's own under names of the job, and put in their places only
 * when all are whole and proven. The plan of that is kept in the job's marker, so that after a crash it is either undone or
 * carried through.
 */
import { createHash } from 'node:crypto';
import { AppError, isAppError } from '../../domain/errors';
import type { ForeignKey, TableStructure, TriggerStructure } from '../../domain/table';
import { buildCreateTable, indexesFromStart, parseCreateTable, type CreateTable } from './create-table';
import { isAccessDenied, serverErrorNumber } from './errors';
import { listTables, readForeignKeys, readTriggers, requireColumns, showCreateTable } from './introspect';
import { qualified, quoteName, quoteText } from './sql';
import { STRICT_SQL_MODE, type Session } from './session';
import { markStatement } from './write-marker';

const NO_SUCH_TABLE = 1146;
const DUPLICATE_TRIGGER = 1359;
const UNKNOWN_MODE = 1231;

/** How one table gets from its staging name to its own. Kept as JSON in the marker. */
export interface StagedTable {
  table: string;
  staging: string;
  was: 'MISSING' | 'EMPTY';
  /** Clauses for ALTER TABLE once the name is free: constraints whose names the live table still holds. */
  lateClauses: { constraint: string; clause: string }[];
  triggers: TriggerStructure[];
}

/** What is being built, and where. */
export interface BuildPlan {
  structure: TableStructure;
  create: CreateTable;
  fromStart: Set<string>;
  foreignKeys: ForeignKey[];
  staged: StagedTable | null;
  location: { schema?: string; table: string };
}

function stagingName(jobId: string, index: number): string {
  const tag = createHash('sha256').update(jobId).digest('hex').slice(0, 12);
  return `_riskvault_${tag}_${index}`;
}

/** Plans for tables of the live schema; one that holds rows is CONFLICT. Reads only. */
export async function planStaging(
  session: Session,
  jobId: string,
  tables: readonly TableStructure[],
): Promise<BuildPlan[]> {
  const { schema } = session.target;
  const live = await listTables(
    session,
    schema,
    tables.map(({ table }) => table),
  );
  const plans: BuildPlan[] = [];
  for (const [i, structure] of tables.entries()) {
    const staging = stagingName(jobId, i);
    const found = live.get(structure.table);
    if (!found) plans.push(planMissing(structure, staging));
    else if (await holdsRows(session, found.table)) throw filled(structure.table);
    else plans.push(await planEmpty(session, { ...structure, table: found.table }, staging));
  }
  return plans;
}

export async function holdsRows(session: Session, table: string, schema?: string): Promise<boolean> {
  return (await session.values(`SELECT 1 FROM ${qualified(schema, table)} LIMIT 1`)).length > 0;
}

function filled(table: string): AppError {
  return new AppError('CONFLICT', `Table ${table} holds rows, so it can't be loaded as a whole.`, {
    hint: 'Restore in place, which changes only what differs.',
  });
}

function planMissing(structure: TableStructure, staging: string): BuildPlan {
  const staged: StagedTable = {
    table: structure.table,
    staging,
    was: 'MISSING',
    lateClauses: [],
    triggers: structure.triggers,
  };
  return plan(structure, staged, { statement: structure.createStatement, foreignKeys: structure.foreignKeys });
}

/** An empty table keeps its live definition: somebody may have improved it. */
async function planEmpty(session: Session, structure: TableStructure, staging: string): Promise<BuildPlan> {
  const { schema } = session.target;
  await requireColumns(session, schema, structure);
  const statement = await showCreateTable(session, schema, structure.table);
  const late = parseCreateTable(statement).definitions.filter(
    ({ kind, name }) =>
      kind === 'FOREIGN_KEY' || (kind === 'CHECK' && name !== '' && session.dialect.hasSchemaWideChecks),
  );
  const staged: StagedTable = {
    table: structure.table,
    staging,
    was: 'EMPTY',
    lateClauses: late.map(({ name, text }) => ({ constraint: name, clause: `ADD ${text}` })),
    triggers: await readTriggers(session, schema, structure.table),
  };
  const foreignKeys = await readForeignKeys(session, schema, structure.table);
  return plan(structure, staged, { statement, foreignKeys });
}

function plan(
  structure: TableStructure,
  staged: StagedTable,
  { statement, foreignKeys }: { statement: string; foreignKeys: ForeignKey[] },
): BuildPlan {
  const create = parseCreateTable(statement);
  const fromStart = indexesFromStart(create, structure.key, structure.keyIsPrimary);
  return { structure, create, fromStart, foreignKeys, staged, location: { table: staged.staging } };
}

/** A plan for a scratch schema: own names, no triggers, foreign keys only among the tables themselves. */
export function planScratch(schema: string, tables: readonly TableStructure[]): BuildPlan[] {
  const isHere = (key: ForeignKey): boolean =>
    key.referencedSchema === undefined && tables.some(({ table }) => table === key.referencedTable);
  return tables.map((structure) => {
    const create = parseCreateTable(structure.createStatement);
    return {
      structure,
      create,
      fromStart: indexesFromStart(create, structure.key, structure.keyIsPrimary),
      foreignKeys: structure.foreignKeys.filter(isHere),
      staged: null,
      location: { schema, table: structure.table },
    };
  });
}

/** Creates the table where its rows are loaded: with what its rows need from the start alone. */
export async function createForLoading(
  session: Session,
  { structure, create, fromStart, staged, location }: BuildPlan,
): Promise<void> {
  const late = new Set(staged?.lateClauses.map(({ constraint }) => constraint));
  const statement = buildCreateTable(qualified(location.schema, location.table), create, ({ kind, name }) => {
    if (kind === 'INDEX') return fromStart.has(name);
    return kind !== 'FOREIGN_KEY' && !(kind === 'CHECK' && late.has(name));
  });
  try {
    await session.run(statement);
  } catch (error) {
    throw notUnderstood(structure.table, error);
  }
}

/** What this program has no word for is the statement's fault: it comes from a backup, maybe of another server or version. */
function notUnderstood(table: string, error: unknown): unknown {
  if (!isAppError(error) || error.code !== 'INTERNAL' || serverErrorNumber(error) === null) return error;
  const message = `The source can't create table ${table} as the backup has it. ${error.message}`;
  const hint = 'Restore into a server of the kind and version that the backup was taken of.';
  return new AppError('SCHEMA_MISMATCH', message, { hint, cause: error });
}

/** Builds the secondary indexes, all in one pass over the rows. */
export async function addIndexes(session: Session, { create, fromStart, location }: BuildPlan): Promise<void> {
  const missing = create.definitions.filter(({ kind, name }) => kind === 'INDEX' && !fromStart.has(name));
  if (missing.length === 0) return;
  const clauses = missing.map(({ text }) => `ADD ${text}`);
  await session.run(`ALTER TABLE ${qualified(location.schema, location.table)} ${clauses.join(', ')}`);
}

/** Puts staged tables into their places. Every step may be repeated: what is done already is passed over. */
export async function putInPlace(session: Session, staged: readonly StagedTable[]): Promise<void> {
  const { schema } = session.target;
  const names = staged.flatMap(({ table, staging }) => [table, staging]);
  const present = await listTables(session, schema, names);
  const waiting = staged.filter(({ staging }) => present.has(staging));
  const replaced = waiting.filter(({ was, table }) => was === 'EMPTY' && present.has(table)).map(({ table }) => table);
  const created = waiting.find(({ was, table }) => was === 'MISSING' && present.has(table));
  if (created) throw appeared(created.table);
  await dropEmptyTables(session, replaced);
  await renameIn(session, waiting);
  for (const table of staged) await addLateParts(session, table);
}

/** Under a lock that keeps writers out, all are seen to be empty still, then go at once. */
async function dropEmptyTables(session: Session, tables: readonly string[]): Promise<void> {
  if (tables.length === 0) return;
  await session.run(`LOCK TABLES ${tables.map((table) => `${quoteName(table)} WRITE`).join(', ')}`);
  try {
    for (const table of tables) if (await holdsRows(session, table)) throw gotRows(table);
    await dropTogether(session, tables);
  } finally {
    if (!session.ended) await session.run('UNLOCK TABLES');
  }
}

/** MySQL drops locked tables that refer to each other, commits that, and then may complain that one of them is gone. */
async function dropTogether(session: Session, tables: readonly string[]): Promise<void> {
  try {
    await session.run(`DROP TABLE ${tables.map(quoteName).join(', ')}`);
  } catch (error) {
    if (serverErrorNumber(error) !== NO_SUCH_TABLE) throw error;
    if ((await listTables(session, session.target.schema, tables)).size > 0) throw error;
  }
}

function gotRows(table: string): AppError {
  return new AppError('PLAN_DRIFTED', `Table ${table} was empty when the restore began and now holds rows.`, {
    hint: 'Restore in place, which keeps rows that came later.',
  });
}

async function renameIn(session: Session, waiting: readonly StagedTable[]): Promise<void> {
  if (waiting.length === 0) return;
  const moves = waiting.map(({ table, staging }) => `${quoteName(staging)} TO ${quoteName(table)}`);
  await session.run(`RENAME TABLE ${moves.join(', ')}`);
}

export function appeared(table: string): AppError {
  return new AppError('PLAN_DRIFTED', `Table ${table} was missing when the restore began and was created meanwhile.`, {
    hint: 'Restore in place, which keeps rows that came later.',
  });
}

async function addLateParts(session: Session, { table, lateClauses, triggers }: StagedTable): Promise<void> {
  const create = parseCreateTable(await showCreateTable(session, session.target.schema, table));
  const names = new Set(create.definitions.map(({ name }) => name));
  const clauses = lateClauses.filter(({ constraint }) => !names.has(constraint)).map(({ clause }) => clause);
  if (clauses.length > 0) await session.run(`ALTER TABLE ${quoteName(table)} ${clauses.join(', ')}`);
  for (const trigger of triggers) await createTrigger(session, trigger);
}

async function createTrigger(session: Session, { statement, sqlMode }: TriggerStructure): Promise<void> {
  // The mode is kept with the trigger, and decides what its quotes mean.
  if (sqlMode !== undefined) await useMode(session, sqlMode);
  try {
    await runTrigger(session, statement);
  } finally {
    if (sqlMode !== undefined && !session.ended) await useMode(session, STRICT_SQL_MODE);
  }
}

/** MySQL 8 knows no NO_AUTO_CREATE_USER any more, which older triggers have and none needs. */
async function useMode(session: Session, mode: string): Promise<void> {
  const set = (text: string): Promise<unknown> => session.run(`SET SESSION sql_mode = ${quoteText(text)}`);
  const known = mode.split(',').filter((flag) => flag !== 'NO_AUTO_CREATE_USER');
  await set(mode).catch((error: unknown) => {
    if (serverErrorNumber(error) !== UNKNOWN_MODE) throw error;
    return set(known.join());
  });
}

async function runTrigger(session: Session, statement: string): Promise<void> {
  try {
    await session.run(statement);
  } catch (error) {
    if (serverErrorNumber(error) === DUPLICATE_TRIGGER) return;
    const ownDefiner = statement.replace(
      /^CREATE\s+DEFINER\s*=\s*(`(?:[^`]|``)*`|\S+?)(@(`(?:[^`]|``)*`|\S+))?\s+TRIGGER/i,
      'CREATE TRIGGER',
    );
    // Only an administrator may create a trigger in another user's name.
    if (!isAccessDenied(error) || ownDefiner === statement) throw error;
    await session.run(ownDefiner);
  }
}

export async function dropStaged(session: Session, staged: readonly StagedTable[]): Promise<void> {
  for (const { staging } of staged) await session.run(`DROP TABLE IF EXISTS ${quoteName(staging)}`);
}

/** Puts all in place and says so in the mark; the tables may be in their places already. */
export async function carryThrough(session: Session, jobId: string, staged: readonly StagedTable[]): Promise<void> {
  try {
    await putInPlace(session, staged);
  } catch (error) {
    // Nothing was put in place yet when the tables proved to have changed: the restore as a whole did not happen.
    if (error instanceof AppError && error.code === 'PLAN_DRIFTED' && !session.ended) {
      await session.run(markStatement(jobId, 'LOADING', JSON.stringify(staged)));
    }
    throw error;
  }
  await session.run(markStatement(jobId, 'COMMITTED'));
}
