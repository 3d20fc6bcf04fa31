/** Records of backups of MariaDB. */
import { mariadbEngineFixture } from '../support/engine-mariadb';
import { canHaveMariadb, stopMariadb } from '../support/mariadb';
import { describeRecords } from '../support/record-scenarios';

if (canHaveMariadb()) describeRecords('MariaDB', mariadbEngineFixture, { isSqlite: false });
else it.skip('records of backups of MariaDB: there is no server', () => undefined);

afterAll(() => stopMariadb());
