/**
 * One backup's writing: chunks that are not stored yet go through hash, compression and encryption into packs; layers into trees of
 * pages; at last the manifest. Holds a shared lease from before it looks for stored chunks until the backup exists or is given up.
 */
import type {
  BackupWriteSession,
  ChangeSetWriteSession,
  LayerBuilder,
  PutResult,
  RowListBuilder,
  StoreWait,
  ValueIndexBuilder,
} from '../domain/backup-store';
import type { ChangeSet, StoredChangeSet } from '../domain/change-set';
import { AppError } from '../domain/errors';
import type { ChunkId, LayerRef, Manifest, StoredManifest } from '../domain/manifest';
import { WeightGate } from './bounded';
import { putChangeSet, readChangeSets, rootsOf } from './change-sets';
import { createCompressor, type Compressor } from './compression';
import type { RepositoryContext } from './context';
import { ValueTreeBuilder } from './value-tree';
import { indexRoots } from './index-roots';
import { RowListTree, TreeBuilder } from './layer-tree';
import { acquireLease, tryLease, withLease, type Lease } from './leases';
import { MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES_IN_FLIGHT } from './limits';
import { listManifestObjects, manifestPurpose, putManifest, putNextManifest, readManifest } from './manifests';
import { ChunkUsage } from './chunk-usage';
import type { PackSet } from './pack-set';
import { PackWriter, type ProvenPack } from './pack-writer';
import { ReachableWalk } from './reachable';

type State = 'OPEN' | 'COMMITTED' | 'ABORTED';

export interface BeginWriteOptions {
  /** Of its lease, e.g. `backup <id>`. */
  purpose: string;
  wait?: StoreWait;
  onEnd: (session: WriteSession) => void;
}

export async function beginWrite(
  context: RepositoryContext,
  { purpose, wait, onEnd }: BeginWriteOptions,
): Promise<WriteSession> {
  const lease = await acquireLease(context, { ...wait, kind: 'SHARED', purpose });
  try {
    const known = new Set((await listManifestObjects(context.objects)).map(({ name }) => name));
    await context.packs.refresh(); // after the lease: no pack that is seen can go; after the listing: its packs are seen
    return new WriteSession(context, lease, { known, onEnd });
  } catch (error) {
    await lease.release();
    throw error;
  }
}

export class WriteSession implements BackupWriteSession, ChangeSetWriteSession {
  private state: State = 'OPEN';
  private failure: { error: unknown } | null = null;
  private readonly gate = new WeightGate(MAX_PAYLOAD_BYTES_IN_FLIGHT);
  private readonly compressor: Compressor;
  private readonly writer: PackWriter;
  /** Ids on their way into packs that are not proven yet: bounded by the size of packs, not of the backup. */
  private readonly own = new Map<string, Promise<void>>();
  /** Packs of others on which this session relies. */
  private readonly reliedOn = new Set<string>();
  /** Whether its packs may hold sound copies of what backups known at the beginning need. */
  private mayMend: boolean;

  constructor(
    private readonly context: RepositoryContext,
    private readonly lease: Lease,
    private readonly options: { known: ReadonlySet<string>; onEnd: (session: WriteSession) => void },
  ) {
    const { storage, keyring } = context.objects;
    this.mayMend = context.packs.unreadablePacks().size > 0;
    this.compressor = createCompressor(context.settings);
    this.writer = new PackWriter({
      storage,
      keyring,
      random: context.random,
      onProven: (pack) => this.settle(pack),
      targetBytes: context.packTargetBytes,
    });
  }

  async putChunk(payload: Buffer): Promise<PutResult> {
    this.assertOpen();
    if (payload.length > MAX_PAYLOAD_BYTES)
      throw new AppError('INVALID_INPUT', 'A chunk is larger than the format allows.');
    const raw = this.context.objects.keyring.chunkId(payload);
    const id = raw.toString('hex');
    const storing = this.own.get(id);
    if (storing) {
      await storing;
      return { id, storedBytes: 0 };
    }
    const holder = this.context.packs.holderOf(raw);
    if (holder !== null) {
      this.reliedOn.add(holder);
      return { id, storedBytes: 0 };
    }
    if (this.context.packs.holdersOf(raw).length > 0) this.mayMend = true;
    return { id, storedBytes: await this.store(id, raw, payload) };
  }

  /** Registers the chunk before it waits, so that the same content put meanwhile is stored once. */
  private async store(id: string, raw: Buffer, payload: Buffer): Promise<number> {
    const stored = this.gate.run(payload.length, () => this.append(raw, payload));
    const done = stored.then(() => undefined);
    done.catch((error: unknown) => void error); // because `stored` carries the same failure to the caller
    this.own.set(id, done);
    try {
      return await stored;
    } catch (error) {
      this.failure ??= { error };
      throw error;
    }
  }

  /** The chunks of a proven pack are found in the shared index from now on. */
  private settle(pack: ProvenPack): void {
    this.context.packs.add(pack);
    for (const { id } of pack.records) this.own.delete(id.toString('hex'));
  }

  private async append(id: Buffer, payload: Buffer): Promise<number> {
    this.assertOpen();
    const encoded = await this.compressor.encode(payload);
    return this.writer.append({ id, kind: payload[0] ?? 0, rawLength: payload.length, encoded });
  }

  private assertOpen(): void {
    if (this.state !== 'OPEN') throw new AppError('CANCELLED', 'The writing session has ended.');
    if (this.failure) throw this.failure.error;
    this.lease.assertInTime(); // rather than at the end of hours of work that can't be committed
  }

  buildLayer(kind: LayerRef['kind']): LayerBuilder {
    return new TreeBuilder(kind, (payload) => this.putPage(payload));
  }

  buildValueIndex(): ValueIndexBuilder {
    return new ValueTreeBuilder((payload) => this.putPage(payload));
  }

  buildRowList(): RowListBuilder {
    return new RowListTree((payload) => this.putPage(payload));
  }

  private async putPage(payload: Buffer): Promise<Buffer> {
    return Buffer.from((await this.putChunk(payload)).id, 'hex');
  }

  storedBytes(): number {
    return this.writer.storedBytes;
  }

  commit(manifest: Omit<Manifest, 'storedBytes'>): Promise<StoredManifest> {
    return this.commitBy(rootsOfManifest(manifest), async () => {
      const stored = await putManifest(this.context.objects, { ...manifest, storedBytes: this.storedBytes() });
      await this.takeBackManifestIfBroken(stored);
      return stored;
    });
  }

  commitNext(manifest: Omit<Manifest, 'storedBytes'>, current: StoredManifest): Promise<StoredManifest> {
    return this.commitBy(rootsOfManifest(manifest), () => {
      const storedBytes = current.manifest.storedBytes + this.storedBytes();
      const request = { kind: 'SHARED', purpose: manifestPurpose(manifest.backupId) } as const;
      return withLease(this.context, request, async (lease) => {
        await this.lease.assertHeld(); // again: the other one may have been waited for
        const prove = (stored: StoredManifest): Promise<void> => this.takeBackManifestIfBroken(stored);
        return putNextManifest(this.context.objects, { ...manifest, storedBytes }, { current, lease, prove });
      });
    });
  }

  commitChangeSet(changeSet: ChangeSet): Promise<StoredChangeSet> {
    return this.commitBy(rootsOf(changeSet), async () => {
      const stored = await putChangeSet(this.context.objects, changeSet);
      await this.takeBackIfBroken(stored.name, (walk) => walk.changeSet(changeSet));
      return stored;
    });
  }

  private async commitBy<Stored>(roots: readonly (ChunkId | null)[], put: () => Promise<Stored>): Promise<Stored> {
    this.assertOpen();
    await Promise.all(this.own.values());
    await this.writer.finish();
    this.assertOpen();
    await this.lease.assertHeld();
    await this.assertPacksStored();
    this.assertRootsStored(roots);
    const stored = await put();
    this.state = 'COMMITTED';
    this.options.onEnd(this);
    await this.lease.release();
    return stored;
  }

  private takeBackManifestIfBroken({ name, manifest }: StoredManifest): Promise<void> {
    return this.takeBackIfBroken(name, (walk) => walk.manifest(manifest));
  }

  /**
   * Where it was held up for longer than its lease right before the object was written, a collection may have deleted what that
   * needs. Such an object goes again, and LEASE_LOST is thrown: a backup that is listed can be restored.
   */
  private async takeBackIfBroken(name: string, visit: (walk: ReachableWalk) => Promise<void>): Promise<void> {
    const { objects, packs, log } = this.context;
    if (this.lease.isInTime() || (await isWhole(packs, visit))) return;
    log.warn('An object is taken back: packs that it needs were deleted before it was written', { object: name });
    await objects.storage.delete(name);
    this.lease.assertInTime();
  }

  /** What was read back once and what others stored before must be there still. */
  private async assertPacksStored(): Promise<void> {
    const missing = new Set([...this.reliedOn, ...this.writer.written]);
    for await (const { name } of this.context.objects.storage.list('packs/')) missing.delete(name);
    const [name] = missing;
    if (name === undefined) return;
    await this.context.packs.refresh();
    throw new AppError('LEASE_LOST', `The pack "${name}", on which the backup relies, is gone.`, {
      retryable: true,
      hint: 'The backup can be tried again.',
    });
  }

  private assertRootsStored(roots: readonly (ChunkId | null)[]): void {
    for (const id of roots) {
      if (id === null || this.context.packs.holderOf(Buffer.from(id, 'hex')) !== null) continue;
      throw new AppError('INTERNAL', `What is to be committed refers to the chunk ${id}, which is not stored.`);
    }
  }

  async abort(): Promise<void> {
    if (this.state !== 'OPEN') return;
    this.state = 'ABORTED';
    this.options.onEnd(this);
    await this.writer.abort();
    await this.lease.release();
    if (this.writer.written.length > 0 && !this.mayMend) await this.removeOwnPacks();
  }

  /** Failing here leaves garbage, which the next collection finds; it must not hide why the session was aborted. */
  private async removeOwnPacks(): Promise<void> {
    const { log } = this.context;
    try {
      const lease = await tryLease(this.context, { kind: 'EXCLUSIVE', purpose: 'removal of an aborted backup' });
      if (!lease) return;
      try {
        await this.deleteUnreferenced();
      } finally {
        await lease.release();
      }
    } catch (error) {
      log.warn('Packs of an aborted backup stay until the next cleanup', { error });
    }
  }

  /** Sessions that began after our packs appeared may rely on them, and our own commit may have failed late: both have manifests. */
  private async deleteUnreferenced(): Promise<void> {
    const { objects, packs } = this.context;
    await packs.refresh();
    const snapshot = packs.snapshot();
    const usage = new ChunkUsage(snapshot);
    const walk = new ReachableWalk((id) => packs.read(id), usage);
    for (const object of await listManifestObjects(objects)) {
      if (!this.options.known.has(object.name)) await walk.manifest((await readManifest(objects, object)).manifest);
    }
    for await (const { changeSet } of readChangeSets(objects, keepAll)) await walk.changeSet(changeSet);
    const reached = usage.reachedPacks();
    const removable = new Set(this.writer.written);
    for (const { name, number } of snapshot.packs) if (reached.has(number)) removable.delete(name);
    packs.forget((name) => removable.has(name));
    for (const name of removable) await objects.storage.delete(name);
  }
}

/** Whether every chunk that is visited is in some pack. */
async function isWhole(packs: PackSet, visit: (walk: ReachableWalk) => Promise<void>): Promise<boolean> {
  await packs.refresh();
  const walked = new Set<string>();
  let whole = true;
  const reach = (id: Buffer): void => {
    if (packs.holdersOf(id).length === 0) whole = false;
  };
  const reachPage = (id: Buffer): boolean => {
    reach(id);
    const key = id.toString('latin1');
    const isNew = !walked.has(key);
    walked.add(key);
    return whole && isNew;
  };
  await visit(new ReachableWalk((id) => packs.read(id), { reach, reachPage }));
  return whole;
}

function rootsOfManifest(manifest: Omit<Manifest, 'storedBytes'>): (ChunkId | null)[] {
  const roots = manifest.tables.flatMap((table) => table.layers.map((layer) => layer.root));
  return [...roots, ...indexRoots(manifest), manifest.serviceSettings];
}

function keepAll(name: string, cause: unknown): never {
  throw new AppError('INTEGRITY_FAILURE', `"${name}" cannot be read, and may need these packs.`, { cause });
}
