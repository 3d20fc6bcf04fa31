/** What `restoreBackup` and `planRestore` accept: first the input alone, then against the backup that it names. */
import type { BackupRecord } from '../catalog/catalog';
import type { RestoreType } from '../domain/backup';
import { expandDataTypes, type RequestedDataType } from '../domain/data-type';
import { parseDurationMs } from '../domain/duration';
import { AppError } from '../domain/errors';
import type { BackupId } from '../domain/ids';
import type { RestoreTarget } from '../domain/job';
import type { RecordKey } from '../domain/record-key';
import type { ConflictPolicy, ThreeWay } from '../domain/three-way';
import { InputProblems } from './input-problems';
import {
  checkBusinessId, checkDataTypes, checkIdempotencyKey, checkWaitFor, isGiven, quote, type Given,
} from './input-rules'; // prettier-ignore
import type { SourcePort } from './ports';
import { checkRecordKeys, locateRecordKeys, type RecordKeyInput } from './record-keys';

export interface RestoreBackupInput {
  backupId: BackupId;
  type: RestoreType;
  dataTypes?: Given<RequestedDataType[]>;
  businessId?: Given<string>;
  keys?: Given<readonly RecordKeyInput[]>;
  target?: Given<{ inPlace?: Given<boolean>; scratch?: Given<string> }>;
  dryRun?: Given<boolean>;
  allowUnchecked?: Given<boolean>;
  damagedBackupId?: Given<BackupId>;
  conflictPolicy?: Given<ConflictPolicy>;
  idempotencyKey?: Given<string>;
  waitFor?: Given<string>;
}

export interface PlanRestoreInput extends Omit<RestoreBackupInput, 'target' | 'dryRun'> {
  validFor?: Given<string>;
}

/** What stands after the input itself was checked. */
export interface CheckedRestore {
  type: RestoreType;
  /** Null: whatever the type takes of the backup. */
  dataTypes: RequestedDataType[] | null;
  businessId: string | null;
  /** Of what the type takes these records alone; null for all. */
  keys: RecordKeyInput[] | null;
  target: RestoreTarget;
  dryRun: boolean;
  allowUnchecked: boolean;
  /** Null: restore the backup, whatever made live differ from it. */
  threeWay: ThreeWay | null;
}

const SCRATCH_NAME = /^[A-Za-z0-9_]{1,60}$/;
const SERVER_SCHEMAS = new Set(['mysql', 'information_schema', 'performance_schema', 'sys', 'main', 'temp']);

/** Throws INVALID_INPUT with everything that is wrong with the input by itself. */
export function checkRestoreInput(
  input: RestoreBackupInput,
  checkMore?: (problems: InputProblems) => void,
): CheckedRestore {
  const problems = new InputProblems();
  checkMore?.(problems);
  const { type } = input;
  const dataTypes = checkDataTypes(input.dataTypes, problems);
  checkDataTypesFit(input, problems);
  const businessId = checkBusinessId(input.businessId, { required: type === 'BUSINESS', type }, problems);
  const keys = checkRecordKeys(input, problems);
  const target = checkTarget(input.target, problems);
  const dryRun = input.dryRun ?? false;
  if (dryRun && target.kind === 'SCRATCH') {
    problems.add('dryRun', 'A scratch schema is new: nothing to compare with.', 'Leave out either dryRun or scratch.');
  }
  const threeWay = checkThreeWay(input, target, problems);
  checkIdempotencyKey(input.idempotencyKey, problems);
  checkWaitFor(input.waitFor, problems);
  problems.throwIfAny();
  const allowUnchecked = input.allowUnchecked ?? false;
  return { type, dataTypes, businessId, keys, target, dryRun, allowUnchecked, threeWay };
}

/** The same for a plan: `validForMs` is null where it was not given. */
export function checkPlanInput(input: PlanRestoreInput): CheckedRestore & { validForMs: number | null } {
  let validForMs: number | null = null;
  const checked = checkRestoreInput(input, (problems) => {
    validForMs = checkValidFor(input.validFor, problems);
  });
  return { ...checked, validForMs };
}

const MIN_VALID_MS = 60_000;
const MAX_VALID_MS = 7 * 24 * 3_600_000;

export function checkValidFor(validFor: Given<string>, problems: InputProblems): number | null {
  if (validFor === null || validFor === undefined) return null;
  const ms = parseDurationMs(validFor);
  if (ms !== null && ms >= MIN_VALID_MS && ms <= MAX_VALID_MS) return ms;
  problems.add('validFor', 'validFor is no ISO 8601 duration from PT1M to P7D.', 'Write it like PT8H.');
  return null;
}

function checkDataTypesFit(
  { type, dataTypes }: Pick<RestoreBackupInput, 'type' | 'dataTypes'>,
  problems: InputProblems,
): void {
  const given = dataTypes !== null && dataTypes !== undefined;
  if (type === 'PARTIAL' && !given) {
    problems.add('dataTypes', 'PARTIAL needs dataTypes.', 'Name the data types to restore, or use FULL.');
  }
  if (type === 'FULL' && given) {
    problems.add('dataTypes', 'FULL takes no dataTypes: it restores all that the backup holds.', 'Use PARTIAL.');
  }
  if (type === 'SYSTEM' && given && dataTypes.some((dataType) => dataType !== 'CONFIG')) {
    problems.add('dataTypes', 'SYSTEM restores CONFIG and nothing else.', 'Leave dataTypes out, or use PARTIAL.');
  }
}

function checkTarget(target: RestoreBackupInput['target'], problems: InputProblems): RestoreTarget {
  const inPlace: RestoreTarget = { kind: 'IN_PLACE' };
  if (target === null || target === undefined) return inPlace;
  const scratch = target.scratch ?? null;
  const wantsInPlace = target.inPlace ?? null;
  if ((scratch === null) === (wantsInPlace === null)) {
    problems.add('target', 'target needs exactly one of inPlace and scratch.', 'Give one, or leave target out.');
  } else if (wantsInPlace === false) {
    problems.add('target.inPlace', 'inPlace can only be true.', 'Give { inPlace: true } or { scratch: "name" }.');
  } else if (scratch !== null && !SCRATCH_NAME.test(scratch)) {
    const message = `${quote(scratch)} can't be the name of a scratch schema.`;
    problems.add('target.scratch', message, 'Use 1 to 60 letters, digits and underscores.');
  }
  return scratch === null ? inPlace : { kind: 'SCRATCH', schema: scratch };
}

type ThreeWayInput = Pick<
  RestoreBackupInput,
  'backupId' | 'type' | 'keys' | 'allowUnchecked' | 'damagedBackupId' | 'conflictPolicy'
>;

function checkThreeWay(input: ThreeWayInput, target: RestoreTarget, problems: InputProblems): ThreeWay | null {
  const damagedBackupId = input.damagedBackupId ?? null;
  const policy = input.conflictPolicy ?? null;
  if (damagedBackupId === null) {
    if (policy !== null)
      problems.add('conflictPolicy', 'Without a damagedBackupId there are no conflicts.', 'Leave it out.');
    return null;
  }
  checkThreeWayFits(input, target, problems);
  return { damagedBackupId, conflictPolicy: policy ?? 'FAIL' };
}

function checkThreeWayFits(input: ThreeWayInput, target: RestoreTarget, problems: InputProblems): void {
  const { type, backupId, damagedBackupId, allowUnchecked, keys } = input;
  if (isGiven(keys)) {
    problems.add('keys', 'Damage is undone of all rows that it hit.', 'Leave keys out, or damagedBackupId.');
  }
  if (damagedBackupId === backupId) {
    problems.add('damagedBackupId', 'Both backups are the same.', 'Give a later backup, from after the damage.');
  }
  if (target.kind === 'SCRATCH') {
    problems.add('target', 'Damage is undone in place.', 'Leave target out, or damagedBackupId.');
  }
  if (allowUnchecked) {
    const message = 'What a backup lost would look like damage.';
    problems.add('allowUnchecked', message, 'Leave it out: both backups must be whole.');
  }
  if (type === 'SYSTEM') {
    problems.add('type', 'SYSTEM takes no damagedBackupId.', 'Use PARTIAL with the data type CONFIG.');
  }
}

/** BACKUP_NOT_RESTORABLE where the backup holds no data to restore; BUSINESS and the like are looked at after it. */
export function checkRestorable(backup: BackupRecord, field = 'backupId'): void {
  const refuse = (message: string, hint: string) => {
    throw new AppError('BACKUP_NOT_RESTORABLE', message, { hint, path: ['input', field] });
  };
  if (backup.missingSince) {
    refuse(
      "The backup's manifest is missing from the repository.",
      'Restore another backup, and check the repository.',
    );
  }
  if (backup.status === 'COMPLETED' || backup.status === 'EXPIRED') return;
  const unfinished = backup.status === 'PENDING' || backup.status === 'RUNNING';
  refuse(
    `The backup is ${backup.status}.`,
    unfinished ? 'Wait until its job has completed.' : 'Restore a backup whose status is COMPLETED.',
  );
}

/** What a restore takes of its backup, in the terms of a job. */
export interface RestoredPart {
  dataTypes: RequestedDataType[];
  /** Absent: all that the type takes. */
  keys?: RecordKey[];
}

/** Throws INVALID_INPUT where the restore asks for what the backup does not hold, or for a schema that is in use. */
export function checkAgainstBackup(restore: CheckedRestore, backup: BackupRecord, source: SourcePort): RestoredPart {
  const problems = new InputProblems();
  checkScope(restore, backup, problems);
  checkContained(restore, backup, problems);
  checkScratchIsOther(restore.target, source, problems);
  const { keys, dataTypes } = restore;
  const located = keys && locateRecordKeys({ keys, dataTypes }, { backup, mapping: source.mapping }, problems);
  problems.throwIfAny();
  return { dataTypes: restoredDataTypes(restore, backup), ...(located && { keys: located }) };
}

/** Throws INVALID_INPUT where what differs between the two backups of a three-way restore can't be told for what is asked. */
export function checkAgainstDamaged(
  restore: CheckedRestore,
  { undamaged, damaged }: Record<'undamaged' | 'damaged', BackupRecord>,
): void {
  const problems = new InputProblems();
  const refuse = (message: string, hint: string): void => problems.add('damagedBackupId', message, hint);
  if (damaged.source !== undamaged.source) {
    refuse(`The damaged backup is one of the source ${quote(damaged.source)}.`, 'Give two backups of one source.');
  }
  if (damaged.readAt && undamaged.readAt && damaged.readAt <= undamaged.readAt) {
    refuse('The damaged backup is no later than the undamaged one.', 'Give the later one as damagedBackupId.');
  }
  if (undamaged.type === 'BUSINESS') {
    problems.add(
      'backupId',
      `The backup holds the business ${quote(undamaged.businessId ?? '')} alone: what the damage took from others would count as new.`,
      'Give an undamaged backup of all businesses, or leave damagedBackupId out.',
    );
  }
  if (damaged.type === 'BUSINESS' && damaged.businessId !== restore.businessId) {
    const held = quote(damaged.businessId ?? '');
    refuse(`The damaged backup holds the business ${held} alone.`, 'Undo its damage with the type BUSINESS, or choose another backup.'); // prettier-ignore
  }
  const lacking = expandDataTypes(restoredDataTypes(restore, undamaged)).filter((dataType) => !damaged.dataTypes.includes(dataType)); // prettier-ignore
  if (lacking.length > 0) {
    refuse(`The damaged backup holds no ${lacking.join(', ')}.`, 'Name what both backups hold, with PARTIAL.');
  }
  problems.throwIfAny();
}

function checkScope({ type, businessId }: CheckedRestore, backup: BackupRecord, problems: InputProblems): void {
  if (backup.type === 'BUSINESS' && type !== 'BUSINESS') {
    const message = `The backup holds the business ${quote(backup.businessId ?? '')} alone, ${type} would need all.`;
    problems.add('type', message, 'Restore it with the type BUSINESS.');
  }
  if (backup.type === 'BUSINESS' && type === 'BUSINESS' && businessId !== backup.businessId) {
    const message = `The backup holds the business ${quote(backup.businessId ?? '')}, not ${quote(businessId ?? '')}.`;
    problems.add('businessId', message, "Give the backup's own businessId, or choose another backup.");
  }
  if (type === 'SYSTEM' && backup.type !== 'SYSTEM' && !backup.dataTypes.includes('CONFIG')) {
    problems.add('type', 'The backup holds no CONFIG.', 'Choose a SYSTEM backup, or one that holds CONFIG.');
  }
}

export function checkContained(
  { dataTypes }: Pick<CheckedRestore, 'dataTypes'>,
  backup: BackupRecord,
  problems: InputProblems,
): void {
  if (!dataTypes || dataTypes.includes('ALL')) return;
  const lacking = expandDataTypes(dataTypes).filter((dataType) => !backup.dataTypes.includes(dataType));
  if (lacking.length === 0) return;
  const message = `The backup holds no ${lacking.join(', ')}.`;
  problems.add('dataTypes', message, `It holds: ${backup.dataTypes.join(', ')}.`);
}

function checkScratchIsOther(target: RestoreTarget, source: SourcePort, problems: InputProblems): void {
  if (target.kind !== 'SCRATCH') return;
  const wanted = target.schema.toLowerCase();
  if (wanted === source.schema.toLowerCase()) {
    problems.add('target.scratch', `${quote(target.schema)} is the source's own schema.`, 'Choose another name.');
  } else if (SERVER_SCHEMAS.has(wanted)) {
    problems.add('target.scratch', `${quote(target.schema)} belongs to the database server.`, 'Choose another name.');
  }
}

/** The data types that the job restores: given, or what the type takes of the backup. */
function restoredDataTypes(restore: CheckedRestore, backup: BackupRecord): RequestedDataType[] {
  if (restore.type === 'SYSTEM') return ['CONFIG'];
  if (restore.dataTypes && !restore.dataTypes.includes('ALL')) return restore.dataTypes;
  return [...backup.dataTypes];
}
