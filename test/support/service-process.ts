/** The service as its operator runs it: a process of its own, from compiled code, that tests start, kill and start again. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ServiceClient } from './service-client';
import { serviceFolder, writeSettings, type ServicePlace } from './service-settings';

const MAIN = join(__dirname, '../../dist/main.js');

export interface EndedStart {
  code: number | null;
  stderr: string;
}

export class ServiceProcess {
  readonly client = new ServiceClient(() => this.address);
  /** Lines of its log, all starts together. */
  readonly log: string[] = [];
  private readonly folder = serviceFolder();
  private child: ChildProcess | null = null;
  private address = '';

  constructor(private place: ServicePlace) {}

  get path(): string {
    return this.folder.path;
  }

  /** Where it listens. */
  get url(): string {
    return this.address;
  }

  /** Another place from the next start on. */
  move(place: Partial<ServicePlace>): void {
    this.place = { ...this.place, ...place };
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const child = this.spawn();
    const lines = createInterface({ input: child.stdout! });
    const listening = new Promise<string>((resolve, reject) => {
      lines.on('line', (line) => {
        this.log.push(line);
        const [, address] = /"listening on (http:[^:]+:\d+):/.exec(line) ?? [];
        if (address !== undefined) resolve(address);
      });
      child.once('exit', (code) =>
        reject(new Error(`the service ended with ${code}:\n${this.log.slice(-5).join('\n')}`)),
      );
    });
    child.stderr!.on('data', (data: Buffer) => this.log.push(data.toString()));
    this.address = await listening;
  }

  /** A start that has to fail: its exit code and what it said. */
  async failedStart(): Promise<EndedStart> {
    const child = this.spawn();
    let stderr = '';
    child.stderr!.on('data', (data: Buffer) => (stderr += data.toString()));
    child.stdout!.resume();
    const [code] = (await once(child, 'close')) as [number | null];
    this.child = null;
    return { code, stderr };
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async remove(): Promise<void> {
    await this.kill();
    this.folder.remove();
  }

  private spawn(): ChildProcess {
    const file = writeSettings(this.folder.path, this.place);
    const foreign = ([name]: [string, unknown]): boolean => !name.startsWith('RISKVAULT_');
    const environment = Object.fromEntries(Object.entries(process.env).filter(foreign));
    this.child = spawn(process.execPath, [MAIN], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...environment, RISKVAULT_CONFIG: file },
    });
    return this.child;
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    this.child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'close');
    child.kill(signal);
    await gone;
  }
}
