/** A cleanup that is stopped or fails after a deletion still says what it deleted: nobody may go on listing it. */
import type { BackupId } from '../../../src/domain/ids';
import type { CleanupResult, EngineTask } from '../../../src/domain/task';
import { AppError } from '../../../src/domain/errors';
import { cleanUp } from '../../../src/engine/keeping/cleanup';
import type { EngineStore, TaskContext } from '../../../src/engine/ports';

type CleanupTask = Extract<EngineTask, { kind: 'CLEANUP' }>;

const [a, b] = ['a', 'b'] as [BackupId, BackupId];
const deletion = (more: Partial<CleanupTask>): CleanupTask => ({
  kind: 'CLEANUP',
  jobId: 'job' as never,
  backupIds: [a, b],
  dryRun: false,
  ...more,
});

type Store = Pick<EngineStore, 'storedBackupIds' | 'beginDeletion' | 'heldBackupIds' | 'collectGarbage'>;

type Deletes = (backupId: BackupId) => Promise<void>;
const deleting =
  (deletes: Deletes): Store['beginDeletion'] =>
  async () => ({ delete: deletes });

/** A store that holds `a` and `b`, in which all goes well but for what is given. */
function contextWith(given: Partial<Store>, abort = new AbortController()): TaskContext {
  const store: Store = {
    storedBackupIds: async () => new Set([a, b]),
    beginDeletion: deleting(async () => undefined),
    heldBackupIds: async () => new Set(),
    collectGarbage: async () => ({ freedBytes: 5, rewrittenPacks: 2, rewrittenBytes: 3, damagedPacks: [] }),
    ...given,
  };
  const progress = { begin: () => undefined, advance: () => undefined };
  const hooks = { onLog: () => undefined };
  return { deps: { store: async () => store }, progress, hooks, signal: abort.signal } as unknown as TaskContext;
}
const run = (context: TaskContext, more: Partial<CleanupTask> = {}): Promise<CleanupResult> =>
  cleanUp(deletion(more), context);
const away = new AppError('REPOSITORY_UNAVAILABLE', 'The repository is away.', { retryable: true });

describe('a cleanup', () => {
  it('cancelled after its first deletion keeps the rest and says so', async () => {
    const abort = new AbortController();
    const context = contextWith({ beginDeletion: deleting(async () => abort.abort()) }, abort);
    expect(await run(context)).toMatchObject({
      deletedBackupIds: [a],
      kept: [{ backupId: b, reason: 'The cleanup was stopped.' }],
      freedBytes: 0,
    });
  });

  it('that loses the repository after its first deletion keeps the rest and says why', async () => {
    const deletes = async (id: string): Promise<void> => (id === 'b' ? Promise.reject(away) : undefined);
    const kept = [{ backupId: b, reason: 'The repository is away.' }];
    expect(await run(contextWith({ beginDeletion: deleting(deletes) }))).toMatchObject({ deletedBackupIds: [a], kept });
  });

  it('whose collection fails has deleted all the same', async () => {
    const context = contextWith({ collectGarbage: () => Promise.reject(away) });
    expect(await run(context)).toMatchObject({ deletedBackupIds: [a, b], freedBytes: 0 });
  });

  it('that fails or is cancelled before any deletion fails as such', async () => {
    await expect(run(contextWith({ beginDeletion: () => Promise.reject(away) }))).rejects.toBe(away);
    const abort = new AbortController();
    abort.abort();
    await expect(run(contextWith({}, abort))).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('counts what an earlier attempt deleted, even when it is cancelled at once', async () => {
    const abort = new AbortController();
    abort.abort();
    const context = contextWith({ storedBackupIds: async () => new Set([b]) }, abort);
    expect(await run(context)).toMatchObject({ deletedBackupIds: [a], kept: [{ backupId: b }] });
  });

  it('that is only to settle says what is gone, and deletes nothing', async () => {
    const beginDeletion = jest.fn();
    const gone = contextWith({ storedBackupIds: async () => new Set([a]), beginDeletion });
    expect(await run(gone, { recoverOnly: true })).toMatchObject({ deletedBackupIds: [b], kept: [{ backupId: a }] });
    await expect(run(contextWith({ beginDeletion }), { recoverOnly: true })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    expect(beginDeletion).not.toHaveBeenCalled();
  });

  it('that can not see what is gone says nothing', async () => {
    const context = contextWith({ storedBackupIds: () => Promise.reject(away) });
    await expect(run(context, { recoverOnly: true })).rejects.toBe(away);
    await expect(run(context)).rejects.toBe(away);
  });

  it('lists the manifests once, however many it deletes, and says what was rewritten', async () => {
    const beginDeletion = jest.fn(deleting(async () => undefined));
    expect(await run(contextWith({ beginDeletion }))).toMatchObject({ rewrittenPacks: 2, rewrittenBytes: 3 });
    expect(beginDeletion).toHaveBeenCalledTimes(1);
  });

  it('as a dry run deletes nothing', async () => {
    const beginDeletion = jest.fn();
    const result = await run(contextWith({ beginDeletion }), { dryRun: true });
    expect(result).toMatchObject({ deletedBackupIds: [a, b], freedBytes: 5 });
    expect(beginDeletion).not.toHaveBeenCalled();
  });

  it('keeps what a legal hold keeps and says so, as a dry run too', async () => {
    const held = new AppError('LEGAL_HOLD', 'held');
    const beginDeletion = deleting(async (id) => (id === a ? Promise.reject(held) : undefined));
    const kept = [{ backupId: a, reason: 'A legal hold keeps it.' }];
    expect(await run(contextWith({ beginDeletion }))).toMatchObject({ deletedBackupIds: [b], kept });
    const heldBackupIds = async (): Promise<Set<BackupId>> => new Set([a]);
    const dry = contextWith({ beginDeletion: jest.fn(), heldBackupIds });
    expect(await run(dry, { dryRun: true })).toMatchObject({ deletedBackupIds: [b], kept });
  });
});
