/** Lists, statistics, pruning and the rebuilding of a lost index, on both engines. */
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import type { BackupRecord, Catalog, KeysetPosition } from '../../src/catalog/catalog';
import type { BackupId } from '../../src/domain/ids';
import type { StoredManifest } from '../../src/domain/manifest';
import {
  backupSpec, CATALOG_ENGINES, completeBackup, openCatalogStand, restoreSpec, storedManifest, type CatalogStand,
} from '../support/catalog-stand'; // prettier-ignore

const RUNS = process.env['LONG'] === '1' ? 200 : 25;

describe.each(CATALOG_ENGINES)('records on %s', (engine) => {
  let stand: CatalogStand;
  let catalog: Catalog;

  beforeEach(async () => {
    stand = await openCatalogStand(engine);
    catalog = stand.catalog;
  });
  afterEach(() => stand.close());

  async function* manifests(...stored: StoredManifest[]): AsyncGenerator<StoredManifest> {
    for (const one of stored) yield await Promise.resolve(one);
  }

  it('pages through backups exactly once, in both directions and every order', async () => {
    for (let n = 0; n < 30; n += 1) {
      if (n % 3 === 0) await stand.clock.advance(1); // several share one creation time
      const stored = storedManifest(randomUUID() as BackupId, {
        createdAt: stand.clock.now().toISOString(),
        storedBytes: n % 4,
        expiresAt: n % 2 === 0 ? null : new Date(stand.clock.now().getTime() + (n % 5)).toISOString(),
        type: n % 5 === 0 ? 'BUSINESS' : 'FULL',
      });
      await catalog.backups.reconcile(manifests(stored));
    }
    const fields = ['CREATED_AT', 'EXPIRES_AT', 'STORED_BYTES', 'COMPLETED_AT', 'RAW_BYTES', 'ROW_COUNT'] as const;
    const pageRequest = fc.record({
      field: fc.constantFrom(...fields),
      way: fc.constantFrom('ASC' as const, 'DESC' as const),
      limit: fc.integer({ min: 1, max: 12 }),
      direction: fc.constantFrom('FORWARD' as const, 'BACKWARD' as const),
      filter: fc.constantFrom(undefined, { types: ['FULL' as const] }, { statuses: ['COMPLETED' as const] }),
    });
    await fc.assert(
      fc.asyncProperty(pageRequest, async ({ field, way, limit, direction, filter }) => {
        const order = { field, direction: way };
        const whole = (await catalog.backups.list({ filter, order, limit: 1000 })).items;
        const walked: BackupRecord[] = [];
        let after: KeysetPosition | null = null;
        for (let more = true; more;) {
          const page = await catalog.backups.list({ filter, order, limit, after, direction });
          if (direction === 'FORWARD') walked.push(...page.items);
          else walked.unshift(...page.items);
          const edge: BackupRecord | undefined =
            direction === 'FORWARD' ? page.items[page.items.length - 1] : page.items[0];
          after = edge === undefined ? null : catalog.backups.positionOf(edge, field);
          more = page.hasMore;
        }
        expect(walked.map((backup) => backup.id)).toEqual(whole.map((backup) => backup.id));
        expect(whole).toHaveLength(await catalog.backups.count(filter));
      }),
      { numRuns: RUNS, seed: 7 },
    );
  });

  it('filters backups by everything a caller can name', async () => {
    const plain = await completeBackup(catalog);
    const labelled = await completeBackup(catalog, {
      labels: { reason: 'before "v2"', 'a.b': 'x' }, type: 'BUSINESS', scope: { kind: 'BUSINESS', businessId: 'b-1' }, dataTypes: ['TRENDS'],
    }); // prettier-ignore
    const ids = async (filter: Parameters<typeof catalog.backups.count>[0]): Promise<string[]> =>
      (await catalog.backups.list({ filter, limit: 10 })).items.map((backup) => backup.id).sort();
    expect(await ids({ labels: { reason: 'before "v2"' } })).toEqual([labelled]);
    expect(await ids({ labels: { 'a.b': 'x' } })).toEqual([labelled]);
    expect(await ids({ labels: { 'a.b': 'y' } })).toEqual([]);
    expect(await ids({ businessIds: ['b-1'] })).toEqual([labelled]);
    expect(await ids({ dataTypes: ['TRENDS', 'HISTORY'] })).toEqual([labelled]);
    expect(await ids({ dataTypes: ['FACTORS'] })).toEqual([plain]);
    expect(await ids({ types: [] })).toEqual([]);
    expect(await ids({ ids: [plain, labelled] })).toEqual([plain, labelled].sort());
    expect(await ids({ createdBefore: stand.clock.now() })).toEqual([]);
    expect(await ids({ createdFrom: stand.clock.now(), createdBy: ['local'], missing: false })).toHaveLength(2);
    expect(await catalog.backups.findMany([labelled, randomUUID(), plain])).toMatchObject([
      { id: labelled },
      null,
      { id: plain },
    ]);
  });

  it('sums up backups and jobs', async () => {
    expect(await catalog.backups.statistics()).toMatchObject({
      total: 0,
      successRate: null,
      newest: null,
      byType: [],
      byDataType: [],
    });
    await completeBackup(catalog, { storedBytes: 100, rawBytes: 1000, rowCount: 5 });
    const scope = { kind: 'BUSINESS', businessId: 'b-1' } as const;
    await completeBackup(catalog, {
      storedBytes: 50,
      rawBytes: 100,
      rowCount: 1,
      type: 'BUSINESS',
      scope,
      expiresAt: stand.clock.now().toISOString(),
    });
    await stand.clock.advance(60_000);
    await catalog.queue.enqueue({ spec: backupSpec(), createdBy: 'local' });
    const { lease } = (await catalog.queue.claim({ owner: 'x', leaseMs: 1_000, concurrencyPerSource: 9 }))!;
    await catalog.queue.settle(lease, {
      state: 'FAILED',
      failure: { code: 'INTERNAL', message: 'x', retryable: false },
    });
    await catalog.queue.enqueue({ spec: restoreSpec(), createdBy: 'local' });
    expect(await catalog.backups.statistics()).toMatchObject({
      total: 3, completed: 1, failed: 1, expired: 1, rowCount: 6, rawBytes: 1100, storedBytes: 150, successRate: 2 / 3, averageDurationMs: 0,
      byType: [{ type: 'BUSINESS', count: 1, storedBytes: 50 }, { type: 'FULL', count: 2, storedBytes: 100 }],
    }); // prettier-ignore
    expect(await catalog.backups.statisticsByBusiness({ limit: 5 })).toEqual([
      { businessId: 'b-1', count: 1, storedBytes: 50 },
    ]);
    const series = await catalog.backups.statisticsSeries({ bucketMs: 60_000 });
    expect(series.map(({ completed, failed }) => [completed, failed])).toEqual([[2, 0], [0, 1]]); // prettier-ignore
    expect(series[1]!.from).toEqual(stand.clock.now());
    expect(await catalog.jobs.statistics()).toMatchObject({
      byState: { PENDING: 1, RUNNING: 0, COMPLETED: 2, FAILED: 1, CANCELLED: 0 },
      byKind: [{ kind: 'BACKUP', count: 3 }, { kind: 'RESTORE', count: 1 }],
      oldestPendingAt: stand.clock.now(),
    }); // prettier-ignore
  });

  it('calls a data type as fresh as the newest backup of all its rows', async () => {
    const readAt = stand.clock.now();
    await completeBackup(catalog, { dataTypes: ['TRENDS'], readAt: readAt.toISOString() });
    const scope = { kind: 'BUSINESS', businessId: 'b-1' } as const;
    const later = { type: 'BUSINESS', scope, readAt: new Date(readAt.getTime() + 60_000).toISOString() } as const;
    await completeBackup(catalog, { ...later, dataTypes: ['TRENDS', 'ALERTS'] });
    const { byDataType } = await catalog.backups.statistics();
    expect(byDataType).toEqual([
      { dataType: 'TRENDS', count: 2, newestReadAt: readAt },
      { dataType: 'ALERTS', count: 1, newestReadAt: null },
    ]);
  });

  it('sums up what was newly stored over those backups that say it, also after a rebuild', async () => {
    const old = storedManifest(randomUUID() as BackupId, { rawBytes: 7, storedBytes: 7 });
    const sizes = { rawBytes: 1000, newRawBytes: 600, storedBytes: 200 };
    const stored = [old, ...[1, 2].map(() => storedManifest(randomUUID() as BackupId, sizes))];
    await catalog.backups.reconcile(manifests(...stored));
    expect(await catalog.backups.statistics()).toMatchObject({
      rawBytes: 2007,
      storedBytes: 407,
      counted: { rawBytes: 2000, newRawBytes: 1200, storedBytes: 400, largestRawBytes: 1000 },
    });
    const [first, second] = await catalog.backups.findMany(stored.map(({ manifest }) => manifest.backupId));
    expect([first?.newRawBytes, second?.newRawBytes]).toEqual([null, 600]);
    await completeBackup(catalog, sizes);
    expect((await catalog.backups.statistics()).counted.newRawBytes).toBe(1800);
  });

  describe('reconciling with the repository', () => {
    it('rebuilds a lost catalog from manifests', async () => {
      const stored = [storedManifest(randomUUID() as BackupId), storedManifest(randomUUID() as BackupId)];
      const report = await catalog.backups.reconcile(manifests(...stored));
      expect(report).toMatchObject({
        imported: stored.map((one) => one.manifest.backupId),
        updated: [],
        missing: [],
        unchanged: 0,
      });
      expect(await catalog.backups.find(stored[0]!.manifest.backupId)).toMatchObject({
        status: 'COMPLETED', checksum: stored[0]!.checksum, createdAt: new Date('2026-11-22T12:00:00.000Z'), rawBytes: 9_007_199_254_740_991,
      }); // prettier-ignore
      expect(await catalog.backups.reconcile(manifests(...stored))).toMatchObject({ imported: [], unchanged: 2 });
    });

    it('marks what has vanished, and takes the mark off when it is back', async () => {
      const stored = storedManifest(randomUUID() as BackupId);
      const { backupId } = stored.manifest;
      await catalog.backups.reconcile(manifests(stored));
      await stand.clock.advance(10_000);
      expect((await catalog.backups.reconcile(manifests())).missing).toEqual([backupId]);
      expect(await catalog.backups.find(backupId)).toMatchObject({
        status: 'COMPLETED',
        missingSince: stand.clock.now(),
      });
      expect((await catalog.backups.reconcile(manifests(stored))).updated).toEqual([backupId]);
      expect(await catalog.backups.find(backupId)).toMatchObject({ missingSince: null });
    });

    it('takes a backup whose manifest is there and cannot be read for no missing one, so that deleting it deletes that too', async () => {
      const stored = storedManifest(randomUUID() as BackupId);
      const { backupId } = stored.manifest;
      await catalog.backups.reconcile(manifests(stored));
      await stand.clock.advance(10_000);
      const there = () => Promise.resolve(new Set([backupId]));
      expect(await catalog.backups.reconcile(manifests(), there)).toMatchObject({ updated: [], missing: [] });
      await expect(catalog.backups.deleteUnstored(backupId)).rejects.toMatchObject({ code: 'CONFLICT' });
      await catalog.backups.reconcile(manifests());
      expect((await catalog.backups.reconcile(manifests(), there)).updated).toEqual([backupId]);
      expect(await catalog.backups.find(backupId)).toMatchObject({ missingSince: null });
    });

    it('marks nothing when the listing breaks off', async () => {
      const stored = storedManifest(randomUUID() as BackupId);
      await catalog.backups.reconcile(manifests(stored));
      await stand.clock.advance(10_000);
      async function* broken(): AsyncGenerator<StoredManifest> {
        yield await Promise.reject<StoredManifest>(new Error('listing failed'));
      }
      await expect(catalog.backups.reconcile(broken())).rejects.toThrow('listing failed');
      expect(await catalog.backups.find(stored.manifest.backupId)).toMatchObject({ missingSince: null });
    });

    it('leaves running jobs their backups, and completes those whose job failed after the manifest was written', async () => {
      const spec = backupSpec();
      await catalog.queue.enqueue({ spec, createdBy: 'local' });
      const { lease } = (await catalog.queue.claim({ owner: 'x', leaseMs: 1_000, concurrencyPerSource: 9 }))!;
      const stored = storedManifest(spec.backupId);
      expect(await catalog.backups.reconcile(manifests(stored))).toMatchObject({ unchanged: 1 });
      await catalog.queue.settle(lease, {
        state: 'FAILED',
        failure: { code: 'INTERNAL', message: 'x', retryable: false },
      });
      expect(await catalog.backups.reconcile(manifests(stored))).toMatchObject({ updated: [spec.backupId] });
      expect(await catalog.backups.find(spec.backupId)).toMatchObject({
        status: 'COMPLETED',
        checksum: stored.checksum,
      });
    });
  });

  it('deletes only rows that nothing stored stands behind', async () => {
    const stored = await completeBackup(catalog);
    await expect(catalog.backups.deleteUnstored(stored)).rejects.toMatchObject({ code: 'CONFLICT' });
    const { job } = await catalog.queue.enqueue({ spec: backupSpec(), createdBy: 'local' });
    await expect(catalog.backups.deleteUnstored(job.backupId!)).rejects.toMatchObject({ code: 'CONFLICT' });
    await catalog.queue.requestCancel(job.id);
    expect(await catalog.backups.deleteUnstored(job.backupId!)).toBe(true);
    expect(await catalog.backups.deleteUnstored(job.backupId!)).toBe(false);
  });

  it('keeps the key of a deletion that needed no job, until finished jobs of its age go', async () => {
    const key = { principal: 'a', mutation: 'deleteBackup', key: 'k', inputHash: 'h' };
    const { job } = await catalog.queue.enqueue({ spec: backupSpec(), createdBy: 'local' });
    await expect(catalog.backups.deleteUnstored(job.backupId!, key)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await catalog.queue.findReplay(key)).toBeNull();
    await catalog.queue.requestCancel(job.id);
    expect(await catalog.backups.deleteUnstored(job.backupId!, key)).toBe(true);
    expect(await catalog.queue.findReplay(key)).toEqual({ job: null });
    expect(await catalog.backups.deleteUnstored(job.backupId!, key)).toBe(false);
    const other = { ...key, inputHash: 'other' };
    const reused = { code: 'IDEMPOTENCY_KEY_REUSED' };
    await expect(catalog.backups.deleteUnstored(job.backupId!, other)).rejects.toMatchObject(reused);
    const made = catalog.queue.enqueue({ spec: backupSpec(), createdBy: 'local', idempotency: key });
    await expect(made).rejects.toMatchObject({ code: 'CONFLICT', retryable: true });
    await stand.clock.advance(1_000);
    await catalog.jobs.deleteFinished({ finishedBefore: stand.clock.now() });
    expect(await catalog.queue.findReplay(key)).toBeNull();
  });

  it('deletes finished jobs with their events and keys, and keeps what they made', async () => {
    const idempotency = { principal: 'a', mutation: 'm', key: 'k', inputHash: 'h' };
    const { job } = await catalog.queue.enqueue({ spec: backupSpec(), createdBy: 'local', idempotency });
    await catalog.queue.requestCancel(job.id);
    await completeBackup(catalog);
    await stand.clock.advance(1_000);
    await catalog.queue.enqueue({ spec: backupSpec(), createdBy: 'local' });
    expect(
      await catalog.jobs.deleteFinished({ finishedBefore: stand.clock.now(), filter: { states: ['CANCELLED'] } }),
    ).toBe(1);
    expect(await catalog.jobs.deleteFinished({ finishedBefore: stand.clock.now() })).toBe(1);
    expect(await catalog.jobs.count()).toBe(1);
    expect(await catalog.backups.count()).toBe(3);
    await expect(catalog.events.ofAll({ after: 0, limit: 10 })).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
    const again = await catalog.queue.enqueue({
      spec: backupSpec(),
      createdBy: 'local',
      idempotency: { ...idempotency, inputHash: 'other' },
    });
    expect(again.replayed).toBe(false);
  });

  it('prunes events by age, oldest first', async () => {
    await completeBackup(catalog);
    await stand.clock.advance(10_000);
    const middle = stand.clock.now();
    await completeBackup(catalog);
    expect(await catalog.events.prune(middle)).toBe(3);
    expect(await catalog.events.prune(middle)).toBe(0);
    expect((await catalog.events.ofAll({ after: 3, limit: 10 })).events).toHaveLength(3);
    await expect(catalog.events.ofAll({ after: 2, limit: 10 })).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
  });
});
