/** Foreign keys proven by anti-join: rows of a referring table whose parent does not exist. */
import { AppError } from '../../domain/errors';
import type { ForeignKey } from '../../domain/table';
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
  /** Takes shared locks, so that what was seen holds until the transaction ends. */
  locking?: boolean;
}

/** Throws CONFLICT naming the first rows without a parent. */
export async function checkReference(session: Session, check: ReferenceCheck): Promise<void> {
  const { key, childName, parentName, where, locking } = check;
  const joined = key.columns.map(
    (column, i) => `p.${quoteName(key.referencedColumns[i] as string)} = c.${quoteName(column)}`,
  );
  const present = key.columns.map((column) => `c.${quoteName(column)} IS NOT NULL`);
  const conditions = [
    ...present,
    `p.${quoteName(key.referencedColumns[0] as string)} IS NULL`,
    ...(where ? [`(${where})`] : []),
  ];
  const orphans = await session.values(
    `SELECT ${key.columns.map((column) => `c.${quoteName(column)}`).join(', ')}
     FROM ${childName} c LEFT JOIN ${parentName} p ON ${joined.join(' AND ')}
     WHERE ${conditions.join(' AND ')} LIMIT ${SHOWN_ORPHANS} ${locking ? 'LOCK IN SHARE MODE' : ''}`,
  );
  if (orphans.length > 0) throw orphaned(check, orphans);
}

function orphaned({ child, key }: ReferenceCheck, orphans: readonly (string | number | null)[][]): AppError {
  const columns = key.columns.join(', ');
  const values = orphans.map((row) => `(${row.join(', ')})`).join(', ');
  return new AppError(
    'CONFLICT',
    `Rows of table ${child} refer by ${columns} to rows of ${key.referencedTable} that would not exist: ${values}.`,
    { hint: `Restore ${key.referencedTable} as well, or mend those rows of ${child} first.` },
  );
}

export function parentSchema(key: ForeignKey, childSchema: string | undefined): string | undefined {
  return key.referencedSchema ?? childSchema;
}

export function parentName(key: ForeignKey, childSchema?: string): string {
  return qualified(parentSchema(key, childSchema), key.referencedTable);
}
