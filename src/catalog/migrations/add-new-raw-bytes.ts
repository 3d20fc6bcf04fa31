/** How much of a backup's state it newly stored before compression, for the ratios of deduplication and compression. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddNewRawBytes1764115200000 implements MigrationInterface {
  readonly name = 'AddNewRawBytes1764115200000';

  async up(runner: QueryRunner): Promise<void> {
    if (await runner.hasColumn('backups', 'new_raw_bytes')) return; // because: a migration that was cut runs again
    await runner.query('ALTER TABLE `backups` ADD COLUMN `new_raw_bytes` bigint');
  }

  down(): Promise<void> {
    return Promise.reject(new Error('The catalog only moves forward: restore the copy made before the upgrade.'));
  }
}
