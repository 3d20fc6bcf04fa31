/** Three-way restores on SQLite. */
import { sqliteFixture } from '../support/sqlite';
import { describeThreeWay } from '../support/three-way-scenarios';

describeThreeWay('SQLite', { ...sqliteFixture, movingColumn: '', meddlingTrigger: null });
