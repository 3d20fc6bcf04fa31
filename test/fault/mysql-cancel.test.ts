/** Cancelled whenever: nothing of ours stays on the server or the disk, and a throttled backup is as slow as it was told to be. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Progress } from '../../src/domain/job';
import { runTask } from '../../src/engine/engine';
import { backupTask, engineDeps, restoreTask } from '../support/engine-context';
import { numbers, stopMariadb } from '../support/mariadb';
import { describeMariadb } from '../support/mysql-source';
import { MysqlStand } from '../support/mysql-stand';

describeMariadb('work that is cancelled', () => {
  let stand: MysqlStand;
  let temp: string;
  afterAll(() => stopMariadb());
  beforeEach(async () => {
    temp = mkdtempSync(join(tmpdir(), 'riskvault-cancel-'));
    stand = await MysqlStand.open(
      [
        'CREATE TABLE item (id INT PRIMARY KEY, v VARCHAR(200), KEY (v))',
        `INSERT INTO item SELECT seq, REPEAT('x', 150) FROM ${numbers(1, 20000)}`,
      ],
      ['item'],
      { maxBytesPerSecond: 8_000_000 },
    );
  });
  afterEach(async () => {
    await stand.close();
    rmSync(temp, { recursive: true, force: true });
  });

  /** Runs a task and aborts it when `when` says so; gives the code it failed with. */
  async function cancelled(
    task: Parameters<typeof runTask>[0],
    when: (progress: Progress) => boolean,
  ): Promise<string> {
    const abort = new AbortController();
    const onProgress = (progress: Progress): void => void (when(progress) && abort.abort());
    const deps = { ...engineDeps(stand.bench), tempDir: temp };
    const failed = (error: unknown): string => (error as { code: string }).code;
    return runTask(task, deps, { signal: abort.signal, onProgress, onLog: () => undefined }).then(() => 'DONE', failed);
  }

  async function nothingLeft(): Promise<void> {
    expect(await stand.connections()).toEqual([]);
    expect(await stand.rows("SHOW TABLES LIKE '\\_riskvault\\_%\\_%'")).toEqual([]);
    expect(readdirSync(temp)).toEqual([]);
    // Only a lock left behind would hold these up.
    await stand.exec('SET lock_wait_timeout = 2', 'ALTER TABLE item COMMENT = "free"');
  }

  test('leaves no connection, lock, table or file behind, in any phase', async () => {
    const started = Date.now();
    const backupId = await stand.backup();
    expect(Date.now() - started).toBeGreaterThan(250);
    expect(await cancelled(backupTask(), ({ phase, rowsDone }) => phase === 'reading' && rowsDone > 5000)).toBe(
      'CANCELLED',
    );
    await nothingLeft();
    await stand.exec("UPDATE item SET v = 'spoiled' WHERE id % 3 = 0", 'DELETE FROM item WHERE id % 7 = 0');
    const spoiled = await stand.state();
    for (const wanted of ['comparing', 'writing', 'checking', 'committing']) {
      expect([wanted, await cancelled(restoreTask({ backupId }), ({ phase }) => phase === wanted)]).toEqual([
        wanted,
        'CANCELLED',
      ]);
      await nothingLeft();
      expect(await stand.state()).toEqual(spoiled);
    }
    await stand.exec('DELETE FROM item');
    for (const wanted of ['loading', 'checking references', 'checking', 'publishing']) {
      expect([wanted, await cancelled(restoreTask({ backupId }), ({ phase }) => phase === wanted)]).toEqual([
        wanted,
        'CANCELLED',
      ]);
      await nothingLeft();
      expect(await stand.rows('SELECT COUNT(*) FROM item')).toEqual([[0]]);
    }
  });
});
