/** Which job is next, and which leases have run out. */
import type { EntityManager } from 'typeorm';
import { LessThanOrEqual } from 'typeorm';
import type { JobId } from '../domain/ids';
import { MAX_PUT_OFF_MS } from '../domain/job';
import type { ClaimRequest } from './catalog';
import { JobEntity } from './entities';

/** Leases reaped in one transaction. */
const REAP_BATCH = 100;

/**
 * Times are the wall clock's, which can be set back: then a job would wait until the clock has come round again. One that was never
 * put off is due whatever the clock says, and so is one put off further than any job is.
 */
export const DUE = '(run_after <= ? OR run_after = created_at OR run_after > ?)';
export const dueAt = (now: Date): [number, number] => [now.getTime(), now.getTime() + MAX_PUT_OFF_MS];

/** Oldest first among the due jobs whose source has room; work on the repository alone has no source and always has room. */
export async function findClaimable(manager: EntityManager, request: ClaimRequest, now: Date): Promise<JobId | null> {
  const busySources = `SELECT source FROM (
    SELECT source FROM jobs WHERE state = 'RUNNING' AND source IS NOT NULL GROUP BY source HAVING COUNT(*) >= ?) AS busy`;
  const kinds = request.kinds === undefined ? '' : `AND kind IN (${request.kinds.map(() => '?').join(', ') || 'NULL'})`;
  const sql = `SELECT id FROM jobs WHERE state = 'PENDING' AND ${DUE} ${kinds}
    AND (source IS NULL OR source NOT IN (${busySources})) ORDER BY created_at, id LIMIT 1`;
  const parameters = [...dueAt(now), ...(request.kinds ?? []), request.concurrencyPerSource];
  const rows: { id: JobId }[] = await manager.query(sql, parameters);
  return rows[0]?.id ?? null;
}

export function findExpired(manager: EntityManager, now: Date): Promise<JobEntity[]> {
  return manager.find(JobEntity, {
    where: { state: 'RUNNING', leaseExpiresAt: LessThanOrEqual(now) },
    order: { leaseExpiresAt: 'ASC' },
    take: REAP_BATCH,
  });
}
