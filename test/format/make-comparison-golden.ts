/**
 * Makes the golden repository `comparison`, two backups and what they differ in, a table of other columns and one that has gone among
 * it: `node -r ./test/support/register-ts.js test/format/make-comparison-golden.ts`. Committed and made once, like those of make-golden.ts.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openRepository } from '../../src/repository/repository';
import { backupIdAt, comparedSource, platformAt } from '../support/engine-changing-platform';
import { backup, comparisonTask, run } from '../support/engine-context';
import { FakeClock, MemoryLog, seededRandom } from '../support/repository-ambient';
import { changeSetIdOf, HOUR_MS, TEST_SETTINGS } from '../support/repository-fixtures';

/** Whoever reads the format in a hundred years may still look at it. */
const VALID_FOR_MS = 100 * 365 * 24 * HOUR_MS;

async function main(): Promise<void> {
  const path = join(__dirname, 'golden/comparison');
  rmSync(path, { recursive: true, force: true });
  const settings = { ...TEST_SETTINGS, url: `file:${path}`, compression: 'zstd' as const };
  const options = { settings, clock: new FakeClock(), random: seededRandom('golden comparison'), log: new MemoryLog() };
  const store = await openRepository(options);
  const [backupId, targetId] = [backupIdAt(0), backupIdAt(1)];
  await backup({ source: platformAt(0), store }, { backupId });
  await backup({ source: comparedSource(), store }, { backupId: targetId });
  const spec = { backupId, targetId, comparisonId: changeSetIdOf(1), validForMs: VALID_FOR_MS };
  await run(comparisonTask(spec), { source: platformAt(0), store });
  rmSync(join(path, 'tmp'), { recursive: true, force: true });
}

void main(); // because the process ends with it, and a failure ends it loudly
