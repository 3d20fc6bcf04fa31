/**
 * A headless Chromium for tests: the one on PATH, else Debian's where this runs as root, else none. With CI=true none is an
 * error: nothing may go untested there for lack of a browser.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'];
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
]; // prettier-ignore

/** The browser's path; undefined where there is none and none can be installed. */
export function findChromium(): string | undefined {
  const found = onPath() ?? (installFromDebian() ? onPath() : undefined);
  if (!found && process.env.CI === 'true')
    throw new Error('CI=true, and there is no Chromium on PATH, nor could one be installed.');
  return found;
}

function onPath(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // because: not there and not executable are the same here
  }
}

function installFromDebian(): boolean {
  if (process.env.CI !== 'true' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return false;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync('apt-get', ['update', '-q'], { env, stdio: 'ignore' });
  execFileSync('apt-get', ['install', '-q', '-y', '--no-install-recommends', 'chromium'], { env, stdio: 'ignore' });
  return true;
}

/** Starts it so that whatever is not on this machine goes to `proxy`. */
export function launchChromium(executablePath: string, proxy: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: [...FLAGS, `--proxy-server=${proxy}`] });
}
