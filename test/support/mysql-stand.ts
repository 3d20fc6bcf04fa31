/** A MariaDB schema with tables of a test's own making, backed up into a repository of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RowDataPacket } from 'mysql2';
import type { BackupId } from '../../src/domain/ids';
import type { BackupJobSpec, RestoreJobSpec } from '../../src/domain/job';
import type { SourceMapping } from '../../src/domain/mapping';
import type { SourceSettings } from '../../src/domain/settings';
import type { Source } from '../../src/domain/source';
import type { RestoreResult } from '../../src/domain/task';
import type { Repository } from '../../src/repository/repository';
import { backup, restore, type EngineBench } from './engine-context';
import { openStore } from './engine-scenarios';
import { createSchema, type MariadbServer, type TestSchema } from './mariadb';
import { needServer, openTestMysql } from './mysql-source';

/** The server lists a connection for a moment after it was told goodbye. */
const GOODBYE_MS = 2000;

export class MysqlStand {
  private constructor(
    readonly schema: TestSchema,
    readonly source: Source,
    readonly store: Repository,
    readonly mapping: SourceMapping,
    /** Where its repository is. */
    readonly folder: string,
  ) {}

  /** Runs the statements in a fresh schema, of the run's server by default; every table named is mapped, as CONFIG unless told otherwise. */
  static async open(
    statements: readonly string[],
    tables: SourceMapping | readonly string[],
    { server, ...settings }: Partial<SourceSettings> & { server?: MariadbServer } = {},
  ): Promise<MysqlStand> {
    const schema = await createSchema(server ?? (await needServer()), 'stand');
    await schema.exec(...statements);
    const mapping = tables.map((entry) =>
      typeof entry === 'string' ? ({ dataType: 'CONFIG', table: entry } as const) : entry,
    );
    const folder = mkdtempSync(join(tmpdir(), 'riskvault-stand-'));
    const source = openTestMysql(schema.url, mapping, settings);
    return new MysqlStand(schema, source, await openStore(folder), mapping, folder);
  }

  get bench(): EngineBench {
    return { source: this.source, store: this.store, connections: 2 };
  }

  async exec(...statements: string[]): Promise<void> {
    await this.schema.exec(...statements);
  }

  async rows(sql: string): Promise<unknown[][]> {
    const [rows] = await this.schema.connection.query<RowDataPacket[][]>({ sql, rowsAsArray: true });
    return rows;
  }

  /** What the server itself says of the content of every mapped table, and of its definition. */
  async state(): Promise<Record<string, unknown>> {
    const state: Record<string, unknown> = {};
    for (const { table } of this.mapping) {
      const [[, checksum] = []] = await this.rows(`CHECKSUM TABLE \`${table}\` EXTENDED`);
      state[table] = checksum;
    }
    return state;
  }

  async backup(spec: Partial<BackupJobSpec> = {}): Promise<BackupId> {
    return (await backup(this.bench, spec)).stored.manifest.backupId;
  }

  async restore(backupId: BackupId, spec: Partial<RestoreJobSpec> = {}): Promise<RestoreResult> {
    return restore(this.bench, { backupId, ...spec });
  }

  /** Connections to this schema beside the test's own that stay, but for those that the server is ending. */
  async connections(): Promise<unknown[][]> {
    const sql = `SELECT ID, COMMAND, INFO FROM information_schema.PROCESSLIST
       WHERE DB = '${this.schema.name}' AND ID <> CONNECTION_ID() AND COMMAND <> 'Killed'`;
    const deadline = Date.now() + GOODBYE_MS;
    let found = await this.rows(sql);
    while (found.length > 0 && Date.now() < deadline) found = await this.rows(sql);
    return found;
  }

  async close(): Promise<void> {
    await this.source.close();
    await this.schema.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
