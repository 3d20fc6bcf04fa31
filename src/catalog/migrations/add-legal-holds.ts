/** The index of the repository's legal holds. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createTable, type TableDefinition } from './create-table';

const LEGAL_HOLDS: TableDefinition = {
  name: 'legal_holds',
  columns: {
    id: 'varchar(36) NOT NULL',
    backup_id: 'varchar(36) NOT NULL',
    reason: 'text',
    created_by: 'varchar(200)',
    created_at: 'bigint NOT NULL',
  },
  primaryKey: ['id'],
  indexes: { idx_legal_holds_backup: { columns: ['backup_id', 'created_at', 'id'] } },
};

export class AddLegalHolds1764201600000 implements MigrationInterface {
  readonly name = 'AddLegalHolds1764201600000';

  async up(runner: QueryRunner): Promise<void> {
    await createTable(runner, LEGAL_HOLDS);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('The catalog only moves forward: restore the copy made before the upgrade.'));
  }
}
