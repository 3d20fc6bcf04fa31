/** What mutations answer: the things they touched, and `errors`. */
import { Field, ID, ObjectType } from 'type-graphql';
import { BackupView } from './backup';
import { BackupComparisonView } from './comparison';
import { ExportView } from './export';
import { JobView } from './job';
import { LegalHoldView } from './legal-hold';
import { RestoreView } from './restore';
import { RestorePlanView } from './restore-plan';
import { UserError } from './user-error';

/** What all share. No type of the schema itself. */
@ObjectType()
abstract class Payload {
  @Field(() => [UserError])
  readonly errors!: UserError[];
}

/** Of mutations that always make or touch a job, unless they are refused. */
@ObjectType()
abstract class JobPayload extends Payload {
  @Field(() => JobView, { nullable: true })
  readonly job?: JobView | null;
}

@ObjectType()
export class CreateBackupPayload extends JobPayload {
  @Field(() => BackupView, { nullable: true })
  readonly backup?: BackupView | null;
}

@ObjectType()
export class DeleteBackupPayload extends Payload {
  @Field(() => JobView, {
    nullable: true,
    description: 'None where the backup had nothing stored and is gone already.',
  })
  readonly job?: JobView | null;

  @Field(() => ID, { nullable: true, description: 'Set once the backup is gone.' })
  readonly deletedBackupId?: string | null;
}

@ObjectType()
export class CleanupExpiredBackupsPayload extends Payload {
  @Field(() => JobView, { nullable: true, description: 'None for a dry run.' })
  readonly job?: JobView | null;

  @Field(() => [ID], {
    nullable: true,
    description: 'What had expired when it was asked and no legal hold keeps; at most 1,000.',
  })
  readonly expiredBackupIds?: string[] | null;
}

@ObjectType()
export class PlaceLegalHoldPayload extends Payload {
  @Field(() => BackupView, { nullable: true })
  readonly backup?: BackupView | null;

  @Field(() => LegalHoldView, {
    nullable: true,
    description: 'None where a repeated call finds it released since.',
  })
  readonly legalHold?: LegalHoldView | null;
}

@ObjectType()
export class ReleaseLegalHoldPayload extends Payload {
  @Field(() => BackupView, { nullable: true })
  readonly backup?: BackupView | null;

  @Field(() => LegalHoldView, {
    nullable: true,
    description: 'What still keeps the backup: the oldest hold in force; none where the last one was released.',
  })
  readonly legalHold?: LegalHoldView | null;
}

@ObjectType()
export class VerifyBackupPayload extends JobPayload {
  @Field(() => BackupView, { nullable: true })
  readonly backup?: BackupView | null;
}

@ObjectType()
export class RehearseRestorePayload extends JobPayload {
  @Field(() => BackupView, { nullable: true })
  readonly backup?: BackupView | null;
}

@ObjectType()
export class CompactBackupPayload extends JobPayload {
  @Field(() => BackupView, { nullable: true })
  readonly backup?: BackupView | null;
}

@ObjectType()
export class RestorePayload extends JobPayload {
  @Field(() => RestoreView, { nullable: true })
  readonly restore?: RestoreView | null;

  @Field(() => RestorePlanView, {
    nullable: true,
    description: 'The plan that it applies; of a dry run the one that it kept, once its job has completed.',
  })
  readonly plan?: RestorePlanView | null;
}

@ObjectType()
export class PlanRestorePayload extends JobPayload {
  @Field(() => RestorePlanView, { nullable: true, description: 'Once the job has completed.' })
  readonly plan?: RestorePlanView | null;
}

@ObjectType()
export class CompareBackupsPayload extends JobPayload {
  @Field(() => BackupComparisonView, { nullable: true, description: 'Once the job has completed.' })
  readonly comparison?: BackupComparisonView | null;
}

@ObjectType()
export class ExportBackupPayload extends JobPayload {
  @Field(() => ExportView, { nullable: true, description: 'Once the job has completed.' })
  readonly export?: ExportView | null;
}

@ObjectType()
export class CancelJobPayload extends JobPayload {}
