/** The workplace of the source contract: a fresh database for each test, a small risk platform in it, and what tests do often. */
import { isAppError, type ErrorCode } from '../../src/domain/errors';
import type { Ownership, SourceMapping, TableMapping } from '../../src/domain/mapping';
import type { SourceSettings } from '../../src/domain/settings';
import type { BulkWriter, Source } from '../../src/domain/source';
import type { TableStructure } from '../../src/domain/table';
import {
  batchOf,
  collect,
  fieldsOf,
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
  /** The path of its file, or its URL. */
  readonly location: string;
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
  /** Statements that stop a connection from enforcing foreign keys, and let it go on. */
  foreignKeysOff: string;
  foreignKeysOn: string;
  capabilities: {
    /** A PRIMARY KEY column may hold NULL unless declared NOT NULL. */
    nullableKeys: boolean;
    /** Triggers can be kept from firing while differences are written. */
    silencesTriggers: boolean;
    /** The database has tables without transactions; this statement creates one named `plain`. */
    nonTransactionalTable?: string;
  };
}
export const LONG = process.env.LONG === '1';
export const SEED = 20261122;

export const column = (name: string): Ownership => ({ kind: 'COLUMN', column: name });
export const plainTable = (table: string): TableMapping => ({ dataType: 'CONFIG', table });

/** A small risk platform: parents, owned rows, a path, a table that belongs to nobody. */
export const PLATFORM: SourceMapping = [
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

export function platformSql({ types }: SourceContractFixture): string[] {
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
export async function fails(work: Promise<unknown>, code: ErrorCode, message?: RegExp): Promise<void> {
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
/** Structures and rows of everything mapped, as a backup would hold them. */
export interface Kept {
  tables: readonly TableStructure[];
  rows: Map<string, Buffer[]>;
}

export type ContractBench = ReturnType<typeof createBench>;

/** Registers the set-up and tear-down of each test in the surrounding `describe`. */
export function createBench(fixture: SourceContractFixture) {
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

  /** Damage as only a session that enforces no foreign key can do it. */
  async function runUnchecked(...statements: string[]): Promise<void> {
    await run(fixture.foreignKeysOff, ...statements, fixture.foreignKeysOn);
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

  return {
    get database() {
      return database;
    },
    get platform() {
      return platform;
    },
    run,
    runUnchecked,
    open,
    openPlatform,
    openLogged,
    state,
    fieldRows,
    backup,
    bulkRestore,
    dropTables,
  };
}
