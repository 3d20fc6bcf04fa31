/** The domain's closed sets as GraphQL enums. Importing this file registers them. */
import { registerEnumType } from 'type-graphql';
import type {
  BackupOrderField as CatalogBackupOrderField,
  JobOrderField as CatalogJobOrderField,
} from '../catalog/catalog';
import { BACKUP_STATUSES, BACKUP_TYPES, CHANGE_DETECTIONS, RESTORE_TYPES, VERIFICATION_LEVELS } from '../domain/backup';
import { ROW_CHANGE_KINDS } from '../domain/change-set';
import { CONFLICT_KINDS } from '../domain/restore-conflict';
import { DATA_TYPES } from '../domain/data-type';
import { EXPORT_COMPRESSIONS, EXPORT_FORMATS } from '../domain/export';
import { INTERNAL_ERROR_CODES, PUBLIC_ERROR_CODES } from '../domain/errors';
import { JOB_EVENT_TYPES, JOB_KINDS, JOB_STATES } from '../domain/job';
import { FINDING_PROBLEMS } from '../domain/rehearsal';
import { CONFLICT_POLICIES } from '../domain/three-way';

type EnumObject<Value extends string> = { readonly [Name in Value]: Name };

function enumOf<Value extends string>(name: string, values: readonly Value[], description: string): EnumObject<Value> {
  const object = Object.fromEntries(values.map((value) => [value, value])) as EnumObject<Value>;
  registerEnumType(object, { name, description });
  return object;
}

export const BackupTypeEnum = enumOf(
  'BackupType',
  BACKUP_TYPES,
  'What a backup takes: all, what changed, one business, settings.',
);
export const DataTypeEnum = enumOf(
  'DataType',
  ['ALL', ...DATA_TYPES],
  'Words for the risk tables; ALL is their union.',
);
export const BackupStatusEnum = enumOf(
  'BackupStatus',
  BACKUP_STATUSES,
  'EXPIRED: complete, and past its expiresAt; it goes with the next cleanup, unless a legal hold keeps it.',
);
export const JobKindEnum = enumOf('JobKind', JOB_KINDS, 'What a job does.');
export const JobStateEnum = enumOf('JobState', JOB_STATES, 'Where a job stands; the last three are final.');
export const JobEventTypeEnum = enumOf('JobEventType', JOB_EVENT_TYPES, 'What happened to a job.');
export const RestoreTypeEnum = enumOf('RestoreType', RESTORE_TYPES, 'What a restore brings back.');
export const ChangeDetectionEnum = enumOf('ChangeDetection', CHANGE_DETECTIONS, "How a table's changes were found.");
export const VerificationLevelEnum = enumOf(
  'VerificationLevel',
  VERIFICATION_LEVELS,
  'STRUCTURE: all objects are there. DATA: every byte is read and hashed. RESTORE: restored and compared.',
);
export const ConflictPolicyEnum = enumOf(
  'ConflictPolicy',
  CONFLICT_POLICIES,
  'What becomes of a field that was damaged and changed later too. KEEP_LIVE: it stays as it is. TAKE_BACKUP: it becomes what the undamaged ' +
    'backup has. FAIL: nothing at all is changed.',
);
export const RestoreConflictKindEnum = enumOf(
  'RestoreConflictKind',
  CONFLICT_KINDS,
  'What happened later to a row that was damaged. EDITED: fields that were damaged were changed. DELETED: the row was deleted. RECREATED: the ' +
    'damage had deleted it, and it was made anew. ADDED: the damage had added it, and it was changed.',
);
export const ErrorCodeEnum = enumOf('ErrorCode', PUBLIC_ERROR_CODES, 'What went wrong, for programs.');
export const FailureCodeEnum = enumOf(
  'FailureCode',
  [...PUBLIC_ERROR_CODES, ...INTERNAL_ERROR_CODES],
  'Why a job failed: the codes of ErrorCode, and those of how the service itself failed.',
);
export const RestoreModeEnum = enumOf(
  'RestoreMode',
  ['BULK', 'IN_PLACE', 'DRY_RUN'],
  'BULK: whole tables were loaded. IN_PLACE: differences were applied. DRY_RUN: differences were counted.',
);
export const RowChangeKindEnum = enumOf(
  'RowChangeKind',
  ROW_CHANGE_KINDS,
  'How a row differs between the base and the target of a comparison.',
);
export const TableStateEnum = enumOf(
  'TableState',
  ['MISSING', 'EMPTY', 'FILLED'],
  'MISSING: there is no such table. EMPTY: it has no rows.',
);
export const DamageProblemEnum = enumOf(
  'DamageProblem',
  FINDING_PROBLEMS,
  'What is wrong: the first four of a stored object, the others of what a rehearsal restored. NOT_RESTORED: the restore failed, or gave ' +
    'other rows. BROKEN_REFERENCE: rows refer to rows that are not there. BROKEN_INVARIANT: a query that must give no row gave some. ' +
    'UNCHECKED_INVARIANT: it could not be asked.',
);
export const SourceKindEnum = enumOf(
  'SourceKind',
  ['mysql', 'mariadb', 'sqlite'].map(upper),
  'What kind of database a source is.',
);
export const MappingProblemKindEnum = enumOf(
  'MappingProblemKind',
  ['NO_SUCH_TABLE', 'NO_KEY', 'NO_SUCH_COLUMN', 'NULL_IN_KEY', 'NOT_TRANSACTIONAL', 'NOT_A_TABLE', 'UNSUPPORTED'],
  'Why a mapped table cannot be backed up.',
);
export const ExportFormatEnum = enumOf(
  'ExportFormat',
  EXPORT_FORMATS,
  "SQL: a script for the source's kind of database. CSV: one table. NDJSON: a JSON object a line for each row.",
);
export const ExportCompressionEnum = enumOf('ExportCompression', EXPORT_COMPRESSIONS, 'How the file is compressed.');
export const ViewerRoleEnum = enumOf('ViewerRole', ['OPERATOR'], 'What somebody may do. OPERATOR: everything.');
export const OrderDirectionEnum = enumOf('OrderDirection', ['ASC', 'DESC'], 'Ascending or descending.');
export type OrderDirection = keyof typeof OrderDirectionEnum;

const BACKUP_ORDER_FIELDS = [
  'CREATED_AT', 'COMPLETED_AT', 'EXPIRES_AT', 'STORED_BYTES', 'RAW_BYTES', 'ROW_COUNT',
] as const satisfies readonly CatalogBackupOrderField[]; // prettier-ignore
export const BackupOrderFieldEnum = enumOf('BackupOrderField', BACKUP_ORDER_FIELDS, 'What backups are sorted by.');

const JOB_ORDER_FIELDS = ['CREATED_AT', 'FINISHED_AT'] as const satisfies readonly CatalogJobOrderField[];
export const JobOrderFieldEnum = enumOf('JobOrderField', JOB_ORDER_FIELDS, 'What jobs are sorted by.');

function upper(text: string): string {
  return text.toUpperCase();
}
