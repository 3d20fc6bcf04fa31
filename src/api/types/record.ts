/** Records of backups as the API shows them. */
import { Field, ObjectType } from 'type-graphql';
import type { FoundRecord, RecordColumn, RecordVersion } from '../../domain/backup-reader';
import type { JsonRow } from '../../domain/values';
import { DateTimeScalar, JsonScalar } from '../scalars';
import { connectionType, PageInfo, type ConnectionView } from './connection';

@ObjectType('Record', { description: 'One row of a backup. schema/README.md tells how values are shown.' })
export class RecordView {
  constructor(private readonly record: FoundRecord) {}

  @Field(() => JsonScalar, { description: 'The fields that identify it, by column.' })
  get key(): JsonRow {
    return this.record.key;
  }

  @Field(() => JsonScalar, { description: 'All stored fields, by column.' })
  get fields(): JsonRow {
    return this.record.fields;
  }
}

@ObjectType('RecordColumn', { description: 'A stored column of a table.' })
export class RecordColumnView {
  constructor(private readonly column: RecordColumn) {}

  @Field(() => String)
  get name(): string {
    return this.column.name;
  }

  @Field(() => String, { description: 'As the source declares it.' })
  get type(): string {
    return this.column.type;
  }

  @Field(() => Boolean)
  get isNullable(): boolean {
    return this.column.isNullable;
  }

  @Field(() => Boolean, { description: 'Whether it is one of those that identify a row.' })
  get isKey(): boolean {
    return this.column.isKey;
  }
}

@ObjectType()
export class RecordEdge {
  @Field(() => RecordView)
  readonly node!: RecordView;

  @Field(() => String)
  readonly cursor!: string;
}

@ObjectType({
  description:
    'Records in the order of their keys where the service knows it, else in one that stays. A page reads within limits: it may hold fewer ' +
    'records than asked for, even none, while hasNextPage is true; endCursor goes on. hasNextPage may be true where nothing more is found.',
})
export class RecordConnection {
  @Field(() => [RecordEdge])
  readonly edges!: ConnectionView<RecordView>['edges'];

  @Field(() => [RecordView], { description: 'The nodes of the edges, for who needs no cursors.' })
  readonly nodes!: RecordView[];

  @Field(() => PageInfo)
  readonly pageInfo!: PageInfo;

  @Field(() => String, { description: 'The table that they are rows of.' })
  readonly table!: string;

  @Field(() => [RecordColumnView], { description: 'Its stored columns, in their order.' })
  readonly columns!: RecordColumnView[];
}

@ObjectType('RecordVersion', {
  description: 'A record as one backup after the other shows it, the same from the first to the last of them.',
})
export class RecordVersionView {
  constructor(readonly version: RecordVersion) {}

  @Field(() => JsonScalar, { nullable: true, description: 'All stored fields, by column; none where it was gone.' })
  get fields(): JsonRow | null {
    return this.version.fields;
  }

  @Field(() => Boolean, { description: 'The record was gone, having been there before.' })
  get isDeleted(): boolean {
    return this.version.fields === null;
  }

  @Field(() => [String], { description: 'Columns that differ from the version before, where both have the record.' })
  get changedFields(): string[] {
    return this.version.changedFields;
  }

  @Field(() => DateTimeScalar, { description: 'The moment of the source that the first backup with it shows.' })
  get firstSeenAt(): Date {
    return new Date(this.version.firstSeenAt);
  }

  @Field(() => DateTimeScalar, { description: 'The moment of the source that the last backup with it shows.' })
  get lastSeenAt(): Date {
    return new Date(this.version.lastSeenAt);
  }
}

export const RecordVersionConnection = connectionType(RecordVersionView, 'RecordVersion');
