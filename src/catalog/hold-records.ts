/** The index of legal holds: read, and brought in line with what the repository says. */
import { In, LessThan, type EntityManager } from 'typeorm';
import type { BackupId, HoldId } from '../domain/ids';
import type { LegalHold } from '../domain/legal-hold';
import type { IdempotencyClaim, LegalHoldRecords } from './catalog';
import type { Database, Write } from './database';
import { LegalHoldEntity } from './entities';
import { findReplay, rememberKey } from './idempotency';
import type { LegalHoldRecord } from './records';

export class CatalogHolds implements LegalHoldRecords {
  constructor(private readonly database: Database) {}

  async findMany(ids: readonly HoldId[]): Promise<(LegalHoldRecord | null)[]> {
    const rows = await this.database.read((manager) => manager.findBy(LegalHoldEntity, { id: In(ids) }));
    const byId = new Map(rows.map((row) => [row.id, { ...row }]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  async ofBackups(ids: readonly BackupId[]): Promise<LegalHoldRecord[][]> {
    const rows = await this.database.read((manager) =>
      manager.find(LegalHoldEntity, { where: { backupId: In(ids) }, order: { createdAt: 'ASC', id: 'ASC' } }),
    );
    return ids.map((id) => rows.filter(({ backupId }) => backupId === id).map((row) => ({ ...row })));
  }

  add(hold: LegalHold, idempotency: IdempotencyClaim | null): Promise<void> {
    return this.database.write(async (write) => {
      await takeKey(write, idempotency);
      await insertUnlessThere(write.manager, hold);
    });
  }

  remove(id: HoldId, idempotency: IdempotencyClaim | null): Promise<void> {
    return this.database.write(async (write) => {
      await takeKey(write, idempotency);
      await write.manager.delete(LegalHoldEntity, { id });
    });
  }

  async reconcile(holds: AsyncIterable<LegalHold>): Promise<{ added: number; removed: number }> {
    const begun = this.database.clock.now();
    const found = new Map<HoldId, LegalHold>();
    for await (const hold of holds) found.set(hold.holdId, hold);
    return this.database.write(async ({ manager }) => {
      const known = await manager.find(LegalHoldEntity, { select: { id: true, createdAt: true } });
      const knownIds = new Set(known.map(({ id }) => id));
      const missing = [...found.values()].filter(({ holdId }) => !knownIds.has(holdId));
      for (const hold of missing) await insertUnlessThere(manager, hold);
      // Only those from before the listing began: it can't have shown later ones.
      const gone = known.filter(({ id, createdAt }) => !found.has(id) && createdAt < begun);
      for (const { id } of gone) await manager.delete(LegalHoldEntity, { id, createdAt: LessThan(begun) });
      return { added: missing.length, removed: gone.length };
    });
  }
}

async function takeKey({ manager, now }: Write, idempotency: IdempotencyClaim | null): Promise<void> {
  if (idempotency === null || (await findReplay(manager, idempotency))) return;
  await rememberKey(manager, idempotency, { jobId: null, now });
}

async function insertUnlessThere(manager: EntityManager, hold: LegalHold): Promise<void> {
  const { holdId: id, backupId, reason, createdBy, createdAt } = hold;
  if (await manager.existsBy(LegalHoldEntity, { id })) return;
  await manager.insert(LegalHoldEntity, { id, backupId, reason, createdBy, createdAt: new Date(createdAt) });
}
