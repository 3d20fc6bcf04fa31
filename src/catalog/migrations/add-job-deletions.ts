/** What a cleanup was about to delete, so that whoever comes after its worker's death can say what is gone. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { jsonType } from './create-table';

export class AddJobDeletions1763942400000 implements MigrationInterface {
  readonly name = 'AddJobDeletions1763942400000';

  async up(runner: QueryRunner): Promise<void> {
    if (await runner.hasColumn('jobs', 'deleting')) return; // because: a migration that was cut runs again
    await runner.query(`ALTER TABLE \`jobs\` ADD COLUMN \`deleting\` ${jsonType(runner)}`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('The catalog only moves forward: restore the copy made before the upgrade.'));
  }
}
