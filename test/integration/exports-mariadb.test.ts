/** Exports of backups of MariaDB. */
import { mariadbEngineFixture } from '../support/engine-mariadb';
import { describeExports } from '../support/export-scenarios';
import { canHaveMariadb, stopMariadb } from '../support/mariadb';
import { mysqlClient, runMysqlScript } from '../support/sql-clients';

if (canHaveMariadb() && mysqlClient !== null)
  describeExports('MariaDB', mariadbEngineFixture, {
    isSqlite: false,
    runScript: ({ location }, script) => runMysqlScript(location, script),
  });
else it.skip('exports of backups of MariaDB: there is no server, or no client', () => undefined);

afterAll(() => stopMariadb());
