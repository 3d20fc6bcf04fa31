/** `npm start`: settings, the app, signals. Ends with exit code 1, and one clear message, when it can't start. */
import { createApp, type App } from './app';
import { isAppError } from './domain/errors';
import type { Log } from './domain/ambient';
import type { Settings } from './domain/settings';
import { systemClock, systemRandom } from './ops/ambient';
import { loadConfig } from './ops/config/load-config';
import { createLogger, withoutCredentials } from './ops/logger';
import { installShutdown } from './ops/shutdown';

/** Beyond the drain of running jobs, for sockets and files. */
const SHUTDOWN_MARGIN_MS = 15_000;

/** What the service writes holds the risk data of a platform: it is readable for its own user alone. */
const PRIVATE_UMASK = 0o077;

async function main(): Promise<void> {
  process.umask(PRIVATE_UMASK);
  const { settings, warnings } = loadConfig();
  const log = createLogger({ level: settings.log.level, readable: process.stdout.isTTY });
  for (const warning of warnings) log.warn(warning);
  const app = await createApp({ settings, clock: systemClock, random: systemRandom, log, distFolder: __dirname });
  installShutdown({
    steps: app.shutdownSteps,
    deadlineMs: settings.runner.drainMs + SHUTDOWN_MARGIN_MS,
    clock: systemClock,
    log,
    process,
  });
  welcome(settings, app, log);
}

function welcome(settings: Settings, { address, demoRows }: App, log: Log): void {
  log.info(`listening on ${address}: GraphQL at ${address}/graphql, GraphiQL at ${address}/graphiql`);
  log.warn('open to everyone on this machine: no API key is set up, so it listens on loopback only (protected mode)');
  if (settings.demo)
    log.info(
      'the source is a demo risk database (SQLite); set RISKVAULT_SOURCE_URL for your own',
      demoRows > 0 ? { rows: demoRows } : {},
    );
  if (settings.repository.passphrase === undefined)
    log.warn(
      'backups are stored unencrypted: for encrypted ones set RISKVAULT_PASSPHRASE, and RISKVAULT_REPOSITORY_URL to an empty place',
    );
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  const more = isAppError(error) ? error.hint : isSystemError(error) ? SYSTEM_HINT : (error as Error).stack;
  console.error(withoutCredentials(`riskvault can't start: ${message}${more === undefined ? '' : `\n${more}`}`));
  process.exit(1); // because: half-open parts must not keep a process that could not start alive
});

const SYSTEM_HINT = 'Check that this path is there, and that the user who runs the service may write there.';

/** The operating system refused a path: its own words say which. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}
