/**
 * Works a catalog until it is killed: enqueues, claims, reports, settles. Prints a line only after an operation was acknowledged,
 * so that the parent knows what must have survived.
 */
import { writeSync } from 'node:fs';
import { openCatalog } from '../../src/catalog/open-catalog';
import { NO_PROGRESS } from '../../src/domain/job';
import { systemClock } from '../../src/ops/ambient';
import { backupSpec, storedManifest, testRandom } from './catalog-stand';
import { silentLog } from './silent-log';

async function main(url: string): Promise<void> {
  const catalog = await openCatalog({ url, clock: systemClock, random: testRandom, log: silentLog });
  const say = (line: string): void => void writeSync(1, `${line}\n`);
  say('ready');
  for (;;) {
    const spec = backupSpec();
    const { job } = await catalog.queue.enqueue({ spec, createdBy: 'child' });
    say(`PENDING ${job.id}`);
    const claimed = await catalog.queue.claim({ owner: 'child', leaseMs: 1, concurrencyPerSource: 1_000_000 });
    if (claimed === null || claimed.job.kind !== 'BACKUP') throw new Error('nothing to claim');
    say(`RUNNING ${claimed.job.id}`);
    await catalog.queue.saveProgress(claimed.lease, { type: 'PROGRESS', progress: { ...NO_PROGRESS, percent: 50 } });
    const stored = storedManifest(claimed.job.backupId!);
    await catalog.queue.settle(claimed.lease, { state: 'COMPLETED', effect: { kind: 'BACKUP_STORED', stored } });
    say(`COMPLETED ${claimed.job.id}`);
  }
}

void main(process.argv[2] as string);
