/**
 * The repository as a library: the store port of the domain, and checking, deleting, collecting, keys. It needs nothing but the
 * place where the objects are; FORMAT.md says what they are. It does not know what a row is.
 */
import type { Clock, Log, Random } from '../domain/ambient';
import type {
  BackupDeletion,
  BackupStore,
  BackupWriteSession,
  ChangeSetWriteSession,
  ChunkEntry,
  LayerPage,
  ReadLease,
  StoreWait,
} from '../domain/backup-store';
import { AppError } from '../domain/errors';
import type { StoredChangeSet } from '../domain/change-set';
import type { BackupId, ChangeSetId } from '../domain/ids';
import type { LegalHold } from '../domain/legal-hold';
import type { ChunkId, LayerRef, StoredManifest } from '../domain/manifest';
import type { RepositorySettings } from '../domain/settings';
import { deleteChangeSet, findChangeSet } from './change-sets';
import { checkRepository, type CheckOptions, type CheckReport } from './check';
import { collectGarbage, type CollectOptions, type CollectReport } from './collect';
import type { RepositoryConfig } from './config-object';
import type { RepositoryContext } from './context';
import { ManifestDeletion } from './delete-manifest';
import { freedBy, type FreedBytes } from './freed-by';
import { heldBackupIds, placeHold, readHolds, releaseHold, type HoldIdentity } from './holds';
import { wrapMasterKey, unwrapMasterKey } from './key-object';
import { lookUpValues } from './value-tree';
import { toChunkEntry } from './layer-page';
import { readPage, walkLayer } from './layer-tree';
import { acquireReadLease } from './leases';
import { findManifest, listManifestObjects, readManifests, removeSuperseded } from './manifests';
import { CONFIG_NAME } from './object-names';
import { ObjectStore } from './object-store';
import {
  deleteKey, listKeyObjects, openOrInitialize, putKey, putKeyBack, type FoundKey, type OpenedRepository,
} from './open-repository'; // prettier-ignore
import { PackSet } from './pack-set';
import { LocalStorage } from './storage/local';
import type { Storage } from './storage/storage';
import { beginWrite, type WriteSession } from './write-session';

export interface RepositoryOptions {
  settings: RepositorySettings;
  clock: Clock;
  random: Random;
  log: Log;
  /** Absent: what `settings.url` names. */
  storage?: Storage;
  /** Absent: 64 MiB. */
  packTargetBytes?: number;
  /** Throw NOT_FOUND where there is no repository. Absent: an empty location is made one. */
  mustExist?: boolean;
}

export interface RepositoryInfo {
  formatVersion: number;
  repositoryId: string;
  encrypted: boolean;
  location: string;
  backupCount: number;
  packCount: number;
  packBytes: number;
  /** Null where nobody knows. */
  freeBytes: number | null;
}

export interface RepositoryKey {
  keyId: string;
  label: string;
  createdAt: string;
}

export interface Repository extends BackupStore {
  readonly config: RepositoryConfig;
  /** Proves objects at the level asked for and names every damaged one with the backups that it hurts. Changes nothing. */
  check(options: CheckOptions): Promise<CheckReport>;
  /** Every backup that has a manifest, readable or not. A listing that may be incomplete throws. */
  storedBackupIds(): Promise<ReadonlySet<BackupId>>;
  /** For deleting many backups: their manifests are listed once, here. */
  beginDeletion(wait?: StoreWait): Promise<BackupDeletion>;
  /** From then on the backup is gone; its packs go by collection. Idempotent. Throws LEGAL_HOLD where one is placed. */
  deleteManifest(backupId: BackupId, wait?: StoreWait): Promise<void>;
  /**
   * Once it resolves nothing deletes the backup until the hold is released. Placing the very same hold again changes nothing. NOT_FOUND
   * where the backup has no manifest.
   */
  placeHold(hold: LegalHold): Promise<LegalHold>;
  /** The hold that went; null where there was none. */
  releaseHold(hold: HoldIdentity): Promise<LegalHold | null>;
  /** Every hold in force, damaged ones too. A listing that may be incomplete throws. */
  listHolds(): AsyncIterable<LegalHold>;
  /** Backups that a hold keeps, told by names alone. */
  heldBackupIds(): Promise<ReadonlySet<BackupId>>;
  /** What deleting these backups would let collections free. Changes nothing. */
  freedBy(backupIds: readonly BackupId[], signal?: AbortSignal): Promise<FreedBytes>;
  /** Removes the generations of a backup's manifest that a higher one has replaced, unless that is under way just now. Idempotent. */
  removeSuperseded(backupId: BackupId): Promise<void>;
  /** Deletes packs that have been without a reference for the grace period. Safe beside running backups and at any crash. */
  collectGarbage(options: CollectOptions): Promise<CollectReport>;
  /** The payload under which a JSON document is stored as a chunk. */
  encodeServiceDocument(document: unknown): Buffer;
  readServiceDocument(id: ChunkId): Promise<unknown>;
  /** Writes, reads and deletes an object; throws what stands in the way. */
  probe(): Promise<void>;
  /** Resolves when the storage answers and still holds this repository; cheap enough for a readiness check. */
  ping(): Promise<void>;
  /** Bytes that can still be stored; null where nobody knows. */
  freeBytes(): Promise<number | null>;
  info(): Promise<RepositoryInfo>;
  listKeys(): Promise<RepositoryKey[]>;
  /** Makes the repository open with this passphrase too. INVALID_INPUT in a plain repository. */
  addPassphrase(passphrase: string, label: string): Promise<RepositoryKey>;
  /** Removes each key that this passphrase opens; CONFLICT when it is the last. */
  removePassphrase(passphrase: string): Promise<void>;
  /** Removes one key, e.g. of a passphrase that leaked. NOT_FOUND; CONFLICT where the passphrase in use opens it. */
  removeKey(keyId: string): Promise<void>;
  /** Aborts writing sessions that are still open. Idempotent. */
  close(): Promise<void>;
}

export async function openRepository(options: RepositoryOptions): Promise<Repository> {
  const { settings, clock, random, log } = options;
  const storage = options.storage ?? openStorage(settings.url, random);
  const { mustExist } = options;
  const opened = await openOrInitialize({ storage, settings, clock, random, log, mustExist });
  const objects = new ObjectStore(storage, opened.keyring);
  const packs = new PackSet({ storage, keyring: opened.keyring }, log);
  const { packTargetBytes } = options;
  const { masterKeyId } = opened.config;
  return new OpenRepository({ objects, packs, masterKeyId, settings, clock, random, log, packTargetBytes }, opened);
}

function openStorage(url: string, random: Random): Storage {
  const path = /^file:(?:\/\/(?=\/))?(.+)$/.exec(url)?.[1];
  if (path !== undefined) return new LocalStorage({ path, temporaryName: () => random.bytes(16).toString('hex') });
  // not the url itself: it may hold a secret
  throw new AppError(
    'CONFIG_INVALID',
    `A repository url that begins with "${url.slice(0, url.indexOf(':') + 1)}" is not supported.`,
    {
      hint: 'Use file:<path>.',
      path: ['repository', 'url'],
    },
  );
}

class OpenRepository implements Repository {
  readonly chunkSeed: number;
  readonly config: RepositoryConfig;
  private readonly sessions = new Set<WriteSession>();

  constructor(
    private readonly context: RepositoryContext,
    private readonly opened: OpenedRepository,
  ) {
    this.chunkSeed = opened.keyring.chunkSeed;
    this.config = opened.config;
  }

  beginWrite(backupId: BackupId, wait?: StoreWait): Promise<BackupWriteSession> {
    return this.begin(`backup ${backupId}`, wait);
  }

  beginChangeSet(changeSetId: ChangeSetId, wait?: StoreWait): Promise<ChangeSetWriteSession> {
    return this.begin(`change set ${changeSetId}`, wait);
  }

  private async begin(purpose: string, wait?: StoreWait): Promise<WriteSession> {
    const onEnd = (ended: WriteSession): unknown => this.sessions.delete(ended);
    const session = await beginWrite(this.context, { purpose, wait, onEnd });
    this.sessions.add(session);
    return session;
  }

  findChangeSet(id: ChangeSetId): Promise<StoredChangeSet | null> {
    return findChangeSet(this.context.objects, id);
  }

  deleteChangeSet(id: ChangeSetId): Promise<void> {
    return deleteChangeSet(this.context.objects, id);
  }

  beginRead(purpose: string, wait?: StoreWait): Promise<ReadLease> {
    return acquireReadLease(this.context, { ...wait, kind: 'SHARED', purpose });
  }

  async ping(): Promise<void> {
    await this.context.objects.storage.get(CONFIG_NAME);
  }

  async close(): Promise<void> {
    for (const session of this.sessions) await session.abort();
  }

  listManifests(onDamaged?: (name: string, error: unknown) => void): AsyncIterable<StoredManifest> {
    return readManifests(this.context.objects, (name, error) => {
      this.context.log.warn('A manifest cannot be read', { object: name, error });
      onDamaged?.(name, error);
    });
  }

  findManifest(backupId: BackupId): Promise<StoredManifest | null> {
    return findManifest(this.context.objects, backupId);
  }

  layerEntries(layer: Pick<LayerRef, 'root'>): AsyncIterable<ChunkEntry> {
    return walkLayer((id) => this.context.packs.read(id), layer);
  }

  listedChunks(root: ChunkId, numbers: Uint32Array, limit: number): Promise<Uint32Array | null> {
    const read = (id: Buffer): Promise<Buffer> => this.context.packs.read(id);
    return lookUpValues({ read, root: Buffer.from(root, 'hex'), numbers, limit });
  }

  async layerPage(id: ChunkId): Promise<LayerPage> {
    const { level, entries } = await readPage((page) => this.context.packs.read(page), Buffer.from(id, 'hex'));
    return { level, entries: entries.map(toChunkEntry) };
  }

  async readChunk(id: ChunkId): Promise<Buffer> {
    if (!/^[0-9a-f]{64}$/.test(id)) throw new AppError('INVALID_INPUT', `"${id.slice(0, 80)}" is no chunk id.`);
    return this.context.packs.read(Buffer.from(id, 'hex'));
  }

  chunkId(payload: Buffer): ChunkId {
    return this.opened.keyring.chunkId(payload).toString('hex');
  }

  check(options: CheckOptions): Promise<CheckReport> {
    return checkRepository(this.context, options);
  }

  async storedBackupIds(): Promise<ReadonlySet<BackupId>> {
    const found = await listManifestObjects(this.context.objects);
    await this.ping(); // because the folder of a disk that is not mounted lists nothing
    return new Set(found.map(({ backupId }) => backupId));
  }

  beginDeletion(wait?: StoreWait): Promise<BackupDeletion> {
    return ManifestDeletion.begin(this.context, wait);
  }

  async deleteManifest(backupId: BackupId, wait?: StoreWait): Promise<void> {
    await (await this.beginDeletion(wait)).delete(backupId);
  }

  placeHold(hold: LegalHold): Promise<LegalHold> {
    return placeHold(this.context, hold);
  }

  releaseHold(hold: HoldIdentity): Promise<LegalHold | null> {
    return releaseHold(this.context, hold);
  }

  listHolds(): AsyncIterable<LegalHold> {
    return readHolds(this.context);
  }

  heldBackupIds(): Promise<ReadonlySet<BackupId>> {
    return heldBackupIds(this.context.objects);
  }

  freedBy(backupIds: readonly BackupId[], signal?: AbortSignal): Promise<FreedBytes> {
    return freedBy(this.context, backupIds, signal);
  }

  removeSuperseded(backupId: BackupId): Promise<void> {
    return removeSuperseded(this.context, backupId);
  }

  collectGarbage(options: CollectOptions): Promise<CollectReport> {
    return collectGarbage(this.context, options);
  }

  encodeServiceDocument(document: unknown): Buffer {
    return Buffer.from(JSON.stringify({ document }));
  }

  async readServiceDocument(id: ChunkId): Promise<unknown> {
    const payload = await this.readChunk(id);
    try {
      return (JSON.parse(payload.toString('utf8')) as { document?: unknown }).document;
    } catch (cause) {
      throw new AppError('INTEGRITY_FAILURE', `The chunk ${id} is no document.`, { cause });
    }
  }

  async probe(): Promise<void> {
    const { objects, random } = this.context;
    const name = `probes/${random.uuid()}.json`;
    const bytes = await objects.put(name, { probe: random.bytes(32).toString('base64') });
    try {
      if (bytes.equals(await objects.storage.get(name))) return;
      throw new AppError('INTEGRITY_FAILURE', 'A probe was read back with other bytes than it was written.');
    } finally {
      await objects.storage.delete(name);
    }
  }

  freeBytes(): Promise<number | null> {
    return this.context.objects.storage.freeBytes();
  }

  async info(): Promise<RepositoryInfo> {
    const { storage } = this.context.objects;
    const { formatVersion, repositoryId, encrypted } = this.config;
    const backups = await totals(storage, 'manifests/');
    const packs = await totals(storage, 'packs/');
    return {
      formatVersion,
      repositoryId,
      encrypted,
      location: storage.location,
      backupCount: backups.count,
      packCount: packs.count,
      packBytes: packs.bytes,
      freeBytes: await this.freeBytes(),
    };
  }

  async listKeys(): Promise<RepositoryKey[]> {
    return (await this.keys()).map(({ key: { keyId, label, createdAt } }) => ({ keyId, label, createdAt }));
  }

  private async keys(): Promise<FoundKey[]> {
    return (await listKeyObjects(this.context.objects.storage, this.config.masterKeyId)).keys;
  }

  async addPassphrase(passphrase: string, label: string): Promise<RepositoryKey> {
    const { masterKey } = this.opened;
    const { masterKeyId } = this.config;
    if (!masterKey || masterKeyId === null) throw notEncrypted();
    if (passphrase === '')
      throw new AppError('INVALID_INPUT', 'A passphrase must not be empty.', { path: ['passphrase'] });
    const { clock, random, objects } = this.context;
    const key = await wrapMasterKey({ masterKey, masterKeyId, passphrase, label, clock, random });
    await putKey(objects.storage, key, this.opened.keyring);
    return { keyId: key.keyId, label, createdAt: key.createdAt };
  }

  async removePassphrase(passphrase: string): Promise<void> {
    if (!this.opened.masterKey) throw notEncrypted();
    const keys = await this.keys();
    const opened: FoundKey[] = [];
    for (const found of keys) if (await unwrapMasterKey(found.key, passphrase, this.context.random)) opened.push(found);
    if (opened.length === 0)
      throw new AppError('WRONG_PASSPHRASE', 'The passphrase opens none of the repository’s keys.');
    if (opened.length === keys.length) throw lastPassphrase();
    await this.remove(opened);
  }

  /** Two may remove each other's key at once: each looks after it deleted, so that one of them sees that no key is left. */
  private async remove(keys: readonly FoundKey[]): Promise<void> {
    const { storage } = this.context.objects;
    for (const { key } of keys) await deleteKey(storage, key.keyId);
    if ((await this.keys()).length > 0) return;
    for (const found of keys) await putKeyBack(storage, found);
    throw lastPassphrase();
  }

  async removeKey(keyId: string): Promise<void> {
    if (!this.opened.masterKey) throw notEncrypted();
    const { random, settings } = this.context;
    const found = (await this.keys()).find(({ key }) => key.keyId === keyId);
    if (!found) throw new AppError('NOT_FOUND', 'The repository has no such key.', { hint: 'List its keys.' });
    if (await unwrapMasterKey(found.key, settings.passphrase ?? '', random)) {
      throw new AppError('CONFLICT', 'The passphrase in use opens this key: it is not removed.', {
        hint: 'Open the repository with another passphrase, then remove this one.',
      });
    }
    await this.remove([found]);
  }
}

function lastPassphrase(): AppError {
  return new AppError('CONFLICT', 'The last passphrase cannot be removed.', { hint: 'Add another passphrase first.' });
}

function notEncrypted(): AppError {
  return new AppError('INVALID_INPUT', 'The repository is not encrypted, so it has no passphrases.');
}

async function totals(storage: Storage, prefix: string): Promise<{ count: number; bytes: number }> {
  const sum = { count: 0, bytes: 0 };
  for await (const { sizeBytes } of storage.list(prefix)) {
    sum.count++;
    sum.bytes += sizeBytes;
  }
  return sum;
}
