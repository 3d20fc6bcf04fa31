/**
 * What deleting backups would free: packs of which nothing is needed once their manifests are gone, and what collections give back by
 * rewriting packs that are mostly dead then. Reads manifests and layer indexes, no rows, and changes nothing; memory is that of a
 * collection.
 */
import { AppError } from '../domain/errors';
import type { BackupId } from '../domain/ids';
import type { StoredManifest } from '../domain/manifest';
import { livingChangeSets } from './change-sets';
import { ChunkUsage, type PackUse } from './chunk-usage';
import type { RepositoryContext } from './context';
import { acquireReadLease } from './leases';
import { readManifests } from './manifests';
import { readMarks } from './marks';
import { ReachableWalk } from './reachable';
import { packsToRewrite } from './rewrite';

export interface FreedBytes {
  /**
   * Of packs that collections would delete, each once its grace period is over; of those that they would rewrite, the chunks left behind
   * (the new packs' own frames are not counted).
   */
  freedBytes: number;
  /** Of chunks that nothing would need any more, in packs that stay as they are because of others. */
  deadBytes: number;
}

export async function freedBy(
  context: RepositoryContext,
  backupIds: readonly BackupId[],
  signal?: AbortSignal,
): Promise<FreedBytes> {
  const lease = await acquireReadLease(context, { kind: 'SHARED', purpose: 'what a deletion would free', signal });
  try {
    return await reckon(context, { gone: new Set(backupIds), signal });
  } finally {
    await lease.release();
  }
}

async function reckon(
  context: RepositoryContext,
  { gone, signal }: { gone: ReadonlySet<BackupId>; signal: AbortSignal | undefined },
): Promise<FreedBytes> {
  await context.packs.refresh();
  const usage = new ChunkUsage(context.packs.snapshot());
  const marks = await readMarks(context);
  const choose = (): PackUse[] => usage.choose((name) => marks.names(name));
  const walk = new ReachableWalk((id) => context.packs.read(id), usage, signal);
  let kept = 0;
  for await (const { manifest } of soundManifests(context)) {
    if (gone.has(manifest.backupId)) continue;
    kept++;
    await walk.manifest(manifest);
  }
  if (kept === 0) return { freedBytes: 0, deadBytes: 0 }; // because a repository without manifests gives collections no right to delete
  for await (const { changeSet } of livingChangeSets(context, unknown)) await walk.changeSet(changeSet);
  const after = choose();
  for await (const { manifest } of soundManifests(context)) {
    if (gone.has(manifest.backupId)) await walk.manifest(manifest);
  }
  return difference(choose(), { after, rewritten: new Set(packsToRewrite(after, context.packTargetBytes)) });
}

function soundManifests({ objects }: RepositoryContext): AsyncIterable<StoredManifest> {
  return readManifests(objects, unknown);
}

function unknown(name: string, cause: unknown): never {
  throw new AppError('INTEGRITY_FAILURE', `What a deletion would free is unknown: "${name}" cannot be read.`, {
    cause,
    hint: 'Run a check of the repository; delete or repair what it names.',
  });
}

/** Only of packs that need less than before: what is garbage already is no merit of the deletion. */
function difference(
  before: readonly PackUse[],
  { after, rewritten }: { after: readonly PackUse[]; rewritten: ReadonlySet<PackUse> },
): FreedBytes {
  const neededBefore = new Map(before.map(({ number, neededBytes }) => [number, neededBytes]));
  const total = { freedBytes: 0, deadBytes: 0 };
  for (const pack of after) {
    const dying = (neededBefore.get(pack.number) ?? 0) - pack.neededBytes;
    if (dying <= 0) continue;
    if (pack.neededChunks === 0) total.freedBytes += pack.sizeBytes;
    else if (rewritten.has(pack)) total.freedBytes += pack.chunkBytes - pack.neededBytes;
    else total.deadBytes += dying;
  }
  return total;
}
