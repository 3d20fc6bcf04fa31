/** Cancelled whenever: nothing of ours stays on the server or the disk, and a throttled backup is as slow as it was told to be. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Progress } from '../../src/domain/job';
import type { TableStructure } from '../../src/domain/table';
import { runTask } from '../../src/engine/engine';
import type { ContractConnection } from '../contract/source-contract';
import { backupTask, engineDeps, restoreTask } from '../support/engine-context';
import { numbers, stopMariadb } from '../support/mariadb';
import { connectMysql, describeMariadb } from '../support/mysql-source';
import { MysqlStand } from '../support/mysql-stand';
import { ALL_TYPES } from '../support/source-rows';

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

describeMariadb('a restore that is cancelled while it begins to write', () => {
  const COUNT = 20;
  const names = Array.from({ length: COUNT }, (_, i) => `item_${i}`);
  let stand: MysqlStand;
  let abort: AbortController;
  let platform: ContractConnection | undefined;
  afterAll(() => stopMariadb());
  beforeEach(async () => {
    abort = new AbortController();
    const items = names.map((name) => `CREATE TABLE ${name} (id INT PRIMARY KEY, v INT, KEY (v))`);
    const child = 'CREATE TABLE child (id INT PRIMARY KEY, item INT, FOREIGN KEY (item) REFERENCES item_0 (id))';
    stand = await MysqlStand.open([...items, child, 'INSERT INTO item_0 VALUES (1, 1)'], [...names, 'child']);
  });
  afterEach(async () => {
    await platform?.close();
    await stand.close();
  });

  async function structures(tables: readonly string[]): Promise<TableStructure[]> {
    const read = await stand.source.openConsistentRead({ dataTypes: ALL_TYPES, connections: 1 });
    await read.close();
    return read.tables.filter(({ table }) => tables.includes(table));
  }

  const staged = (): Promise<unknown[][]> => stand.rows("SHOW TABLES LIKE '\\_riskvault\\_%\\_%'");

  /** Aborts as soon as a question to the server is answered with rows; what was being opened must end as cancelled. */
  async function cancelledOnce(opening: Promise<unknown>, seen: () => Promise<unknown[][]>): Promise<void> {
    const ended = opening.then(
      () => ({ code: 'OPENED' }),
      (error: unknown) => error,
    );
    let over = false;
    void ended.then(() => (over = true));
    while (!over && (await seen()).length === 0);
    abort.abort();
    expect(await ended).toMatchObject({ code: 'CANCELLED' });
  }

  async function nothingLeft(jobId: string): Promise<void> {
    expect(await staged()).toEqual([]);
    expect(await stand.rows(`SELECT state FROM _riskvault_writes WHERE job_id = '${jobId}'`)).toEqual([]);
    expect(await stand.connections()).toEqual([]);
  }

  test('leaves none of the tables that it was making beside missing ones', async () => {
    const tables = await structures(names);
    await stand.exec('DROP TABLE child', `DROP TABLE ${names.join(', ')}`);
    const opening = stand.source.openBulkWriter({ jobId: 'bulk', tables, connections: 2, signal: abort.signal });
    await cancelledOnce(opening, staged);
    await nothingLeft('bulk');
  });

  test('leaves no scratch schema', async () => {
    const tables = await structures(names);
    const scratchSchema = `${stand.schema.name}_s`;
    const options = { jobId: 'scratch', scratchSchema, tables, connections: 2, signal: abort.signal };
    const made = (): Promise<unknown[][]> => stand.rows(`SHOW DATABASES LIKE '${scratchSchema}'`);
    const opening = stand.source.openBulkWriter(options);
    await cancelledOnce(opening, made);
    expect(await made()).toEqual([]);
  });

  test('leaves no missing table that it was making beside filled ones, and waits for nobody', async () => {
    const tables = await structures([...names, 'child']);
    const missing = [...names.slice(1), 'child'];
    await stand.exec(`DROP TABLE ${missing.join(', ')}`);
    // MySQL waits for it before it adds the foreign key.
    platform = await connectMysql(stand.schema.url);
    await platform.exec('LOCK TABLES item_0 WRITE');
    const all = async (): Promise<unknown[][]> => (await staged()).slice(missing.length - 1);
    const { signal } = abort;
    const opening = stand.source.openChangeWriter({ jobId: 'change', tables, missing, signal });
    await cancelledOnce(opening, all);
    expect(new Set((await stand.source.tableStates(missing)).values())).toEqual(new Set(['MISSING']));
    await platform.exec('UNLOCK TABLES');
    await platform.close();
    await nothingLeft('change');
  });
});
