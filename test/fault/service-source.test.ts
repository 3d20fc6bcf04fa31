/**
 * A source that breaks under the whole service: connections cut in the middle, an answer to COMMIT that never comes, a server that is
 * not there. Every job ends, says what to do, and leaves the source as it was or as the backup holds it, just as its record says.
 */
import { stopMariadb } from '../support/mariadb';
import { describeMariadb, needServer } from '../support/mysql-source';
import { startServiceApp, type ServiceApp } from '../support/service-app';
import { damageStatements, mariadbPlatform, type Platform } from '../support/service-platforms';
import { COMMIT_STATEMENT, openTcpProxy, type TcpProxy } from '../support/tcp-proxy';

jest.setTimeout(180_000);

/** The Query packet of this statement alone, and no longer one that begins like it. */

describeMariadb('a MariaDB source that breaks', () => {
  let platform: Platform;
  let proxy: TcpProxy;
  let service: ServiceApp;

  beforeAll(async () => {
    const server = await needServer();
    platform = await mariadbPlatform(server, 12_000);
    const { hostname, port } = new URL(server.url());
    proxy = await openTcpProxy(hostname, Number(port || 3306));
    const sourceUrl = Object.assign(new URL(platform.sourceUrl), { host: `127.0.0.1:${proxy.port}` }).href;
    service = await startServiceApp({ sourceUrl });
  });
  afterAll(async () => {
    await service.close();
    await proxy.close();
    await platform.remove();
    await stopMariadb();
  });

  it('cut while it is read: the backup is tried again and is sound', async () => {
    proxy.cutOn('FROM `risk_factor_scores`', 'AFTER');
    const { jobId, backupId } = await service.client.startBackup();
    const job = await service.client.completed(jobId);
    expect(job.attempt).toBe(2);
    expect(await service.client.verify(backupId)).toMatchObject({ passed: true });
  });

  it('cut again and again: the backup fails with a remedy, and nothing of it is listed as complete', async () => {
    const before = await service.client.backups();
    const { jobId, backupId } = await cutEveryAttempt(() => service.client.startBackup(), 'FROM `risk_factor_scores`');
    const failure = await service.client.failed(jobId);
    expect(failure).toMatchObject({ code: 'SOURCE_UNAVAILABLE', retryable: true });
    expect(failure.remedy).toMatch(/server/);
    expect((await service.client.getBackup(backupId)).status).toBe('FAILED');
    expect(await service.client.backups()).toEqual(before);
  });

  it('cut while it is written in place: the restore is tried again, all or nothing', async () => {
    const { backupId, whole } = await harmed(21);
    proxy.cutOn('DELETE FROM', 'AFTER');
    const { jobId } = await service.client.startRestore({ backupId });
    expect((await service.client.completed(jobId)).attempt).toBe(2);
    expect(await platform.state()).toEqual(whole);
  });

  it('cut at every attempt to write in place: the restore fails with a remedy and leaves the source untouched', async () => {
    const { backupId } = await harmed(22);
    const damaged = await platform.state();
    const { jobId } = await cutEveryAttempt(() => service.client.startRestore({ backupId }), 'DELETE FROM');
    const failure = await service.client.failed(jobId);
    expect(failure.code).toBe('SOURCE_UNAVAILABLE');
    expect(failure.remedy).toBeTruthy();
    expect(await platform.state()).toEqual(damaged);
    await service.client.restore({ backupId });
  });

  it.each(['LOAD DATA', 'ADD CONSTRAINT', 'RENAME TABLE'])(
    'cut at %s of a bulk load: the restore is tried again, and leaves nothing but the tables',
    async (statement) => {
      const backupId = await service.client.backup();
      const whole = await platform.state();
      const names = await platform.tableNames();
      await platform.dropTables();
      proxy.cutOn(statement, 'AFTER');
      const { jobId } = await service.client.startRestore({ backupId });
      expect((await service.client.completed(jobId)).attempt).toBe(2);
      expect(await platform.state()).toEqual(whole);
      expect((await platform.tableNames()).sort()).toEqual(names.sort());
    },
  );

  it.each([
    ['is lost on its way', 'BEFORE'],
    ['is answered, and the answer is lost', 'AFTER'],
  ] as const)('a COMMIT that %s is settled truthfully', async (_, when) => {
    const { backupId, whole } = await harmed(when === 'BEFORE' ? 23 : 24);
    proxy.cutOn(COMMIT_STATEMENT, when);
    const { jobId, restoreId } = await service.client.startRestore({ backupId });
    const job = await service.client.completed(jobId);
    expect(job.attempt).toBe(when === 'BEFORE' ? 2 : 1);
    expect(await platform.state()).toEqual(whole);
    const restore = await service.client.getRestore(restoreId);
    expect(Number(restore.updates)).toBeGreaterThan(0);
  });

  /** A backup, and damage done after it. */
  async function harmed(seed: number) {
    const backupId = await service.client.backup();
    const whole = await platform.state();
    await platform.exec(...damageStatements(seed));
    return { backupId, whole };
  }

  /** Starts a job and cuts each of its attempts at that statement. */
  async function cutEveryAttempt<Started extends { jobId: string }>(
    start: () => Promise<Started>,
    statement: string,
  ): Promise<Started> {
    proxy.cutOn(statement, 'BEFORE');
    const started = await start();
    const { maxAttempts } = await service.client.getJob(started.jobId);
    for (let attempt = 2; attempt <= maxAttempts; attempt++) {
      await service.client.jobWhen(
        started.jobId,
        ({ state, attempt: done }) => state === 'PENDING' && done === attempt - 1,
      );
      proxy.cutOn(statement, 'BEFORE');
    }
    return started;
  }
});

describe('a source that is not there', () => {
  it.each([
    ['MySQL', 'mysql://nobody@127.0.0.1:1/nowhere'],
    ['SQLite', 'sqlite:/nowhere/at/all.sqlite'],
  ])('%s: the service runs, the job fails with a remedy', async (_, sourceUrl) => {
    const service = await startServiceApp({ sourceUrl });
    try {
      const { jobId, backupId } = await service.client.startBackup();
      const failure = await service.client.failed(jobId);
      expect(failure.code).toBe('SOURCE_UNAVAILABLE');
      expect(failure.remedy).toBeTruthy();
      expect((await service.client.getBackup(backupId)).status).toBe('FAILED');
    } finally {
      await service.close();
    }
  });
});
