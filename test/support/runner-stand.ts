/** Runners over a real catalog, with tasks and time in the test's hands. */
import type { Catalog, JobRecord } from '../../src/catalog/catalog';
import type { JobSpec, JobState } from '../../src/domain/job';
import { createRunner, type Runner, type RunnerOptions } from '../../src/runner/runner';
import { openCatalogStand, testRandom, type CatalogEngineName, type CatalogStand } from './catalog-stand';
import { until, type FakeClock } from './fake-clock';
import { ScriptedExecutor } from './scripted-executor';
import { silentLog } from './silent-log';

export const RUNNER_SETTINGS = {
  concurrency: 2,
  concurrencyPerSource: 2,
  leaseMs: 30_000,
  heartbeatMs: 10_000,
  pollMs: 1_000,
  drainMs: 5_000,
};

export class RunnerStand {
  readonly executor = new ScriptedExecutor();
  private readonly runners: Runner[] = [];

  private constructor(private readonly stand: CatalogStand) {}

  static async open(engine: CatalogEngineName): Promise<RunnerStand> {
    return new RunnerStand(await openCatalogStand(engine));
  }

  get catalog(): Catalog {
    return this.stand.catalog;
  }

  get clock(): FakeClock {
    return this.stand.clock;
  }

  /** The same catalog, as another process would open it. */
  reopen(): Promise<Catalog> {
    return this.stand.reopen();
  }

  startRunner(more: Partial<RunnerOptions> = {}): Runner {
    const runner = createRunner({
      catalog: this.catalog,
      executor: this.executor,
      settings: RUNNER_SETTINGS,
      eventKeepDays: 30,
      compactAfterLayers: 8,
      owner: 'test',
      serviceSettings: () => Promise.resolve({ mapping: [] }),
      clock: this.clock,
      random: testRandom,
      log: silentLog,
      ...more,
    });
    this.runners.push(runner);
    runner.start();
    return runner;
  }

  async enqueue(spec: JobSpec, maxAttempts?: number): Promise<JobRecord> {
    return (await this.catalog.queue.enqueue({ spec, createdBy: 'local', maxAttempts })).job;
  }

  async find(job: JobRecord): Promise<JobRecord> {
    return (await this.catalog.jobs.find(job.id))!;
  }

  untilState(job: JobRecord, state: JobState): Promise<void> {
    return until(async () => (await this.find(job)).state === state);
  }

  /** Moves time in steps, each as long as a look into the catalog, so that slow databases are not outrun. */
  advanceUntil(condition: () => Promise<boolean>): Promise<void> {
    return until(async () => {
      await this.clock.advance(50);
      return condition();
    });
  }

  async close(): Promise<void> {
    for (const runner of this.runners) await runner.stop();
    await this.stand.close();
  }
}
