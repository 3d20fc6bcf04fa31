/** Exports as they are read, and the downloads of each. */
import { In } from 'typeorm';
import type { DownloadId, ExportId } from '../domain/ids';
import type { DownloadEnd, ExportRecords } from './catalog';
import type { Database } from './database';
import { ExportDownloadEntity, ExportEntity } from './entities';
import type { ExportDownloadRecord, ExportRecord } from './records';
import { toExport } from './to-records';

export class CatalogExports implements ExportRecords {
  constructor(private readonly database: Database) {}

  async find(id: ExportId): Promise<ExportRecord | null> {
    const [record] = await this.findMany([id]);
    return record ?? null;
  }

  async findMany(ids: readonly ExportId[]): Promise<(ExportRecord | null)[]> {
    const rows = await this.database.read((manager) => manager.findBy(ExportEntity, { id: In(ids) }));
    const byId = new Map(rows.map((row) => [row.id, toExport(row)]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  beginDownload(exportId: ExportId, remoteAddress: string): Promise<DownloadId> {
    return this.database.transaction(async ({ manager, now }) => {
      const id = this.database.random.uuid() as DownloadId;
      const begun = { startedAt: now, endedAt: null, bytes: 0, isComplete: false };
      await manager.insert(ExportDownloadEntity, { id, exportId, remoteAddress, ...begun });
      return id;
    });
  }

  endDownload(id: DownloadId, end: DownloadEnd): Promise<void> {
    return this.database.transaction(async ({ manager, now }) => {
      await manager.update(ExportDownloadEntity, { id }, { ...end, endedAt: now });
    });
  }

  async downloadsOf(exportId: ExportId, limit: number): Promise<ExportDownloadRecord[]> {
    const rows = await this.database.read((manager) =>
      manager.find(ExportDownloadEntity, {
        where: { exportId },
        order: { startedAt: 'DESC', id: 'DESC' },
        take: limit,
      }),
    );
    return rows.map((row) => ({ ...row }));
  }

  countDownloads(exportId: ExportId): Promise<number> {
    return this.database.read((manager) => manager.countBy(ExportDownloadEntity, { exportId }));
  }
}
