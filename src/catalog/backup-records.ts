/** Backups as they are read, and the deletion of rows that no manifest stands behind. */
import type { SelectQueryBuilder } from 'typeorm';
import type { BackupStatus } from '../domain/backup';
import { AppError } from '../domain/errors';
import type { BackupId } from '../domain/ids';
import type { StoredManifest } from '../domain/manifest';
import type { RetainedBackup } from '../domain/retention';
import { backupSeries, backupStatistics, countByBusiness, ON_HOLD } from './backup-statistics';
import type {
  BackupBucket,
  BackupFilter,
  BackupOrderField,
  BackupRecords,
  BackupStatistics,
  BusinessCount,
  IdempotencyClaim,
  ReconcileReport,
} from './catalog';
import type { Database } from './database';
import { BackupEntity } from './entities';
import { findReplay, rememberKey } from './idempotency';
import { KeysetList, whereCreated, whereIn } from './keyset';
import type { BackupRecord } from './records';
import { reconcileBackups } from './reconcile';
import { toBackup, toRetained } from './to-records';

const FIELDS = {
  CREATED_AT: { property: 'createdAt', nullable: false },
  COMPLETED_AT: { property: 'completedAt', nullable: true },
  EXPIRES_AT: { property: 'expiresAt', nullable: true },
  STORED_BYTES: { property: 'storedBytes', nullable: true },
  RAW_BYTES: { property: 'rawBytes', nullable: true },
  ROW_COUNT: { property: 'rowCount', nullable: true },
} as const satisfies Record<BackupOrderField, { property: keyof BackupRecord; nullable: boolean }>;

/** What `toRetained` needs: not the JSON of tables, which can be large. */
const RETAINED = [
  'id', 'state', 'type', 'source', 'dataTypes', 'businessId', 'readAt', 'createdAt', 'expiresAt',
] as const satisfies readonly (keyof BackupEntity)[]; // prettier-ignore

export class CatalogBackups
  extends KeysetList<BackupEntity, BackupRecord, BackupFilter, BackupOrderField>
  implements BackupRecords
{
  constructor(database: Database) {
    super(database, {
      entity: BackupEntity,
      toItem: toBackup,
      idOf: (row) => row.id,
      applyFilter: (query, filter, now) => applyBackupFilter(query, { filter, now, engine: database.engine }),
      fields: FIELDS,
      defaultField: 'CREATED_AT',
      valueOf: (backup, field) => backup[FIELDS[field].property],
    });
  }

  statistics(filter?: BackupFilter): Promise<BackupStatistics> {
    const now = this.database.clock.now();
    return this.database.read((manager) => backupStatistics(() => this.filtered(manager, filter, now), now));
  }

  statisticsByBusiness(options: { filter?: BackupFilter; limit: number }): Promise<BusinessCount[]> {
    const now = this.database.clock.now();
    return this.database.read((manager) =>
      countByBusiness(() => this.filtered(manager, options.filter, now), options.limit),
    );
  }

  statisticsSeries(options: { filter?: BackupFilter; bucketMs: number }): Promise<BackupBucket[]> {
    const now = this.database.clock.now();
    return this.database.read((manager) =>
      backupSeries(() => this.filtered(manager, options.filter, now), {
        bucketMs: options.bucketMs,
        engine: this.database.engine,
      }),
    );
  }

  async listExpired(limit: number): Promise<BackupRecord[]> {
    const page = await this.list({
      filter: { statuses: ['EXPIRED'], onHold: false },
      order: { field: 'EXPIRES_AT', direction: 'ASC' },
      limit,
    });
    return page.items;
  }

  async listRetained({ filter, limit }: { filter?: BackupFilter; limit: number }): Promise<RetainedBackup[]> {
    const now = this.database.clock.now();
    return this.database.read(async (manager) => {
      const query = this.filtered(manager, filter, now).andWhere(
        "row.state = 'COMPLETED' AND row.missingSince IS NULL",
      );
      const columns = RETAINED.map((column) => `row.${column}`);
      const { raw, entities } = await query
        .select(columns)
        .addSelect(`CASE WHEN ${ON_HOLD} THEN 1 ELSE 0 END`, 'on_hold')
        .limit(limit)
        .getRawAndEntities<{ on_hold: number | string }>();
      return entities.map((row, index) => toRetained(row, { now, onHold: Number(raw[index]?.on_hold) === 1 }));
    });
  }

  deleteUnstored(id: BackupId, idempotency: IdempotencyClaim | null = null): Promise<boolean> {
    return this.database.write(async ({ manager, now }) => {
      const isNew = idempotency !== null && (await findReplay(manager, idempotency)) === null;
      const row = await manager.findOneBy(BackupEntity, { id });
      const unstored = row === null || row.state === 'FAILED' || row.state === 'CANCELLED' || row.missingSince !== null;
      if (!unstored) throw notDeletable(row.state);
      if (isNew) await rememberKey(manager, idempotency, { jobId: null, now });
      if (row !== null) await manager.delete(BackupEntity, { id });
      return row !== null;
    });
  }

  reconcile(
    manifests: AsyncIterable<StoredManifest>,
    storedIds?: () => Promise<ReadonlySet<BackupId>>,
  ): Promise<ReconcileReport> {
    return reconcileBackups(this.database, manifests, storedIds);
  }

  private filtered(
    manager: Parameters<typeof this.query>[0],
    filter: BackupFilter | undefined,
    now: Date,
  ): SelectQueryBuilder<BackupEntity> {
    const query = this.query(manager);
    return this.filter(query, filter, now) ? query : query.andWhere('1 = 0');
  }
}

function notDeletable(state: string): AppError {
  return new AppError('CONFLICT', `A ${state} backup can't be taken off the list alone.`, {
    hint: 'Delete it by a cleanup job, which also deletes what is stored, or cancel its job first.',
  });
}

interface FilterContext {
  filter: BackupFilter;
  now: Date;
  engine: Database['engine'];
}

function applyBackupFilter(query: SelectQueryBuilder<BackupEntity>, context: FilterContext): boolean {
  const { filter } = context;
  whereCreated(query, filter);
  if (filter.expiresBefore) {
    query.andWhere('row.expiresAt < :expiresBefore', { expiresBefore: filter.expiresBefore.getTime() });
  }
  if (filter.missing !== undefined) query.andWhere(`row.missingSince IS ${filter.missing ? 'NOT NULL' : 'NULL'}`);
  if (filter.onHold !== undefined) query.andWhere(`${filter.onHold ? '' : 'NOT '}${ON_HOLD}`);
  whereLabels(query, context);
  return (
    whereIn(query, 'id', filter.ids) &&
    whereIn(query, 'type', filter.types) &&
    whereIn(query, 'source', filter.sources) &&
    whereIn(query, 'businessId', filter.businessIds) &&
    whereIn(query, 'createdBy', filter.createdBy) &&
    whereStatus(query, context) &&
    whereDataTypes(query, filter)
  );
}

function whereStatus(query: SelectQueryBuilder<BackupEntity>, { filter, now }: FilterContext): boolean {
  if (filter.statuses === undefined) return true;
  if (filter.statuses.length === 0) return false;
  const conditions = filter.statuses.map((status) => `(${statusCondition(status)})`);
  query.andWhere(`(${conditions.join(' OR ')})`, { statusNow: now.getTime() });
  return true;
}

/** Only for members of BACKUP_STATUSES, which hold no quotes. */
function statusCondition(status: BackupStatus): string {
  if (status === 'EXPIRED') return "row.state = 'COMPLETED' AND row.expiresAt <= :statusNow";
  if (status !== 'COMPLETED') return `row.state = '${status}'`;
  return "row.state = 'COMPLETED' AND (row.expiresAt IS NULL OR row.expiresAt > :statusNow)";
}

function whereDataTypes(query: SelectQueryBuilder<BackupEntity>, { dataTypes }: BackupFilter): boolean {
  if (dataTypes === undefined) return true;
  if (dataTypes.length === 0) return false;
  const conditions = dataTypes.map((_, index) => `row.dataTypes LIKE :dataType${index}`);
  const values = dataTypes.map((type, index): [string, string] => [`dataType${index}`, `%,${type},%`]);
  query.andWhere(`(${conditions.join(' OR ')})`, Object.fromEntries<string>(values));
  return true;
}

function whereLabels(query: SelectQueryBuilder<BackupEntity>, { filter, engine }: FilterContext): void {
  for (const [index, [name, value]] of Object.entries(filter.labels ?? {}).entries()) {
    if (/["\\]/.test(name))
      throw new AppError('INVALID_INPUT', 'A label name holds no quotes or backslashes.', { path: ['labels'] });
    const found = `JSON_EXTRACT(row.labels, :labelPath${index})`;
    query.andWhere(`${engine === 'sqlite' ? found : `JSON_UNQUOTE(${found})`} = :labelValue${index}`, {
      [`labelPath${index}`]: `$."${name}"`,
      [`labelValue${index}`]: value,
    });
  }
}
