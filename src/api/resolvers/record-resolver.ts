/** Records of backups: what a worker thread reads of them, as connections. */
import { Args, ArgsType, Ctx, Field, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import type { HistoryFound, HistoryPlace, RecordVersion } from '../../domain/backup-reader';
import type { RequestedDataType } from '../../domain/data-type';
import { parseRecordFilter, parseRecordKey } from '../../domain/record-filter';
import type { JsonValue } from '../../domain/values';
import { DEFAULT_SOURCE } from '../../services/backup-rules';
import { checkPageSize } from '../../services/paging';
import type { RecordsPage } from '../../services/records';
import type { RequestContext } from '../context';
import { listFingerprint, parseHistoryCursor, parseRecordCursor, toHistoryCursor, toRecordCursor } from '../cursors';
import { DataTypeEnum } from '../enums';
import { EventPageArgs } from '../inputs/list-inputs';
import { JsonScalar } from '../scalars';
import { BackupView, toBackupView } from '../types/backup';
import { toConnection as connectionOf, type ConnectionView } from '../types/connection';
import {
  RecordColumnView, RecordConnection, RecordVersionConnection, RecordVersionView, RecordView,
} from '../types/record'; // prettier-ignore

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

@ArgsType()
class HistoryArgs extends EventPageArgs {
  @Field(() => String, { nullable: true, defaultValue: DEFAULT_SOURCE })
  readonly source?: string | null;

  @Field(() => DataTypeEnum)
  readonly dataType!: RequestedDataType;

  @Field(() => String, { nullable: true, description: 'Required where the data type has several.' })
  readonly table?: string | null;

  @Field(() => JsonScalar, {
    description:
      'The fields that identify the record, by column, as Record.key shows them; or the value alone where there is one.',
  })
  readonly key!: unknown;
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

@Resolver(() => RecordVersionView)
export class RecordHistory {
  @Query(() => RecordVersionConnection, {
    description:
      'One record through all backups of a source that are stored, oldest first. Backups of one business tell only where they have it.',
  })
  async recordHistory(
    @Args(() => HistoryArgs) { first, after, source, dataType, table, key }: HistoryArgs,
    @Ctx() { services, principal, signal }: RequestContext,
  ): Promise<ConnectionView<RecordVersionView>> {
    const limit = checkPageSize(first, null);
    const request = {
      source: source ?? DEFAULT_SOURCE,
      dataType,
      table,
      key: parseRecordKey(key as JsonValue, ['key']),
    };
    const fingerprint = listFingerprint('recordHistory', request);
    const from = after ? parseHistoryCursor(after, fingerprint, ['after']) : null;
    const found = await services.records.history(principal, { ...request, limit, from }, signal);
    return toHistory(found, { fingerprint, isFirst: from === null });
  }

  @FieldResolver(() => BackupView, { nullable: true, description: 'None where it was deleted meanwhile.' })
  async firstSeenIn(
    @Root() { version }: RecordVersionView,
    @Ctx() { loaders }: RequestContext,
  ): Promise<BackupView | null> {
    const backup = await loaders.backups.load(version.firstBackupId);
    return backup && toBackupView(backup);
  }

  @FieldResolver(() => BackupView, { nullable: true, description: 'None where it was deleted meanwhile.' })
  async lastSeenIn(
    @Root() { version }: RecordVersionView,
    @Ctx() { loaders }: RequestContext,
  ): Promise<BackupView | null> {
    const backup = await loaders.backups.load(version.lastBackupId);
    return backup && toBackupView(backup);
  }
}

function toHistory(
  { versions, next }: HistoryFound,
  { fingerprint, isFirst }: { fingerprint: string; isFirst: boolean },
): ConnectionView<RecordVersionView> {
  const edges = versions.map((version) => ({
    node: new RecordVersionView(version),
    cursor: toHistoryCursor(fingerprint, placeAfter(version)),
  }));
  const page = connectionOf(edges, { hasNextPage: next !== null, hasPreviousPage: !isFirst });
  const endCursor = next === null ? page.pageInfo.endCursor : toHistoryCursor(fingerprint, next);
  return { ...page, pageInfo: { ...page.pageInfo, endCursor } };
}

function placeAfter({ firstBackupId, lastBackupId }: RecordVersion): HistoryPlace {
  return { run: firstBackupId, seen: lastBackupId, isGiven: true, before: null };
}
