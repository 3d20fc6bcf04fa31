/** Three-way restores on SQLite. */
import { sqliteFixture } from '../support/sqlite';
import { describeThreeWayOfOneBusiness } from '../support/three-way-business-scenarios';
import { describeThreeWay } from '../support/three-way-scenarios';

describeThreeWay('SQLite', { ...sqliteFixture, movingColumn: '', meddlingTrigger: null });

describeThreeWayOfOneBusiness('SQLite', { ...sqliteFixture, movingColumn: '', meddlingTrigger: null });
