/** The MySQL and MariaDB source keeps every promise of the source port, on MariaDB. */
import { canHaveMariadb, stopMariadb } from '../support/mariadb';
import { mysqlFixture } from '../support/mysql-source';
import { describeSourceContract } from './source-contract';

afterAll(() => stopMariadb());

if (canHaveMariadb()) describeSourceContract('mariadb', mysqlFixture);
else test.skip('the source contract on MariaDB: NOT tested, no server was found', () => undefined);
