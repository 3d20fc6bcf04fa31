/** Inputs of mutations. Their shape is checked by GraphQL, their sense by the services. */
import { Field, ID, InputType, Int } from 'type-graphql';
import type { BackupType, RestoreType, VerificationLevel } from '../../domain/backup';
import type { RequestedDataType } from '../../domain/data-type';
import type { ExportCompression, ExportFormat } from '../../domain/export';
import type { ConflictPolicy } from '../../domain/three-way';
import {
  BackupTypeEnum, ConflictPolicyEnum, DataTypeEnum, ExportCompressionEnum, ExportFormatEnum, RestoreTypeEnum, VerificationLevelEnum,
} from '../enums'; // prettier-ignore
import { DurationScalar, JsonScalar } from '../scalars';

const KEY = 'The same key and input return the same job; the same key with another input is IDEMPOTENCY_KEY_REUSED.';
const DEED_KEY = 'The same key and input do it once; the same key with another input is IDEMPOTENCY_KEY_REUSED.';
const WAIT = 'Hold the answer until the job has ended, at most PT60S; when it runs out, the running job is the answer.';
const BACKUP_ID = 'The id of a Backup.';

/** What every input shares that makes a job. No type of the schema itself. */
@InputType()
abstract class JobInput {
  @Field(() => String, { nullable: true, description: KEY })
  readonly idempotencyKey?: string | null;

  @Field(() => DurationScalar, { nullable: true, description: WAIT })
  readonly waitFor?: string | null;
}

@InputType()
export class CreateBackupInput extends JobInput {
  @Field(() => BackupTypeEnum)
  readonly type!: BackupType;

  @Field(() => [DataTypeEnum], { nullable: true, description: 'Default: ALL, and CONFIG for SYSTEM.' })
  readonly dataTypes?: RequestedDataType[] | null;

  @Field(() => ID, {
    nullable: true,
    description: "The platform's own id; required for BUSINESS, refused for the rest.",
  })
  readonly businessId?: string | null;

  @Field(() => String, { nullable: true, defaultValue: 'default' })
  readonly source?: string | null;

  @Field(() => Int, { nullable: true, description: '1 to 36500; default from the settings.' })
  readonly retentionDays?: number | null;

  @Field(() => JsonScalar, { nullable: true, description: 'Flat strings, kept with the backup.' })
  readonly labels?: unknown;
}

@InputType()
export class DeleteBackupInput extends JobInput {
  @Field(() => ID, { description: BACKUP_ID })
  readonly backupId!: string;
}

@InputType()
export class CompactBackupInput extends JobInput {
  @Field(() => ID, { description: BACKUP_ID })
  readonly backupId!: string;
}

@InputType()
export class CleanupExpiredBackupsInput extends JobInput {
  @Field(() => Boolean, { nullable: true, defaultValue: false, description: 'Only list what has expired.' })
  readonly dryRun?: boolean | null;
}

@InputType()
export class PlaceLegalHoldInput {
  @Field(() => ID, { description: BACKUP_ID })
  readonly backupId!: string;

  @Field(() => String, { description: 'Why it must be kept, 1 to 1,000 characters; stored in the repository.' })
  readonly reason!: string;

  @Field(() => String, { nullable: true, description: DEED_KEY })
  readonly idempotencyKey?: string | null;
}

@InputType()
export class ReleaseLegalHoldInput {
  @Field(() => ID, { description: BACKUP_ID })
  readonly backupId!: string;

  @Field(() => ID, {
    nullable: true,
    description: 'The id of a LegalHold; may be left out where the backup has just one.',
  })
  readonly holdId?: string | null;

  @Field(() => String, { nullable: true, description: DEED_KEY })
  readonly idempotencyKey?: string | null;
}

@InputType()
export class VerifyBackupInput extends JobInput {
  @Field(() => ID, { description: BACKUP_ID })
  readonly backupId!: string;

  @Field(() => VerificationLevelEnum, {
    nullable: true,
    defaultValue: 'DATA',
    description: 'RESTORE does what rehearseRestore does.',
  })
  readonly level?: VerificationLevel | null;
}

@InputType()
export class RehearseRestoreInput extends JobInput {
  @Field(() => ID, { description: BACKUP_ID })
  readonly backupId!: string;
}

@InputType({ description: 'Where a restore writes: exactly one of these.' })
export class RestoreTargetInput {
  @Field(() => Boolean, { nullable: true, description: "Into the source's own tables." })
  readonly inPlace?: boolean | null;

  @Field(() => String, { nullable: true, description: 'Into a new schema of this name.' })
  readonly scratch?: string | null;
}

@InputType({ description: 'One record, as `Backup.records` shows it.' })
export class RecordKeyInput {
  @Field(() => DataTypeEnum)
  readonly dataType!: RequestedDataType;

  @Field(() => String, { nullable: true, description: 'Required where the data type has several.' })
  readonly table?: string | null;

  @Field(() => JsonScalar, {
    description:
      'The fields that identify it, by column, as Record.key shows them; or the value alone where there is one.',
  })
  readonly key!: unknown;
}

/** What is to be restored. No type of the schema itself. */
@InputType()
abstract class RestoreInput extends JobInput {
  @Field(() => ID, { description: BACKUP_ID })
  readonly backupId!: string;

  @Field(() => RestoreTypeEnum)
  readonly type!: RestoreType;

  @Field(() => [DataTypeEnum], { nullable: true, description: 'Required for PARTIAL.' })
  readonly dataTypes?: RequestedDataType[] | null;

  @Field(() => ID, {
    nullable: true,
    description: "The platform's own id; required for BUSINESS, refused for the rest.",
  })
  readonly businessId?: string | null;

  @Field(() => [RecordKeyInput], {
    nullable: true,
    description:
      'Of what the type takes these records alone, at most 1,000, and the rows that they refer to where these are missing; the same one ' +
      'twice is one. A record that the backup does not hold is NOT_FOUND, and nothing is restored.',
  })
  readonly keys?: RecordKeyInput[] | null;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description:
      'A backup whose integrity check fails is refused unless this is set. Then what is left is restored, without rows that refer to lost ' +
      'ones; the notes say how many.',
  })
  readonly allowUnchecked?: boolean | null;

  @Field(() => ID, {
    nullable: true,
    description:
      'The id of a later Backup of the same source, taken after the damage. What differs between the two is the damage, and is undone; what the ' +
      'source has beyond the later one was changed since, and stays. In place alone.',
  })
  readonly damagedBackupId?: string | null;

  @Field(() => ConflictPolicyEnum, {
    nullable: true,
    description: 'With damagedBackupId: for fields that were damaged and changed later too. Default: FAIL.',
  })
  readonly conflictPolicy?: ConflictPolicy | null;
}

@InputType()
export class RestoreBackupInput extends RestoreInput {
  @Field(() => RestoreTargetInput, { nullable: true, description: 'Default: in place.' })
  readonly target?: RestoreTargetInput | null;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description:
      'Change nothing: keep what would be changed as a plan, which `applyRestorePlan` can apply for 24 hours.',
  })
  readonly dryRun?: boolean | null;
}

@InputType()
export class PlanRestoreInput extends RestoreInput {
  @Field(() => DurationScalar, {
    nullable: true,
    description: 'How long it may be applied, PT1M to P7D; default PT24H.',
  })
  readonly validFor?: string | null;
}

@InputType()
export class ApplyRestorePlanInput extends JobInput {
  @Field(() => ID, { description: 'The id of a RestorePlan.' })
  readonly planId!: string;

  @Field(() => String, { description: 'Of that plan, as it was looked at.' })
  readonly planHash!: string;
}

@InputType()
export class UndoRestoreInput extends JobInput {
  @Field(() => ID, { description: 'The id of a Restore; of an undo too.' })
  readonly restoreId!: string;
}

@InputType()
export class CompareBackupsInput extends JobInput {
  @Field(() => ID, { description: BACKUP_ID })
  readonly baseId!: string;

  @Field(() => ID, { nullable: true, description: 'The id of another Backup; none for the live source of the base.' })
  readonly targetId?: string | null;

  @Field(() => [DataTypeEnum], { nullable: true, description: 'Default: all that both have.' })
  readonly dataTypes?: RequestedDataType[] | null;

  @Field(() => ID, {
    nullable: true,
    description: "Only rows that belong to this business, on the one side or the other; the platform's own id.",
  })
  readonly businessId?: string | null;
}

@InputType()
export class ExportBackupInput extends JobInput {
  @Field(() => ID, { description: BACKUP_ID })
  readonly backupId!: string;

  @Field(() => ExportFormatEnum)
  readonly format!: ExportFormat;

  @Field(() => ExportCompressionEnum, { nullable: true, defaultValue: 'NONE' })
  readonly compression?: ExportCompression | null;

  @Field(() => [DataTypeEnum], { nullable: true, description: 'Default: all that the backup holds.' })
  readonly dataTypes?: RequestedDataType[] | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only this one of their tables. Required for CSV and with a filter, where there are several.',
  })
  readonly table?: string | null;

  @Field(() => ID, {
    nullable: true,
    description: "Only rows of this business, by the platform's own id, and those of other tables that they refer to.",
  })
  readonly businessId?: string | null;

  @Field(() => JsonScalar, { nullable: true, description: 'As that of Backup.records, of the one table.' })
  readonly filter?: unknown;

  @Field(() => DurationScalar, {
    nullable: true,
    description: 'How long downloads may be begun once the job has completed, PT1M to P7D; default PT1H.',
  })
  readonly validFor?: string | null;
}

@InputType()
export class CancelJobInput {
  @Field(() => ID, { description: 'The id of a Job.' })
  readonly jobId!: string;
}
