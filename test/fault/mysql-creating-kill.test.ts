/** A restore beside filled tables whose process is killed while it makes the missing ones: its next attempt takes them away. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { ChildOrder } from '../support/engine-child';
import { restoreTask } from '../support/engine-context';
import { jobOf } from '../support/job-of';
import { stopMariadb } from '../support/mariadb';
import { describeMariadb } from '../support/mysql-source';
import { MysqlStand } from '../support/mysql-stand';

describeMariadb('killed while making missing tables', () => {
  const names = Array.from({ length: 20 }, (_, i) => `item_${i}`);
  let stand: MysqlStand;
  beforeEach(async () => {
    const items = names.map((name) => `CREATE TABLE ${name} (id INT PRIMARY KEY, v INT, KEY (v))`);
    const rows = names.map((name) => `INSERT INTO ${name} VALUES (1, 1)`);
    stand = await MysqlStand.open([...items, ...rows], names);
  });
  afterEach(() => stand.close());
  afterAll(() => stopMariadb());

  const staged = (): Promise<unknown[][]> => stand.rows("SHOW TABLES LIKE '\\_riskvault\\_%\\_%'");

  /** Kills the process at the first table that it makes. */
  async function killedWhileMaking(order: ChildOrder): Promise<void> {
    const support = join(__dirname, '../support');
    const files = ['-r', join(support, 'register-ts.js'), join(support, 'engine-child.ts')];
    const child = spawn(process.execPath, [...files, JSON.stringify(order)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const ended = new Promise<string | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));
    while (child.exitCode === null && (await staged()).length === 0);
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
  }

  test('they are gone once the job is settled, and it restores them when it is tried again', async () => {
    const whole = await stand.state();
    const backupId = await stand.backup();
    const missing = names.slice(1);
    await stand.exec(`DROP TABLE ${missing.join(', ')}`);
    const task = restoreTask({ backupId });
    const { url } = stand.schema;
    await killedWhileMaking({ database: url, repository: stand.folder, task, mapping: stand.mapping });
    // As it is when the job's lease has run out: the server has noticed.
    expect(await stand.connections()).toEqual([]);
    const [[state] = []] = await stand.rows('SELECT state FROM _riskvault_writes');
    expect(['LOADING', 'CREATED']).toContain(state);
    expect(await stand.source.recoverWrite(jobOf(task))).toBe('ABSENT');
    expect(new Set((await stand.source.tableStates(missing)).values())).toEqual(new Set(['MISSING']));
    expect(await staged()).toEqual([]);
    expect(await stand.rows('SELECT * FROM _riskvault_writes')).toEqual([]);
    await stand.restore(backupId);
    expect(await stand.state()).toEqual(whole);
  });
});
