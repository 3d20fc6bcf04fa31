/** The tree of a layer index: built level by level from entries in key order, and walked page by page. */
import type { ChunkEntry, LayerBuilder, RowListBuilder } from '../domain/backup-store';
import type { RowListRef } from '../domain/change-set';
import { AppError } from '../domain/errors';
import type { LayerRef } from '../domain/manifest';
import {
  decodePage, encodeEntry, encodePage, fromChunkEntry, toChunkEntry, type LayerPage, type PageEntry,
} from './layer-page'; // prettier-ignore
import { cutsAfter } from './page-cut';
import { PageTree, type OpenPage, type PutPage, type ReadPayload } from './page-tree';

/** The open page of one level and the sums of its entries. */
class OpenLayerPage implements OpenPage<PageEntry, PageEntry> {
  private readonly entries: Buffer[] = [];
  private bytes = 0;
  private sums: Omit<PageEntry, 'id'> | null = null;

  constructor(private readonly level: number) {}

  get entryCount(): number {
    return this.entries.length;
  }

  add(entry: PageEntry): boolean {
    const encoded = encodeEntry(entry, this.level);
    this.entries.push(encoded);
    this.bytes += encoded.length;
    this.sums = this.sums
      ? {
          chunkCount: this.sums.chunkCount + entry.chunkCount,
          rowCount: this.sums.rowCount + entry.rowCount,
          rawBytes: this.sums.rawBytes + entry.rawBytes,
          firstKey: this.sums.firstKey,
          lastKey: entry.lastKey,
        }
      : { ...entry };
    const { entryCount, bytes } = this;
    return cutsAfter({ number: encoded.readUInt32BE(0), bytes: encoded.length }, { entryCount, bytes });
  }

  encode(): Buffer {
    return encodePage(this.level, this.entries);
  }

  asEntry(id: Buffer): PageEntry {
    if (!this.sums) throw new AppError('INTERNAL', 'An empty index page was closed.');
    return { ...this.sums, id };
  }
}

export class TreeBuilder implements LayerBuilder {
  private readonly tree: PageTree<PageEntry, PageEntry>;
  private readonly totals = { chunkCount: 0, rowCount: 0, rawBytes: 0 };

  constructor(
    private readonly kind: LayerRef['kind'],
    putPage: PutPage,
  ) {
    const openInner = (level: number): OpenLayerPage => new OpenLayerPage(level);
    this.tree = new PageTree({ openLeaves: () => openInner(0), openInner }, putPage);
  }

  async add(entry: ChunkEntry): Promise<void> {
    this.totals.chunkCount++;
    this.totals.rowCount += entry.rowCount;
    this.totals.rawBytes += entry.rawBytes;
    await this.tree.add(fromChunkEntry(entry));
  }

  async finish(): Promise<LayerRef> {
    const root = await this.tree.finish();
    return { kind: this.kind, root: root && root.toString('hex'), ...this.totals };
  }
}

/** A list of rows: a tree whose entries have no keys. */
export class RowListTree implements RowListBuilder {
  private readonly tree: TreeBuilder;

  constructor(putPage: PutPage) {
    this.tree = new TreeBuilder('BASE', putPage);
  }

  add(chunk: Pick<ChunkEntry, 'id' | 'rowCount' | 'rawBytes'>): Promise<void> {
    return this.tree.add({ ...chunk, firstKey: NO_KEY, lastKey: NO_KEY });
  }

  async finish(): Promise<RowListRef> {
    const { root, chunkCount, rowCount, rawBytes } = await this.tree.finish();
    return { root, chunkCount, rowCount, rawBytes };
  }
}

const NO_KEY = Buffer.alloc(0);

/** Reads a page that must be of the level given, or of any where none is. */
export async function readPage(read: ReadPayload, id: Buffer, level?: number): Promise<LayerPage> {
  const page = decodePage(await read(id));
  if (level === undefined || page.level === level) return page;
  throw new AppError('INTEGRITY_FAILURE', `The layer index page ${id.toString('hex')} is of a wrong level.`);
}

/** The chunks of a layer in key order; holds one page of each level in memory. */
export async function* walkLayer(read: ReadPayload, layer: Pick<LayerRef, 'root'>): AsyncIterable<ChunkEntry> {
  if (layer.root === null) return;
  const root = Buffer.from(layer.root, 'hex');
  yield* walkPage(read, await readPage(read, root));
}

async function* walkPage(read: ReadPayload, page: LayerPage): AsyncIterable<ChunkEntry> {
  for (const entry of page.entries) {
    if (page.level === 0) yield toChunkEntry(entry);
    else yield* walkPage(read, await readPage(read, entry.id, page.level - 1));
  }
}
