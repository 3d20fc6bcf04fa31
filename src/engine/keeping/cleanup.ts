/**
 * Deletes backups: their manifests first, packs that nothing refers to afterwards, by the store's own collection. What the
 * store cannot read it keeps.
 */
import type { BackupDeletion } from '../../domain/backup-store';
import { AppError, isAppError, toAppError } from '../../domain/errors';
import type { BackupId } from '../../domain/ids';
import type { CleanupResult, EngineTask, ExpiredResult } from '../../domain/task';
import { throwIfAborted } from '../lanes';
import type { EngineStore, TaskContext } from '../ports';

type CleanupTask = Extract<EngineTask, { kind: 'CLEANUP' }>;

const ON_HOLD = 'A legal hold keeps it.';

interface Cleanup {
  task: CleanupTask;
  store: EngineStore;
  context: TaskContext;
  /** Backups of the task that have no manifest any more, or, in a dry run, would have none. */
  gone: Set<BackupId>;
  kept: CleanupResult['kept'];
  /** One listing for all of them; absent until the first is deleted. */
  deletion?: BackupDeletion;
}

type Collected = Pick<CleanupResult, 'freedBytes' | 'rewrittenPacks' | 'rewrittenBytes'>;

const NOTHING_COLLECTED: Collected = { freedBytes: 0, rewrittenPacks: 0, rewrittenBytes: 0 };

export async function findExpired(context: TaskContext): Promise<ExpiredResult> {
  const store = await context.deps.store();
  const now = context.deps.clock.now().getTime();
  const backupIds: BackupId[] = [];
  const keepDamaged = (name: string): void => context.hooks.onLog(`Kept ${name}: it cannot be read.`);
  for await (const { manifest } of store.listManifests(keepDamaged)) {
    throwIfAborted(context.signal);
    if (manifest.expiresAt !== null && Date.parse(manifest.expiresAt) <= now) backupIds.push(manifest.backupId);
  }
  return { kind: 'FIND_EXPIRED', backupIds };
}

export async function cleanUp(task: CleanupTask, context: TaskContext): Promise<CleanupResult> {
  const store = await context.deps.store();
  const stored = await store.storedBackupIds();
  const gone = new Set(task.backupIds.filter((id) => !stored.has(id)));
  const cleanup: Cleanup = { task, store, context, gone, kept: [] };
  return task.recoverOnly ? report(cleanup) : deleteAndCollect(cleanup);
}

async function deleteAndCollect(cleanup: Cleanup): Promise<CleanupResult> {
  const { task, context, gone, kept } = cleanup;
  context.progress.begin({ name: 'deleting', from: 0, to: 40 });
  for (const backupId of task.backupIds.filter((id) => !gone.has(id))) {
    const reason = await unlessDeleted(cleanup, () => tryDelete(cleanup, backupId));
    if (reason === null) gone.add(backupId);
    else kept.push({ backupId, reason });
  }
  let collected = NOTHING_COLLECTED;
  await unlessDeleted(cleanup, async () => {
    collected = await collect(cleanup);
    return null;
  });
  return { kind: 'CLEANUP', deletedBackupIds: inOrder(cleanup), ...collected, kept };
}

async function collect({ task, store, context }: Cleanup): Promise<Collected> {
  throwIfAborted(context.signal);
  context.progress.begin({ name: 'collecting', from: 40, to: 100 });
  const found = await store.collectGarbage({ dryRun: task.dryRun, signal: context.signal });
  for (const name of found.damagedPacks) context.hooks.onLog(`Left ${name} as it is: not all of it can be read.`);
  const { freedBytes, rewrittenPacks, rewrittenBytes } = found;
  return { freedBytes, rewrittenPacks, rewrittenBytes };
}

/** What earlier attempts deleted, told by one that shall delete no more. */
function report(cleanup: Cleanup): CleanupResult {
  const { task, gone } = cleanup;
  if (gone.size === 0) throw new AppError('CANCELLED', 'The cleanup ended before it had deleted anything.');
  const kept = task.backupIds
    .filter((id) => !gone.has(id))
    .map((backupId) => ({ backupId, reason: 'The cleanup ended before it.' }));
  return { kind: 'CLEANUP', deletedBackupIds: inOrder(cleanup), ...NOTHING_COLLECTED, kept };
}

function inOrder({ task, gone }: Cleanup): BackupId[] {
  return task.backupIds.filter((id) => gone.has(id));
}

/**
 * From the first deletion on the task has to say what is gone, or its owner would go on listing it: a cancellation or a failure then
 * only leaves the rest to the next cleanup. Gives the reason for that, or what `work` gives.
 */
async function unlessDeleted(
  { task, gone, context }: Cleanup,
  work: () => Promise<string | null>,
): Promise<string | null> {
  try {
    return await work();
  } catch (error) {
    if (task.dryRun || gone.size === 0) throw error;
    const reason = context.signal.aborted ? 'The cleanup was stopped.' : toAppError(error).message;
    context.hooks.onLog(`The rest is left to the next cleanup: ${reason}`);
    return reason;
  }
}

/** Why the backup stays; null when it is gone. */
async function tryDelete(cleanup: Cleanup, backupId: BackupId): Promise<string | null> {
  const { task, store, context } = cleanup;
  throwIfAborted(context.signal);
  if (task.dryRun) return (await store.heldBackupIds()).has(backupId) ? ON_HOLD : null;
  const { signal, hooks } = context;
  const onWaiting = (): void => hooks.onLog('Another cleanup deletes from the repository; this one waits for it.');
  try {
    cleanup.deletion ??= await store.beginDeletion({ signal, onWaiting });
    await cleanup.deletion.delete(backupId);
    return null;
  } catch (error) {
    if (isAppError(error) && error.code === 'LEGAL_HOLD') return ON_HOLD;
    throw error;
  }
}
