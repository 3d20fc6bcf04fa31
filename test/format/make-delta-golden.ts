/**
 * Makes the golden repository `deltas`, backups with stacks of layers: `node -r ./test/support/register-ts.js
 * test/format/make-delta-golden.ts`. Committed and made once, like those of make-golden.ts.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openRepository } from '../../src/repository/repository';
import { BACKUP_TYPES_IN_ORDER, backupIdAt, platformAt } from '../support/engine-changing-platform';
import { backup } from '../support/engine-context';
import { FakeClock, MemoryLog, seededRandom } from '../support/repository-ambient';
import { TEST_SETTINGS } from '../support/repository-fixtures';

async function main(): Promise<void> {
  const path = join(__dirname, 'golden/deltas');
  rmSync(path, { recursive: true, force: true });
  const settings = { ...TEST_SETTINGS, url: `file:${path}`, compression: 'zstd' as const };
  const options = { settings, clock: new FakeClock(), random: seededRandom('golden deltas'), log: new MemoryLog() };
  const store = await openRepository(options);
  const source = platformAt(0);
  for (const [index, type] of BACKUP_TYPES_IN_ORDER.entries()) {
    source.tables = platformAt(index).tables;
    await backup({ source, store }, { type, backupId: backupIdAt(index) });
  }
  rmSync(join(path, 'tmp'), { recursive: true, force: true });
}

void main(); // because the process ends with it, and a failure ends it loudly
