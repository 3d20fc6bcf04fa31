/** Single records restored on MariaDB, where triggers can't be left out. */
import { mariadbEngineFixture } from '../support/engine-mariadb';
import { canHaveMariadb, stopMariadb } from '../support/mariadb';
import { describeRecordRestores } from '../support/record-restore-scenarios';

jest.setTimeout(180_000);
if (canHaveMariadb()) describeRecordRestores('MariaDB', mariadbEngineFixture);
else it.skip('single records on MariaDB: there is no server', () => undefined);

afterAll(() => stopMariadb());
