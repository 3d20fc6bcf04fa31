/** Exports of backups as the API shows them. */
import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { ExportDownloadRecord, ExportRecord } from '../../catalog/catalog';
import type { DataType } from '../../domain/data-type';
import type { ExportCompression, ExportedTable, ExportFormat } from '../../domain/export';
import { DataTypeEnum, ExportCompressionEnum, ExportFormatEnum } from '../enums';
import { toGlobalId } from '../global-id';
import { BigIntScalar, DateTimeScalar, JsonScalar } from '../scalars';
import { Node } from './node';

@ObjectType('ExportTable', { description: 'A table as exported.' })
export class ExportTableView {
  constructor(private readonly table: ExportedTable) {}

  @Field(() => DataTypeEnum)
  get dataType(): DataType {
    return this.table.dataType;
  }

  @Field(() => String)
  get name(): string {
    return this.table.table;
  }

  @Field(() => BigIntScalar, { description: 'Exact: a download with other rows ends by cutting the connection.' })
  get rowCount(): number {
    return this.table.rowCount;
  }
}

@ObjectType('ExportDownload', { description: 'Somebody downloaded an export, or began to.' })
export class ExportDownloadView {
  constructor(private readonly record: ExportDownloadRecord) {}

  @Field(() => String, { description: 'The network address that it went to.' })
  get remoteAddress(): string {
    return this.record.remoteAddress;
  }

  @Field(() => DateTimeScalar)
  get startedAt(): Date {
    return this.record.startedAt;
  }

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'None while it goes on, and where the service ended in the middle of it.',
  })
  get endedAt(): Date | null {
    return this.record.endedAt;
  }

  @Field(() => BigIntScalar, { description: 'That were handed over, once it ended.' })
  get bytes(): number {
    return this.record.bytes;
  }

  @Field(() => Boolean)
  get isComplete(): boolean {
    return this.record.isComplete;
  }
}

@ObjectType('Export', {
  implements: Node,
  description:
    'A backup, or a part of it, proven to be sound and ready to be downloaded. Nothing of it is kept: each download reads the backup.',
})
export class ExportView {
  constructor(readonly record: ExportRecord) {}

  @Field(() => ID)
  get id(): string {
    return toGlobalId('Export', this.record.id);
  }

  @Field(() => ExportFormatEnum)
  get format(): ExportFormat {
    return this.record.wanted.format;
  }

  @Field(() => ExportCompressionEnum)
  get compression(): ExportCompression {
    return this.record.wanted.compression;
  }

  @Field(() => String)
  get fileName(): string {
    return this.record.fileName;
  }

  @Field(() => [DataTypeEnum])
  get dataTypes(): DataType[] {
    return this.record.wanted.dataTypes;
  }

  @Field(() => ID, { nullable: true, description: "The platform's own id of the business whose rows it holds alone." })
  get businessId(): string | null {
    return this.record.wanted.businessId;
  }

  @Field(() => JsonScalar, { nullable: true, description: 'Which rows of its table it holds.' })
  get filter(): unknown {
    const { filter } = this.record.wanted;
    return filter === null ? null : (JSON.parse(filter) as unknown);
  }

  @Field(() => [ExportTableView])
  get tables(): ExportTableView[] {
    return this.record.tables.map((table) => new ExportTableView(table));
  }

  @Field(() => BigIntScalar, { description: 'Of all its tables.' })
  get rowCount(): number {
    return this.record.tables.reduce((sum, { rowCount }) => sum + rowCount, 0);
  }

  @Field(() => [String], { description: 'What an operator should know.' })
  get notes(): string[] {
    return this.record.notes;
  }

  @Field(() => String)
  get createdBy(): string {
    return this.record.createdBy;
  }

  @Field(() => DateTimeScalar)
  get createdAt(): Date {
    return this.record.createdAt;
  }

  @Field(() => DateTimeScalar, { description: 'From then on no download begins.' })
  get expiresAt(): Date {
    return this.record.expiresAt;
  }
}

/** Beside the type: what has to be asked for. */
@ObjectType('ExportDownloads', { description: 'Downloads of one export.' })
export class ExportDownloadsView {
  @Field(() => Int)
  readonly totalCount!: number;

  @Field(() => [ExportDownloadView], { description: 'The newest 100, newest first.' })
  readonly nodes!: ExportDownloadView[];
}

export function toExportView(record: ExportRecord): ExportView {
  return new ExportView(record);
}
