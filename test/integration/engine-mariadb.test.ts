/** The engine's scenarios on MariaDB. */
import { mariadbEngineFixture } from '../support/engine-mariadb';
import { describeEngine } from '../support/engine-scenarios';
import { canHaveMariadb } from '../support/mariadb';

if (canHaveMariadb()) describeEngine('MariaDB', mariadbEngineFixture);
else it.skip('the engine on MariaDB: there is no server', () => undefined);
