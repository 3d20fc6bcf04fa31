/** What `compareBackups` accepts: first the input alone, then against the backups that it names. */
import type { BackupRecord } from '../catalog/catalog';
import { expandDataTypes, type RequestedDataType } from '../domain/data-type';
import { AppError } from '../domain/errors';
import type { BackupId } from '../domain/ids';
import { InputProblems } from './input-problems';
import {
  checkBusinessId, checkDataTypes, checkIdempotencyKey, checkWaitFor, quote, type Given,
} from './input-rules'; // prettier-ignore

export interface CompareBackupsInput {
  baseId: BackupId;
  /** Not given: the live source of the base. */
  targetId?: Given<BackupId>;
  dataTypes?: Given<RequestedDataType[]>;
  businessId?: Given<string>;
  idempotencyKey?: Given<string>;
  waitFor?: Given<string>;
}

export interface CheckedComparison {
  dataTypes: RequestedDataType[];
  /** Null: all rows, or what the backups hold of one business. */
  businessId: string | null;
}

/** Throws INVALID_INPUT with everything that is wrong with the input by itself. */
export function checkComparisonInput(input: CompareBackupsInput): CheckedComparison {
  const problems = new InputProblems();
  if (input.targetId === input.baseId)
    problems.add('targetId', 'The target is the base.', 'Name another backup, or none for the live source.');
  const dataTypes = checkDataTypes(input.dataTypes, problems);
  const isGiven = input.businessId !== null && input.businessId !== undefined;
  const businessId = isGiven ? checkBusinessId(input.businessId, { required: true, type: 'BUSINESS' }, problems) : null;
  checkIdempotencyKey(input.idempotencyKey, problems);
  checkWaitFor(input.waitFor, problems);
  problems.throwIfAny();
  return { dataTypes: dataTypes ?? ['ALL'], businessId };
}

/** NOT_FOUND where nothing of it is stored. What has expired can be compared until it is deleted. */
export function requireStored(backup: BackupRecord | null, field: 'baseId' | 'targetId'): BackupRecord {
  const isStored = backup?.status === 'COMPLETED' || backup?.status === 'EXPIRED';
  if (backup !== null && isStored && backup.missingSince === null) return backup;
  const message = backup === null ? 'There is no such backup.' : 'Nothing of the backup is stored.';
  throw new AppError('NOT_FOUND', message, {
    hint: 'Name a backup whose status is COMPLETED.',
    path: ['input', field],
  });
}

/** Throws INVALID_INPUT where the backups do not hold what is asked for; gives the business that is compared, null for all rows. */
export function checkAgainstBackups(
  { dataTypes, businessId }: CheckedComparison,
  { base, target }: { base: BackupRecord; target: BackupRecord | null },
): string | null {
  const problems = new InputProblems();
  for (const backup of [base, target]) if (backup !== null) checkHeld(dataTypes, backup, problems);
  const held = [base, target].flatMap((backup) => backup?.businessId ?? []);
  const [only, ...others] = new Set(businessId === null ? held : [businessId, ...held]);
  if (others.length > 0) {
    const message = `A backup of the business ${quote(held.at(-1) as string)} alone can't be compared so.`;
    problems.add('businessId', message, 'Name its own business, and a backup that holds rows of it.');
  }
  problems.throwIfAny();
  return only ?? null;
}

function checkHeld(dataTypes: readonly RequestedDataType[], backup: BackupRecord, problems: InputProblems): void {
  if (dataTypes.includes('ALL')) return;
  const lacking = expandDataTypes(dataTypes).filter((dataType) => !backup.dataTypes.includes(dataType));
  if (lacking.length === 0) return;
  const message = `One of the backups holds no ${lacking.join(', ')}.`;
  problems.add('dataTypes', message, `It holds: ${backup.dataTypes.join(', ')}.`);
}
