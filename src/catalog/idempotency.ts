/** Idempotency keys: one deed per principal, mutation and key. Looked up and written in the transaction that does the deed. */
import { createHash } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { AppError } from '../domain/errors';
import type { JobId } from '../domain/ids';
import type { IdempotencyClaim } from './catalog';
import { IdempotencyEntity } from './entities';

/** The deed that this key did before, and the job it made, if any; null for a new key. Throws IDEMPOTENCY_KEY_REUSED when its input was another. */
export async function findReplay(
  manager: EntityManager,
  claim: IdempotencyClaim,
): Promise<{ jobId: JobId | null } | null> {
  const found = await manager.findOneBy(IdempotencyEntity, { id: keyId(claim) });
  if (found === null) return null;
  if (found.inputHash === claim.inputHash) return { jobId: found.jobId };
  throw new AppError('IDEMPOTENCY_KEY_REUSED', 'This idempotency key was used before with another input.', {
    hint: 'Use a new key for a new deed, or repeat the very same input.',
    path: ['input', 'idempotencyKey'],
  });
}

export async function rememberKey(
  manager: EntityManager,
  claim: IdempotencyClaim,
  made: { jobId: JobId | null; now: Date },
): Promise<void> {
  const { principal, mutation, inputHash } = claim;
  await manager.insert(IdempotencyEntity, {
    id: keyId(claim),
    principal,
    mutation,
    inputHash,
    jobId: made.jobId,
    createdAt: made.now,
  });
}

/** JSON keeps the parts apart: no key can be built that looks like another principal's. */
function keyId({ principal, mutation, key }: IdempotencyClaim): string {
  return createHash('sha256')
    .update(JSON.stringify([principal, mutation, key]))
    .digest('hex');
}
