/**
 * A MariaDB or MySQL server for tests: the one that TEST_MYSQL_URL names, else a throwaway `mariadbd` or `mysqld` with its own
 * data folder, port and row binary log, found on PATH or in /usr/sbin, or on Debian as root installed by apt-get. One per test
 * run: `startMariadb` before the suites, `stopMariadb` after them; a suite run alone starts its own on first use.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection, type Connection } from 'mysql2/promise';

export interface MariadbServer {
  /** `mysql://` URL with rights to do anything, for `db` or for no schema. */
  url(db?: string): string;
  hasBinlog: boolean;
  isMariadb: boolean;
}

const ENV = 'RISKVAULT_TEST_MARIADB';
const NO_SERVER = 'Neither TEST_MYSQL_URL nor a mariadbd or mysqld was found: MySQL and MariaDB are NOT tested.';
const START_TIMEOUT_MS = 60_000;
let ownServer: OwnServer | null = null;

/** The server of this run, or null where none can be had; then tests say what they leave out. In CI that is an error. */
export async function mariadbServer(): Promise<MariadbServer | null> {
  const url = process.env.TEST_MYSQL_URL ?? process.env[ENV] ?? (await startMariadb());
  if (url === null) {
    if (process.env.CI) throw new Error(NO_SERVER);
    process.stderr.write(`${NO_SERVER}\n`);
    return null;
  }
  return describeServer(url);
}

/** Whether this run has, or can start, a server: suites ask it when they are defined, and say so where they are skipped. */
export function canHaveMariadb(): boolean {
  const known = process.env.TEST_MYSQL_URL ?? process.env[ENV] ?? findDaemon();
  if (!known && process.env.CI) throw new Error(NO_SERVER);
  return Boolean(known);
}

export async function describeServer(url: string): Promise<MariadbServer> {
  const connection = await createConnection(url);
  try {
    const [rows] = await connection.query('SELECT @@log_bin AS log_bin, VERSION() AS version');
    const [row] = rows as { log_bin: number; version: string }[];
    const withSchema = (db = ''): string =>
      Object.assign(new URL(url), { pathname: `/${encodeURIComponent(db)}` }).href;
    return { url: withSchema, hasBinlog: row?.log_bin === 1, isMariadb: /mariadb/i.test(row?.version ?? '') };
  } finally {
    await connection.end();
  }
}

/**
 * Starts the throwaway server of this run and tells later test processes by the environment. Null where none can be had. Options
 * given here win over those of the tests, which buy speed with durability.
 */
export async function startMariadb(options: readonly string[] = []): Promise<string | null> {
  const known = process.env.TEST_MYSQL_URL ?? process.env[ENV];
  if (known) return known;
  ownServer = await OwnServer.create(options);
  if (ownServer) process.env[ENV] = ownServer.url;
  return ownServer?.url ?? null;
}

/** A throwaway server of one suite alone, for what would disturb others: it can be ended and started anew on its data. */
export class OwnServer {
  private process: ChildProcess | null = null;
  private readonly killNow = (): void => {
    this.process?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  };

  private constructor(
    private readonly daemon: string,
    private readonly folder: string,
    private readonly port: number,
  ) {
    // A suite that started its own must not leave it behind.
    process.once('exit', this.killNow);
  }

  /** Null where no server can be had. */
  static async create(options: readonly string[] = []): Promise<OwnServer | null> {
    const daemon = findDaemon() ?? installDaemon();
    if (!daemon) return null;
    const folder = mkdtempSync(join(tmpdir(), 'riskvault-mariadb-'));
    const server = new OwnServer(daemon, folder, await freePort());
    initialize(daemon, folder);
    await server.start(options);
    return server;
  }

  get url(): string {
    return `mysql://root@127.0.0.1:${this.port}`;
  }

  async start(options: readonly string[] = []): Promise<void> {
    const { daemon, folder, port } = this;
    rmSync(join(folder, 'error.log'), { force: true });
    this.process = spawn(daemon, [...daemonOptions(daemon, folder, port), ...options], { stdio: 'ignore' });
    await untilReady(folder, this.process);
  }

  /** At once, as a crash would. */
  async kill(): Promise<void> {
    const server = this.process;
    this.process = null;
    if (!server || server.exitCode !== null) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGKILL');
    await ended;
  }

  async remove(): Promise<void> {
    await this.kill();
    process.removeListener('exit', this.killNow);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function findDaemon(): string | null {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  const candidates = folders.flatMap((folder) => ['mariadbd', 'mysqld'].map((name) => join(folder, name)));
  return candidates.find((path) => existsSync(path)) ?? null;
}

/** Debian and its kin, as root, with network: worth a try; anything else goes without. */
function installDaemon(): string | null {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return null;
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'mariadb-server'], { stdio: 'ignore', env });
  } catch {
    // Without network or rights there is no server; the caller says so.
    return null;
  }
  return findDaemon();
}

/** Both give a root without password. */
function initialize(daemon: string, folder: string): void {
  const data = join(folder, 'data');
  const options = ['--no-defaults', `--datadir=${data}`, ...asUser()];
  mkdirSync(data);
  mkdirSync(join(folder, 'tmp'));
  if (isMysql(daemon)) return void execFileSync(daemon, [...options, '--initialize-insecure'], { stdio: 'ignore' });
  const more = ['--auth-root-authentication-method=normal', '--skip-test-db'];
  execFileSync(installScript(daemon), [...options, ...more], { stdio: 'ignore' });
}

/** `mysqld` is MySQL's daemon, and on some machines another name of MariaDB's. */
function isMysql(daemon: string): boolean {
  return !/mariadb/i.test(execFileSync(daemon, ['--no-defaults', '--version'], { encoding: 'utf8' }));
}

function installScript(daemon: string): string {
  const sibling = daemon.replace(/sbin\/[^/]+$/, 'bin/mariadb-install-db');
  return existsSync(sibling) ? sibling : 'mariadb-install-db';
}

function asUser(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}

function daemonOptions(daemon: string, folder: string, port: number): string[] {
  return [
    '--no-defaults',
    ...asUser(),
    `--datadir=${join(folder, 'data')}`,
    // A server that starts removes temporary files, also those of others in the same folder.
    `--tmpdir=${join(folder, 'tmp')}`,
    `--socket=${join(folder, 'mariadbd.sock')}`,
    `--pid-file=${join(folder, 'mariadbd.pid')}`,
    `--log-error=${join(folder, 'error.log')}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    '--log-bin=binlog',
    '--server-id=77',
    '--local-infile=1',
    '--character-set-server=utf8mb4',
    '--innodb-buffer-pool-size=128M',
    '--innodb-flush-log-at-trx-commit=2',
    '--innodb-doublewrite=0',
    ...ownOptions(daemon),
  ];
}

/** MySQL knows 127.0.0.1 as localhost, where its root is at home, only by resolving it. */
function ownOptions(daemon: string): string[] {
  return isMysql(daemon)
    ? ['--mysqlx=OFF', '--secure-file-priv=NULL']
    : ['--innodb-flush-method=nosync', '--skip-name-resolve', '--binlog-format=ROW'];
}

/** A port of loopback that was free just now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}

/** Ready is when it says so in its log. */
async function untilReady(folder: string, server: ChildProcess): Promise<void> {
  const log = join(folder, 'error.log');
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const text = existsSync(log) ? readFileSync(log, 'utf8') : '';
    if (/ready for connections/.test(text)) return;
    if (server.exitCode !== null) throw new Error(`mariadbd ended with code ${server.exitCode}:\n${text}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('mariadbd did not become ready in time');
}

/** Ends the server that `startMariadb` of this process started. */
export async function stopMariadb(): Promise<void> {
  if (!ownServer) return;
  const server = ownServer;
  ownServer = null;
  delete process.env[ENV];
  await server.remove();
}

export interface TestSchema {
  name: string;
  url: string;
  connection: Connection;
  /** Runs statements one after another. */
  exec(...statements: string[]): Promise<void>;
  /** Drops it and closes the connection. */
  drop(): Promise<void>;
}

/** Rows `seq` of the numbers from `first` to `last`, as a table to select from on any server. */
export function numbers(first: number, last: number): string {
  const array = `CONCAT('[0', REPEAT(',0', ${last - first}), ']')`;
  return `(SELECT n + ${first - 1} AS seq FROM JSON_TABLE(${array}, '$[*]' COLUMNS (n FOR ORDINALITY)) counted) numbers`;
}

let schemaNumber = 0;

/** A fresh schema, named after this process so that suites at once never meet. */
export async function createSchema(server: MariadbServer, area = 'mysql'): Promise<TestSchema> {
  const name = `rv_test_${area}_${process.pid}_${++schemaNumber}`;
  const connection = await createConnection({ uri: server.url(), multipleStatements: true, charset: 'utf8mb4' });
  await connection.query(`DROP DATABASE IF EXISTS \`${name}\``);
  await connection.query(`CREATE DATABASE \`${name}\` CHARACTER SET utf8mb4`);
  await connection.query(`USE \`${name}\``);
  return {
    name,
    url: server.url(name),
    connection,
    async exec(...statements) {
      for (const statement of statements) await connection.query(statement);
    },
    async drop() {
      await connection.query('ROLLBACK');
      await connection.query('UNLOCK TABLES');
      await connection.query(`DROP DATABASE IF EXISTS \`${name}\``);
      await connection.end();
    },
  };
}
