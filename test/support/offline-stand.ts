/**
 * A repository with nothing around it but the offline command, run as an operator runs it: a process of its own, from compiled code,
 * whose environment knows no setting of the service.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Libsql from 'libsql';
import type { BackupId } from '../../src/domain/ids';
import type { BackupJobSpec } from '../../src/domain/job';
import type { Source } from '../../src/domain/source';
import { openRepository, type Repository } from '../../src/repository/repository';
import { backup } from './engine-context';
import { ENGINE_MAPPING, engineRows, engineTables } from './engine-scenarios';
import { openTestSource, sqliteFixture, testAmbient } from './sqlite';

export const OFFLINE = join(__dirname, '../../dist/offline.js');
export const STAND_PASSPHRASE = 'a passphrase of the test';

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** The process's own environment without the service's settings. */
export function bareEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RISKVAULT_')));
}

/** A SQLite platform whose tables are not those that the service maps by default, and its backups. */
export class OfflineStand {
  private constructor(
    readonly folder: string,
    readonly source: Source,
    readonly repository: Repository,
  ) {}

  static async open(): Promise<OfflineStand> {
    const folder = mkdtempSync(join(tmpdir(), 'riskvault-offline-'));
    const file = join(folder, 'source.sqlite');
    execSqlite(file, ...engineTables(sqliteFixture.types), ...engineRows());
    const url = `file:${join(folder, 'repository')}`;
    const settings = { url, passphrase: STAND_PASSPHRASE, compression: 'zstd', compressionLevel: 1, gracePeriodMs: 0 } as const; // prettier-ignore
    const repository = await openRepository({ settings, ...testAmbient });
    return new OfflineStand(folder, openTestSource(file, ENGINE_MAPPING), repository);
  }

  get sourceFile(): string {
    return join(this.folder, 'source.sqlite');
  }

  get repositoryFolder(): string {
    return join(this.folder, 'repository');
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async backup(spec: Partial<BackupJobSpec> = {}): Promise<BackupId> {
    const { stored } = await backup({ source: this.source, store: this.repository }, spec);
    return stored.manifest.backupId;
  }

  run(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Ended {
    const env = {
      ...bareEnvironment(),
      RISKVAULT_REPOSITORY_URL: `file:${this.repositoryFolder}`,
      RISKVAULT_PASSPHRASE: STAND_PASSPHRASE,
      ...environment,
    };
    const options = { env, cwd: this.folder, encoding: 'utf8', input: '' } as const;
    return spawnSync(process.execPath, [OFFLINE, ...args], options);
  }

  async close(): Promise<void> {
    await this.source.close();
    await this.repository.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function execSqlite(file: string, ...statements: string[]): void {
  const database = new Libsql(file);
  try {
    for (const statement of statements) database.exec(statement);
  } finally {
    database.close();
  }
}

/** Every row of the platform's tables, as SQLite quotes its values; none of a table that is not there. */
export function contentOf(file: string): Record<string, string[]> {
  const database = new Libsql(file);
  try {
    return Object.fromEntries(ENGINE_MAPPING.map(({ table }) => [table, rowsOf(database, table)]));
  } finally {
    database.close();
  }
}

function rowsOf(database: InstanceType<typeof Libsql>, table: string): string[] {
  const columns = database.prepare(`SELECT name FROM pragma_table_info('${table}')`).raw().all() as string[][];
  if (columns.length === 0) return [];
  const quoted = columns.map(([name]) => `quote("${name}")`).join(` || ',' || `);
  return (database.prepare(`SELECT ${quoted} FROM ${table} ORDER BY 1`).raw().all() as string[][]).flat();
}
