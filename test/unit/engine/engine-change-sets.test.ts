/** Applying a plan where the source can't tell whether an earlier attempt committed, and where the answer to a commit was lost. */
import { AppError } from '../../../src/domain/errors';
import type { BackupId } from '../../../src/domain/ids';
import type { EngineTask, PlanResult, RestoreResult } from '../../../src/domain/task';
import { applyTask, backup, plan, restoreTask, run, undoTask } from '../../support/engine-context';
import type { MemorySource } from '../../support/engine-memory-source';
import { memoryStore, type MemoryStore } from '../../support/engine-memory-store';
import { platformSource, stateOf } from '../../support/engine-platform';

type RestoreTask = Extract<EngineTask, { kind: 'RESTORE' }>;

let source: MemorySource;
let store: MemoryStore;
let backupId: BackupId;
let planned: PlanResult;
let whole: unknown;
let harmed: unknown;
const on = () => ({ source, store });

beforeEach(async () => {
  source = platformSource(20, 100);
  store = memoryStore();
  whole = stateOf(source);
  backupId = (await backup(on())).stored.manifest.backupId;
  const factors = source.tables.get('factors')!;
  for (const [at, [key, row]] of [...factors].entries()) {
    if (at % 5 === 0) factors.set(key, [...row.slice(0, 3), 'harmed']);
    if (at % 7 === 0) factors.delete(key);
  }
  source.tables.delete('config');
  harmed = stateOf(source);
  planned = await plan(on(), { backupId });
});

/** The commit is sent, and its answer lost; `happens` says whether it came through. */
function loseCommit(happens: boolean): void {
  const openChangeWriter = source.openChangeWriter.bind(source);
  source.openChangeWriter = async (options) => {
    const writer = await openChangeWriter(options);
    const { commit, rollback } = writer;
    writer.commit = async () => {
      await (happens ? commit() : rollback());
      throw new AppError('SOURCE_UNAVAILABLE', 'The answer was lost.', { retryable: true });
    };
    source.openChangeWriter = openChangeWriter;
    return writer;
  };
  source.recoverWrite = async () => 'UNKNOWN';
}

test.each([true, false])('a plan whose commit happened: %s, is applied once', async (happens) => {
  const task = applyTask(planned, backupId) as RestoreTask;
  loseCommit(happens);
  await expect(run(task, on())).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
  expect(stateOf(source)).toEqual(happens ? whole : harmed);
  const result = (await run({ ...task, attempt: 2 }, on())) as RestoreResult;
  expect(stateOf(source)).toEqual(whole);
  expect(result.notes).toEqual(happens ? [expect.stringContaining('had committed')] : []);
  expect(result).toMatchObject({ inserts: planned.inserts, updates: planned.updates, deletes: 0 });
  await run(undoTask(result, backupId), on());
  expect(stateOf(source)).toEqual(harmed);
  expect([source.openHandles(), store.openSessions()]).toEqual([0, 0]);
});

test.each([true, false])('an undo whose commit happened: %s, is done once', async (happens) => {
  const applied = (await run(applyTask(planned, backupId), on())) as RestoreResult;
  const task = undoTask(applied, backupId) as RestoreTask;
  loseCommit(happens);
  await expect(run(task, on())).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
  await run({ ...task, attempt: 2 }, on());
  expect(stateOf(source)).toEqual(harmed);
});

test('a job that is cancelled meanwhile says which: nothing of it, or all', async () => {
  for (const happens of [false, true]) {
    const task = applyTask(planned, backupId) as RestoreTask;
    loseCommit(happens);
    await expect(run(task, on())).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    const settled = run({ ...task, attempt: 2, recoverOnly: true }, on());
    if (happens) expect(await settled).toMatchObject({ notes: [expect.stringContaining('had committed')] });
    else await expect(settled).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(stateOf(source)).toEqual(happens ? whole : harmed);
  }
});

test('a restore in one job whose answer was lost tells of its change set, though nothing is left to do', async () => {
  const task = restoreTask({ backupId }) as RestoreTask;
  loseCommit(true);
  await expect(run(task, on())).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
  const result = (await run({ ...task, attempt: 2 }, on())) as RestoreResult;
  await run(undoTask(result, backupId), on());
  expect(stateOf(source)).toEqual(harmed);
});

test('a restore in one job that is cancelled meanwhile says which, too', async () => {
  for (const happens of [false, true]) {
    const task = restoreTask({ backupId }) as RestoreTask;
    loseCommit(happens);
    await expect(run(task, on())).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    const settled = run({ ...task, attempt: 2, recoverOnly: true }, on());
    expect(stateOf(source)).toEqual(happens ? whole : harmed);
    if (!happens) {
      await expect(settled).rejects.toMatchObject({ code: 'CANCELLED' });
      continue;
    }
    const result = (await settled) as RestoreResult;
    expect(result.notes).toEqual([expect.stringContaining('had committed')]);
    await run(undoTask(result, backupId), on());
    expect(stateOf(source)).toEqual(harmed);
  }
  expect([source.openHandles(), store.openSessions()]).toEqual([0, 0]);
});

test('a plan that is cancelled while it is kept stores no further list', async () => {
  const abort = new AbortController();
  let stored = 0;
  const beginChangeSet: MemoryStore['beginChangeSet'] = async (...args) => {
    const session = await store.beginChangeSet(...args);
    const putChunk = session.putChunk.bind(session);
    session.putChunk = (payload) => {
      stored++;
      abort.abort();
      return putChunk(payload);
    };
    return session;
  };
  const watched = Object.create(store, { beginChangeSet: { value: beginChangeSet } }) as MemoryStore;
  const planning = plan({ source, store: watched, signal: abort.signal }, { backupId });
  await expect(planning).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(stored).toBe(2); // both images of the updates, but not what is inserted
  expect([source.openHandles(), store.openSessions()]).toEqual([0, 0]);
});

test('another plan that was applied already is drift, not taken for this job’s doing', async () => {
  await run(applyTask(planned, backupId), on());
  source.recoverWrite = async () => 'UNKNOWN';
  await expect(run(applyTask(planned, backupId), on())).rejects.toMatchObject({ code: 'PLAN_DRIFTED' });
  expect(stateOf(source)).toEqual(whole);
});
