/** What of a backup is damaged in the repository, object by object. */
import type { DamageFinding } from '../../domain/backup-store';
import type { BackupId } from '../../domain/ids';
import type { EngineStore, StoreCheckOptions, TaskContext } from '../ports';
import type { Phase } from '../progress';

export interface DamageSearch {
  backupId: BackupId;
  level: StoreCheckOptions['level'];
  phase: Phase;
}

export interface DamageFound {
  findings: DamageFinding[];
  checkedChunks: number;
  checkedBytes: number;
}

export async function findDamage(
  store: EngineStore,
  { backupId, level, phase }: DamageSearch,
  { progress, signal }: TaskContext,
): Promise<DamageFound> {
  progress.begin(phase);
  let seenBytes = 0;
  const { neededPacks, ...check } = await store.check({
    level,
    backupIds: [backupId],
    signal,
    onProgress: ({ checkedBytes, totalBytes }) => {
      if (seenBytes === 0) progress.begin({ ...phase, bytesTotal: totalBytes });
      progress.advance({ rows: 0, bytes: checkedBytes - seenBytes });
      seenBytes = checkedBytes;
    },
  });
  // Damage where something of the backup lies is told even if no restore is hurt by it, e.g. that of an index.
  const findings = check.findings.filter(
    ({ object, backupIds }) => backupIds.includes(backupId) || neededPacks.has(object),
  );
  // A backup that is not there has nothing that could be damaged, and is not sound for it.
  if (findings.length === 0 && (await store.findManifest(backupId)) === null) findings.push(missingBackup(backupId));
  return { findings, checkedChunks: check.checkedChunks, checkedBytes: check.checkedBytes };
}

export function missingBackup(backupId: BackupId): DamageFinding {
  const message = `The repository holds no manifest of backup ${backupId}.`;
  return { object: 'manifests/', problem: 'MISSING', message, backupIds: [backupId] };
}
