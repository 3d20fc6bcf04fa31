/** Records of backups of SQLite. */
import { describeRecords } from '../support/record-scenarios';
import { sqliteFixture } from '../support/sqlite';

describeRecords('SQLite', sqliteFixture, { isSqlite: true });
