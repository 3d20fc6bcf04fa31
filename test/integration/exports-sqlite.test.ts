/** Exports of backups of SQLite. */
import { describeExports } from '../support/export-scenarios';
import { sqliteFixture } from '../support/sqlite';
import { runSqliteScript } from '../support/sql-clients';

describeExports('SQLite', sqliteFixture, {
  isSqlite: true,
  runScript: ({ location }, script) => runSqliteScript(location, script),
});
