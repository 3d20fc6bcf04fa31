/** Which job is next, and which leases have run out. */
import type { EntityManager } from 'typeorm';
import { LessThanOrEqual } from 'typeorm';
import type { JobId } from '../domain/ids';
import type { ClaimRequest } from './catalog';
import { JobEntity } from './entities';

/** Leases reaped in one transaction. */
const REAP_BATCH = 100;

/** Oldest first among the due jobs whose source has room; work on the repository alone has no source and always has room. */
export async function findClaimable(manager: EntityManager, request: ClaimRequest, now: Date): Promise<JobId | null> {
  const busySources = `SELECT source FROM (
    SELECT source FROM jobs WHERE state = 'RUNNING' AND source IS NOT NULL GROUP BY source HAVING COUNT(*) >= ?) AS busy`;
  const kinds = request.kinds === undefined ? '' : `AND kind IN (${request.kinds.map(() => '?').join(', ') || 'NULL'})`;
  const sql = `SELECT id FROM jobs WHERE state = 'PENDING' AND run_after <= ? ${kinds}
    AND (source IS NULL OR source NOT IN (${busySources})) ORDER BY created_at, id LIMIT 1`;
  const parameters = [now.getTime(), ...(request.kinds ?? []), request.concurrencyPerSource];
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
