/** Which chunks manifests and change sets reach: pages, those of indexes too, and what they list. Shared pages are walked once. */
import type { ChangeSet } from '../domain/change-set';
import type { Manifest } from '../domain/manifest';
import { throwIfCancelled } from './cancellation';
import { readValuePage } from './value-tree';
import { rootsOf } from './change-sets';
import { indexRoots } from './index-roots';
import { readPage } from './layer-tree';
import type { ReadPayload } from './page-tree';

/** Takes note of what is reached. */
export interface ReachedChunks {
  /** A chunk that a manifest or a page lists; called once for each listing. */
  reach(id: Buffer): void;
  /** The same for a page; false where its entries were seen before. */
  reachPage(id: Buffer): boolean;
}

export class ReachableWalk {
  constructor(
    private readonly read: ReadPayload,
    private readonly reached: ReachedChunks,
    private readonly signal?: AbortSignal,
  ) {}

  /** Visits everything the manifest needs. Throws INTEGRITY_FAILURE at a page that cannot be read. */
  async manifest(manifest: Manifest): Promise<void> {
    if (manifest.serviceSettings !== null) this.reached.reach(Buffer.from(manifest.serviceSettings, 'hex'));
    for (const table of manifest.tables) {
      for (const { root } of table.layers) if (root !== null) await this.page(Buffer.from(root, 'hex'));
    }
    for (const root of indexRoots(manifest)) await this.indexPage(Buffer.from(root, 'hex'));
  }

  /** The same of a change set: rows that were copied for it, and layers that it names. */
  async changeSet(changeSet: ChangeSet): Promise<void> {
    for (const root of rootsOf(changeSet)) await this.page(Buffer.from(root, 'hex'));
  }

  private async indexPage(id: Buffer, level?: number): Promise<void> {
    if (!this.reached.reachPage(id)) return;
    throwIfCancelled(this.signal);
    const page = await readValuePage(this.read, id, level);
    for (const { id: below } of page.inner) await this.indexPage(below, page.level - 1);
  }

  private async page(id: Buffer, level?: number): Promise<void> {
    if (!this.reached.reachPage(id)) return;
    throwIfCancelled(this.signal);
    const page = await readPage(this.read, id, level);
    for (const entry of page.entries) {
      if (page.level === 0) this.reached.reach(entry.id);
      else await this.page(entry.id, page.level - 1);
    }
  }
}
