/** Random histories of a source, with backups of every type in between, on real databases. */
import { mariadbEngineFixture } from '../support/engine-mariadb';
import { runIncrementalModel } from '../support/incremental-model';
import { canHaveMariadb, stopMariadb } from '../support/mariadb';
import { sqliteFixture } from '../support/sqlite';

jest.setTimeout(1_200_000);

const HISTORIES = process.env.LONG ? 20 : 3;
const STEPS = process.env.LONG ? 300 : 120;
const seeds = Array.from({ length: HISTORIES }, (_, n) => 20261122 + n);

test.each(seeds)('on SQLite, history %i', (seed) =>
  runIncrementalModel(sqliteFixture, { seed, steps: STEPS, detection: 'SCAN' }),
);

(canHaveMariadb() ? describe : describe.skip)('with a MariaDB server', () => {
  afterAll(() => stopMariadb());
  describe.each(['BINLOG', 'SCAN'] as const)('changes found by %s', (detection) => {
    test.each(seeds)('history %i', (seed) =>
      runIncrementalModel(mariadbEngineFixture, { seed, steps: STEPS, detection }),
    );
  });
});
