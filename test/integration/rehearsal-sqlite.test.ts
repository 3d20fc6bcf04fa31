/** Rehearsals on SQLite. */
import { readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { describeRehearsals } from '../support/rehearsal-scenarios';
import { sqliteFixture } from '../support/sqlite';

describeRehearsals('SQLite', {
  fixture: sqliteFixture,
  async leftOf({ sql }, prefix) {
    const [[file] = []] = await sql.query(`SELECT file FROM pragma_database_list WHERE name = 'main'`);
    const path = String(file);
    return readdirSync(dirname(path)).filter((name) => name.startsWith(basename(path)) && name.includes(prefix));
  },
});
