/**
 * kill -9 of the service at random moments of a rehearsal: whatever follows, the job ends, no scratch schema stays, and the live rows
 * are as they were.
 */
import { createSeededRandom } from '../../src/sources/seeded-random';
import { RehearseRestoreDocument } from '../support/generated/operations';
import { stopMariadb } from '../support/mariadb';
import { describeMariadb, needServer } from '../support/mysql-source';
import { scratchesLeft } from '../support/scratches-left';
import { pause } from '../support/service-client';
import { mariadbPlatform, sqlitePlatform, type Platform } from '../support/service-platforms';
import { ServiceProcess } from '../support/service-process';

jest.setTimeout(process.env.LONG ? 1_800_000 : 240_000);

const ROUNDS = process.env.LONG ? 24 : 6;
const SEQUELS = ['RETRY', 'KILL_AGAIN', 'CANCEL'] as const;
type Sequel = (typeof SEQUELS)[number];

function describeKilledRehearsals(name: string, open: () => Promise<Platform>): void {
  describe(`kill -9 in the middle of a rehearsal, on ${name}`, () => {
    let platform: Platform;
    let service: ServiceProcess;
    beforeAll(async () => {
      platform = await open();
      service = new ServiceProcess({ sourceUrl: platform.sourceUrl });
      await service.start();
    });
    afterAll(async () => {
      await service.remove();
      await platform.remove();
    });

    const start = async (backupId: string): Promise<string> =>
      (await service.client.send(RehearseRestoreDocument, { input: { backupId } })).rehearseRestore.job!.id;

    const follow = async (sequel: Sequel, jobId: string): Promise<void> => {
      await service.start();
      if (sequel === 'CANCEL') await service.client.cancel(jobId); // refused where the job had ended
      if (sequel !== 'KILL_AGAIN') return;
      await service.client.jobWhen(jobId, ({ attempt, state }) => attempt > 1 || state === 'COMPLETED');
      await service.kill();
      await service.start();
    };

    it('leaves no schema, whatever follows', async () => {
      const random = createSeededRandom(20261125);
      const backupId = await service.client.backup();
      const live = await platform.state();
      const begun = performance.now();
      await service.client.completed(await start(backupId));
      const spanMs = performance.now() - begun;
      let seen = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const sequel = SEQUELS[round % 3] as Sequel;
        const jobId = await start(backupId);
        await service.client.jobWhen(jobId, ({ state }) => state !== 'PENDING');
        await pause(random.int(0, Math.round(spanMs * 0.8)));
        await service.kill();
        seen += (await scratchesLeft(platform, jobId)).length;
        await follow(sequel, jobId);
        const job = await service.client.ended(jobId);
        expect([sequel, job.state, await scratchesLeft(platform, jobId)]).toEqual([sequel, job.state, []]);
        if (sequel === 'RETRY') expect(job).toMatchObject({ state: 'COMPLETED', verification: { passed: true } });
      }
      expect(seen).toBeGreaterThan(0); // else no kill met a schema
      expect(await platform.state()).toEqual(live);
    });
  });
}

describeKilledRehearsals('SQLite', () => sqlitePlatform(400));
describeMariadb('with a MariaDB server', () => {
  afterAll(() => stopMariadb());
  describeKilledRehearsals('MariaDB', async () => mariadbPlatform(await needServer(), 12_000));
});
