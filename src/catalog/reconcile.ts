/**
 * Brings the index of backups in line with the repository: what has a manifest exists, whatever the catalog thought. Used when a
 * catalog was lost or restored from an older copy, and at start. It marks, it never deletes.
 */
import { In, IsNull, LessThan, Not, type EntityManager } from 'typeorm';
import type { BackupId } from '../domain/ids';
import type { StoredManifest } from '../domain/manifest';
import type { ReconcileReport } from './catalog';
import type { Database, Write } from './database';
import { BackupEntity, JobEntity } from './entities';
import { fromManifest } from './settle-effects';

type Verdict = 'IMPORTED' | 'UPDATED' | 'UNCHANGED';

/** Manifests taken in by one transaction: many, since each waits for the disk; few enough to hold in memory. */
const BATCH = 100;

export async function reconcileBackups(
  database: Database,
  manifests: AsyncIterable<StoredManifest>,
  storedIds?: () => Promise<ReadonlySet<BackupId>>,
): Promise<ReconcileReport> {
  const begun = database.clock.now();
  const report: ReconcileReport = { imported: [], updated: [], missing: [], unchanged: 0 };
  const seen = new Set<BackupId>();
  for await (const batch of inBatches(manifests)) {
    for (const { manifest } of batch) seen.add(manifest.backupId);
    await takeInBatch(database, batch, report);
  }
  const unreadable = [...((await storedIds?.()) ?? [])].filter((id) => !seen.has(id));
  report.updated.push(...(await database.transaction((write) => unmarkMissing(write, unreadable))));
  for (const id of unreadable) seen.add(id);
  report.missing = await database.transaction((write) => markMissing(write, { seen, begun }));
  return report;
}

/** What can't be read is stored all the same: taking it for missing would let its row go and leave its manifest, which holds up collections. */
async function unmarkMissing({ manager }: Write, unreadable: readonly BackupId[]): Promise<BackupId[]> {
  const marked = await manager.find(BackupEntity, { select: { id: true }, where: { missingSince: Not(IsNull()) } });
  const wrong = marked.map(({ id }) => id).filter((id) => unreadable.includes(id));
  for (const id of wrong) await manager.update(BackupEntity, { id }, { missingSince: null });
  return wrong;
}

async function* inBatches(manifests: AsyncIterable<StoredManifest>): AsyncGenerator<StoredManifest[]> {
  let batch: StoredManifest[] = [];
  for await (const stored of manifests) {
    batch.push(stored);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** A start with nothing to do only reads. */
async function takeInBatch(database: Database, batch: StoredManifest[], report: ReconcileReport): Promise<void> {
  const rows = await database.read((manager) => findRows(manager, batch));
  const differing = batch.filter((stored) => judge(rows.get(stored.manifest.backupId), stored) !== 'UNCHANGED');
  report.unchanged += batch.length - differing.length;
  if (differing.length === 0) return;
  const verdicts = await database.transaction((write) => takeIn(write, differing));
  for (const [index, verdict] of verdicts.entries()) {
    const { backupId } = (differing[index] as StoredManifest).manifest;
    if (verdict === 'IMPORTED') report.imported.push(backupId);
    else if (verdict === 'UPDATED') report.updated.push(backupId);
    else report.unchanged += 1;
  }
}

async function findRows(manager: EntityManager, batch: StoredManifest[]): Promise<Map<BackupId, BackupEntity>> {
  const ids = batch.map((stored) => stored.manifest.backupId);
  const rows = await manager.findBy(BackupEntity, { id: In(ids) });
  return new Map(rows.map((row) => [row.id, row]));
}

function judge(row: BackupEntity | undefined, stored: StoredManifest): Verdict {
  if (row === undefined) return 'IMPORTED';
  if (row.state === 'PENDING' || row.state === 'RUNNING') return 'UNCHANGED'; // its job settles it
  const same = row.state === 'COMPLETED' && row.checksum === stored.checksum && row.missingSince === null;
  return same && expiresAlike(row, stored) ? 'UNCHANGED' : 'UPDATED';
}

/** An expiry in the catalog alone must not make a backup look as if it were to go. */
function expiresAlike({ expiresAt }: BackupEntity, { manifest }: StoredManifest): boolean {
  const promised = manifest.expiresAt === null ? null : Date.parse(manifest.expiresAt);
  return (expiresAt?.getTime() ?? null) === promised;
}

/** Judges again: a job may have settled since the rows were read. */
async function takeIn({ manager }: Write, batch: StoredManifest[]): Promise<Verdict[]> {
  const rows = await findRows(manager, batch);
  const verdicts: Verdict[] = [];
  for (const stored of batch) {
    const { backupId } = stored.manifest;
    const verdict = judge(rows.get(backupId), stored);
    if (verdict === 'IMPORTED') await manager.insert(BackupEntity, imported(stored));
    if (verdict === 'UPDATED') await manager.update(BackupEntity, { id: backupId }, fromManifest(stored));
    verdicts.push(verdict);
  }
  return verdicts;
}

function imported(stored: StoredManifest): BackupEntity {
  const { backupId, jobId, createdBy, createdAt } = stored.manifest;
  const made = { id: backupId, jobId, createdBy, createdAt: new Date(createdAt), startedAt: new Date(createdAt) };
  return { ...fromManifest(stored), ...made, verification: null, restorability: null };
}

/** Only rows completed before the listing began: it can't have shown later ones. What a cleanup is deleting its job will settle. */
async function markMissing(
  { manager, now }: Write,
  { seen, begun }: { seen: Set<BackupId>; begun: Date },
): Promise<BackupId[]> {
  const stored = await manager.find(BackupEntity, {
    select: { id: true },
    where: { state: 'COMPLETED', missingSince: IsNull(), completedAt: LessThan(begun) },
  });
  const deleting = await findDeleting(manager);
  const missing = stored.map((row) => row.id).filter((id) => !seen.has(id) && !deleting.has(id));
  for (const id of missing) await manager.update(BackupEntity, { id }, { missingSince: now });
  return missing;
}

async function findDeleting(manager: EntityManager): Promise<Set<BackupId>> {
  const cleanups = await manager.find(JobEntity, {
    select: { id: true, deleting: true },
    where: { state: In(['PENDING', 'RUNNING']), deleting: Not(IsNull()) },
  });
  return new Set(cleanups.flatMap(({ deleting }) => deleting ?? []));
}
