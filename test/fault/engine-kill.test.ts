/**
 * kill -9 in the middle of a backup or a restore: afterwards no backup is listed that does not verify, an in-place restore left the
 * source untouched or complete, a bulk restore left nothing or all, and the job's next attempt ends well.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineTask } from '../../src/domain/task';
import { backupTask, restoreTask, run, type EngineBench } from '../support/engine-context';
import { ENGINE_MAPPING, engineRows, engineTables, openStore } from '../support/engine-scenarios';
import { connectSqlite, openTestSource, sqliteFixture } from '../support/sqlite';

jest.setTimeout(600_000);

const ROUNDS = process.env.LONG ? 60 : 5;
const TABLES = ENGINE_MAPPING.map(({ table }) => table);
/** Deterministic, spread over the time that a task takes here. */
const delayOf = (round: number): number => (round * 37) % 230;

class Site {
  readonly folder = mkdtempSync(join(tmpdir(), 'riskvault-kill-'));
  readonly database = join(this.folder, 'source.sqlite');
  readonly repository = join(this.folder, 'repository');

  async exec(...statements: string[]): Promise<void> {
    const sql = connectSqlite(this.database);
    for (const statement of statements) await sql.exec(statement);
    await sql.close();
  }

  async state(): Promise<unknown[]> {
    const sql = connectSqlite(this.database);
    const state = [];
    for (const table of TABLES) {
      const [[found] = []] = await sql.query(`SELECT count(*) FROM sqlite_master WHERE name = '${table}'`);
      state.push(found === '1' ? await sql.query(`SELECT * FROM ${table} ORDER BY 1`) : null);
    }
    await sql.close();
    return state;
  }

  /** Runs the task in this process. */
  async here(task: EngineTask): Promise<unknown> {
    const bench: EngineBench = {
      source: openTestSource(this.database, ENGINE_MAPPING),
      store: await openStore(this.repository),
    };
    try {
      return await run(task, bench);
    } finally {
      await bench.source.close();
    }
  }

  /** Runs the task in a process that is killed so long after it began. */
  killed(task: EngineTask, afterMs: number): Promise<void> {
    const support = join(__dirname, '../support');
    const order = JSON.stringify({ database: this.database, repository: this.repository, task });
    const child = spawn(process.execPath, [
      '-r',
      join(support, 'register-ts.js'),
      join(support, 'engine-child.ts'),
      order,
    ]);
    return new Promise((resolve) => {
      child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), afterMs));
      child.once('exit', () => resolve());
    });
  }

  async damagedBackups(): Promise<unknown[]> {
    const { findings } = await (await openStore(this.repository)).check({ level: 'DATA' });
    return findings.filter(({ backupIds }) => backupIds.length > 0);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

describe('after kill -9', () => {
  let site: Site;
  let whole: unknown[];
  beforeEach(async () => {
    site = new Site();
    await site.exec(...engineTables(sqliteFixture.types), ...engineRows(200));
    whole = await site.state();
  });
  afterEach(() => site.remove());

  it('of backups, every listed backup verifies and the next attempt completes', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const task = backupTask();
      await site.killed(task, delayOf(round));
      expect(await site.damagedBackups()).toEqual([]);
      expect(await site.here(task)).toMatchObject({ kind: 'BACKUP' });
      expect(await site.damagedBackups()).toEqual([]);
    }
  });

  it('of incremental backups, what was taken stays sound, and the next attempt is the source as it is', async () => {
    await site.here(backupTask());
    for (let round = 0; round < ROUNDS; round++) {
      await site.exec(
        `UPDATE factor SET note = 'round ${round}' WHERE id % 7 = ${round % 7}`,
        `DELETE FROM business WHERE id = 'b${round}'`,
      );
      const task = backupTask({ type: round % 3 === 2 ? 'DIFFERENTIAL' : 'INCREMENTAL' });
      await site.killed(task, delayOf(round));
      expect(await site.damagedBackups()).toEqual([]);
      expect(await site.here(task)).toMatchObject({
        stored: { manifest: { type: task.kind === 'BACKUP' && task.spec.type } },
      });
      expect(await site.damagedBackups()).toEqual([]);
      const dry = await site.here(restoreTask({ ...backupSpec(task), dryRun: true }));
      expect(dry).toMatchObject({ inserts: 0, updates: 0, deletes: 0 });
    }
  });

  it('of in-place restores, the source is untouched or complete, and the next attempt settles it', async () => {
    const backup = backupTask();
    await site.here(backup);
    for (let round = 0; round < ROUNDS; round++) {
      await site.exec(
        `UPDATE factor SET note = 'gone' WHERE id % 3 = 0`,
        `DELETE FROM business WHERE id = 'b${round}'`,
      );
      const damaged = await site.state();
      const task = restoreTask(backupSpec(backup));
      await site.killed(task, delayOf(round));
      expect([damaged, whole]).toContainEqual(await site.state());
      await site.here({ ...task, attempt: 2 } as EngineTask);
      expect(await site.state()).toEqual(whole);
    }
  });

  it('of bulk restores, the tables are missing or complete, and the next attempt settles it', async () => {
    const backup = backupTask();
    await site.here(backup);
    for (let round = 0; round < ROUNDS; round++) {
      await site.exec(
        ...['factor', 'assessment', 'business', 'tenant', 'config'].map((table) => `DROP TABLE ${table}`),
      );
      const task = restoreTask(backupSpec(backup));
      await site.killed(task, delayOf(round));
      expect([TABLES.map(() => null), whole]).toContainEqual(await site.state());
      await site.here({ ...task, attempt: 2 } as EngineTask);
      expect(await site.state()).toEqual(whole);
    }
  });
});

function backupSpec(task: EngineTask): { backupId: never } {
  return { backupId: (task as { spec?: { backupId?: unknown } }).spec?.backupId as never };
}
