/** Source contract: applying differences, all or nothing. */
import fc from 'fast-check';

import type { ChangeWriter, Source } from '../../src/domain/source';
import type { TableStructure } from '../../src/domain/table';
import { ALL_TYPES, batchOf, collect, fieldsOf, rowBytes, tableNamed } from '../support/source-rows';
import {
  LONG,
  PLATFORM,
  SEED,
  fails,
  plainTable,
  type ContractBench,
  type SourceContractFixture,
} from './source-bench';

export function describeChangeWriting(bench: ContractBench, fixture: SourceContractFixture): void {
  const { run, runUnchecked, open, openPlatform, openLogged, state, fieldRows, backup, bulkRestore } = bench;

  describe('writing differences', () => {
    async function change(
      source: Source,
      tables: readonly TableStructure[],
      work: (writer: ChangeWriter) => Promise<void>,
      jobId = 'change',
    ): Promise<void> {
      const writer = await source.openChangeWriter({ jobId, tables });
      try {
        await work(writer);
        await writer.checkReferences();
        await writer.commit();
      } catch (error) {
        await writer.rollback();
        throw error;
      }
    }

    /** The rows of a table whose field `at` has one of these texts, as one batch. */
    function picked(
      source: Source,
      kept: { tables: readonly TableStructure[]; rows: Map<string, Buffer[]> },
      table: string,
    ) {
      const structure = tableNamed(kept, table);
      return (...ids: string[]) =>
        batchOf(
          (kept.rows.get(table) ?? []).filter((row) =>
            ids.includes(fieldsOf(source.codec, row, structure.columns.length)[0] as string),
          ),
        );
    }

    test('deletes, updates and inserts in one transaction, seen by nobody before it commits', async () => {
      const source = await openPlatform();
      const old = await backup(source);
      const wanted = await state(source);
      await run(
        'DELETE FROM factor WHERE id = 7',
        "UPDATE business SET name = 'Changed', code = NULL WHERE id = 'b1'",
        "INSERT INTO setting VALUES ('new', 'x')",
      );
      const live = await backup(source);
      const changed = await state(source);
      const business = tableNamed(old, 'business');
      const setting = tableNamed(old, 'setting');
      const factor = tableNamed(old, 'factor');
      await change(source, old.tables, async (writer) => {
        await writer.deleteRows(setting, picked(source, live, 'setting')('new'));
        await writer.updateRows(
          business,
          picked(source, live, 'business')('b1'),
          picked(source, old, 'business')('b1'),
        );
        await writer.insertRows(factor, picked(source, old, 'factor')('7'));
        expect(await state(source)).toEqual(changed);
        expect(rowBytes(await collect(writer.readRows(factor, {})))).toEqual(old.rows.get('factor'));
      });
      expect(await state(source)).toEqual(wanted);
      expect(await source.recoverWrite('change')).toBe('COMMITTED');
      expect(await source.recoverWrite('another')).toBe('ABSENT');
    });

    test('counts the rows as they would be committed', async () => {
      const source = await openPlatform();
      const kept = await backup(source);
      const factor = tableNamed(kept, 'factor');
      const writer = await source.openChangeWriter({ jobId: 'seen', tables: kept.tables });
      try {
        expect(await writer.countRows(factor)).toBe(4);
        await writer.deleteRows(factor, picked(source, kept, 'factor')('2'));
        expect(await writer.countRows(factor)).toBe(3);
      } finally {
        await writer.rollback();
      }
    });

    test('tells which other tables refer to tables, mapped or not', async () => {
      const source = await openPlatform();
      await run(`CREATE TABLE visit (id INT NOT NULL PRIMARY KEY, business_id ${fixture.types.exact} NULL,
        FOREIGN KEY (business_id) REFERENCES business (id))`);
      const found = await source.referringTables(['region', 'business', 'setting', 'none']);
      expect(found).toEqual(new Map([['region', ['tenant']], ['business', ['assessment', 'visit']]])); // prettier-ignore
    });

    test('drops empty tables to which nothing refers, children among them first, and says why others stay', async () => {
      const source = await openPlatform();
      const drop = () => source.dropEmptyTables(['tenant', 'business', 'assessment', 'factor', 'setting', 'none']);
      await run('DELETE FROM factor', 'DELETE FROM assessment', 'DELETE FROM business', 'DELETE FROM tenant');
      await run(`CREATE TABLE visit (id INT NOT NULL PRIMARY KEY, tenant_id ${fixture.types.exact} NULL,
        FOREIGN KEY (tenant_id) REFERENCES tenant (id))`);
      const kept = new Map([['tenant', 'other tables refer to it'], ['setting', 'it has rows']]); // prettier-ignore
      expect(await drop()).toEqual(kept);
      expect(await drop()).toEqual(kept);
      const states = await source.tableStates(['tenant', 'business', 'assessment', 'factor', 'setting']);
      expect([...states.values()]).toEqual(['EMPTY', 'MISSING', 'MISSING', 'MISSING', 'FILLED']);
      await run('DROP TABLE visit');
      expect((await drop()).has('tenant')).toBe(false);
    });

    test('rolls back without a trace', async () => {
      const source = await openPlatform();
      const kept = await backup(source);
      const before = await state(source);
      const writer = await source.openChangeWriter({ jobId: 'undone', tables: kept.tables });
      await writer.deleteRows(tableNamed(kept, 'setting'), picked(source, kept, 'setting')('limit', 'mode'));
      await writer.rollback();
      await writer.rollback();
      expect(await state(source)).toEqual(before);
      expect(await source.recoverWrite('undone')).toBe('ABSENT');
    });

    test('a writer that was lost leaves nothing', async () => {
      const source = await openPlatform();
      const kept = await backup(source);
      const before = await state(source);
      const lost = bench.database.open(PLATFORM);
      const writer = await lost.openChangeWriter({ jobId: 'lost', tables: kept.tables });
      await writer.deleteRows(tableNamed(kept, 'setting'), picked(source, kept, 'setting')('limit'));
      await lost.close();
      expect(await source.recoverWrite('lost')).toBe('ABSENT');
      expect(await state(source)).toEqual(before);
    });

    describe('with missing tables', () => {
      const MISSING = ['tenant', 'factor'];

      async function openDamaged() {
        const source = await openPlatform();
        const kept = await backup(source);
        const before = await state(source);
        await runUnchecked(...MISSING.map((table) => `DROP TABLE ${table}`));
        return { source, kept, before, options: { tables: kept.tables, missing: MISSING } };
      }

      type Damaged = Awaited<ReturnType<typeof openDamaged>>;

      async function refill(writer: ChangeWriter, { kept }: Damaged): Promise<void> {
        for (const table of MISSING) {
          await writer.insertRows(tableNamed(kept, table), batchOf(kept.rows.get(table) ?? []));
        }
      }

      const expectMissing = async ({ source }: Damaged) =>
        expect([...(await source.tableStates(MISSING)).values()]).toEqual(['MISSING', 'MISSING']);

      test('creates them with the changes, keys, indexes and references included', async () => {
        const damaged = await openDamaged();
        const { source, kept, before, options } = damaged;
        const writer = await source.openChangeWriter({ jobId: 'made', ...options });
        await refill(writer, damaged);
        await writer.checkReferences();
        await writer.commit();
        expect(await state(source)).toEqual(before);
        expect(await source.recoverWrite('made')).toBe('COMMITTED');
        expect(await state(source)).toEqual(before);
        await expect(run("INSERT INTO factor VALUES (50, 'nobody', 1)")).rejects.toThrow();
        await expect(run("INSERT INTO business VALUES ('b9', 'nobody', 'X', 9)")).rejects.toThrow();
        const indexes = (of: { tables: readonly TableStructure[] }) =>
          of.tables.map(({ indexes: all }) => all.map(({ columns }) => columns));
        expect(indexes(await backup(source))).toEqual(indexes(kept));
      });

      test('takes them away again when it rolls back or is lost', async () => {
        const damaged = await openDamaged();
        const { source, options } = damaged;
        const writer = await source.openChangeWriter({ jobId: 'undone', ...options });
        await refill(writer, damaged);
        await writer.rollback();
        await expectMissing(damaged);
        expect(await source.recoverWrite('undone')).toBe('ABSENT');
        const lost = bench.database.open(PLATFORM);
        await refill(await lost.openChangeWriter({ jobId: 'lost', ...options }), damaged);
        await lost.close();
        expect(await source.recoverWrite('lost')).toBe('ABSENT');
        await expectMissing(damaged);
      });

      test('proves what filled tables refer to in them', async () => {
        const damaged = await openDamaged();
        const { source, kept, options } = damaged;
        const writer = await source.openChangeWriter({ jobId: 'refers', ...options });
        await writer.insertRows(tableNamed(kept, 'tenant'), picked(source, kept, 'tenant')('t2', 't3'));
        await fails(writer.checkReferences(), 'CONFLICT', /table business has 2 rows.*tenant_id/i);
        await writer.rollback();
        await expectMissing(damaged);
      });

      test('refuses one that is there by now', async () => {
        const { source, options } = await openDamaged();
        await run('CREATE TABLE factor (id INT NOT NULL PRIMARY KEY)');
        await fails(source.openChangeWriter({ jobId: 'late', ...options }), 'PLAN_DRIFTED', /factor/);
        expect([...(await source.tableStates(MISSING)).values()]).toEqual(['MISSING', 'EMPTY']);
      });
    });

    test('notices every kind of drift', async () => {
      const source = await openPlatform();
      const kept = await backup(source);
      const [setting, of] = [tableNamed(kept, 'setting'), picked(source, kept, 'setting')];
      await run("UPDATE setting SET content = '11' WHERE name = 'limit'", "DELETE FROM setting WHERE name = 'mode'");
      const before = await state(source);
      const attempt = (work: (writer: ChangeWriter) => Promise<void>) => change(source, kept.tables, work);
      await fails(
        attempt((writer) => writer.deleteRows(setting, of('limit'))),
        'PLAN_DRIFTED',
        /limit/,
      );
      await fails(
        attempt((writer) => writer.deleteRows(setting, of('mode'))),
        'PLAN_DRIFTED',
        /mode/,
      );
      await fails(
        attempt((writer) => writer.updateRows(setting, of('limit'), of('limit'))),
        'PLAN_DRIFTED',
      );
      await fails(
        attempt((writer) => writer.updateRows(setting, of('mode'), of('mode'))),
        'PLAN_DRIFTED',
      );
      await fails(
        attempt((writer) => writer.insertRows(setting, of('limit'))),
        'PLAN_DRIFTED',
        /limit/,
      );
      expect(await state(source)).toEqual(before);
    });

    test('swaps unique values as delete and insert', async () => {
      const source = await openPlatform();
      const old = await backup(source);
      const wanted = await state(source);
      await run(
        "UPDATE business SET code = 99 WHERE id = 'b1'",
        "UPDATE business SET code = 1 WHERE id = 'b2'",
        "UPDATE business SET code = 2 WHERE id = 'b1'",
      );
      const live = await backup(source);
      const business = tableNamed(old, 'business');
      await change(source, old.tables, async (writer) => {
        await writer.deleteRows(business, picked(source, live, 'business')('b1', 'b2'));
        await writer.insertRows(business, picked(source, old, 'business')('b1', 'b2'));
      });
      expect(await state(source)).toEqual(wanted);
    });

    test("refuses what another row's unique value forbids", async () => {
      const source = await openPlatform();
      const old = await backup(source);
      await run("DELETE FROM business WHERE id = 'b3'", "UPDATE business SET code = 7 WHERE id = 'b2'");
      await run("INSERT INTO business VALUES ('b4', 't1', 'Newer', 2)");
      const live = await backup(source);
      const before = await state(source);
      const business = tableNamed(old, 'business');
      const writing = change(source, old.tables, (writer) =>
        writer.updateRows(business, picked(source, live, 'business')('b2'), picked(source, old, 'business')('b2')),
      );
      await fails(writing, 'CONFLICT');
      expect(await state(source)).toEqual(before);
    });

    test('refuses to leave rows that refer to nothing, of mapped and of unmapped tables', async () => {
      const source = await openPlatform();
      await run(
        `CREATE TABLE outsider (id INT NOT NULL PRIMARY KEY, setting_name ${fixture.types.exact} NULL,
           FOREIGN KEY (setting_name) REFERENCES setting (name))`,
        "INSERT INTO outsider VALUES (1, 'mode')",
      );
      const kept = await backup(source);
      const before = await state(source);
      const without = (table: string, ...ids: string[]) =>
        change(source, kept.tables, (writer) =>
          writer.deleteRows(tableNamed(kept, table), picked(source, kept, table)(...ids)),
        );
      await fails(without('tenant', 't1'), 'CONFLICT', /business/);
      await fails(without('setting', 'mode'), 'CONFLICT', /outsider/);
      expect(await state(source)).toEqual(before);
      await without('setting', 'limit');
      expect((await state(source)).setting).toHaveLength(1);
    });

    test("cascades nothing behind the plan's back", async () => {
      const source = await openPlatform();
      const kept = await backup(source);
      const before = await state(source);
      const business = tableNamed(kept, 'business');
      await change(source, kept.tables, async (writer) => {
        await writer.deleteRows(business, picked(source, kept, 'business')('b1'));
        await writer.insertRows(business, picked(source, kept, 'business')('b1'));
      });
      expect(await state(source)).toEqual(before);
    });

    test('restores rows that refer to themselves and to each other', async () => {
      await run(
        ...fixture.cyclicTables,
        'INSERT INTO egg VALUES (1, NULL), (2, NULL)',
        'INSERT INTO hen VALUES (1, 1), (2, 2)',
      );
      await run('UPDATE egg SET hen_id = 3 - id');
      const source = open([plainTable('egg'), plainTable('hen')]);
      const kept = await backup(source);
      const wanted = await state(source);
      await run('UPDATE egg SET hen_id = NULL', 'DELETE FROM hen WHERE 1 = 1', 'DELETE FROM egg WHERE 1 = 1');
      await change(source, kept.tables, async (writer) => {
        for (const table of kept.tables) await writer.insertRows(table, batchOf(kept.rows.get(table.table) ?? []));
      });
      expect(await state(source)).toEqual(wanted);
    });

    test('leaves generated columns to the database, and fires no trigger', async () => {
      const source = await openLogged();
      await run(
        'CREATE TABLE computed (id INT NOT NULL PRIMARY KEY, a INT NULL, b INT GENERATED ALWAYS AS (a * 2) VIRTUAL)',
      );
      await run('INSERT INTO computed (id, a) VALUES (1, 4), (2, NULL)');
      const both = open([plainTable('watched'), plainTable('computed')]);
      const kept = await backup(both);
      await run('DELETE FROM watched WHERE 1 = 1', 'DELETE FROM computed WHERE 1 = 1', 'DELETE FROM trail WHERE 1 = 1');
      await change(both, kept.tables, async (writer) => {
        for (const table of kept.tables) await writer.insertRows(table, batchOf(kept.rows.get(table.table) ?? []));
      });
      expect(await bench.platform.query('SELECT id, a, b FROM computed ORDER BY id')).toEqual([
        ['1', '4', '8'],
        ['2', null, null],
      ]);
      expect(await fieldRows(source, 'watched')).toHaveLength(2);
      if (fixture.capabilities.silencesTriggers) {
        expect(await bench.platform.query('SELECT COUNT(*) FROM trail')).toEqual([['0']]);
      }
      await run('INSERT INTO watched VALUES (9, 9)');
      expect((await bench.platform.query('SELECT id FROM trail')).at(-1)).toEqual(['9']);
    });

    test('stops when cancelled', async () => {
      const source = await openPlatform();
      const kept = await backup(source);
      const before = await state(source);
      const abort = new AbortController();
      const writer = await source.openChangeWriter({ jobId: 'stopped', tables: kept.tables, signal: abort.signal });
      abort.abort();
      const setting = tableNamed(kept, 'setting');
      await fails(writer.deleteRows(setting, picked(source, kept, 'setting')('limit')), 'CANCELLED');
      await writer.rollback();
      expect(await state(source)).toEqual(before);
    });

    test('refuses tables that do not have the columns of the backup', async () => {
      const source = await openPlatform();
      const kept = await backup(source);
      await run('ALTER TABLE setting ADD COLUMN extra INT NULL');
      const setting = kept.tables.filter(({ table }) => table === 'setting');
      await fails(source.openChangeWriter({ jobId: 'shape', tables: setting }), 'SCHEMA_MISMATCH', /extra/);
    });
  });

  test('random rows come back the same, by bulk and by difference', async () => {
    await run(
      `CREATE TABLE mixed (id BIGINT NOT NULL PRIMARY KEY, t VARCHAR(200) NULL, b VARBINARY(200) NULL, d DOUBLE NULL, n BIGINT NULL)`,
    );
    const source = open([plainTable('mixed')]);
    const hex = (value: string) => `CAST(x'${Buffer.from(value, 'utf8').toString('hex')}' AS CHAR)`;
    const big = () => fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n });
    const rows = fc.uniqueArray(
      fc.record({
        id: big(),
        t: fc.option(fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !text.includes('\0'))),
        b: fc.option(fc.uint8Array({ maxLength: 150 })),
        d: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
        n: fc.option(big()),
      }),
      { selector: (row) => row.id, minLength: 1, maxLength: 30 },
    );
    let round = 0;
    await fc.assert(
      fc.asyncProperty(rows, async (given) => {
        round += 1;
        const values = given.map(({ id, t, b, d, n }) =>
          [
            id,
            t === null ? 'NULL' : hex(t),
            b === null ? 'NULL' : `x'${Buffer.from(b).toString('hex')}'`,
            d === null ? 'NULL' : d.toExponential(),
            n ?? 'NULL',
          ].join(', '),
        );
        await run('DELETE FROM mixed WHERE 1 = 1', `INSERT INTO mixed VALUES (${values.join('), (')})`);
        const kept = await backup(source);
        const table = tableNamed(kept, 'mixed');
        const all = batchOf(kept.rows.get('mixed') ?? []);
        expect(all.ends).toHaveLength(given.length);
        const before = await bench.platform.query('SELECT id, HEX(t), HEX(b), d, n FROM mixed ORDER BY id');
        await run('DELETE FROM mixed WHERE 1 = 1');
        const bulk = await source.openBulkWriter({ jobId: `bulk-${round}`, tables: kept.tables, connections: 1 });
        await bulkRestore(bulk, kept);
        await bulk.publish();
        expect(await bench.platform.query('SELECT id, HEX(t), HEX(b), d, n FROM mixed ORDER BY id')).toEqual(before);
        const writer = await source.openChangeWriter({ jobId: `change-${round}`, tables: kept.tables });
        await writer.deleteRows(table, all);
        await writer.insertRows(table, all);
        await writer.updateRows(table, all, all);
        await writer.commit();
        expect(await bench.platform.query('SELECT id, HEX(t), HEX(b), d, n FROM mixed ORDER BY id')).toEqual(before);
        expect((await backup(source)).rows).toEqual(kept.rows);
      }),
      { seed: SEED, numRuns: LONG ? 100 : 8 },
    );
  });
  test('closing twice is no matter, and ends what is open', async () => {
    const source = await openPlatform();
    const read = await source.openConsistentRead({ dataTypes: ALL_TYPES, connections: 2 });
    const writer = await source.openChangeWriter({ jobId: 'open', tables: read.tables });
    await source.close();
    await source.close();
    await read.close();
    await writer.rollback();
    await run("UPDATE setting SET content = 'still writable' WHERE name = 'limit'");
  });
}
