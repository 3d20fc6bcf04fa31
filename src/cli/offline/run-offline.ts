/** Runs one line of the offline command and gives its exit code. What can be foreseen to fail ends with a message and a hint. */
import { isAppError, toAppError, type AppError } from '../../domain/errors';
import type { RepositorySettings } from '../../domain/settings';
import type { Repository } from '../../repository/repository';
import { parseCommand, USAGE, type Command } from './command';
import { addKey, checkPassphrase, listKeys, removeKey } from './keys';
import { listBackups } from './list-backups';
import { openAsking } from './open-existing';
import { restoreOffline } from './restore-backup';
import { showBackup } from './show-backup';
import { EXIT_CANCELLED, EXIT_FAILED, EXIT_OK, EXIT_USAGE, type OfflineDeps } from './terminal';
import { verifyBackups } from './verify-backups';

export async function runOffline(argv: readonly string[], deps: OfflineDeps): Promise<number> {
  try {
    return await run(argv, deps);
  } catch (error) {
    return tellFailure(error, deps);
  }
}

async function run(argv: readonly string[], deps: OfflineDeps): Promise<number> {
  const parsed = parseCommand(argv);
  if (parsed === 'HELP') {
    deps.terminal.out(USAGE);
    return EXIT_OK;
  }
  const { repository, settings } = await openAsking(deps.repositorySettings(parsed.repository), deps);
  try {
    return await dispatch(parsed.command, { repository, settings }, deps);
  } finally {
    await repository.close();
  }
}

function dispatch(
  command: Command,
  { repository, settings }: { repository: Repository; settings: RepositorySettings },
  deps: OfflineDeps,
): Promise<number> {
  switch (command.verb) {
    case 'list':
      return listBackups(repository, command, deps);
    case 'show':
      return showBackup(repository, command, deps);
    case 'verify':
      return verifyBackups(repository, command, deps);
    case 'restore':
      return restoreOffline(repository, command, deps);
    case 'keys list':
      return listKeys(repository, deps);
    case 'keys add':
      return addKey(repository, { label: command.label, settings }, deps);
    case 'keys remove':
      return removeKey(repository, command, deps);
    case 'check-passphrase':
      return checkPassphrase(repository, deps);
  }
}

function tellFailure(error: unknown, { terminal }: OfflineDeps): number {
  const { code, message, hint } = toAppError(error);
  terminal.err(hint === undefined ? message : `${message}\n${hint}`);
  if (!isAppError(error) && error instanceof Error && error.stack) terminal.err(error.stack);
  return exitCode(code);
}

function exitCode(code: AppError['code']): number {
  if (code === 'CANCELLED') return EXIT_CANCELLED;
  return code === 'INVALID_INPUT' || code === 'CONFIG_INVALID' ? EXIT_USAGE : EXIT_FAILED;
}
