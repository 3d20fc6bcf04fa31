/** What rehearsals have shown of each backup, beside its last verification. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { jsonType } from './create-table';

export class AddRestorability1764547200000 implements MigrationInterface {
  readonly name = 'AddRestorability1764547200000';

  async up(runner: QueryRunner): Promise<void> {
    if (await runner.hasColumn('backups', 'restorability')) return; // because: a migration that was cut runs again
    await runner.query(`ALTER TABLE \`backups\` ADD COLUMN \`restorability\` ${jsonType(runner)}`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('The catalog only moves forward: restore the copy made before the upgrade.'));
  }
}
