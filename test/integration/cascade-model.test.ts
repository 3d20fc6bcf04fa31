/** Random changes that set foreign keys to work, which the server does not log, and backups by the log in between. */
import { runCascadeModel } from '../support/cascade-model';
import type { MariadbServer, OwnServer } from '../support/mariadb';
import { describeMariadb, needOwnServer } from '../support/mysql-source';

jest.setTimeout(600_000);

const HISTORIES = process.env.LONG ? 8 : 2;
const ROUNDS = process.env.LONG ? 150 : 40;
const seeds = Array.from({ length: HISTORIES }, (_, n) => 20261125 + n);

describeMariadb('a server of its own', () => {
  let own: OwnServer;
  let server: MariadbServer;
  beforeAll(async () => {
    ({ own, server } = await needOwnServer());
  });
  afterAll(() => own.remove());

  test.each(seeds)('holds after each backup what a full one holds, history %i', async (seed) => {
    const detections = await runCascadeModel(server, { seed, rounds: ROUNDS });
    for (const table of ['c', 'g', 'h']) expect(detections.get(`${table} BINLOG`)).toBeGreaterThan(0);
  });
});
