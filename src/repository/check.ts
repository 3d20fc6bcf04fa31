/**
 * Checks what is stored, without changing it, and names every damaged object with every backup that it hurts.
 *
 * STRUCTURE proves small objects, manifests, pack indexes and layer indexes, and that every chunk that is listed is stored.
 * DATA also reads every byte of the packs and proves every chunk. A backup that needs a damaged chunk is not hurt where another
 * pack has a sound copy of it.
 */
import type { DamageFinding } from '../domain/backup-store';
import { AppError, isAppError } from '../domain/errors';
import type { ChangeSet } from '../domain/change-set';
import type { BackupId } from '../domain/ids';
import type { Manifest } from '../domain/manifest';
import { throwIfCancelled } from './cancellation';
import { hasExpired, readChangeSets, rootsOf } from './change-sets';
import type { RepositoryContext } from './context';
import { DamageReport, IN_NO_PACK } from './damage-report';
import { decodeUnkeyed } from './json-object';
import type { KeyObject } from './key-object';
import { readValuePage } from './value-tree';
import { indexRoots } from './index-roots';
import { readPage } from './layer-tree';
import { acquireReadLease } from './leases';
import { currentGenerations, readManifest, type ManifestObject } from './manifests';
import { classify, CONFIG_COPY_NAME, CONFIG_NAME, type ObjectClass } from './object-names';
import { provePack } from './pack-reader';
import { PackSet } from './pack-set';
import { isStorageFault, type ObjectInfo } from './storage/storage';

export interface CheckOptions {
  level: 'STRUCTURE' | 'DATA';
  /** Absent: all backups, and packs that none needs as well. */
  backupIds?: readonly BackupId[];
  signal?: AbortSignal;
  onProgress?(done: { checkedBytes: number; totalBytes: number | null; checkedChunks: number }): void;
}

export interface CheckReport {
  findings: DamageFinding[];
  /** Packs whose damage concerns the backups asked for: at DATA all that hold anything of them or of their indexes. Empty where all were asked for. */
  neededPacks: ReadonlySet<string>;
  checkedObjects: number;
  checkedChunks: number;
  checkedBytes: number;
}

export async function checkRepository(context: RepositoryContext, options: CheckOptions): Promise<CheckReport> {
  const request = { kind: 'SHARED', purpose: `check at level ${options.level}`, signal: options.signal } as const;
  const lease = await acquireReadLease(context, request);
  try {
    return await new CheckRun(context, options).run();
  } finally {
    await lease.release();
  }
}

class CheckRun {
  private readonly damage = new DamageReport();
  /** Of its own, so that it shows what is stored now, not what this process remembers. */
  private readonly packs: PackSet;
  private readonly packObjects = new Map<string, ObjectInfo>();
  private readonly neededPacks = new Set<string>();
  private readonly report: CheckReport = {
    findings: [],
    neededPacks: this.neededPacks,
    checkedObjects: 0,
    checkedChunks: 0,
    checkedBytes: 0,
  };

  constructor(
    private readonly context: RepositoryContext,
    private readonly options: CheckOptions,
  ) {
    this.packs = new PackSet(context.objects, context.log);
  }

  async run(): Promise<CheckReport> {
    const manifests = await this.readManifests(await this.checkObjects());
    await this.packs.refresh();
    for (const [name, error] of this.packs.unreadablePacks()) this.giveUp(name, error);
    if (this.options.level === 'DATA') {
      await this.findNeeded(manifests);
      await this.provePacks(this.packsToProve());
    }
    const walk = new HurtWalk(this.packs, () => this.report.checkedChunks++, this.options);
    for (const manifest of manifests) {
      this.damage.hurts(manifest.backupId, await walk.manifest(manifest));
      for (const name of await walk.indexes(manifest)) this.addLostIndex(name);
    }
    if (!this.options.backupIds) await this.checkChangeSets(walk);
    this.report.findings = this.damage.findings();
    return this.report;
  }

  /** What this process still knows of it is not stored any more either. */
  private giveUp(name: string, error: unknown): void {
    this.damage.add(name, 'DAMAGED', error);
    this.context.packs.markAllDamaged(name);
  }

  private addLostIndex(name: string): void {
    this.addLost(name, LOST_INDEX);
    if (this.options.backupIds) this.neededPacks.add(name);
  }

  private addLost(name: string, message: string): void {
    if (name === MISSING_PACKS) this.damage.add(name, 'MISSING', IN_NO_PACK);
    this.damage.add(name, problemOf(name), message);
  }

  /** No backup is hurt where rows of a change set are lost, but it can't be applied or undone any more. */
  private async checkChangeSets(walk: HurtWalk): Promise<void> {
    const { objects, clock } = this.context;
    const sound = readChangeSets(objects, (name, error) => this.damage.add(name, 'DAMAGED', error));
    for await (const { name, changeSet } of sound) {
      if (hasExpired(changeSet, clock)) continue; // because what it needs may be gone
      const message = `Rows of the change set ${name} cannot be read: it can't be applied or undone.`;
      for (const lost of await walk.changeSet(changeSet)) this.addLost(lost, message);
    }
  }

  /** Lists everything, proves the small objects, and gives the manifests to read. */
  private async checkObjects(): Promise<ManifestObject[]> {
    const manifests: ManifestObject[] = [];
    const names = new Set<string>();
    for await (const object of this.context.objects.storage.list('')) {
      names.add(object.name);
      const found = classify(object.name);
      if (found?.kind === 'MANIFEST') manifests.push({ ...found, name: object.name });
      else if (found?.kind === 'PACK') this.packObjects.set(object.name, object);
      else await this.checkSmallObject(object, found);
    }
    for (const name of [CONFIG_NAME, CONFIG_COPY_NAME]) {
      if (!names.has(name)) this.damage.add(name, 'MISSING', 'The object is missing; its copy is there.');
    }
    for (const name of names) this.checkKeyPair(name, names);
    return manifests;
  }

  private checkKeyPair(name: string, names: ReadonlySet<string>): void {
    const found = classify(name);
    if (found?.kind !== 'KEY' || this.damage.has(name)) return;
    const other = found.copy ? name.replace('.copy', '') : name.replace('.json', '.copy.json');
    if (!names.has(other)) this.damage.add(other, 'MISSING', 'The object is missing; its copy is there.');
  }

  private async checkSmallObject({ name }: ObjectInfo, found: ObjectClass | null): Promise<void> {
    throwIfCancelled(this.options.signal);
    if (!found) return this.damage.add(name, 'UNEXPECTED', 'No object of a repository has such a name.');
    this.report.checkedObjects++;
    await this.proving(name, async () => {
      const bytes = await this.context.objects.storage.get(name);
      this.report.checkedBytes += bytes.length;
      if (found.kind === 'KEY' && this.isForeignKey(name, bytes)) return;
      this.context.objects.decode(name, bytes);
    });
  }

  /** A key left by a process that lost the race to create the repository: of no use and no harm. */
  private isForeignKey(name: string, bytes: Buffer): boolean {
    const { masterKeyId } = decodeUnkeyed(bytes, name) as KeyObject;
    return masterKeyId !== this.context.masterKeyId;
  }

  /** Reports what `work` finds damaged. What vanished since the listing was deleted by somebody, and is no damage. */
  private async proving(name: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!isAppError(error) || error.code === 'CANCELLED') throw error;
      const problem = isStorageFault(error, 'UNAVAILABLE') ? 'UNREADABLE' : 'DAMAGED';
      if (!isStorageFault(error, 'MISSING')) this.damage.add(name, problem, error);
      return false;
    }
  }

  private async readManifests(found: readonly ManifestObject[]): Promise<Manifest[]> {
    const manifests: Manifest[] = [];
    const { backupIds } = this.options;
    for (const object of currentGenerations(found)) {
      if (backupIds && !backupIds.includes(object.backupId)) continue;
      this.report.checkedObjects++;
      const sound = await this.proving(object.name, async () => {
        manifests.push((await readManifest(this.context.objects, object)).manifest);
      });
      if (!sound && this.damage.has(object.name)) this.damage.hurts(object.backupId, [object.name]);
    }
    for (const id of backupIds ?? []) this.assertFound(id, found);
    return manifests;
  }

  private assertFound(id: BackupId, found: readonly ManifestObject[]): void {
    if (found.some((object) => object.backupId === id)) return;
    throw new AppError('NOT_FOUND', `The repository has no backup ${id}.`);
  }

  private async findNeeded(manifests: readonly Manifest[]): Promise<void> {
    if (!this.options.backupIds) return;
    const onChunk = (id: Buffer): void => this.packs.holdersOf(id).forEach((name) => this.neededPacks.add(name));
    const walk = new HurtWalk(this.packs, onChunk, this.options);
    for (const manifest of manifests) {
      await walk.manifest(manifest);
      await walk.indexes(manifest);
    }
  }

  private packsToProve(): ObjectInfo[] {
    const packs = [...this.packObjects.values()];
    return this.options.backupIds ? packs.filter(({ name }) => this.neededPacks.has(name)) : packs;
  }

  private async provePacks(packs: readonly ObjectInfo[]): Promise<void> {
    const totalBytes = packs.reduce((sum, pack) => sum + pack.sizeBytes, 0);
    for (const pack of packs) {
      const sound = await this.proving(pack.name, () => this.provePack(pack));
      if (!sound) this.packs.markAllDamaged(pack.name);
      this.report.checkedBytes += pack.sizeBytes;
      const { checkedBytes, checkedChunks } = this.report;
      this.options.onProgress?.({ checkedBytes, totalBytes: Math.max(totalBytes, checkedBytes), checkedChunks });
    }
  }

  private async provePack(pack: ObjectInfo): Promise<void> {
    const { damagedChunks, problems } = await provePack(this.context.objects, pack, this.options.signal);
    this.report.checkedObjects++;
    const [problem] = problems;
    if (problem !== undefined) this.damage.add(pack.name, 'DAMAGED', problem);
    if (damagedChunks.length === 0) return;
    this.packs.markDamaged(pack.name, damagedChunks.map(({ id }) => id)); // prettier-ignore
    this.context.packs.markDamaged(pack.name, damagedChunks.map(({ id }) => id)); // prettier-ignore
    this.damage.add(pack.name, 'DAMAGED', `${damagedChunks.length} of its chunks are damaged.`);
  }
}

/** Objects that hurt a manifest, found through its trees; a shared page is judged once. */
class HurtWalk {
  private readonly pages = new Map<string, readonly string[]>();

  constructor(
    private readonly packs: PackSet,
    private readonly onChunk: (id: Buffer) => void,
    private readonly options: CheckOptions,
  ) {}

  async manifest(manifest: Manifest): Promise<Set<string>> {
    const hurt = new Set<string>();
    const addAll = (names: readonly string[]): void => names.forEach((name) => hurt.add(name));
    if (manifest.serviceSettings !== null) addAll(this.chunk(Buffer.from(manifest.serviceSettings, 'hex')));
    for (const table of manifest.tables) {
      for (const { root } of table.layers) if (root !== null) addAll(await this.page(Buffer.from(root, 'hex')));
    }
    return hurt;
  }

  async changeSet(changeSet: ChangeSet): Promise<Set<string>> {
    const hurt = new Set<string>();
    for (const root of rootsOf(changeSet)) {
      for (const name of await this.page(Buffer.from(root, 'hex'))) hurt.add(name);
    }
    return hurt;
  }

  /** Objects without which its indexes can't be read; that hurts no backup. */
  async indexes(manifest: Manifest): Promise<Set<string>> {
    const lost = new Set<string>();
    for (const root of indexRoots(manifest)) {
      for (const name of await this.indexPage(Buffer.from(root, 'hex'))) lost.add(name);
    }
    return lost;
  }

  private chunk(id: Buffer): readonly string[] {
    this.onChunk(id);
    return this.packs.holderOf(id) === null ? this.blame(id) : [];
  }

  /** The packs that hold bad copies; those whose index is unreadable; else nobody knows which pack is missing. */
  private blame(id: Buffer): readonly string[] {
    const holders = this.packs.holdersOf(id);
    if (holders.length > 0) return holders;
    const unreadable = [...this.packs.unreadablePacks().keys()];
    return unreadable.length > 0 ? unreadable : [MISSING_PACKS];
  }

  private page(id: Buffer, level?: number): Promise<readonly string[]> {
    return this.once(id, async (hurt) => {
      const page = await readPage((pageId) => this.packs.read(pageId), id, level);
      for (const entry of page.entries) {
        const names = page.level === 0 ? this.chunk(entry.id) : await this.page(entry.id, page.level - 1);
        for (const name of names) hurt.add(name);
      }
    });
  }

  private indexPage(id: Buffer, level?: number): Promise<readonly string[]> {
    return this.once(id, async (lost) => {
      const page = await readValuePage((pageId) => this.packs.read(pageId), id, level);
      for (const { id: below } of page.inner) {
        for (const name of await this.indexPage(below, page.level - 1)) lost.add(name);
      }
    });
  }

  private async once(id: Buffer, walkEntries: (hurt: Set<string>) => Promise<void>): Promise<readonly string[]> {
    const key = id.toString('latin1');
    const known = this.pages.get(key);
    if (known) return known;
    throwIfCancelled(this.options.signal);
    const hurt = new Set(this.chunk(id));
    if (hurt.size === 0) await this.walking(id, { hurt, walkEntries });
    const names = [...hurt];
    this.pages.set(key, names);
    return names;
  }

  private async walking(
    id: Buffer,
    { hurt, walkEntries }: { hurt: Set<string>; walkEntries: (hurt: Set<string>) => Promise<void> },
  ): Promise<void> {
    try {
      await walkEntries(hurt);
    } catch (error) {
      if (!isAppError(error) || error.code === 'CANCELLED') throw error;
      for (const name of this.blame(id)) hurt.add(name);
    }
  }
}

const LOST_INDEX =
  'Pages of an index by values cannot be read: the next incremental backup compares rows instead, and restoring one business reads whole tables. That alone hurts no backup.';

/** Stands for packs that are gone: the chunks they held are missing, their names are not known any more. */
const MISSING_PACKS = 'packs/';

function problemOf(name: string): DamageFinding['problem'] {
  return name === MISSING_PACKS ? 'MISSING' : 'DAMAGED';
}
