/**
 * Brings the index of backups in line with the repository: what has a manifest exists, whatever the catalog thought. Used when a
 * catalog was lost or restored from an older copy, and at start. It marks, it never deletes.
 */
import { IsNull, LessThan } from 'typeorm';
import type { BackupId } from '../domain/ids';
import type { StoredManifest } from '../domain/manifest';
import type { ReconcileReport } from './catalog';
import type { Database, Write } from './database';
import { BackupEntity } from './entities';
import { fromManifest } from './settle-effects';

type Verdict = 'IMPORTED' | 'UPDATED' | 'UNCHANGED';

export async function reconcileBackups(
  database: Database,
  manifests: AsyncIterable<StoredManifest>,
): Promise<ReconcileReport> {
  const begun = database.clock.now();
  const report: ReconcileReport = { imported: [], updated: [], missing: [], unchanged: 0 };
  const seen = new Set<BackupId>();
  for await (const stored of manifests) {
    seen.add(stored.manifest.backupId);
    const verdict = await database.transaction((write) => takeIn(write, stored));
    if (verdict === 'IMPORTED') report.imported.push(stored.manifest.backupId);
    else if (verdict === 'UPDATED') report.updated.push(stored.manifest.backupId);
    else report.unchanged += 1;
  }
  report.missing = await database.transaction((write) => markMissing(write, { seen, begun }));
  return report;
}

async function takeIn({ manager }: Write, stored: StoredManifest): Promise<Verdict> {
  const row = await manager.findOneBy(BackupEntity, { id: stored.manifest.backupId });
  if (row === null) {
    await manager.insert(BackupEntity, imported(stored));
    return 'IMPORTED';
  }
  if (row.state === 'PENDING' || row.state === 'RUNNING') return 'UNCHANGED'; // its job settles it
  if (row.state === 'COMPLETED' && row.checksum === stored.checksum && row.missingSince === null) return 'UNCHANGED';
  await manager.update(BackupEntity, { id: row.id }, fromManifest(stored));
  return 'UPDATED';
}

function imported(stored: StoredManifest): BackupEntity {
  const { backupId, jobId, createdBy, createdAt } = stored.manifest;
  const made = { id: backupId, jobId, createdBy, createdAt: new Date(createdAt), startedAt: new Date(createdAt) };
  return { ...fromManifest(stored), ...made, verification: null };
}

/** Only rows completed before the listing began: it can't have shown later ones. */
async function markMissing(
  { manager, now }: Write,
  { seen, begun }: { seen: Set<BackupId>; begun: Date },
): Promise<BackupId[]> {
  const stored = await manager.find(BackupEntity, {
    select: { id: true },
    where: { state: 'COMPLETED', missingSince: IsNull(), completedAt: LessThan(begun) },
  });
  const missing = stored.map((row) => row.id).filter((id) => !seen.has(id));
  for (const id of missing) await manager.update(BackupEntity, { id }, { missingSince: now });
  return missing;
}
