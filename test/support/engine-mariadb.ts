/** The engine's scenarios' fixture for MariaDB: a schema of its own per database. */
import { createConnection } from 'mysql2/promise';
import { openMysqlSource } from '../../src/sources/mysql/source';
import type { ContractConnection, SourceContractFixture } from '../contract/source-contract';
import { createSchema, type MariadbServer } from './mariadb';
import { needServer } from './mysql-source';
import { testAmbient } from './sqlite';

async function connect(url: string): Promise<ContractConnection> {
  const connection = await createConnection({ uri: url, charset: 'utf8mb4', typeCast: (field) => field.buffer() });
  return {
    exec: async (sql) => void (await connection.query(sql)),
    query: async (sql) => {
      const [rows] = await connection.query({ sql, rowsAsArray: true });
      return (rows as (Buffer | null)[][]).map((row) => row.map((value) => value?.toString('latin1') ?? null));
    },
    close: () => connection.end(),
  };
}

export const engineFixtureOn = (server: () => Promise<MariadbServer>): SourceContractFixture => ({
  createDatabase: async () => {
    const schema = await createSchema(await server(), 'engine');
    return {
      location: schema.url,
      open: (mapping, settings) =>
        openMysqlSource({
          settings: {
            name: 'default',
            url: schema.url,
            mapping,
            connections: 2,
            metadataLockPatienceMs: 5000,
            ...settings,
          },
          ...testAmbient,
        }),
      connect: () => connect(schema.url),
      unreachable: () => ({ url: 'mysql://root@127.0.0.1:1/none' }),
      drop: () => schema.drop(),
    };
  },
  types: {
    caseless: 'VARCHAR(40) COLLATE utf8mb4_general_ci',
    exact: 'VARCHAR(40) COLLATE utf8mb4_bin',
    serial: 'BIGINT AUTO_INCREMENT PRIMARY KEY',
  },
  cyclicTables: [],
  foreignKeysOff: 'SET foreign_key_checks = 0',
  foreignKeysOn: 'SET foreign_key_checks = 1',
  capabilities: { nullableKeys: false, silencesTriggers: false },
});

export const mariadbEngineFixture = engineFixtureOn(needServer);
