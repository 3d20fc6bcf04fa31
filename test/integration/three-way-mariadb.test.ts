/** Three-way restores on MariaDB, where columns move by themselves with each update. */
import { mariadbEngineFixture } from '../support/engine-mariadb';
import { canHaveMariadb } from '../support/mariadb';
import { describeThreeWay } from '../support/three-way-scenarios';

const MOVING = ', moved_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)';

jest.setTimeout(120_000);
if (canHaveMariadb()) {
  describeThreeWay('MariaDB', { ...mariadbEngineFixture, movingColumn: MOVING, meddlingTrigger: null });
} else it.skip('three-way restores on MariaDB: there is no server', () => undefined);
