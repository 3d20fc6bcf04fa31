/**
 * Restoring into tables whose structure changed since the backup: what fits comes back, what the backup never knew stays, and what could be
 * lost is refused by the names of its columns. One suite, run against every kind of source.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackupId } from '../../src/domain/ids';
import type { PlanJobSpec, RestoreJobSpec } from '../../src/domain/job';
import type { SourceMapping } from '../../src/domain/mapping';
import type { Source } from '../../src/domain/source';
import type { PlanResult, RecordHistoryResult, RestoreResult } from '../../src/domain/task';
import type { Repository } from '../../src/repository/repository';
import { createSeededRandom } from '../../src/sources/seeded-random';
import type { ContractConnection, ContractDatabase, SourceContractFixture } from '../contract/source-contract';
import { applyTask, backup, plan, restore, run, undoTask, type EngineBench } from './engine-context';
import { ENGINE_MAPPING, engineRows, engineTables, openStore } from './engine-scenarios';

type Rows = (string | null)[][];
type Scope = Pick<PlanJobSpec, 'type' | 'dataTypes' | 'businessId'>;
const CONFIG: Scope = { type: 'PARTIAL', dataTypes: ['CONFIG'], businessId: null };
const B7: Scope = { type: 'BUSINESS', dataTypes: ['ALL'], businessId: 'b7' };
const ROUNDS = process.env.LONG === '1' ? 40 : 4;

class Stand {
  source: Source;

  private constructor(
    readonly database: ContractDatabase,
    readonly sql: ContractConnection,
    readonly store: Repository,
    readonly folder: string,
  ) {
    this.source = database.open(ENGINE_MAPPING);
  }

  static async open({ createDatabase, types }: SourceContractFixture): Promise<Stand> {
    const database = await createDatabase();
    const sql = await database.connect();
    for (const statement of [...engineTables(types), ...engineRows(12)]) await sql.exec(statement);
    const folder = mkdtempSync(join(tmpdir(), 'riskvault-structures-'));
    return new Stand(database, sql, await openStore(folder), folder);
  }

  get bench(): EngineBench {
    return { source: this.source, store: this.store, connections: 2 };
  }

  async exec(...statements: string[]): Promise<void> {
    for (const statement of statements) await this.sql.exec(statement);
  }

  /** Gives `config` other columns beside its id; those named get the values selected, their own by default. */
  async rebuildConfig(columns: string, names: string, values = names): Promise<void> {
    await this.exec(
      `CREATE TABLE config_next (${columns})`,
      `INSERT INTO config_next (${names}) SELECT ${values} FROM config`,
      'DROP TABLE config',
      'ALTER TABLE config_next RENAME TO config',
    );
  }

  /** As if the service had been started again with other settings. */
  async remap(mapping: SourceMapping): Promise<void> {
    await this.source.close();
    this.source = this.database.open(mapping);
  }

  async backup(): Promise<BackupId> {
    return (await backup(this.bench)).stored.manifest.backupId;
  }

  rows(table: string, columns = '*'): Promise<Rows> {
    return this.sql.query(`SELECT ${columns} FROM ${table} ORDER BY id`);
  }

  async state(tables: readonly string[]): Promise<Record<string, Rows>> {
    const state: Record<string, Rows> = {};
    for (const table of tables) state[table] = await this.rows(table);
    return state;
  }

  plan(backupId: BackupId, scope: Partial<PlanJobSpec> = {}): Promise<PlanResult> {
    return plan(this.bench, { backupId, ...scope });
  }

  restore(backupId: BackupId, spec: Partial<RestoreJobSpec> = {}): Promise<RestoreResult> {
    return restore(this.bench, { backupId, ...spec });
  }

  async apply(planned: PlanResult, backupId: BackupId, scope: Partial<RestoreJobSpec> = {}): Promise<RestoreResult> {
    return (await run(applyTask(planned, backupId, scope), this.bench)) as RestoreResult;
  }

  async undo(restored: RestoreResult, backupId: BackupId, scope: Partial<RestoreJobSpec> = {}): Promise<RestoreResult> {
    return (await run(undoTask(restored, backupId, scope), this.bench)) as RestoreResult;
  }

  async close(): Promise<void> {
    await this.source.close();
    await this.sql.close();
    await this.database.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** In `config`: one row goes, one comes, three change, two of these by a swap of unique values. */
const DAMAGE = [
  'DELETE FROM config WHERE id = 4',
  'INSERT INTO config (id, rank_no) VALUES (700, 700)',
  'UPDATE config SET rank_no = -1 WHERE id = 1',
  'UPDATE config SET rank_no = 1 WHERE id = 2',
  'UPDATE config SET rank_no = 2 WHERE id = 1',
  'UPDATE config SET rank_no = 900 WHERE id = 3',
];

const warningsOf = (result: PlanResult | RestoreResult, name: string): string =>
  result.tables.find(({ table }) => table === name)?.warnings.join(' ') ?? 'no such table';

export function describeStructures(name: string, fixture: SourceContractFixture): void {
  const { exact } = fixture.types;
  const key = 'id BIGINT NOT NULL PRIMARY KEY';
  const ranked = 'rank_no BIGINT NULL, UNIQUE (rank_no)';

  describe(`tables of ${name} whose structure changed`, () => {
    let stand: Stand;
    let id: BackupId;
    beforeEach(async () => {
      stand = await Stand.open(fixture);
      id = await stand.backup();
    });
    afterEach(() => stand.close());

    /** Planned, applied and undone, then restored in one job and undone: each state is exactly right. */
    async function goThere(tables: readonly string[], scope: Partial<Scope>, expected: Record<string, Rows>) {
      const damaged = await stand.state(tables);
      const planned = await stand.plan(id, scope);
      expect(await stand.state(tables)).toEqual(damaged);
      const applied = await stand.apply(planned, id, scope);
      expect(await stand.state(tables)).toEqual(expected);
      await stand.undo(applied, id, scope);
      expect(await stand.state(tables)).toEqual(damaged);
      const restored = await stand.restore(id, scope);
      expect(await stand.state(tables)).toEqual(expected);
      expect(restored.inserts).toBe(planned.inserts);
      const again = await stand.plan(id, scope);
      expect(again).toMatchObject({ inserts: 0, updates: 0, deletes: 0 });
      await stand.undo(restored, id, scope);
      expect(await stand.state(tables)).toEqual(damaged);
      return { planned, restored };
    }

    /** Rows of `config` as they were, with a further value each. */
    const withExtra = (rows: Rows, extraOf: (id: number) => string | null): Rows =>
      rows.map((row) => [...row, extraOf(Number(row[0]))]);

    async function refused(scope: Partial<Scope>, message: RegExp): Promise<void> {
      const before = await stand.state(['config']);
      const expected = { code: 'SCHEMA_MISMATCH', message: expect.stringMatching(message) };
      await expect(stand.plan(id, scope)).rejects.toMatchObject(expected);
      await expect(stand.restore(id, { ...scope, dryRun: true })).rejects.toMatchObject(expected);
      await expect(stand.restore(id, scope)).rejects.toMatchObject(expected);
      expect(await stand.state(['config'])).toEqual(before);
    }

    it.each([
      ['takes NULL', 'BIGINT NULL', null],
      ['has a plain default', 'BIGINT NOT NULL DEFAULT 7', '7'],
    ])(
      'a column that came since and %s keeps its live values, and inserted rows get the default',
      async (_, type, given) => {
        const before = await stand.rows('config');
        await stand.exec(
          `ALTER TABLE config ADD COLUMN extra ${type}`,
          'UPDATE config SET extra = 10 * id WHERE id < 20',
          ...DAMAGE,
        );
        const expected = withExtra(before, (row) => (row === 4 || row >= 20 ? given : String(10 * row)));
        const { planned, restored } = await goThere(['config'], CONFIG, { config: expected });
        expect(planned).toMatchObject({ inserts: 1, updates: 3, deletes: 1 });
        for (const result of [planned, restored])
          expect(warningsOf(result, 'config')).toMatch(/New since the backup: extra\./);
      },
    );

    it('without a plain default rows are changed and deleted, and refused to be inserted', async () => {
      const before = await stand.rows('config');
      const columns = `${key}, name ${exact} NULL, rank_no BIGINT NULL, extra ${exact} NOT NULL, UNIQUE (rank_no)`;
      await stand.rebuildConfig(columns, 'id, name, rank_no, extra', `id, name, rank_no, 'x'`);
      await stand.exec(...DAMAGE.filter((statement) => !/DELETE|INSERT/.test(statement)));
      await goThere(['config'], CONFIG, { config: withExtra(before, () => 'x') });
      await stand.exec('DELETE FROM config WHERE id = 4');
      await refused(CONFIG, /inserted into config .*config\.extra\.$/);
      await stand.exec('DELETE FROM config');
      await refused(CONFIG, /config\.extra/);
    });

    it('a column that is gone is left out, by name', async () => {
      const before = await stand.rows('config', 'id, rank_no');
      await stand.rebuildConfig(`${key}, ${ranked}`, 'id, rank_no');
      await stand.exec(...DAMAGE);
      const { planned, restored } = await goThere(['config'], CONFIG, { config: before });
      for (const result of [planned, restored]) expect(warningsOf(result, 'config')).toMatch(/no place: name\./);
    });

    it('a renamed column is one gone and one new, and says so', async () => {
      const before = await stand.rows('config', 'id, rank_no');
      await stand.rebuildConfig(`${key}, rank_no BIGINT NULL, title ${exact} NULL, UNIQUE (rank_no)`, 'id, rank_no');
      await stand.exec(`UPDATE config SET title = 'kept'`, ...DAMAGE);
      const { planned } = await goThere(['config'], CONFIG, {
        config: withExtra(before, (row) => (row === 4 ? null : 'kept')),
      });
      expect(warningsOf(planned, 'config')).toMatch(/name\. .*title\. .*renamed/);
    });

    it('a column that the database computes now is left to it', async () => {
      await stand.rebuildConfig(
        `${key}, rank_no BIGINT NULL, name BIGINT GENERATED ALWAYS AS (rank_no + 1) VIRTUAL, UNIQUE (rank_no)`,
        'id, rank_no',
      );
      const before = await stand.rows('config');
      await stand.exec(...DAMAGE);
      const { planned } = await goThere(['config'], CONFIG, { config: before });
      expect(warningsOf(planned, 'config')).toMatch(/Computed by the database now.*: name\./);
    });

    it('wider columns in another order, that take no NULL any more, hold what was there', async () => {
      const before = await stand.rows('config', 'rank_no, name, id');
      await stand.rebuildConfig(
        `rank_no BIGINT NOT NULL, name ${exact.replace('(40)', '(300)')} NULL, ${key}, UNIQUE (rank_no)`,
        'id, name, rank_no',
      );
      await stand.exec(...DAMAGE);
      await goThere(['config'], CONFIG, { config: before });
    });

    it('a NULL of the backup is refused where the column takes none any more', async () => {
      await stand.exec(`UPDATE config SET name = NULL WHERE id = 9`);
      id = await stand.backup();
      await stand.exec(`UPDATE config SET name = 'x' WHERE id = 9`);
      await stand.rebuildConfig(`${key}, name ${exact} NOT NULL, ${ranked}`, 'id, name, rank_no');
      await refused(CONFIG, /config\.name, which takes no NULL/);
    });

    it.each([
      ['another type', `${key}, name ${exact} NULL, rank_no VARCHAR(20) NULL`, /config\.rank_no is .* instead of /],
      [
        'another key',
        `id BIGINT NOT NULL, name ${exact} NULL, rank_no BIGINT NOT NULL PRIMARY KEY`,
        /config has the key \(rank_no\) instead of \(id\)/,
      ],
    ])('%s is refused by name', async (_, definition, message) => {
      await stand.rebuildConfig(definition, 'id, name, rank_no');
      await refused(CONFIG, message);
      await refused({}, message);
    });

    it('emptied tables of another structure are loaded, proven and undone', async () => {
      const before = await stand.rows('config');
      await stand.exec('ALTER TABLE config ADD COLUMN extra BIGINT NOT NULL DEFAULT 7', 'DELETE FROM config');
      const restored = await stand.restore(id, CONFIG);
      expect(restored).toMatchObject({ mode: 'BULK', inserts: 30, verifiedRows: 30 });
      expect(await stand.rows('config')).toEqual(withExtra(before, () => '7'));
      await stand.undo(restored, id, CONFIG);
      expect(await stand.rows('config')).toEqual([]);
      const planned = await stand.plan(id, CONFIG);
      await stand.apply(planned, id, CONFIG);
      expect(await stand.rows('config')).toEqual(withExtra(before, () => '7'));
    });

    it('a backup of several layers is merged as it was stored, and then read as the table is now', async () => {
      await stand.exec(...DAMAGE, `UPDATE config SET name = 'later' WHERE id = 20`);
      id = (await backup(stand.bench, { type: 'INCREMENTAL' })).stored.manifest.backupId;
      const { manifest } = (await stand.store.findManifest(id))!;
      expect(manifest.tables.find(({ table }) => table === 'config')?.layers).toHaveLength(2);
      const before = await stand.rows('config', 'rank_no, name, id');
      await stand.rebuildConfig(
        `rank_no BIGINT NULL, extra BIGINT NOT NULL DEFAULT 7, name ${exact.replace('(40)', '(50)')} NULL, ${key}, UNIQUE (rank_no)`,
        'id, name, rank_no',
      );
      await stand.exec('UPDATE config SET extra = 8', 'DELETE FROM config WHERE id IN (1, 700)', `UPDATE config SET name = 'x' WHERE id IN (3, 5)`); // prettier-ignore
      const expected = before.map(([rank, name_, row]) => [rank, row === '1' || row === '700' ? '7' : '8', name_, row]);
      await goThere(['config'], CONFIG, { config: expected as Rows });
    });

    it('a unique key that came since holds: rows may swap its values, and those that share one are refused', async () => {
      const columns = `${key}, name ${exact} NULL, rank_no BIGINT NULL, extra BIGINT NULL, UNIQUE (rank_no), UNIQUE (name)`;
      await stand.rebuildConfig(columns, 'id, name, rank_no');
      const before = await stand.rows('config');
      await stand.exec(
        `UPDATE config SET name = 'aside' WHERE id = 7`,
        `UPDATE config SET name = 'value 7' WHERE id = 8`,
        `UPDATE config SET name = 'value 8' WHERE id = 7`,
      );
      await goThere(['config'], CONFIG, { config: before });
      await stand.rebuildConfig(columns.replace(', UNIQUE (name)', ''), 'id, name, rank_no');
      await stand.exec(`UPDATE config SET name = 'shared' WHERE id IN (7, 8)`);
      id = await stand.backup();
      await stand.exec(`UPDATE config SET name = 'own' WHERE id = 7`);
      await stand.rebuildConfig(columns.replace('extra', 'other'), 'id, name, rank_no');
      const damaged = await stand.rows('config');
      await expect(stand.restore(id, CONFIG)).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await stand.rows('config')).toEqual(damaged);
    });

    it('a scratch schema shows the backup as it was', async () => {
      await stand.exec('ALTER TABLE config ADD COLUMN extra BIGINT NULL');
      const schema = 'rv_test_structures_scratch';
      const restored = await stand.restore(id, { target: { kind: 'SCRATCH', schema } });
      expect(restored.verifiedRows).toBe(restored.inserts);
      expect(warningsOf(restored, 'config')).toBe('');
      await stand.source.dropScratch(schema);
    });

    it('one business comes back into changed tables, its tenant with a default, and others keep all', async () => {
      const tables = ['tenant', 'business', 'assessment', 'factor'];
      const before = await stand.state(tables);
      await stand.exec(
        'ALTER TABLE tenant ADD COLUMN tier BIGINT NOT NULL DEFAULT 3',
        `ALTER TABLE assessment ADD COLUMN reviewed ${exact} NULL`,
        `UPDATE tenant SET tier = 5`,
        `UPDATE assessment SET reviewed = 'yes'`,
        `UPDATE assessment SET score = 1 WHERE id = 'a7-0'`,
        `DELETE FROM factor WHERE assessment_id = 'a7-1'`,
        `UPDATE assessment SET score = 1 WHERE id = 'a8-0'`,
      );
      const expected = {
        tenant: before.tenant!.map((row) => [...row, '5']),
        business: before.business!,
        assessment: (await stand.rows('assessment')).map((row) =>
          row[0] === 'a7-0' ? [...before.assessment!.find(([key]) => key === 'a7-0')!, 'yes'] : row,
        ),
        factor: before.factor!,
      };
      await goThere(tables, B7, expected);
      await stand.exec(
        `DELETE FROM factor`,
        `DELETE FROM assessment`,
        `DELETE FROM business`,
        `DELETE FROM tenant WHERE id = 't1'`,
      );
      await stand.restore(id, B7);
      expect((await stand.rows('tenant')).find(([key]) => key === 't1')).toEqual(['t1', 'slug-1', '3']);
      expect((await stand.rows('assessment')).map((row) => row.at(-1))).toEqual([null, null]);
      expect(await stand.rows('factor')).toEqual(
        before.factor!.filter(([, assessment]) => assessment?.startsWith('a7-')),
      );
    });

    it('renamed tables are found by their former names, references and paths with them', async () => {
      const before = await stand.state(['assessment', 'factor', 'config']);
      await stand.exec(
        'ALTER TABLE assessment RENAME TO assessment_v2',
        'ALTER TABLE config RENAME TO settings',
        'ALTER TABLE settings ADD COLUMN extra BIGINT NULL',
        'UPDATE settings SET extra = 1',
        `UPDATE assessment_v2 SET score = 1 WHERE business_id IN ('b7','b8')`,
        `DELETE FROM factor WHERE assessment_id = 'a7-1'`,
        'UPDATE settings SET rank_no = 900 WHERE id = 3',
      );
      await stand.remap(RENAMED);
      const expected = {
        assessment_v2: before.assessment!,
        factor: before.factor!,
        settings: withExtra(before.config!, () => '1'),
      };
      const { planned } = await goThere(['assessment_v2', 'factor', 'settings'], {}, expected);
      expect(warningsOf(planned, 'settings')).toMatch(/knows this table as config\./);
      const damaged = await stand.rows('assessment_v2');
      const ofB7 = damaged.map((row) => (row[1] === 'b7' ? before.assessment!.find(([key]) => key === row[0])! : row));
      await goThere(['assessment_v2', 'factor'], B7, { assessment_v2: ofB7, factor: before.factor! });
    });

    it.each(['config', 'settings'])('single records of a renamed table come back by its name %s', async (table) => {
      const before = await stand.rows('config');
      await stand.exec('ALTER TABLE config RENAME TO settings', 'DELETE FROM settings WHERE id IN (3, 4)');
      await stand.remap(WITH_SETTINGS);
      const keys = [3, 4].map((key) => ({ dataType: 'CONFIG' as const, table, key }));
      expect(await stand.plan(id, { ...CONFIG, keys: keys.slice(0, 1) })).toMatchObject({
        inserts: 1,
        updates: 0,
        deletes: 0,
      });
      await stand.restore(id, { ...CONFIG, keys });
      expect(await stand.rows('settings')).toEqual(before);
    });

    it('a record is followed through the renaming of its table', async () => {
      await stand.exec('ALTER TABLE config RENAME TO settings', 'UPDATE settings SET rank_no = 900 WHERE id = 3');
      await stand.remap(WITH_SETTINGS);
      await stand.backup();
      const wanted = {
        source: 'default',
        dataType: 'CONFIG',
        table: 'settings',
        formerly: ['config'],
        key: 3,
        limit: 10,
        from: null,
      } as const;
      const { versions } = (await run({ kind: 'RECORD_HISTORY', wanted }, stand.bench)) as RecordHistoryResult;
      expect(versions.map(({ fields }) => fields?.rank_no)).toEqual([3, 900]);
    });

    it('a renamed table that is missing is to be created first', async () => {
      await stand.exec('DROP TABLE config');
      await stand.remap(WITH_SETTINGS);
      await expect(stand.restore(id, CONFIG)).rejects.toMatchObject({
        code: 'SCHEMA_MISMATCH',
        message: expect.stringMatching(/no table settings.*config/),
      });
      await stand.exec(`CREATE TABLE settings (id BIGINT NOT NULL PRIMARY KEY, name ${exact} NULL, ${ranked})`);
      await stand.restore(id, CONFIG);
      expect((await stand.rows('settings'))[3]).toEqual(['3', 'value 3', '3']);
    });

    it.each(Array.from({ length: ROUNDS }, (_, seed) => seed))(
      'random changes and damage %i: what the backup knows comes back, what it does not stays',
      async (seed) => {
        const random = createSeededRandom(seed);
        const before = await stand.rows('config', 'id, name, rank_no');
        const [hasName, hasExtra] = [random.chance(0.7), random.chance(0.7)];
        const extra = hasExtra ? [`extra BIGINT ${random.chance(0.5) ? 'NULL' : 'NOT NULL DEFAULT 7'}`] : [];
        const columns = [
          `rank_no BIGINT NULL`,
          ...(hasName ? [`name ${exact.replace('(40)', '(99)')} NULL`] : []),
          ...extra,
        ];
        const shuffled = columns
          .map((column) => ({ column, at: random.int(0, 1000) }))
          .sort((a, b) => a.at - b.at)
          .map(({ column }) => column);
        await stand.rebuildConfig(`${key}, ${shuffled.join(', ')}`, hasName ? 'id, name, rank_no' : 'id, rank_no');
        if (hasExtra) await stand.exec('UPDATE config SET extra = 100 + id');
        for (let step = 0; step < 8; step++) {
          const row = random.int(0, 29);
          await stand.exec(
            random.pick([
              `DELETE FROM config WHERE id = ${row}`,
              `UPDATE config SET rank_no = ${1000 + step} WHERE id = ${row}`,
            ]),
          );
        }
        const known = hasName ? 'id, name, rank_no' : 'id, rank_no';
        const kept = new Map(
          hasExtra ? (await stand.rows('config', 'id, extra')).map(([key, value]) => [key, value]) : [],
        );
        const damaged = await stand.state(['config']);
        const restored = await stand.restore(id, CONFIG);
        expect(await stand.rows('config', known)).toEqual(
          before.map(([key, title, rank]) => (hasName ? [key, title, rank] : [key, rank])),
        );
        for (const [key, value] of hasExtra ? await stand.rows('config', 'id, extra') : []) {
          if (kept.has(key)) expect([key, value]).toEqual([key, kept.get(key)]);
        }
        await stand.undo(restored, id, CONFIG);
        expect(await stand.state(['config'])).toEqual(damaged);
      },
    );
  });
}

/** The mapping after `config` was renamed, and after `assessment` was too. */
const WITH_SETTINGS: SourceMapping = [
  ...ENGINE_MAPPING.slice(0, 4),
  { ...ENGINE_MAPPING[4]!, table: 'settings', formerly: ['config'] },
];
const RENAMED: SourceMapping = [
  ...ENGINE_MAPPING.slice(0, 2),
  { ...ENGINE_MAPPING[2]!, table: 'assessment_v2', formerly: ['assessment'] },
  {
    ...ENGINE_MAPPING[3]!,
    business: { kind: 'PATH', column: 'assessment_id', referencedTable: 'assessment_v2', referencedColumn: 'id' },
  },
  { ...ENGINE_MAPPING[4]!, table: 'settings', formerly: ['config'] },
];
