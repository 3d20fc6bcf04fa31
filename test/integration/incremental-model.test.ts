/** Random histories of a source, with backups of every type in between, on real databases. */
import { engineFixtureOn, mariadbEngineFixture } from '../support/engine-mariadb';
import { runIncrementalModel } from '../support/incremental-model';
import { canHaveMariadb, stopMariadb, type MariadbServer, type OwnServer } from '../support/mariadb';
import { needOwnServer } from '../support/mysql-source';
import { LOG_CHANGES, TABLE_CHANGES } from '../support/mariadb-changes';
import { sqliteFixture } from '../support/sqlite';

jest.setTimeout(1_200_000);

const HISTORIES = process.env.LONG ? 8 : 2;
const STEPS = process.env.LONG ? 400 : 200;
const seeds = Array.from({ length: HISTORIES }, (_, n) => 20261122 + n);

test.each(seeds)('on SQLite, history %i', (seed) =>
  runIncrementalModel(sqliteFixture, { seed, steps: STEPS, detection: 'SCAN' }),
);

(canHaveMariadb() ? describe : describe.skip)('with a MariaDB server', () => {
  afterAll(() => stopMariadb());
  test.each(seeds)('changes found by SCAN, history %i', (seed) =>
    runIncrementalModel(mariadbEngineFixture, { seed, steps: STEPS, detection: 'SCAN', changes: TABLE_CHANGES }),
  );

  describe('of its own, whose log is purged', () => {
    let own: OwnServer;
    let server: MariadbServer;
    beforeAll(async () => {
      ({ own, server } = await needOwnServer());
    });
    afterAll(() => own.remove());

    test.each(seeds)('changes found by BINLOG, history %i', (seed) => {
      const changes = [...TABLE_CHANGES, ...LOG_CHANGES];
      return runIncrementalModel(
        engineFixtureOn(async () => server),
        { seed, steps: STEPS, detection: 'BINLOG', changes },
      );
    });
  });
});
