/** Idempotency keys of deeds that needed no job. SQLite can't loosen a column: there the table is built anew. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createTable, isSqlite } from './create-table';

const KEYS = {
  name: 'idempotency_keys_next',
  columns: {
    id: 'varchar(64) NOT NULL',
    principal: 'varchar(200) NOT NULL',
    mutation: 'varchar(200) NOT NULL',
    input_hash: 'varchar(64) NOT NULL',
    job_id: 'varchar(36)',
    created_at: 'bigint NOT NULL',
  },
  primaryKey: ['id'],
};

export class AllowKeysWithoutJob1764028800000 implements MigrationInterface {
  readonly name = 'AllowKeysWithoutJob1764028800000';

  async up(runner: QueryRunner): Promise<void> {
    if (isSqlite(runner)) return rebuild(runner);
    await runner.query('ALTER TABLE `idempotency_keys` MODIFY COLUMN `job_id` varchar(36)');
  }

  down(): Promise<void> {
    return Promise.reject(new Error('The catalog only moves forward: restore the copy made before the upgrade.'));
  }
}

/** Nothing refers to the table. */
async function rebuild(runner: QueryRunner): Promise<void> {
  await createTable(runner, KEYS);
  await runner.query('INSERT INTO `idempotency_keys_next` SELECT * FROM `idempotency_keys`');
  await runner.query('DROP TABLE `idempotency_keys`');
  await runner.query('ALTER TABLE `idempotency_keys_next` RENAME TO `idempotency_keys`');
  await runner.query('CREATE INDEX `idx_idempotency_job` ON `idempotency_keys` (`job_id`)');
}
