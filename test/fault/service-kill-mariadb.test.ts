/** kill -9 of the service whose source and catalog are MariaDB. */
import { stopMariadb } from '../support/mariadb';
import { describeMariadb, needServer } from '../support/mysql-source';
import { describeKills } from '../support/service-kill';
import { catalogSchema, mariadbPlatform } from '../support/service-platforms';

const CATALOG = `rv_test_service_kill_${process.pid}`;

describeMariadb('with a MariaDB server', () => {
  const place: { catalogUrl?: string } = {};
  let catalog: { url: string; drop(): Promise<void> };
  beforeAll(async () => {
    catalog = await catalogSchema(await needServer(), CATALOG);
    place.catalogUrl = catalog.url;
  });
  afterAll(async () => {
    await catalog.drop();
    await stopMariadb();
  });

  describeKills('source and catalog on MariaDB', {
    openPlatform: async () => mariadbPlatform(await needServer(), 12_000),
    place,
  });
});
