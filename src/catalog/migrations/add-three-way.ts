/** Of restores and their plans the damaged backup whose damage they undo, and what becomes of conflicts. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { jsonType } from './create-table';

export class AddThreeWay1764633600000 implements MigrationInterface {
  readonly name = 'AddThreeWay1764633600000';

  async up(runner: QueryRunner): Promise<void> {
    for (const table of ['restores', 'restore_plans']) {
      if (await runner.hasColumn(table, 'three_way')) continue; // because: a migration that was cut runs again
      await runner.query(`ALTER TABLE \`${table}\` ADD COLUMN \`three_way\` ${jsonType(runner)}`);
    }
  }

  down(): Promise<void> {
    return Promise.reject(new Error('The catalog only moves forward: restore the copy made before the upgrade.'));
  }
}
