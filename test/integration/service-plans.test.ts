/** Plans as people use them, on the whole service: look at one, apply it, take it back, apply it again; and drift. */
import {
  ApplyRestorePlanDocument, GetRestorePlanDocument, PlanRestoreDocument, RestoreBackupDocument, UndoRestoreDocument,
  type GetRestorePlanQuery, type RecordKeyInput,
} from '../support/generated/operations'; // prettier-ignore
import { stopMariadb } from '../support/mariadb';
import { describeMariadb, needServer } from '../support/mysql-source';
import { startServiceApp, type ServiceApp } from '../support/service-app';
import { damageStatements, mariadbPlatform, sqlitePlatform, type Platform } from '../support/service-platforms';

jest.setTimeout(180_000);

type Plan = NonNullable<GetRestorePlanQuery['restorePlan']>;

function describePlans(name: string, open: () => Promise<Platform>): void {
  describe(`a plan on ${name}`, () => {
    let platform: Platform;
    let service: ServiceApp;
    let backupId: string;
    beforeAll(async () => {
      platform = await open();
      service = await startServiceApp({ sourceUrl: platform.sourceUrl });
      backupId = await service.client.backup();
    });
    afterAll(async () => {
      await service.close();
      await platform.remove();
    });

    const plan = async (): Promise<Plan> => {
      const input = { backupId, type: 'FULL', waitFor: 'PT60S' } as const;
      const { planRestore } = await service.client.send(PlanRestoreDocument, { input });
      expect(planRestore).toMatchObject({ job: { state: 'COMPLETED' }, errors: [] });
      return (await service.client.send(GetRestorePlanDocument, { id: planRestore.plan!.id })).restorePlan!;
    };
    const apply = async ({ id: planId, planHash }: Plan) => {
      const input = { planId, planHash, waitFor: 'PT60S' };
      return (await service.client.send(ApplyRestorePlanDocument, { input })).applyRestorePlan;
    };
    const undo = async (restoreId: string) =>
      (await service.client.send(UndoRestoreDocument, { input: { restoreId, waitFor: 'PT60S' } })).undoRestore;

    it('says what it would do, does it, takes it back, and does it again', async () => {
      const whole = await platform.state();
      await platform.exec(...damageStatements(3));
      const damaged = await platform.state();
      const made = await plan();
      expect(await platform.state()).toEqual(damaged);
      const trends = made.tables.find(({ name: table }) => table === 'risk_trends')!;
      expect(Number(trends.inserts)).toBeGreaterThan(0);
      expect(trends).toMatchObject({ before: 'FILLED', updates: '0', deletes: '0' });
      expect(trends.samples.inserts).toHaveLength(5);
      const scores = made.tables.find(({ name: table }) => table === 'risk_factor_scores')!;
      const [sample] = scores.samples.updates;
      expect(sample!.fields.map(({ name: field }) => field)).toContain('explanation');
      expect(sample!.fields.find(({ name: field }) => field === 'explanation')).toMatchObject({ before: 'damage 3' });
      expect(made.tables.find(({ name: table }) => table === 'risk_config')!.samples.deletes[0]).toMatchObject({
        config_type: 'damage',
        config_key: 'k3',
      });

      const applied = await apply(made);
      expect(applied).toMatchObject({ job: { state: 'COMPLETED' }, errors: [] });
      expect(await platform.state()).toEqual(whole);
      const { inserts, updates, deletes, plan: of } = await service.client.getRestore(applied.restore!.id);
      expect({ inserts, updates, deletes, of: of?.id }).toEqual({
        inserts: made.inserts,
        updates: made.updates,
        deletes: made.deletes,
        of: made.id,
      });

      const undone = await undo(applied.restore!.id);
      expect(undone).toMatchObject({ job: { state: 'COMPLETED' }, restore: { undoes: { id: applied.restore!.id } } });
      expect(await platform.state()).toEqual(damaged);
      expect(await apply(made)).toMatchObject({ job: { state: 'COMPLETED' } });
      expect(await platform.state()).toEqual(whole);
    });

    it('drifts once a row that it lists has changed, and changes nothing then', async () => {
      const whole = await platform.state();
      await platform.exec(`UPDATE businesses SET name = 'first damage' WHERE registration_number LIKE '%5'`);
      const made = await plan();
      await platform.exec(`UPDATE businesses SET name = 'an edit by somebody' WHERE registration_number LIKE '%15'`);
      const edited = await platform.state();
      const applied = await apply(made);
      expect(applied.job).toMatchObject({ state: 'FAILED', failure: { code: 'PLAN_DRIFTED' } });
      expect(await platform.state()).toEqual(edited);
      expect(await apply(await plan())).toMatchObject({ job: { state: 'COMPLETED' } });
      expect(await platform.state()).toEqual(whole);
    });

    it('of single records is kept by a dry run, brings them back with their parents, and touches nothing else', async () => {
      const whole = await platform.state();
      const [score, assessment, business, alert] = (await platform.values(
        `SELECT s.id, s.assessment_id, a.business_id, (SELECT MIN(id) FROM risk_alerts WHERE business_id <> a.business_id)
         FROM risk_factor_scores s JOIN risk_assessments a ON a.id = s.assessment_id ORDER BY s.id DESC LIMIT 1`,
      )) as [string, string, string, string];
      await platform.exec(`DELETE FROM businesses WHERE id = '${business}'`);
      const gone = await platform.state();
      await platform.exec(`UPDATE risk_alerts SET message = 'damage' WHERE id = '${alert}'`);
      const damaged = await platform.state();
      const keys: RecordKeyInput[] = [
        { dataType: 'FACTORS', key: Number(score) },
        { dataType: 'ALERTS', table: 'risk_alerts', key: { id: alert } },
      ];
      const input = { backupId, type: 'FULL', keys, dryRun: true, waitFor: 'PT60S' } as const;
      const { restoreBackup: dry } = await service.client.send(RestoreBackupDocument, { input });
      expect(dry).toMatchObject({ job: { state: 'COMPLETED' }, restore: { dryRun: true }, errors: [] });
      expect(await platform.state()).toEqual(damaged);
      const made = (await service.client.send(GetRestorePlanDocument, { id: dry.plan!.id })).restorePlan!;
      expect(made).toMatchObject({ inserts: '3', updates: '1', deletes: '0', keys: [{ table: 'risk_factor_scores' }, { table: 'risk_alerts' }] }); // prettier-ignore
      const along = made.tables.filter(({ warnings }) => warnings.some((warning) => /comes along/.test(warning)));
      expect(along.map(({ name: table }) => table).sort()).toEqual(['businesses', 'risk_assessments']);

      const applied = await apply(made);
      expect(applied).toMatchObject({ job: { state: 'COMPLETED' }, errors: [] });
      const { risk_assessments: assessments, risk_factor_scores: scores, ...others } = await platform.state();
      const untouched = { ...gone, businesses: whole.businesses };
      expect({ ...others, risk_assessments: null, risk_factor_scores: null }).toEqual({ ...untouched, risk_assessments: null, risk_factor_scores: null }); // prettier-ignore
      expect([assessments, scores]).not.toEqual([gone.risk_assessments, gone.risk_factor_scores]);
      const came = `SELECT COUNT(*), MAX(s.id) FROM risk_factor_scores s WHERE s.assessment_id = '${assessment}'`;
      expect(await platform.values(came)).toEqual(['1', score]);
      expect(await undo(applied.restore!.id)).toMatchObject({ job: { state: 'COMPLETED' } });
      expect(await platform.state()).toEqual(damaged);
      await service.client.restore({ backupId });
      expect(await platform.state()).toEqual(whole);
    });

    it('of a record that the backup does not hold fails, and names it', async () => {
      const keys: RecordKeyInput[] = [{ dataType: 'FACTORS', key: -4711 }];
      const input = { backupId, type: 'FULL', keys, waitFor: 'PT60S' } as const;
      const { planRestore } = await service.client.send(PlanRestoreDocument, { input });
      const message = expect.stringContaining('-4711 of risk_factor_scores') as unknown;
      expect(planRestore.job).toMatchObject({ state: 'FAILED', failure: { code: 'NOT_FOUND', message } });
    });

    it('of what restoreBackup did is taken back too, where every table had been dropped as well', async () => {
      const whole = await platform.state();
      await platform.exec(...damageStatements(5));
      const damaged = await platform.state();
      const restored = await service.client.restore({ backupId });
      expect(await platform.state()).toEqual(whole);
      expect(await undo(restored.id)).toMatchObject({ job: { state: 'COMPLETED' } });
      expect(await platform.state()).toEqual(damaged);

      await platform.dropTables();
      const loaded = await service.client.restore({ backupId });
      expect(await platform.state()).toEqual(whole);
      expect(await undo(loaded.id)).toMatchObject({ job: { state: 'COMPLETED' }, errors: [] });
      expect(await platform.tableNames()).toEqual([]);
      await service.client.restore({ backupId });
      expect(await platform.state()).toEqual(whole);
    });

    it('of a platform that was migrated since keeps what came with the migration', async () => {
      await platform.exec(
        `ALTER TABLE businesses ADD COLUMN segment VARCHAR(80) NOT NULL DEFAULT 'none'`,
        `UPDATE businesses SET segment = registration_number, updated_at = updated_at`,
        `ALTER TABLE risk_trends ADD COLUMN origin VARCHAR(20) NOT NULL DEFAULT 'feed'`,
      );
      const whole = await platform.state();
      await platform.exec(...damageStatements(4));
      const damaged = await platform.state();
      const made = await plan();
      const warnings = made.tables.flatMap((table) => table.warnings);
      expect(warnings).toEqual([expect.stringMatching(/: segment\./), expect.stringMatching(/: origin\./)]);
      const applied = await apply(made);
      expect(applied).toMatchObject({ job: { state: 'COMPLETED' }, errors: [] });
      expect(await platform.state()).toEqual(whole);
      expect(await undo(applied.restore!.id)).toMatchObject({ job: { state: 'COMPLETED' } });
      expect(await platform.state()).toEqual(damaged);
    });
  });
}

describePlans('SQLite', () => sqlitePlatform(200));
describeMariadb('with a MariaDB server', () => {
  afterAll(() => stopMariadb());
  describePlans('MariaDB', async () => mariadbPlatform(await needServer(), 4_000));
});
