/** Sums over backups, computed by the database from one filtered query each. */
import type { SelectQueryBuilder } from 'typeorm';
import type { BackupType } from '../domain/backup';
import { DATA_TYPES, type DataType } from '../domain/data-type';
import type { BackupBucket, BackupStatistics, BusinessCount } from './catalog';
import type { CatalogEngine } from './data-source';
import type { BackupEntity } from './entities';

/** A fresh query over the backups that the filter leaves; the table's alias is `row`. */
type Filtered = () => SelectQueryBuilder<BackupEntity>;
type Raw = Record<string, string | number | null>;

const COMPLETED = "row.state = 'COMPLETED'";
const EXPIRED = `${COMPLETED} AND row.expiresAt <= :now`;
const COUNTED = `${COMPLETED} AND row.newRawBytes IS NOT NULL`;
/** Of the backup `row`. */
export const ON_HOLD = 'EXISTS (SELECT 1 FROM legal_holds hold WHERE hold.backup_id = row.id)';
const COMPLETE_IN_ROWS = 'row.businessId IS NULL';
const RESTORABLE = `${COMPLETED} AND row.missingSince IS NULL`;
/** In floating point: SQLite's integer sums fail on overflow. */
const sumWhen = (condition: string, value: string): string =>
  `SUM(CASE WHEN ${condition} THEN ${value} * 1.0 ELSE 0 END)`;
const countWhen = (condition: string): string => `SUM(CASE WHEN ${condition} THEN 1 ELSE 0 END)`;
const DURATION = `AVG(CASE WHEN ${COMPLETED} THEN row.completedAt - row.startedAt END)`;

const number = (value: string | number | null | undefined): number => Number(value ?? 0);
const rounded = (value: string | number | null | undefined): number | null =>
  value === null || value === undefined ? null : Math.round(Number(value));
const date = (value: string | number | null | undefined): Date | null =>
  value === null || value === undefined ? null : new Date(Number(value));

export async function backupStatistics(filtered: Filtered, now: Date): Promise<BackupStatistics> {
  const totals = await readTotals(filtered(), now);
  return {
    ...summarize(totals),
    byType: await countByType(filtered()),
    byDataType: await countByDataType(filtered()),
  };
}

async function readTotals(query: SelectQueryBuilder<BackupEntity>, now: Date): Promise<Raw> {
  query.select('COUNT(*)', 'total').setParameter('now', now.getTime());
  for (const state of ['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED']) {
    query.addSelect(countWhen(`row.state = '${state}'`), state.toLowerCase());
  }
  query
    .addSelect(countWhen(EXPIRED), 'expired')
    .addSelect(countWhen(ON_HOLD), 'on_hold')
    .addSelect(countWhen('row.missingSince IS NOT NULL'), 'missing')
    .addSelect(sumWhen(COMPLETED, 'row.rowCount'), 'row_total')
    .addSelect(sumWhen(COMPLETED, 'row.rawBytes'), 'raw_bytes')
    .addSelect(sumWhen(COMPLETED, 'row.storedBytes'), 'stored_bytes')
    .addSelect(sumWhen(COUNTED, 'row.rawBytes'), 'counted_raw_bytes')
    .addSelect(sumWhen(COUNTED, 'row.newRawBytes'), 'counted_new_raw_bytes')
    .addSelect(sumWhen(COUNTED, 'row.storedBytes'), 'counted_stored_bytes')
    .addSelect(`MAX(CASE WHEN ${COUNTED} THEN row.rawBytes ELSE 0 END)`, 'counted_largest')
    .addSelect(DURATION, 'duration')
    .addSelect(`MIN(CASE WHEN ${RESTORABLE} THEN row.createdAt END)`, 'oldest')
    .addSelect(`MAX(CASE WHEN ${RESTORABLE} THEN row.createdAt END)`, 'newest');
  return (await query.getRawOne<Raw>()) ?? {};
}

function summarize(totals: Raw): Omit<BackupStatistics, 'byType' | 'byDataType'> {
  const everCompleted = number(totals['completed']);
  const failed = number(totals['failed']);
  const expired = number(totals['expired']);
  const ended = everCompleted + failed;
  return {
    total: number(totals['total']),
    pending: number(totals['pending']),
    running: number(totals['running']),
    completed: everCompleted - expired,
    failed,
    cancelled: number(totals['cancelled']),
    expired,
    onHold: number(totals['on_hold']),
    missing: number(totals['missing']),
    rowCount: number(totals['row_total']),
    rawBytes: number(totals['raw_bytes']),
    storedBytes: number(totals['stored_bytes']),
    counted: {
      rawBytes: number(totals['counted_raw_bytes']),
      newRawBytes: number(totals['counted_new_raw_bytes']),
      storedBytes: number(totals['counted_stored_bytes']),
      largestRawBytes: number(totals['counted_largest']),
    },
    successRate: ended === 0 ? null : everCompleted / ended,
    averageDurationMs: rounded(totals['duration']),
    oldest: date(totals['oldest']),
    newest: date(totals['newest']),
  };
}

async function countByType(query: SelectQueryBuilder<BackupEntity>): Promise<BackupStatistics['byType']> {
  const rows = await query
    .select('row.type', 'type')
    .addSelect('COUNT(*)', 'n')
    .addSelect(sumWhen(COMPLETED, 'row.storedBytes'), 'stored_bytes')
    .groupBy('row.type')
    .orderBy('row.type')
    .getRawMany<Raw>();
  return rows.map((row) => ({
    type: row['type'] as BackupType,
    count: number(row['n']),
    storedBytes: number(row['stored_bytes']),
  }));
}

async function countByDataType(query: SelectQueryBuilder<BackupEntity>): Promise<BackupStatistics['byDataType']> {
  query.select('COUNT(*)', 'total');
  for (const type of DATA_TYPES) {
    const holds = `row.dataTypes LIKE '%,${type},%'`;
    query.addSelect(countWhen(holds), `n_${type}`);
    query.addSelect(
      `MAX(CASE WHEN ${RESTORABLE} AND ${COMPLETE_IN_ROWS} AND ${holds} THEN row.readAt END)`,
      `newest_${type}`,
    );
  }
  const row = (await query.getRawOne<Raw>()) ?? {};
  return DATA_TYPES.map((type) => dataTypeCount(type, row)).filter((entry) => entry.count > 0);
}

function dataTypeCount(type: DataType, row: Raw): BackupStatistics['byDataType'][number] {
  return { dataType: type, count: number(row[`n_${type}`]), newestReadAt: date(row[`newest_${type}`]) };
}

export async function countByBusiness(filtered: Filtered, limit: number): Promise<BusinessCount[]> {
  const rows = await filtered()
    .select('row.businessId', 'business')
    .addSelect('COUNT(*)', 'n')
    .addSelect(sumWhen(COMPLETED, 'row.storedBytes'), 'stored_bytes')
    .andWhere('row.businessId IS NOT NULL')
    .groupBy('row.businessId')
    .orderBy('n', 'DESC')
    .addOrderBy('business', 'ASC')
    .limit(limit)
    .getRawMany<Raw>();
  return rows.map((row) => ({
    businessId: String(row['business']),
    count: number(row['n']),
    storedBytes: number(row['stored_bytes']),
  }));
}

export async function backupSeries(
  filtered: Filtered,
  { bucketMs, engine }: { bucketMs: number; engine: CatalogEngine },
): Promise<BackupBucket[]> {
  const bucket = engine === 'sqlite' ? 'CAST(row.createdAt / :bucketMs AS INTEGER)' : '(row.createdAt DIV :bucketMs)';
  const rows = await filtered()
    .select(bucket, 'bucket')
    .addSelect(countWhen(COMPLETED), 'completed')
    .addSelect(countWhen("row.state = 'FAILED'"), 'failed')
    .addSelect(countWhen("row.state = 'CANCELLED'"), 'cancelled')
    .addSelect(sumWhen(COMPLETED, 'row.rowCount'), 'row_total')
    .addSelect(sumWhen(COMPLETED, 'row.rawBytes'), 'raw_bytes')
    .addSelect(sumWhen(COMPLETED, 'row.storedBytes'), 'stored_bytes')
    .addSelect(DURATION, 'duration')
    .andWhere("row.state IN ('COMPLETED', 'FAILED', 'CANCELLED')")
    .setParameter('bucketMs', bucketMs)
    .groupBy('bucket')
    .orderBy('bucket')
    .getRawMany<Raw>();
  return rows.map((row) => toBucket(row, bucketMs));
}

function toBucket(row: Raw, bucketMs: number): BackupBucket {
  return {
    from: new Date(Math.floor(number(row['bucket'])) * bucketMs),
    completed: number(row['completed']),
    failed: number(row['failed']),
    cancelled: number(row['cancelled']),
    rowCount: number(row['row_total']),
    rawBytes: number(row['raw_bytes']),
    storedBytes: number(row['stored_bytes']),
    averageDurationMs: rounded(row['duration']),
  };
}
