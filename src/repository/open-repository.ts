/**
 * Opening: reads what the repository is, unwraps its keys, or initializes an empty location. Two processes that initialize at once
 * agree: config.json is written once, and whoever loses takes the winner's.
 */
import type { Clock, Log, Random } from '../domain/ambient';
import { AppError, isAppError } from '../domain/errors';
import type { RepositorySettings } from '../domain/settings';
import { readConfig, type FoundConfig, type RepositoryConfig } from './config-object';
import { decodeJsonObject, decodeUnkeyed, encodeJsonObject } from './json-object';
import { encryptedKeyring, masterKeyId, plainKeyring, type Keyring } from './keyring';
import { MASTER_KEY_BYTES, unwrapMasterKey, wrapMasterKey, type KeyObject } from './key-object';
import { CHUNKING, FORMAT_VERSION } from './limits';
import { classify, CONFIG_COPY_NAME, CONFIG_NAME, keyName } from './object-names';
import { isStorageFault, type Storage } from './storage/storage';

export interface OpenDeps {
  storage: Storage;
  settings: RepositorySettings;
  clock: Clock;
  random: Random;
  log: Log;
  /** Throw NOT_FOUND where there is none, instead of making one. */
  mustExist?: boolean;
}

export interface OpenedRepository {
  config: RepositoryConfig;
  keyring: Keyring;
  /** Null in a plain repository. */
  masterKey: Buffer | null;
}

export async function openOrInitialize(deps: OpenDeps): Promise<OpenedRepository> {
  const found = (await readConfig(deps.storage)) ?? (await initialize(deps));
  const opened = await unlock(deps, found.config);
  decodeJsonObject(found.bytes, { name: found.name, keyring: opened.keyring, sealed: false });
  await completeCopies(deps, found);
  return opened;
}

/** A crash between an object and its copy is mended by the next who may write; what is damaged is never overwritten. */
async function completeCopies(deps: OpenDeps, found: FoundConfig): Promise<void> {
  const { storage, log } = deps;
  if (found.name !== CONFIG_NAME) log.warn('config.json is damaged or missing; its copy was used');
  for (const name of [CONFIG_NAME, CONFIG_COPY_NAME]) await putIfMissing(deps, name, found.bytes);
  if (!found.config.encrypted) return;
  const { keys } = await listKeyObjects(storage, found.config.masterKeyId);
  for (const key of keys) await completeKey(deps, key);
}

/** A key that is removed meanwhile must not come back by its copy: this looks after it wrote, and `deleteKey` deletes twice. */
async function completeKey(deps: OpenDeps, { key: { keyId }, name, bytes }: FoundKey): Promise<void> {
  const { storage } = deps;
  const twin = keyName(keyId, name === keyName(keyId));
  if ((await putIfMissing(deps, twin, bytes)) && !(await storage.stat(name))) await storage.delete(twin);
}

/** Whether it was written. */
async function putIfMissing({ storage, log }: OpenDeps, name: string, bytes: Buffer): Promise<boolean> {
  if (await storage.stat(name)) return false;
  try {
    return await putUnlessThere(storage, name, bytes);
  } catch (error) {
    // because a full or read-only repository must open all the more: it is read to restore from
    if (!isStorageFault(error, 'FULL') && !isStorageFault(error, 'UNAVAILABLE')) throw error;
    log.warn('A missing copy could not be written', { object: name, error });
    return false;
  }
}

async function putUnlessThere(storage: Storage, name: string, bytes: Buffer): Promise<boolean> {
  try {
    await storage.put(name, bytes);
    return true;
  } catch (error) {
    if (isStorageFault(error, 'EXISTS')) return false;
    throw error;
  }
}

async function initialize(deps: OpenDeps): Promise<FoundConfig> {
  if (deps.mustExist) throw noRepository(deps.storage);
  await assertEmpty(deps.storage);
  const { random, clock } = deps;
  const { passphrase } = deps.settings;
  const repositoryId = random.uuid();
  const base = {
    format: 'riskvault',
    formatVersion: FORMAT_VERSION,
    repositoryId,
    createdAt: clock.now().toISOString(),
  } as const;
  if (passphrase === undefined) {
    const chunkSeed = random.bytes(4).readUInt32BE(0);
    const config = { ...base, encrypted: false, masterKeyId: null, chunkSeed, chunking: CHUNKING };
    return (await putConfig(deps, config, plainKeyring(chunkSeed))).found;
  }
  const masterKey = random.bytes(MASTER_KEY_BYTES);
  const id = masterKeyId(masterKey, repositoryId);
  const keyring = encryptedKeyring(masterKey, repositoryId, random);
  const key = await wrapMasterKey({ masterKey, masterKeyId: id, passphrase, label: 'first', clock, random });
  await putKey(deps.storage, key, keyring);
  const config = { ...base, encrypted: true, masterKeyId: id, chunkSeed: null, chunking: CHUNKING };
  const { found, won } = await putConfig(deps, config, keyring);
  if (!won) await deleteKey(deps.storage, key.keyId);
  return found;
}

function noRepository({ location }: Storage): AppError {
  return new AppError('NOT_FOUND', `There is no repository at ${location}: it has no ${CONFIG_NAME}.`, {
    hint:
      'Name the folder that holds config.json, manifests/ and packs/, and see that its disk is mounted. ' +
      'If config.json alone is gone, bring it or config.copy.json back from a copy of the repository.',
  });
}

/** What is not empty and has no config is no place to start a repository: somebody's files, or a damaged one. */
async function assertEmpty(storage: Storage): Promise<void> {
  for await (const { name } of storage.list('')) {
    const kind = classify(name)?.kind;
    if (kind === 'KEY' || kind === 'PROBE' || kind === 'CONFIG') continue; // because another process may be initializing too
    throw new AppError('INTEGRITY_FAILURE', `"${storage.location}" holds "${name}" but no readable config.json.`, {
      hint: 'Choose an empty location, or bring config.json or config.copy.json back from a copy of the repository.',
    });
  }
}

async function putConfig(
  { storage }: OpenDeps,
  config: RepositoryConfig,
  keyring: Keyring,
): Promise<{ found: FoundConfig; won: boolean }> {
  const bytes = encodeJsonObject(config, { name: CONFIG_NAME, keyring, sealed: false });
  if (await putUnlessThere(storage, CONFIG_NAME, bytes))
    return { found: { config, bytes, name: CONFIG_NAME }, won: true };
  const found = await readConfig(storage);
  if (found) return { found, won: false };
  throw new AppError('REPOSITORY_UNAVAILABLE', 'The repository vanished while it was opened.', { retryable: true });
}

export async function putKey(storage: Storage, key: KeyObject, keyring: Keyring): Promise<void> {
  const bytes = encodeJsonObject(key, { name: keyName(key.keyId), keyring, sealed: false });
  await storage.put(keyName(key.keyId), bytes);
  await storage.put(keyName(key.keyId, true), bytes);
}

export async function deleteKey(storage: Storage, keyId: string): Promise<void> {
  for (let times = 0; times < 2; times++) {
    await storage.delete(keyName(keyId, true));
    await storage.delete(keyName(keyId));
  }
}

export async function putKeyBack(storage: Storage, { key: { keyId }, bytes }: FoundKey): Promise<void> {
  for (const name of [keyName(keyId), keyName(keyId, true)]) await putUnlessThere(storage, name, bytes);
}

async function unlock(deps: OpenDeps, config: RepositoryConfig): Promise<OpenedRepository> {
  const { passphrase } = deps.settings;
  if (!config.encrypted) {
    if (passphrase !== undefined)
      throw wrongPassphrase('The repository is not encrypted, but a passphrase is set.', NOT_ENCRYPTED);
    return { config, keyring: plainKeyring(config.chunkSeed ?? 0), masterKey: null };
  }
  if (passphrase === undefined)
    throw wrongPassphrase('The repository is encrypted and no passphrase is set.', SET_PASSPHRASE);
  const masterKey = await findMasterKey(deps, config, passphrase);
  return { config, keyring: encryptedKeyring(masterKey, config.repositoryId, deps.random), masterKey };
}

const SET_PASSPHRASE = 'Set RISKVAULT_PASSPHRASE (repository.passphrase) to one that was used with this repository.';
const NOT_ENCRYPTED = 'Remove the passphrase, or use another, empty location for an encrypted repository.';

function wrongPassphrase(message: string, hint: string): AppError {
  return new AppError('WRONG_PASSPHRASE', message, { hint });
}

async function findMasterKey(deps: OpenDeps, config: RepositoryConfig, passphrase: string): Promise<Buffer> {
  const { keys, damaged } = await listKeyObjects(deps.storage, config.masterKeyId);
  for (const { key } of keys) {
    const masterKey = await unwrapMasterKey(key, passphrase, deps.random);
    if (masterKey && masterKeyId(masterKey, config.repositoryId) === config.masterKeyId) return masterKey;
  }
  if (keys.length === 0 && damaged.length === 0) throw noKeys();
  const note = damaged.length > 0 ? ` These key objects are damaged: ${damaged.join(', ')}.` : '';
  throw wrongPassphrase('The passphrase opens none of the repository’s keys.', `${SET_PASSPHRASE}${note}`);
}

function noKeys(): AppError {
  return new AppError('INTEGRITY_FAILURE', 'The repository is encrypted, and its folder keys/ holds no key of it.', {
    hint: 'Bring keys/ back from a copy of the repository: without one of its keys no passphrase opens it.',
  });
}

export interface FoundKey {
  key: KeyObject;
  /** Of the object that it was read from. */
  name: string;
  bytes: Buffer;
}

/** One readable object for each key of this repository; a damaged one is read from its copy. */
export async function listKeyObjects(
  storage: Storage,
  masterKey: string | null,
): Promise<{ keys: FoundKey[]; damaged: string[] }> {
  const keys = new Map<string, FoundKey>();
  const damaged: string[] = [];
  for await (const { name } of storage.list('keys/')) {
    const found = classify(name);
    if (found?.kind !== 'KEY' || keys.has(found.keyId)) continue;
    try {
      const bytes = await storage.get(name);
      const key = decodeUnkeyed(bytes, name) as KeyObject;
      if (key.masterKeyId === masterKey && key.keyId === found.keyId) keys.set(key.keyId, { key, name, bytes });
    } catch (error) {
      if (isStorageFault(error, 'MISSING')) continue;
      if (!isAppError(error) || error.code !== 'INTEGRITY_FAILURE') throw error;
      damaged.push(name);
    }
  }
  return { keys: [...keys.values()], damaged };
}
