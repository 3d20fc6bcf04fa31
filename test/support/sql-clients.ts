/** The clients that people run scripts with: `mariadb` or `mysql`, and `sqlite3`, where they are installed. */
import { spawn, spawnSync } from 'node:child_process';
import { Readable } from 'node:stream';
import Libsql from 'libsql';

function installed(...names: string[]): string | null {
  return names.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0) ?? null;
}

export const mysqlClient = installed('mariadb', 'mysql');
export const sqliteShell = installed('sqlite3');

/** Runs the script on the schema that the URL names; throws what the client complains of. */
export async function runMysqlScript(url: string, script: Buffer, more: readonly string[] = []): Promise<void> {
  const { hostname, port, username, password, pathname } = new URL(url);
  const login = [`--host=${hostname}`, `--port=${port}`, '--protocol=tcp', `--user=${username}`];
  const options = ['--no-defaults', ...login, `--password=${password}`, ...more];
  await runClient(mysqlClient!, [...options, decodeURIComponent(pathname.slice(1))], script);
}

/** By the shell where there is one. */
export async function runSqliteScript(path: string, script: Buffer): Promise<void> {
  if (sqliteShell !== null) return runClient(sqliteShell, ['-bail', path], script);
  const database = new Libsql(path);
  database.exec(script.toString('utf8'));
  database.close();
}

async function runClient(client: string, options: readonly string[], script: Buffer): Promise<void> {
  const child = spawn(client, options, { stdio: ['pipe', 'ignore', 'pipe'] });
  const complaints: Buffer[] = [];
  child.stderr.on('data', (data: Buffer) => complaints.push(data));
  child.stdin.on('error', () => undefined); // because: a client that stopped has said why
  Readable.from([script]).pipe(child.stdin);
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${client} ended with ${String(code)}: ${Buffer.concat(complaints).toString()}`);
}
