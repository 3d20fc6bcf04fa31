/** kill -9 at random moments: whatever was acknowledged is there, and nothing half-written is. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Catalog, JobRecord } from '../../src/catalog/catalog';
import { openCatalog } from '../../src/catalog/open-catalog';
import type { JobState } from '../../src/domain/job';
import { systemClock } from '../../src/ops/ambient';
import { CATALOG_ENGINES, makeCatalogPlace, testRandom, type CatalogPlace } from '../support/catalog-stand';
import { silentLog } from '../support/silent-log';

const ROUNDS = process.env['LONG'] === '1' ? 60 : 6;
const CHILD = join(__dirname, '../support/catalog-crash-child.ts');
const REGISTER = join(__dirname, '../support/register-ts.js');
const RANK: Record<JobState, number> = { PENDING: 0, RUNNING: 1, COMPLETED: 2, FAILED: 2, CANCELLED: 2 };

/** Lets a child work until it has printed `lines` lines and a bit, kills it, and returns what it had acknowledged. */
async function workAndDie(url: string, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, ['-r', REGISTER, CHILD, url], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
    if (output.split('\n').length > lines) setImmediate(() => child.kill('SIGKILL'));
  });
  await exited;
  return output.split('\n').slice(1, -1);
}

describe.each(CATALOG_ENGINES)('a catalog on %s', (engine) => {
  let place: CatalogPlace;
  beforeEach(async () => {
    place = await makeCatalogPlace(engine);
  });
  afterEach(() => place.remove());

  it('survives kill -9', async () => {
    const acknowledged = new Map<string, JobState>();
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const line of await workAndDie(place.url, 5 + ((round * 37) % 60))) {
        const [state, id] = line.split(' ') as [JobState, string];
        acknowledged.set(id, state);
      }
      const catalog = await openCatalog({ url: place.url, clock: systemClock, random: testRandom, log: silentLog });
      await checkAll(catalog, acknowledged);
      await reapAll(catalog);
      await catalog.close();
    }
    expect(acknowledged.size).toBeGreaterThan(ROUNDS);
  }, 240_000);

  async function checkAll(catalog: Catalog, acknowledged: Map<string, JobState>): Promise<void> {
    const { items: jobs } = await catalog.jobs.list({ limit: 1000 });
    const byId = new Map<string, JobRecord>(jobs.map((job) => [job.id, job]));
    for (const [id, state] of acknowledged) {
      if (state !== 'COMPLETED') continue;
      expect(byId.get(id)?.state).toBe('COMPLETED');
    }
    for (const [id, state] of acknowledged) {
      const job = byId.get(id);
      expect(job).toBeDefined();
      if (job!.attempt < 2) expect(RANK[job!.state]).toBeGreaterThanOrEqual(RANK[state]);
    }
    for (const job of jobs) await checkJob(catalog, job);
    const { events } = await catalog.events.ofAll({ after: 0, limit: 10_000 });
    expect(events.map((event) => event.globalSequence)).toEqual(events.map((_, index) => index + 1));
  }

  async function checkJob(catalog: Catalog, job: JobRecord): Promise<void> {
    const { events } = await catalog.events.ofJob({ jobId: job.id, after: null, limit: 1000 });
    expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => index + 1));
    expect(events[events.length - 1]).toMatchObject({
      sequence: job.lastSequence,
      state: job.state,
      progress: job.progress,
    });
    const backup = await catalog.backups.find(job.backupId!);
    expect(backup).toMatchObject({
      status: job.state,
      checksum: job.state === 'COMPLETED' ? expect.any(String) : null,
    });
  }

  async function reapAll(catalog: Catalog): Promise<void> {
    const running = await catalog.jobs.count({ states: ['RUNNING'] });
    expect(await catalog.queue.reapExpired()).toHaveLength(running);
    expect(await catalog.jobs.count({ states: ['RUNNING'] })).toBe(0);
  }
});
