/** What a rehearsal found wrong, in words. Of rows it tells numbers and keys, never what is in them: findings outlive and outrank records. */
import type { AppError } from '../../domain/errors';
import type { BackupId } from '../../domain/ids';
import type { InvariantCheck } from '../../domain/invariant';
import type { VerificationFinding } from '../../domain/rehearsal';
import type { BrokenReference } from '../../domain/source';

/** Where a chunk could not be read, and every object could be a moment later. */
export function damageFinding(backupId: BackupId): VerificationFinding {
  const message = 'A part of the backup could not be read when it was to be restored, and could be read later.';
  return { object: 'packs/', problem: 'UNREADABLE', message, backupIds: [backupId] };
}

export function notRestored({ message }: AppError, backupId: BackupId): VerificationFinding {
  return { object: 'restore', problem: 'NOT_RESTORED', message, backupIds: [backupId] };
}

export function referenceFinding(
  { table, key, rowCount, firstKeys }: BrokenReference,
  backupId: BackupId,
): VerificationFinding {
  const rows = `${rowCount} row${rowCount === 1 ? '' : 's'}`;
  const message = `Table ${table} has ${rows} that refer by ${key.columns.join(', ')} to rows of ${key.referencedTable} that are not there.`;
  const object = `${table}.${key.name}`;
  return { object, problem: 'BROKEN_REFERENCE', message, backupIds: [backupId], rowCount, firstKeys };
}

export function invariantFindings(checks: readonly InvariantCheck[], backupId: BackupId): VerificationFinding[] {
  return checks.flatMap((check): VerificationFinding[] => {
    const about = { object: check.name, backupIds: [backupId] };
    if (check.verdict === 'HOLDS') return [];
    if (check.verdict === 'UNCHECKED') {
      const message = `The invariant ${check.name} could not be checked: ${check.reason}.`;
      return [{ ...about, problem: 'UNCHECKED_INVARIANT', message }];
    }
    const { rowCount, firstKeys } = check;
    const message = `The invariant ${check.name} is broken by ${rowCount} row${rowCount === 1 ? '' : 's'}.`;
    return [{ ...about, problem: 'BROKEN_INVARIANT', message, rowCount, firstKeys }];
  });
}
