/** MySQL and MariaDB databases for tests: schemas of their own on the run's server. */
import type { RowDataPacket } from 'mysql2';
import { createConnection } from 'mysql2/promise';
import type { SourceMapping } from '../../src/domain/mapping';
import type { SourceSettings } from '../../src/domain/settings';
import type { Source } from '../../src/domain/source';
import { openMysqlSource } from '../../src/sources/mysql/source';
import type { ContractConnection, ContractDatabase, SourceContractFixture } from '../contract/source-contract';
import { canHaveMariadb, createSchema, describeServer, mariadbServer, OwnServer, type MariadbServer } from './mariadb';
import { testAmbient } from './sqlite';

/** `describe`, or its skipped form that says what is not tested. */
export const describeMariadb: typeof describe.skip = canHaveMariadb() ? describe : describe.skip;

export async function needServer(): Promise<MariadbServer> {
  const server = await mariadbServer();
  if (!server) throw new Error('no MariaDB server can be had');
  return server;
}

/** A server of one suite alone, which removes it. */
export async function needOwnServer(
  options: readonly string[] = [],
): Promise<{ own: OwnServer; server: MariadbServer }> {
  const own = await OwnServer.create(options);
  if (own === null) throw new Error('no MariaDB server can be had');
  return { own, server: await describeServer(own.url) };
}

export function openTestMysql(url: string, mapping: SourceMapping, settings: Partial<SourceSettings> = {}): Source {
  const defaults: SourceSettings = { name: 'default', url, mapping, connections: 2, metadataLockPatienceMs: 60_000 };
  return openMysqlSource({ settings: { ...defaults, ...settings }, ...testAmbient });
}

export async function connectMysql(url: string): Promise<ContractConnection> {
  const connection = await createConnection({ uri: url, charset: 'utf8mb4', dateStrings: true, rowsAsArray: true });
  return {
    exec: async (sql) => void (await connection.query(sql)),
    query: async (sql) => {
      const [rows] = await connection.query<RowDataPacket[][]>({
        sql,
        rowsAsArray: true,
        typeCast: (field) => field.buffer(),
      });
      return (rows as unknown as (Buffer | null)[][]).map((row) => row.map((value) => value && value.toString()));
    },
    close: async () => connection.end(),
  };
}

async function createDatabase(): Promise<ContractDatabase> {
  const server = await needServer();
  const schema = await createSchema(server, 'contract');
  return {
    location: schema.url,
    open: (mapping, settings) => openTestMysql(schema.url, mapping, settings),
    connect: () => connectMysql(schema.url),
    unreachable: () => ({ url: 'mysql://nobody@127.0.0.1:1/nothing' }),
    drop: async () => {
      for (const scratch of await scratchNames(schema.connection as never, schema.name)) {
        await schema.exec(`DROP DATABASE IF EXISTS \`${scratch}\``);
      }
      await schema.drop();
    },
  };
}

async function scratchNames(
  connection: { query(sql: string): Promise<[RowDataPacket[]]> },
  source: string,
): Promise<string[]> {
  const [marked] = await connection.query(
    "SELECT TABLE_SCHEMA AS name FROM information_schema.TABLES WHERE TABLE_NAME = '_riskvault_scratch'",
  );
  const names: string[] = [];
  for (const { name } of marked) {
    const [rows] = await connection.query(
      `SELECT 1 FROM \`${name}\`._riskvault_scratch WHERE source_schema = '${source}'`,
    );
    if (rows.length > 0) names.push(String(name));
  }
  return names;
}

export const mysqlFixture: SourceContractFixture = {
  createDatabase,
  types: {
    caseless: 'VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci',
    exact: 'VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
    serial: 'BIGINT AUTO_INCREMENT PRIMARY KEY',
  },
  cyclicTables: [
    'CREATE TABLE egg (id BIGINT NOT NULL PRIMARY KEY, hen_id BIGINT NULL)',
    `CREATE TABLE hen (id BIGINT NOT NULL PRIMARY KEY, egg_id BIGINT NULL,
       CONSTRAINT fk_hen_egg FOREIGN KEY (egg_id) REFERENCES egg (id))`,
    'ALTER TABLE egg ADD CONSTRAINT fk_egg_hen FOREIGN KEY (hen_id) REFERENCES hen (id)',
  ],
  foreignKeysOff: 'SET foreign_key_checks = 0',
  foreignKeysOn: 'SET foreign_key_checks = 1',
  capabilities: {
    nullableKeys: false,
    silencesTriggers: false,
    nonTransactionalTable: 'CREATE TABLE plain (id BIGINT NOT NULL PRIMARY KEY) ENGINE=MyISAM',
  },
};
