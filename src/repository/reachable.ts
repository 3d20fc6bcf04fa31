/** Which chunks manifests reach: pages and what they list. Shared pages are walked once. */
import type { Manifest } from '../domain/manifest';
import { throwIfCancelled } from './cancellation';
import { readPage, type ReadPayload } from './layer-tree';

export interface ReachableVisitor {
  /** A chunk that is reached; pages too. Called once for a page, once for each listing of another chunk. */
  onChunk(id: Buffer): void;
}

export class ReachableWalk {
  private readonly seenPages = new Set<string>();

  constructor(
    private readonly read: ReadPayload,
    private readonly visitor: ReachableVisitor,
    private readonly signal?: AbortSignal,
  ) {}

  /** Visits everything the manifest needs. Throws INTEGRITY_FAILURE at a page that cannot be read. */
  async manifest(manifest: Manifest): Promise<void> {
    if (manifest.serviceSettings !== null) this.visitor.onChunk(Buffer.from(manifest.serviceSettings, 'hex'));
    for (const table of manifest.tables) {
      for (const { root } of table.layers) if (root !== null) await this.page(Buffer.from(root, 'hex'));
    }
  }

  private async page(id: Buffer, level?: number): Promise<void> {
    const key = id.toString('latin1');
    if (this.seenPages.has(key)) return;
    this.seenPages.add(key);
    throwIfCancelled(this.signal);
    this.visitor.onChunk(id);
    const page = await readPage(this.read, id, level);
    for (const entry of page.entries) {
      if (page.level === 0) this.visitor.onChunk(entry.id);
      else await this.page(entry.id, page.level - 1);
    }
  }
}
