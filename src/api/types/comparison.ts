/** Comparisons of backups as the API shows them. */
import { Field, ID, ObjectType } from 'type-graphql';
import type { ComparisonRecord } from '../../catalog/catalog';
import type { FoundChange } from '../../domain/backup-reader';
import type { RowChangeKind } from '../../domain/change-set';
import type { RequestedDataType } from '../../domain/data-type';
import type { ComparedTable } from '../../domain/task';
import type { FieldChange, JsonRow } from '../../domain/values';
import { DataTypeEnum, RowChangeKindEnum } from '../enums';
import { toGlobalId } from '../global-id';
import { BigIntScalar, DateTimeScalar, JsonScalar } from '../scalars';
import { connectionType } from './connection';
import { Node } from './node';
import { FieldChangeView } from './restore-plan';

@ObjectType('ComparedTable', { description: 'What a comparison found of one table. All counts are exact.' })
export class ComparedTableView {
  constructor(private readonly table: ComparedTable) {}

  @Field(() => DataTypeEnum)
  get dataType(): RequestedDataType {
    return this.table.dataType;
  }

  @Field(() => String)
  get name(): string {
    return this.table.table;
  }

  @Field(() => Boolean, { description: 'Whether the base has the table at all.' })
  get inBase(): boolean {
    return this.table.inBase;
  }

  @Field(() => Boolean, { description: 'Whether the target has the table at all.' })
  get inTarget(): boolean {
    return this.table.inTarget;
  }

  @Field(() => BigIntScalar, { description: 'Rows of the target alone.' })
  get added(): number {
    return this.table.added;
  }

  @Field(() => BigIntScalar, { description: 'Rows of the base alone.' })
  get removed(): number {
    return this.table.removed;
  }

  @Field(() => BigIntScalar, { description: 'Rows that both have, with other values.' })
  get changed(): number {
    return this.table.changed;
  }

  @Field(() => BigIntScalar)
  get unchanged(): number {
    return this.table.unchanged;
  }

  @Field(() => [String], { description: 'What was not compared, such as columns that one side alone has.' })
  get notes(): string[] {
    return this.table.notes;
  }
}

@ObjectType('RowChange', { description: 'A row in which the two sides of a comparison differ; values as in records.' })
export class RowChangeView {
  constructor(private readonly change: FoundChange) {}

  @Field(() => DataTypeEnum)
  get dataType(): RequestedDataType {
    return this.change.dataType;
  }

  @Field(() => String)
  get table(): string {
    return this.change.table;
  }

  @Field(() => RowChangeKindEnum)
  get kind(): RowChangeKind {
    return this.change.kind;
  }

  @Field(() => JsonScalar, { description: 'The fields that identify it, by column.' })
  get key(): JsonRow {
    return this.change.key;
  }

  @Field(() => JsonScalar, {
    nullable: true,
    description: 'All stored fields in the base; none of one that was added.',
  })
  get before(): JsonRow | null {
    return this.change.before;
  }

  @Field(() => JsonScalar, {
    nullable: true,
    description: 'All stored fields in the target; none of one that was removed.',
  })
  get after(): JsonRow | null {
    return this.change.after;
  }

  @Field(() => [FieldChangeView], { description: 'Of a row that both have: the fields that differ.' })
  get fields(): FieldChange[] {
    return this.change.fields;
  }
}

export const RowChangeConnection = connectionType(RowChangeView, 'RowChange');

@ObjectType('BackupComparison', {
  implements: Node,
  description:
    'In which rows a backup, the base, and another one or the live source, the target, differ: what would make the base into the target.',
})
export class BackupComparisonView {
  constructor(readonly record: ComparisonRecord) {}

  @Field(() => ID)
  get id(): string {
    return toGlobalId('BackupComparison', this.record.id);
  }

  @Field(() => Boolean, { description: 'True where the target is the live source, as it was then.' })
  get isLive(): boolean {
    return this.record.targetId === null;
  }

  @Field(() => String, { description: 'Of the base.' })
  get source(): string {
    return this.record.source;
  }

  @Field(() => [DataTypeEnum], { description: 'As asked for.' })
  get dataTypes(): RequestedDataType[] {
    return this.record.dataTypes;
  }

  @Field(() => ID, { nullable: true, description: "The platform's own id, where rows of one business were compared." })
  get businessId(): string | null {
    return this.record.businessId;
  }

  @Field(() => DateTimeScalar, { description: 'The moment of the source that the base shows.' })
  get baseReadAt(): Date {
    return new Date(this.record.baseReadAt);
  }

  @Field(() => DateTimeScalar, { description: 'The moment of the source that the target shows.' })
  get targetReadAt(): Date {
    return new Date(this.record.targetReadAt);
  }

  @Field(() => String)
  get createdBy(): string {
    return this.record.createdBy;
  }

  @Field(() => DateTimeScalar)
  get comparedAt(): Date {
    return this.record.createdAt;
  }

  @Field(() => DateTimeScalar, { description: 'From then on `changes` are kept no longer; the counts stay.' })
  get expiresAt(): Date {
    return this.record.expiresAt;
  }

  @Field(() => Boolean, { description: 'True where no row differs, in what was compared.' })
  get isSame(): boolean {
    const { added, removed, changed } = this.record;
    return added + removed + changed === 0;
  }

  @Field(() => BigIntScalar)
  get added(): number {
    return this.record.added;
  }

  @Field(() => BigIntScalar)
  get removed(): number {
    return this.record.removed;
  }

  @Field(() => BigIntScalar)
  get changed(): number {
    return this.record.changed;
  }

  @Field(() => BigIntScalar)
  get unchanged(): number {
    return this.record.unchanged;
  }

  @Field(() => [ComparedTableView])
  get tables(): ComparedTableView[] {
    return this.record.tables.map((table) => new ComparedTableView(table));
  }

  @Field(() => [String], { description: 'What was not compared at all.' })
  get notes(): string[] {
    return this.record.notes;
  }
}

export function toComparisonView(record: ComparisonRecord): BackupComparisonView {
  return new BackupComparisonView(record);
}
