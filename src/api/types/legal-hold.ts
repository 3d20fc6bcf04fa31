/** Legal holds as the API shows them. */
import { Field, ID, ObjectType } from 'type-graphql';
import type { LegalHoldRecord } from '../../catalog/catalog';
import { toGlobalId } from '../global-id';
import { DateTimeScalar } from '../scalars';
import { Node } from './node';

@ObjectType('LegalHold', {
  implements: Node,
  description:
    'While one is in force nothing deletes or expires the backup. A backup may have several, each released by itself.',
})
export class LegalHoldView {
  constructor(readonly record: LegalHoldRecord) {}

  @Field(() => ID)
  get id(): string {
    return toGlobalId('LegalHold', this.record.id);
  }

  @Field(() => String, { nullable: true, description: 'None where its record is damaged; it holds all the same.' })
  get reason(): string | null {
    return this.record.reason;
  }

  @Field(() => DateTimeScalar)
  get createdAt(): Date {
    return this.record.createdAt;
  }

  @Field(() => String, { nullable: true, description: 'None where its record is damaged.' })
  get createdBy(): string | null {
    return this.record.createdBy;
  }
}

export function toLegalHoldView(record: LegalHoldRecord): LegalHoldView {
  return new LegalHoldView(record);
}
