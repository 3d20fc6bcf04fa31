/** Comparisons of backups of MariaDB. */
import { describeComparisons } from '../support/compare-scenarios';
import { mariadbEngineFixture } from '../support/engine-mariadb';
import { canHaveMariadb, stopMariadb } from '../support/mariadb';

jest.setTimeout(180_000);

if (canHaveMariadb()) describeComparisons('MariaDB', mariadbEngineFixture, { isSqlite: false });
else it.skip('comparisons of backups of MariaDB: there is no server', () => undefined);

afterAll(() => stopMariadb());
