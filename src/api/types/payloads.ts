/** What mutations answer: the things they touched, and `errors`. */
import { Field, ID, ObjectType } from 'type-graphql';
import { BackupView } from './backup';
import { JobView } from './job';
import { RestoreView } from './restore';
import { UserError } from './user-error';

@ObjectType()
export class CreateBackupPayload {
  @Field(() => JobView, { nullable: true })
  readonly job?: JobView | null;

  @Field(() => BackupView, { nullable: true })
  readonly backup?: BackupView | null;

  @Field(() => [UserError])
  readonly errors!: UserError[];
}

@ObjectType()
export class DeleteBackupPayload {
  @Field(() => JobView, {
    nullable: true,
    description: 'None where the backup had nothing stored and is gone already.',
  })
  readonly job?: JobView | null;

  @Field(() => ID, { nullable: true, description: 'Set once the backup is gone.' })
  readonly deletedBackupId?: string | null;

  @Field(() => [UserError])
  readonly errors!: UserError[];
}

@ObjectType()
export class CleanupExpiredBackupsPayload {
  @Field(() => JobView, { nullable: true, description: 'None for a dry run.' })
  readonly job?: JobView | null;

  @Field(() => [ID], { nullable: true, description: 'What had expired when it was asked; at most 1,000.' })
  readonly expiredBackupIds?: string[] | null;

  @Field(() => [UserError])
  readonly errors!: UserError[];
}

@ObjectType()
export class VerifyBackupPayload {
  @Field(() => JobView, { nullable: true })
  readonly job?: JobView | null;

  @Field(() => BackupView, { nullable: true })
  readonly backup?: BackupView | null;

  @Field(() => [UserError])
  readonly errors!: UserError[];
}

@ObjectType()
export class RestorePayload {
  @Field(() => JobView, { nullable: true })
  readonly job?: JobView | null;

  @Field(() => RestoreView, { nullable: true })
  readonly restore?: RestoreView | null;

  @Field(() => [UserError])
  readonly errors!: UserError[];
}

@ObjectType()
export class CancelJobPayload {
  @Field(() => JobView, { nullable: true })
  readonly job?: JobView | null;

  @Field(() => [UserError])
  readonly errors!: UserError[];
}
