/** Comparisons of backups of SQLite. */
import { describeComparisons } from '../support/compare-scenarios';
import { sqliteFixture } from '../support/sqlite';

jest.setTimeout(120_000);

describeComparisons('SQLite', sqliteFixture, { isSqlite: true });
