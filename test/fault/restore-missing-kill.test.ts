/**
 * A restore that made a missing table beside filled ones, and whose process is killed while it fills it: the next attempt takes the
 * table away before anything else, so that nothing of the restore is left when that attempt fails for good, or is none.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Source } from '../../src/domain/source';
import type { EngineTask } from '../../src/domain/task';
import { runTask } from '../../src/engine/engine';
import type { ContractConnection } from '../contract/source-contract';
import { backup, engineDeps, restoreTask, type EngineBench } from '../support/engine-context';
import { ENGINE_MAPPING, engineRows, engineTables, openStore } from '../support/engine-scenarios';
import type { ChildOrder } from '../support/engine-child';
import { createSchema, stopMariadb } from '../support/mariadb';
import { connectMysql, describeMariadb, mysqlFixture, needServer, openTestMysql } from '../support/mysql-source';
import { connectSqlite, openTestSource, sqliteFixture } from '../support/sqlite';

interface Place {
  /** As the child process takes it. */
  database: string;
  types: typeof sqliteFixture.types;
  source: Source;
  sql: ContractConnection;
  remove(): Promise<void>;
}

async function sqlitePlace(folder: string): Promise<Place> {
  const database = join(folder, 'source.sqlite');
  const sql = connectSqlite(database);
  return {
    database,
    types: sqliteFixture.types,
    sql,
    source: openTestSource(database, ENGINE_MAPPING),
    remove: () => sql.close(),
  };
}

async function mariadbPlace(): Promise<Place> {
  const schema = await createSchema(await needServer(), 'missing_kill');
  const sql = await connectMysql(schema.url);
  const remove = async (): Promise<void> => {
    await sql.close();
    await schema.drop();
  };
  const source = openTestMysql(schema.url, ENGINE_MAPPING);
  return { database: schema.url, types: mysqlFixture.types, source, sql, remove };
}

function describeKilled(
  name: string,
  open: (folder: string) => Promise<Place>,
  whileKilled: 'MISSING' | 'EMPTY',
): void {
  describe(`killed while filling a table that it made, on ${name}`, () => {
    let folder: string;
    let place: Place;
    let bench: EngineBench;
    let whole: unknown;
    let task: EngineTask & { kind: 'RESTORE' };

    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'riskvault-missing-kill-'));
      place = await open(folder);
      for (const statement of [...engineTables(place.types), ...engineRows()]) await place.sql.exec(statement);
      bench = { source: place.source, store: await openStore(join(folder, 'repository')) };
      whole = await content();
      const { backupId } = (await backup(bench)).stored.manifest;
      task = restoreTask({ backupId }) as EngineTask & { kind: 'RESTORE' };
      await place.sql.exec('DROP TABLE factor');
      await place.sql.exec('DELETE FROM config WHERE id < 10');
      await killedInWriting();
      expect(await factorState()).toBe(whileKilled);
    });
    afterEach(async () => {
      await place.source.close();
      await place.remove();
      rmSync(folder, { recursive: true, force: true });
    });

    const content = async () => [
      await place.sql.query('SELECT * FROM factor ORDER BY id'),
      await place.sql.query('SELECT * FROM config ORDER BY id'),
    ];
    const factorState = async () => (await place.source.tableStates(['factor'])).get('factor');

    function killedInWriting(): Promise<void> {
      const repository = join(folder, 'repository');
      const order: ChildOrder = { database: place.database, repository, task, dieIn: 'writing' };
      const support = join(__dirname, '../support');
      const files = ['-r', join(support, 'register-ts.js'), join(support, 'engine-child.ts')];
      const child = spawn(process.execPath, [...files, JSON.stringify(order)], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      return new Promise((resolve, reject) =>
        child.once('exit', (_, signal) => (signal === 'SIGKILL' ? resolve() : reject(new Error('it was not killed')))),
      );
    }

    const again = (more: Partial<typeof task>, deps = engineDeps(bench)) =>
      runTask({ ...task, attempt: 2, ...more }, deps, {
        signal: new AbortController().signal,
        onProgress: () => undefined,
        onLog: () => undefined,
      });

    test('it is gone once the job was cancelled', async () => {
      await expect(again({ recoverOnly: true })).rejects.toMatchObject({ code: 'CANCELLED' });
      expect(await factorState()).toBe('MISSING');
    });

    test('it is gone though the next attempt fails for good, for it finds no repository', async () => {
      const store = () => Promise.reject(new Error('the repository is gone'));
      await expect(again({}, { ...engineDeps(bench), store })).rejects.toThrow('repository is gone');
      expect(await factorState()).toBe('MISSING');
    });

    test('the next attempt restores it all', async () => {
      await again({});
      expect(await content()).toEqual(whole);
    });
  });
}

describeKilled('SQLite', sqlitePlace, 'MISSING');
describeMariadb('the killed restore on MariaDB', () => {
  describeKilled('MariaDB', mariadbPlace, 'EMPTY');
  afterAll(() => stopMariadb());
});
