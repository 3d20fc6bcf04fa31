/** Plans of restores as the API shows them. */
import { Field, ID, ObjectType } from 'type-graphql';
import type { RestorePlanRecord } from '../../catalog/catalog';
import type { RestoreType } from '../../domain/backup';
import type { RequestedDataType } from '../../domain/data-type';
import type { TableState } from '../../domain/source';
import type { PlannedTable } from '../../domain/task';
import type { ConflictPolicy } from '../../domain/three-way';
import type { FieldChange, JsonRow, JsonValue } from '../../domain/values';
import { ConflictPolicyEnum, DataTypeEnum, RestoreTypeEnum, TableStateEnum } from '../enums';
import { toGlobalId } from '../global-id';
import { BigIntScalar, DateTimeScalar, DurationScalar, JsonScalar } from '../scalars';
import { Node } from './node';
import { RecordKeyView, toRecordKeyViews } from './restore';

@ObjectType('FieldChange', {
  description: 'A field that differs between two rows of the same key; values as in records.',
})
export class FieldChangeView {
  @Field(() => String)
  readonly name!: string;

  @Field(() => JsonScalar, { nullable: true })
  readonly before!: JsonValue;

  @Field(() => JsonScalar, { nullable: true })
  readonly after!: JsonValue;
}

@ObjectType({ description: 'One row that would be changed: its key, and the fields that change.' })
export class RowUpdateSample {
  @Field(() => JsonScalar)
  readonly key!: JsonRow;

  @Field(() => [FieldChangeView])
  readonly fields!: FieldChange[];
}

@ObjectType({ description: 'At most five rows of each, as values by column name; very large rows are left out.' })
export class RestorePlanSamples {
  @Field(() => [JsonScalar])
  readonly inserts!: JsonRow[];

  @Field(() => [RowUpdateSample])
  readonly updates!: RowUpdateSample[];

  @Field(() => [JsonScalar])
  readonly deletes!: JsonRow[];
}

@ObjectType('RestorePlanTable', { description: 'What a plan would do to one table.' })
export class RestorePlanTableView {
  constructor(private readonly table: PlannedTable) {}

  @Field(() => DataTypeEnum)
  get dataType(): RequestedDataType {
    return this.table.dataType;
  }

  @Field(() => String)
  get name(): string {
    return this.table.table;
  }

  @Field(() => TableStateEnum, { description: 'What the table was when the plan was made.' })
  get before(): TableState {
    return this.table.before;
  }

  @Field(() => BigIntScalar, { description: 'Exact, like the counts below.' })
  get inserts(): number {
    return this.table.inserts;
  }

  @Field(() => BigIntScalar)
  get updates(): number {
    return this.table.updates;
  }

  @Field(() => BigIntScalar)
  get deletes(): number {
    return this.table.deletes;
  }

  @Field(() => BigIntScalar, { description: 'Rows that are as they should be.' })
  get unchanged(): number {
    return this.table.unchanged;
  }

  @Field(() => RestorePlanSamples)
  get samples(): RestorePlanSamples {
    return this.table.samples;
  }

  @Field(() => BigIntScalar, { description: 'Rows of which fields were damaged and changed later too.' })
  get conflictingRows(): number {
    return this.table.conflicts?.rows ?? 0;
  }

  @Field(() => BigIntScalar, { description: 'Their fields that were.' })
  get conflictingFields(): number {
    return this.table.conflicts?.fields ?? 0;
  }

  @Field(() => [String], { description: 'What to know before it is applied, such as triggers that will run.' })
  get warnings(): string[] {
    return this.table.warnings;
  }
}

@ObjectType('RestorePlan', {
  implements: Node,
  description: 'What a restore would change, row by row: looked at first, then applied exactly, or not at all.',
})
export class RestorePlanView {
  constructor(readonly record: RestorePlanRecord) {}

  @Field(() => ID)
  get id(): string {
    return toGlobalId('RestorePlan', this.record.id);
  }

  @Field(() => String, {
    description: 'Covers every row of it. Applying wants it, as proof that this plan was looked at.',
  })
  get planHash(): string {
    return this.record.planHash;
  }

  @Field(() => RestoreTypeEnum)
  get type(): RestoreType {
    return this.record.type;
  }

  @Field(() => String)
  get source(): string {
    return this.record.source;
  }

  @Field(() => [DataTypeEnum])
  get dataTypes(): RequestedDataType[] {
    return this.record.dataTypes;
  }

  @Field(() => ID, { nullable: true, description: "The platform's own id of the business; for BUSINESS plans." })
  get businessId(): string | null {
    return this.record.businessId;
  }

  @Field(() => ConflictPolicyEnum, {
    nullable: true,
    description: 'Of a three-way plan. With FAIL, one that has conflicts is to be looked at, and never applied.',
  })
  get conflictPolicy(): ConflictPolicy | null {
    return this.record.threeWay?.conflictPolicy ?? null;
  }

  @Field(() => [RecordKeyView], { nullable: true, description: 'The records that were asked for; none for all.' })
  get keys(): RecordKeyView[] | null {
    return toRecordKeyViews(this.record.keys);
  }

  @Field(() => String)
  get createdBy(): string {
    return this.record.createdBy;
  }

  @Field(() => DateTimeScalar)
  get createdAt(): Date {
    return this.record.createdAt;
  }

  @Field(() => DateTimeScalar, { description: "From then on it can't be applied." })
  get expiresAt(): Date {
    return this.record.expiresAt;
  }

  @Field(() => BigIntScalar)
  get inserts(): number {
    return this.record.inserts;
  }

  @Field(() => BigIntScalar)
  get updates(): number {
    return this.record.updates;
  }

  @Field(() => BigIntScalar)
  get deletes(): number {
    return this.record.deletes;
  }

  @Field(() => DurationScalar, {
    nullable: true,
    description: 'How long applying takes, reckoned from rows and bytes alone.',
  })
  get estimatedDuration(): number | null {
    return this.record.estimatedMs;
  }

  @Field(() => [RestorePlanTableView])
  get tables(): RestorePlanTableView[] {
    return this.record.tables.map((table) => new RestorePlanTableView(table));
  }

  @Field(() => [String], { description: 'What an operator should know.' })
  get notes(): string[] {
    return this.record.notes;
  }
}

export function toRestorePlanView(record: RestorePlanRecord): RestorePlanView {
  return new RestorePlanView(record);
}
