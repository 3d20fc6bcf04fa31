/** Backups as the API shows them: views over the catalog's records. */
import { Field, ID, ObjectType } from 'type-graphql';
import type { BackupRecord, BackupTableRecord } from '../../catalog/catalog';
import type { BackupStatus, BackupType, ChangeDetection, Labels } from '../../domain/backup';
import type { DataType } from '../../domain/data-type';
import { BackupStatusEnum, BackupTypeEnum, ChangeDetectionEnum, DataTypeEnum } from '../enums';
import { toGlobalId } from '../global-id';
import { BigIntScalar, DateTimeScalar, JsonScalar } from '../scalars';
import { countedConnectionType } from './connection';
import { Node } from './node';
import { RestorabilityView, VerificationView } from './verification';

@ObjectType('BackupTable', { description: 'One table of a backup.' })
export class BackupTableView {
  constructor(private readonly record: BackupTableRecord) {}

  @Field(() => DataTypeEnum)
  get dataType(): DataType {
    return this.record.dataType;
  }

  @Field(() => String)
  get name(): string {
    return this.record.table;
  }

  @Field(() => BigIntScalar, { description: 'Rows in this state.' })
  get rowCount(): number {
    return this.record.rowCount;
  }

  @Field(() => BigIntScalar, { description: 'Rows and tombstones that this backup itself stored.' })
  get changedRowCount(): number {
    return this.record.changedRowCount;
  }

  @Field(() => BigIntScalar, {
    description: 'Bytes of the rows in this state, uncompressed; an estimate where rawBytesEstimated.',
  })
  get rawBytes(): number {
    return this.record.rawBytes;
  }

  @Field(() => Boolean, {
    description:
      'Whether changes were found by BINLOG, now or in a backup that this one stands on: the rows they replaced were not weighed.',
  })
  get rawBytesEstimated(): boolean {
    return this.record.rawBytesEstimated ?? false;
  }

  @Field(() => ChangeDetectionEnum)
  get changeDetection(): ChangeDetection {
    return this.record.changeDetection;
  }

  @Field(() => String, { description: 'Why changes were found this way.' })
  get changeDetectionReason(): string {
    return this.record.changeDetectionReason;
  }
}

@ObjectType('Backup', { implements: Node, description: 'One restorable state of a source, and the record of it.' })
export class BackupView {
  constructor(readonly record: BackupRecord) {}

  @Field(() => ID)
  get id(): string {
    return toGlobalId('Backup', this.record.id);
  }

  @Field(() => BackupTypeEnum)
  get type(): BackupType {
    return this.record.type;
  }

  @Field(() => BackupStatusEnum)
  get status(): BackupStatus {
    return this.record.status;
  }

  @Field(() => String)
  get source(): string {
    return this.record.source;
  }

  @Field(() => [DataTypeEnum])
  get dataTypes(): DataType[] {
    return this.record.dataTypes;
  }

  @Field(() => ID, { nullable: true, description: "The platform's own id of the business; for BUSINESS backups." })
  get businessId(): string | null {
    return this.record.businessId;
  }

  @Field(() => DateTimeScalar)
  get createdAt(): Date {
    return this.record.createdAt;
  }

  @Field(() => DateTimeScalar, { nullable: true })
  get completedAt(): Date | null {
    return this.record.completedAt;
  }

  @Field(() => DateTimeScalar, { nullable: true })
  get expiresAt(): Date | null {
    return this.record.expiresAt;
  }

  @Field(() => String)
  get createdBy(): string {
    return this.record.createdBy;
  }

  @Field(() => DateTimeScalar, { nullable: true, description: 'The moment of the source that it shows.' })
  get readAt(): Date | null {
    return this.record.readAt;
  }

  @Field(() => String, { nullable: true, description: 'How its consistent read was had.' })
  get consistency(): string | null {
    return this.record.consistency;
  }

  @Field(() => BigIntScalar, { nullable: true, description: 'Rows in this state.' })
  get rowCount(): number | null {
    return this.record.rowCount;
  }

  @Field(() => BigIntScalar, { nullable: true, description: 'Rows and tombstones that this backup itself stored.' })
  get changedRowCount(): number | null {
    return this.record.changedRowCount;
  }

  @Field(() => BigIntScalar, {
    nullable: true,
    description: 'Bytes of the rows in this state, uncompressed; an estimate where rawBytesEstimated.',
  })
  get rawBytes(): number | null {
    return this.record.rawBytes;
  }

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether rawBytes of one of its tables is an estimate; null as long as rawBytes is.',
  })
  get rawBytesEstimated(): boolean | null {
    const { rawBytes, tables } = this.record;
    return rawBytes === null ? null : tables.some(({ rawBytesEstimated }) => rawBytesEstimated ?? false);
  }

  @Field(() => BigIntScalar, { nullable: true, description: 'Bytes that this backup newly stored.' })
  get storedBytes(): number | null {
    return this.record.storedBytes;
  }

  @Field(() => BigIntScalar, {
    nullable: true,
    description: 'How much of this state it newly stored, uncompressed; none where its manifest does not say.',
  })
  get newRawBytes(): number | null {
    return this.record.newRawBytes;
  }

  @Field(() => String, { nullable: true, description: 'SHA-256 of the manifest.' })
  get checksum(): string | null {
    return this.record.checksum;
  }

  @Field(() => String, { nullable: true })
  get manifestName(): string | null {
    return this.record.manifestName;
  }

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'Since when the repository has lacked its manifest; such a backup cannot be restored.',
  })
  get missingSince(): Date | null {
    return this.record.missingSince;
  }

  @Field(() => [BackupTableView])
  get tables(): BackupTableView[] {
    return this.record.tables.map((table) => new BackupTableView(table));
  }

  @Field(() => JsonScalar)
  get labels(): Labels {
    return this.record.labels;
  }

  @Field(() => VerificationView, { nullable: true, description: 'The last one.' })
  get verification(): VerificationView | null {
    return this.record.verification && new VerificationView(this.record.verification);
  }

  @Field(() => RestorabilityView, { nullable: true, description: 'None before the first rehearsal.' })
  get restorability(): RestorabilityView | null {
    return this.record.restorability && new RestorabilityView(this.record.restorability);
  }
}

export const BackupConnection = countedConnectionType(BackupView, 'Backup');

export function toBackupView(record: BackupRecord): BackupView {
  return new BackupView(record);
}
