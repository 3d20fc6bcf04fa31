/** Filters, orders and page arguments of lists, and what they mean to the catalog. */
import { ArgsType, Field, ID, InputType, Int } from 'type-graphql';
import type {
  BackupFilter as CatalogBackupFilter, BackupOrderField, JobFilter as CatalogJobFilter, JobOrderField, Order,
  RestoreFilter as CatalogRestoreFilter,
} from '../../catalog/catalog'; // prettier-ignore
import type { BackupStatus, BackupType } from '../../domain/backup';
import { expandDataTypes, type RequestedDataType } from '../../domain/data-type';
import { AppError } from '../../domain/errors';
import type { BackupId, RestoreId } from '../../domain/ids';
import type { JobKind, JobState } from '../../domain/job';
import { checkPageSize, type PageArguments } from '../../services/paging';
import { parseListCursor } from '../cursors';
import {
  BackupOrderFieldEnum, BackupStatusEnum, BackupTypeEnum, DataTypeEnum, JobKindEnum, JobOrderFieldEnum, JobStateEnum,
  OrderDirectionEnum, type OrderDirection,
} from '../enums'; // prettier-ignore
import { parseIdOf } from '../global-id';
import { DateTimeScalar, JsonScalar } from '../scalars';

const MAX_FILTER_VALUES = 100;

@ArgsType()
export class PageArgs {
  @Field(() => Int, { nullable: true, description: '1 to 100; either this or last is required.' })
  readonly first?: number | null;

  @Field(() => String, { nullable: true })
  readonly after?: string | null;

  @Field(() => Int, { nullable: true })
  readonly last?: number | null;

  @Field(() => String, { nullable: true })
  readonly before?: string | null;
}

@ArgsType()
export class EventPageArgs {
  @Field(() => Int, { nullable: true, description: '1 to 100; required.' })
  readonly first?: number | null;

  @Field(() => String, { nullable: true })
  readonly after?: string | null;
}

@InputType({ description: 'Every field given must match; a list matches any of its values.' })
export class BackupFilter {
  @Field(() => [BackupTypeEnum], { nullable: true })
  readonly types?: BackupType[] | null;

  @Field(() => [BackupStatusEnum], { nullable: true })
  readonly statuses?: BackupStatus[] | null;

  @Field(() => [String], { nullable: true })
  readonly sources?: string[] | null;

  @Field(() => [DataTypeEnum], { nullable: true, description: 'Backups that hold at least one of these.' })
  readonly dataTypes?: RequestedDataType[] | null;

  @Field(() => [ID], { nullable: true, description: "The platform's own ids; BUSINESS backups of these." })
  readonly businessIds?: string[] | null;

  @Field(() => DateTimeScalar, { nullable: true })
  readonly createdFrom?: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Exclusive.' })
  readonly createdBefore?: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Exclusive.' })
  readonly expiresBefore?: Date | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Only backups whose manifest the repository lacks, or only others.',
  })
  readonly missing?: boolean | null;

  @Field(() => Boolean, { nullable: true, description: 'Only backups that a legal hold keeps, or only others.' })
  readonly onHold?: boolean | null;

  @Field(() => JsonScalar, { nullable: true, description: 'Every one of these labels, with just this value.' })
  readonly labels?: unknown;
}

@InputType()
export class BackupOrder {
  @Field(() => BackupOrderFieldEnum)
  readonly field!: BackupOrderField;

  @Field(() => OrderDirectionEnum)
  readonly direction!: OrderDirection;
}

@ArgsType()
export class BackupListArgs extends PageArgs {
  @Field(() => BackupFilter, { nullable: true })
  readonly filter?: BackupFilter | null;

  @Field(() => [BackupOrder], { nullable: true, description: 'One order; newest first by default.' })
  readonly orderBy?: BackupOrder[] | null;
}

@InputType({ description: 'Every field given must match; a list matches any of its values.' })
export class JobFilter {
  @Field(() => [JobKindEnum], { nullable: true })
  readonly kinds?: JobKind[] | null;

  @Field(() => [JobStateEnum], { nullable: true })
  readonly states?: JobState[] | null;

  @Field(() => [String], { nullable: true })
  readonly sources?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'Jobs that make, verify or restore these backups.' })
  readonly backupIds?: string[] | null;

  @Field(() => DateTimeScalar, { nullable: true })
  readonly createdFrom?: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Exclusive.' })
  readonly createdBefore?: Date | null;
}

@InputType()
export class JobOrder {
  @Field(() => JobOrderFieldEnum)
  readonly field!: JobOrderField;

  @Field(() => OrderDirectionEnum)
  readonly direction!: OrderDirection;
}

@ArgsType()
export class JobListArgs extends PageArgs {
  @Field(() => JobFilter, { nullable: true })
  readonly filter?: JobFilter | null;

  @Field(() => [JobOrder], { nullable: true, description: 'One order; newest first by default.' })
  readonly orderBy?: JobOrder[] | null;
}

@InputType({ description: 'Every field given must match; a list matches any of its values.' })
export class RestoreFilter {
  @Field(() => [JobStateEnum], { nullable: true })
  readonly statuses?: JobState[] | null;

  @Field(() => [String], { nullable: true })
  readonly sources?: string[] | null;

  @Field(() => [ID], { nullable: true })
  readonly backupIds?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'The ids of Restores: what took back one of these.' })
  readonly undoes?: string[] | null;

  @Field(() => [ID], { nullable: true, description: "The platform's own ids." })
  readonly businessIds?: string[] | null;

  @Field(() => DateTimeScalar, { nullable: true })
  readonly createdFrom?: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Exclusive.' })
  readonly createdBefore?: Date | null;
}

@ArgsType()
export class RestoreListArgs extends PageArgs {
  @Field(() => RestoreFilter, { nullable: true })
  readonly filter?: RestoreFilter | null;
}

/** Throws INVALID_INPUT unless it is `first` with or without `after`, or `last` with or without `before`. */
export function toPage({ first, after, last, before }: PageArgs, fingerprint: string): PageArguments {
  const size = checkPageSize(first, last);
  const forward = first !== null && first !== undefined;
  const [cursor, stray] = forward ? [after, before] : [before, after];
  if (stray) {
    const message = forward ? 'first goes with after, not with before.' : 'last goes with before, not with after.';
    throw new AppError('INVALID_INPUT', message, { hint: 'Use first and after, or last and before.', path: ['first'] });
  }
  const from = cursor ? parseListCursor(cursor, fingerprint, [forward ? 'after' : 'before']) : null;
  return { size, direction: forward ? 'FORWARD' : 'BACKWARD', from };
}

/** One order at most; newest first without any. */
export function toOrder<FieldName extends string>(
  orderBy: readonly Order<FieldName>[] | null | undefined,
): Order<FieldName | 'CREATED_AT'> {
  if (orderBy && orderBy.length > 1) {
    const hint = 'Give one order; the id breaks ties.';
    throw new AppError('INVALID_INPUT', 'orderBy names several orders.', { hint, path: ['orderBy'] });
  }
  return { field: orderBy?.[0]?.field ?? 'CREATED_AT', direction: orderBy?.[0]?.direction ?? 'DESC' };
}

export function toBackupFilter(filter: BackupFilter | null | undefined): CatalogBackupFilter {
  const { dataTypes, labels, ...rest } = bounded(filter ?? {});
  const named = dataTypes ? { dataTypes: expandDataTypes(dataTypes) } : {};
  return { ...withoutNulls(rest), ...named, ...(labels ? { labels: toLabels(labels) } : {}) };
}

export function toJobFilter(filter: JobFilter | null | undefined): CatalogJobFilter {
  const { backupIds, ...rest } = bounded(filter ?? {});
  return { ...withoutNulls(rest), ...(backupIds ? { backupIds: toBackupIds(backupIds) } : {}) };
}

export function toRestoreFilter(filter: RestoreFilter | null | undefined): CatalogRestoreFilter {
  const { backupIds, statuses, undoes, ...rest } = bounded(filter ?? {});
  return {
    ...withoutNulls(rest),
    ...(statuses ? { states: statuses } : {}),
    ...(backupIds ? { backupIds: toBackupIds(backupIds) } : {}),
    ...(undoes ? { undoes: undoes.map((id) => parseIdOf<RestoreId>('Restore', id, ['filter', 'undoes'])) } : {}),
  };
}

function toBackupIds(ids: readonly string[]): BackupId[] {
  return ids.map((id) => parseIdOf<BackupId>('Backup', id, ['filter', 'backupIds']));
}

function toLabels(labels: unknown): Record<string, string> {
  const isFlat = typeof labels === 'object' && !Array.isArray(labels);
  if (isFlat && Object.values(labels as object).every((value) => typeof value === 'string')) {
    return labels as Record<string, string>;
  }
  const hint = 'Give an object of strings.';
  throw new AppError('INVALID_INPUT', 'labels is no object of strings.', { hint, path: ['filter', 'labels'] });
}

/** The filter itself; throws INVALID_INPUT for a list of too many values. */
function bounded<Filter extends object>(filter: Filter): Filter {
  for (const [name, value] of Object.entries(filter)) {
    if (!Array.isArray(value) || value.length <= MAX_FILTER_VALUES) continue;
    const hint = `Give at most ${MAX_FILTER_VALUES} values.`;
    throw new AppError('INVALID_INPUT', `${name} lists ${value.length} values.`, { hint, path: ['filter', name] });
  }
  return filter;
}

type WithoutNulls<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], null | undefined> };

/** A field that is null counts as one left out. */
function withoutNulls<Fields extends object>(fields: Fields): WithoutNulls<Fields> {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(given) as WithoutNulls<Fields>;
}
