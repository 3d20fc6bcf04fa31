/**
 * Makes the golden repository `owners`, backups with indexes by what tells whose a row is: `node -r ./test/support/register-ts.js
 * test/format/make-index-golden.ts`. Committed and made once, like those of make-golden.ts. `indexes` is of a program that indexed foreign
 * keys alone, under another name in its manifests, and can't be made any more.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openRepository } from '../../src/repository/repository';
import { ACTING_TYPES_IN_ORDER, actingBackupIdAt, actingPlatformAt } from '../support/engine-acting-platform';
import { backup } from '../support/engine-context';
import { FakeClock, MemoryLog, seededRandom } from '../support/repository-ambient';
import { TEST_SETTINGS } from '../support/repository-fixtures';

async function main(): Promise<void> {
  const path = join(__dirname, 'golden/owners');
  rmSync(path, { recursive: true, force: true });
  const settings = { ...TEST_SETTINGS, url: `file:${path}`, compression: 'zstd' as const };
  const options = { settings, clock: new FakeClock(), random: seededRandom('golden owners'), log: new MemoryLog() };
  const store = await openRepository(options);
  const source = actingPlatformAt(0);
  for (const [index, type] of ACTING_TYPES_IN_ORDER.entries()) {
    source.tables = actingPlatformAt(index).tables;
    await backup({ source, store }, { type, backupId: actingBackupIdAt(index) });
  }
  rmSync(join(path, 'tmp'), { recursive: true, force: true });
}

void main(); // because the process ends with it, and a failure ends it loudly
