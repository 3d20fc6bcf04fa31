/**
 * What an operator does to a risk platform and gets back through the API, the whole service at work: lose everything, harm some of
 * it, one business, one data type, the configuration, a look beside the live data.
 */
import { stopMariadb } from '../support/mariadb';
import { ReadRecordsDocument, RecordHistoryDocument } from '../support/generated/operations';
import { describeMariadb, needServer } from '../support/mysql-source';
import { startServiceApp, type ServiceApp } from '../support/service-app';
import {
  damageStatements,
  mariadbPlatform,
  PLATFORM_TABLES,
  sqlitePlatform,
  type Platform,
  type PlatformState,
} from '../support/service-platforms';

jest.setTimeout(180_000);

const ROWS = !process.env.LONG ? 20_000 : 101_000;

function describeRoundTrip(name: string, openPlatform: () => Promise<Platform>): void {
  describe(`the round trip on ${name}`, () => {
    let platform: Platform;
    let service: ServiceApp;
    let backupId: string;
    let whole: PlatformState;

    beforeAll(async () => {
      platform = await openPlatform();
      service = await startServiceApp({ sourceUrl: platform.sourceUrl, passphrase: 'correct horse battery' });
      whole = await platform.state();
      backupId = await service.client.backup();
    });
    afterAll(async () => {
      await service.close();
      await platform.remove();
    });

    it('stores every row, verified', async () => {
      const { rowCount, tables } = await service.client.getBackup(backupId);
      expect(Number(rowCount)).toBe(await platform.rowCount());
      expect(tables.map(({ name: table }) => table).sort()).toEqual([...PLATFORM_TABLES].sort());
      expect(await service.client.verify(backupId)).toMatchObject({ level: 'DATA', passed: true, findings: [] });
    });

    it('shows records of the backup as they were, whatever became of them since', async () => {
      const [id = ''] = await platform.values('SELECT MAX(business_id) FROM risk_assessments');
      const wanted = { backupId, businessId: id, first: 100, filter: { assessment_id: { isNull: false } } };
      const count = `SELECT COUNT(*) FROM risk_factor_scores f JOIN risk_assessments a ON a.id = f.assessment_id WHERE a.business_id = '${id}'`;
      const before = await platform.values(count);
      await platform.exec(`DELETE FROM risk_factor_scores`);
      const { backup } = await service.client.send(ReadRecordsDocument, { ...wanted, dataType: 'FACTORS' });
      expect([String(backup?.records.nodes.length)]).toEqual(before);
      const [record] = backup?.records.nodes ?? [];
      const { recordHistory } = await service.client.send(RecordHistoryDocument, {
        dataType: 'FACTORS',
        key: record?.key,
      });
      expect(recordHistory.nodes).toMatchObject([
        { isDeleted: false, fields: record?.fields, firstSeenIn: { id: backupId } },
      ]);
      await service.client.restore({ backupId });
      expect(await platform.state()).toEqual(whole);
    });

    it('restores every byte of a platform that lost all its tables', async () => {
      const rows = await platform.rowCount();
      await platform.dropTables();
      const restore = await service.client.restore({ backupId });
      expect(restore).toMatchObject({ mode: 'BULK', status: 'COMPLETED', verifiedRowCount: String(rows) });
      expect(await platform.state()).toEqual(whole);
    });

    it('undoes damage in place, changing what a dry run says', async () => {
      await platform.exec(...damageStatements(3));
      const damaged = await platform.state();
      const dry = await service.client.restore({ backupId, dryRun: true });
      expect(await platform.state()).toEqual(damaged);
      const restore = await service.client.restore({ backupId });
      expect(restore.mode).toBe('IN_PLACE');
      expect(Number(restore.updates)).toBeGreaterThan(0);
      const { inserts, updates, deletes } = restore;
      expect(dry).toMatchObject({ mode: 'DRY_RUN', inserts, updates, deletes });
      expect(await platform.state()).toEqual(whole);
    });

    it('brings one data type back and leaves the others', async () => {
      await platform.exec(...damageStatements(4));
      const damaged = await platform.state();
      await service.client.restore({ backupId, type: 'PARTIAL', dataTypes: ['TRENDS', 'HISTORY'] });
      const { risk_trends, risk_history } = whole;
      expect(await platform.state()).toEqual({ ...damaged, risk_trends, risk_history });
      await service.client.restore({ backupId });
      expect(await platform.state()).toEqual(whole);
    });

    it.each(['FULL', 'BUSINESS'] as const)('brings one business back from a %s backup', async (type) => {
      const [id = ''] = await platform.values('SELECT MAX(business_id) FROM risk_assessments');
      const of = type === 'FULL' ? backupId : await service.client.backup({ type, businessId: id });
      const theirs = (table: string): string => `DELETE FROM ${table} WHERE business_id = '${id}'`;
      await platform.exec(
        theirs('risk_trends'),
        theirs('risk_alerts'),
        theirs('risk_history'),
        theirs('risk_assessments'),
      );
      await platform.exec(`UPDATE businesses SET name = 'harmed' WHERE id = '${id}'`);
      const restore = await service.client.restore({ backupId: of, type: 'BUSINESS', businessId: id });
      expect(Number(restore.inserts)).toBeGreaterThan(10);
      expect(await platform.state()).toEqual(whole);
    });

    it('leaves other businesses alone', async () => {
      const [id = ''] = await platform.values('SELECT MAX(business_id) FROM risk_assessments');
      await platform.exec(`UPDATE businesses SET name = 'harmed' WHERE id <> '${id}'`);
      const harmed = await platform.state();
      await service.client.restore({ backupId, type: 'BUSINESS', businessId: id });
      expect(await platform.state()).toEqual(harmed);
      await service.client.restore({ backupId });
      expect(await platform.state()).toEqual(whole);
    });

    it('takes what changed since the last backup, and restores it alone', async () => {
      await platform.exec(...damageStatements(6));
      const changed = await platform.state();
      const incremental = await service.client.backup({ type: 'INCREMENTAL' });
      const taken = await service.client.getBackup(incremental);
      expect(taken).toMatchObject({ type: 'INCREMENTAL', status: 'COMPLETED', parent: { type: 'FULL' } });
      expect(Number(taken.changedRowCount)).toBeLessThan(Number(taken.rowCount) / 5);
      expect(new Set(taken.tables.map(({ changeDetection }) => changeDetection))).toEqual(new Set(['SCAN']));
      const differential = await service.client.backup({ type: 'DIFFERENTIAL' });
      expect(await service.client.getBackup(differential)).toMatchObject({ parent: { id: taken.parent?.id } });
      await service.client.restore({ backupId });
      expect(await platform.state()).toEqual(whole);
      await service.client.restore({ backupId: incremental });
      expect(await platform.state()).toEqual(changed);
      await platform.dropTables();
      await service.client.restore({ backupId: differential });
      expect(await platform.state()).toEqual(changed);
      expect(await service.client.verify(differential)).toMatchObject({ passed: true, findings: [] });
      await service.client.restore({ backupId });
      expect(await platform.state()).toEqual(whole);
    });

    it('keeps the configuration in a SYSTEM backup and brings it back', async () => {
      const systemId = await service.client.backup({ type: 'SYSTEM' });
      await platform.exec(`DELETE FROM risk_thresholds`, `UPDATE risk_config SET version = version + 1`);
      await service.client.restore({ backupId: systemId, type: 'SYSTEM' });
      expect(await platform.state()).toEqual(whole);
    });

    it('fills a scratch schema beside the live data', async () => {
      await platform.exec(...damageStatements(5));
      const damaged = await platform.state();
      const scratch = platform.scratch('look');
      await service.client.restore({ backupId, target: { scratch } });
      expect(await platform.state(scratch)).toEqual(whole);
      expect(await platform.state()).toEqual(damaged);
      await service.client.restore({ backupId });
      expect(await platform.state()).toEqual(whole);
    });
  });
}

describeMariadb('with a MariaDB server', () => {
  afterAll(() => stopMariadb());
  describeRoundTrip('MariaDB', async () => mariadbPlatform(await needServer(), ROWS));
});
describeRoundTrip('SQLite', () => sqlitePlatform(!process.env.LONG ? 150 : 2000));
