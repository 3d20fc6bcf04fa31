/** Which single records a restore or a plan is about. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { jsonType } from './create-table';

export class AddRecordKeys1764806400000 implements MigrationInterface {
  readonly name = 'AddRecordKeys1764806400000';

  async up(runner: QueryRunner): Promise<void> {
    for (const table of ['restores', 'restore_plans']) {
      if (await runner.hasColumn(table, 'record_keys')) continue; // because: a migration that was cut runs again
      await runner.query(`ALTER TABLE \`${table}\` ADD COLUMN \`record_keys\` ${jsonType(runner)}`);
    }
  }

  down(): Promise<void> {
    return Promise.reject(new Error('The catalog only moves forward: restore the copy made before the upgrade.'));
  }
}
