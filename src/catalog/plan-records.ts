/** Plans of restores as they are read. */
import { In } from 'typeorm';
import type { ChangeSetId } from '../domain/ids';
import type { RestorePlanRecords } from './catalog';
import type { Database } from './database';
import { RestorePlanEntity } from './entities';
import type { RestorePlanRecord } from './records';
import { toRestorePlan } from './to-records';

export class CatalogPlans implements RestorePlanRecords {
  constructor(private readonly database: Database) {}

  async find(id: ChangeSetId): Promise<RestorePlanRecord | null> {
    const [plan] = await this.findMany([id]);
    return plan ?? null;
  }

  async findMany(ids: readonly ChangeSetId[]): Promise<(RestorePlanRecord | null)[]> {
    const rows = await this.database.read((manager) => manager.findBy(RestorePlanEntity, { id: In(ids) }));
    const byId = new Map(rows.map((row) => [row.id, toRestorePlan(row)]));
    return ids.map((id) => byId.get(id) ?? null);
  }
}
