/** Restoring into tables of SQLite whose structure changed since the backup. */
import { sqliteFixture } from '../support/sqlite';
import { describeStructures } from '../support/structure-scenarios';

describeStructures('SQLite', sqliteFixture);
