/** `npm start` as an operator or a container runs it: a signal to npm alone reaches the service, which ends in order. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(__dirname, '../..');
/** A first start fills the demo database: seconds, but many on a busy machine. */
const START_LIMIT_MS = 180_000;

let folder = '';
let npm: ChildProcess | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'riskvault-npm-'));
});
afterEach(() => {
  // The whole group: a service that was left behind must not outlive the test.
  if (npm?.pid !== undefined) killGroup(npm.pid);
  rmSync(folder, { recursive: true, force: true });
});

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // because it is gone as it should be
  }
}

/** The log's lines; resolves once it listens. */
async function npmStart(): Promise<{ said: string[]; closed: Promise<unknown> }> {
  const foreign = Object.entries(process.env).filter(([name]) => !/^(RISKVAULT|npm)_/.test(name));
  const env = { ...Object.fromEntries(foreign), RISKVAULT_DATA_FOLDER: folder, RISKVAULT_PORT: '0' };
  const child = spawn('npm', ['start'], { cwd: ROOT, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  npm = child;
  const said: string[] = [];
  const closed = once(child, 'close');
  child.stderr.on('data', (data: Buffer) => said.push(data.toString()));
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      said.push(line);
      if (line.includes('"listening on ')) resolve();
    });
    child.once('exit', () => reject(new Error(said.join('\n'))));
  });
  return { said, closed };
}

test(
  'SIGTERM to npm start ends the service in order, and npm only after it',
  async () => {
    const { said, closed } = await npmStart();
    npm!.kill('SIGTERM');
    await once(npm!, 'exit');
    killGroup(npm!.pid!); // what npm left behind now says no more
    await closed;
    expect(said.filter((line) => /"(stopping|stopped)"/.test(line))).toHaveLength(2);
  },
  START_LIMIT_MS,
);

test('where the shell knows no exec, that of Windows, a file of the name stands in', () => {
  expect(existsSync(join(ROOT, 'exec.cmd'))).toBe(true);
});
