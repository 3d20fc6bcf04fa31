/** Single records restored on SQLite. */
import { describeRecordRestores } from '../support/record-restore-scenarios';
import { sqliteFixture } from '../support/sqlite';

jest.setTimeout(120_000);
describeRecordRestores('SQLite', sqliteFixture);
