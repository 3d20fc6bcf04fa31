/**
 * The disaster runbook does what it says: every command of docs/disaster-runbook.md is run through bash as it is written, against a
 * disaster that was prepared, and what "You see" promises has to be seen.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackupId } from '../../src/domain/ids';
import { DEFAULT_MAPPING } from '../../src/domain/mapping';
import type { Source } from '../../src/domain/source';
import { openRepository } from '../../src/repository/repository';
import { backup } from '../support/engine-context';
import { freePort, stopMariadb } from '../support/mariadb';
import { describeMariadb, needServer, openTestMysql } from '../support/mysql-source';
import { bareEnvironment } from '../support/offline-stand';
import { readRunbook, type RunbookStep } from '../support/runbook';
import { damageStatements, mariadbPlatform, sqlitePlatform, type Platform } from '../support/service-platforms';
import { openTestSource, testAmbient } from '../support/sqlite';
import { fillDisk, mountSmallDisk } from '../support/small-disk';

jest.setTimeout(120_000);

const ROOT = join(__dirname, '../..');
const STEP_TIMEOUT_MS = 60_000;
const PASSPHRASE = 'as it lies in the safe';
const runbook = readRunbook(join(ROOT, 'docs/disaster-runbook.md'));

let folder: string;
let environment: Record<string, string>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'riskvault-runbook-'));
  const port = String(await freePort());
  mkdirSync(join(folder, 'elsewhere'));
  writeFileSync(join(folder, 'passphrase'), `${PASSPHRASE}\n`);
  writeFileSync(join(folder, 'second'), 'another one, kept by another\n');
  environment = {
    REPOSITORY: join(folder, 'repository'),
    RISKVAULT_REPOSITORY_URL: `file:${join(folder, 'repository')}`,
    RISKVAULT_PASSPHRASE_FILE: join(folder, 'passphrase'),
    RISKVAULT_DATA_FOLDER: join(folder, 'data'),
    RISKVAULT_PORT: port,
    API: `http://127.0.0.1:${port}`,
    LOG: join(folder, 'service.log'),
    ELSEWHERE: join(folder, 'elsewhere'),
    COPY: join(folder, 'copy'),
  };
});
afterEach(async () => {
  await stopService();
  rmSync(folder, { recursive: true, force: true });
});

function run(script: string): { status: number | null; output: string; stderr: string } {
  const env = { ...bareEnvironment(), ...environment };
  const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: ROOT,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: STEP_TIMEOUT_MS,
  });
  return { status, output: stdout, stderr };
}

/** Runs one step as written; its output. */
function execute({ script, sees, exitCode }: RunbookStep): string {
  const { status, output, stderr } = run(script);
  expect({ script, status, stderr: status === exitCode ? '' : stderr }).toEqual({
    script,
    status: exitCode,
    stderr: '',
  });
  for (const seen of sees) expect(output).toMatch(seen);
  return output;
}

/** All steps of a chapter in order; `before` makes what the step of that number is for. */
function follow(chapter: number, before: Record<number, (outputs: string[]) => void> = {}): string[] {
  const outputs: string[] = [];
  for (const [at, step] of steps(chapter).entries()) {
    before[at]?.(outputs);
    outputs.push(execute(step));
  }
  return outputs;
}

function steps(chapter: number): RunbookStep[] {
  const found = runbook.chapters.get(chapter);
  if (!found || found.length === 0) throw new Error(`the runbook has no commands in chapter ${chapter}`);
  return found;
}

/** As chapter 1 starts it. */
const startService = (): string => execute(steps(1)[1]!);

async function stopService(): Promise<void> {
  if (run('test -f "$LOG.pid" && kill "$(cat "$LOG.pid")"').status !== 0) return;
  run('while curl --silent --output /dev/null "$API/health/live"; do sleep 0.1; done');
}

/** Backups of the source into a repository; between two of them `change` is called. */
async function takeBackups(source: Source, count: number, change: () => Promise<void>): Promise<BackupId[]> {
  const settings = { url: environment.RISKVAULT_REPOSITORY_URL!, passphrase: PASSPHRASE, compression: 'zstd', compressionLevel: 1, gracePeriodMs: 0 } as const; // prettier-ignore
  const store = await openRepository({ settings, ...testAmbient });
  const taken: BackupId[] = [];
  try {
    for (let i = 0; i < count; i++) {
      if (i > 0) await change();
      taken.push((await backup({ source, store })).stored.manifest.backupId);
    }
    return taken;
  } finally {
    await store.close();
    await source.close();
  }
}

test('the runbook explains every variable that its commands use, and its chapters are all run here', () => {
  const used = new Set<string>();
  for (const { script } of [...runbook.chapters.values()].flat())
    for (const [, name] of script.matchAll(/\$\{?([A-Z_]+)/g)) used.add(name!);
  expect([...used].filter((name) => !runbook.variables.includes(name))).toEqual([]);
  expect([...runbook.chapters.keys()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

describe('with a platform on SQLite', () => {
  let platform: Platform;
  let first: BackupId;
  let later: BackupId;
  let whole: unknown;
  beforeEach(async () => {
    platform = await sqlitePlatform(40);
    whole = await platform.state();
    environment.RISKVAULT_SOURCE_URL = platform.sourceUrl;
    const source = openTestSource(platform.sourceUrl.slice('sqlite:'.length), DEFAULT_MAPPING);
    [first, later] = (await takeBackups(source, 2, () => platform.exec(...damageStatements(1)))) as [
      BackupId,
      BackupId,
    ];
    environment.BACKUP = first;
  });
  afterEach(() => platform.remove());

  const target = (name: string): void => void (environment.RISKVAULT_TARGET_URL = `sqlite:${join(folder, name)}`);

  test('chapters 1 and 2: a new service, and then one with a new catalog, know the backups and go on', () => {
    const [, , made] = follow(1);
    expect(made).toContain('"imported":2');
    const [, known] = follow(2);
    for (const id of [first, later]) expect(known).toContain(id);
    expect(known).toContain('"totalCount":3');
  });

  test('chapter 5: what is damaged is named, restored from a copy, or stored anew', () => {
    cpSync(environment.REPOSITORY!, environment.COPY!, { recursive: true });
    target('what-is-left.sqlite');
    const damage = (): void => {
      environment.OBJECT = damagePack(environment.REPOSITORY!);
      rmSync(join(environment.ELSEWHERE!, environment.OBJECT.split('/').at(-1)!), { force: true });
    };
    damage();
    const outputs = follow(5, { 3: damage });
    expect(outputs[0]).toContain(environment.OBJECT);
    expect(outputs.at(-1)).toMatch(/hurts backup|all sound/);
    expect(outputs.at(-1)).not.toContain(environment.OBJECT);
  });

  test('chapter 6: a passphrase is proven, doubled, and its keys brought back', () => {
    environment.RISKVAULT_NEW_PASSPHRASE_FILE = join(folder, 'second');
    follow(6, { 3: () => rmSync(join(environment.REPOSITORY!, 'keys'), { recursive: true }) });
  });

  const disk = mountSmallDisk(8);
  (disk ? test : test.skip)(
    'chapter 7: a full disk is restored from, and freed (needs the right to mount one)',
    async () => {
      try {
        cpSync(environment.REPOSITORY!, join(disk!.path, 'repository'), { recursive: true });
        environment.REPOSITORY = join(disk!.path, 'repository');
        environment.RISKVAULT_REPOSITORY_URL = `file:${environment.REPOSITORY}`;
        target('from-full-disk.sqlite');
        startService();
        const ballast = join(disk!.path, 'ballast');
        fillDisk(ballast, 1 << 10);
        follow(7, { 1: () => rmSync(ballast) });
      } finally {
        await stopService();
      }
    },
  );
  afterAll(() => disk?.unmount());

  test('chapter 8: the right backup is restored over the wrong one', async () => {
    cpSync(environment.REPOSITORY!, environment.COPY!, { recursive: true });
    environment.RISKVAULT_TARGET_URL = platform.sourceUrl;
    const outputs = follow(8);
    expect(outputs[0]).toContain(later);
    expect(await platform.state()).toEqual(whole);
  });

  test('chapter 9: a restore is taken up', () => {
    target('taken-up.sqlite');
    const { stderr } = run('npm run -s offline -- restore "$BACKUP"');
    environment.RESTORE = /--take-up (\S+)/.exec(stderr)?.[1] ?? '';
    follow(9);
  });
});

const describeWithClient = hasClient() ? describeMariadb : describe.skip;
describeWithClient('with a platform on MariaDB', () => {
  let platform: Platform;
  let whole: Awaited<ReturnType<Platform['state']>>;
  beforeEach(async () => {
    const server = await needServer();
    platform = await mariadbPlatform(server, 2000);
    whole = await platform.state();
    environment.RISKVAULT_SOURCE_URL = platform.sourceUrl;
    const source = openTestMysql(platform.sourceUrl, DEFAULT_MAPPING);
    const [taken] = await takeBackups(source, 1, async () => undefined);
    const { hostname, port, username, pathname } = new URL(platform.sourceUrl);
    environment.BACKUP = taken!;
    environment.CLIENT = `--host=${hostname} --port=${port} --user=${username}`;
    environment.DATABASE = pathname.slice(1);
    environment.RISKVAULT_TARGET_URL = platform.sourceUrl;
  });
  afterEach(() => platform.remove());
  afterAll(() => stopMariadb());

  test('chapter 3: a new database gets all, and one business of it again', async () => {
    environment.DATABASE = platform.scratch('anew');
    environment.RISKVAULT_TARGET_URL = (await needServer()).url(environment.DATABASE);
    const [businessId = ''] = await platform.values('SELECT business_id FROM risk_alerts LIMIT 1');
    environment.BUSINESS = businessId;
    const harm = `DELETE FROM risk_alerts WHERE business_id = '${businessId}'`;
    const outputs = follow(3, { 2: () => client(harm) });
    expect(changesIn(outputs[1]!)).toBe(0);
    expect(outputs[2]!.match(/^risk_alerts +[1-9]\d* +0 +0/gm)).toHaveLength(2);
    expect(await platform.state(environment.DATABASE)).toEqual(whole);
  });

  test('chapter 4: a bad deploy is looked at beside the data, then undone', async () => {
    startService();
    await platform.exec(...damageStatements(4));
    const outputs = follow(4);
    expect(changesIn(outputs[1]!)).toBeGreaterThan(0);
    expect(outputs[2]).toMatch(/changed\t[1-9]\d*\ndeleted\t0/);
    expect(changesIn(outputs[3]!.slice(outputs[3]!.indexOf('Nothing was written')))).toBe(0);
    expect(await platform.state()).toEqual(whole);
  });

  function client(statement: string): void {
    const { CLIENT, DATABASE } = environment;
    execFileSync('mariadb', [...CLIENT!.split(' '), '-e', statement, DATABASE!]);
  }
});

/** Rows inserted, updated and deleted, as a restore's table tells them. */
function changesIn(output: string): number {
  const lines = [...output.matchAll(/^\w+ +(\d+) +(\d+) +(\d+) +\d+$/gm)];
  expect(lines.length).toBeGreaterThan(0);
  return lines.reduce(
    (sum, [, ...counts]) => sum + counts.slice(0, 3).reduce((total, text) => total + Number(text), 0),
    0,
  );
}

/** Flips a byte of the largest pack, late in it: rows of a table that no other refers to; its name in the repository. */
function damagePack(repository: string): string {
  const packs = readdirSync(repository, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.pack'));
  const size = (name: string): number => statSync(join(repository, name)).size;
  const [largest = ''] = packs.sort((left, right) => size(right) - size(left));
  const bytes = readFileSync(join(repository, largest));
  bytes[Math.floor(bytes.length * 0.8)]! ^= 1;
  writeFileSync(join(repository, largest), bytes);
  return largest;
}

function hasClient(): boolean {
  return spawnSync('mariadb', ['--version']).status === 0;
}
