/** Source contract: one moment, every row exactly once, in key order. */

import type { KeyRange } from '../../src/domain/rows';
import type { Source } from '../../src/domain/source';

import {
  ALL_TYPES,
  collect,
  fieldsOf,
  keyOf,
  readAll,
  readTable,
  rowBytes,
  tableNamed,
  withRead,
} from '../support/source-rows';
import { SEED, column, fails, plainTable, type ContractBench, type SourceContractFixture } from './source-bench';

export function describeReading(bench: ContractBench, fixture: SourceContractFixture): void {
  const { run, open, openPlatform, state, fieldRows, backup, bulkRestore, dropTables } = bench;

  describe('reading', () => {
    test('gives every row of every table, as text where asked', async () => {
      const source = await openPlatform();
      expect(await fieldRows(source, 'tenant')).toEqual([
        ['t1', 'europe'],
        ['t2', 'asia'],
        ['t3', null],
      ]);
      expect((await fieldRows(source, 'factor')).map((row) => row[0])).toEqual(['1', '2', '3', '7']);
    });

    test('an empty table has no rows and one range', async () => {
      await run('CREATE TABLE hollow (a INT NOT NULL PRIMARY KEY)');
      await withRead(open([plainTable('hollow')]), async (read) => {
        expect(await readTable(read, 'hollow')).toEqual([]);
        expect(await read.planRanges(tableNamed(read, 'hollow'), 1 << 20)).toEqual([{ from: null, to: null }]);
      });
    });

    test('finds rows by their keys, and none for keys that are not there', async () => {
      const notes = Array.from({ length: 700 }, (_, i) => `('Key ${i % 50}', ${i}, 'note ${i}')`);
      await run(
        `CREATE TABLE pair (name ${fixture.types.caseless} NOT NULL, n BIGINT NOT NULL, note VARCHAR(40), PRIMARY KEY (name, n))`,
        `INSERT INTO pair VALUES ${notes.join(', ')}`,
      );
      const source = open([plainTable('pair')]);
      await withRead(source, async (read) => {
        const pair = tableNamed(read, 'pair');
        const all = await readTable(read, 'pair');
        const wanted = all.filter((_, i) => i % 3 === 0);
        const keys = wanted.map((row) => keyOf(source.codec, pair, row));
        const absent = Buffer.from(keys[0]!.toString('latin1').replace('Key', 'Zey'), 'latin1');
        const found = rowBytes(await collect(read.readRows(pair, { keys: [...keys, absent] })));
        const texts = (rows: Buffer[]): string[] => rows.map((row) => row.toString('latin1')).sort();
        expect(texts(found)).toEqual(texts(wanted));
        expect(await collect(read.readRows(pair, { keys: [] }))).toEqual([]);
        const [first] = wanted;
        const keyedBy = [...pair.key].reverse();
        const reversed = keyOf(source.codec, { ...pair, key: keyedBy }, first!);
        expect(rowBytes(await collect(read.readRows(pair, { keys: [reversed], keyedBy })))).toEqual([first]);
      });
    });

    test('shows one moment while others write', async () => {
      await run(
        'CREATE TABLE account (id INT NOT NULL PRIMARY KEY, amount INT NOT NULL)',
        ...Array.from({ length: 40 }, (_, i) => `INSERT INTO account VALUES (${i}, 100)`),
        'CREATE TABLE ledger (id INT NOT NULL PRIMARY KEY, total INT NOT NULL)',
        'INSERT INTO ledger VALUES (1, 4000)',
      );
      const source = open([plainTable('account'), plainTable('ledger')]);
      const before = await state(source);
      await withRead(source, async (read) => {
        await run(
          'UPDATE account SET amount = amount + 1',
          'DELETE FROM account WHERE id > 30',
          'UPDATE ledger SET total = 1',
        );
        const seen = await readAll(read);
        expect(Object.fromEntries([...seen].map(([t, rows]) => [t, rows.map((row) => row.toString('hex'))]))).toEqual(
          before,
        );
      });
      expect(await state(source)).not.toEqual(before);
    });

    test('a transfer that others commit is seen whole or not at all', async () => {
      await run(
        'CREATE TABLE purse (id INT NOT NULL PRIMARY KEY, amount INT NOT NULL)',
        'INSERT INTO purse VALUES (1, 500), (2, 500)',
      );
      const source = open([plainTable('purse')]);
      let done = false;
      const writing = (async () => {
        for (let i = 0; !done; i++) {
          await run('BEGIN', `UPDATE purse SET amount = amount - 1 WHERE id = ${1 + (i % 2)}`);
          await run(`UPDATE purse SET amount = amount + 1 WHERE id = ${2 - (i % 2)}`, 'COMMIT');
          await new Promise(setImmediate);
        }
      })();
      try {
        for (let i = 0; i < 10; i++) {
          const rows = await fieldRows(source, 'purse');
          expect(rows.reduce((sum, row) => sum + Number(row[1]), 0)).toBe(1000);
        }
      } finally {
        done = true;
        await writing;
      }
    });

    const keyed: [string, string, (random: () => number, i: number) => string][] = [
      ['integer keys', 'k BIGINT NOT NULL, PRIMARY KEY (k)', (r) => `${Math.floor((r() - 0.5) * 1e6)}`],
      [
        'character keys',
        `k ${fixture.types.exact} NOT NULL, PRIMARY KEY (k)`,
        (r, i) => `'${'aAbBzZ_é'[Math.floor(r() * 8)]}${i}'`,
      ],
      [
        'caseless keys',
        `k ${fixture.types.caseless} NOT NULL, PRIMARY KEY (k)`,
        (r, i) => `'${'aAbBzZ_é'[Math.floor(r() * 8)]}${i}'`,
      ],
      [
        'binary keys',
        'k VARBINARY(20) NOT NULL, PRIMARY KEY (k)',
        (r, i) =>
          `x'${Math.floor(r() * 256)
            .toString(16)
            .padStart(2, '0')}00${i.toString(16).padStart(4, '0')}'`,
      ],
      [
        'composite keys',
        `k INT NOT NULL, l ${fixture.types.caseless} NOT NULL, PRIMARY KEY (k, l)`,
        (r, i) => `${Math.floor(r() * 4)}, '${'aAbB'[Math.floor(r() * 4)]}${i}'`,
      ],
      [
        'composite binary keys',
        'k VARBINARY(8) NOT NULL, l BIGINT NOT NULL, PRIMARY KEY (k, l)',
        (r, i) => `x'0${Math.floor(r() * 3)}', ${i - 150}`,
      ],
    ];
    test.each(keyed)('%s: ranges cover every row exactly once, in key order', async (_, columns, literal) => {
      await run(`CREATE TABLE keyed (v VARCHAR(100) NULL, ${columns})`);
      const random = generator(SEED);
      const values = new Set(Array.from({ length: 300 }, (__, i) => literal(random, i)));
      await run(`INSERT INTO keyed VALUES ${[...values].map((value, i) => `('value ${i}', ${value})`).join(', ')}`);
      const source = open([plainTable('keyed')]);
      await withRead(source, async (read) => {
        const table = tableNamed(read, 'keyed');
        const all = await readTable(read, 'keyed');
        expect(new Set(all.map((row) => row.toString('hex'))).size).toBe(values.size);
        for (const targetBytes of [200, 3000, 1 << 20]) {
          const ranges = await read.planRanges(table, targetBytes);
          expect(await read.planRanges(table, targetBytes)).toEqual(ranges);
          expectContiguous(ranges);
          if (targetBytes === 200) expect(ranges.length).toBeGreaterThan(3);
          const parts: Buffer[] = [];
          for (const range of ranges) parts.push(...(await readTable(read, 'keyed', { range })));
          expect(parts).toEqual(all);
        }
        const keys = all.map((row) => keyOf(source.codec, table, row));
        for (const at of [0, 1, 77, 150, all.length - 1]) {
          const from = keys[at] as Buffer;
          expect(await readTable(read, 'keyed', { range: { from, to: null } })).toEqual(all.slice(at));
          expect(await readTable(read, 'keyed', { range: { from: null, to: from } })).toEqual(all.slice(0, at));
        }
      });
    });

    test('growth at the end moves no earlier boundary', async () => {
      await run('CREATE TABLE growing (id INT NOT NULL PRIMARY KEY, v VARCHAR(100) NULL)');
      const insert = (from: number, to: number) =>
        run(
          `INSERT INTO growing VALUES ${Array.from({ length: to - from }, (_, i) => `(${from + i}, 'value of a row')`).join(', ')}`,
        );
      const source = open([plainTable('growing')]);
      const plan = () => withRead(source, (read) => read.planRanges(tableNamed(read, 'growing'), 2000));
      await insert(0, 1000);
      const early = await plan();
      await insert(1000, 1500);
      const later = await plan();
      expect(later.slice(0, early.length - 1)).toEqual(early.slice(0, -1));
      expect(later.length).toBeGreaterThanOrEqual(early.length);
    });

    test('stops when cancelled, and the source works on', async () => {
      const source = await openPlatform();
      const abort = new AbortController();
      const read = await source.openConsistentRead({ dataTypes: ALL_TYPES, connections: 1, signal: abort.signal });
      abort.abort();
      await fails(collect(read.readRows(tableNamed(read, 'tenant'), { signal: abort.signal })), 'CANCELLED');
      await read.close();
      await read.close();
      await fails(
        source.openConsistentRead({ dataTypes: ALL_TYPES, connections: 1, signal: abort.signal }),
        'CANCELLED',
      );
      expect(await fieldRows(source, 'tenant')).toHaveLength(3);
    });

    test('a reader that leaves early disturbs nothing', async () => {
      const source = await openPlatform();
      const read = await source.openConsistentRead({ dataTypes: ALL_TYPES, connections: 2 });
      for await (const batch of read.readRows(tableNamed(read, 'factor'), {})) {
        expect(batch.ends.length).toBeGreaterThan(0);
        break;
      }
      await read.close();
      expect(await fieldRows(source, 'factor')).toHaveLength(4);
    });

    test('the throttle holds back', async () => {
      await run(
        'CREATE TABLE slow (id INT NOT NULL PRIMARY KEY)',
        `INSERT INTO slow VALUES ${list(60, (i) => `(${i})`)}`,
      );
      const source = open([plainTable('slow')]);
      const read = await source.openConsistentRead({ dataTypes: ALL_TYPES, connections: 1, maxRowsPerSecond: 150 });
      const start = performance.now();
      expect(await readTable(read, 'slow')).toHaveLength(60);
      expect(performance.now() - start).toBeGreaterThan(200);
      await read.close();
    });
  });

  describe('odd names', () => {
    const odd = [
      'sp ace',
      "qu'ote",
      'back`tick',
      'dou"ble',
      'semi;colon',
      'ünï→code',
      'select',
      'per%cent',
      'que?stion',
      ':colon',
    ];
    test('of tables and columns are no matter', async () => {
      const q = (identifier: string) => `\`${identifier.replaceAll('`', '``')}\``;
      for (const each of odd) {
        await run(
          `CREATE TABLE ${q(each)} (${q(each)} INT NOT NULL PRIMARY KEY, ${q(`${each} 2`)} VARCHAR(20) NULL)`,
          `INSERT INTO ${q(each)} VALUES (1, 'one'), (2, NULL)`,
        );
      }
      const source = open(odd.map((each) => ({ ...plainTable(each), business: column(each) })));
      expect(await source.checkMapping()).toEqual([]);
      const kept = await backup(source);
      expect([...kept.rows.values()].every((rows) => rows.length === 2)).toBe(true);
      await withRead(source, async (read) => {
        for (const { table } of read.tables) {
          const scope = { kind: 'BUSINESS', businessId: '2' } as const;
          expect(await readTable(read, table, { scope })).toHaveLength(1);
        }
      });
      const before = await state(source);
      await dropTables(kept.tables);
      const writer = await source.openBulkWriter({ jobId: 'odd', tables: kept.tables, connections: 2 });
      await bulkRestore(writer, kept);
      await writer.publish();
      expect(await state(source)).toEqual(before);
    });
  });

  describe('business scope', () => {
    async function scoped(source: Source, businessId: string): Promise<Record<string, (string | null)[]>> {
      return withRead(source, async (read) => {
        const rows = await readAll(read, { scope: { kind: 'BUSINESS', businessId } });
        const first = ([table, found]: [string, Buffer[]]): [string, (string | null)[]] => {
          const { columns } = tableNamed(read, table);
          return [table, found.map((row) => fieldsOf(source.codec, row, columns.length)[0] as string | null)];
        };
        return Object.fromEntries([...rows].map(first));
      });
    }

    test('takes what the business owns, by column and by path, and the parents that needs', async () => {
      const source = await openPlatform();
      expect(await scoped(source, 'b1')).toEqual({
        region: ['europe', 'world'],
        tenant: ['t1'],
        business: ['b1'],
        assessment: ['a1', 'a2'],
        factor: ['1', '3', '7'],
        setting: [],
      });
      expect(await scoped(source, 'b3')).toMatchObject({ region: ['asia', 'world'], tenant: ['t2'], assessment: [] });
    });

    test('finds nothing for an unknown, an odd or a differently spelled id', async () => {
      const source = await openPlatform();
      for (const id of ['b9', "b1' OR '1'='1", 'B1', 'b1 ', '\\', '%', '😀', 'b1\0']) {
        expect(Object.values(await scoped(source, id)).flat()).toEqual([]);
      }
    });
  });
}

/** A small deterministic generator of numbers in [0, 1). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

function list(count: number, item: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => item(i)).join(', ');
}

/** Ranges begin and end open, and each starts where the one before it ends. */
function expectContiguous(ranges: readonly KeyRange[]): void {
  expect(ranges[0]?.from).toBeNull();
  expect(ranges[ranges.length - 1]?.to).toBeNull();
  for (let i = 1; i < ranges.length; i++) {
    expect(ranges[i]?.from).not.toBeNull();
    expect(ranges[i]?.from).toEqual(ranges[i - 1]?.to);
  }
}
