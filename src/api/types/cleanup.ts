/** What a cleanup did, as the API shows it. */
import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { CleanupResult } from '../../domain/task';
import { toGlobalId } from '../global-id';
import { BigIntScalar } from '../scalars';

@ObjectType({ description: 'A backup that a cleanup left in place.' })
export class KeptBackup {
  @Field(() => ID)
  readonly backupId!: string;

  @Field(() => String, { description: 'Why it stayed.' })
  readonly reason!: string;
}

@ObjectType('CleanupOutcome', { description: 'What a cleanup deleted and what it kept.' })
export class CleanupOutcomeView {
  constructor(private readonly result: CleanupResult) {}

  @Field(() => [ID], { description: 'Backups that are gone: their ids lead nowhere any more.' })
  get deletedBackupIds(): string[] {
    return this.result.deletedBackupIds.map((id) => toGlobalId('Backup', id));
  }

  @Field(() => [KeptBackup])
  get kept(): KeptBackup[] {
    return this.result.kept.map(({ backupId, reason }) => ({ backupId: toGlobalId('Backup', backupId), reason }));
  }

  @Field(() => BigIntScalar, {
    description:
      'Bytes given back now; what only this backup used may follow with a later cleanup, after its grace period.',
  })
  get freedBytes(): number {
    return this.result.freedBytes;
  }

  @Field(() => Int, {
    description:
      'Packs, mostly dead or small, whose needed parts were copied together; their own bytes are given back by a later cleanup.',
  })
  get rewrittenPacks(): number {
    return this.result.rewrittenPacks ?? 0; // jobs of older programs did not count them
  }

  @Field(() => BigIntScalar, { description: 'Bytes written for that.' })
  get rewrittenBytes(): number {
    return this.result.rewrittenBytes ?? 0;
  }
}
