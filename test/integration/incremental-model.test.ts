/** Random histories of a source, with backups of every type in between, on real databases. */
import { engineFixtureOn, mariadbEngineFixture } from '../support/engine-mariadb';
import { runIncrementalModel } from '../support/incremental-model';
import { canHaveMariadb, describeServer, OwnServer, stopMariadb } from '../support/mariadb';
import { LOG_CHANGES, TABLE_CHANGES } from '../support/mariadb-changes';
import { sqliteFixture } from '../support/sqlite';

jest.setTimeout(1_200_000);

const HISTORIES = process.env.LONG ? 8 : 3;
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
    let own: OwnServer | null = null;
    const server = async () => {
      if (own === null) throw new Error('no server can be had');
      return describeServer(own.url);
    };
    beforeAll(async () => {
      own = await OwnServer.create();
    });
    afterAll(() => own?.remove());

    test.each(seeds)('changes found by BINLOG, history %i', (seed) => {
      const changes = [...TABLE_CHANGES, ...LOG_CHANGES];
      return runIncrementalModel(engineFixtureOn(server), { seed, steps: STEPS, detection: 'BINLOG', changes });
    });
  });
});
