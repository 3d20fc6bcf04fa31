/**
 * kill -9 of the service at random moments, told once for every kind of platform and catalog: whatever the moment, after the next start
 * every job ends, every COMPLETED backup verifies, and a restore's record says truthfully how it left the source.
 */
import { createSeededRandom } from '../../src/sources/seeded-random';
import { pause, type Job, type ServiceClient } from './service-client';
import { ServiceProcess } from './service-process';
import { damageStatements, PLATFORM_TABLES, type Platform, type PlatformState } from './service-platforms';
import type { ServicePlace } from './service-settings';

const LONG = Boolean(process.env.LONG);
const KILL_ROUNDS = LONG ? 40 : 6;
/** The shortest time that a job is expected to take: kills that come later than the job's end show nothing. */
const LEAST_SPAN_MS = 150;
const SEED = 20261122;

export interface KillStandOptions {
  openPlatform(): Promise<Platform>;
  place?: Partial<ServicePlace>;
}

/** What is done to a job after its process was killed. */
type Sequel = 'RETRY' | 'CANCEL' | 'KILL_AGAIN';
const SEQUELS: readonly Sequel[] = ['RETRY', 'KILL_AGAIN', 'CANCEL'];

class KillStand {
  readonly random = createSeededRandom(SEED);

  private constructor(
    readonly platform: Platform,
    readonly service: ServiceProcess,
  ) {}

  static async open({ openPlatform, place }: KillStandOptions): Promise<KillStand> {
    const platform = await openPlatform();
    const service = new ServiceProcess({ sourceUrl: platform.sourceUrl, ...place });
    await service.start();
    return new KillStand(platform, service);
  }

  get client(): ServiceClient {
    return this.service.client;
  }

  /** Lets a job run for a random part of what it usually takes, kills the service, does what follows, and sees the job end. */
  async killAndEnd(jobId: string, { spanMs, sequel }: { spanMs: number; sequel: Sequel }): Promise<Job> {
    await this.client.jobWhen(jobId, ({ state }) => state !== 'PENDING');
    await this.killWithin(spanMs);
    await this.service.start();
    if (sequel === 'KILL_AGAIN') {
      await this.client.jobWhen(jobId, ({ attempt, state }) => attempt > 1 || state === 'COMPLETED');
      await this.killWithin(spanMs);
      await this.service.start();
    }
    if (sequel === 'CANCEL') await this.client.cancel(jobId); // refused where the job had ended
    return this.client.ended(jobId);
  }

  async close(): Promise<void> {
    await this.service.remove();
    await this.platform.remove();
  }

  private async killWithin(spanMs: number): Promise<void> {
    await pause(this.random.int(0, Math.max(spanMs, LEAST_SPAN_MS)));
    await this.service.kill();
  }
}

export function describeKills(name: string, options: KillStandOptions): void {
  describe(`kill -9 of the service, ${name}`, () => {
    let stand: KillStand;
    beforeEach(async () => {
      stand = await KillStand.open(options);
    }, 120_000);
    afterEach(() => stand.close());

    const timeout = LONG ? 1_800_000 : 240_000;
    it('leaves no backup COMPLETED that does not verify, and no job without an end', () => killBackups(stand), timeout);
    it('leaves a deleted backup gone or whole, and locks nobody out', () => killDeletions(stand), timeout);
    it('leaves an in-place restore undone or complete, as its record says', () => killInPlaceRestores(stand), timeout);
    it('leaves a bulk restore undone or complete, as its record says', () => killBulkRestores(stand), timeout);
    it('leaves a scratch schema complete or absent, as the record says', () => killScratchRestores(stand), timeout);
  });
}

async function killBackups(stand: KillStand): Promise<void> {
  const { client, platform } = stand;
  const spanMs = await timed(() => client.backup());
  for (let round = 0; round < KILL_ROUNDS; round++) {
    await platform.exec(...damageStatements(round)); // so that there is something new to store
    const { jobId, backupId } = await client.startBackup();
    const job = await stand.killAndEnd(jobId, { spanMs, sequel: SEQUELS[round % 3] as Sequel });
    expect((await client.getBackup(backupId)).status).toBe(job.state);
    if (job.state === 'COMPLETED') expect(await client.verify(backupId)).toMatchObject({ passed: true, findings: [] });
  }
  await client.cleanUp();
  await expectAllSound(client);
}

async function killDeletions(stand: KillStand): Promise<void> {
  const { client, platform } = stand;
  const kept = await client.backup();
  for (let round = 0; round < Math.ceil(KILL_ROUNDS / 2); round++) {
    await platform.exec(...damageStatements(round));
    const backupId = await client.backup();
    const jobId = await client.startDelete(backupId);
    const job = await stand.killAndEnd(jobId, { spanMs: 0, sequel: SEQUELS[round % 3] as Sequel });
    const listed = await client.backups({ missing: false });
    expect(listed).toContain(kept);
    if (job.state === 'COMPLETED') expect(listed).not.toContain(backupId);
    // A lease that the dead process held for deleting would keep all others out.
    await client.backup();
  }
  await client.cleanUp();
  await expectAllSound(client);
}

async function expectAllSound(client: ServiceClient): Promise<void> {
  const backups = await client.backups({ missing: false });
  expect(backups).not.toHaveLength(0);
  for (const id of backups) expect(await client.verify(id)).toMatchObject({ passed: true, findings: [] });
}

async function killInPlaceRestores(stand: KillStand): Promise<void> {
  const { client, platform } = stand;
  const backupId = await client.backup();
  const whole = await platform.state();
  await platform.exec(...damageStatements(99));
  const spanMs = await timed(() => client.restore({ backupId }));
  expect(await platform.state()).toEqual(whole);
  for (let round = 0; round < KILL_ROUNDS; round++) {
    await platform.exec(...damageStatements(round));
    const damaged = await platform.state();
    const { jobId, restoreId } = await client.startRestore({ backupId });
    const job = await stand.killAndEnd(jobId, { spanMs, sequel: SEQUELS[round % 3] as Sequel });
    await expectAsRecorded(stand, { job, restoreId, undone: damaged, whole });
    if (job.state !== 'COMPLETED') await client.restore({ backupId });
  }
}

async function killBulkRestores(stand: KillStand): Promise<void> {
  const { client, platform } = stand;
  const backupId = await client.backup();
  const whole = await platform.state();
  await platform.dropTables();
  const spanMs = await timed(() => client.restore({ backupId }));
  expect(await platform.state()).toEqual(whole);
  for (let round = 0; round < KILL_ROUNDS; round++) {
    if (round % 2 === 0) await platform.dropTables();
    else await platform.exec(...[...PLATFORM_TABLES].reverse().map((table) => `DELETE FROM ${table}`));
    const lost = await platform.state();
    const { jobId, restoreId } = await client.startRestore({ backupId });
    const job = await stand.killAndEnd(jobId, { spanMs, sequel: SEQUELS[round % 3] as Sequel });
    await expectAsRecorded(stand, { job, restoreId, undone: lost, whole });
    if (job.state !== 'COMPLETED') await client.restore({ backupId });
  }
}

async function killScratchRestores(stand: KillStand): Promise<void> {
  const { client, platform } = stand;
  const backupId = await client.backup();
  const whole = await platform.state();
  const rounds = Math.ceil(KILL_ROUNDS / 3);
  const spanMs = await timed(() => client.restore({ backupId, target: { scratch: platform.scratch('first') } }));
  for (let round = 0; round < rounds; round++) {
    const scratch = platform.scratch(`s${round}`);
    const { jobId, restoreId } = await client.startRestore({ backupId, target: { scratch } });
    const job = await stand.killAndEnd(jobId, { spanMs, sequel: SEQUELS[round % 3] as Sequel });
    expect((await client.getRestore(restoreId)).status).toBe(job.state);
    if (job.state === 'COMPLETED') expect(await platform.state(scratch)).toEqual(whole);
    else await client.restore({ backupId, target: { scratch } }); // the name is free
    expect(await platform.state()).toEqual(whole);
  }
}

interface Recorded {
  job: Job;
  restoreId: string;
  undone: PlatformState;
  whole: PlatformState;
}

async function expectAsRecorded(
  { client, platform }: KillStand,
  { job, restoreId, undone, whole }: Recorded,
): Promise<void> {
  const expected = job.state === 'COMPLETED' ? whole : undone;
  expect({ state: job.state, source: await platform.state() }).toEqual({ state: job.state, source: expected });
  const left = Object.entries(expected).flatMap(([table, checksum]) => (checksum === null ? [] : [table]));
  expect((await platform.tableNames()).sort()).toEqual(left.sort());
  const restore = await client.getRestore(restoreId);
  expect(restore.status).toBe(job.state);
  if (job.state === 'FAILED') expect(job.failure?.remedy).toBeTruthy();
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
