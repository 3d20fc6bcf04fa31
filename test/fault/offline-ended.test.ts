/** An offline restore that is ended in the middle: by Ctrl-C it undoes what it began, and one that was killed can be taken up. */
import { spawn, spawnSync } from 'node:child_process';
import type { BackupId } from '../../src/domain/ids';
import { stopMariadb } from '../support/mariadb';
import { describeMariadb } from '../support/mysql-source';
import { MysqlStand } from '../support/mysql-stand';
import { bareEnvironment, OFFLINE } from '../support/offline-stand';

describeMariadb('an offline restore into MariaDB', () => {
  const names = Array.from({ length: 20 }, (_, i) => `item_${i}`);
  let stand: MysqlStand;
  let backupId: BackupId;
  let whole: Record<string, unknown>;
  beforeEach(async () => {
    const items = names.map((name) => `CREATE TABLE ${name} (id INT PRIMARY KEY, v INT, KEY (v))`);
    const rows = names.map((name) => `INSERT INTO ${name} VALUES (1, 1)`);
    stand = await MysqlStand.open([...items, ...rows], names);
    whole = await stand.state();
    backupId = await stand.backup();
    await stand.exec(`DROP TABLE ${names.join(', ')}`);
  });
  afterEach(() => stand.close());
  afterAll(() => stopMariadb());

  const tables = (): Promise<unknown[][]> => stand.rows("SHOW TABLES WHERE Tables_in_" + stand.schema.name + " <> '_riskvault_writes'"); // prettier-ignore
  const environment = () => ({ ...bareEnvironment(), RISKVAULT_REPOSITORY_URL: `file:${stand.folder}`, RISKVAULT_TARGET_URL: stand.schema.url }); // prettier-ignore

  /** Sends the signal at the first table that it makes; how it ended, and what it said. */
  async function endedInTheMiddle(signal: NodeJS.Signals): Promise<{ how: unknown; stderr: string }> {
    const child = spawn(process.execPath, [OFFLINE, 'restore', backupId], { env: environment() });
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    const ended = new Promise((resolve) => child.once('close', (code, by) => resolve(by ?? code)));
    while (child.exitCode === null && (await tables()).length === 0);
    child.kill(signal);
    return { how: await ended, stderr };
  }

  it('leaves nothing after Ctrl-C', async () => {
    const { how, stderr } = await endedInTheMiddle('SIGINT');
    expect([how, stderr]).toEqual([130, expect.stringMatching(/undone first[^]*was cancelled/)]);
    expect(await tables()).toEqual([]);
  });

  it('is taken up after a kill, as it said', async () => {
    const { how, stderr } = await endedInTheMiddle('SIGKILL');
    expect(how).toBe('SIGKILL');
    expect(await tables()).not.toEqual([]);
    const [, takeUp = ''] = /--take-up (\S+)/.exec(stderr) ?? [];
    const options = { env: environment(), encoding: 'utf8' } as const;
    const left = await tables();
    const plain = spawnSync(process.execPath, [OFFLINE, 'restore', backupId], options);
    expect(plain).toMatchObject({ status: 1, stderr: expect.stringMatching(`restore ${takeUp} has not ended[^]*--take-up ${takeUp}`) }); // prettier-ignore
    expect(await tables()).toEqual(left);
    const again = spawnSync(process.execPath, [OFFLINE, 'restore', backupId, '--take-up', takeUp], options);
    expect(again).toMatchObject({ status: 0, stdout: expect.stringContaining('20 rows were read back') });
    expect(again.stderr).toContain('what it left in the target was taken away');
    expect(await stand.state()).toEqual(whole);
    expect(await tables()).toHaveLength(names.length);
    const third = spawnSync(process.execPath, [OFFLINE, 'restore', backupId, '--take-up', takeUp], options);
    expect(third).toMatchObject({ status: 0, stdout: expect.stringContaining('had committed already') });
    expect(third.stdout).toMatch(/^Restored already by the restore that is taken up; nothing was written now: /);
  });
});
