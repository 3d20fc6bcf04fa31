/**
 * Single records restored by their keys, on a real source and a real repository: they come back as the backup has them, with what they need
 * and nothing else. One suite, run against every kind of source.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../src/domain/errors';
import type { BackupId } from '../../src/domain/ids';
import type { PlanJobSpec, RestoreJobSpec } from '../../src/domain/job';
import type { RecordKey } from '../../src/domain/record-key';
import type { Source } from '../../src/domain/source';
import type { PlanResult, RestoreResult } from '../../src/domain/task';
import type { Repository } from '../../src/repository/repository';
import { createSeededRandom } from '../../src/sources/seeded-random';
import type { ContractConnection, ContractDatabase, SourceContractFixture } from '../contract/source-contract';
import { countingStore } from './counting-store';
import { applyTask, backup, compact, plan, restore, run, undoTask, type EngineBench } from './engine-context';
import { openStore } from './engine-scenarios';
import {
  CHILDREN_FIRST, harm, MAPPED, OUTSIDE, recordKey, recordRestoreRows, recordRestoreTables, RECORD_RESTORE_MAPPING, sorted, withRecords,
  type Row, type State,
} from './record-restore-platform'; // prettier-ignore

const ROUNDS = process.env.LONG === '1' ? 60 : 8;

class Stand {
  private constructor(
    readonly database: ContractDatabase,
    readonly sql: ContractConnection,
    readonly source: Source,
    readonly store: Repository,
    readonly folder: string,
  ) {}

  static async open(fixture: SourceContractFixture): Promise<Stand> {
    const database = await fixture.createDatabase();
    const sql = await database.connect();
    for (const statement of [...recordRestoreTables(fixture.types), ...recordRestoreRows()]) await sql.exec(statement);
    const folder = mkdtempSync(join(tmpdir(), 'riskvault-keys-'));
    return new Stand(database, sql, database.open(RECORD_RESTORE_MAPPING), await openStore(folder), folder);
  }

  get bench(): EngineBench {
    return { source: this.source, store: this.store, connections: 2 };
  }

  async state(): Promise<State> {
    const state: State = {};
    for (const table of [...MAPPED, ...OUTSIDE]) state[table] = await this.sql.query(`SELECT * FROM ${table}`);
    return sorted(state);
  }

  async exec(...statements: string[]): Promise<void> {
    for (const statement of statements) await this.sql.exec(statement);
  }

  async backup(type: 'FULL' | 'INCREMENTAL' = 'FULL'): Promise<BackupId> {
    return (await backup(this.bench, { type })).stored.manifest.backupId;
  }

  restore(backupId: BackupId, keys: RecordKey[], spec: Partial<RestoreJobSpec> = {}): Promise<RestoreResult> {
    return restore(this.bench, { backupId, keys, ...spec });
  }

  plan(backupId: BackupId, keys: RecordKey[], spec: Partial<PlanJobSpec> = {}): Promise<PlanResult> {
    return plan(this.bench, { backupId, keys, ...spec });
  }

  async apply(planned: PlanResult, backupId: BackupId): Promise<RestoreResult> {
    return (await run(applyTask(planned, backupId), this.bench)) as RestoreResult;
  }

  async undo(restored: RestoreResult, backupId: BackupId): Promise<RestoreResult> {
    return (await run(undoTask(restored, backupId), this.bench)) as RestoreResult;
  }

  async close(): Promise<void> {
    await this.source.close();
    await this.sql.close();
    await this.database.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const FACTOR: RecordKey = { dataType: 'FACTORS', table: 'factor', key: { assessment_id: 'a7-0', number: 1 } };
const BUSINESS: RecordKey = { dataType: 'BUSINESSES', table: 'business', key: 'b7' };
const config = (code: string): RecordKey => ({ dataType: 'CONFIG', table: 'config', key: code });
const noteKey = (id: number): RecordKey => ({ dataType: 'ALERTS', table: 'note', key: id });

/** Business b7 and, above it, the whole tenant t3. */
const WITHOUT_TENANT = [
  `DELETE FROM remark WHERE id IN (6, 7, 14, 15, 22, 23)`,
  `DELETE FROM factor WHERE assessment_id IN ('a3-0','a3-1','a7-0','a7-1','a11-0','a11-1')`,
  `DELETE FROM assessment WHERE business_id IN ('b3','b7','b11')`,
  `DELETE FROM business WHERE tenant_id = 't3'`,
  `DELETE FROM tenant WHERE id = 't3'`,
];

const countsOf = ({ tables }: PlanResult | RestoreResult) =>
  Object.fromEntries(tables.map(({ table, inserts, updates, deletes }) => [table, [inserts, updates, deletes]]));
const warningsOf = ({ tables }: PlanResult | RestoreResult) => tables.flatMap(({ table, warnings }) => warnings.map((warning) => `${table}: ${warning}`)); // prettier-ignore

export function describeRecordRestores(name: string, fixture: SourceContractFixture): void {
  describe(`single records on ${name}`, () => {
    let stand: Stand;
    let id: BackupId;
    let stored: State;
    beforeEach(async () => {
      stand = await Stand.open(fixture);
      id = await stand.backup();
      stored = await stand.state();
    });
    afterEach(() => stand.close());

    const rowOf = (table: string, ...key: string[]): { table: string; row: Row } => ({
      table,
      row: stored[table]!.find((row) => key.every((value, i) => row[i] === value))!,
    });

    const respell = (n: number): string[] => [
      fixture.foreignKeysOff,
      `UPDATE config SET code = 'CODE${n}', value = 'x' WHERE code = 'code${n}'`,
      fixture.foreignKeysOn,
    ];

    it('a deleted record comes back with all that it refers to, and nothing else', async () => {
      await stand.exec(...WITHOUT_TENANT);
      const live = await stand.state();
      const planned = await stand.plan(id, [FACTOR]);
      expect(await stand.state()).toEqual(live);
      expect(countsOf(planned)).toEqual({ tenant: [1, 0, 0], business: [1, 0, 0], assessment: [1, 0, 0], factor: [1, 0, 0] }); // prettier-ignore
      const along = '1 row comes along because restored ones refer to it.';
      expect(warningsOf(planned)).toEqual([`tenant: ${along}`, `business: ${along}`, `assessment: ${along}`]);
      const restored = await stand.restore(id, [FACTOR]);
      expect(await stand.state()).toEqual(withRecords(live, stored, [rowOf('factor', 'a7-0', '1')]));
      expect(countsOf(restored)).toEqual(countsOf(planned));
      expect(warningsOf(restored)).toEqual(warningsOf(planned));
      await stand.undo(restored, id);
      expect(await stand.state()).toEqual(live);
    });

    it('a changed record is as it was; its parents, and rows beside it, stay as they are', async () => {
      await stand.exec(
        `UPDATE factor SET note = 'changed' WHERE assessment_id = 'a7-0'`,
        `UPDATE business SET name = 'a later name', tenant_id = 't0' WHERE id = 'b7'`,
        `UPDATE assessment SET score = 1 WHERE id = 'a7-0'`,
      );
      const live = await stand.state();
      const restored = await stand.restore(id, [FACTOR]);
      expect(countsOf(restored)).toEqual({ factor: [0, 1, 0] });
      expect(warningsOf(restored)).toEqual([]);
      expect(await stand.state()).toEqual(withRecords(live, stored, [rowOf('factor', 'a7-0', '1')]));
    });

    it('brings no more than is missing: what a live parent refers to is no concern of it', async () => {
      await stand.exec(...WITHOUT_TENANT.slice(0, 3), `UPDATE business SET tenant_id = 't0' WHERE tenant_id = 't3'`, WITHOUT_TENANT[4]!); // prettier-ignore
      const restored = await stand.restore(id, [FACTOR]);
      expect(countsOf(restored)).toEqual({ assessment: [1, 0, 0], factor: [1, 0, 0] });
    });

    it('what is as it was needs no change, and leaves nothing to undo', async () => {
      const restored = await stand.restore(id, [FACTOR, BUSINESS]);
      expect(restored).toMatchObject({ inserts: 0, updates: 0, deletes: 0, changeSet: null });
      expect(await stand.state()).toEqual(stored);
    });

    it('takes keys in every way that records are named, and the same one twice as one', async () => {
      await stand.exec(`UPDATE factor SET note = NULL`, `UPDATE note SET text = NULL`);
      const live = await stand.state();
      const again = { ...FACTOR, key: { number: '1', assessment_id: 'a7-0' } };
      const restored = await stand.restore(id, [FACTOR, again, noteKey(3), { ...noteKey(4), key: { id: '4' } }]);
      expect(restored).toMatchObject({ inserts: 0, updates: 3, deletes: 0 });
      const wanted = [rowOf('factor', 'a7-0', '1'), rowOf('note', '3'), rowOf('note', '4')];
      expect(await stand.state()).toEqual(withRecords(live, stored, wanted));
    });

    it('a row whose key only the source calls equal makes room for the record', async () => {
      await stand.exec(...respell(1));
      const live = await stand.state();
      expect(countsOf(await stand.plan(id, [config('code1')]))).toEqual({ config: [1, 0, 1] });
      const restored = await stand.restore(id, [config('code1')]);
      expect(await stand.state()).toEqual(stored);
      await stand.undo(restored, id);
      expect(await stand.state()).toEqual(live);
      await expect(stand.restore(id, [config('CODE1')])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('a parent that is live under another spelling is there', async () => {
      await stand.exec(`DELETE FROM note WHERE id = 11`, ...respell(5));
      const live = await stand.state();
      expect(countsOf(await stand.restore(id, [noteKey(11)]))).toEqual({ note: [1, 0, 0] });
      expect(await stand.state()).toEqual(withRecords(live, stored, [rowOf('note', '11')]));
    });

    it('follows references within a table, and by several columns', async () => {
      await stand.exec(`UPDATE note SET parent_id = NULL`, `DELETE FROM note WHERE id >= 6`, ...WITHOUT_TENANT);
      const live = await stand.state();
      const keys: RecordKey[] = [noteKey(9), { dataType: 'FACTORS', table: 'remark', key: 14 }];
      const planned = await stand.plan(id, keys);
      expect(countsOf(planned)).toMatchObject({
        note: [4, 0, 0],
        remark: [1, 0, 0],
        factor: [1, 0, 0],
        tenant: [1, 0, 0],
      });
      expect(warningsOf(planned)).toContain('note: 3 rows come along because restored ones refer to them.');
      await stand.apply(planned, id);
      expect(await stand.state()).toEqual(withRecords(live, stored, [rowOf('note', '9'), rowOf('remark', '14')]));
    });

    it('refuses what refers to a row that is nowhere, and names it', async () => {
      await stand.exec(
        fixture.foreignKeysOff,
        `INSERT INTO assessment VALUES ('lone', 'nobody', 1)`,
        fixture.foreignKeysOn,
      );
      const dangling = await stand.backup();
      await stand.exec(`DELETE FROM assessment WHERE id = 'lone'`);
      const live = await stand.state();
      const keys: RecordKey[] = [{ dataType: 'ASSESSMENTS', table: 'assessment', key: 'lone' }];
      const message =
        /row \{"id":"lone"\} of assessment refers by business_id \(constraint .+\) to a row of business, \(nobody\), that neither/;
      const refused = { code: 'CONFLICT', message: expect.stringMatching(message) };
      await expect(stand.plan(dangling, keys)).rejects.toMatchObject(refused);
      await expect(stand.restore(dangling, keys)).rejects.toMatchObject(refused);
      expect(await stand.state()).toEqual(live);
    });

    it('a parent whose key is live with other values is not touched, and what needs it as it was is refused', async () => {
      await stand.exec(`UPDATE remark SET slug = NULL`, `UPDATE tenant SET slug = 'renamed' WHERE id = 't3'`);
      const live = await stand.state();
      const keys: RecordKey[] = [{ dataType: 'FACTORS', table: 'remark', key: 14 }];
      const refused = { code: 'CONFLICT', message: expect.stringMatching(/slug/) };
      await expect(stand.restore(id, keys)).rejects.toMatchObject(refused);
      expect(await stand.state()).toEqual(live);
    });

    it('leaves parents outside the mapping to the source, which refuses what lacks one', async () => {
      await stand.exec(
        `DELETE FROM note WHERE id = 11`,
        `UPDATE note SET place_id = 0`,
        `DELETE FROM place WHERE id = 2`,
      );
      const live = await stand.state();
      const planned = await stand.plan(id, [noteKey(11)]);
      expect(warningsOf(planned)).toEqual([expect.stringMatching(/^note: .*need their parents in place/)]);
      const refused = { code: 'CONFLICT', message: expect.stringMatching(/place/) };
      await expect(stand.apply(planned, id)).rejects.toMatchObject(refused);
      await expect(stand.restore(id, [noteKey(11)])).rejects.toMatchObject(refused);
      expect(await stand.state()).toEqual(live);
      await stand.exec(`INSERT INTO place VALUES (2, 'place 2')`);
      expect(countsOf(await stand.apply(planned, id))).toEqual({ note: [1, 0, 0] });
    });

    it('names the records that the backup does not hold, and restores none of the others', async () => {
      await stand.exec(`UPDATE business SET name = 'changed'`);
      const live = await stand.state();
      const keys = [BUSINESS, { ...BUSINESS, key: { id: 'B7' } }, noteKey(4711)];
      const message = /does not hold \{"id":"B7"\} of business, 4711 of note\./;
      const refused = { code: 'NOT_FOUND', message: expect.stringMatching(message), path: ['input', 'keys', '1'] };
      await expect(stand.restore(id, keys)).rejects.toMatchObject(refused);
      await expect(stand.plan(id, keys)).rejects.toMatchObject(refused);
      expect(await stand.state()).toEqual(live);
    });

    it.each([
      ['of other columns', { id: 1 }, ['input', 'keys', '0', 'key']],
      [
        'of a value that the column has not',
        { assessment_id: 'a7-0', number: 'x' },
        ['input', 'keys', '0', 'key', 'number'],
      ],
    ])('refuses a key %s', async (_, key, path) => {
      if (name === 'SQLite' && path.length > 4) return; // because there a column takes any value
      await expect(stand.restore(id, [{ ...FACTOR, key }])).rejects.toMatchObject({ code: 'INVALID_INPUT', path });
    });

    it('of one business its own records alone can be named, and what became of another business stays its', async () => {
      const ofB7 = { type: 'BUSINESS', businessId: 'b7' } as const;
      const other: RecordKey = { ...FACTOR, key: { assessment_id: 'a3-0', number: 1 } };
      await expect(stand.restore(id, [FACTOR, other], ofB7)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(stand.restore(id, [{ ...BUSINESS, table: 'tenant', key: 't3' }], ofB7)).rejects.toMatchObject({ code: 'NOT_FOUND' }); // prettier-ignore
      await stand.exec(...WITHOUT_TENANT);
      const live = await stand.state();
      await stand.restore(id, [FACTOR], ofB7);
      expect(await stand.state()).toEqual(withRecords(live, stored, [rowOf('factor', 'a7-0', '1')]));
      await stand.exec(`UPDATE factor SET note = 'x' WHERE assessment_id = 'a7-0'`);
      expect(countsOf(await stand.restore(id, [FACTOR], ofB7))).toEqual({ factor: [0, 1, 0] });
      const assessment: RecordKey = { dataType: 'ASSESSMENTS', table: 'assessment', key: 'a7-0' };
      await stand.exec(`UPDATE assessment SET score = 7 WHERE id = 'a7-0'`);
      expect(countsOf(await stand.restore(id, [assessment], ofB7))).toEqual({ assessment: [0, 1, 0] });
      await stand.exec(`UPDATE assessment SET business_id = 'b0' WHERE id = 'a7-0'`);
      const moved = await stand.state();
      await expect(stand.restore(id, [assessment], ofB7)).rejects.toMatchObject({ code: 'CONFLICT' });
      await expect(stand.plan(id, [assessment], ofB7)).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await stand.state()).toEqual(moved);
    });

    it('fills a scratch schema with the records and their parents alone', async () => {
      const schema = 'rv_test_keys_scratch';
      const restored = await stand.restore(id, [FACTOR, config('code1')], { target: { kind: 'SCRATCH', schema } });
      expect(restored).toMatchObject({ mode: 'BULK', inserts: 5, verifiedRows: 5 });
      expect(countsOf(restored)).toEqual({ tenant: [1, 0, 0], business: [1, 0, 0], assessment: [1, 0, 0], factor: [1, 0, 0], config: [1, 0, 0] }); // prettier-ignore
      await stand.source.dropScratch(schema);
      expect(await stand.state()).toEqual(stored);
    });

    it('brings back tables that are gone, with the records alone, and lets them go again', async () => {
      await stand.exec(...CHILDREN_FIRST.map((table) => `DROP TABLE ${table}`));
      const restored = await stand.restore(id, [FACTOR]);
      expect(await stand.sql.query('SELECT * FROM factor')).toEqual([rowOf('factor', 'a7-0', '1').row]);
      expect(await stand.sql.query('SELECT * FROM tenant')).toEqual([rowOf('tenant', 't3').row]);
      await stand.undo(restored, id);
      const states = await stand.source.tableStates(CHILDREN_FIRST);
      expect(new Set(states.values())).toEqual(new Set(['MISSING']));
    });

    it('a plan is applied as it was looked at, drifts once a row of it changed, and is undone', async () => {
      await stand.exec(...WITHOUT_TENANT, `UPDATE config SET value = 'x' WHERE code = 'code1'`);
      const live = await stand.state();
      const planned = await stand.plan(id, [FACTOR, config('code1')]);
      const wanted = [rowOf('factor', 'a7-0', '1'), rowOf('config', 'code1')];
      await stand.exec(`UPDATE config SET value = 'since' WHERE code = 'code2'`);
      const applied = await stand.apply(planned, id);
      const since = await stand.state();
      expect(since.config).toContainEqual(['code2', 'since', '2']);
      expect(warningsOf(applied)).toEqual([]);
      await stand.exec(`UPDATE config SET value = 'value 2' WHERE code = 'code2'`);
      expect(await stand.state()).toEqual(withRecords(live, stored, wanted));
      await stand.undo(applied, id);
      expect(await stand.state()).toEqual(live);
      await stand.exec(`INSERT INTO tenant VALUES ('t3', 'somebody else')`);
      const drifted = await stand.state();
      await expect(stand.apply(planned, id)).rejects.toMatchObject({ code: 'PLAN_DRIFTED' });
      expect(await stand.state()).toEqual(drifted);
    });

    it('a dry run keeps the plan of what it counts', async () => {
      await stand.exec(...WITHOUT_TENANT);
      const live = await stand.state();
      const dry = await stand.restore(id, [FACTOR], { dryRun: true });
      expect(dry).toMatchObject({ mode: 'DRY_RUN', inserts: 4, updates: 0, deletes: 0, changeSet: null });
      expect(await stand.state()).toEqual(live);
      await stand.apply(dry.plan!, id);
      expect(await stand.state()).toEqual(withRecords(live, stored, [rowOf('factor', 'a7-0', '1')]));
      const refuse = () => Promise.reject(new AppError('REPOSITORY_FULL', 'No room is left.'));
      const full = Object.create(stand.store, { beginChangeSet: { value: refuse } }) as Repository;
      await stand.exec(`UPDATE factor SET note = NULL`);
      const counted = await restore({ ...stand.bench, store: full }, { backupId: id, keys: [FACTOR], dryRun: true });
      expect(counted).toMatchObject({
        mode: 'DRY_RUN',
        updates: 1,
        plan: null,
        notes: [expect.stringMatching(/No plan/)],
      });
    });

    it('finds records in whatever layer has them, of incremental and compacted backups', async () => {
      await stand.exec(`UPDATE factor SET note = 'second' WHERE number = 1`, `DELETE FROM note WHERE id = 11`);
      const second = await stand.backup('INCREMENTAL');
      await stand.exec(`UPDATE factor SET note = 'third' WHERE number = 1`, `INSERT INTO note VALUES (99, NULL, NULL, NULL, 'new')`); // prettier-ignore
      const third = await stand.backup('INCREMENTAL');
      await compact(stand.bench, third);
      const noteOf = async () => (await stand.sql.query(`SELECT note FROM factor WHERE assessment_id = 'a7-0' AND number = 1`))[0]; // prettier-ignore
      await stand.restore(second, [FACTOR]);
      expect(await noteOf()).toEqual(['second']);
      await expect(stand.restore(second, [noteKey(11)])).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await stand.exec('DELETE FROM note WHERE id = 99');
      await stand.restore(third, [FACTOR, noteKey(99)]);
      expect(await noteOf()).toEqual(['third']);
      expect(await stand.sql.query('SELECT text FROM note WHERE id = 99')).toEqual([['new']]);
      await stand.restore(id, [noteKey(11)]);
      expect(await stand.sql.query('SELECT text FROM note WHERE id = 11')).toEqual([['note 11']]);
    });

    it('reads the chunks that can hold the records and no others; damage elsewhere is no matter, there it is', async () => {
      const rows = Array.from({ length: 4_000 }, (_, i) => `('a0-0', ${1_000 + i}, '${String(i).repeat(250)}')`);
      for (let at = 0; at < rows.length; at += 500) await stand.exec(`INSERT INTO factor VALUES ${rows.slice(at, at + 500).join(',')}`); // prettier-ignore
      const large = await stand.backup();
      const { manifest } = (await stand.store.findManifest(large))!;
      const factors = manifest.tables.find(({ table }) => table === 'factor')!;
      const lose = (): Promise<void> => stand.exec(`DELETE FROM factor WHERE number = 3000`);
      await lose();
      const { store, reads } = countingStore(stand.store);
      const spec = { backupId: large, keys: [{ ...FACTOR, key: { assessment_id: 'a0-0', number: 3_000 } }] };
      await restore({ ...stand.bench, store }, spec);
      const needed = new Set(reads.base);
      expect(needed.size).toBe(1);
      expect(factors.layers[0]!.chunkCount).toBeGreaterThan(3);
      const readChunk = stand.store.readChunk.bind(stand.store);
      const damaged = (isHurt: (chunk: string) => boolean): Repository =>
        Object.create(stand.store, {
          readChunk: { value: async (chunk: string) => (isHurt(chunk) ? Buffer.alloc(9) : readChunk(chunk)) },
        }) as Repository;
      const withoutOthers = damaged((chunk) => !needed.has(chunk));
      await lose();
      await restore({ ...stand.bench, store: withoutOthers }, spec);
      const live = await stand.state();
      const hurt = { ...stand.bench, store: damaged((chunk) => needed.has(chunk)) };
      for (const allowUnchecked of [false, true])
        await expect(restore(hurt, { ...spec, allowUnchecked })).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
      expect(await stand.state()).toEqual(live);
    });

    it('records and parents fit tables that changed since; what came to these later stays', async () => {
      await stand.exec(
        ...WITHOUT_TENANT,
        `ALTER TABLE business ADD COLUMN region BIGINT NULL`,
        `ALTER TABLE config ADD COLUMN origin BIGINT NULL`,
        `ALTER TABLE config DROP COLUMN value`,
        `UPDATE config SET origin = 7, rank_no = rank_no + 100`,
      );
      const live = await stand.state();
      const restored = await stand.restore(id, [FACTOR, config('code1')]);
      const after = await stand.state();
      expect(countsOf(restored)).toMatchObject({ business: [1, 0, 0], factor: [1, 0, 0], config: [0, 1, 0] });
      expect(after.business).toEqual([...live.business!, [...rowOf('business', 'b7').row, null]].sort());
      expect(after.config).toEqual([...live.config!.filter(([code]) => code !== 'code1'), ['code1', '1', '7']].sort());
      await stand.undo(restored, id);
      expect(await stand.state()).toEqual(live);
    });

    const withTriggers = fixture.capabilities.silencesTriggers ? it.skip : it;
    withTriggers('what triggers write beside the records is noticed, and nothing is changed', async () => {
      await stand.exec(
        `UPDATE factor SET note = NULL WHERE assessment_id = 'a7-0'`,
        `UPDATE note SET text = 'x' WHERE id = 5`,
        `UPDATE note SET code = NULL WHERE code = 'code1'`,
        `DELETE FROM config WHERE code = 'code1'`,
        `CREATE TRIGGER meddling AFTER INSERT ON config FOR EACH ROW UPDATE note SET text = 'meddled' WHERE id = 0`,
      );
      const live = await stand.state();
      const refused = { code: 'CONFLICT', message: expect.stringMatching(/note .*meddling/) };
      await expect(stand.restore(id, [config('code1'), noteKey(5)])).rejects.toMatchObject(refused);
      expect(await stand.state()).toEqual(live);
      await stand.restore(id, [FACTOR, noteKey(5)]);
      expect(await stand.state()).toEqual(
        withRecords(live, stored, [rowOf('factor', 'a7-0', '1'), rowOf('note', '5')]),
      );
    });

    it('random records after random harm: as SQL would bring them back, and undone', async () => {
      const random = createSeededRandom(20261125);
      for (let round = 0; round < ROUNDS; round++) {
        for (let step = random.int(1, 4); step > 0; step--) await stand.exec(...harm(random));
        const live = await stand.state();
        const wanted = Array.from({ length: random.int(1, 6) }, () => {
          const table = random.pick(MAPPED);
          return { table, row: random.pick(stored[table]!) };
        });
        const keys = wanted.map(({ table, row }) => recordKey(table, row));
        const outcome = await stand.restore(id, keys).catch((error: unknown) => error);
        if (isTaken(outcome)) {
          expect(await stand.state()).toEqual(live);
          continue;
        }
        if (outcome instanceof Error) throw outcome;
        const expected = withRecords(live, stored, wanted);
        expect(await stand.state()).toEqual(expected);
        const restored = outcome as RestoreResult;
        if (restored.changeSet) await stand.undo(restored, id);
        expect(await stand.state()).toEqual(live);
        const planned = await stand.plan(id, keys);
        expect(countsOf(planned)).toEqual(countsOf(restored));
        await stand.apply(planned, id);
        expect(await stand.state()).toEqual(expected);
      }
    });
  });
}

/** A unique value of a record is another row's by now. */
function isTaken(outcome: unknown): boolean {
  return (
    outcome instanceof AppError && outcome.code === 'CONFLICT' && /rank_no|UNIQUE|Duplicate/i.test(outcome.message)
  );
}
