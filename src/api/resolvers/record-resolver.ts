/** Records of backups: what a worker thread reads of them, as connections. */
import { Args, ArgsType, Ctx, Field, FieldResolver, ID, Resolver, Root } from 'type-graphql';
import type { RequestedDataType } from '../../domain/data-type';
import { parseRecordFilter } from '../../domain/record-filter';
import type { JsonValue } from '../../domain/values';
import { checkPageSize } from '../../services/paging';
import type { RecordsPage } from '../../services/records';
import type { RequestContext } from '../context';
import { listFingerprint, parseRecordCursor, toRecordCursor } from '../cursors';
import { DataTypeEnum } from '../enums';
import { EventPageArgs } from '../inputs/list-inputs';
import { JsonScalar } from '../scalars';
import { BackupView } from '../types/backup';
import { RecordColumnView, RecordConnection, RecordView } from '../types/record';

@ArgsType()
class RecordsArgs extends EventPageArgs {
  @Field(() => DataTypeEnum)
  readonly dataType!: RequestedDataType;

  @Field(() => String, { nullable: true, description: 'Required where the data type has several.' })
  readonly table?: string | null;

  @Field(() => ID, { nullable: true, description: "Only records of this business, by the platform's own id." })
  readonly businessId?: string | null;

  @Field(() => JsonScalar, {
    nullable: true,
    description:
      'Columns with comparators (eq, ne, lt, lte, gt, gte, in, startsWith, contains, isNull), all of which must hold; and, or with a list ' +
      'of such objects, not with one: {"status": {"in": ["OPEN"]}, "or": [{"score": {"gte": 7}}, {"note": {"isNull": true}}]}.',
  })
  readonly filter?: unknown;
}

@Resolver(() => BackupView)
export class BackupRecords {
  @FieldResolver(() => RecordConnection, {
    description: 'Rows of one table, read from the backup without restoring it.',
  })
  async records(
    @Root() { record: backup }: BackupView,
    @Args(() => RecordsArgs) { first, after, dataType, table, businessId, filter: given }: RecordsArgs,
    @Ctx() { services, principal, signal }: RequestContext,
  ): Promise<RecordConnection> {
    const limit = checkPageSize(first, null);
    const filter = given === null || given === undefined ? null : parseRecordFilter(given as JsonValue, ['filter']);
    const fingerprint = listFingerprint('records', backup.id, { dataType, table, businessId, filter });
    const from = after ? parseRecordCursor(after, fingerprint, ['after']) : null;
    const request = { backupId: backup.id, dataType, table, businessId, filter, limit, from };
    return toConnection(await services.records.find(principal, request, signal), {
      fingerprint,
      isFirst: from === null,
    });
  }
}

function toConnection(
  { records, next, columns, table }: RecordsPage,
  { fingerprint, isFirst }: { fingerprint: string; isFirst: boolean },
): RecordConnection {
  const edges = records.map((record) => ({
    node: new RecordView(record),
    cursor: toRecordCursor(fingerprint, record.next),
  }));
  const startCursor = edges[0]?.cursor ?? null;
  const endCursor = next === null ? (edges.at(-1)?.cursor ?? null) : toRecordCursor(fingerprint, next);
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: { hasNextPage: next !== null, hasPreviousPage: !isFirst, startCursor, endCursor },
    table,
    columns: columns.map((column) => new RecordColumnView(column)),
  };
}
