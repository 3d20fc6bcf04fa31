/**
 * The service stopped and started again in the middle of its work, over a catalog on SQLite and on MariaDB; and a catalog that was lost,
 * or changed for another, beside a repository that was not.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { stopMariadb } from '../support/mariadb';
import { describeMariadb, needServer } from '../support/mysql-source';
import { catalogSchema, damageStatements, sqlitePlatform, type Platform } from '../support/service-platforms';
import { ServiceProcess } from '../support/service-process';

jest.setTimeout(180_000);

const AT_ONCE = { runner: { lease: 'PT10S', heartbeat: 'PT1S', poll: 'PT0.1S', drain: 'PT0S' } };

let platform: Platform;
beforeAll(async () => {
  platform = await sqlitePlatform(60);
});
afterAll(() => platform.remove());

/** The catalogs to run over; the second one only where a server can be had. */
function describeRestarts(name: string, openCatalog: () => Promise<{ url?: string; drop(): Promise<void> }>): void {
  describe(`two restarts in the middle, the catalog on ${name}`, () => {
    let service: ServiceProcess;
    let catalog: Awaited<ReturnType<typeof openCatalog>>;
    beforeAll(async () => {
      catalog = await openCatalog();
      // Slow enough to be caught in the middle.
      const source = { maxRowsPerSecond: 1500 };
      service = new ServiceProcess({
        sourceUrl: platform.sourceUrl,
        catalogUrl: catalog.url,
        settings: AT_ONCE,
        source,
      });
      await service.start();
    });
    afterAll(async () => {
      await service.remove();
      await catalog.drop();
    });

    it('of a backup and of a restore cost no attempt, and both end as if nothing had happened', async () => {
      const { jobId, backupId } = await service.client.startBackup();
      const whole = await platform.state();
      await restartTwice(jobId);
      expect(await service.client.completed(jobId)).toMatchObject({ attempt: 1 });
      expect(await service.client.verify(backupId)).toMatchObject({ passed: true });

      await platform.exec(...damageStatements(8));
      const restore = await service.client.startRestore({ backupId });
      await restartTwice(restore.jobId);
      expect(await service.client.completed(restore.jobId)).toMatchObject({ attempt: 1 });
      expect(await platform.state()).toEqual(whole);
      const { nodes } = (await service.client.getJob(restore.jobId)).events;
      expect(nodes.map(({ sequence }) => sequence)).toEqual(nodes.map((_, i) => i + 1));
    });

    async function restartTwice(jobId: string): Promise<void> {
      for (let i = 0; i < 2; i++) {
        await service.client.jobWhen(jobId, ({ state, progress }) => state === 'RUNNING' && progress.percent > 1);
        await service.restart();
      }
    }
  });
}

describeRestarts('SQLite', async () => ({ drop: async () => undefined }));
describeMariadb('with a MariaDB server', () => {
  const name = `rv_test_service_restart_${process.pid}`;
  afterAll(() => stopMariadb());
  describeRestarts('MariaDB', async () => catalogSchema(await needServer(), name));

  it('a catalog changed for an empty one on MariaDB knows the backups again', async () => {
    const catalog = await catalogSchema(await needServer(), `${name}_2`);
    const service = new ServiceProcess({ sourceUrl: platform.sourceUrl });
    try {
      await service.start();
      const backupId = await service.client.backup({ labels: { why: 'to be found' } });
      await service.stop();
      service.move({ catalogUrl: catalog.url });
      await service.start();
      expect(await service.client.getBackup(backupId)).toMatchObject({
        status: 'COMPLETED',
        labels: { why: 'to be found' },
      });
      expect(await service.client.verify(backupId)).toMatchObject({ passed: true });
    } finally {
      await service.remove();
      await catalog.drop();
    }
  });
});

describe('a catalog that was lost', () => {
  it('is made again from the repository, which restores the data', async () => {
    const service = new ServiceProcess({ sourceUrl: platform.sourceUrl, passphrase: 'nobody forgets me' });
    try {
      await service.start();
      const [first, second] = [await service.client.backup(), await service.client.backup({ type: 'SYSTEM' })];
      const before = await Promise.all([first, second].map((id) => service.client.getBackup(id)));
      const whole = await platform.state();
      await service.stop();
      for (const suffix of ['', '-wal', '-shm']) rmSync(join(service.path, `catalog.sqlite${suffix}`), { force: true });
      await service.start();
      expect((await service.client.backups()).sort()).toEqual([first, second].sort());
      const facts = ({ type, rowCount, checksum, tables, readAt, storedBytes }: (typeof before)[number]) =>
        ({ type, rowCount, checksum, tables, readAt, storedBytes }); // prettier-ignore
      const after = await Promise.all([first, second].map((id) => service.client.getBackup(id)));
      expect(after.map(facts)).toEqual(before.map(facts));
      await platform.dropTables();
      await service.client.restore({ backupId: first });
      expect(await platform.state()).toEqual(whole);
    } finally {
      await service.remove();
    }
  });
});
