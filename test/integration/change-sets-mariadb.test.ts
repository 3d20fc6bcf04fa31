/** Plans, applied plans and undos on MariaDB, where columns move by themselves and triggers can't be left out. */
import { describeChangeSets } from '../support/change-set-scenarios';
import { mariadbEngineFixture } from '../support/engine-mariadb';
import { canHaveMariadb } from '../support/mariadb';

const MOVING = ', moved_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)';
const MEDDLING = `CREATE TRIGGER meddling AFTER INSERT ON config FOR EACH ROW
  INSERT INTO tenant VALUES (CONCAT('m', NEW.id), CONCAT('m', NEW.id))`;

jest.setTimeout(120_000);
if (canHaveMariadb()) {
  describeChangeSets('MariaDB', { ...mariadbEngineFixture, movingColumn: MOVING, meddlingTrigger: MEDDLING });
} else it.skip('change sets on MariaDB: there is no server', () => undefined);
