/** Comparisons as they are read. */
import { In } from 'typeorm';
import type { ChangeSetId } from '../domain/ids';
import type { ComparisonRecords } from './catalog';
import type { Database } from './database';
import { ComparisonEntity } from './entities';
import type { ComparisonRecord } from './records';
import { toComparison } from './to-records';

export class CatalogComparisons implements ComparisonRecords {
  constructor(private readonly database: Database) {}

  async find(id: ChangeSetId): Promise<ComparisonRecord | null> {
    const [comparison] = await this.findMany([id]);
    return comparison ?? null;
  }

  async findMany(ids: readonly ChangeSetId[]): Promise<(ComparisonRecord | null)[]> {
    const rows = await this.database.read((manager) => manager.findBy(ComparisonEntity, { id: In(ids) }));
    const byId = new Map(rows.map((row) => [row.id, toComparison(row)]));
    return ids.map((id) => byId.get(id) ?? null);
  }
}
