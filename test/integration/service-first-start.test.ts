/** The first start of the service in an empty folder, as an operator runs it: alone, by two processes at once, and refused. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { until } from '../support/fake-clock';
import { freePort } from '../support/mariadb';
import { ServiceProcess } from '../support/service-process';

const DIST = join(__dirname, '../../dist');
let folder = '';
const children: ChildProcess[] = [];
/** A first start fills the demo database: seconds, but many on a busy machine. */
const START_LIMIT_MS = 180_000;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'riskvault-start-')), 'data');
});
afterEach(async () => {
  await Promise.all(children.splice(0).map(stop));
  rmSync(join(folder, '..'), { recursive: true, force: true });
});

function environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const foreign = Object.entries(process.env).filter(([name]) => !name.startsWith('RISKVAULT_'));
  const places = {
    RISKVAULT_CATALOG_URL: `sqlite:${folder}/catalog.sqlite`,
    RISKVAULT_REPOSITORY_URL: `file:${folder}/repository`,
    RISKVAULT_DATA_FOLDER: folder,
    RISKVAULT_PORT: '0',
  };
  return { ...Object.fromEntries(foreign), ...places, ...more };
}

/** Starts a service; its address once it listens. */
async function start(): Promise<string> {
  const child = spawn(process.execPath, [join(DIST, 'main.js')], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const said: string[] = [];
  child.stderr.on('data', (data: Buffer) => said.push(data.toString()));
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      said.push(line);
      const address = /"listening on (http:[^:]+:\d+):/.exec(line)?.[1];
      if (address !== undefined) resolve(address);
    });
    child.once('exit', () => reject(new Error(said.join('\n'))));
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = once(child, 'close');
  child.kill('SIGTERM');
  await gone;
}

function filesOf(path: string): string[] {
  return readdirSync(path, { withFileTypes: true, recursive: true }).map((entry) => join(entry.parentPath, entry.name));
}

test(
  'two services that start in one empty folder at once share what the first one makes',
  async () => {
    const addresses = await Promise.all([start(), start()]);
    for (const address of addresses) {
      const body = JSON.stringify({ query: '{ serviceInfo { version } }' });
      const answer = await fetch(`${address}/graphql`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      expect(answer.status).toBeLessThan(500);
      const ready = await fetch(`${address}/health/ready`);
      expect(await ready.json()).toMatchObject({ ready: true });
    }
    expect(readdirSync(folder).filter((name) => name.includes('unfinished'))).toEqual([]);
  },
  START_LIMIT_MS,
);

test(
  'what the service makes is readable for its user alone; the doctor warns where it is not, and adds no file',
  async () => {
    await start();
    for (const path of [folder, ...filesOf(folder)]) expect([path, statSync(path).mode & 0o077]).toEqual([path, 0]);
    await Promise.all(children.splice(0).map(stop));
    chmodSync(join(folder, 'catalog.sqlite'), 0o644);
    const objects = (): string[] =>
      filesOf(folder).filter((path) => statSync(path).isFile() && !/-(wal|shm)$/.test(path));
    const before = objects();
    const { stdout, stderr } = spawnSync(process.execPath, [join(DIST, 'doctor.js')], {
      env: environment(),
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/catalog\.sqlite can be read by others/);
    expect(objects()).toEqual(before);
  },
  START_LIMIT_MS,
);

describe('a start that is refused', () => {
  const refusedStart = (more: NodeJS.ProcessEnv): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, [join(DIST, 'main.js')], { env: environment(more), encoding: 'utf8' });

  test('for its host leaves nothing behind, and the doctor refuses the host too', () => {
    const { status, stderr } = refusedStart({ RISKVAULT_HOST: '0.0.0.0' });
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/RISKVAULT_HOST .*no authentication yet; give 127\.0\.0\.1/),
    ]);
    expect(existsSync(folder)).toBe(false);
    const examined = spawnSync(process.execPath, [join(DIST, 'doctor.js')], {
      env: environment({ RISKVAULT_HOST: '0.0.0.0' }),
    });
    expect(examined.status).toBe(1);
  });

  test('for a port in use leaves nothing behind', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    try {
      await once(taken, 'listening');
      const { status, stderr } = refusedStart({ RISKVAULT_PORT: String((taken.address() as AddressInfo).port) });
      expect([status, stderr]).toEqual([
        1,
        expect.stringMatching(/Can't listen on .*EADDRINUSE.*\nStop what uses the port/),
      ]);
      expect(existsSync(folder)).toBe(false);
    } finally {
      taken.close();
    }
  });

  test('for a data folder that is a file, or that can not be made, says so without a trace of code', () => {
    const file = join(folder, '../file');
    writeFileSync(file, '');
    for (const data of [file, join(file, 'data')]) {
      const { status, stderr } = refusedStart({ RISKVAULT_DATA_FOLDER: data });
      expect([status, stderr]).toEqual([1, expect.stringContaining(`${file} is a file; give a folder`)]);
    }
    const { stderr } = refusedStart({ RISKVAULT_DATA_FOLDER: join(folder, 'n'.repeat(300)) });
    expect(stderr).toMatch(/ENAMETOOLONG.*\nCheck that this path is there/);
    expect(stderr).not.toMatch(/\n +at /);
  });
});

test('a source that can not be used is warned of at the start, with what to do, and does not end readiness', async () => {
  const service = new ServiceProcess({ sourceUrl: `mysql://rv:secret@127.0.0.1:${await freePort()}/kyb` });
  try {
    await service.start();
    const warned = (): string | undefined => service.log.find((line) => line.includes('the source can not be used'));
    await until(() => warned() !== undefined);
    expect(warned()).toMatch(
      /"level":"warn".*"source":"default".*SOURCE_UNAVAILABLE.*Check that the database server runs/,
    );
    const ready = (await (await fetch(`${service.url}/health/ready`)).json()) as { checks: unknown[] };
    expect(ready).toMatchObject({ ready: true });
    expect(ready.checks).toContainEqual(
      expect.objectContaining({ name: 'source default', ok: false, optional: true, message: 'SOURCE_UNAVAILABLE' }),
    );
  } finally {
    await service.remove();
  }
});
