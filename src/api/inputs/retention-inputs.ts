/** What a preview of retention is asked with. */
import { ArgsType, Field, InputType, Int } from 'type-graphql';
import { DurationScalar, TimeZoneScalar } from '../scalars';
import { BackupFilter } from './list-inputs';

@InputType({
  description:
    'What to keep, at least one rule; a backup goes when no rule keeps it. Judged apart for each source, business and set of data types; ' +
    'the newest of each always stays. keepHourly to keepYearly keep the newest backup of each of the newest so many hours, days, ISO ' +
    'weeks, months, years that have one, and the oldest backup where there are fewer.',
})
export class RetentionPolicyInput {
  @Field(() => Int, { nullable: true, description: 'All that are younger than so many days, 1 to 36500.' })
  readonly days?: number | null;

  @Field(() => Int, { nullable: true, description: 'The newest so many.' })
  readonly keepLast?: number | null;

  @Field(() => Int, { nullable: true })
  readonly keepHourly?: number | null;

  @Field(() => Int, { nullable: true })
  readonly keepDaily?: number | null;

  @Field(() => Int, { nullable: true })
  readonly keepWeekly?: number | null;

  @Field(() => Int, { nullable: true })
  readonly keepMonthly?: number | null;

  @Field(() => Int, { nullable: true })
  readonly keepYearly?: number | null;

  @Field(() => DurationScalar, {
    nullable: true,
    description:
      'All within this time before the newest one (not before now: nothing goes only because no backups are made).',
  })
  readonly keepWithin?: string | null;
}

@ArgsType()
export class PreviewRetentionArgs {
  @Field(() => RetentionPolicyInput)
  readonly policy!: RetentionPolicyInput;

  @Field(() => BackupFilter, { nullable: true, description: 'The backups to judge; all by default.' })
  readonly filter?: BackupFilter | null;

  @Field(() => TimeZoneScalar, { nullable: true, defaultValue: 'UTC', description: 'In which hours to years begin.' })
  readonly timeZone?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description:
      'Let the rules alone decide. By default a backup stays until its own expiresAt, and one that is past it goes and counts for no rule.',
  })
  readonly ignoreExpiry?: boolean | null;
}
