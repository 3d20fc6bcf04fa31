/**
 * `verify`: proves what is stored, names every damaged object with the backups that it hurts, and says which backups are sound.
 * Changes nothing. For one backup, damage that does not hurt it is told, and is no failure of it.
 */
import type { DamageFinding } from '../../domain/backup-store';
import type { BackupId } from '../../domain/ids';
import type { CheckReport } from '../../repository/check';
import type { Repository } from '../../repository/repository';
import { readBackups } from './stored-backups';
import { EXIT_FAILED, EXIT_OK, type OfflineDeps } from './terminal';
import { count, formatBytes } from './text-table';

export interface VerifyRequest {
  /** Absent: all. */
  backupId: BackupId | undefined;
  level: 'STRUCTURE' | 'DATA';
}

export async function verifyBackups(
  repository: Repository,
  { backupId, level }: VerifyRequest,
  deps: OfflineDeps,
): Promise<number> {
  const { terminal, signal } = deps;
  const report = await repository.check({
    level,
    signal,
    ...(backupId !== undefined && { backupIds: [backupId] }),
    onProgress: ({ checkedBytes, totalBytes }) => terminal.status?.(proven(checkedBytes, totalBytes)),
  });
  terminal.status?.('');
  for (const finding of report.findings) tell(finding, deps);
  const hurting = backupId === undefined ? report.findings : report.findings.filter(hurts(backupId));
  if (backupId === undefined) await tellSound(repository, report, deps);
  terminal.out(summary(report, level, hurting));
  return hurting.length === 0 ? EXIT_OK : EXIT_FAILED;
}

function proven(checked: number, total: number | null): string {
  return `proven ${formatBytes(checked)}${total === null ? '' : ` of ${formatBytes(total)}`}`;
}

function hurts(backupId: BackupId): (finding: DamageFinding) => boolean {
  return ({ backupIds }) => backupIds.includes(backupId);
}

function tell({ object, problem, message, backupIds }: DamageFinding, { terminal }: OfflineDeps): void {
  terminal.out(`${problem} ${object}: ${message}`);
  if (backupIds.length === 0) terminal.out('    hurts no backup');
  for (const id of backupIds) terminal.out(`    hurts backup ${id}`);
}

async function tellSound(repository: Repository, { findings }: CheckReport, { terminal }: OfflineDeps): Promise<void> {
  if (findings.length === 0) return;
  const hurt = new Set(findings.flatMap(({ backupIds }) => backupIds));
  const { backups } = await readBackups(repository);
  const sound = backups.filter(({ manifest }) => !hurt.has(manifest.backupId));
  for (const { manifest } of sound) terminal.out(`SOUND backup ${manifest.backupId} (${manifest.type}, ${manifest.readAt})`); // prettier-ignore
  if (hurt.size > 0) terminal.out(`${count(hurt.size, 'backup')} hurt, ${sound.length} sound.`);
}

function summary(report: CheckReport, level: string, hurting: readonly DamageFinding[]): string {
  const read = `${count(report.checkedObjects, 'object')}, ${formatBytes(report.checkedBytes)} checked at level ${level}`;
  return hurting.length === 0 ? `${read}: all sound.` : `${read}: ${count(hurting.length, 'damaged object')}.`;
}
