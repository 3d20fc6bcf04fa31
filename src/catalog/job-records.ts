/** Jobs as they are read: lists, statistics, and the deletion of old finished ones. */
import { IsNull, LessThan, type EntityManager, type SelectQueryBuilder } from 'typeorm';
import { JOB_STATES, type JobKind, type JobState } from '../domain/job';
import type { JobFilter, JobOrderField, JobRecords, JobStatistics } from './catalog';
import { DUE, dueAt } from './claimable';
import { raiseDeletedFloor, type Database } from './database';
import { IdempotencyEntity, JobEntity, JobEventEntity } from './entities';
import { KeysetList, whereCreated, whereIn } from './keyset';
import type { JobRecord } from './records';
import { toJob } from './to-records';

const FINAL_STATES: JobState[] = ['COMPLETED', 'FAILED', 'CANCELLED'];
/** Jobs deleted in one transaction: few enough that other writers never wait long. */
const DELETE_BATCH = 200;

export class CatalogJobs extends KeysetList<JobEntity, JobRecord, JobFilter, JobOrderField> implements JobRecords {
  constructor(database: Database) {
    super(database, {
      entity: JobEntity,
      toItem: toJob,
      idOf: (row) => row.id,
      applyFilter: applyJobFilter,
      fields: {
        CREATED_AT: { property: 'createdAt', nullable: false },
        FINISHED_AT: { property: 'finishedAt', nullable: true },
      },
      defaultField: 'CREATED_AT',
      valueOf: (job, field) => (field === 'CREATED_AT' ? job.createdAt : job.finishedAt),
    });
  }

  statistics(): Promise<JobStatistics> {
    const now = this.database.clock.now();
    return this.database.read(async (manager) => ({
      byState: await countByState(manager),
      byKind: await countByKind(manager),
      oldestPendingAt: await oldestPending(manager, now),
      averageDurationMs: await averageDuration(manager),
    }));
  }

  async deleteFinished(options: { finishedBefore: Date; filter?: JobFilter }): Promise<number> {
    let deleted = 0;
    if (options.filter === undefined) await this.deleteKeysWithoutJob(options.finishedBefore);
    for (;;) {
      const batch = await this.deleteBatch(options);
      deleted += batch;
      if (batch < DELETE_BATCH) return deleted;
    }
  }

  private deleteKeysWithoutJob(before: Date): Promise<unknown> {
    return this.database.write(({ manager }) =>
      manager.delete(IdempotencyEntity, { jobId: IsNull(), createdAt: LessThan(before) }),
    );
  }

  private deleteBatch(options: { finishedBefore: Date; filter?: JobFilter }): Promise<number> {
    return this.database.write(async ({ manager, now }) => {
      const query = this.query(manager).select('row.id', 'id');
      query.where('row.state IN (:...finalStates)', { finalStates: FINAL_STATES });
      query.andWhere('row.finishedAt < :finishedBefore', { finishedBefore: options.finishedBefore.getTime() });
      if (!this.filter(query, options.filter, now)) return 0;
      const found = await query.orderBy('row.finishedAt').limit(DELETE_BATCH).getRawMany<{ id: string }>();
      await deleteJobs(
        manager,
        found.map((row) => row.id),
      );
      return found.length;
    });
  }
}

async function deleteJobs(manager: EntityManager, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  const jobs = { ids };
  const newest = await manager
    .createQueryBuilder(JobEventEntity, 'event')
    .select('MAX(event.globalSequence)', 'newest')
    .where('event.jobId IN (:...ids)', jobs)
    .getRawOne<{ newest: string | null }>();
  await raiseDeletedFloor(manager, Number(newest?.newest ?? 0));
  await manager.createQueryBuilder().delete().from(JobEventEntity).where('job_id IN (:...ids)', jobs).execute();
  await manager.createQueryBuilder().delete().from(IdempotencyEntity).where('job_id IN (:...ids)', jobs).execute();
  await manager.createQueryBuilder().delete().from(JobEntity).where('id IN (:...ids)', jobs).execute();
}

function applyJobFilter(query: SelectQueryBuilder<JobEntity>, filter: JobFilter): boolean {
  whereCreated(query, filter);
  return (
    whereIn(query, 'id', filter.ids) &&
    whereIn(query, 'kind', filter.kinds) &&
    whereIn(query, 'state', filter.states) &&
    whereIn(query, 'source', filter.sources) &&
    whereIn(query, 'backupId', filter.backupIds) &&
    whereIn(query, 'createdBy', filter.createdBy)
  );
}

async function countByState(manager: EntityManager): Promise<Record<JobState, number>> {
  const rows: { state: JobState; n: string }[] = await manager.query(
    'SELECT state, COUNT(*) AS n FROM jobs GROUP BY state',
  );
  const counts = new Map(rows.map((row) => [row.state, Number(row.n)]));
  return Object.fromEntries(JOB_STATES.map((state) => [state, counts.get(state) ?? 0])) as Record<JobState, number>;
}

async function countByKind(manager: EntityManager): Promise<{ kind: JobKind; count: number }[]> {
  const rows: { kind: JobKind; n: string }[] = await manager.query(
    'SELECT kind, COUNT(*) AS n FROM jobs GROUP BY kind ORDER BY kind',
  );
  return rows.map((row) => ({ kind: row.kind, count: Number(row.n) }));
}

async function oldestPending(manager: EntityManager, now: Date): Promise<Date | null> {
  const [row]: { oldest: string | null }[] = await manager.query(
    `SELECT MIN(created_at) AS oldest FROM jobs WHERE state = 'PENDING' AND ${DUE}`,
    dueAt(now),
  );
  return row === undefined || row.oldest === null ? null : new Date(Number(row.oldest));
}

async function averageDuration(manager: EntityManager): Promise<number | null> {
  const [row]: { average: string | null }[] = await manager.query(
    "SELECT AVG(finished_at - started_at) AS average FROM jobs WHERE state = 'COMPLETED'",
  );
  return row === undefined || row.average === null ? null : Math.round(Number(row.average));
}
