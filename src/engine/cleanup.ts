/**
 * Deletes backups: their manifests first, packs that nothing refers to afterwards, by the store's own collection. What the
 * store cannot read it keeps.
 */
import { isAppError, toAppError } from '../domain/errors';
import type { BackupId } from '../domain/ids';
import type { CleanupJobSpec } from '../domain/job';
import type { CleanupResult, EngineTask } from '../domain/task';
import { throwIfAborted } from './lanes';
import type { EngineStore, TaskContext } from './ports';

type CleanupTask = Extract<EngineTask, { kind: 'CLEANUP' }>;

export async function cleanUp({ spec }: CleanupTask, context: TaskContext): Promise<CleanupResult> {
  const store = await context.deps.store();
  const result: CleanupResult = { kind: 'CLEANUP', deletedBackupIds: [], freedBytes: 0, kept: [] };
  context.progress.begin({ name: 'deleting', from: 0, to: 40 });
  for (const backupId of spec.backupIds ?? (await expiredBackups(store, context))) {
    const reason = await unlessDeleted({ spec, result, context }, async () => {
      throwIfAborted(context.signal);
      return spec.dryRun ? null : tryDelete(store, backupId);
    });
    if (reason === null) result.deletedBackupIds.push(backupId);
    else result.kept.push({ backupId, reason });
  }
  await unlessDeleted({ spec, result, context }, async () => {
    throwIfAborted(context.signal);
    context.progress.begin({ name: 'collecting', from: 40, to: 100 });
    const { freedBytes } = await store.collectGarbage(collectOptions(spec, context));
    result.freedBytes = freedBytes;
    return null;
  });
  return result;
}

/**
 * From the first deletion on the task has to say what is gone, or its owner would go on listing it: a cancellation or a failure then
 * only leaves the rest to the next cleanup. Gives the reason for that, or what `work` gives.
 */
async function unlessDeleted(
  { spec, result, context }: { spec: CleanupJobSpec; result: CleanupResult; context: TaskContext },
  work: () => Promise<string | null>,
): Promise<string | null> {
  try {
    return await work();
  } catch (error) {
    if (spec.dryRun || result.deletedBackupIds.length === 0) throw error;
    const reason = context.signal.aborted ? 'The cleanup was cancelled.' : toAppError(error).message;
    context.hooks.onLog(`The rest is left to the next cleanup: ${reason}`);
    return reason;
  }
}

function collectOptions(spec: CleanupJobSpec, context: TaskContext): { dryRun: boolean; signal: AbortSignal } {
  return { dryRun: spec.dryRun, signal: context.signal };
}

/** Why the backup stays; null when it is gone. */
async function tryDelete(store: EngineStore, backupId: BackupId): Promise<string | null> {
  try {
    await store.deleteManifest(backupId);
    return null;
  } catch (error) {
    if (isAppError(error) && error.code === 'LEGAL_HOLD') return error.message;
    if (isAppError(error) && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

async function expiredBackups(store: EngineStore, context: TaskContext): Promise<BackupId[]> {
  const now = context.deps.clock.now().getTime();
  const expired: BackupId[] = [];
  const keepDamaged = (name: string): void => context.hooks.onLog(`Kept ${name}: it cannot be read.`);
  for await (const { manifest } of store.listManifests(keepDamaged)) {
    if (manifest.expiresAt !== null && Date.parse(manifest.expiresAt) <= now) expired.push(manifest.backupId);
  }
  return expired;
}
