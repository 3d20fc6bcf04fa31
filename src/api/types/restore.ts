/** Restores as the API shows them. */
import { Field, ID, ObjectType } from 'type-graphql';
import type { RestoreRecord } from '../../catalog/catalog';
import type { RestoreType } from '../../domain/backup';
import type { RequestedDataType } from '../../domain/data-type';
import type { JobState, RestoreTarget } from '../../domain/job';
import type { RecordKey } from '../../domain/record-key';
import type { RestoredTable, RestoreResult } from '../../domain/task';
import type { ConflictPolicy } from '../../domain/three-way';
import { ConflictPolicyEnum, DataTypeEnum, JobStateEnum, RestoreModeEnum, RestoreTypeEnum } from '../enums';
import { toGlobalId } from '../global-id';
import { BigIntScalar, DateTimeScalar, JsonScalar } from '../scalars';
import { countedConnectionType } from './connection';
import { Node } from './node';

@ObjectType('RestoreTarget', { description: 'Where a restore writes.' })
export class RestoreTargetView {
  constructor(private readonly target: RestoreTarget) {}

  @Field(() => Boolean)
  get inPlace(): boolean {
    return this.target.kind === 'IN_PLACE';
  }

  @Field(() => String, { nullable: true, description: 'The scratch schema it fills.' })
  get scratch(): string | null {
    return this.target.kind === 'SCRATCH' ? this.target.schema : null;
  }
}

@ObjectType('RecordKey', { description: 'One record of a table, as it was named.' })
export class RecordKeyView {
  constructor(private readonly record: RecordKey) {}

  @Field(() => DataTypeEnum)
  get dataType(): RequestedDataType {
    return this.record.dataType;
  }

  @Field(() => String)
  get table(): string {
    return this.record.table;
  }

  @Field(() => JsonScalar)
  get key(): RecordKey['key'] {
    return this.record.key;
  }
}

export function toRecordKeyViews(keys: readonly RecordKey[] | null): RecordKeyView[] | null {
  return keys && keys.map((key) => new RecordKeyView(key));
}

@ObjectType('RestoredTable', { description: 'What a restore did to one table, or, as a dry run, would do.' })
export class RestoredTableView {
  constructor(private readonly table: RestoredTable) {}

  @Field(() => DataTypeEnum)
  get dataType(): RequestedDataType {
    return this.table.dataType;
  }

  @Field(() => String)
  get name(): string {
    return this.table.table;
  }

  @Field(() => BigIntScalar)
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

  @Field(() => BigIntScalar)
  get unchanged(): number {
    return this.table.unchanged;
  }

  @Field(() => BigIntScalar, { description: 'Rows of which fields were damaged and changed later too.' })
  get conflictingRows(): number {
    return this.table.conflicts?.rows ?? 0;
  }

  @Field(() => [String])
  get warnings(): string[] {
    return this.table.warnings;
  }
}

@ObjectType('Restore', {
  implements: Node,
  description: 'A backup brought back: what was asked for and what was done.',
})
export class RestoreView {
  constructor(readonly record: RestoreRecord) {}

  private get result(): RestoreRecord['result'] {
    return this.record.result;
  }

  @Field(() => ID)
  get id(): string {
    return toGlobalId('Restore', this.record.id);
  }

  @Field(() => RestoreTypeEnum)
  get type(): RestoreType {
    return this.record.type;
  }

  @Field(() => JobStateEnum)
  get status(): JobState {
    return this.record.state;
  }

  @Field(() => String)
  get source(): string {
    return this.record.source;
  }

  @Field(() => [DataTypeEnum])
  get dataTypes(): RequestedDataType[] {
    return this.record.dataTypes;
  }

  @Field(() => ID, { nullable: true, description: "The platform's own id of the business; for BUSINESS restores." })
  get businessId(): string | null {
    return this.record.businessId;
  }

  @Field(() => ConflictPolicyEnum, { nullable: true, description: 'Of a three-way restore.' })
  get conflictPolicy(): ConflictPolicy | null {
    return this.record.threeWay?.conflictPolicy ?? null;
  }

  @Field(() => [RecordKeyView], { nullable: true, description: 'The records that were asked for; none for all.' })
  get keys(): RecordKeyView[] | null {
    return toRecordKeyViews(this.record.keys);
  }

  @Field(() => RestoreTargetView)
  get target(): RestoreTargetView {
    return new RestoreTargetView(this.record.target);
  }

  @Field(() => Boolean)
  get dryRun(): boolean {
    return this.record.dryRun;
  }

  @Field(() => String)
  get createdBy(): string {
    return this.record.createdBy;
  }

  @Field(() => DateTimeScalar)
  get createdAt(): Date {
    return this.record.createdAt;
  }

  @Field(() => DateTimeScalar, { nullable: true })
  get startedAt(): Date | null {
    return this.record.startedAt;
  }

  @Field(() => DateTimeScalar, { nullable: true })
  get completedAt(): Date | null {
    return this.record.finishedAt;
  }

  @Field(() => RestoreModeEnum, { nullable: true, description: 'Known once it has completed, like all below.' })
  get mode(): RestoreResult['mode'] | null {
    return this.result?.mode ?? null;
  }

  @Field(() => BigIntScalar, { nullable: true })
  get inserts(): number | null {
    return this.result?.inserts ?? null;
  }

  @Field(() => BigIntScalar, { nullable: true })
  get updates(): number | null {
    return this.result?.updates ?? null;
  }

  @Field(() => BigIntScalar, { nullable: true })
  get deletes(): number | null {
    return this.result?.deletes ?? null;
  }

  @Field(() => BigIntScalar, {
    nullable: true,
    description:
      "Rows of the source that were read after writing, or compared where nothing was to be written, and equal the backup's byte " +
      'for byte. After a load in bulk: all rows. In place: those of every chunk that something was written in (of all chunks where ' +
      'triggers ran); all rows where nothing had to be written. In a dry run 0: it proves nothing.',
  })
  get verifiedRowCount(): number | null {
    return this.result?.verifiedRows ?? null;
  }

  @Field(() => [RestoredTableView])
  get tables(): RestoredTableView[] {
    return (this.result?.tables ?? []).map((table) => new RestoredTableView(table));
  }

  @Field(() => DateTimeScalar, {
    nullable: true,
    description:
      'Until when what it changed can be taken back by `undoRestore`; none where there is nothing, or nothing was kept.',
  })
  get undoableUntil(): Date | null {
    const changeSet = this.result?.changeSet;
    return changeSet ? new Date(changeSet.expiresAt) : null;
  }

  @Field(() => [String], { description: 'What an operator should know.' })
  get notes(): string[] {
    return this.result?.notes ?? [];
  }
}

export const RestoreConnection = countedConnectionType(RestoreView, 'Restore');

export function toRestoreView(record: RestoreRecord): RestoreView {
  return new RestoreView(record);
}
