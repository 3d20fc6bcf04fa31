/** Comparisons as people use them, on the whole service: what did this damage do, is the restore complete, what came since. */
import {
  CompareBackupsDocument, GetComparisonDocument, type CompareBackupsInput, type GetComparisonQuery, type GetComparisonQueryVariables,
} from '../support/generated/operations'; // prettier-ignore
import { stopMariadb } from '../support/mariadb';
import { describeMariadb, needServer } from '../support/mysql-source';
import { startServiceApp, type ServiceApp } from '../support/service-app';
import { damageStatements, mariadbPlatform, sqlitePlatform, type Platform } from '../support/service-platforms';

jest.setTimeout(180_000);

type Comparison = NonNullable<GetComparisonQuery['comparison']>;

function describeComparing(name: string, open: () => Promise<Platform>): void {
  describe(`comparing on ${name}`, () => {
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

    const read = async (id: string, more: Omit<GetComparisonQueryVariables, 'id'> = {}): Promise<Comparison> =>
      (await service.client.send(GetComparisonDocument, { id, ...more })).comparison!;
    const compare = async (input: CompareBackupsInput): Promise<Comparison> => {
      const { compareBackups } = await service.client.send(CompareBackupsDocument, { input: { waitFor: 'PT60S', ...input } }); // prettier-ignore
      expect(compareBackups).toMatchObject({ job: { state: 'COMPLETED' }, errors: [] });
      return read(compareBackups.comparison!.id);
    };
    const changesOf = async (id: string): Promise<Comparison['changes']['nodes']> => {
      const found: Comparison['changes']['nodes'] = [];
      for (let after: string | null | undefined; after !== null;) {
        const { nodes, pageInfo } = (await read(id, { first: 100, after })).changes;
        found.push(...nodes);
        after = pageInfo.hasNextPage ? pageInfo.endCursor! : null;
      }
      return found;
    };
    const countOf = async (sql: string): Promise<number> => Number((await platform.values(sql))[0]);

    it('tells the damage exactly, in two backups and live, and that its restore left nothing of it', async () => {
      const trends = await countOf('SELECT COUNT(*) FROM risk_trends WHERE id % 7 = 3');
      const baseId = await service.client.backup();
      await platform.exec(...damageStatements(3));
      const targetId = await service.client.backup({ type: 'INCREMENTAL' });
      for (const found of [await compare({ baseId, targetId }), await compare({ baseId })]) {
        const table = (wanted: string) => found.tables.find(({ name: of }) => of === wanted)!;
        expect(table('risk_trends')).toMatchObject({ removed: String(trends), added: '0', changed: '0' });
        expect(table('risk_config')).toMatchObject({ added: '1' });
        const scores = await countOf(`SELECT COUNT(*) FROM risk_factor_scores WHERE explanation = 'damage 3'`);
        expect(table('risk_factor_scores')).toMatchObject({ changed: String(scores), removed: '0', added: '0' });
        const changes = await changesOf(found.id);
        expect(changes).toHaveLength(Number(found.removed) + Number(found.added) + Number(found.changed));
        const changed = changes.filter(({ table: of }) => of === 'risk_factor_scores');
        for (const { kind, after, fields } of changed) {
          expect([kind, (after as Record<string, unknown>).explanation]).toEqual(['CHANGED', 'damage 3']);
          expect(fields.map(({ name: field }) => field)).toContain('explanation');
        }
      }
      await service.client.restore({ backupId: baseId });
      expect(await compare({ baseId })).toMatchObject({ isSame: true, isLive: true, changes: { nodes: [] } });
    });

    it('of one business tells what changed of it alone', async () => {
      const [businessId] = await platform.values('SELECT MIN(business_id) FROM risk_assessments');
      const baseId = await service.client.backup();
      await platform.exec(`UPDATE risk_assessments SET business_name = 'renamed'`);
      const own = await countOf(`SELECT COUNT(*) FROM risk_assessments WHERE business_id = '${businessId}'`);
      const found = await compare({ baseId, businessId });
      expect(found).toMatchObject({ removed: '0', added: '0', changed: String(own), businessId });
      const keys = new Set((await changesOf(found.id)).map(({ after }) => (after as { business_id: string }).business_id)); // prettier-ignore
      expect([...keys]).toEqual([businessId]);
    });

    it('is kept when both backups are deleted and what they alone held was collected', async () => {
      const baseId = await service.client.backup();
      await platform.exec(`UPDATE risk_alerts SET message = 'other'`);
      const targetId = await service.client.backup();
      const { id, changed } = await compare({ baseId, targetId });
      expect(Number(changed)).toBeGreaterThan(0);
      for (const backupId of [baseId, targetId]) await service.client.completed(await service.client.startDelete(backupId)); // prettier-ignore
      await service.client.cleanUp();
      expect(await changesOf(id)).toHaveLength(Number(changed));
      expect(await read(id)).toMatchObject({ base: null, target: null, changed });
      const refused = await service.client.send(CompareBackupsDocument, { input: { baseId } });
      expect(refused.compareBackups).toMatchObject({ job: null, errors: [{ code: 'NOT_FOUND' }] });
    });
  });
}

describeComparing('SQLite', () => sqlitePlatform(200));
describeMariadb('with a MariaDB server', () => {
  afterAll(() => stopMariadb());
  describeComparing('MariaDB', async () => mariadbPlatform(await needServer(), 4_000));
});
