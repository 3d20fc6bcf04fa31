/**
 * Three-way restores on a real source and a real repository: damage between two backups is undone, and what people did since stays. One
 * suite, run against every kind of source; what must be left is worked out by a model of its own.
 */
import { AppError } from '../../src/domain/errors';
import type { PlanResult, RestoreResult } from '../../src/domain/task';
import type { ConflictPolicy } from '../../src/domain/three-way';
import type { Repository } from '../../src/repository/repository';
import { createSeededRandom, type SeededRandom } from '../../src/sources/seeded-random';
import { Stand, type ChangeSetFixture, type State } from './change-set-scenarios';
import { backup, compact, restore, restoreTask, run } from './engine-context';
import { ENGINE_MAPPING } from './engine-scenarios';
import { isLawful, sortState } from './three-way-model';
import { ThreeWayStand } from './three-way-stand';

const LONG = process.env.LONG === '1';

const counts = ({ inserts, updates, deletes }: PlanResult | RestoreResult) => ({ inserts, updates, deletes });

/** Of all tables together, by table: fields in conflict. */
const conflictsOf = ({ tables }: PlanResult | RestoreResult): Record<string, number> =>
  Object.fromEntries(tables.flatMap(({ table, conflicts }) => (conflicts ? [[table, conflicts.fields]] : [])));

export function describeThreeWay(name: string, fixture: ChangeSetFixture): void {
  describe(`three-way restores on ${name}`, () => {
    let stand: Stand;
    let three: ThreeWayStand;
    beforeEach(async () => {
      stand = await Stand.open(fixture);
      three = new ThreeWayStand(stand, fixture);
    });
    afterEach(() => stand.close());

    it('undo the damage alone, whatever was done elsewhere since, and are undone exactly', async () => {
      await three.live(DAMAGE, ELSEWHERE);
      const { state, conflicts } = three.expected('FAIL');
      expect(conflicts).toEqual({});
      const planned = await three.plan();
      expect(await three.state()).toEqual(three.before);
      const applied = await three.apply(planned);
      expect(await three.state()).toEqual(state);
      expect(counts(applied)).toEqual(counts(planned));
      expect(applied.tables.flatMap(({ warnings }) => warnings).join()).not.toMatch(/meanwhile/);
      const undone = await three.undo(applied);
      expect(await three.state()).toEqual(three.before);
      await three.undo(undone);
      expect(await three.state()).toEqual(state);
    });

    it('go the same way in one job, on an incremental backup of the damage, and a second time find nothing to do', async () => {
      await three.live(DAMAGE, ELSEWHERE, 'INCREMENTAL');
      const restored = await three.restore();
      expect(restored.mode).toBe('IN_PLACE');
      expect(await three.state()).toEqual(three.expected('FAIL').state);
      const again = await three.restore();
      expect({ ...counts(again), changeSet: again.changeSet }).toEqual({
        inserts: 0,
        updates: 0,
        deletes: 0,
        changeSet: null,
      });
      await three.undo(restored);
      expect(await three.state()).toEqual(three.before);
    });

    it('merge what was damaged and changed in different fields of one row', async () => {
      await three.live(
        [`UPDATE assessment SET score = 0 WHERE id = 'a1-0'`, `UPDATE config SET name = 'damaged' WHERE id = 7`],
        [`UPDATE assessment SET weight = 42 WHERE id = 'a1-0'`, `UPDATE config SET rank_no = 700 WHERE id = 7`],
      );
      const planned = await three.plan();
      expect(conflictsOf(planned)).toEqual({});
      expect(planned.tables.find(({ table }) => table === 'assessment')?.warnings).toEqual([
        expect.stringMatching(/^Of 1 rows that were damaged something was changed later too/),
      ]);
      await three.apply(planned);
      expect(await three.state()).toEqual(three.expected('FAIL').state);
      expect(await stand.sql.query(`SELECT name, rank_no FROM config WHERE id = 7`)).toEqual([['value 7', '700']]);
    });

    describe('with conflicts', () => {
      beforeEach(() => three.live([...DAMAGE, ...HARM_AGAIN], [...ELSEWHERE, ...SAME_FIELDS]));

      it('by default show them, field by field, and change nothing', async () => {
        const planned = await three.plan();
        expect(conflictsOf(planned)).toEqual(three.expected('FAIL').conflicts);
        const found = await three.conflicts(planned.changeSet.changeSetId, 1);
        expect(found.map(({ table, key, kind }) => [table, Object.values(key)[0], kind]).sort()).toEqual([
          ['assessment', 'a1-0', 'EDITED'],
          ['assessment', 'a1-1', 'DELETED'],
          ['config', 20, 'RECREATED'],
          ['factor', 5000, 'ADDED'],
        ]);
        expect(found.find(({ kind }) => kind === 'EDITED')).toMatchObject({
          dataType: 'ASSESSMENTS',
          fields: [{ name: 'raw', undamaged: expect.anything(), damaged: null, live: expect.anything() }],
        });
        expect(found.find(({ kind }) => kind === 'RECREATED')?.fields).toEqual([
          { name: 'name', undamaged: 'value 20', damaged: null, live: 'made anew' },
        ]);
        expect(found.find(({ kind }) => kind === 'ADDED')?.fields).toEqual([
          { name: 'note', undamaged: null, damaged: 'new', live: 'found useful' },
        ]);
        const fields = found.reduce((sum, conflict) => sum + conflict.fields.length, 0);
        const refused = { code: 'CONFLICT', message: expect.stringMatching(`^${fields} fields of 4 rows`) };
        await expect(three.apply(planned)).rejects.toMatchObject(refused);
        await expect(three.restore()).rejects.toMatchObject(refused);
        await expect(three.restore()).rejects.toThrow(/The first: assessment \{"id":"a1-0"\} in raw;/);
        expect(await three.state()).toEqual(three.before);
      });

      it.each(['KEEP_LIVE', 'TAKE_BACKUP'] as const)('%s settles them, planned or at once', async (policy) => {
        const { state, conflicts } = three.expected(policy);
        const planned = await three.plan(policy);
        expect(conflictsOf(planned)).toEqual(conflicts);
        const applied = await three.apply(planned);
        expect(await three.state()).toEqual(state);
        expect(conflictsOf(applied)).toEqual(conflicts);
        await three.undo(applied);
        expect(await three.state()).toEqual(three.before);
        const restored = await three.restore(policy);
        expect(await three.state()).toEqual(state);
        expect(conflictsOf(restored)).toEqual(conflicts);
        await three.undo(restored);
        expect(await three.state()).toEqual(three.before);
      });

      it('are kept as long as the plan is, whatever is collected', async () => {
        const planned = await three.plan();
        await stand.backup(); // because a repository without any backup collects nothing
        const before = await three.conflicts(planned.changeSet.changeSetId);
        for (const id of [three.damagedId, three.undamagedId]) await stand.store.deleteManifest(id);
        for (let round = 0; round < 2; round++) await stand.store.collectGarbage({ dryRun: false });
        expect(await three.conflicts(planned.changeSet.changeSetId)).toEqual(before);
        expect((await stand.store.check({ level: 'DATA' })).findings).toEqual([]);
        await stand.store.deleteChangeSet(planned.changeSet.changeSetId);
        await expect(three.conflicts(planned.changeSet.changeSetId)).rejects.toMatchObject({ code: 'PLAN_EXPIRED' });
      });

      it('as a dry run count, change nothing, and are kept with a plan', async () => {
        const dry = await three.restore('FAIL', { dryRun: true });
        expect(dry.mode).toBe('DRY_RUN');
        expect(conflictsOf(dry)).toEqual(three.expected('FAIL').conflicts);
        expect(counts(dry)).toEqual(counts(await three.plan('KEEP_LIVE')));
        expect(await three.state()).toEqual(three.before);
        await expect(three.apply(dry.plan!)).rejects.toMatchObject({ code: 'CONFLICT' });
        const resolved = await three.restore('KEEP_LIVE', { dryRun: true });
        expect(await three.state()).toEqual(three.before);
        await three.apply(resolved.plan!);
        expect(await three.state()).toEqual(three.expected('KEEP_LIVE').state);
      });
    });

    it('give rows back unique values that the damage had swapped', async () => {
      await three.live(swap(1, 2), [`UPDATE config SET name = 'later' WHERE id = 1`]);
      await three.restore();
      expect(await three.state()).toEqual(three.expected('FAIL').state);
    });

    it('give a row its key back where the damage had changed it', async () => {
      await three.live([`UPDATE config SET id = 900 WHERE id = 9`], [`UPDATE config SET name = 'later' WHERE id = 10`]);
      const planned = await three.plan();
      expect(counts(planned)).toEqual({ inserts: 1, updates: 0, deletes: 1 });
      await three.apply(planned);
      expect(await three.state()).toEqual(three.expected('FAIL').state);
    });

    it('fail, and change nothing, where a parent of what comes back was deleted since', async () => {
      await three.live(['DELETE FROM factor WHERE id = 3'], [`DELETE FROM assessment WHERE id = 'a0-0'`]);
      const planned = await three.plan();
      expect(counts(planned)).toEqual({ inserts: 1, updates: 0, deletes: 0 });
      await expect(three.apply(planned)).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringMatching(/factor/),
      });
      await expect(three.restore()).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await three.state()).toEqual(three.before);
    });

    it('fail, and change nothing, where a unique value was taken since', async () => {
      await three.live(
        ['UPDATE config SET rank_no = -5 WHERE id = 5'],
        [`INSERT INTO config (id, name, rank_no) VALUES (901, 'later', 5)`],
      );
      await expect(three.restore()).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await three.state()).toEqual(three.before);
    });

    it('of one business touch no row of another, and bring its parents', async () => {
      await three.live(
        [
          `DELETE FROM business WHERE tenant_id = 't1'`,
          `DELETE FROM tenant WHERE id = 't1'`,
          `UPDATE assessment SET score = 1`,
        ],
        [`UPDATE assessment SET weight = 5 WHERE business_id IN ('b2', 'b3')`],
      );
      const planned = await three.plan('FAIL', { type: 'BUSINESS', businessId: 'b4' });
      expect(counts(planned)).toEqual({ inserts: 1 + 1 + 2 + 10, updates: 0, deletes: 0 });
      await three.apply(planned, { type: 'BUSINESS', businessId: 'b4' });
      const owned = await three.restore('FAIL', { type: 'BUSINESS', businessId: 'b2' });
      expect(counts(owned)).toEqual({ inserts: 0, updates: 2, deletes: 0 });
      const expected = three.expected('FAIL').state;
      const state = await three.state();
      const ofBusiness = (from: State, id: string) =>
        (from.assessment as string[][]).filter(([, owner]) => owner === id);
      for (const id of ['b2', 'b4']) expect(ofBusiness(state, id)).toEqual(ofBusiness(expected, id));
      expect(ofBusiness(state, 'b3')).toEqual(ofBusiness(three.before, 'b3'));
      expect(ofBusiness(state, 'b7')).toEqual([]);
      expect((state.tenant as string[][]).map(([id]) => id)).toEqual(['t0', 't1', 't2']);
      await expect(three.plan('FAIL', { type: 'BUSINESS', businessId: 'nobody' })).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
    });

    it('of one business give back a row that the damage gave to another, and take none that was given away since', async () => {
      await three.live(
        [`UPDATE assessment SET business_id = 'b9' WHERE id IN ('a1-0', 'a1-1')`],
        [`UPDATE assessment SET business_id = 'b5' WHERE id = 'a1-1'`],
      );
      const spec = { type: 'BUSINESS', businessId: 'b1' } as const;
      await expect(three.plan('TAKE_BACKUP', spec)).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringMatching(/another business's/),
      });
      await stand.exec(`UPDATE assessment SET business_id = 'b9' WHERE id = 'a1-1'`);
      await three.restore('FAIL', spec);
      expect((await three.state()).assessment).toEqual(three.expected('TAKE_BACKUP').state.assessment);
    });

    it('of some data types leave the others alone', async () => {
      await three.live([...DAMAGE, `UPDATE tenant SET slug = 'damaged' WHERE id = 't0'`], []);
      await three.restore('FAIL', { type: 'PARTIAL', dataTypes: ['CONFIG'] });
      const expected = three.expected('FAIL').state;
      expect(await three.state()).toEqual({ ...three.before, config: expected.config });
    });

    it('find a table under its new name', async () => {
      await three.live([...DAMAGE, ...HARM_AGAIN], []);
      const { config } = three.expected('FAIL').state;
      await stand.exec('ALTER TABLE config RENAME TO settings');
      const mapping = ENGINE_MAPPING.map((entry) =>
        entry.table === 'config' ? { ...entry, table: 'settings', formerly: ['config'] } : entry,
      );
      const source = stand.database.open(mapping);
      await restore({ ...stand.bench, source }, { backupId: three.undamagedId, ...three.threeWay() });
      await source.close();
      const { settings } = sortState(await stand.state(['settings']));
      expect(settings).toEqual(config);
    });

    it('drift where a row was changed after the plan', async () => {
      await three.live(DAMAGE, ELSEWHERE);
      const planned = await three.plan();
      await stand.exec(`UPDATE assessment SET weight = -1 WHERE id = 'a1-0'`);
      const edited = await three.state();
      await expect(three.apply(planned)).rejects.toMatchObject({ code: 'PLAN_DRIFTED' });
      expect(await three.state()).toEqual(edited);
    });

    it('read no more of the source than the damaged keys', async () => {
      await three.live([`UPDATE factor SET note = 'x' WHERE id IN (3, 50)`, 'DELETE FROM factor WHERE id = 70'], []);
      const asked: number[] = [];
      const openConsistentRead = stand.source.openConsistentRead.bind(stand.source);
      stand.source.openConsistentRead = async (options) => {
        const read = await openConsistentRead(options);
        const readRows = read.readRows.bind(read);
        read.readRows = (table, wanted) => {
          asked.push(wanted.keys?.length ?? Infinity);
          return readRows(table, wanted);
        };
        return read;
      };
      expect(counts(await three.plan())).toEqual({ inserts: 1, updates: 2, deletes: 0 });
      expect(asked).toEqual([3]);
    });

    it('refuse backups that do not fit, tables that are gone or changed, and say which', async () => {
      await three.live(DAMAGE, []);
      const { undamagedId, damagedId } = three;
      const threeWay = { damagedBackupId: undamagedId, conflictPolicy: 'FAIL' } as const;
      await expect(stand.plan(damagedId, { threeWay })).rejects.toMatchObject({
        code: 'BACKUP_NOT_RESTORABLE',
        message: expect.stringMatching(/no later/),
      });
      const partial = (await backup(stand.bench, { dataTypes: ['CONFIG'] })).stored.manifest.backupId;
      const toPartial = { threeWay: { damagedBackupId: partial, conflictPolicy: 'FAIL' } } as const;
      await expect(stand.plan(undamagedId, toPartial)).rejects.toMatchObject({ code: 'BACKUP_NOT_RESTORABLE' });
      await stand.exec(`ALTER TABLE config ADD COLUMN extra BIGINT NULL`);
      await expect(three.plan()).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH', message: expect.stringMatching(/config.extra/) }); // prettier-ignore
      const wide = await stand.backup();
      const toWide = { threeWay: { damagedBackupId: wide, conflictPolicy: 'FAIL' } } as const;
      await expect(stand.plan(undamagedId, toWide)).rejects.toMatchObject({
        code: 'SCHEMA_MISMATCH',
        message: expect.stringMatching(/two backups differ: config.extra/),
      });
      await stand.exec('DROP TABLE factor');
      await expect(three.plan('FAIL', { type: 'PARTIAL', dataTypes: ['FACTORS'] })).rejects.toMatchObject({
        code: 'SCHEMA_MISMATCH',
        message: expect.stringMatching(/no table factor/),
      });
    });

    it('fail, and change nothing, where a backup is damaged itself', async () => {
      await three.live(DAMAGE, []);
      const damagedStore = Object.create(stand.store, {
        readChunk: { value: () => Promise.reject(new AppError('INTEGRITY_FAILURE', 'A chunk is lost.')) },
      }) as Repository;
      const bench = { ...stand.bench, store: damagedStore };
      const spec = { backupId: three.undamagedId, ...three.threeWay() };
      await expect(restore(bench, spec)).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
      expect(await three.state()).toEqual(three.before);
    });

    it('that had committed before their worker died are told, not done again', async () => {
      await three.live(DAMAGE, ELSEWHERE);
      const task = restoreTask({ backupId: three.undamagedId, ...three.threeWay() });
      const first = (await run(task, stand.bench)) as RestoreResult;
      await stand.exec(`UPDATE assessment SET score = 9 WHERE id = 'a1-0'`);
      const edited = await three.state();
      const second = (await run({ ...task, attempt: 2 } as typeof task, stand.bench)) as RestoreResult;
      expect(await three.state()).toEqual(edited);
      expect(second).toMatchObject({ ...counts(first), changeSet: first.changeSet });
      expect(second.notes).toEqual([expect.stringMatching(/had committed already/)]);
    });

    it('that may have committed, and of which the source can not tell, are done again to the same end', async () => {
      await three.live(DAMAGE, ELSEWHERE);
      const task = restoreTask({ backupId: three.undamagedId, ...three.threeWay() });
      const first = (await run(task, stand.bench)) as RestoreResult;
      stand.source.recoverWrite = async () => 'UNKNOWN';
      const second = (await run({ ...task, attempt: 2 } as typeof task, stand.bench)) as RestoreResult;
      expect(await three.state()).toEqual(three.expected('FAIL').state);
      expect(second).toMatchObject({ inserts: 0, updates: 0, deletes: 0, changeSet: first.changeSet });
      await three.undo(second);
      expect(await three.state()).toEqual(three.before);
    });

    it('that are cancelled once they may have committed say which', async () => {
      await three.live(DAMAGE, ELSEWHERE);
      const task = restoreTask({ backupId: three.undamagedId, ...three.threeWay() });
      const cancelled = { ...task, attempt: 2, recoverOnly: true } as typeof task;
      stand.source.recoverWrite = async () => 'UNKNOWN';
      await expect(run(cancelled, stand.bench)).rejects.toMatchObject({ code: 'CANCELLED' });
      expect(await three.state()).toEqual(three.before);
      const first = (await run(task, stand.bench)) as RestoreResult;
      const told = (await run(cancelled, stand.bench)) as RestoreResult;
      expect(told).toMatchObject({ ...counts(first), changeSet: first.changeSet });
      await three.undo(told);
      expect(await three.state()).toEqual(three.before);
    });

    it('do updates as deletes and inserts where they meet a unique key that the structure does not show', async () => {
      await three.live(DAMAGE, ELSEWHERE);
      const openChangeWriter = stand.source.openChangeWriter.bind(stand.source);
      stand.source.openChangeWriter = async (options) => {
        const writer = await openChangeWriter(options);
        writer.updateRows = () => Promise.reject(new AppError('CONFLICT', 'Another row has this value.'));
        return writer;
      };
      await three.restore();
      expect(await three.state()).toEqual(three.expected('FAIL').state);
    });

    it('need no repository that takes writes, and then say that they can not be undone', async () => {
      await three.live(DAMAGE, ELSEWHERE);
      const refuse = () => Promise.reject(new AppError('REPOSITORY_FULL', 'No room is left.'));
      const full = Object.create(stand.store, { beginChangeSet: { value: refuse } }) as Repository;
      const spec = { backupId: three.undamagedId, ...three.threeWay() };
      const restored = await restore({ ...stand.bench, store: full }, spec);
      expect(await three.state()).toEqual(three.expected('FAIL').state);
      expect(restored).toMatchObject({ changeSet: null, notes: [expect.stringMatching(/can't be undone.*No room/)] });
    });

    it.each(Array.from({ length: LONG ? 60 : 6 }, (_, seed) => seed))(
      'random damage and later work %i: every policy leaves exactly what the model says, or nothing changes',
      async (seed) => {
        await randomLife(three, createSeededRandom(seed));
        if (seed % 3 === 0) await compact(stand.bench, three.damagedId);
        for (const policy of ['FAIL', 'KEEP_LIVE', 'TAKE_BACKUP'] as const) await requireAsExpected(three, policy);
        expect((await stand.store.check({ level: 'DATA' })).findings).toEqual([]);
      },
    );
  });
}

/** Plans, applies and undoes; then the same in one job. */
async function requireAsExpected(three: ThreeWayStand, policy: ConflictPolicy): Promise<void> {
  const { state, conflicts } = three.expected(policy);
  const planned = await three.plan(policy);
  expect(conflictsOf(planned)).toEqual(conflicts);
  const isRefused = (policy === 'FAIL' && Object.keys(conflicts).length > 0) || !isLawful(state);
  for (const deed of [() => three.apply(planned), () => three.restore(policy)]) {
    if (isRefused) {
      await expect(deed()).rejects.toMatchObject({ code: 'CONFLICT' });
    } else {
      const done = await deed();
      expect(await three.state()).toEqual(state);
      expect(counts(done)).toEqual(counts(planned));
      if (done.changeSet) await three.undo(done);
    }
    expect(await three.state()).toEqual(three.before);
  }
}

/** 1 business with its assessments and factors goes; 3 assessments, 5 factors and 2 config change, the last by a swap; 1 factor comes. */
const DAMAGE = [
  `DELETE FROM business WHERE id = 'b7'`,
  `UPDATE assessment SET raw = NULL WHERE id IN ('a1-0', 'a1-1', 'a2-0')`,
  `UPDATE factor SET note = NULL WHERE assessment_id = 'a3-0'`,
  `INSERT INTO factor VALUES (5000, 'a4-0', 'new', 'new')`,
  ...swap(1, 2),
];
const HARM_AGAIN = ['DELETE FROM config WHERE id IN (20, 21)'];
/** What nobody damaged, in rows that were damaged too. */
const ELSEWHERE = [
  `UPDATE assessment SET weight = 77 WHERE id = 'a2-0'`,
  `UPDATE assessment SET weight = 78 WHERE id = 'a5-0'`,
  `DELETE FROM factor WHERE assessment_id = 'a6-1'`,
  `INSERT INTO factor VALUES (7000, 'a4-0', 'later', 'later')`,
  `UPDATE config SET name = 'later' WHERE id IN (2, 12)`,
];
const SAME_FIELDS = [
  `UPDATE assessment SET raw = x'abcd' WHERE id = 'a1-0'`,
  `DELETE FROM assessment WHERE id = 'a1-1'`,
  `UPDATE factor SET note = 'found useful' WHERE id = 5000`,
  `INSERT INTO config (id, name, rank_no) VALUES (20, 'made anew', 20)`,
];

function swap(one: number, other: number): string[] {
  return [
    `UPDATE config SET rank_no = -1 WHERE id = ${one}`,
    `UPDATE config SET rank_no = ${one} WHERE id = ${other}`,
    `UPDATE config SET rank_no = ${other} WHERE id = ${one}`,
  ];
}

async function randomLife(three: ThreeWayStand, random: SeededRandom): Promise<void> {
  const live = async (): Promise<void> => {
    for (let step = 0; step < 5; step++) await someDeed(three.stand, random);
  };
  await three.live(live, live, random.pick(['FULL', 'INCREMENTAL']));
}

/** A few rows and values out of few, so that damage and later work often meet. */
async function someDeed(stand: Stand, random: SeededRandom): Promise<void> {
  const [k, n, tag] = [random.int(0, 4), random.int(0, 11), `deed ${random.int(0, 5)}`];
  const has = async (query: string): Promise<boolean> => (await stand.sql.query(query)).length > 0;
  const business = (await stand.sql.query('SELECT id FROM business ORDER BY id'))[random.int(0, 5)]?.[0];
  const deeds: (() => Promise<string[]> | string[])[] = [
    () => [`UPDATE factor SET note = '${tag}' WHERE id % 5 = ${k}`],
    () => [`DELETE FROM factor WHERE id % 7 = ${k}`],
    () => [`UPDATE assessment SET score = ${k}, raw = x'0${k}' WHERE business_id = 'b${n}'`],
    () => [`UPDATE assessment SET weight = ${n} WHERE id LIKE '%-${k % 2}'`],
    () => [`UPDATE business SET name = '${tag}' WHERE id IN ('b${n}', 'b${k}')`],
    () => [`UPDATE business SET tenant_id = 't${k % 3}' WHERE id = 'b${n}'`],
    () => [`DELETE FROM business WHERE id = 'b${k}'`],
    async () =>
      (await has(`SELECT 1 FROM business WHERE id = 'b${k}'`)) ? [] : [`INSERT INTO business VALUES ('b${k}', 't${k % 3}', '${tag}')`], // prettier-ignore
    () => [
      `DELETE FROM assessment WHERE id = 'x${k}'`,
      `INSERT INTO assessment VALUES ('x${k}', '${business}', ${n}, NULL, NULL)`,
    ],
    () => [`UPDATE config SET name = '${tag}' WHERE id % 5 = ${k}`],
    () => [`DELETE FROM config WHERE id % 6 = ${k}`],
    () => [`UPDATE config SET rank_no = id + 1000 * ${k + 1} WHERE id % 4 = ${n % 4}`],
    () => [`UPDATE config SET rank_no = NULL WHERE id = ${n}`],
    async () =>
      (await has(`SELECT 1 FROM config WHERE id = ${n} OR rank_no = ${n}`)) ? [] : [`INSERT INTO config (id, name, rank_no) VALUES (${n}, '${tag}', ${n})`], // prettier-ignore
    () => [`UPDATE tenant SET slug = 'slug ${k}-${k % 3}' WHERE id = 't${k % 3}'`],
  ];
  await stand.exec(...(await random.pick(deeds)()));
}
