/** Compares the mapping with the live schema and says, per table, what keeps it from being backed up. */
import type { SourceMapping, TableMapping } from '../../domain/mapping';
import type { MappingProblem } from '../../domain/source';
import { ownershipProblems } from '../ownership-problems';
import { listTables, readColumns, readIndexes, type LiveIndex, type LiveTable } from './introspect';
import type { Session } from './session';

export async function checkMapping(
  session: Session,
  schema: string,
  mapping: SourceMapping,
): Promise<MappingProblem[]> {
  const names = mapping.map(({ table }) => table);
  const live = await listTables(session, schema, names);
  const engines = await transactionalEngines(session);
  const columns = new Map<string, string[]>();
  const problems: MappingProblem[] = [];
  for (const entry of mapping) {
    const found = live.get(entry.table);
    const problem = tableProblem(entry, found, { schema, engines });
    if (problem) problems.push(problem);
    if (!found || problem?.problem === 'NOT_A_TABLE') continue;
    const stored = await readColumns(session, schema, found.table);
    columns.set(
      entry.table,
      stored.map(({ column }) => column.name),
    );
    const storedNames = stored.filter(({ generated }) => generated === null).map(({ column }) => column.name);
    problems.push(...keyProblems(entry, await readIndexes(session, schema, found.table), storedNames));
  }
  return [...problems, ...duplicateProblems(mapping), ...ownershipProblems(mapping, columns)];
}

async function transactionalEngines(session: Session): Promise<Set<string>> {
  const rows = await session.rows("SELECT ENGINE AS name FROM information_schema.ENGINES WHERE TRANSACTIONS = 'YES'");
  return new Set(rows.map(({ name }) => String(name).toLowerCase()));
}

function tableProblem(
  { table }: TableMapping,
  live: LiveTable | undefined,
  { schema, engines }: { schema: string; engines: Set<string> },
): MappingProblem | null {
  if (!live) {
    const message = `Schema ${schema} has no table ${table}, or this user may not see it.`;
    return {
      table,
      problem: 'NO_SUCH_TABLE',
      message,
      hint: 'Correct the mapping, create the table, or grant SELECT on it.',
    };
  }
  if (live.type === 'SYSTEM VERSIONED') {
    const message = `Table ${table} is system-versioned: its history could not be restored.`;
    return { table, problem: 'UNSUPPORTED', message, hint: 'Leave the table out of the mapping.' };
  }
  if (live.type !== 'BASE TABLE') {
    const message = `${table} is no table but a ${live.type.toLowerCase()}.`;
    return { table, problem: 'NOT_A_TABLE', message, hint: 'Map the tables that it is made of.' };
  }
  if (live.engine !== null && engines.has(live.engine.toLowerCase())) return null;
  const message = `Table ${table} has the engine ${live.engine}, which knows no transactions, so no consistent read.`;
  return { table, problem: 'NOT_TRANSACTIONAL', message, hint: `Convert it: ALTER TABLE ${table} ENGINE=InnoDB.` };
}

function keyProblems(
  { table }: TableMapping,
  indexes: readonly LiveIndex[],
  stored: readonly string[],
): MappingProblem[] {
  const isStored = (name: string): boolean => stored.includes(name);
  const candidates = indexes.filter((index) => index.unique && (index.whole || index.name === 'PRIMARY'));
  if (candidates.some((index) => !index.nullable && index.columns.every(isStored))) return [];
  if (candidates.some((index) => !index.nullable)) {
    const message = `The only key of table ${table} holds a generated column, which a backup does not store.`;
    return [{ table, problem: 'UNSUPPORTED', message, hint: 'Give it a primary key of stored columns.' }];
  }
  const nullable = candidates.find((index) => index.nullable);
  const message = nullable
    ? `Table ${table} has no primary key, and its unique key ${nullable.name} allows NULL.`
    : `Table ${table} has no primary key and no unique key.`;
  const hint = 'Give it a primary key, or a unique key whose columns are all NOT NULL.';
  return [{ table, problem: 'NO_KEY', message, hint }];
}

function duplicateProblems(mapping: SourceMapping): MappingProblem[] {
  const again = mapping.filter((entry, i) => mapping.findIndex(({ table }) => table === entry.table) !== i);
  return again.map(({ table }) => ({
    table,
    problem: 'UNSUPPORTED',
    message: `Table ${table} is mapped more than once.`,
    hint: 'Map each table to one data type.',
  }));
}
