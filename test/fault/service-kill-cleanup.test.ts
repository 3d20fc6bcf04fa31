/**
 * kill -9, or a shutdown without patience, of the service between two manifests of a cleanup, for each thing that can follow: whatever
 * it is, the job ends by saying just what it deleted, nothing deleted stays listed, and nothing that is stored is called gone.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { toGlobalId } from '../../src/api/global-id';
import type { BackupId } from '../../src/domain/ids';
import { openStore } from '../support/engine-scenarios';
import { pause, type Job } from '../support/service-client';
import { sqlitePlatform, type Platform } from '../support/service-platforms';
import { ServiceProcess } from '../support/service-process';

jest.setTimeout(240_000);

const EXPIRED = 60;
const ROUNDS = process.env.LONG ? 6 : 1;

let platform: Platform;
let service: ServiceProcess;
let kept: string;

beforeAll(async () => {
  platform = await sqlitePlatform(20);
});
afterAll(() => platform.remove());
beforeEach(async () => {
  service = new ServiceProcess({ sourceUrl: platform.sourceUrl, settings: { runner: { drain: 'PT0S' } } });
  await service.start();
  kept = await service.client.backup();
});
afterEach(() => service.remove());

const repository = (): string => join(service.path, 'repository');

/** The backups that have a manifest, whoever thinks what of them. */
function stored(): string[] {
  const names = readdirSync(join(repository(), 'manifests'), { recursive: true, encoding: 'utf8' });
  return names.flatMap((name) => (name.endsWith('.json') ? [toGlobalId('Backup', name.slice(-41, -5))] : []));
}

/** Backups like the one that there is, but expired long ago: written as the service itself would have. */
async function storeExpired(): Promise<string[]> {
  await service.stop();
  const store = await openStore(repository());
  const manifests = [];
  for await (const { manifest } of store.listManifests()) manifests.push(manifest);
  const expired: string[] = [];
  for (let n = 0; n < EXPIRED; n += 1) {
    const backupId = randomUUID() as BackupId;
    const session = await store.beginWrite(backupId);
    await session.commit({ ...manifests[0]!, backupId, expiresAt: '2026-01-01T00:00:00.000Z' });
    expired.push(toGlobalId('Backup', backupId));
  }
  await store.close();
  await service.start();
  return expired;
}

type Sequel = 'RETRY' | 'CANCEL' | 'KILL_EACH_ATTEMPT' | 'AFTER_A_SHUTDOWN';

/** Ends the service once some manifests have gone, and others have not. */
async function endBetweenManifests(
  before: number,
  { share, sequel }: { share: number; sequel: Sequel },
): Promise<void> {
  const enough = before - Math.ceil(EXPIRED * share);
  while (stored().length > enough) await pause(1);
  if (sequel === 'AFTER_A_SHUTDOWN') await service.stop();
  else await service.kill();
  expect(stored().length).toBeGreaterThan(1);
}

async function follow(sequel: Sequel, jobId: string): Promise<Job> {
  const { client } = service;
  await service.start();
  if (sequel === 'CANCEL') expect(await client.cancel(jobId)).toEqual([]);
  for (let attempt = 2; sequel === 'KILL_EACH_ATTEMPT' && attempt <= 3; attempt += 1) {
    await client.jobWhen(jobId, (job) => job.attempt >= attempt);
    await service.kill();
    await service.start();
  }
  return client.ended(jobId);
}

describe('a cleanup whose service ends between two manifests', () => {
  const sequels: Sequel[] = ['RETRY', 'CANCEL', 'KILL_EACH_ATTEMPT', 'AFTER_A_SHUTDOWN'];
  it.each(sequels)('says what it deleted and lists none of it; afterwards: %s', async (sequel) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const expired = await storeExpired();
      const before = stored();
      const jobId = await service.client.startCleanUp();
      await endBetweenManifests(before.length, { share: (round + 1) / (ROUNDS + 2), sequel });
      const job = await follow(sequel, jobId);

      const gone = expired.filter((id) => !stored().includes(id));
      expect(gone).not.toHaveLength(0);
      expect(job.state).toBe('COMPLETED');
      expect([...job.cleanup!.deletedBackupIds].sort()).toEqual([...gone].sort());
      const listed = await service.client.backups({ statuses: ['COMPLETED', 'EXPIRED'] });
      expect([...listed].sort()).toEqual([...stored()].sort());
      expect(await service.client.backups({ statuses: ['COMPLETED', 'EXPIRED'], missing: true })).toEqual([]);
      expect(listed).toContain(kept);
      await service.client.cleanUp();
    }
  });
});
