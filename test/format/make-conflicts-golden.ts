/**
 * Makes the golden repository `conflicts`, two backups and two three-way plans, one of which nobody resolved:
 * `node -r ./test/support/register-ts.js test/format/make-conflicts-golden.ts`. Committed and made once, like those of make-golden.ts.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openRepository } from '../../src/repository/repository';
import { backupIdAt, platformAt, platformLater } from '../support/engine-changing-platform';
import { backup, plan } from '../support/engine-context';
import { FakeClock, MemoryLog, seededRandom } from '../support/repository-ambient';
import { changeSetIdOf, HOUR_MS, TEST_SETTINGS } from '../support/repository-fixtures';

/** Whoever reads the format in a hundred years may still apply it. */
const VALID_FOR_MS = 100 * 365 * 24 * HOUR_MS;

async function main(): Promise<void> {
  const path = join(__dirname, 'golden/conflicts');
  rmSync(path, { recursive: true, force: true });
  const settings = { ...TEST_SETTINGS, url: `file:${path}`, compression: 'zstd' as const };
  const options = { settings, clock: new FakeClock(), random: seededRandom('golden conflicts'), log: new MemoryLog() };
  const store = await openRepository(options);
  await backup({ source: platformAt(0), store }, { backupId: backupIdAt(0) });
  const [damagedBackupId, source] = [backupIdAt(1), platformLater()];
  const damaged = platformAt(1);
  await damaged.openConsistentRead({ dataTypes: [], connections: 1 }); // because its clock must be past that of the first
  await backup({ source: damaged, store }, { backupId: damagedBackupId });
  for (const [i, conflictPolicy] of (['FAIL', 'TAKE_BACKUP'] as const).entries()) {
    const threeWay = { damagedBackupId, conflictPolicy };
    const spec = { backupId: backupIdAt(0), threeWay, planId: changeSetIdOf(i + 1), validForMs: VALID_FOR_MS };
    await plan({ source, store }, spec);
  }
  rmSync(join(path, 'tmp'), { recursive: true, force: true });
}

void main(); // because the process ends with it, and a failure ends it loudly
