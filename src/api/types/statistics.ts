/** Sums over backups and jobs. */
import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import type { BackupType } from '../../domain/backup';
import type { RequestedDataType } from '../../domain/data-type';
import type { JobKind } from '../../domain/job';
import { BackupTypeEnum, DataTypeEnum, JobKindEnum } from '../enums';
import { BigIntScalar, DateTimeScalar, DurationScalar } from '../scalars';

@ObjectType()
export class BackupTypeCount {
  @Field(() => BackupTypeEnum)
  readonly type!: BackupType;

  @Field(() => Int)
  readonly count!: number;

  @Field(() => BigIntScalar)
  readonly storedBytes!: number;
}

@ObjectType()
export class DataTypeCount {
  @Field(() => DataTypeEnum)
  readonly dataType!: RequestedDataType;

  @Field(() => Int)
  readonly count!: number;
}

@ObjectType()
export class BusinessCount {
  @Field(() => ID, { description: "The platform's own id." })
  readonly businessId!: string;

  @Field(() => Int)
  readonly count!: number;

  @Field(() => BigIntScalar)
  readonly storedBytes!: number;
}

@ObjectType({
  description:
    'How old the newest restorable backup is that holds all rows of a data type. Backups of one business do not count: they leave ' +
    "the others' rows as old as they were.",
})
export class Freshness {
  @Field(() => DataTypeEnum)
  readonly dataType!: RequestedDataType;

  @Field(() => DateTimeScalar, { nullable: true, description: 'The moment that backup shows; none: there is none.' })
  readonly newestReadAt!: Date | null;

  @Field(() => DurationScalar, { nullable: true })
  readonly age!: number | null;
}

@ObjectType({ description: 'Finished backups created within one span of time.' })
export class StatisticsBucket {
  @Field(() => DateTimeScalar)
  readonly from!: Date;

  @Field(() => Int)
  readonly completed!: number;

  @Field(() => Int)
  readonly failed!: number;

  @Field(() => Int)
  readonly cancelled!: number;

  @Field(() => BigIntScalar)
  readonly rowCount!: number;

  @Field(() => BigIntScalar)
  readonly rawBytes!: number;

  @Field(() => BigIntScalar)
  readonly storedBytes!: number;

  @Field(() => DurationScalar, { nullable: true })
  readonly averageDuration!: number | null;
}

/** What statistics of jobs and of what jobs make share. No type of the schema itself. */
@ObjectType()
abstract class WorkCounts {
  @Field(() => Int)
  readonly total!: number;

  @Field(() => Int)
  readonly pending!: number;

  @Field(() => Int)
  readonly running!: number;

  @Field(() => Int)
  readonly failed!: number;

  @Field(() => Int)
  readonly cancelled!: number;

  @Field(() => DurationScalar, { nullable: true })
  readonly averageDuration!: number | null;
}

/** `reachedAt`, `freeBytes` and `fullAt` are resolved apart, only when asked for. */
@ObjectType({
  description:
    'How fast backups grow: a line fitted by least squares to the sum of the bytes newly stored by completed backups, hour by hour over ' +
    'the last 30 days. What deleting frees is not in it.',
})
export class StorageForecast {
  @Field(() => BigIntScalar, { description: 'Newly stored a day.' })
  readonly bytesPerDay!: number;

  @Field(() => DateTimeScalar, { description: 'The first hour that it was fitted to.' })
  readonly from!: Date;

  @Field(() => DateTimeScalar, { description: 'The last one.' })
  readonly to!: Date;
}

/** `byBusiness`, `series` and `forecast` are resolved apart, only when asked for. */
@ObjectType({ description: 'Sums over the backups that the filter lets through.' })
export class BackupStatistics extends WorkCounts {
  @Field(() => Int, { description: 'Complete and not expired.' })
  readonly completed!: number;

  @Field(() => Int)
  readonly expired!: number;

  @Field(() => Int, { description: 'Kept by a legal hold, expired or not.' })
  readonly onHold!: number;

  @Field(() => Int, { description: 'Those whose manifest the repository lacks.' })
  readonly missing!: number;

  @Field(() => BigIntScalar, { description: 'Over completed and expired ones, like all sums.' })
  readonly rawBytes!: number;

  @Field(() => BigIntScalar, {
    description:
      'Bytes of packs that these backups newly stored when they were taken. What they share with a backup that was deleted since is ' +
      'still stored but counts for none, and what only a deleted one needs is still there until it is collected: repository.packBytes ' +
      'is what is stored now.',
  })
  readonly storedBytes!: number;

  @Field(() => BigIntScalar)
  readonly rowCount!: number;

  @Field(() => Float, {
    description:
      'rawBytes over storedBytes, so both what was stored only once and what compression saved, as the backups were taken; 1 before ' +
      'there is anything. Too high once backups were deleted that these share with: rawBytes of all over repository.packBytes is what ' +
      'the repository saves now.',
  })
  readonly storageRatio!: number;

  @Field(() => Float, {
    description:
      'Bytes of all these states over the bytes of rows that were newly stored for them, or over those of the largest state where ' +
      'that is more (what a deleted backup stored for it counts for none), both uncompressed; 1 before there is anything. Backups ' +
      'that do not say what they newly stored are left out.',
  })
  readonly deduplicationRatio!: number;

  @Field(() => Float, {
    description:
      'Bytes of rows that were newly stored, uncompressed, over the bytes stored for them; 1 where there were none. Less than 1 ' +
      'where what belongs to packs costs more than compression saved.',
  })
  readonly compressionRatio!: number;

  @Field(() => [BackupTypeCount])
  readonly byType!: BackupTypeCount[];

  @Field(() => [DataTypeCount])
  readonly byDataType!: DataTypeCount[];

  @Field(() => Float, { nullable: true, description: 'Completed over completed and failed; none before the first.' })
  readonly successRate!: number | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Creation of the oldest restorable backup.' })
  readonly oldest!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true })
  readonly newest!: Date | null;

  @Field(() => [Freshness])
  readonly freshness!: Freshness[];
}

@ObjectType()
export class JobKindCount {
  @Field(() => JobKindEnum)
  readonly kind!: JobKind;

  @Field(() => Int)
  readonly count!: number;
}

@ObjectType({ description: 'Sums over all jobs.' })
export class JobStatistics extends WorkCounts {
  @Field(() => Int)
  readonly completed!: number;

  @Field(() => [JobKindCount])
  readonly byKind!: JobKindCount[];

  @Field(() => DateTimeScalar, { nullable: true, description: 'Since when the oldest job that is due has waited.' })
  readonly oldestPendingAt!: Date | null;
}
