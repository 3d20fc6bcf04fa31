/**
 * Plans, applied plans and undos on a real source and a real repository: what an operator does to a platform, and finds exactly as it
 * was before or after. One suite, run against every kind of source.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../src/domain/errors';
import type { BackupId } from '../../src/domain/ids';
import type { PlanJobSpec, RestoreJobSpec } from '../../src/domain/job';
import type { Source } from '../../src/domain/source';
import type { PlanResult, RestoreResult } from '../../src/domain/task';
import type { Repository } from '../../src/repository/repository';
import { createSeededRandom, type SeededRandom } from '../../src/sources/seeded-random';
import type { ContractConnection, ContractDatabase, SourceContractFixture } from '../contract/source-contract';
import { applyTask, backup, plan, restore, run, undoTask, type EngineBench } from './engine-context';
import { ENGINE_MAPPING, engineRows, engineTables, openStore } from './engine-scenarios';

const TABLES = ENGINE_MAPPING.map(({ table }) => table);
const CHILDREN_FIRST = ['factor', 'assessment', 'business', 'tenant', 'config'];
/** Beside the mapping: a table that refers into it, and one that has nothing to do with it. */
const OUTSIDE = ['visit', 'bystander'];
const LONG = process.env.LONG === '1';

export type State = Record<string, (string | null)[][] | 'MISSING'>;

export interface ChangeSetFixture extends SourceContractFixture {
  /** A column that moves by itself with each update that does not name it, with a comma before it; empty where there is none. */
  movingColumn: string;
  /** A statement that makes inserts into `config` write a row into `tenant` too; null where triggers are silenced. */
  meddlingTrigger: string | null;
}

export class Stand {
  private constructor(
    readonly database: ContractDatabase,
    readonly sql: ContractConnection,
    readonly source: Source,
    readonly store: Repository,
    readonly folder: string,
  ) {}

  static async open({ createDatabase, types, movingColumn }: ChangeSetFixture): Promise<Stand> {
    const database = await createDatabase();
    const sql = await database.connect();
    const tables = engineTables(types).map((statement) =>
      statement.includes('TABLE config') ? statement.replace(', UNIQUE', `${movingColumn}, UNIQUE`) : statement,
    );
    const rows = engineRows(12).map((statement) =>
      statement.replace('INSERT INTO config VALUES', 'INSERT INTO config (id, name, rank_no) VALUES'),
    );
    for (const statement of [...tables, ...rows]) await sql.exec(statement);
    const { exact } = types;
    await sql.exec(`CREATE TABLE visit (id BIGINT NOT NULL PRIMARY KEY, business_id ${exact} NULL,
      FOREIGN KEY (business_id) REFERENCES business (id))`);
    await sql.exec(`CREATE TABLE bystander (id BIGINT NOT NULL PRIMARY KEY, name ${exact} NULL)`);
    await sql.exec(`INSERT INTO bystander VALUES (1, 'x'), (2, NULL)`);
    const folder = mkdtempSync(join(tmpdir(), 'riskvault-changes-'));
    return new Stand(database, sql, database.open(ENGINE_MAPPING), await openStore(folder), folder);
  }

  get bench(): EngineBench {
    return { source: this.source, store: this.store, connections: 2 };
  }

  async state(names: readonly string[] = [...TABLES, ...OUTSIDE]): Promise<State> {
    const states = await this.source.tableStates(names);
    const state: State = {};
    for (const table of names) {
      const isMissing = states.get(table) === 'MISSING';
      state[table] = isMissing ? 'MISSING' : await this.sql.query(`SELECT * FROM ${table} ORDER BY 1`);
    }
    return state;
  }

  async exec(...statements: string[]): Promise<void> {
    for (const statement of statements) await this.sql.exec(statement);
  }

  async backup(): Promise<BackupId> {
    return (await backup(this.bench)).stored.manifest.backupId;
  }

  plan(backupId: BackupId, spec: Partial<PlanJobSpec> = {}): Promise<PlanResult> {
    return plan(this.bench, { backupId, ...spec });
  }

  async apply(planned: PlanResult, backupId: BackupId, spec: Partial<RestoreJobSpec> = {}): Promise<RestoreResult> {
    return (await run(applyTask(planned, backupId, spec), this.bench)) as RestoreResult;
  }

  async undo(restored: RestoreResult, backupId: BackupId, spec: Partial<RestoreJobSpec> = {}): Promise<RestoreResult> {
    return (await run(undoTask(restored, backupId, spec), this.bench)) as RestoreResult;
  }

  async close(): Promise<void> {
    await this.source.close();
    await this.sql.close();
    await this.database.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const counts = ({ inserts, updates, deletes }: PlanResult | RestoreResult) => ({ inserts, updates, deletes });

export function describeChangeSets(name: string, fixture: ChangeSetFixture): void {
  describe(`change sets on ${name}`, () => {
    let stand: Stand;
    let id: BackupId;
    let before: State;
    beforeEach(async () => {
      stand = await Stand.open(fixture);
      id = await stand.backup();
      before = await stand.state();
    });
    afterEach(() => stand.close());

    it('a plan changes nothing, says exactly what it would, and is kept whole', async () => {
      await damage(stand);
      const damaged = await stand.state();
      const planned = await stand.plan(id);
      expect(await stand.state()).toEqual(damaged);
      expect(planned).toMatchObject({ inserts: 1 + 2 + 10, updates: 3 + 5 + 2, deletes: 2, notes: [] });
      const config = planned.tables.find(({ table }) => table === 'config');
      expect(config).toMatchObject({ before: 'FILLED', inserts: 0, updates: 2, deletes: 0, unchanged: 28 });
      expect(planned.estimatedMs).toBeGreaterThan(0);
      const { hash, changeSet } = (await stand.store.findChangeSet(planned.changeSet.changeSetId))!;
      expect(hash).toBe(planned.changeSet.planHash);
      const [sample] = changeSet.tables.find(({ table }) => table === 'config')!.samples.updates;
      expect(sample?.before).not.toBe(sample?.after);
      expect((await stand.store.check({ level: 'DATA' })).findings).toEqual([]);
    });

    it('plan, apply, undo, apply again, undo of an undo: each state is exactly right', async () => {
      await damage(stand);
      const damaged = await stand.state();
      const planned = await stand.plan(id);
      const applied = await stand.apply(planned, id);
      expect(await stand.state()).toEqual(before);
      expect(applied).toMatchObject({ mode: 'IN_PLACE', ...counts(planned), verifiedRows: 13 + 10 });
      const undone = await stand.undo(applied, id);
      expect(await stand.state()).toEqual(damaged);
      expect(undone).toMatchObject({ inserts: 2, updates: 10, deletes: 13 });
      await stand.undo(undone, id);
      expect(await stand.state()).toEqual(before);
      await stand.undo(applied, id);
      expect(await stand.state()).toEqual(damaged);
      await stand.apply(planned, id);
      expect(await stand.state()).toEqual(before);
    });

    it('a restore in one job can be undone, and what undid it too', async () => {
      await damage(stand);
      const damaged = await stand.state();
      const restored = await restore(stand.bench, { backupId: id });
      expect(await stand.state()).toEqual(before);
      const undone = await stand.undo(restored, id);
      expect(await stand.state()).toEqual(damaged);
      await stand.undo(undone, id);
      expect(await stand.state()).toEqual(before);
    });

    it('a restore that changes nothing leaves nothing to undo', async () => {
      expect((await restore(stand.bench, { backupId: id })).changeSet).toBeNull();
      const planned = await stand.plan(id);
      expect(counts(planned)).toEqual({ inserts: 0, updates: 0, deletes: 0 });
      expect((await stand.apply(planned, id)).changeSet).toBeNull();
    });

    it.each(['plan', 'one job'])('all tables dropped, restored by %s and undone are gone again', async (way) => {
      await stand.exec('DROP TABLE visit', ...CHILDREN_FIRST.map((table) => `DROP TABLE ${table}`));
      const restored =
        way === 'plan' ? await stand.apply(await stand.plan(id), id) : await restore(stand.bench, { backupId: id });
      expect(restored.mode).toBe('BULK');
      expect(await stand.state(TABLES)).toEqual(pick(before, TABLES));
      const undone = await stand.undo(restored, id);
      expect(undone.deletes).toBe(restored.inserts);
      expect(await stand.state(TABLES)).toEqual(Object.fromEntries(TABLES.map((table) => [table, 'MISSING'])));
      await stand.undo(undone, id);
      expect(await stand.state(TABLES)).toEqual(pick(before, TABLES));
    });

    it('a table that others came to use stays when its restore is undone, and says so', async () => {
      await stand.exec('DROP TABLE visit', ...CHILDREN_FIRST.map((table) => `DROP TABLE ${table}`));
      const restored = await restore(stand.bench, { backupId: id });
      await stand.exec(`INSERT INTO config (id, name, rank_no) VALUES (900, 'later', 900)`);
      const late = `CREATE TABLE late (id BIGINT PRIMARY KEY, tenant_id ${fixture.types.exact} NULL, FOREIGN KEY (tenant_id) REFERENCES tenant (id))`;
      await stand.exec(late);
      const { notes, tables } = await stand.undo(restored, id);
      expect([...notes].sort()).toEqual([
        expect.stringMatching(/config.*it has rows/),
        expect.stringMatching(/tenant.*other tables refer/),
      ]);
      expect(tables.find(({ table }) => table === 'config')?.warnings).toEqual([expect.stringMatching(/^1 rows/)]);
      const state = await stand.state(TABLES);
      expect(state).toMatchObject({ business: 'MISSING', factor: 'MISSING', assessment: 'MISSING', tenant: [] });
      expect(state.config).toHaveLength(1);
    });

    it('emptied and dropped tables beside filled ones come and go', async () => {
      await stand.exec('DROP TABLE factor', 'DELETE FROM config', `UPDATE business SET name = 'x' WHERE id = 'b3'`);
      const damaged = await stand.state();
      const planned = await stand.plan(id);
      expect(planned.tables.find(({ table }) => table === 'factor')).toMatchObject({ before: 'MISSING', inserts: 120 });
      expect(planned.tables.find(({ table }) => table === 'config')).toMatchObject({ before: 'EMPTY', inserts: 30 });
      const applied = await stand.apply(planned, id);
      expect(await stand.state()).toEqual(before);
      await stand.undo(applied, id);
      expect(await stand.state()).toEqual(damaged);
      await stand.apply(planned, id);
      expect(await stand.state()).toEqual(before);
    });

    it('changed rows of a loaded table are drift when its load is undone', async () => {
      await stand.exec('DELETE FROM config');
      const restored = await restore(stand.bench, { backupId: id, type: 'PARTIAL', dataTypes: ['CONFIG'] });
      await stand.exec(`UPDATE config SET name = 'edited' WHERE id = 3`);
      const edited = await stand.state();
      await expect(stand.undo(restored, id)).rejects.toMatchObject({ code: 'PLAN_DRIFTED' });
      expect(await stand.state()).toEqual(edited);
    });

    it.each([
      ['a listed row was edited', `UPDATE config SET name = 'edited' WHERE id = 2`],
      ['a row to delete was edited', `UPDATE factor SET note = 'edited' WHERE id = 5000`],
      ['a row to delete is gone', `DELETE FROM factor WHERE id = 5001`],
      ['a key to insert exists', `INSERT INTO business VALUES ('b7','t0','somebody else')`],
      ['a table is gone', `DROP TABLE config`],
    ])('drifts where %s, and changes nothing', async (_, edit) => {
      await damage(stand);
      const planned = await stand.plan(id);
      await stand.exec(edit);
      const edited = await stand.state();
      await expect(stand.apply(planned, id)).rejects.toMatchObject({ code: 'PLAN_DRIFTED' });
      expect(await stand.state()).toEqual(edited);
    });

    it('rows that the plan does not list stay, and are counted', async () => {
      await damage(stand);
      const planned = await stand.plan(id);
      await stand.exec(
        `INSERT INTO config (id, name, rank_no) VALUES (800,'a',800), (801,'b',801)`,
        `UPDATE business SET name = 'edited since' WHERE id = 'b1'`,
      );
      const { tables } = await stand.apply(planned, id);
      expect(tables.find(({ table }) => table === 'config')?.warnings).toEqual([expect.stringMatching(/^2 rows/)]);
      const state = await stand.state();
      expect(state.config).toHaveLength(32);
      expect(state.business).toEqual(
        (before.business as string[][]).map((row) => (row[0] === 'b1' ? ['b1', 't1', 'edited since'] : row)),
      );
    });

    it('an undo drifts where what was restored was edited since, and changes nothing', async () => {
      await damage(stand);
      const restored = await restore(stand.bench, { backupId: id });
      await stand.exec(`UPDATE assessment SET score = 1 WHERE id = 'a1-0'`);
      const edited = await stand.state();
      await expect(stand.undo(restored, id)).rejects.toMatchObject({ code: 'PLAN_DRIFTED' });
      expect(await stand.state()).toEqual(edited);
    });

    it('one business is planned, restored and undone alone', async () => {
      await damage(stand);
      await stand.exec(`UPDATE business SET name = 'somebody else' WHERE id = 'b8'`);
      const damaged = await stand.state();
      const planned = await stand.plan(id, { type: 'BUSINESS', businessId: 'b7' });
      expect(counts(planned)).toEqual({ inserts: 13, updates: 0, deletes: 0 });
      const spec = { type: 'BUSINESS', businessId: 'b7' } as const;
      const applied = await stand.apply(planned, id, spec);
      const restored = await stand.state();
      for (const table of ['business', 'assessment', 'factor']) {
        const ours = (rows: State[string]) => (rows as string[][]).filter((row) => isOf('b7', row));
        const others = (rows: State[string]) => (rows as string[][]).filter((row) => !isOf('b7', row));
        expect(ours(restored[table]!)).toEqual(ours(before[table]!));
        expect(others(restored[table]!)).toEqual(others(damaged[table]!));
      }
      await stand.undo(applied, id, spec);
      expect(await stand.state()).toEqual(damaged);
    });

    it('warns of tables outside that refer to what goes, and fails where they do', async () => {
      await stand.exec(`INSERT INTO business VALUES ('new','t0','new')`);
      const planned = await stand.plan(id);
      expect(planned.tables.find(({ table }) => table === 'business')?.warnings).toEqual([
        expect.stringMatching(/visit may refer/),
      ]);
      await stand.exec(`INSERT INTO visit VALUES (1, 'new')`);
      const referred = await stand.state();
      await expect(stand.apply(planned, id)).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await stand.state()).toEqual(referred);
      await stand.exec('DELETE FROM visit');
      await stand.apply(planned, id);
      expect(await stand.state()).toEqual(before);
    });

    it('warns of parents outside, and fails where one is gone', async () => {
      await stand.exec(`DELETE FROM business WHERE id = 'b7'`);
      const planned = await stand.plan(id, { type: 'PARTIAL', dataTypes: ['ASSESSMENTS', 'FACTORS'] });
      expect(planned.tables.find(({ table }) => table === 'assessment')?.warnings).toEqual([
        expect.stringMatching(/parents in business/),
      ]);
      const damaged = await stand.state();
      await expect(stand.apply(planned, id)).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await stand.state()).toEqual(damaged);
    });

    it('refuses another hash, a plan that expired, and one that is not kept any more', async () => {
      await damage(stand);
      const planned = await stand.plan(id);
      const { changeSet } = planned;
      const other = { ...planned, changeSet: { ...changeSet, planHash: 'ab'.repeat(32) } };
      await expect(stand.apply(other, id)).rejects.toMatchObject({ code: 'CONFLICT' });
      const short = await stand.plan(id, { validForMs: 0 });
      await expect(stand.apply(short, id)).rejects.toMatchObject({ code: 'PLAN_EXPIRED' });
      await stand.store.deleteChangeSet(changeSet.changeSetId);
      await expect(stand.apply(planned, id)).rejects.toMatchObject({ code: 'PLAN_EXPIRED' });
    });

    it('applies though the backup was deleted and its garbage collected meanwhile', async () => {
      await stand.backup(); // because a repository without any backup collects nothing
      await stand.exec('DELETE FROM config', `UPDATE business SET name = 'x' WHERE id = 'b3'`);
      const planned = await stand.plan(id);
      await stand.store.deleteManifest(id);
      for (let round = 0; round < 2; round++) await stand.store.collectGarbage({ dryRun: false });
      await stand.apply(planned, id);
      expect(await stand.state()).toEqual(before);
    });

    it('never overwrites an edit that it did not list, whoever writes meanwhile', async () => {
      await damage(stand);
      const planned = await stand.plan(id);
      const openChangeWriter = stand.source.openChangeWriter.bind(stand.source);
      stand.source.openChangeWriter = async (options) => {
        stand.source.openChangeWriter = openChangeWriter;
        await stand.exec(`UPDATE factor SET note = 'just now' WHERE id = 5000`);
        return openChangeWriter(options);
      };
      await expect(stand.apply(planned, id)).rejects.toMatchObject({ code: 'PLAN_DRIFTED' });
      const rows = await stand.sql.query('SELECT note FROM factor WHERE id = 5000');
      expect(rows).toEqual([['just now']]);
    });

    it('a change set that lost rows is refused before the first write', async () => {
      await damage(stand);
      const damaged = await stand.state();
      const planned = await stand.plan(id);
      const readChunk = stand.store.readChunk.bind(stand.store);
      const { changeSet } = (await stand.store.findChangeSet(planned.changeSet.changeSetId))!;
      const lost = new Set<string>();
      for (const { inserts } of changeSet.tables) {
        for await (const chunk of stand.store.layerEntries(inserts)) lost.add(chunk.id);
      }
      stand.store.readChunk = async (chunk) => {
        const bytes = await readChunk(chunk);
        return lost.has(chunk) ? bytes.subarray(0, -1) : bytes;
      };
      await expect(stand.apply(planned, id)).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
      expect(await stand.state()).toEqual(damaged);
    });

    it('a repository that takes no writes stops no restore, which then says that it can not be undone', async () => {
      await damage(stand);
      const { store } = stand;
      const refuse = () => Promise.reject(new AppError('REPOSITORY_FULL', 'No room is left.'));
      const full = Object.create(store, { beginChangeSet: { value: refuse } }) as Repository;
      const restored = await restore({ ...stand.bench, store: full }, { backupId: id });
      expect(await stand.state()).toEqual(before);
      expect(restored).toMatchObject({ changeSet: null, notes: [expect.stringMatching(/can't be undone.*No room/)] });
    });

    it('a restore that fails leaves no change set', async () => {
      await damage(stand);
      const openChangeWriter = stand.source.openChangeWriter.bind(stand.source);
      stand.source.openChangeWriter = async (options) => {
        const writer = await openChangeWriter(options);
        writer.checkReferences = () => Promise.reject(new Error('the check fails'));
        return writer;
      };
      const changeSetId = '11111111-1111-4111-8111-111111111111' as never;
      await expect(restore(stand.bench, { backupId: id, changeSetId })).rejects.toThrow('the check fails');
      expect(await stand.store.findChangeSet(changeSetId)).toBeNull();
    });

    const withTrigger = fixture.meddlingTrigger === null ? it.skip : it;
    withTrigger('triggers that write more than was listed roll a plan and an undo back', async () => {
      await stand.exec('DELETE FROM config WHERE id = 4');
      const damaged = await stand.state();
      const quiet = await restore(stand.bench, { backupId: id });
      const undone = await stand.undo(quiet, id);
      await stand.exec(fixture.meddlingTrigger as string);
      const planned = await stand.plan(id);
      expect(planned.tables.find(({ table }) => table === 'config')?.warnings).toEqual([
        expect.stringMatching(/Triggers run.*meddling/),
      ]);
      const expected = { code: 'CONFLICT', message: expect.stringMatching(/tenant .*meddling/) };
      await expect(stand.apply(planned, id)).rejects.toMatchObject(expected);
      expect(await stand.state()).toEqual(damaged);
      await expect(stand.undo(undone, id)).rejects.toMatchObject(expected);
      expect(await stand.state()).toEqual(damaged);
    });

    it.each(Array.from({ length: LONG ? 40 : 4 }, (_, seed) => seed))(
      'random damage %i: plan, apply, undo, apply again, and nothing outside is touched',
      async (seed) => {
        const random = createSeededRandom(seed);
        for (let step = 0; step < 6; step++) await harm(stand, random);
        const damaged = await stand.state();
        const planned = await stand.plan(id);
        expect(await stand.state()).toEqual(damaged);
        const applied = await stand.apply(planned, id);
        expect(await stand.state()).toEqual({ ...before, ...pick(damaged, OUTSIDE) });
        expect(counts(applied)).toEqual(counts(planned));
        const undone = await stand.undo(applied, id);
        expect(await stand.state()).toEqual(damaged);
        await stand.apply(planned, id);
        expect(await stand.state()).toEqual({ ...before, ...pick(damaged, OUTSIDE) });
        expect((await stand.store.check({ level: 'DATA' })).findings).toEqual([]);
        expect(counts(undone)).toEqual({
          inserts: applied.deletes,
          updates: applied.updates,
          deletes: applied.inserts,
        });
      },
    );
  });
}

function pick(state: State, names: readonly string[]): State {
  return Object.fromEntries(names.map((name) => [name, state[name] as State[string]]));
}

function isOf(business: string, [key, second]: (string | null)[]): boolean {
  const prefix = `a${business.slice(1)}-`;
  return key === business || second === business || (second ?? '').startsWith(prefix);
}

/** 1 business, 2 assessments and 10 factors go; 3 assessments, 5 factors and 2 config change, the last by a swap; 2 factors come. */
async function damage(stand: Stand): Promise<void> {
  await stand.exec(
    `DELETE FROM business WHERE id = 'b7'`,
    `UPDATE assessment SET score = 0, raw = NULL WHERE id IN ('a1-0','a1-1','a2-0')`,
    `UPDATE factor SET note = NULL WHERE assessment_id = 'a3-0'`,
    `INSERT INTO factor VALUES (5000,'a4-0','new','new'), (5001,'a4-1','new','new')`,
    `UPDATE config SET rank_no = -1 WHERE id = 1`,
    `UPDATE config SET rank_no = 1 WHERE id = 2`,
    `UPDATE config SET rank_no = 2 WHERE id = 1`,
  );
}

/** One mishap of a kind and place that the random source says. */
async function harm(stand: Stand, random: SeededRandom): Promise<void> {
  const n = random.int(0, 11);
  const id = 6000 + random.int(0, 1_000_000);
  const states = await stand.source.tableStates(TABLES);
  const has = (table: string): boolean => states.get(table) !== 'MISSING';
  const mishaps: [string, string[]][] = [
    ['factor', [`DELETE FROM factor WHERE id % 12 = ${n}`]],
    ['factor', [`UPDATE factor SET note = 'harm ${id}' WHERE id % 7 = ${n % 7}`]],
    ['factor', [`DROP TABLE factor`]],
    ['config', [`DELETE FROM config`]],
    ['config', [`UPDATE config SET rank_no = -rank_no - 1000 WHERE id % 3 = ${n % 3}`]],
    ['config', [`INSERT INTO config (id, name, rank_no) VALUES (${id}, 'harm', ${id})`]],
    ['config', swap(n)],
    ['assessment', [`UPDATE assessment SET score = ${n}, raw = x'00${n % 10}0' WHERE business_id = 'b${n}'`]],
    ['business', [`INSERT INTO business VALUES ('h${id}', 't${n % 3}', NULL)`]],
    ['business', [`UPDATE business SET tenant_id = 't${n % 3}' WHERE id = 'b${n}'`]],
    ['tenant', [`UPDATE tenant SET slug = 'harm-${id}' WHERE id = 't${n % 3}'`]],
    ['visit', [`INSERT INTO visit VALUES (${id}, NULL)`]],
    ['bystander', [`UPDATE bystander SET name = 'harm ${id}'`]],
  ];
  const [table, statements] = random.pick(mishaps);
  if (OUTSIDE.includes(table) || has(table)) await stand.exec(...statements);
}

function swap(n: number): string[] {
  const next = (n + 1) % 30;
  return [
    `UPDATE config SET rank_no = ${-100 - n} WHERE id = ${n}`,
    `UPDATE config SET rank_no = ${n} WHERE id = ${next} AND rank_no = ${next}`,
    `UPDATE config SET rank_no = ${next} WHERE id = ${n} AND NOT EXISTS (SELECT 1 FROM (SELECT rank_no FROM config) c WHERE c.rank_no = ${next})`,
  ];
}
