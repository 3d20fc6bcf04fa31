/**
 * Three-way restores. What differs between an undamaged backup and a damaged, later one is the damage, and is undone; what the live source
 * has beyond the damaged one are later edits, and stays. Where a field was damaged and edited later too, there is a conflict.
 */
import { AppError } from './errors';
import type { BackupId } from './ids';

/**
 * KEEP_LIVE: what is live stays, row or field. TAKE_BACKUP: it becomes what the undamaged backup has, be that no row. FAIL: nothing at all
 * is changed while there is a conflict.
 */
export const CONFLICT_POLICIES = ['KEEP_LIVE', 'TAKE_BACKUP', 'FAIL'] as const;
export type ConflictPolicy = (typeof CONFLICT_POLICIES)[number];

export interface ThreeWay {
  damagedBackupId: BackupId;
  conflictPolicy: ConflictPolicy;
}

/** Of a plan, or a restore, whose policy is FAIL. */
export function unresolved(
  { rows, fields }: { rows: number; fields: number },
  { first, path }: { first?: string; path?: readonly string[] } = {},
): AppError {
  const message = `${fields} fields of ${rows} rows were damaged and changed later too; nothing was changed.`;
  return new AppError('CONFLICT', first === undefined ? message : `${message} The first: ${first}.`, {
    hint: 'Look at the conflicts of a plan, then plan or restore again with the conflictPolicy KEEP_LIVE or TAKE_BACKUP.',
    ...(path && { path }),
  });
}
