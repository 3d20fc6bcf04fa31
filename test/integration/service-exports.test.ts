/** Exports as people use them, on the whole service: ask for one, follow its link, run what comes with the real client. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createConnection } from 'mysql2/promise';
import { ExportBackupDocument, type ExportBackupInput } from '../support/generated/operations';
import { stopMariadb } from '../support/mariadb';
import { describeMariadb, needServer } from '../support/mysql-source';
import { startServiceApp, type ServiceApp } from '../support/service-app';
import { mariadbPlatform, PLATFORM_TABLES, sqlitePlatform, type Platform } from '../support/service-platforms';
import { mysqlClient, runMysqlScript, runSqliteScript } from '../support/sql-clients';
import { pause } from '../support/service-client';

jest.setTimeout(180_000);

/** Runs the script on a new, empty place, and counts rows there by table. */
type CountsOf = (script: Buffer) => Promise<string[]>;

function describeServiceExports(name: string, open: () => Promise<{ platform: Platform; countsOf: CountsOf }>): void {
  describe(`an export of ${name}`, () => {
    let platform: Platform;
    let countsOf: CountsOf;
    let service: ServiceApp;
    let backupId: string;
    beforeAll(async () => {
      ({ platform, countsOf } = await open());
      service = await startServiceApp({ sourceUrl: platform.sourceUrl });
      backupId = await service.client.backup();
    });
    afterAll(async () => {
      await service.close();
      await platform.remove();
    });

    const exported = async (input: Partial<ExportBackupInput> = {}) => {
      const given = { backupId, format: 'SQL', waitFor: 'PT60S', ...input } as const;
      const { exportBackup } = await service.client.send(ExportBackupDocument, { input: given });
      expect(exportBackup).toMatchObject({ job: { state: 'COMPLETED' }, errors: [] });
      return exportBackup.export as NonNullable<typeof exportBackup.export> & { downloadUrl: string };
    };
    const download = async (url: string) => Buffer.from(await (await fetch(url)).arrayBuffer());

    it('is run elsewhere and gives every row', async () => {
      const made = await exported({ compression: 'GZIP' });
      const script = gunzipSync(await download(made.downloadUrl));
      const counts = await Promise.all(
        PLATFORM_TABLES.map((table) => platform.values(`SELECT COUNT(*) FROM ${table}`)),
      );
      expect(await countsOf(script)).toEqual(counts.map(([count]) => count));
      expect(made.tables.map(({ rowCount }) => rowCount).sort()).toEqual(counts.map(([count]) => count).sort());
    });

    it('of one business holds that alone', async () => {
      const [businessId = ''] = await platform.values('SELECT business_id FROM risk_assessments LIMIT 1');
      const { downloadUrl } = await exported({
        format: 'NDJSON',
        businessId,
        dataTypes: ['ASSESSMENTS', 'BUSINESSES'],
      });
      const lines = (await download(downloadUrl)).toString('utf8').trim().split('\n');
      const rows = lines.map((line) => JSON.parse(line) as { table: string; fields: Record<string, unknown> });
      const [count] = await platform.values(
        `SELECT COUNT(*) FROM risk_assessments WHERE business_id = '${businessId}'`,
      );
      expect(rows.filter(({ table }) => table === 'risk_assessments')).toHaveLength(Number(count));
      expect(rows.filter(({ table }) => table === 'businesses').map(({ fields }) => fields.id)).toEqual([businessId]);
      expect(rows.filter(({ table }) => table === 'tenants')).toHaveLength(1);
    });

    it('leaves its thread to others when the client goes away, also one that never reads', async () => {
      const { downloadUrl } = await exported();
      const waiting = await Promise.all([0, 1].map(() => begin(downloadUrl)));
      for (const abort of waiting) abort.abort();
      await untilTrue(async () => (await fetch(downloadUrl)).status === 200);
      expect(await service.client.verify(backupId)).toMatchObject({ passed: true });
    });

    it('is gone with its backup', async () => {
      const other = await service.client.backup();
      const { downloadUrl } = await exported({ backupId: other });
      await service.client.completed(await service.client.startDelete(other));
      expect((await fetch(downloadUrl)).status).toBe(410);
    });
  });
}

/** A download of which only the head is read. */
async function begin(url: string): Promise<AbortController> {
  const abort = new AbortController();
  const response = await fetch(url, { signal: abort.signal });
  expect(response.status).toBe(200);
  return abort;
}

async function untilTrue(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await pause(25);
}

describeServiceExports('SQLite', async () => ({
  platform: await sqlitePlatform(200),
  countsOf: async (script) => {
    const folder = mkdtempSync(join(tmpdir(), 'riskvault-copy-'));
    try {
      const path = join(folder, 'copy.sqlite');
      await runSqliteScript(path, script);
      return await countsIn(path);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
}));

async function countsIn(path: string): Promise<string[]> {
  const { default: Libsql } = await import('libsql');
  const database = new Libsql(path);
  const counts = PLATFORM_TABLES.map((table) => database.prepare(`SELECT COUNT(*) FROM ${table}`).raw().get());
  database.close();
  return (counts as unknown as number[][]).map(([count]) => String(count));
}

const describeWithClient: typeof describe.skip = mysqlClient === null ? describe.skip : describeMariadb;
describeWithClient('with a MariaDB server', () => {
  afterAll(() => stopMariadb());
  describeServiceExports('MariaDB', async () => {
    const server = await needServer();
    const copy = `rv_test_copy_${process.pid}`;
    return {
      platform: await mariadbPlatform(server, 4_000),
      countsOf: async (script) => {
        const connection = await createConnection({ uri: server.url(), rowsAsArray: true });
        await connection.query(`CREATE DATABASE ${copy} CHARACTER SET utf8mb4`);
        await runMysqlScript(server.url(copy), script);
        const counts: string[] = [];
        for (const table of PLATFORM_TABLES) {
          const [rows] = await connection.query(`SELECT COUNT(*) FROM ${copy}.${table}`);
          counts.push(String((rows as unknown[][])[0]![0]));
        }
        await connection.query(`DROP DATABASE ${copy}`);
        await connection.end();
        return counts;
      },
    };
  });
});
