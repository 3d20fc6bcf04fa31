/** Verifies a backup: lets the store check its objects and says whether every one that holds anything of it is sound. */
import { AppError } from '../../domain/errors';
import type { DamageFinding } from '../../domain/backup-store';
import type { BackupId } from '../../domain/ids';
import type { EngineTask, VerificationResult } from '../../domain/task';
import type { TaskContext } from '../ports';

type VerificationTask = Extract<EngineTask, { kind: 'VERIFICATION' }>;

export async function verifyBackup({ spec }: VerificationTask, context: TaskContext): Promise<VerificationResult> {
  const { backupId, level } = spec;
  if (level === 'RESTORE') {
    throw new AppError('INVALID_INPUT', 'Verification by a rehearsed restore is not available yet.', {
      hint: 'Verify at level DATA, or restore into a scratch schema.',
    });
  }
  const store = await context.deps.store();
  context.progress.begin({ name: 'verifying', from: 0, to: 100 });
  let seenBytes = 0;
  const check = await store.check({
    level,
    backupIds: [backupId],
    signal: context.signal,
    onProgress: ({ checkedBytes, totalBytes }) => {
      if (seenBytes === 0) context.progress.begin({ name: 'verifying', from: 0, to: 100, bytesTotal: totalBytes });
      context.progress.advance({ rows: 0, bytes: checkedBytes - seenBytes });
      seenBytes = checkedBytes;
    },
  });
  // Damage where something of the backup lies is told even if no restore is hurt by it, e.g. that of an index.
  const findings = check.findings.filter(
    ({ object, backupIds }) => backupIds.includes(backupId) || check.neededPacks.has(object),
  );
  // A backup that is not there has nothing that could be damaged, and is not sound for it.
  if (findings.length === 0 && (await store.findManifest(backupId)) === null) findings.push(missing(backupId));
  const passed = findings.length === 0;
  return {
    kind: 'VERIFICATION',
    level,
    passed,
    findings,
    checkedChunks: check.checkedChunks,
    checkedBytes: check.checkedBytes,
  };
}

function missing(backupId: BackupId): DamageFinding {
  const message = `The repository holds no manifest of backup ${backupId}.`;
  return { object: 'manifests/', problem: 'MISSING', message, backupIds: [backupId] };
}
