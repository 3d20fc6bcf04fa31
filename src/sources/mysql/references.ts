/** Foreign keys proven by anti-join: rows of a referring table whose parent does not exist. */
import { AppError } from '../../domain/errors';
import type { ForeignKey } from '../../domain/table';
import { orphanRemedy } from '../orphan-remedy';
import { isAccessDenied } from './errors';
import type { IncomingReference } from './incoming-references';
import type { Session } from './session';
import { qualified, quoteName } from './sql';

const SHOWN_ORPHANS = 3;

export interface ReferenceCheck {
  /** For messages: the referring and the referred-to table. */
  child: string;
  key: ForeignKey;
  /** Quoted names of where both are. */
  childName: string;
  parentName: string;
  /** Narrows the referring rows, called `c`. */
  where?: string;
  /** The parents' table is part of the restore. */
  restoresParent: boolean;
  /** Takes shared locks, so that what was seen holds until the transaction ends. */
  locking?: boolean;
}

/** Throws CONFLICT that names the table, the constraint, how many rows lack a parent, and the first of them. */
export async function checkReference(session: Session, check: ReferenceCheck): Promise<void> {
  const columns = check.key.columns.map((column) => `c.${quoteName(column)}`).join(', ');
  const orphans = await findOrphans(session, check, columns);
  if (orphans !== null) throw orphaned(check, orphans);
}

export interface OrphanRows {
  count: number;
  /** What was asked for of the first ones. */
  shown: (string | number | null)[][];
}

/** Rows that lack a parent; `columns` is a list to select of the first ones, called `c`. Null where there is none. */
export async function findOrphans(
  session: Session,
  check: ReferenceCheck,
  columns: string,
): Promise<OrphanRows | null> {
  const orphans = orphansSql(check);
  const shown = await session.values(`SELECT ${columns} ${orphans} LIMIT ${SHOWN_ORPHANS} ${lockClause(check)}`);
  if (shown.length === 0) return null;
  const [[count] = []] = await session.values(`SELECT COUNT(*) ${orphans} ${lockClause(check)}`);
  return { count: Number(count), shown };
}

/** A reference from a table that the work itself does not write, which this user may not even see. */
export async function checkIncoming(
  session: Session,
  { schema, table, key, hidden }: IncomingReference,
  check: Pick<ReferenceCheck, 'parentName' | 'restoresParent' | 'where' | 'locking'>,
): Promise<void> {
  const elsewhere = schema === session.target.schema ? undefined : schema;
  const child = elsewhere === undefined ? table : `${elsewhere}.${table}`;
  if (hidden) throw unseen(child);
  try {
    await checkReference(session, { ...check, child, key, childName: qualified(elsewhere, table) });
  } catch (error) {
    throw isAccessDenied(error) ? unseen(child, error) : error;
  }
}

function orphansSql({ key, childName, parentName, where }: ReferenceCheck): string {
  const joined = key.columns.map(
    (column, i) => `p.${quoteName(key.referencedColumns[i] as string)} = c.${quoteName(column)}`,
  );
  const present = key.columns.map((column) => `c.${quoteName(column)} IS NOT NULL`);
  const conditions = [
    ...present,
    `p.${quoteName(key.referencedColumns[0] as string)} IS NULL`,
    ...(where ? [`(${where})`] : []),
  ];
  return `FROM ${childName} c LEFT JOIN ${parentName} p ON ${joined.join(' AND ')} WHERE ${conditions.join(' AND ')}`;
}

function lockClause({ locking }: ReferenceCheck): string {
  return locking ? 'LOCK IN SHARE MODE' : '';
}

function orphaned({ child, key, where, restoresParent }: ReferenceCheck, { count, shown }: OrphanRows): AppError {
  // With a condition not all rows were looked at.
  const rows = `${where === undefined ? '' : 'at least '}${count} row${count === 1 ? '' : 's'}`;
  const values = shown.map((row) => `(${row.join(', ')})`).join(', ');
  return new AppError(
    'CONFLICT',
    `Table ${child} has ${rows} that would refer by ${key.columns.join(', ')} (constraint ${key.name}) to missing rows of ` +
      `${key.referencedTable}: ${values}${count > shown.length ? ', ...' : ''}.`,
    { hint: orphanRemedy({ rows: `those rows of ${child}`, parent: key.referencedTable, restoresParent }) },
  );
}

function unseen(child: string, cause?: unknown): AppError {
  return new AppError(
    'CONFLICT',
    `Whether rows of ${child} refer to missing rows can't be seen: SELECT is not granted.`,
    { hint: `Grant SELECT on ${child} to this user.`, cause },
  );
}

export function parentSchema(key: ForeignKey, childSchema: string | undefined): string | undefined {
  return key.referencedSchema ?? childSchema;
}

export function parentName(key: ForeignKey, childSchema?: string): string {
  return qualified(parentSchema(key, childSchema), key.referencedTable);
}
