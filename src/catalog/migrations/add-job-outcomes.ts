/** What jobs found or did that leave no other record: verifications and cleanups. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { jsonType } from './create-table';

export class AddJobOutcomes1763856000000 implements MigrationInterface {
  readonly name = 'AddJobOutcomes1763856000000';

  async up(runner: QueryRunner): Promise<void> {
    if (await runner.hasColumn('jobs', 'outcome')) return; // because: a migration that was cut runs again
    await runner.query(`ALTER TABLE \`jobs\` ADD COLUMN \`outcome\` ${jsonType(runner)}`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('The catalog only moves forward: restore the copy made before the upgrade.'));
  }
}
