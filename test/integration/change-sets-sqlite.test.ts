/** Plans, applied plans and undos on SQLite. */
import { describeChangeSets } from '../support/change-set-scenarios';
import { sqliteFixture } from '../support/sqlite';

describeChangeSets('SQLite', { ...sqliteFixture, movingColumn: '', meddlingTrigger: null });
