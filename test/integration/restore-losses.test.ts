/** What is left of damaged backups, on each kind of source. */
import { mariadbEngineFixture } from '../support/engine-mariadb';
import { describeLosses } from '../support/engine-losses';
import { canHaveMariadb } from '../support/mariadb';
import { sqliteFixture } from '../support/sqlite';

describeLosses('SQLite', sqliteFixture);

if (canHaveMariadb()) describeLosses('MariaDB', mariadbEngineFixture);
else it.skip('what is left of a damaged backup, on MariaDB: there is no server', () => undefined);
