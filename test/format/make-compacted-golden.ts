/**
 * Makes the golden repository `compacted`, backups whose stacks of layers became single bases: `node -r ./test/support/register-ts.js
 * test/format/make-compacted-golden.ts`. Committed and made once, like those of make-golden.ts.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openRepository } from '../../src/repository/repository';
import { backupIdAt } from '../support/engine-changing-platform';
import { compact } from '../support/engine-context';
import { memorySource } from '../support/engine-memory-source';
import { PLATFORM } from '../support/engine-platform';
import { FakeClock, MemoryLog, seededRandom } from '../support/repository-ambient';
import { TEST_SETTINGS } from '../support/repository-fixtures';

/** Of the backups of `deltas` those that get BASE and MERGED layers. */
const SORTED = 2;
const UNSORTED = 1;

async function main(): Promise<void> {
  const path = join(__dirname, 'golden/compacted');
  rmSync(path, { recursive: true, force: true });
  cpSync(join(__dirname, 'golden/deltas'), path, { recursive: true });
  const settings = { ...TEST_SETTINGS, url: `file:${path}`, compression: 'zstd' as const };
  const options = { settings, clock: new FakeClock(), random: seededRandom('golden compacted'), log: new MemoryLog() };
  const store = await openRepository(options);
  const source = memorySource(PLATFORM);
  await compact({ source, store }, backupIdAt(SORTED));
  await compact({ source: { ...source, codec: { ...source.codec, sortKey: undefined } }, store }, backupIdAt(UNSORTED));
  rmSync(join(path, 'tmp'), { recursive: true, force: true });
}

void main(); // because the process ends with it, and a failure ends it loudly
