/** `keys` and `check-passphrase`: passphrases are asked for or come from the environment, never from the command line. */
import { AppError } from '../../domain/errors';
import type { RepositorySettings } from '../../domain/settings';
import type { Repository } from '../../repository/repository';
import { openExisting } from './open-existing';
import { readBackups } from './stored-backups';
import { EXIT_FAILED, EXIT_OK, type OfflineDeps } from './terminal';
import { count, formatTime, textTable } from './text-table';

/** Shorter ones can be tried out by whoever has a copy of the repository. */
const SHORT_PASSPHRASE = 12;

export async function listKeys(repository: Repository, { terminal }: OfflineDeps): Promise<number> {
  if (!repository.config.encrypted) return tellPlain({ terminal });
  const keys = await repository.listKeys();
  const rows = keys.map(({ keyId, label, createdAt }) => [keyId, formatTime(createdAt), label]);
  textTable([{ title: 'KEY' }, { title: 'CREATED' }, { title: 'LABEL' }], rows).forEach((line) => terminal.out(line));
  return EXIT_OK;
}

export async function addKey(
  repository: Repository,
  { label, settings }: { label: string; settings: RepositorySettings },
  deps: OfflineDeps,
): Promise<number> {
  const { terminal } = deps;
  const passphrase = deps.newPassphrase() ?? (await askTwice(deps));
  if (passphrase.length < SHORT_PASSPHRASE) {
    terminal.err(`The new passphrase is shorter than ${SHORT_PASSPHRASE} characters.`);
  }
  const { keyId } = await repository.addPassphrase(passphrase, label);
  const proof = await openExisting({ ...settings, passphrase }, deps);
  await proof.close();
  terminal.out(`Added key ${keyId} (${label}); its passphrase opens the repository.`);
  return EXIT_OK;
}

async function askTwice({ terminal }: OfflineDeps): Promise<string> {
  if (!terminal.askSecret) {
    throw new AppError('INVALID_INPUT', 'There is no new passphrase.', {
      hint: 'Set RISKVAULT_NEW_PASSPHRASE or RISKVAULT_NEW_PASSPHRASE_FILE, or run it on a terminal.',
    });
  }
  const first = await terminal.askSecret('New passphrase: ');
  if (first === (await terminal.askSecret('Once more: '))) return first;
  throw new AppError('INVALID_INPUT', 'The two differ; nothing was changed.');
}

export async function removeKey(
  repository: Repository,
  { keyId }: { keyId: string },
  { terminal }: OfflineDeps,
): Promise<number> {
  await repository.removeKey(keyId);
  terminal.out(`Removed key ${keyId}: its passphrase does not open this repository any more.`);
  terminal.out('Whoever has a copy of the repository with that key still can.');
  return EXIT_OK;
}

/** Opening has unwrapped the keys; a manifest that decrypts is the proof that they are the right ones. */
export async function checkPassphrase(repository: Repository, { terminal }: OfflineDeps): Promise<number> {
  if (!repository.config.encrypted) return tellPlain({ terminal });
  const { backups, damaged } = await readBackups(repository);
  terminal.out(`The passphrase opens the repository: ${count(backups.length, 'backup')} can be read.`);
  const keys = await repository.listKeys();
  if (keys.length === 1)
    terminal.err('It has one passphrase alone: keys add gives it a second one, to be kept elsewhere.');
  if (damaged.length === 0) return EXIT_OK;
  terminal.err(`${count(damaged.length, 'manifest')} can't be read: run verify --all.`);
  return EXIT_FAILED;
}

function tellPlain({ terminal }: Pick<OfflineDeps, 'terminal'>): number {
  terminal.out('The repository is not encrypted: it needs no passphrase, and whoever can read it can restore it.');
  return EXIT_OK;
}
