/** Random damage on the reference platform: planned, applied, undone, applied again, whole and in part, alone and while others write. */
import { DEFAULT_MAPPING } from '../../src/domain/mapping';
import { createSeededRandom } from '../../src/sources/seeded-random';
import { startEdits, withEdits, type Editing } from '../support/concurrent-edits';
import { applyTask, plan, run, undoTask } from '../support/engine-context';
import { connectMysql, describeMariadb, needServer, openTestMysql } from '../support/mysql-source';
import { stopMariadb } from '../support/mariadb';
import { DamagedPlatform, inOrder, ROW_MISHAPS, type ReferencePlace, type Rows } from '../support/reference-damage';
import { mariadbPlatform, sqlitePlatform } from '../support/service-platforms';
import { connectSqlite, openTestSource } from '../support/sqlite';
import type { PlanJobSpec } from '../../src/domain/job';
import type { PlanResult, RestoreResult } from '../../src/domain/task';

jest.setTimeout(240_000);
const LONG = process.env.LONG === '1';
const SEEDS = Array.from({ length: LONG ? 30 : 2 }, (_, seed) => seed);

type Scope = Pick<PlanJobSpec, 'type' | 'dataTypes' | 'businessId'>;

const apply = async (stand: DamagedPlatform, planned: PlanResult, scope: Partial<Scope> = {}): Promise<RestoreResult> =>
  (await run(applyTask(planned, stand.backupId, scope), stand.bench)) as RestoreResult;
const undo = async (stand: DamagedPlatform, restored: RestoreResult, scope: Partial<Scope> = {}) =>
  run(undoTask(restored, stand.backupId, scope), stand.bench);

function describeDamage(name: string, open: () => Promise<ReferencePlace>): void {
  describe(`damage on ${name}`, () => {
    let stand: DamagedPlatform;
    beforeEach(async () => {
      stand = await DamagedPlatform.open(await open());
    });
    afterEach(() => stand.close());

    it.each(SEEDS)('%i: plan, apply, undo, apply again are each exactly right', async (seed) => {
      const random = createSeededRandom(seed);
      for (let mishap = 0; mishap < 12; mishap++) await stand.harm(random);
      const damaged = await stand.rows();
      const planned = await plan(stand.bench, { backupId: stand.backupId });
      expect(await stand.rows()).toEqual(damaged);
      const applied = await apply(stand, planned);
      expect(await stand.rows()).toEqual(stand.whole);
      await undo(stand, applied);
      expect(await stand.rows()).toEqual(damaged);
      await apply(stand, planned);
      expect(await stand.rows()).toEqual(stand.whole);
    });

    it.each(SEEDS)('%i: one business is restored and undone, and nothing else is touched', async (seed) => {
      const random = createSeededRandom(100 + seed);
      for (let mishap = 0; mishap < 10; mishap++) await stand.harm(random, ROW_MISHAPS);
      const damaged = await stand.rows();
      const businessId = random.pick((stand.whole.businesses ?? []).map(([id]) => id as string));
      const scope: Scope = { type: 'BUSINESS', dataTypes: ['ALL'], businessId };
      const applied = await apply(stand, await plan(stand.bench, { backupId: stand.backupId, ...scope }), scope);
      expect(await stand.rows()).toEqual(await withBusiness(businessId, { stand, damaged }));
      if (applied.changeSet === null) return;
      await undo(stand, applied, scope);
      expect(await stand.rows()).toEqual(damaged);
    });

    it.each(SEEDS)('%i: some data types are restored and undone, and no other table is touched', async (seed) => {
      const random = createSeededRandom(200 + seed);
      const kinds = ROW_MISHAPS.filter(({ name: kind }) => kind !== 'removeBusinesses');
      for (let mishap = 0; mishap < 10; mishap++) await stand.harm(random, kinds);
      const damaged = await stand.rows();
      const scope: Scope = { type: 'PARTIAL', dataTypes: ['TRENDS', 'CONFIG'], businessId: null };
      const applied = await apply(stand, await plan(stand.bench, { backupId: stand.backupId, ...scope }), scope);
      const { risk_trends, risk_config, risk_thresholds } = stand.whole;
      expect(await stand.rows()).toEqual({ ...damaged, risk_trends, risk_config, risk_thresholds });
      if (applied.changeSet === null) return;
      await undo(stand, applied, scope);
      expect(await stand.rows()).toEqual(damaged);
    });

    it('a business that came since and that an unmapped table refers to keeps the plan from being applied', async () => {
      await stand.place.sql.exec(`INSERT INTO businesses (id, tenant_id, name, legal_name, registration_number)
        SELECT 'late', tenant_id, 'late', 'late', 'LATE' FROM businesses ORDER BY id LIMIT 1`);
      await stand.place.sql.exec(`INSERT INTO case_file SELECT 2, tenant_id, id FROM businesses WHERE id = 'late'`);
      await stand.harm(createSeededRandom(1), ROW_MISHAPS.slice(0, 1));
      const damaged = await stand.rows();
      const planned = await plan(stand.bench, { backupId: stand.backupId });
      await expect(apply(stand, planned)).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringContaining('case_file'),
      });
      expect(await stand.rows()).toEqual(damaged);
      await stand.place.sql.exec('DELETE FROM case_file WHERE id = 2');
      await apply(stand, planned);
      expect(await stand.rows()).toEqual(stand.whole);
    });
  });
}

/** As it was damaged, but for what is the business's: that is as the backup has it. */
async function withBusiness(
  businessId: string,
  { stand, damaged }: { stand: DamagedPlatform; damaged: Rows },
): Promise<Rows> {
  const columns = await columnsOf(stand);
  const ownedOf = (state: Rows) => {
    const assessments = new Set((state.risk_assessments ?? []).filter((row) => row[columns.risk_assessments!] === businessId).map(([id]) => id)); // prettier-ignore
    return (table: string, row: (string | null)[]): boolean => {
      const value = row[columns[table] ?? -1];
      return table === 'risk_factor_scores' ? assessments.has(value) : value === businessId;
    };
  };
  const [ownedBefore, ownedNow] = [ownedOf(stand.whole), ownedOf(damaged)];
  const merged = Object.entries(damaged).map(([table, rows]) => {
    if (columns[table] === undefined || rows === null) return [table, rows];
    const others = rows.filter((row) => !ownedNow(table, row));
    const own = (stand.whole[table as keyof Rows] ?? []).filter((row) => ownedBefore(table, row));
    return [table, inOrder([...others, ...own])];
  });
  return Object.fromEntries(merged) as Rows;
}

/** Where a table's rows say whose they are. */
async function columnsOf({ place }: DamagedPlatform): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const { table, business } of DEFAULT_MAPPING) {
    if (business === undefined) continue;
    const names = place.platform.kind === 'mariadb'
      ? await place.sql.query(`SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = '${table}' ORDER BY ordinal_position`)
      : await place.sql.query(`SELECT name FROM pragma_table_xinfo('${table}')`); // prettier-ignore
    found[table] = names.findIndex(([name]) => name === business.column);
  }
  return found;
}

async function sqlitePlace(): Promise<ReferencePlace> {
  const platform = await sqlitePlatform(60);
  const path = platform.sourceUrl.slice('sqlite:'.length);
  const connect = async () => connectSqlite(path);
  return { platform, connect, sql: await connect(), source: openTestSource(path, DEFAULT_MAPPING) };
}

/** Another schema refers into it too, and a trigger writes down elsewhere what happens. */
async function mariadbPlace(): Promise<ReferencePlace> {
  const platform = await mariadbPlatform(await needServer(), 3000);
  const connect = () => connectMysql(platform.sourceUrl);
  const other = platform.scratch('other');
  await platform.exec(
    `CREATE DATABASE ${other} CHARACTER SET utf8mb4`,
    `CREATE TABLE ${other}.visits AS SELECT 1 AS id, tenant_id, id AS business_id FROM businesses ORDER BY id DESC LIMIT 1`,
    `ALTER TABLE ${other}.visits ADD PRIMARY KEY (id), ADD FOREIGN KEY (tenant_id, business_id) REFERENCES ${databaseOf(platform.sourceUrl)}.businesses (tenant_id, id) ON DELETE CASCADE`,
    'CREATE TABLE trail (id BIGINT AUTO_INCREMENT PRIMARY KEY, factor BIGINT UNSIGNED NOT NULL)',
    'CREATE TRIGGER follow AFTER UPDATE ON risk_factor_scores FOR EACH ROW INSERT INTO trail (factor) VALUES (NEW.id)',
  );
  return { platform, connect, sql: await connect(), source: openTestMysql(platform.sourceUrl, DEFAULT_MAPPING) };
}

const databaseOf = (url: string): string => new URL(url).pathname.slice(1);

describeDamage('SQLite', sqlitePlace);
describeMariadb('with a MariaDB server', () => {
  afterAll(() => stopMariadb());
  describeDamage('MariaDB', mariadbPlace);

  describe('while others write', () => {
    let stand: DamagedPlatform;
    beforeEach(async () => {
      stand = await DamagedPlatform.open(await mariadbPlace());
    });
    afterEach(() => stand.close());

    const idsWhere = async (condition: string): Promise<Editing['ids']> => {
      const ids = async (table: string) => (await stand.place.sql.query(`SELECT id FROM ${table} WHERE ${condition} ORDER BY id`)).map(([id]) => id as string); // prettier-ignore
      return {
        businesses: await ids('businesses'),
        risk_trends: await ids('risk_trends'),
        risk_history: await ids('risk_history'),
        risk_alerts: await ids('risk_alerts'),
      };
    };
    const PART = 'MOD(CRC32(id), 5) = 0';
    const harmPart = async (seed: number): Promise<void> => {
      const { sql } = stand.place;
      await sql.exec(`UPDATE businesses SET name = 'harm ${seed}' WHERE ${PART}`);
      await sql.exec(`UPDATE risk_trends SET score = ${seed % 100} WHERE ${PART}`);
      await sql.exec(`UPDATE risk_factor_scores SET explanation = NULL WHERE ${PART}`);
      await sql.exec(`DELETE FROM risk_history WHERE ${PART}`);
      await sql.exec(`UPDATE risk_alerts SET message = 'harm' WHERE ${PART}`);
    };
    /** As its job does it: tried again where the database says that another try may do. */
    const applyAsAJob = async (planned: PlanResult): Promise<string> => {
      for (let attempt = 1; ; attempt++) {
        try {
          await apply(stand, planned);
          return 'APPLIED';
        } catch (error) {
          const { code, retryable } = error as { code: string; retryable?: boolean };
          if (!retryable || attempt === 5) return code;
        }
      }
    };

    it.each(SEEDS)('%i: edits of rows that the plan does not list stay, and the plan is applied', async (seed) => {
      await harmPart(seed);
      const planned = await plan(stand.bench, { backupId: stand.backupId });
      const edits = await startEdits({ connect: stand.place.connect, ids: await idsWhere(`NOT ${PART}`), seed });
      const outcome = await applyAsAJob(planned);
      const committed = await edits.stop();
      expect(await stand.rows()).toEqual(withEdits(stand.whole, committed));
      expect(outcome).toBe('APPLIED');
    });

    it.each(SEEDS)('%i: whatever rows they edit, no edit is overwritten that the plan did not list', async (seed) => {
      await harmPart(seed);
      const damaged = await stand.rows();
      const planned = await plan(stand.bench, { backupId: stand.backupId });
      const edits = await startEdits({ connect: stand.place.connect, ids: await idsWhere('TRUE'), seed });
      const outcome = await applyAsAJob(planned);
      const committed = await edits.stop();
      expect(['APPLIED', 'PLAN_DRIFTED']).toContain(outcome);
      expect(await stand.rows()).toEqual(withEdits(outcome === 'APPLIED' ? stand.whole : damaged, committed));
    });
  });
});
