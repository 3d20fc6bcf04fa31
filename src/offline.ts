/**
 * `npm run offline`: the composition root of the offline command, which lists, verifies and restores from a repository alone. The
 * first Ctrl-C cancels and undoes what was begun; the second ends at once.
 */
import { tmpdir } from 'node:os';
import { askHidden } from './cli/offline/hidden-prompt';
import { runOffline } from './cli/offline/run-offline';
import type { OfflineDeps, Terminal } from './cli/offline/terminal';
import { openSource } from './open-source';
import { systemClock, systemRandom } from './ops/ambient';
import { outliveClosedPipes } from './ops/closed-pipes';
import { checkDatabaseUrl } from './ops/config/database-url';
import { NEW_PASSPHRASE_VARIABLE, TARGET_URL_VARIABLE } from './ops/config/environment';
import { loadRepositorySettings, readVariable } from './ops/config/load-config';
import { createLogger, withoutCredentials } from './ops/logger';
import { PROGRAM } from './program';

/** What is restored holds the risk data of a platform: it is readable for its own user alone. */
const PRIVATE_UMASK = 0o077;
const EXIT_AT_ONCE = 130;
/** npm passes on the signal that the terminal sent to both of us: that is one Ctrl-C. */
const SAME_SIGNAL_MS = 300;
const STATUS_INTERVAL_MS = 200;

function terminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  const asks = stdin.isTTY && stderr.isTTY;
  return {
    out: (line) => void stdout.write(`${withoutCredentials(line)}\n`),
    err: (line) => void stderr.write(`${withoutCredentials(line)}\n`),
    status: stderr.isTTY ? statusLine((text) => void stderr.write(`\r\u001b[2K${text}`)) : null,
    askSecret: asks ? (question) => askHidden(question, { input: stdin, output: stderr }) : null,
  };
}

/** An empty text clears the line, and is never left out. */
function statusLine(write: (text: string) => void): (text: string) => void {
  let shownAt = -Infinity;
  return (text) => {
    const now = systemClock.monotonicMs();
    if (text !== '' && now - shownAt < STATUS_INTERVAL_MS) return;
    shownAt = text === '' ? -Infinity : now;
    write(text.slice(0, (process.stderr.columns || 80) - 1));
  };
}

function cancelOnSignal(shown: Terminal): AbortSignal {
  const controller = new AbortController();
  let firstAt: number | null = null;
  const onSignal = (): void => {
    const now = systemClock.monotonicMs();
    if (firstAt !== null && now - firstAt > SAME_SIGNAL_MS) process.exit(EXIT_AT_ONCE);
    if (firstAt !== null) return;
    firstAt = now;
    shown.err('Stopping: what was begun is undone first. Once more ends at once.');
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}

function dependencies(): OfflineDeps {
  const shown = terminal();
  const log = createLogger({ level: 'warn', readable: true, destination: { write: (text) => shown.err(text.trimEnd()) } }); // prettier-ignore
  const ambient = { clock: systemClock, random: systemRandom, log };
  return {
    terminal: shown,
    repositorySettings: (url) => loadRepositorySettings({ repositoryUrl: url }),
    newPassphrase: () => readVariable(NEW_PASSPHRASE_VARIABLE),
    targetUrl(given) {
      const url = given ?? readVariable(TARGET_URL_VARIABLE);
      return url === undefined ? undefined : checkDatabaseUrl(url, process.cwd());
    },
    openSource: (settings) => openSource({ settings, ...ambient }),
    ...ambient,
    tempDir: tmpdir(),
    program: PROGRAM,
    signal: cancelOnSignal(shown),
  };
}

process.umask(PRIVATE_UMASK);
outliveClosedPipes([process.stdout, process.stderr]);
void runOffline(process.argv.slice(2), dependencies()).then((code) => (process.exitCode = code));
