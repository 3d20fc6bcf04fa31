/**
 * Risk platforms for tests of the whole service: the reference tables, filled, on MariaDB and on SQLite, with what happens to them in
 * an operator's life. One interface, so that a scenario is told once.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import Libsql from 'libsql';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { createDemoDatabase } from '../../src/sources/sqlite/demo';
import { fillReferenceData } from '../bench/reference-data';
import { numbers, type MariadbServer } from './mariadb';

/** Parents first. */
export const PLATFORM_TABLES = [
  'tenants',
  'businesses',
  'risk_assessments',
  'risk_factor_scores',
  'risk_trends',
  'risk_alerts',
  'risk_history',
  'risk_thresholds',
  'risk_config',
] as const;
export type PlatformTable = (typeof PLATFORM_TABLES)[number];

/** A checksum of each table, all of one moment; null for one that is not there. */
export type PlatformState = Record<string, string | null>;

export interface Platform {
  readonly kind: 'mariadb' | 'sqlite';
  readonly sourceUrl: string;
  exec(...statements: string[]): Promise<void>;
  /** The first row's values, as text. */
  values(sql: string): Promise<string[]>;
  /** Of the platform itself, or of a scratch schema that the service made. */
  state(scratch?: string): Promise<PlatformState>;
  rowCount(): Promise<number>;
  /** Names of all tables in the platform's schema, the service's own left out. */
  tableNames(): Promise<string[]>;
  dropTables(): Promise<void>;
  /** A name for a scratch schema, dropped with the platform. */
  scratch(name: string): string;
  /** Where a scratch schema can be asked by a connection of the platform, e.g. as a prefix of table names. */
  inScratch<T>(scratch: string, ask: (values: Platform['values']) => Promise<T>): Promise<T>;
  remove(): Promise<void>;
}

/** Changed, deleted and foreign rows, spread over the tables, in one transaction; other rows with every seed. */
export function damageStatements(seed: number): string[] {
  const part = seed % 7;
  return [
    'BEGIN',
    `DELETE FROM risk_trends WHERE id % 7 = ${part}`,
    `UPDATE risk_factor_scores SET explanation = 'damage ${seed}', score = 1 WHERE id % 11 = ${seed % 11}`,
    `DELETE FROM risk_history WHERE id % 13 = ${seed % 13}`,
    `UPDATE businesses SET name = 'damage ${seed}' WHERE registration_number LIKE '%${seed % 10}'`,
    `DELETE FROM risk_alerts WHERE id LIKE '${(seed % 16).toString(16)}%'`,
    `DELETE FROM risk_config WHERE config_type = 'damage'`,
    `INSERT INTO risk_config (config_type, config_key, config_value, updated_by) VALUES ('damage', 'k${seed}', '{}', 'x')`,
    'COMMIT',
  ];
}

export async function mariadbPlatform(server: MariadbServer, rows: number): Promise<Platform> {
  const name = `rv_test_service_${process.pid}_${++platforms}`;
  await fillReferenceData({ serverUrl: server.url(), schema: name, rows });
  const connection = await createConnection({ uri: server.url(name), multipleStatements: true, dateStrings: true });
  await connection.query(MARIADB_THRESHOLDS);
  return new MariadbPlatform(server.url(name), name, connection);
}

let platforms = 0;

/** An empty schema for a catalog. */
export async function catalogSchema(
  server: MariadbServer,
  name: string,
): Promise<{ url: string; drop(): Promise<void> }> {
  const run = async (statement: string): Promise<void> => {
    const connection = await createConnection(server.url());
    await connection.query(statement);
    await connection.end();
  };
  await run(`DROP DATABASE IF EXISTS ${name}`);
  await run(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  return { url: server.url(name), drop: () => run(`DROP DATABASE ${name}`) };
}

const MARIADB_THRESHOLDS = `INSERT INTO risk_thresholds (id, name, category, risk_levels, is_default)
  SELECT CONCAT('th-', seq), CONCAT('Threshold ', seq), ELT(seq, 'financial', 'operational', 'regulatory'), '{"high": 75}', TRUE
  FROM ${numbers(1, 3)}`;

class MariadbPlatform implements Platform {
  readonly kind = 'mariadb';
  private readonly scratches: string[] = [];

  constructor(
    readonly sourceUrl: string,
    private readonly name: string,
    private readonly connection: Connection,
  ) {}

  async exec(...statements: string[]): Promise<void> {
    for (const statement of statements) await this.connection.query(statement);
  }

  values = async (sql: string): Promise<string[]> => {
    const [rows] = await this.connection.query<RowDataPacket[][]>({ sql, rowsAsArray: true });
    return ((rows[0] ?? []) as unknown[]).map(String);
  };

  async state(scratch = this.name): Promise<PlatformState> {
    const tables = PLATFORM_TABLES.map((table) => `\`${scratch}\`.${table}`).join(', ');
    await this.exec('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ', 'START TRANSACTION WITH CONSISTENT SNAPSHOT');
    const [rows] = await this.connection.query<RowDataPacket[]>(`CHECKSUM TABLE ${tables} EXTENDED`);
    await this.exec('ROLLBACK');
    const sums = rows.map(({ Checksum }) => (Checksum === null ? null : String(Checksum)));
    return Object.fromEntries(PLATFORM_TABLES.map((table, i) => [table, sums[i] ?? null]));
  }

  async rowCount(): Promise<number> {
    return countRows(this.values);
  }

  async tableNames(): Promise<string[]> {
    const sql = `SELECT GROUP_CONCAT(table_name) FROM information_schema.tables WHERE table_schema = '${this.name}'`;
    return withoutMarkers(await this.values(sql));
  }

  async dropTables(): Promise<void> {
    await this.exec('SET foreign_key_checks = 0', ...PLATFORM_TABLES.map((table) => `DROP TABLE IF EXISTS ${table}`));
    await this.exec('SET foreign_key_checks = 1');
  }

  scratch(name: string): string {
    this.scratches.push(`${this.name}_${name}`);
    return `${this.name}_${name}`;
  }

  async inScratch<T>(scratch: string, ask: (values: Platform['values']) => Promise<T>): Promise<T> {
    await this.exec(`USE \`${scratch}\``);
    try {
      return await ask(this.values);
    } finally {
      await this.exec(`USE \`${this.name}\``);
    }
  }

  async remove(): Promise<void> {
    for (const schema of [...this.scratches, this.name]) await this.exec(`DROP DATABASE IF EXISTS \`${schema}\``);
    await this.connection.end();
  }
}

export async function sqlitePlatform(businesses: number): Promise<Platform> {
  const folder = mkdtempSync(join(tmpdir(), 'riskvault-platform-'));
  const file = join(folder, 'source.sqlite');
  await createDemoDatabase(file, { businesses });
  const database = new Libsql(file);
  database.exec('PRAGMA journal_mode = WAL');
  database.close();
  return new SqlitePlatform(folder, file);
}

/** Opens the file anew for each deed: a writer that was killed leaves a log that the next one to open it has to settle. */
class SqlitePlatform implements Platform {
  readonly kind = 'sqlite';

  constructor(
    private readonly folder: string,
    private readonly file: string,
  ) {}

  get sourceUrl(): string {
    return `sqlite:${this.file}`;
  }

  async exec(...statements: string[]): Promise<void> {
    withDatabase(this.file, (database) => {
      for (const statement of statements) database.exec(statement);
    });
  }

  values = async (sql: string): Promise<string[]> => valuesIn(this.file, sql);

  async state(scratch?: string): Promise<PlatformState> {
    return withDatabase(scratch === undefined ? this.file : this.scratchFile(scratch), (database) => {
      database.exec('BEGIN');
      return Object.fromEntries(PLATFORM_TABLES.map((table) => [table, tableHash(database, table)]));
    });
  }

  async rowCount(): Promise<number> {
    return countRows(this.values);
  }

  async tableNames(): Promise<string[]> {
    return withoutMarkers(await this.values(`SELECT group_concat(name) FROM sqlite_master WHERE type = 'table'`));
  }

  async dropTables(): Promise<void> {
    await this.exec(
      'PRAGMA foreign_keys = OFF',
      ...[...PLATFORM_TABLES].reverse().map((table) => `DROP TABLE ${table}`),
    );
  }

  scratch(name: string): string {
    return name;
  }

  async inScratch<T>(scratch: string, ask: (values: Platform['values']) => Promise<T>): Promise<T> {
    return ask(async (sql) => valuesIn(this.scratchFile(scratch), sql));
  }

  async remove(): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private scratchFile(scratch: string): string {
    return `${this.file}.${scratch}.scratch.sqlite`;
  }
}

type Opened = InstanceType<typeof Libsql>;

function withDatabase<T>(file: string, work: (database: Opened) => T): T {
  const database = new Libsql(file);
  try {
    database.exec('PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON');
    return work(database);
  } finally {
    database.close();
  }
}

function valuesIn(file: string, sql: string): string[] {
  return withDatabase(file, (database) => {
    const [row = []] = database.prepare(sql).raw().safeIntegers(true).all() as unknown[][];
    return row.map(String);
  });
}

function tableHash(database: Opened, table: string): string | null {
  if (database.prepare('SELECT 1 FROM sqlite_master WHERE name = ?').all(table).length === 0) return null;
  const hash = createHash('sha256');
  const columns = database.prepare(`SELECT name FROM pragma_table_xinfo('${table}')`).raw().all() as string[][];
  const quoted = columns.map(([name]) => `quote("${name}")`).join(` || ',' || `);
  for (const [row] of database.prepare(`SELECT ${quoted} FROM ${table} ORDER BY 1`).raw().iterate() as Iterable<
    string[]
  >)
    hash.update(`${row}\n`);
  return hash.digest('hex');
}

/** The service keeps a table of markers in the source; SQLite keeps its own statistics. */
function withoutMarkers([names = '']: string[]): string[] {
  return names
    .split(',')
    .filter((name) => name !== '' && name !== 'null' && name !== '_riskvault_writes' && !name.startsWith('sqlite_'));
}

async function countRows(values: Platform['values']): Promise<number> {
  const counts = PLATFORM_TABLES.map((table) => `(SELECT COUNT(*) FROM ${table})`);
  return Number((await values(`SELECT ${counts.join(' + ')}`))[0]);
}
