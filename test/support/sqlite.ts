/** SQLite databases for tests: each in a folder of its own, gone when the test is done. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes, randomUUID } from 'node:crypto';
import Libsql from 'libsql';
import type { SourceMapping } from '../../src/domain/mapping';
import type { SourceSettings } from '../../src/domain/settings';
import { systemClock } from '../../src/ops/ambient';
import { openSqliteSource } from '../../src/sources/sqlite/source';
import type { ContractConnection, ContractDatabase, SourceContractFixture } from '../contract/source-contract';
import { silentLog } from './silent-log';

export const testAmbient = {
  clock: systemClock,
  random: { uuid: () => randomUUID(), bytes: (size: number) => randomBytes(size) },
  log: silentLog,
};

export function sqliteSettings(path: string, mapping: SourceMapping): SourceSettings {
  return { name: 'default', url: `sqlite:${path}`, mapping, connections: 2, metadataLockPatienceMs: 1000 };
}

export function openTestSource(path: string, mapping: SourceMapping, settings: Partial<SourceSettings> = {}) {
  return openSqliteSource({ settings: { ...sqliteSettings(path, mapping), ...settings }, ...testAmbient });
}

/** Runs `work` with a fresh folder. */
export async function inTempFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'riskvault-sqlite-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One statement after the other on a connection of its own. Text comes back as SQLite prints it. */
export function connectSqlite(path: string): ContractConnection {
  const database = new Libsql(path);
  database.exec('PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON');
  return {
    exec: async (sql) => void database.exec(sql),
    query: async (sql) =>
      (database.prepare(sql).raw().safeIntegers(true).all() as (string | number | bigint | Buffer | null)[][]).map(
        (row) => row.map(asText),
      ),
    close: async () => void database.close(),
  };
}

function asText(value: string | number | bigint | Buffer | null): string | null {
  if (value === null) return null;
  return Buffer.isBuffer(value) ? value.toString('hex') : String(value);
}

async function createDatabase(): Promise<ContractDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'riskvault-sqlite-'));
  const path = join(folder, 'source.sqlite');
  const first = new Libsql(path);
  first.exec('PRAGMA journal_mode = WAL');
  first.close();
  return {
    location: path,
    open: (mapping, settings) => openTestSource(path, mapping, settings),
    connect: async () => connectSqlite(path),
    unreachable: () => ({ url: `sqlite:${join(folder, 'nowhere', 'source.sqlite')}` }),
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

export const sqliteFixture: SourceContractFixture = {
  createDatabase,
  types: {
    caseless: 'VARCHAR(40) COLLATE NOCASE',
    exact: 'VARCHAR(40)',
    serial: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  },
  cyclicTables: [
    'CREATE TABLE egg (id BIGINT NOT NULL PRIMARY KEY, hen_id BIGINT NULL REFERENCES hen (id))',
    'CREATE TABLE hen (id BIGINT NOT NULL PRIMARY KEY, egg_id BIGINT NULL REFERENCES egg (id))',
  ],
  foreignKeysOff: 'PRAGMA foreign_keys = OFF',
  foreignKeysOn: 'PRAGMA foreign_keys = ON',
  capabilities: { nullableKeys: true, silencesTriggers: true },
};
