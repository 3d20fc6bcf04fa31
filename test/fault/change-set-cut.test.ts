/**
 * Connections lost at any moment of applying and undoing: the source is untouched or complete, and the next attempt of the job says which.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackupId } from '../../src/domain/ids';
import type { EngineTask, PlanResult, RestoreResult } from '../../src/domain/task';
import { applyTask, backup, plan, restoreTask, run, undoTask, type EngineBench } from '../support/engine-context';
import { mariadbPlace, type Place } from '../support/engine-places';
import { ENGINE_MAPPING, engineRows, engineTables, openStore } from '../support/engine-scenarios';
import { stopMariadb } from '../support/mariadb';
import { describeMariadb, openTestMysql } from '../support/mysql-source';
import { openTcpProxy, type TcpProxy } from '../support/tcp-proxy';

jest.setTimeout(600_000);

const TABLES = ENGINE_MAPPING.map(({ table }) => table);
const HARM = [
  'DROP TABLE factor',
  'DELETE FROM config WHERE id < 10',
  `UPDATE assessment SET score = 1 WHERE business_id = 'b3'`,
  `INSERT INTO business VALUES ('late','t0',NULL)`,
];
/** From one cut to the next, in pieces of bytes that the client sends. */
const STEP = process.env.LONG === '1' ? 1 : 9;

type RestoreTask = Extract<EngineTask, { kind: 'RESTORE' }>;

describeMariadb('a connection lost', () => {
  let folder: string;
  let place: Place;
  let proxy: TcpProxy;
  /** By a connection that nobody cuts, and by the proxy. */
  let direct: EngineBench;
  let cuttable: EngineBench;
  let backupId: BackupId;
  let whole: unknown;
  let harmed: unknown;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'riskvault-change-cut-'));
    place = await mariadbPlace();
    for (const statement of [...engineTables(place.types), ...engineRows(12)]) await place.sql.exec(statement);
    const { hostname, port } = new URL(place.database);
    proxy = await openTcpProxy(hostname, Number(port || 3306));
    const proxied = Object.assign(new URL(place.database), { host: `127.0.0.1:${proxy.port}` }).href;
    const store = await openStore(join(folder, 'repository'));
    direct = { source: place.source, store };
    cuttable = { source: openTestMysql(proxied, ENGINE_MAPPING), store };
    whole = await state();
    backupId = (await backup(direct)).stored.manifest.backupId;
    for (const statement of HARM) await place.sql.exec(statement);
    harmed = await state();
  });
  afterEach(async () => {
    await cuttable.source.close();
    await proxy.close();
    await place.source.close();
    await place.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  afterAll(() => stopMariadb());

  async function state(): Promise<unknown> {
    const states = await place.source.tableStates(TABLES);
    const found: Record<string, unknown> = {};
    for (const table of TABLES) {
      const isMissing = states.get(table) === 'MISSING';
      found[table] = isMissing ? 'MISSING' : await place.sql.query(`SELECT * FROM ${table} ORDER BY 1`);
    }
    return found;
  }

  /** The result of the task, or of the next attempt, which says that the first had committed; null where nothing of it was there. */
  async function settled(task: RestoreTask, wasCut: () => boolean): Promise<RestoreResult | null> {
    try {
      return (await run(task, cuttable)) as RestoreResult;
    } catch (error) {
      expect(wasCut()).toBe(true);
      expect(error).toMatchObject({ code: 'SOURCE_UNAVAILABLE', retryable: true });
    }
    try {
      return (await run({ ...task, attempt: 2, recoverOnly: true }, direct)) as RestoreResult;
    } catch (error) {
      expect(error).toMatchObject({ code: 'CANCELLED' });
      return null;
    }
  }

  interface Way {
    task: () => RestoreTask;
    from: unknown;
    to: unknown;
    /** From `to` to `from` again. */
    back: (done: RestoreResult) => Promise<unknown>;
  }

  /** Cuts later and later, until the task is over before the cut. Gives how often it was untouched and how often done. */
  async function cutEverywhere({ task, from, to, back }: Way, when: 'BEFORE' | 'AFTER') {
    const outcomes = { untouched: 0, done: 0 };
    for (let n = 1; ; n += STEP) {
      const { hasCut } = proxy.cutAt(n, when);
      const done = await settled(task(), hasCut);
      expect([n, await state()]).toEqual([n, done === null ? from : to]);
      if (done !== null) await back(done);
      expect([n, await state()]).toEqual([n, from]);
      if (!hasCut()) return outcomes;
      outcomes[done === null ? 'untouched' : 'done']++;
    }
  }

  const undone = (done: RestoreResult) => run(undoTask(done, backupId), direct);

  it.each(['BEFORE', 'AFTER'] as const)('while a plan is applied, %s the server got what was sent', async (when) => {
    const planned: PlanResult = await plan(direct, { backupId });
    const task = () => applyTask(planned, backupId) as RestoreTask;
    const outcomes = await cutEverywhere({ task, from: harmed, to: whole, back: undone }, when);
    expect(outcomes.untouched).toBeGreaterThan(3);
  });

  it.each(['BEFORE', 'AFTER'] as const)('while a restore is undone, %s the server got what was sent', async (when) => {
    const restored = (await run(restoreTask({ backupId }), direct)) as RestoreResult;
    const task = () => undoTask(restored, backupId) as RestoreTask;
    const outcomes = await cutEverywhere({ task, from: whole, to: harmed, back: undone }, when);
    expect(outcomes.untouched).toBeGreaterThan(3);
  });
});
