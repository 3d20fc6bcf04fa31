/** Opens a repository that is there; a wrong place is told, never made into a repository. */
import { isAppError } from '../../domain/errors';
import type { RepositorySettings } from '../../domain/settings';
import { openRepository, type Repository } from '../../repository/repository';
import type { OfflineDeps } from './terminal';

export async function openExisting(settings: RepositorySettings, deps: OfflineDeps): Promise<Repository> {
  const { clock, random, log } = deps;
  return openRepository({ settings, clock, random, log, mustExist: true });
}

/** With the passphrase that was needed: where none is set, and somebody is there to ask, it is asked for. */
export async function openAsking(
  settings: RepositorySettings,
  deps: OfflineDeps,
): Promise<{ repository: Repository; settings: RepositorySettings }> {
  const { askSecret } = deps.terminal;
  try {
    return { repository: await openExisting(settings, deps), settings };
  } catch (error) {
    const needed = isAppError(error) && error.code === 'WRONG_PASSPHRASE' && settings.passphrase === undefined;
    if (!needed || askSecret === null) throw error;
    const given = { ...settings, passphrase: await askSecret('Passphrase of the repository: ') };
    return { repository: await openExisting(given, deps), settings: given };
  }
}
