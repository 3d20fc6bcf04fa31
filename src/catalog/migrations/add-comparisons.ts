/** Comparisons of backups. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createTable, type TableDefinition } from './create-table';

const COMPARISONS: TableDefinition = {
  name: 'comparisons',
  columns: {
    id: 'varchar(36) NOT NULL',
    base_id: 'varchar(36) NOT NULL',
    target_id: 'varchar(36)',
    job_id: 'varchar(36)',
    source: 'varchar(200) NOT NULL',
    data_types: 'json NOT NULL',
    business_id: 'varchar(200)',
    created_by: 'varchar(200) NOT NULL',
    created_at: 'bigint NOT NULL',
    expires_at: 'bigint NOT NULL',
    result: 'json NOT NULL',
  },
  primaryKey: ['id'],
};

export class AddComparisons1764460800000 implements MigrationInterface {
  readonly name = 'AddComparisons1764460800000';

  up(runner: QueryRunner): Promise<void> {
    return createTable(runner, COMPARISONS);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('The catalog only moves forward: restore the copy made before the upgrade.'));
  }
}
