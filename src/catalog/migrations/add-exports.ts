/** Exports that can be downloaded, and their downloads. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createTable, type TableDefinition } from './create-table';

const EXPORTS: TableDefinition = {
  name: 'exports',
  columns: {
    id: 'varchar(36) NOT NULL',
    backup_id: 'varchar(36) NOT NULL',
    job_id: 'varchar(36)',
    wanted: 'json NOT NULL',
    file_name: 'varchar(300) NOT NULL',
    tables: 'json NOT NULL',
    notes: 'json NOT NULL',
    created_by: 'varchar(200) NOT NULL',
    created_at: 'bigint NOT NULL',
    expires_at: 'bigint NOT NULL',
  },
  primaryKey: ['id'],
};

const DOWNLOADS: TableDefinition = {
  name: 'export_downloads',
  columns: {
    id: 'varchar(36) NOT NULL',
    export_id: 'varchar(36) NOT NULL',
    remote_address: 'varchar(200) NOT NULL',
    started_at: 'bigint NOT NULL',
    ended_at: 'bigint',
    bytes: 'bigint NOT NULL',
    is_complete: 'integer NOT NULL',
  },
  primaryKey: ['id'],
  indexes: { idx_export_downloads_export: { columns: ['export_id', 'started_at', 'id'] } },
};

export class AddExports1764720000000 implements MigrationInterface {
  readonly name = 'AddExports1764720000000';

  async up(runner: QueryRunner): Promise<void> {
    await createTable(runner, EXPORTS);
    await createTable(runner, DOWNLOADS);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('The catalog only moves forward: restore the copy made before the upgrade.'));
  }
}
