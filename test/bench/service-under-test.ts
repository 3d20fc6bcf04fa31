/** Riskvault as an operator runs it: the built service in a process of its own, spoken to over HTTP alone. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cpuSecondsOf, peakResidentMib } from './process-meter';

export interface JobOutcome {
  wallSeconds: number;
  /** Of the service's process meanwhile. */
  cpuSeconds: number;
  backupId: string | null;
  storedBytes: number;
}

export interface ServiceOptions {
  sourceUrl: string;
  folder: string;
  port: number;
  /** Node options of the service, e.g. `--cpu-prof`. */
  nodeOptions?: string[];
}

const READY_PATIENCE_MS = 30_000;
/** A service in use has been up for a while: its first worker thread has loaded its code. */
const SETTLE_MS = 3_000;

export class ServiceUnderTest {
  private constructor(
    private readonly child: ChildProcess,
    private readonly options: ServiceOptions,
  ) {}

  /** Starts it with encryption on, on a folder that is empty or was its own before, and waits until it is ready. */
  static async start(options: ServiceOptions): Promise<ServiceUnderTest> {
    mkdirSync(options.folder, { recursive: true });
    const root = join(__dirname, '../..');
    const main = process.env.RISKVAULT_BENCH_SERVICE ?? join(root, 'dist/main.js');
    const child = spawn(
      process.execPath,
      [...(options.nodeOptions ?? []), '-r', join(__dirname, 'loop-probe.js'), main],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: {
          ...process.env,
          RISKVAULT_SOURCE_URL: options.sourceUrl,
          RISKVAULT_CATALOG_URL: `sqlite:${options.folder}/catalog.sqlite`,
          RISKVAULT_REPOSITORY_URL: `file:${options.folder}/repository`,
          RISKVAULT_PASSPHRASE: 'bench',
          RISKVAULT_PORT: String(options.port),
          RISKVAULT_BENCH_LOOP_FILE: join(options.folder, 'loop.json'),
        },
      },
    );
    const service = new ServiceUnderTest(child, options);
    await service.waitUntilReady();
    await pause(SETTLE_MS);
    return service;
  }

  async query<T>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${this.options.port}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: T; errors?: unknown };
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  }

  backup(type: 'FULL' | 'INCREMENTAL' = 'FULL'): Promise<JobOutcome> {
    return this.runJob(
      'mutation($type: BackupType!) { result: createBackup(input: { type: $type }) { job { id } errors { message } } }',
      { type },
    );
  }

  compact(backupId: string): Promise<JobOutcome> {
    return this.runJob(
      'mutation($id: ID!) { result: compactBackup(input: { backupId: $id }) { job { id } errors { message } } }',
      { id: backupId },
    );
  }

  /** How the changes of its tables were found, each way once. */
  async changeDetections(backupId: string): Promise<string[]> {
    const { backup } = await this.query<{ backup: { tables: { changeDetection: string }[] } }>(
      'query($id: ID!) { backup(id: $id) { tables { changeDetection } } }',
      { id: backupId },
    );
    return [...new Set(backup.tables.map(({ changeDetection }) => changeDetection))].sort();
  }

  restore(backupId: string): Promise<JobOutcome> {
    return this.runJob(
      'mutation($id: ID!) { result: restoreBackup(input: { backupId: $id, type: FULL }) { job { id } errors { message } } }',
      { id: backupId },
    );
  }

  plan(backupId: string): Promise<JobOutcome> {
    return this.runJob(
      'mutation($id: ID!) { result: planRestore(input: { backupId: $id, type: FULL }) { job { id } errors { message } } }',
      { id: backupId },
    );
  }

  get pid(): number {
    return this.child.pid as number;
  }

  peakMib(): number {
    return peakResidentMib(this.child.pid as number);
  }

  /** The event loop's longest delay since the last call, ms. */
  async longestStallMs(): Promise<number> {
    const file = join(this.options.folder, 'loop.json');
    rmSync(file, { force: true });
    this.child.kill('SIGUSR2');
    for (;;) {
      await pause(20);
      try {
        return (JSON.parse(readFileSync(file, 'utf8')) as { maxMs: number }).maxMs;
      } catch {
        // because the service writes the file when it gets to it
      }
    }
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await gone;
  }

  private async runJob(mutation: string, variables: Record<string, unknown> = {}): Promise<JobOutcome> {
    const started = performance.now();
    const cpuBefore = cpuSecondsOf(this.pid);
    const { result } = await this.query<{ result: { job: { id: string } | null; errors: unknown[] } }>(
      mutation,
      variables,
    );
    if (!result.job) throw new Error(JSON.stringify(result.errors));
    const job = await this.waitForJob(result.job.id);
    return {
      wallSeconds: (performance.now() - started) / 1000,
      cpuSeconds: cpuSecondsOf(this.pid) - cpuBefore,
      backupId: job.backup?.id ?? null,
      storedBytes: Number(job.backup?.storedBytes ?? 0),
    };
  }

  private async waitForJob(id: string): Promise<{ backup: { id: string; storedBytes: string } | null }> {
    for (;;) {
      const { job } = await this.query<{
        job: { state: string; failure: unknown; backup: { id: string; storedBytes: string } | null };
      }>('query($id: ID!) { job(id: $id) { state failure { code message } backup { id storedBytes } } }', { id });
      if (job.state === 'COMPLETED') return job;
      if (job.state === 'FAILED' || job.state === 'CANCELLED') throw new Error(JSON.stringify(job));
      await pause(100);
    }
  }

  private async waitUntilReady(): Promise<void> {
    const deadline = performance.now() + READY_PATIENCE_MS;
    while (performance.now() < deadline) {
      if (this.child.exitCode !== null) throw new Error(`the service ended with ${this.child.exitCode}`);
      const response = await fetch(`http://127.0.0.1:${this.options.port}/health/ready`).catch(() => null);
      if (response?.ok) return;
      await pause(50);
    }
    throw new Error('the service did not become ready');
  }
}

/** Answers of a list query sent again and again while `work` runs: median and 95th percentile, ms. */
export async function measureListLatency(
  service: ServiceUnderTest,
  work: Promise<unknown>,
): Promise<{ medianMs: number; p95Ms: number }> {
  const query = '{ jobs(first: 50) { nodes { id kind state createdAt startedAt finishedAt createdBy attempt } } }';
  const samples: number[] = [];
  let running = true;
  const stop = (): void => void (running = false);
  work.then(stop, stop);
  while (running) {
    const started = performance.now();
    await service.query(query);
    samples.push(performance.now() - started);
    await pause(20);
  }
  samples.sort((a, b) => a - b);
  const at = (share: number): number =>
    samples[Math.min(samples.length - 1, Math.floor(samples.length * share))] ?? NaN;
  return { medianMs: at(0.5), p95Ms: at(0.95) };
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
