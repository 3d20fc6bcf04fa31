/**
 * kill -9 while a plan is made, applied or undone: the source is untouched or complete, the next attempt of the job says which, and
 * what was done can be undone.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackupId } from '../../src/domain/ids';
import type { EngineTask, PlanResult, RestoreResult } from '../../src/domain/task';
import {
  applyTask,
  backup,
  plan,
  planTask,
  run,
  restoreTask,
  undoTask,
  type EngineBench,
} from '../support/engine-context';
import { killedIn, mariadbPlace, sqlitePlace, type Place } from '../support/engine-places';
import { ENGINE_MAPPING, engineRows, engineTables, openStore } from '../support/engine-scenarios';
import { stopMariadb } from '../support/mariadb';
import { describeMariadb } from '../support/mysql-source';

jest.setTimeout(300_000);

const TABLES = ENGINE_MAPPING.map(({ table }) => table);
const HARM = [
  'DROP TABLE factor',
  'DELETE FROM config WHERE id < 10',
  `UPDATE assessment SET score = 1 WHERE business_id = 'b3'`,
  `INSERT INTO business VALUES ('late','t0',NULL)`,
];
const APPLYING = ['verifying', 'writing', 'checking', 'committing', 'finished'];
const UNDOING = [...APPLYING, 'dropping tables'];
const LOADING = ['loading', 'checking', 'publishing', 'finished'];

type RestoreTask = Extract<EngineTask, { kind: 'RESTORE' }>;

function describeKills(name: string, open: (folder: string) => Promise<Place>): void {
  describe(`killed on ${name}`, () => {
    let folder: string;
    let place: Place;
    let bench: EngineBench;
    let backupId: BackupId;
    let whole: unknown;
    let harmed: unknown;

    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'riskvault-change-kill-'));
      place = await open(folder);
      for (const statement of [...engineTables(place.types), ...engineRows(12)]) await place.sql.exec(statement);
      bench = { source: place.source, store: await openStore(join(folder, 'repository')) };
      whole = await state();
      backupId = (await backup(bench)).stored.manifest.backupId;
    });
    afterEach(async () => {
      await place.source.close();
      await place.remove();
      rmSync(folder, { recursive: true, force: true });
    });

    async function state(): Promise<unknown> {
      const states = await place.source.tableStates(TABLES);
      const found: Record<string, unknown> = {};
      for (const table of TABLES) {
        const isMissing = states.get(table) === 'MISSING';
        found[table] = isMissing ? 'MISSING' : await place.sql.query(`SELECT * FROM ${table} ORDER BY 1`);
      }
      return found;
    }

    async function harm(statements: readonly string[]): Promise<void> {
      for (const statement of statements) await place.sql.exec(statement);
      harmed = await state();
    }

    const kill = (phase: string, task: EngineTask): Promise<void> =>
      killedIn(phase, { database: place.database, repository: join(folder, 'repository'), task });

    const isCancelled = (error: unknown): null => {
      expect(error).toMatchObject({ code: 'CANCELLED' });
      return null;
    };

    /** Kills the task in the phase, settles it, and gives the result of the attempt that did it. */
    async function killedAndSettled(
      phase: string,
      task: RestoreTask,
      { from, to }: { from: unknown; to: unknown },
    ): Promise<RestoreResult> {
      await kill(phase, task);
      const settled = (await run({ ...task, attempt: 2, recoverOnly: true }, bench).catch(
        isCancelled,
      )) as RestoreResult | null;
      expect([phase, await state()]).toEqual([phase, settled === null ? from : to]);
      if (settled !== null) expect(settled.notes[0]).toMatch(/had committed/);
      const result = settled ?? ((await run({ ...task, attempt: 3 }, bench)) as RestoreResult);
      expect([phase, await state()]).toEqual([phase, to]);
      expect(result.changeSet).not.toBeNull();
      return result;
    }

    test('while it plans: nothing is changed, and the next attempt plans', async () => {
      await harm(HARM);
      for (const phase of ['verifying', 'comparing', 'keeping the plan', 'finished']) {
        const task = planTask({ backupId });
        await kill(phase, task);
        expect(await state()).toEqual(harmed);
        const planned = (await run(task, bench)) as PlanResult;
        expect(planned).toMatchObject({ inserts: 120 + 10, updates: 2, deletes: 1 });
        expect((await bench.store.check({ level: 'DATA' })).findings).toEqual([]);
      }
    });

    test('while it applies a plan, and while it undoes that', async () => {
      await harm(HARM);
      const planned = await plan(bench, { backupId });
      for (const phase of UNDOING) {
        const applyPhase = APPLYING.includes(phase) ? phase : 'finished';
        const apply = applyTask(planned, backupId) as RestoreTask;
        const applied = await killedAndSettled(applyPhase, apply, { from: harmed, to: whole });
        const undo = undoTask(applied, backupId) as RestoreTask;
        await killedAndSettled(phase, undo, { from: whole, to: harmed });
      }
    });

    test('while it restores in one job: what was done can be undone', async () => {
      await harm(HARM);
      for (const phase of ['comparing', 'writing', 'checking', 'committing', 'finished']) {
        const task = restoreTask({ backupId }) as RestoreTask;
        const restored = await killedAndSettled(phase, task, { from: harmed, to: whole });
        await run(undoTask(restored, backupId), bench);
        expect([phase, await state()]).toEqual([phase, harmed]);
      }
    });

    test('while it loads all tables by a plan: they are missing or whole, and can be undone', async () => {
      await harm(['factor', 'assessment', 'business', 'tenant', 'config'].map((table) => `DROP TABLE ${table}`));
      const planned = await plan(bench, { backupId });
      for (const phase of LOADING) {
        const task = applyTask(planned, backupId) as RestoreTask;
        const applied = await killedAndSettled(phase, task, { from: harmed, to: whole });
        await run(undoTask(applied, backupId), bench);
        expect([phase, await state()]).toEqual([phase, harmed]);
      }
    });
  });
}

describeKills('SQLite', sqlitePlace);
describeMariadb('change sets on MariaDB', () => {
  describeKills('MariaDB', mariadbPlace);
  afterAll(() => stopMariadb());
});
