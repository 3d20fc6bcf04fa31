/**
 * A power cut takes whatever was not synced. kill -9 never shows that, so here the synced state is kept beside the file: at any
 * moment, what a cut would leave is the last synced log with the database file that belongs to it.
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalog, JobRecord } from '../../src/catalog/catalog';
import { openCatalog } from '../../src/catalog/open-catalog';
import type { WriteAheadLog } from '../../src/catalog/sqlite-writes';
import { NO_PROGRESS, type JobState } from '../../src/domain/job';
import { systemClock } from '../../src/ops/ambient';
import { backupSpec, storedManifest, testRandom } from '../support/catalog-stand';
import { silentLog } from '../support/silent-log';

const JOBS = process.env['LONG'] === '1' ? 400 : 40;
/** More writes than three checkpoints wait for. */
const WRITES_PAST_CHECKPOINTS = 400;

let folder: string;
const live = (): string => join(folder, 'catalog.sqlite');
const afterCut = (): string => join(folder, 'after-cut.sqlite');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rv-power-cut-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function openAt(path: string, openWal?: (path: string) => Promise<WriteAheadLog>): Promise<Catalog> {
  return openCatalog({ url: `sqlite:${path}`, clock: systemClock, random: testRandom, log: silentLog, openWal });
}

/** A log that keeps what a power cut right after each sync would leave, and can hold syncs back or fail them. */
class WatchedWal implements WriteAheadLog {
  gate: Promise<void> = Promise.resolve();
  fault: Error | null = null;

  private constructor(private readonly inner: WriteAheadLog) {}

  static async open(path: string): Promise<WatchedWal> {
    return new WatchedWal(await open(path, 'r+'));
  }

  async datasync(): Promise<void> {
    await this.gate;
    if (this.fault) throw this.fault;
    await this.inner.datasync();
    copyFileSync(live(), afterCut());
    copyFileSync(`${live()}-wal`, `${afterCut()}-wal`);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

async function openWatched(): Promise<{ catalog: Catalog; wal: WatchedWal }> {
  let wal: WatchedWal | undefined;
  const catalog = await openAt(live(), async (path) => (wal = await WatchedWal.open(path)));
  return { catalog, wal: wal as WatchedWal };
}

/** What a service started after the cut finds; in a folder of its own, for SQLite remembers files within a process. */
async function findAfterCut(id: JobRecord['id']): Promise<JobState | undefined> {
  const path = join(mkdtempSync(join(folder, 'started-')), 'catalog.sqlite');
  for (const suffix of ['', '-wal']) copyFileSync(`${afterCut()}${suffix}`, `${path}${suffix}`);
  const catalog = await openAt(path);
  try {
    return (await catalog.jobs.find(id))?.state;
  } finally {
    await catalog.close();
  }
}

async function workOnce(catalog: Catalog): Promise<JobRecord['id']> {
  await catalog.queue.enqueue({ spec: backupSpec(), createdBy: 'test' });
  const claimed = await catalog.queue.claim({ owner: 'test', leaseMs: 60_000, concurrencyPerSource: 1_000_000 });
  if (!claimed?.job.backupId) throw new Error('nothing to claim');
  const stored = storedManifest(claimed.job.backupId);
  await catalog.queue.settle(claimed.lease, { state: 'COMPLETED', effect: { kind: 'BACKUP_STORED', stored } });
  return claimed.job.id;
}

it('keeps every acknowledged write, whenever the power goes', async () => {
  const { catalog } = await openWatched();
  for (let job = 0; job < JOBS; job += 1) {
    const id = await workOnce(catalog);
    if (job % 10 === 0) expect(await findAfterCut(id)).toBe('COMPLETED');
  }
  await catalog.close();
}, 240_000);

it('keeps them across checkpoints of the log, which then begins anew', async () => {
  const { catalog } = await openWatched();
  const { job } = await catalog.queue.enqueue({ spec: backupSpec(), createdBy: 'test' });
  const claimed = await catalog.queue.claim({ owner: 'test', leaseMs: 60_000, concurrencyPerSource: 1 });
  const begun = new Set<string>();
  for (let write = 0; write < WRITES_PAST_CHECKPOINTS; write += 1) {
    await catalog.queue.saveProgress(claimed!.lease, {
      type: 'PROGRESS',
      progress: { ...NO_PROGRESS, percent: write },
    });
    begun.add(readFileSync(`${live()}-wal`).toString('hex', 16, 24)); // the salts of the log's header
    if (write % 20 === 0) expect(await findAfterCut(job.id)).toBe('RUNNING');
  }
  expect(begun.size).toBeGreaterThan(2);
  expect(statSync(`${live()}-wal`).size).toBeLessThan(12 * 2 ** 20);
  const id = await workOnce(catalog);
  expect(await findAfterCut(id)).toBe('COMPLETED');
  await catalog.close();
}, 120_000);

it('opens behind a link', async () => {
  const { catalog } = await openWatched();
  await catalog.close();
  symlinkSync(live(), join(folder, 'link.sqlite'));
  const linked = await openAt(join(folder, 'link.sqlite'));
  await workOnce(linked);
  await linked.close();
});

it('neither acknowledges nor shows a write that is not on the disk yet', async () => {
  const { catalog, wal } = await openWatched();
  const steps: string[] = [];
  let release = (): void => undefined;
  wal.gate = new Promise((resolve) => (release = resolve));
  const enqueued = catalog.queue.enqueue({ spec: backupSpec(), createdBy: 'test' }).then(() => steps.push('written'));
  await eventLoopTurns();
  const listed = catalog.jobs.list({ limit: 10 }).then(({ items }) => steps.push(`read ${items.length}`));
  await eventLoopTurns();
  expect(steps).toEqual([]);
  release();
  await Promise.all([enqueued, listed]);
  expect(steps.sort()).toEqual(['read 1', 'written']);
  await catalog.close();
});

it('neither takes nor shows anything more after the disk failed a write, and says what to do', async () => {
  const { catalog, wal } = await openWatched();
  wal.fault = Object.assign(new Error('i/o error'), { code: 'EIO' });
  const write = (): Promise<unknown> => catalog.queue.enqueue({ spec: backupSpec(), createdBy: 'test' });
  const failure = { code: 'CATALOG_UNAVAILABLE', hint: expect.stringContaining('restart') as string };
  await expect(write()).rejects.toMatchObject(failure);
  wal.fault = null;
  await expect(write()).rejects.toMatchObject(failure);
  await expect(catalog.jobs.list({ limit: 10 })).rejects.toMatchObject(failure);
  await expect(catalog.ping()).rejects.toMatchObject(failure);
  await catalog.close();
});

/** Enough for everything that does not wait for the disk. */
async function eventLoopTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
