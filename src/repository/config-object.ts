/** config.json: what the repository is. Read from its copy where the first is damaged; written once, by whoever comes first. */
import { AppError, isAppError } from '../domain/errors';
import { decodeUnkeyed } from './json-object';
import { CHUNKING, FORMAT_VERSION } from './limits';
import { CONFIG_COPY_NAME, CONFIG_NAME } from './object-names';
import { isStorageFault, type Storage } from './storage/storage';

export interface RepositoryConfig {
  format: 'riskvault';
  formatVersion: number;
  repositoryId: string;
  createdAt: string;
  encrypted: boolean;
  masterKeyId: string | null;
  chunkSeed: number | null;
  chunking: typeof CHUNKING;
}

export interface FoundConfig {
  config: RepositoryConfig;
  bytes: Buffer;
  /** The object it was read from. */
  name: string;
}

/** The config, or null where there is none; INTEGRITY_FAILURE when it and its copy are damaged. */
export async function readConfig(storage: Storage): Promise<FoundConfig | null> {
  let damage: AppError | undefined;
  for (const name of [CONFIG_NAME, CONFIG_COPY_NAME]) {
    try {
      const bytes = await storage.get(name);
      return { config: asConfig(decodeUnkeyed(bytes, name)), bytes, name };
    } catch (error) {
      if (isStorageFault(error, 'MISSING')) continue;
      if (!isAppError(error) || error.code !== 'INTEGRITY_FAILURE') throw error;
      damage ??= error;
    }
  }
  if (damage) throw damage;
  return null;
}

function asConfig(value: unknown): RepositoryConfig {
  const config = value as RepositoryConfig;
  if (config.format !== 'riskvault' || !Number.isInteger(config.formatVersion)) {
    throw new AppError('INTEGRITY_FAILURE', `The object "${CONFIG_NAME}" does not describe a repository.`);
  }
  if (config.formatVersion <= FORMAT_VERSION) return config;
  throw new AppError(
    'FORMAT_TOO_NEW',
    `The repository has format ${config.formatVersion}; this version of the program reads up to ${FORMAT_VERSION}.`,
    { hint: 'Run the version that wrote the repository, or a newer one.' },
  );
}
