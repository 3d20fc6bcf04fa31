/** The engine's scenarios on SQLite. */
import { describeEngine } from '../support/engine-scenarios';
import { sqliteFixture } from '../support/sqlite';

describeEngine('SQLite', sqliteFixture);
