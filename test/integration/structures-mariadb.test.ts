/** Restoring into tables of MariaDB whose structure changed since the backup. */
import { mariadbEngineFixture } from '../support/engine-mariadb';
import { canHaveMariadb } from '../support/mariadb';
import { describeStructures } from '../support/structure-scenarios';

jest.setTimeout(120_000);
if (canHaveMariadb()) describeStructures('MariaDB', mariadbEngineFixture);
else it.skip('changed structures on MariaDB: there is no server', () => undefined);
