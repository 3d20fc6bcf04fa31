/** The queue on both engines: a job's whole life, its guards, its limits and its idempotency keys. */
import { randomUUID } from 'node:crypto';
import type { Catalog, ClaimedJob, EnqueueRequest, JobRecord, Lease, Outcome } from '../../src/catalog/catalog';
import type { BackupId, JobId, LeaseToken } from '../../src/domain/ids';
import { isFinal, NO_PROGRESS, type JobFailure, type JobState } from '../../src/domain/job';
import {
  backupSpec,
  CATALOG_ENGINES,
  completeBackup,
  openCatalogStand,
  restoreSpec,
  storedManifest,
} from '../support/catalog-stand';
import type { CatalogStand } from '../support/catalog-stand';

const CLAIM = { owner: 'test', leaseMs: 30_000, concurrencyPerSource: 10 };
const FAILURE: JobFailure = { code: 'SOURCE_UNAVAILABLE', message: 'gone', hint: 'mend it', retryable: true };

describe.each(CATALOG_ENGINES)('queue on %s', (engine) => {
  let stand: CatalogStand;
  let catalog: Catalog;

  beforeEach(async () => {
    stand = await openCatalogStand(engine);
    catalog = stand.catalog;
  });
  afterEach(() => stand.close());

  const enqueueBackup = async (more: Partial<EnqueueRequest> = {}): Promise<JobRecord> =>
    (await catalog.queue.enqueue({ spec: backupSpec(), createdBy: 'local', ...more })).job;
  const claim = async (more: Partial<typeof CLAIM> = {}): Promise<ClaimedJob> => {
    const claimed = await catalog.queue.claim({ ...CLAIM, ...more });
    if (claimed === null) throw new Error('nothing to claim');
    return claimed;
  };
  const states = async (jobId: JobId): Promise<string[]> =>
    (await catalog.events.ofJob({ jobId, after: null, limit: 100 })).events.map(
      (event) => `${event.type} ${event.state}`,
    );

  it('takes a backup from PENDING to COMPLETED and keeps what its manifest says', async () => {
    const spec = backupSpec({ labels: { reason: 'test' }, expiresAt: '2027-01-01T00:00:00.000Z' });
    const { job, backup, replayed } = await catalog.queue.enqueue({ spec, createdBy: 'anna' });
    expect(job).toMatchObject({
      kind: 'BACKUP',
      state: 'PENDING',
      attempt: 0,
      maxAttempts: 3,
      createdBy: 'anna',
      spec,
    });
    expect(backup).toMatchObject({ id: spec.backupId, status: 'PENDING', jobId: job.id, labels: { reason: 'test' } });
    expect(replayed).toBe(false);

    const claimed = await claim();
    expect(claimed.job).toMatchObject({ id: job.id, state: 'RUNNING', attempt: 1, startedAt: stand.clock.now() });
    expect(await catalog.backups.find(spec.backupId)).toMatchObject({ status: 'RUNNING' });
    await stand.clock.advance(5_000);
    await catalog.queue.saveProgress(claimed.lease, { type: 'PROGRESS', progress: { ...NO_PROGRESS, percent: 40 } });
    const stored = storedManifest(spec.backupId, { expiresAt: spec.expiresAt, labels: spec.labels });
    const done = await catalog.queue.settle(claimed.lease, {
      state: 'COMPLETED',
      effect: { kind: 'BACKUP_STORED', stored },
    });

    expect(done).toMatchObject({ state: 'COMPLETED', failure: null, finishedAt: stand.clock.now() });
    expect(done.progress.percent).toBe(100);
    expect(await catalog.jobs.find(job.id)).toEqual(done);
    expect(await catalog.backups.find(spec.backupId)).toMatchObject({
      status: 'COMPLETED',
      checksum: stored.checksum,
      manifestName: stored.name,
      rawBytes: 9_007_199_254_740_991,
      dataTypes: ['ASSESSMENTS', 'FACTORS'],
      labels: { reason: 'test' },
      createdBy: 'anna',
      readAt: new Date('2026-11-22T12:00:01.000Z'),
      completedAt: stand.clock.now(),
      startedAt: claimed.job.startedAt,
    });
    expect(await states(job.id)).toEqual([
      'STATE_CHANGED PENDING',
      'STATE_CHANGED RUNNING',
      'PROGRESS RUNNING',
      'STATE_CHANGED COMPLETED',
    ]);
    expect(stand.announced).toEqual([job.id, job.id, job.id, job.id]);
  });

  it('derives EXPIRED from the clock', async () => {
    const spec = backupSpec();
    await catalog.queue.enqueue({ spec, createdBy: 'local' });
    const { lease } = await claim();
    const expiresAt = new Date(stand.clock.now().getTime() + 1_000).toISOString();
    const stored = storedManifest(spec.backupId, { expiresAt });
    await catalog.queue.settle(lease, { state: 'COMPLETED', effect: { kind: 'BACKUP_STORED', stored } });
    expect(await catalog.backups.find(spec.backupId)).toMatchObject({ status: 'COMPLETED' });
    expect(await catalog.backups.listExpired(10)).toEqual([]);
    await stand.clock.advance(1_000);
    expect(await catalog.backups.find(spec.backupId)).toMatchObject({ status: 'EXPIRED' });
    expect(await catalog.backups.listExpired(10)).toHaveLength(1);
    expect(await catalog.backups.count({ statuses: ['COMPLETED'] })).toBe(0);
    expect(await catalog.backups.count({ statuses: ['EXPIRED'] })).toBe(1);
  });

  it('fails with its reason as data', async () => {
    const job = await enqueueBackup();
    const { lease } = await claim();
    const failed = await catalog.queue.settle(lease, { state: 'FAILED', failure: FAILURE });
    expect(failed).toMatchObject({ state: 'FAILED', failure: FAILURE });
    expect(await catalog.backups.find(job.backupId!)).toMatchObject({ status: 'FAILED', completedAt: null });
  });

  it('waits again after a requeue, and not before its time', async () => {
    const job = await enqueueBackup();
    const { lease } = await claim();
    const runAfter = new Date(stand.clock.now().getTime() + 10_000);
    const waiting = await catalog.queue.requeue(lease, { runAfter, failure: FAILURE, message: 'again' });
    expect(waiting).toMatchObject({ state: 'PENDING', attempt: 1, failure: FAILURE, runAfter });
    expect(await catalog.queue.claim(CLAIM)).toBeNull();
    await stand.clock.advance(10_000);
    expect((await claim()).job).toMatchObject({ id: job.id, attempt: 2, failure: null });
  });

  it('lets a clock that was set back delay no job by more than a minute', async () => {
    const fresh = await enqueueBackup();
    stand.clock.stepWallClock(-3_600_000);
    expect((await catalog.jobs.statistics()).oldestPendingAt).toEqual(fresh.createdAt);
    const { job, lease } = await claim();
    expect(job.id).toBe(fresh.id);
    const runAfter = new Date(stand.clock.now().getTime() + 60_000);
    await catalog.queue.requeue(lease, { runAfter, failure: FAILURE, message: 'again' });
    expect(await catalog.queue.claim(CLAIM)).toBeNull();
    stand.clock.stepWallClock(-30_000);
    expect((await claim()).job.id).toBe(fresh.id);
  });

  it('does not count an attempt that a shutdown cut', async () => {
    await enqueueBackup();
    const { lease } = await claim();
    const now = stand.clock.now();
    const waiting = await catalog.queue.requeue(lease, {
      runAfter: now,
      failure: null,
      message: 'stop',
      refundAttempt: true,
    });
    expect(waiting.attempt).toBe(0);
  });

  describe('cancelling', () => {
    it('ends a PENDING job at once, and once is enough', async () => {
      const job = await enqueueBackup();
      const cancelled = await catalog.queue.requestCancel(job.id);
      expect(cancelled).toMatchObject({ state: 'CANCELLED', finishedAt: stand.clock.now() });
      expect(await catalog.queue.requestCancel(job.id)).toEqual(cancelled);
      expect(await catalog.backups.find(job.backupId!)).toMatchObject({ status: 'CANCELLED' });
      expect(await catalog.queue.claim(CLAIM)).toBeNull();
    });

    it('asks the worker of a RUNNING job, once', async () => {
      const job = await enqueueBackup();
      const { lease } = await claim();
      expect(await catalog.queue.heartbeat(lease, 30_000)).toEqual({ cancelRequested: false });
      await catalog.queue.requestCancel(job.id);
      expect(await catalog.queue.requestCancel(job.id)).toMatchObject({ state: 'RUNNING', cancelRequested: true });
      expect(await catalog.queue.heartbeat(lease, 30_000)).toEqual({ cancelRequested: true });
      await catalog.queue.settle(lease, { state: 'CANCELLED' });
      expect(await states(job.id)).toEqual([
        'STATE_CHANGED PENDING',
        'STATE_CHANGED RUNNING',
        'LOG RUNNING',
        'STATE_CHANGED CANCELLED',
      ]);
    });

    it('refuses a job that ended otherwise and an unknown one', async () => {
      const job = await enqueueBackup();
      const { lease } = await claim();
      await catalog.queue.settle(lease, { state: 'FAILED', failure: FAILURE });
      await expect(catalog.queue.requestCancel(job.id)).rejects.toMatchObject({ code: 'NOT_CANCELABLE' });
      await expect(catalog.queue.requestCancel(randomUUID() as JobId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('races with claiming: exactly one of both wins', async () => {
      for (let round = 0; round < 10; round += 1) {
        const job = await enqueueBackup();
        const [cancelled, claimed] = await Promise.all([
          catalog.queue.requestCancel(job.id),
          catalog.queue.claim(CLAIM),
        ]);
        if (claimed === null) expect(cancelled.state).toBe('CANCELLED');
        else await catalog.queue.settle(claimed.lease, { state: 'CANCELLED' });
        expect(await catalog.jobs.find(job.id)).toMatchObject({ state: 'CANCELLED' });
      }
    });

    it('leaves a restore that ran before to a worker, who must clean up', async () => {
      const { job } = await catalog.queue.enqueue({ spec: restoreSpec(), createdBy: 'local' });
      const { lease } = await claim();
      await catalog.queue.requeue(lease, {
        runAfter: new Date(stand.clock.now().getTime() + 60_000),
        failure: FAILURE,
        message: 'again',
      });
      expect(await catalog.queue.requestCancel(job.id)).toMatchObject({ state: 'PENDING', cancelRequested: true });
      expect((await claim()).job).toMatchObject({ id: job.id, cancelRequested: true });
    });
  });

  describe('leases', () => {
    it('change nothing for a worker that lost its own', async () => {
      const job = await enqueueBackup();
      const { lease } = await claim({ leaseMs: 1_000 });
      await stand.clock.advance(1_000);
      expect(await catalog.queue.reapExpired()).toMatchObject([{ id: job.id, state: 'PENDING', attempt: 1 }]);
      const before = await catalog.jobs.find(job.id);
      const stored = storedManifest(job.backupId as BackupId);
      const deeds = [
        () => catalog.queue.heartbeat(lease, 1_000),
        () => catalog.queue.saveProgress(lease, { type: 'LOG', progress: NO_PROGRESS, message: 'x' }),
        () => catalog.queue.settle(lease, { state: 'COMPLETED', effect: { kind: 'BACKUP_STORED', stored } }),
        () => catalog.queue.settle(lease, { state: 'FAILED', failure: FAILURE }),
        () => catalog.queue.settle(lease, { state: 'CANCELLED' }),
        () => catalog.queue.requeue(lease, { runAfter: stand.clock.now(), failure: null, message: 'x' }),
      ];
      for (const deed of deeds) await expect(deed()).rejects.toMatchObject({ code: 'LEASE_LOST' });
      const { lease: next } = await claim();
      for (const deed of deeds) await expect(deed()).rejects.toMatchObject({ code: 'LEASE_LOST' });
      await catalog.queue.settle(next, { state: 'FAILED', failure: FAILURE });
      for (const deed of deeds) await expect(deed()).rejects.toMatchObject({ code: 'LEASE_LOST' });
      expect(before).toMatchObject({ state: 'PENDING' });
      expect(await catalog.backups.find(job.backupId!)).toMatchObject({ status: 'FAILED', checksum: null });
    });

    it('outlive their first expiry by heartbeats', async () => {
      await enqueueBackup();
      const { lease } = await claim({ leaseMs: 1_000 });
      for (let beat = 0; beat < 5; beat += 1) {
        await stand.clock.advance(900);
        await catalog.queue.heartbeat(lease, 1_000);
        expect(await catalog.queue.reapExpired()).toEqual([]);
      }
    });

    it('are retried up to the limit, then the job fails with the reason', async () => {
      const job = await enqueueBackup();
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        expect((await claim({ leaseMs: 1_000 })).job.attempt).toBe(attempt);
        await stand.clock.advance(1_000);
        await catalog.queue.reapExpired();
      }
      expect(await catalog.jobs.find(job.id)).toMatchObject({ state: 'FAILED', failure: { code: 'LEASE_LOST' } });
    });

    it('give a restore one more attempt, in which it cleans up', async () => {
      const { job } = await catalog.queue.enqueue({ spec: restoreSpec(), createdBy: 'local', maxAttempts: 1 });
      await claim({ leaseMs: 1_000 });
      await stand.clock.advance(1_000);
      await catalog.queue.reapExpired();
      expect((await claim({ leaseMs: 1_000 })).job).toMatchObject({ attempt: 2, maxAttempts: 1 });
      await stand.clock.advance(1_000);
      await catalog.queue.reapExpired();
      expect(await catalog.jobs.find(job.id)).toMatchObject({ state: 'FAILED' });
    });

    describe('of a cleanup that had begun to delete', () => {
      const beginToDelete = async (): Promise<{ jobId: JobId; backupIds: BackupId[] }> => {
        const backupIds = [randomUUID(), randomUUID()] as BackupId[];
        const spec = { kind: 'CLEANUP', dryRun: false } as const;
        const { job } = await catalog.queue.enqueue({ spec, createdBy: 'local', maxAttempts: 1 });
        const { lease } = await claim({ leaseMs: 1_000 });
        await catalog.queue.recordDeletion(lease, backupIds);
        return { jobId: job.id, backupIds };
      };
      const expire = async (): Promise<JobRecord[]> => {
        await stand.clock.advance(1_000);
        return catalog.queue.reapExpired();
      };

      it('leave it to the next attempt, beyond any limit, until one says what is gone', async () => {
        const { jobId, backupIds } = await beginToDelete();
        for (let attempt = 2; attempt <= 5; attempt += 1) {
          expect(await expire()).toMatchObject([{ state: 'PENDING', deleting: backupIds }]);
          expect((await claim({ leaseMs: 1_000 })).job).toMatchObject({ id: jobId, attempt, deleting: backupIds });
        }
      });

      it('leave a cancelled one to the next attempt too, whenever it was cancelled', async () => {
        const { jobId, backupIds } = await beginToDelete();
        await catalog.queue.requestCancel(jobId);
        expect(await expire()).toMatchObject([{ state: 'PENDING', cancelRequested: true }]);
        expect(await catalog.queue.requestCancel(jobId)).toMatchObject({ state: 'PENDING' });
        const { job, lease } = await claim();
        expect(job).toMatchObject({ cancelRequested: true, deleting: backupIds });
        expect(await catalog.queue.settle(lease, { state: 'CANCELLED' })).toMatchObject({ deleting: null });
      });

      it('are not needed where the attempt is known to have deleted nothing', async () => {
        const spec = { kind: 'CLEANUP', dryRun: false } as const;
        const { job } = await catalog.queue.enqueue({ spec, createdBy: 'local' });
        const { lease } = await claim();
        await catalog.queue.recordDeletion(lease, [randomUUID() as BackupId]);
        const runAfter = new Date(stand.clock.now().getTime() + 10_000);
        await catalog.queue.requeue(lease, { runAfter, failure: FAILURE, message: 'away', nothingDeleted: true });
        expect(await catalog.queue.requestCancel(job.id)).toMatchObject({ state: 'CANCELLED', deleting: null });
      });

      it('are what a reconciliation waits for: it calls nothing missing that is being deleted', async () => {
        const backupId = await completeBackup(catalog);
        await catalog.queue.enqueue({ spec: { kind: 'CLEANUP', dryRun: false }, createdBy: 'local' });
        const { lease } = await claim();
        await catalog.queue.recordDeletion(lease, [backupId]);
        await stand.clock.advance(1);
        const nothing = async function* (): AsyncGenerator<never> {};
        expect(await catalog.backups.reconcile(nothing())).toMatchObject({ missing: [] });
        await catalog.queue.settle(lease, { state: 'FAILED', failure: FAILURE });
        expect(await catalog.backups.reconcile(nothing())).toMatchObject({ missing: [backupId] });
      });

      it('let nobody else write down what it deletes', async () => {
        const lease = { jobId: (await beginToDelete()).jobId, token: randomUUID() as LeaseToken };
        await expect(catalog.queue.recordDeletion(lease, [])).rejects.toMatchObject({ code: 'LEASE_LOST' });
      });
    });

    it('that expire after a cancel request end CANCELLED', async () => {
      const job = await enqueueBackup();
      await claim({ leaseMs: 1_000 });
      await catalog.queue.requestCancel(job.id);
      await stand.clock.advance(1_000);
      expect(await catalog.queue.reapExpired()).toMatchObject([{ state: 'CANCELLED' }]);
    });

    it('can not be guessed', async () => {
      const job = await enqueueBackup();
      await claim();
      const forged = { jobId: job.id, token: randomUUID() as LeaseToken };
      await expect(catalog.queue.settle(forged, { state: 'CANCELLED' })).rejects.toMatchObject({ code: 'LEASE_LOST' });
    });
  });

  describe('every transition that the life cycle does not know', () => {
    const stateMakers: Record<JobState, () => Promise<Lease>> = {
      PENDING: async () => ({ jobId: (await enqueueBackup()).id, token: randomUUID() as LeaseToken }),
      RUNNING: async () => {
        await enqueueBackup();
        return { ...(await claim()).lease, token: randomUUID() as LeaseToken };
      },
      COMPLETED: () =>
        ended((backupId) => ({
          state: 'COMPLETED',
          effect: { kind: 'BACKUP_STORED', stored: storedManifest(backupId) },
        })),
      FAILED: () => ended(() => ({ state: 'FAILED', failure: FAILURE })),
      CANCELLED: () => ended(() => ({ state: 'CANCELLED' })),
    };
    const ended = async (outcome: (backupId: BackupId) => Outcome): Promise<Lease> => {
      await enqueueBackup();
      const { job, lease } = await claim();
      await catalog.queue.settle(lease, outcome(job.backupId!));
      return lease;
    };

    it.each(Object.keys(stateMakers) as JobState[])('is refused from %s and changes nothing', async (state) => {
      const lease = await stateMakers[state]();
      const before = await catalog.jobs.find(lease.jobId);
      expect(before?.state).toBe(state);
      const stored = storedManifest(before!.backupId!);
      const deeds = [
        catalog.queue.heartbeat(lease, 1_000),
        catalog.queue.saveProgress(lease, { type: 'PROGRESS', progress: NO_PROGRESS }),
        catalog.queue.settle(lease, { state: 'COMPLETED', effect: { kind: 'BACKUP_STORED', stored } }),
        catalog.queue.settle(lease, { state: 'FAILED', failure: FAILURE }),
        catalog.queue.settle(lease, { state: 'CANCELLED' }),
        catalog.queue.requeue(lease, { runAfter: new Date(0), failure: null, message: '' }),
      ];
      for (const deed of await Promise.allSettled(deeds))
        expect(deed).toMatchObject({ reason: { code: 'LEASE_LOST' } });
      if (isFinal(state)) {
        const again = await catalog.queue.requestCancel(lease.jobId).catch((error: unknown) => error);
        expect(again).toMatchObject(state === 'CANCELLED' ? { ...before } : { code: 'NOT_CANCELABLE' });
        expect(await catalog.queue.claim(CLAIM)).toBeNull();
      }
      await stand.clock.advance(1);
      expect(await catalog.queue.reapExpired()).toEqual([]);
      expect(await catalog.jobs.find(lease.jobId)).toEqual(before);
    });
  });

  it('writes nothing of a result that can not be written whole', async () => {
    const job = await enqueueBackup();
    const { lease } = await claim();
    const stored = storedManifest(randomUUID() as BackupId); // of a backup that the catalog doesn't know
    const settling = catalog.queue.settle(lease, { state: 'COMPLETED', effect: { kind: 'BACKUP_STORED', stored } });
    await expect(settling).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await catalog.jobs.find(job.id)).toMatchObject({ state: 'RUNNING', lastSequence: 2 });
    expect(await catalog.backups.find(job.backupId!)).toMatchObject({ status: 'RUNNING' });
    await catalog.queue.settle(lease, { state: 'FAILED', failure: FAILURE });
    expect((await catalog.events.ofAll({ after: 0, limit: 9 })).events.map((event) => event.globalSequence)).toEqual([
      1, 2, 3,
    ]);
  });

  describe('limits', () => {
    it('keeps to the limit of a source and goes on with other sources', async () => {
      for (const source of ['a', 'a', 'b']) {
        await enqueueBackup({ spec: backupSpec({ source }) });
        await stand.clock.advance(1);
      }
      const one = { concurrencyPerSource: 1 };
      const first = await claim(one);
      expect(first.job.source).toBe('a');
      expect((await claim(one)).job.source).toBe('b');
      expect(await catalog.queue.claim({ ...CLAIM, ...one })).toBeNull();
      await catalog.queue.settle(first.lease, { state: 'CANCELLED' });
      expect((await claim(one)).job.source).toBe('a');
    });

    it('lets work on the repository alone pass', async () => {
      await enqueueBackup();
      await claim({ concurrencyPerSource: 1 });
      await catalog.queue.enqueue({ spec: { kind: 'CLEANUP', dryRun: false }, createdBy: 'local' });
      expect((await claim({ concurrencyPerSource: 1 })).job.kind).toBe('CLEANUP');
    });

    it('claims by kind and in order of creation', async () => {
      const first = await enqueueBackup();
      await stand.clock.advance(1);
      const second = await enqueueBackup();
      expect(await catalog.queue.claim({ ...CLAIM, kinds: ['RESTORE'] })).toBeNull();
      expect((await catalog.queue.claim({ ...CLAIM, kinds: ['BACKUP'] }))?.job.id).toBe(first.id);
      expect((await claim()).job.id).toBe(second.id);
    });

    it('gives each job to one of many claimants', async () => {
      const others = await Promise.all([stand.reopen(), stand.reopen()]);
      for (let n = 0; n < 12; n += 1) await enqueueBackup();
      const claimants = [catalog, ...others];
      const claims = await Promise.all(
        Array.from({ length: 18 }, (_, n) => claimants[n % 3]!.queue.claim({ ...CLAIM, concurrencyPerSource: 9 })),
      );
      const ids = claims.flatMap((claimed) => (claimed === null ? [] : [claimed.job.id]));
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids).toHaveLength(9);
    });
  });

  describe('idempotency', () => {
    const key = { principal: 'anna', mutation: 'createBackup', key: 'k', inputHash: 'a'.repeat(64) };

    it('gives the same job for the same key and input', async () => {
      const first = await catalog.queue.enqueue({ spec: backupSpec(), createdBy: 'anna', idempotency: key });
      const again = await catalog.queue.enqueue({ spec: backupSpec(), createdBy: 'anna', idempotency: key });
      expect(again).toEqual({ ...first, replayed: true });
      expect(await catalog.jobs.count()).toBe(1);
      expect(await catalog.backups.count()).toBe(1);
    });

    it('refuses the same key with another input, and writes nothing', async () => {
      await catalog.queue.enqueue({ spec: backupSpec(), createdBy: 'anna', idempotency: key });
      const other = { ...key, inputHash: 'b'.repeat(64) };
      const second = catalog.queue.enqueue({ spec: backupSpec(), createdBy: 'anna', idempotency: other });
      await expect(second).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
      expect(await catalog.jobs.count()).toBe(1);
    });

    it('finds what a key made without making anything', async () => {
      expect(await catalog.queue.findReplay(key)).toBeNull();
      const { job } = await catalog.queue.enqueue({ spec: backupSpec(), createdBy: 'anna', idempotency: key });
      const ended = await catalog.queue.requestCancel(job.id);
      expect(await catalog.queue.findReplay(key)).toEqual({ job: ended });
      expect(await catalog.queue.findReplay({ ...key, principal: 'ben' })).toBeNull();
      const other = catalog.queue.findReplay({ ...key, inputHash: 'b'.repeat(64) });
      await expect(other).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    });

    it('keeps principals and mutations apart', async () => {
      for (const more of [
        {},
        { principal: 'ben' },
        { mutation: 'restoreBackup' },
        { principal: 'annacreate', mutation: 'Backup' },
      ]) {
        await enqueueBackup({ idempotency: { ...key, ...more } });
      }
      expect(await catalog.jobs.count()).toBe(4);
    });

    it('makes one job of many concurrent calls, over two connections too', async () => {
      const other = await stand.reopen();
      const calls = Array.from({ length: 10 }, (_, n) =>
        (n % 2 === 0 ? catalog : other).queue.enqueue({ spec: backupSpec(), createdBy: 'anna', idempotency: key }),
      );
      const made = await Promise.all(calls);
      expect(new Set(made.map((one) => one.job.id)).size).toBe(1);
      expect(made.filter((one) => !one.replayed)).toHaveLength(1);
    });
  });
});
