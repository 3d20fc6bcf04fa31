/** A three-way restore as people do it, on the whole service: look at the conflicts, choose, apply, take it back. */
import {
  ApplyRestorePlanDocument, GetRestorePlanDocument, PlanRestoreDocument, ReadConflictsDocument, UndoRestoreDocument,
  type ConflictPolicy,
} from '../support/generated/operations'; // prettier-ignore
import { stopMariadb } from '../support/mariadb';
import { describeMariadb, needServer } from '../support/mysql-source';
import { startServiceApp, type ServiceApp } from '../support/service-app';
import { mariadbPlatform, sqlitePlatform, type Platform } from '../support/service-platforms';

jest.setTimeout(180_000);

function describeThreeWay(name: string, open: () => Promise<Platform>): void {
  describe(`a three-way restore on ${name}`, () => {
    let platform: Platform;
    let service: ServiceApp;
    beforeAll(async () => {
      platform = await open();
      service = await startServiceApp({ sourceUrl: platform.sourceUrl });
    });
    afterAll(async () => {
      await service.close();
      await platform.remove();
    });

    it('undoes the damage, keeps what was done since, and asks where both met', async () => {
      const { client } = service;
      const undamaged = await platform.state();
      const backupId = await client.backup();
      await platform.exec(
        `DELETE FROM risk_trends WHERE id % 7 = 3`,
        `UPDATE businesses SET name = 'damaged' WHERE registration_number LIKE '%5'`,
      );
      const damagedBackupId = await client.backup({ type: 'INCREMENTAL' });
      const [met] = await platform.values(`SELECT MIN(id) FROM businesses WHERE name = 'damaged'`);
      const [merged] = await platform.values(`SELECT MAX(id) FROM businesses WHERE name = 'damaged'`);
      await platform.exec(
        `UPDATE businesses SET name = 'named by hand' WHERE id = '${met}'`,
        `UPDATE businesses SET country_code = 'ZZ' WHERE id = '${merged}'`,
      );
      const live = await platform.state();

      const plan = async (conflictPolicy?: ConflictPolicy) => {
        const input = { backupId, damagedBackupId, conflictPolicy, type: 'FULL', waitFor: 'PT60S' } as const;
        const { planRestore } = await client.send(PlanRestoreDocument, { input });
        expect(planRestore).toMatchObject({ job: { state: 'COMPLETED' }, errors: [] });
        return (await client.send(GetRestorePlanDocument, { id: planRestore.plan!.id })).restorePlan!;
      };
      const apply = async ({ id: planId, planHash }: Awaited<ReturnType<typeof plan>>) =>
        (await client.send(ApplyRestorePlanDocument, { input: { planId, planHash, waitFor: 'PT60S' } }))
          .applyRestorePlan;

      const open = await plan();
      expect(await platform.state()).toEqual(live);
      const { restorePlan } = await client.send(ReadConflictsDocument, { planId: open.id, first: 10 });
      expect(restorePlan!.conflicts.nodes).toEqual([
        {
          dataType: 'BUSINESSES', name: 'businesses', key: { id: met }, kind: 'EDITED',
          fields: [{ name: 'name', undamaged: expect.any(String), damaged: 'damaged', live: 'named by hand' }],
        },
      ]); // prettier-ignore
      expect(await apply(open)).toMatchObject({ job: null, errors: [{ code: 'CONFLICT' }] });

      const applied = await apply(await plan('KEEP_LIVE'));
      expect(applied).toMatchObject({ job: { state: 'COMPLETED' }, errors: [] });
      const left = await platform.values(`SELECT COUNT(*) FROM businesses WHERE name = 'damaged'`);
      expect(left.map(Number)).toEqual([0]);
      expect(await platform.values(`SELECT name FROM businesses WHERE id = '${met}'`)).toEqual(['named by hand']);
      expect(await platform.values(`SELECT country_code FROM businesses WHERE id = '${merged}'`)).toEqual(['ZZ']);
      expect((await platform.state()).risk_trends).toEqual(undamaged.risk_trends);
      const undone = await client.send(UndoRestoreDocument, {
        input: { restoreId: applied.restore!.id, waitFor: 'PT60S' },
      });
      expect(undone.undoRestore).toMatchObject({ job: { state: 'COMPLETED' }, errors: [] });
      expect(await platform.state()).toEqual(live);
    });
  });
}

describeThreeWay('SQLite', () => sqlitePlatform(200));
describeMariadb('with a MariaDB server', () => {
  afterAll(() => stopMariadb());
  describeThreeWay('MariaDB', async () => mariadbPlatform(await needServer(), 4_000));
});
