/** Plans of restores, and of each restore the plan that it applied or the restore that it undid. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createTable, isSqlite, type TableDefinition } from './create-table';

const RESTORE_PLANS: TableDefinition = {
  name: 'restore_plans',
  columns: {
    id: 'varchar(36) NOT NULL',
    backup_id: 'varchar(36) NOT NULL',
    job_id: 'varchar(36)',
    source: 'varchar(200) NOT NULL',
    type: 'varchar(20) NOT NULL',
    data_types: 'json NOT NULL',
    business_id: 'varchar(200)',
    plan_hash: 'varchar(64) NOT NULL',
    created_by: 'varchar(200) NOT NULL',
    created_at: 'bigint NOT NULL',
    expires_at: 'bigint NOT NULL',
    result: 'json NOT NULL',
  },
  primaryKey: ['id'],
};

const INDEX = '`idx_restores_undoes`';
const INDEXED = '(`undoes_id`, `created_at`, `id`)';
const ADD_PLAN = 'ADD COLUMN `plan_id` varchar(36)';
const ADD_UNDOES = 'ADD COLUMN `undoes_id` varchar(36)';
/** In one transaction there; here one statement, which is all or nothing. */
const SQLITE_STATEMENTS = [
  `ALTER TABLE \`restores\` ${ADD_PLAN}`,
  `ALTER TABLE \`restores\` ${ADD_UNDOES}`,
  `CREATE INDEX ${INDEX} ON \`restores\` ${INDEXED}`,
];
const MARIADB_STATEMENT = `ALTER TABLE \`restores\` ${ADD_PLAN}, ${ADD_UNDOES}, ADD INDEX ${INDEX} ${INDEXED}`;

export class AddRestorePlans1764288000000 implements MigrationInterface {
  readonly name = 'AddRestorePlans1764288000000';

  async up(runner: QueryRunner): Promise<void> {
    await createTable(runner, RESTORE_PLANS);
    if (await runner.hasColumn('restores', 'undoes_id')) return; // because: a migration that was cut runs again
    for (const statement of isSqlite(runner) ? SQLITE_STATEMENTS : [MARIADB_STATEMENT]) await runner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('The catalog only moves forward: restore the copy made before the upgrade.'));
  }
}
