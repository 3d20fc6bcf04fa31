/** Verifies a backup: lets the store check its objects and says whether every one that holds anything of it is sound. */
import { AppError } from '../../domain/errors';
import type { EngineTask, VerificationResult } from '../../domain/task';
import type { TaskContext } from '../ports';
import { findDamage } from '../reading/find-damage';

type VerificationTask = Extract<EngineTask, { kind: 'VERIFICATION' }>;

export async function verifyBackup({ spec }: VerificationTask, context: TaskContext): Promise<VerificationResult> {
  const { backupId, level } = spec;
  if (level === 'RESTORE') throw new AppError('INTERNAL', 'A restore is rehearsed by a job of its own kind.');
  const store = await context.deps.store();
  const phase = { name: 'verifying', from: 0, to: 100 };
  const found = await findDamage(store, { backupId, level, phase }, context);
  return { kind: 'VERIFICATION', level, passed: found.findings.length === 0, ...found };
}
