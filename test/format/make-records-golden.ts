/**
 * Makes the golden repository `records`, a backup and a plan that restores single records of it: `node -r ./test/support/register-ts.js
 * test/format/make-records-golden.ts`. Committed and made once, like those of make-golden.ts.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openRepository } from '../../src/repository/repository';
import { backupIdAt, platformAt } from '../support/engine-changing-platform';
import { backup, plan } from '../support/engine-context';
import { FakeClock, MemoryLog, seededRandom } from '../support/repository-ambient';
import { changeSetIdOf, HOUR_MS, TEST_SETTINGS } from '../support/repository-fixtures';

/** Whoever reads the format in a hundred years may still apply it. */
const VALID_FOR_MS = 100 * 365 * 24 * HOUR_MS;

async function main(): Promise<void> {
  const path = join(__dirname, 'golden/records');
  rmSync(path, { recursive: true, force: true });
  const settings = { ...TEST_SETTINGS, url: `file:${path}`, compression: 'zstd' as const };
  const options = { settings, clock: new FakeClock(), random: seededRandom('golden records'), log: new MemoryLog() };
  const store = await openRepository(options);
  await backup({ source: platformAt(0), store }, { backupId: backupIdAt(0) });
  const damaged = platformAt(1);
  damaged.tables.get('assessments')!.clear();
  const keys = [
    { dataType: 'FACTORS' as const, table: 'factors', key: 41 },
    { dataType: 'CONFIG' as const, table: 'config', key: { id: 3 } },
  ];
  const spec = { backupId: backupIdAt(0), planId: changeSetIdOf(1), keys, validForMs: VALID_FOR_MS };
  await plan({ source: damaged, store }, spec);
  rmSync(join(path, 'tmp'), { recursive: true, force: true });
}

void main(); // because the process ends with it, and a failure ends it loudly
