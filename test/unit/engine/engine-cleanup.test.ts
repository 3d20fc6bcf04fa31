/** A cleanup that is stopped or fails after a deletion still says what it deleted: nobody may go on listing it. */
import type { CleanupJobSpec } from '../../../src/domain/job';
import type { CleanupResult, EngineTask } from '../../../src/domain/task';
import { AppError } from '../../../src/domain/errors';
import { cleanUp } from '../../../src/engine/cleanup';
import type { TaskContext } from '../../../src/engine/ports';

const deletion = (spec: Partial<CleanupJobSpec>): Extract<EngineTask, { kind: 'CLEANUP' }> => ({
  kind: 'CLEANUP',
  jobId: 'job' as never,
  spec: { kind: 'CLEANUP', backupIds: ['a', 'b'] as never, dryRun: false, ...spec },
});

/** A store whose deletion of `a` works, and then something happens. */
function contextWith(
  store: { deleteManifest(id: string): Promise<void>; collectGarbage(): Promise<unknown> },
  abort = new AbortController(),
) {
  const progress = { begin: () => undefined, advance: () => undefined };
  const hooks = { onLog: () => undefined };
  return { deps: { store: async () => store }, progress, hooks, signal: abort.signal } as unknown as TaskContext;
}
const run = (context: TaskContext, spec = {}): Promise<CleanupResult> => cleanUp(deletion(spec), context);
const away = new AppError('REPOSITORY_UNAVAILABLE', 'The repository is away.', { retryable: true });
const nothing = { collectGarbage: async () => ({ freedBytes: 5 }) };

describe('a cleanup', () => {
  it('cancelled after its first deletion keeps the rest and says so', async () => {
    const abort = new AbortController();
    const context = contextWith({ ...nothing, deleteManifest: async () => abort.abort() }, abort);
    expect(await run(context)).toMatchObject({
      deletedBackupIds: ['a'],
      kept: [{ backupId: 'b', reason: 'The cleanup was cancelled.' }],
      freedBytes: 0,
    });
  });

  it('that loses the repository after its first deletion keeps the rest and says why', async () => {
    const deleteManifest = async (id: string): Promise<void> => (id === 'b' ? Promise.reject(away) : undefined);
    const kept = [{ backupId: 'b', reason: 'The repository is away.' }];
    expect(await run(contextWith({ ...nothing, deleteManifest }))).toMatchObject({ deletedBackupIds: ['a'], kept });
  });

  it('whose collection fails has deleted all the same', async () => {
    const store = { deleteManifest: async () => undefined, collectGarbage: () => Promise.reject(away) };
    expect(await run(contextWith(store))).toMatchObject({ deletedBackupIds: ['a', 'b'], freedBytes: 0 });
  });

  it('that fails or is cancelled before any deletion fails as such', async () => {
    const store = { ...nothing, deleteManifest: () => Promise.reject(away) };
    await expect(run(contextWith(store))).rejects.toBe(away);
    const abort = new AbortController();
    abort.abort();
    await expect(run(contextWith(store, abort))).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
