/**
 * What every source promises, as one suite that each implementation runs: `describeSourceContract(name, fixture)` in a test
 * file of its own. SQL here is what both dialects understand (back-ticked names, x'..' literals); the rest is the fixture's.
 */
import fc from 'fast-check';
import { isAppError, type ErrorCode } from '../../src/domain/errors';
import type { Ownership, SourceMapping, TableMapping } from '../../src/domain/mapping';
import type { KeyRange } from '../../src/domain/rows';
import type { SourceSettings } from '../../src/domain/settings';
import type { BulkWriter, ChangeWriter, Source } from '../../src/domain/source';
import type { TableStructure } from '../../src/domain/table';
import {
  ALL_TYPES,
  batchOf,
  collect,
  fieldsOf,
  keyOf,
  readAll,
  readTable,
  rowBytes,
  stream,
  tableNamed,
  withRead,
} from '../support/source-rows';

/** A connection of its own, beside the source's: the platform that goes on working. */
export interface ContractConnection {
  /** Runs one statement; `BEGIN`, `COMMIT` and `ROLLBACK` included. */
  exec(sql: string): Promise<void>;
  /** Rows as arrays of text; NULL is null. */
  query(sql: string): Promise<(string | null)[][]>;
  close(): Promise<void>;
}

/** A fresh, empty database. */
export interface ContractDatabase {
  /** A source on this database. The suite closes it. */
  open(mapping: SourceMapping, settings?: Partial<SourceSettings>): Source;
  /** A further connection. Foreign keys are enforced. The suite closes it. */
  connect(): Promise<ContractConnection>;
  /** Settings of a source of this kind that nothing answers at. */
  unreachable(): Partial<SourceSettings>;
  drop(): Promise<void>;
}

export interface SourceContractFixture {
  createDatabase(): Promise<ContractDatabase>;
  /** Column types that are spelled differently. */
  types: {
    /** Characters whose collation takes 'a' and 'A' for equal. */
    caseless: string;
    /** Characters compared byte by byte. */
    exact: string;
    /** An integer key that the database numbers by itself, with PRIMARY KEY, e.g. `BIGINT AUTO_INCREMENT PRIMARY KEY`. */
    serial: string;
  };
  /** Statements that create the tables `egg` (id BIGINT key, hen_id BIGINT NULL) and `hen` (id, egg_id), each referring to the other. */
  cyclicTables: readonly string[];
  capabilities: {
    /** A PRIMARY KEY column may hold NULL unless declared NOT NULL. */
    nullableKeys: boolean;
    /** Triggers can be kept from firing while differences are written. */
    silencesTriggers: boolean;
    /** The database has tables without transactions; this statement creates one named `plain`. */
    nonTransactionalTable?: string;
  };
}

const LONG = process.env.LONG === '1';
const SEED = 20261122;

const column = (name: string): Ownership => ({ kind: 'COLUMN', column: name });
const plainTable = (table: string): TableMapping => ({ dataType: 'CONFIG', table });

/** A small risk platform: parents, owned rows, a path, a table that belongs to nobody. */
const PLATFORM: SourceMapping = [
  { dataType: 'BUSINESSES', table: 'region' },
  { dataType: 'BUSINESSES', table: 'tenant', tenant: column('id') },
  { dataType: 'BUSINESSES', table: 'business', business: column('id'), tenant: column('tenant_id') },
  { dataType: 'ASSESSMENTS', table: 'assessment', business: column('business_id') },
  {
    dataType: 'FACTORS',
    table: 'factor',
    business: { kind: 'PATH', column: 'assessment_id', referencedTable: 'assessment', referencedColumn: 'id' },
  },
  { dataType: 'CONFIG', table: 'setting' },
];

function platformSql({ types }: SourceContractFixture): string[] {
  const id = `${types.exact} NOT NULL PRIMARY KEY`;
  return [
    `CREATE TABLE region (id ${id}, parent_id ${types.exact} NULL, FOREIGN KEY (parent_id) REFERENCES region (id))`,
    `CREATE TABLE tenant (id ${id}, region_id ${types.exact} NULL, FOREIGN KEY (region_id) REFERENCES region (id))`,
    `CREATE TABLE business (id ${id}, tenant_id ${types.exact} NOT NULL, name VARCHAR(40) NOT NULL, code INT NULL,
       CONSTRAINT uq_code UNIQUE (code), FOREIGN KEY (tenant_id) REFERENCES tenant (id))`,
    `CREATE TABLE assessment (id ${id}, business_id ${types.exact} NOT NULL, score DOUBLE NULL,
       FOREIGN KEY (business_id) REFERENCES business (id) ON DELETE CASCADE)`,
    `CREATE TABLE factor (id ${types.serial}, assessment_id ${types.exact} NOT NULL, weight INT NULL,
       FOREIGN KEY (assessment_id) REFERENCES assessment (id) ON DELETE CASCADE)`,
    `CREATE TABLE setting (name ${id}, content VARCHAR(200) NULL)`,
    `CREATE INDEX ix_factor ON factor (assessment_id, weight)`,
    `INSERT INTO region VALUES ('world', NULL), ('europe', 'world'), ('asia', 'world')`,
    `INSERT INTO tenant VALUES ('t1', 'europe'), ('t2', 'asia'), ('t3', NULL)`,
    `INSERT INTO business VALUES ('b1', 't1', 'One', 1), ('b2', 't1', 'Two', 2), ('b3', 't2', 'Three', NULL)`,
    `INSERT INTO assessment VALUES ('a1', 'b1', 1.5), ('a2', 'b1', NULL), ('a3', 'b2', 3.25)`,
    `INSERT INTO factor (id, assessment_id, weight) VALUES (1, 'a1', 10), (2, 'a3', 20), (3, 'a1', NULL), (7, 'a2', 5)`,
    `INSERT INTO setting VALUES ('limit', '10'), ('mode', NULL)`,
  ];
}

/** Rejects with an AppError of this code whose message matches. */
async function fails(work: Promise<unknown>, code: ErrorCode, message?: RegExp): Promise<void> {
  const error: unknown = await work.then(
    () => new Error(`expected ${code}, but it resolved`),
    (reason: unknown) => reason,
  );
  if (!isAppError(error)) throw error;
  expect({ code: error.code, message: error.message }).toEqual({
    code,
    message: expect.stringMatching(message ?? /./),
  });
}

export function describeSourceContract(name: string, fixture: SourceContractFixture): void {
  describe(`source contract: ${name}`, () => {
    let database: ContractDatabase;
    let platform: ContractConnection;
    let sources: Source[];

    beforeEach(async () => {
      sources = [];
      database = await fixture.createDatabase();
      platform = await database.connect();
    });

    afterEach(async () => {
      for (const source of sources) await source.close();
      await platform.close();
      await database.drop();
    });

    function open(mapping: SourceMapping, settings?: Partial<SourceSettings>): Source {
      const source = database.open(mapping, settings);
      sources.push(source);
      return source;
    }

    async function run(...statements: string[]): Promise<void> {
      for (const statement of statements) await platform.exec(statement);
    }

    async function openPlatform(): Promise<Source> {
      await run(...platformSql(fixture));
      return open(PLATFORM);
    }

    /** Everything that the mapping shows, by table, as hex: to compare states of the database. */
    async function state(source: Source): Promise<Record<string, string[]>> {
      const all = await withRead(source, (read) => readAll(read));
      return Object.fromEntries([...all].map(([table, rows]) => [table, rows.map((row) => row.toString('hex'))]));
    }

    async function fieldRows(source: Source, table: string): Promise<(string | null)[][]> {
      return withRead(source, async (read) => {
        const { columns } = tableNamed(read, table);
        return (await readTable(read, table)).map((row) => fieldsOf(source.codec, row, columns.length));
      });
    }

    /** Structures and rows of everything mapped, as a backup would hold them. */
    async function backup(source: Source): Promise<{ tables: readonly TableStructure[]; rows: Map<string, Buffer[]> }> {
      return withRead(source, async (read) => ({ tables: read.tables, rows: await readAll(read) }));
    }

    async function bulkRestore(
      writer: BulkWriter,
      { tables, rows }: { tables: readonly TableStructure[]; rows: Map<string, Buffer[]> },
    ): Promise<void> {
      for (const table of tables) {
        const own = rows.get(table.table) ?? [];
        expect(await writer.load(table, stream(own.length > 0 ? [batchOf(own)] : []))).toBe(own.length);
      }
      for (const table of tables) await writer.finishLoading(table);
      await writer.finishTables();
      const read = await writer.openReadBack();
      for (const table of tables) {
        const back = rowBytes(await collect(read.readRows(table, {})));
        expect(back).toEqual(rows.get(table.table));
      }
      await read.close();
    }

    /** Drops tables, children first. */
    async function dropTables(tables: readonly TableStructure[]): Promise<void> {
      for (const { table } of [...tables].reverse()) await run(`DROP TABLE \`${table.replaceAll('`', '``')}\``);
    }

    describe('mapping check', () => {
      test('finds nothing wrong with a sound mapping', async () => {
        const source = await openPlatform();
        expect(await source.checkMapping()).toEqual([]);
        expect((await source.info()).kind).toBe((await source.info()).kind);
      });

      test('names each kind of problem, the table it is of, and what to do', async () => {
        await run(
          'CREATE TABLE keyless (a INT)',
          'CREATE TABLE nullable_unique (a INT NULL, UNIQUE (a))',
          'CREATE TABLE fine (a INT NOT NULL PRIMARY KEY)',
          'CREATE VIEW seen AS SELECT a FROM fine',
        );
        const source = open([
          plainTable('keyless'),
          plainTable('nullable_unique'),
          plainTable('nowhere'),
          plainTable('seen'),
          { ...plainTable('fine'), business: column('nope') },
        ]);
        const problems = await source.checkMapping();
        expect(problems.map(({ table, problem }) => `${table} ${problem}`).sort()).toEqual([
          'fine NO_SUCH_COLUMN',
          'keyless NO_KEY',
          'nowhere NO_SUCH_TABLE',
          'nullable_unique NO_KEY',
          'seen NOT_A_TABLE',
        ]);
        for (const problem of problems) {
          expect(problem.message).toContain(problem.table);
          expect(problem.hint).toMatch(/\w+/);
        }
        await fails(source.openConsistentRead({ dataTypes: ALL_TYPES, connections: 1 }), 'SCHEMA_MISMATCH', /keyless/);
      });

      test('refuses paths that lead nowhere or in a circle', async () => {
        await run(
          'CREATE TABLE x (a INT NOT NULL PRIMARY KEY, b INT NULL)',
          'CREATE TABLE y (a INT NOT NULL PRIMARY KEY, b INT NULL)',
        );
        const path = (table: string, referencedColumn = 'a'): Ownership => ({
          kind: 'PATH',
          column: 'b',
          referencedTable: table,
          referencedColumn,
        });
        const circle = open([
          { ...plainTable('x'), business: path('y') },
          { ...plainTable('y'), business: path('x') },
        ]);
        expect((await circle.checkMapping()).map(({ problem }) => problem)).toEqual(['UNSUPPORTED', 'UNSUPPORTED']);
        const nowhere = open([{ ...plainTable('x'), business: path('y') }]);
        expect((await nowhere.checkMapping()).map(({ problem }) => problem)).toEqual(['UNSUPPORTED']);
        const noColumn = open([
          { ...plainTable('x'), business: path('y', 'nope') },
          { ...plainTable('y'), business: column('b') },
        ]);
        expect((await noColumn.checkMapping()).map(({ problem }) => problem)).toEqual(['NO_SUCH_COLUMN']);
      });

      test('reads some tables although others of the mapping are missing', async () => {
        await run('CREATE TABLE fine (a INT NOT NULL PRIMARY KEY)', 'INSERT INTO fine VALUES (1)');
        const source = open([plainTable('fine'), plainTable('missing')]);
        const read = await source.openConsistentRead({ dataTypes: ALL_TYPES, tables: ['fine'], connections: 1 });
        expect(read.tables.map(({ table }) => table)).toEqual(['fine']);
        expect(await readTable(read, 'fine')).toHaveLength(1);
        await read.close();
      });

      const nullable = fixture.capabilities.nullableKeys ? test : test.skip;
      nullable('refuses NULL in a key', async () => {
        await run('CREATE TABLE lax (a VARCHAR(9) PRIMARY KEY)', "INSERT INTO lax VALUES (NULL), ('x')");
        const problems = await open([plainTable('lax')]).checkMapping();
        expect(problems.map(({ problem }) => problem)).toEqual(['NULL_IN_KEY']);
      });

      const plainEngine = fixture.capabilities.nonTransactionalTable;
      (plainEngine ? test : test.skip)('refuses a table without transactions', async () => {
        await run(plainEngine as string);
        const problems = await open([plainTable('plain')]).checkMapping();
        expect(problems.map(({ problem }) => problem)).toEqual(['NOT_TRANSACTIONAL']);
      });

      test('says that a source is not to be reached', async () => {
        const source = open([], database.unreachable());
        await fails(source.info(), 'SOURCE_UNAVAILABLE');
        await fails(source.openConsistentRead({ dataTypes: ALL_TYPES, connections: 1 }), 'SOURCE_UNAVAILABLE');
      });

      test('diagnoses with findings that say what to do', async () => {
        const source = await openPlatform();
        const findings = await source.diagnose();
        expect(findings.length).toBeGreaterThan(2);
        for (const finding of findings) expect(finding.message).toMatch(/\w+/);
      });
    });

    describe('structures', () => {
      test('tell columns, keys, references, indexes and generated columns; parents come first', async () => {
        await run(
          ...platformSql(fixture),
          'CREATE TABLE computed (a INT NOT NULL, b INT NOT NULL, c INT GENERATED ALWAYS AS (a + b) VIRTUAL, PRIMARY KEY (b, a))',
        );
        const source = open([...PLATFORM].reverse().concat(plainTable('computed')));
        await withRead(source, async (read) => {
          const order = read.tables.map(({ table }) => table);
          for (const [parent, child] of [
            ['region', 'tenant'],
            ['tenant', 'business'],
            ['business', 'assessment'],
            ['assessment', 'factor'],
          ] as const) {
            expect(order.indexOf(parent)).toBeLessThan(order.indexOf(child));
          }
          const factor = tableNamed(read, 'factor');
          expect(factor).toMatchObject({ key: ['id'], keyIsPrimary: true, rowEncoding: source.codec.name });
          expect(factor.foreignKeys).toMatchObject([
            {
              columns: ['assessment_id'],
              referencedTable: 'assessment',
              referencedColumns: ['id'],
              onDelete: 'CASCADE',
            },
          ]);
          expect(factor.indexes.some(({ columns }) => columns.join() === 'assessment_id,weight')).toBe(true);
          expect(tableNamed(read, 'region').foreignKeys).toMatchObject([{ referencedTable: 'region' }]);
          const computed = tableNamed(read, 'computed');
          expect(computed.columns.map((each) => each.name)).toEqual(['a', 'b']);
          expect(computed.generatedColumns).toMatchObject([{ name: 'c', stored: false }]);
          expect(computed.key).toEqual(['b', 'a']);
        });
      });

      test('take a unique key over NOT NULL columns where there is no primary key', async () => {
        await run(
          'CREATE TABLE u (a INT NOT NULL, b INT NULL, CONSTRAINT uq_a UNIQUE (a))',
          'INSERT INTO u VALUES (2, 1), (1, 2)',
        );
        const source = open([plainTable('u')]);
        expect(await source.checkMapping()).toEqual([]);
        await withRead(source, async (read) => {
          expect(tableNamed(read, 'u')).toMatchObject({ key: ['a'], keyIsPrimary: false });
        });
        expect(await fieldRows(source, 'u')).toEqual([
          ['1', '2'],
          ['2', '1'],
        ]);
      });

      test('survive cyclic references', async () => {
        await run(...fixture.cyclicTables);
        const source = open([plainTable('egg'), plainTable('hen')]);
        expect(await source.checkMapping()).toEqual([]);
        await withRead(source, async (read) => {
          expect(read.tables.map(({ table }) => table).sort()).toEqual(['egg', 'hen']);
        });
      });
    });

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

    describe('bulk writing', () => {
      test('brings back missing tables, byte for byte, with keys, indexes and references', async () => {
        const source = await openPlatform();
        const kept = await backup(source);
        const before = await state(source);
        await dropTables(kept.tables);
        expect([...(await source.tableStates(['tenant', 'factor'])).values()]).toEqual(['MISSING', 'MISSING']);
        const writer = await source.openBulkWriter({ jobId: 'job-1', tables: kept.tables, connections: 2 });
        await bulkRestore(writer, kept);
        await writer.publish();
        expect(await state(source)).toEqual(before);
        expect(await source.recoverWrite('job-1')).toBe('COMMITTED');
        const again = await backup(source);
        const facts = ({ table, key, columns, foreignKeys, indexes }: TableStructure) => ({
          table,
          key,
          columns,
          references: foreignKeys.map((each) => [each.columns, each.referencedTable, each.onDelete]),
          indexes: indexes.map((each) => [each.unique, each.columns]),
        });
        expect(again.tables.map(facts)).toEqual(kept.tables.map(facts));
        await expect(run("INSERT INTO business VALUES ('b9', 'nobody', 'X', 9)")).rejects.toThrow();
        await expect(run("INSERT INTO business VALUES ('b9', 't1', 'X', 1)")).rejects.toThrow();
        await run("INSERT INTO factor (assessment_id, weight) VALUES ('a1', 1)");
        expect(Number((await platform.query('SELECT MAX(id) FROM factor'))[0]?.[0])).toBeGreaterThan(7);
      });

      test('fills empty tables, and refuses filled ones', async () => {
        const source = await openPlatform();
        const kept = await backup(source);
        const before = await state(source);
        const all = { jobId: 'job-2', tables: kept.tables, connections: 1 };
        await fails(source.openBulkWriter(all), 'CONFLICT');
        expect(await state(source)).toEqual(before);
        for (const { table } of [...kept.tables].reverse()) await run(`DELETE FROM ${table} WHERE 1 = 1`);
        expect([...(await source.tableStates(['tenant'])).values()]).toEqual(['EMPTY']);
        const writer = await source.openBulkWriter({ ...all, jobId: 'job-3' });
        await bulkRestore(writer, kept);
        await writer.publish();
        expect(await state(source)).toEqual(before);
        expect([...(await source.tableStates(['tenant'])).values()]).toEqual(['FILLED']);
      });

      test('refuses an empty table of another structure', async () => {
        const source = await openPlatform();
        const kept = await backup(source);
        const setting = kept.tables.filter(({ table }) => table === 'setting');
        await run('DROP TABLE setting', 'CREATE TABLE setting (name VARCHAR(40) NOT NULL PRIMARY KEY, other INT NULL)');
        await fails(
          source.openBulkWriter({ jobId: 'x', tables: setting, connections: 1 }),
          'SCHEMA_MISMATCH',
          /content/,
        );
      });

      test('builds a scratch schema beside the source, and drops only what it built', async () => {
        const source = await openPlatform();
        const kept = await backup(source);
        const before = await state(source);
        const options = { jobId: 'job-4', scratchSchema: 'rv_scratch_1', tables: kept.tables, connections: 2 };
        const writer = await source.openBulkWriter(options);
        await bulkRestore(writer, kept);
        await writer.publish();
        const states = await source.tableStates(['tenant', 'setting', 'nope'], 'rv_scratch_1');
        expect([...states.values()]).toEqual(['FILLED', 'FILLED', 'MISSING']);
        expect(await state(source)).toEqual(before);
        expect(await source.recoverWrite('job-4')).toBe('COMMITTED');
        await source.dropScratch('rv_scratch_1');
        expect([...(await source.tableStates(['tenant'], 'rv_scratch_1')).values()]).toEqual(['MISSING']);
        await fails(source.dropScratch('rv_scratch_1'), 'INVALID_INPUT');
        for (const bad of ['../evil', 'a b', '', 'x'.repeat(100), 'a`b', "a'b"]) {
          await fails(source.openBulkWriter({ ...options, jobId: 'bad', scratchSchema: bad }), 'INVALID_INPUT');
          await fails(source.dropScratch(bad), 'INVALID_INPUT');
        }
      });

      test('restores some tables without those that they refer to, into a scratch schema', async () => {
        const source = await openPlatform();
        const kept = await backup(source);
        const tables = kept.tables.filter(({ table }) => table === 'assessment' || table === 'factor');
        const options = { jobId: 'job-5', scratchSchema: 'rv_scratch_2', tables, connections: 1 };
        const writer = await source.openBulkWriter(options);
        await bulkRestore(writer, { tables, rows: kept.rows });
        await writer.publish();
        await source.dropScratch('rv_scratch_2');
      });

      test('proves references before anything is published', async () => {
        const source = await openPlatform();
        const kept = await backup(source);
        await dropTables(kept.tables);
        const tables = kept.tables.filter(({ table }) => ['region', 'tenant', 'business'].includes(table));
        const rows = new Map(kept.rows).set('tenant', (kept.rows.get('tenant') ?? []).slice(1));
        const writer = await source.openBulkWriter({ jobId: 'job-6', tables, connections: 1 });
        await fails(bulkRestore(writer, { tables, rows }), 'CONFLICT', /tenant/);
        await writer.abort();
        expect([...(await source.tableStates(['region', 'business'])).values()]).toEqual(['MISSING', 'MISSING']);
      });

      const steps = ['opened', 'loading', 'loaded', 'indexed', 'finished'] as const;
      test.each(steps)('left behind when %s, it is cleaned up and nothing of it stays', async (step) => {
        const source = await openPlatform();
        const kept = await backup(source);
        await run('DELETE FROM setting WHERE 1 = 1');
        const before = await state(source);
        const tables = kept.tables.filter(({ table }) => table === 'setting' || table === 'missing');
        for (const scratchSchema of [undefined, 'rv_scratch_3']) {
          const jobId = `job-${step}-${scratchSchema ?? 'own'}`;
          await abandon(database.open(PLATFORM), { jobId, scratchSchema, tables, rows: kept.rows, step });
          expect(await source.recoverWrite(jobId)).toBe('ABSENT');
          expect(await source.recoverWrite(jobId)).toBe('ABSENT');
          expect(await state(source)).toEqual(before);
          expect([...(await source.tableStates(['setting'], 'rv_scratch_3')).values()]).toEqual(['MISSING']);
        }
        const writer = await source.openBulkWriter({ jobId: 'job-after', tables, connections: 1 });
        await bulkRestore(writer, { tables, rows: kept.rows });
        await writer.publish();
        expect((await state(source)).setting).toHaveLength(2);
      });

      /** Begins a restore, goes as far as `step`, and lets go as a process that died would: by losing its connections. */
      async function abandon(
        source: Source,
        of: {
          jobId: string;
          scratchSchema?: string;
          tables: readonly TableStructure[];
          rows: Map<string, Buffer[]>;
          step: (typeof steps)[number];
        },
      ): Promise<void> {
        const { jobId, scratchSchema, tables, rows } = of;
        const reached = steps.indexOf(of.step);
        const writer = await source.openBulkWriter({ jobId, scratchSchema, tables, connections: 1 });
        for (const table of tables) {
          const own = rows.get(table.table) ?? [];
          if (reached >= 1) await writer.load(table, stream([batchOf(reached === 1 ? own.slice(0, 1) : own)]));
        }
        if (reached >= 3) for (const table of tables) await writer.finishLoading(table);
        if (reached >= 4) await writer.finishTables();
        await source.close();
      }

      test('stops when cancelled', async () => {
        const source = await openPlatform();
        const kept = await backup(source);
        await run('DELETE FROM setting WHERE 1 = 1');
        const tables = kept.tables.filter(({ table }) => table === 'setting');
        const abort = new AbortController();
        const writer = await source.openBulkWriter({ jobId: 'job-8', tables, connections: 1, signal: abort.signal });
        abort.abort();
        await fails(
          writer.load(tables[0] as TableStructure, stream([batchOf(kept.rows.get('setting') ?? [])])),
          'CANCELLED',
        );
        await writer.abort();
        await writer.abort();
        expect(await source.recoverWrite('job-8')).toBe('ABSENT');
        expect((await state(source)).setting).toEqual([]);
      });

      test('restores cyclic references', async () => {
        await run(
          ...fixture.cyclicTables,
          'INSERT INTO egg VALUES (1, NULL), (2, NULL)',
          'INSERT INTO hen VALUES (1, 1), (2, 2)',
        );
        await run('UPDATE egg SET hen_id = 3 - id');
        const source = open([plainTable('egg'), plainTable('hen')]);
        const kept = await backup(source);
        const before = await state(source);
        await run('UPDATE egg SET hen_id = NULL', 'DELETE FROM hen WHERE 1 = 1', 'DELETE FROM egg WHERE 1 = 1');
        const writer = await source.openBulkWriter({ jobId: 'cycle', tables: kept.tables, connections: 1 });
        await bulkRestore(writer, kept);
        await writer.publish();
        expect(await state(source)).toEqual(before);
      });

      test('no trigger fires while rows are loaded, and triggers work afterwards', async () => {
        const source = await openLogged();
        const kept = await backup(source);
        await run('DELETE FROM watched WHERE 1 = 1', 'DELETE FROM trail WHERE 1 = 1');
        const writer = await source.openBulkWriter({ jobId: 'triggers', tables: kept.tables, connections: 1 });
        await bulkRestore(writer, kept);
        await writer.publish();
        expect(await platform.query('SELECT COUNT(*) FROM trail')).toEqual([['0']]);
        await run('INSERT INTO watched VALUES (9, 9)');
        expect(await platform.query('SELECT id FROM trail')).toEqual([['9']]);
      });
    });

    /** A table whose inserts a trigger writes into another, unmapped one. */
    async function openLogged(): Promise<Source> {
      await run(
        'CREATE TABLE watched (id INT NOT NULL PRIMARY KEY, v INT NULL)',
        'CREATE TABLE trail (id INT NOT NULL)',
        'INSERT INTO watched VALUES (1, 1), (2, 2)',
        'CREATE TRIGGER watch_insert AFTER INSERT ON watched FOR EACH ROW BEGIN INSERT INTO trail (id) VALUES (NEW.id); END',
      );
      return open([plainTable('watched')]);
    }

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
        const lost = database.open(PLATFORM);
        const writer = await lost.openChangeWriter({ jobId: 'lost', tables: kept.tables });
        await writer.deleteRows(tableNamed(kept, 'setting'), picked(source, kept, 'setting')('limit'));
        await lost.close();
        expect(await source.recoverWrite('lost')).toBe('ABSENT');
        expect(await state(source)).toEqual(before);
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
        await run(
          'DELETE FROM watched WHERE 1 = 1',
          'DELETE FROM computed WHERE 1 = 1',
          'DELETE FROM trail WHERE 1 = 1',
        );
        await change(both, kept.tables, async (writer) => {
          for (const table of kept.tables) await writer.insertRows(table, batchOf(kept.rows.get(table.table) ?? []));
        });
        expect(await platform.query('SELECT id, a, b FROM computed ORDER BY id')).toEqual([
          ['1', '4', '8'],
          ['2', null, null],
        ]);
        expect(await fieldRows(source, 'watched')).toHaveLength(2);
        if (fixture.capabilities.silencesTriggers) {
          expect(await platform.query('SELECT COUNT(*) FROM trail')).toEqual([['0']]);
        }
        await run('INSERT INTO watched VALUES (9, 9)');
        expect((await platform.query('SELECT id FROM trail')).at(-1)).toEqual(['9']);
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
          const before = await platform.query('SELECT id, HEX(t), HEX(b), d, n FROM mixed ORDER BY id');
          await run('DELETE FROM mixed WHERE 1 = 1');
          const bulk = await source.openBulkWriter({ jobId: `bulk-${round}`, tables: kept.tables, connections: 1 });
          await bulkRestore(bulk, kept);
          await bulk.publish();
          expect(await platform.query('SELECT id, HEX(t), HEX(b), d, n FROM mixed ORDER BY id')).toEqual(before);
          const writer = await source.openChangeWriter({ jobId: `change-${round}`, tables: kept.tables });
          await writer.deleteRows(table, all);
          await writer.insertRows(table, all);
          await writer.updateRows(table, all, all);
          await writer.commit();
          expect(await platform.query('SELECT id, HEX(t), HEX(b), d, n FROM mixed ORDER BY id')).toEqual(before);
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
