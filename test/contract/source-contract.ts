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
  });
}
