/**
 * A restore that made a missing table beside filled ones, and whose process is killed while it fills it: the next attempt takes the
 * table away before anything else, so that nothing of the restore is left when that attempt fails for good, or is none.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineTask } from '../../src/domain/task';
import { runTask } from '../../src/engine/engine';
import { backup, engineDeps, restoreTask, type EngineBench } from '../support/engine-context';
import { engineRows, engineTables, openStore } from '../support/engine-scenarios';
import { killedIn, mariadbPlace, sqlitePlace, type Place } from '../support/engine-places';
import { stopMariadb } from '../support/mariadb';
import { describeMariadb } from '../support/mysql-source';

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

    const killedInWriting = (): Promise<void> =>
      killedIn('writing', { database: place.database, repository: join(folder, 'repository'), task });

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
