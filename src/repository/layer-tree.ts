/** The tree of a layer index: built level by level from entries in key order, and walked page by page. */
import type { ChunkEntry, LayerBuilder } from '../domain/backup-store';
import { AppError } from '../domain/errors';
import type { LayerRef } from '../domain/manifest';
import {
  cutsAfter, decodePage, encodeEntry, encodePage, fromChunkEntry, toChunkEntry, type LayerPage, type PageEntry,
} from './layer-page'; // prettier-ignore

/** The open page of one level and the sums of its entries. */
class OpenPage {
  readonly entries: Buffer[] = [];
  bytes = 0;
  private sums: Omit<PageEntry, 'id'> | null = null;

  add(entry: PageEntry, level: number): Buffer {
    const encoded = encodeEntry(entry, level);
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
    return encoded;
  }

  asEntry(id: Buffer): PageEntry {
    if (!this.sums) throw new AppError('INTERNAL', 'An empty index page was closed.');
    return { ...this.sums, id };
  }
}

/** Stores a page; gives its id. */
export type PutPage = (payload: Buffer) => Promise<Buffer>;

export class TreeBuilder implements LayerBuilder {
  private readonly levels: { open: OpenPage; closed: number; last: PageEntry | null }[] = [];
  private readonly totals = { chunkCount: 0, rowCount: 0, rawBytes: 0 };

  constructor(
    private readonly kind: LayerRef['kind'],
    private readonly putPage: PutPage,
  ) {}

  async add(entry: ChunkEntry): Promise<void> {
    this.totals.chunkCount++;
    this.totals.rowCount += entry.rowCount;
    this.totals.rawBytes += entry.rawBytes;
    await this.addAt(0, fromChunkEntry(entry));
  }

  async finish(): Promise<LayerRef> {
    const root = this.totals.chunkCount === 0 ? null : (await this.closeUpTo(0)).toString('hex');
    return { kind: this.kind, root, ...this.totals };
  }

  private level(number: number): { open: OpenPage; closed: number; last: PageEntry | null } {
    return (this.levels[number] ??= { open: new OpenPage(), closed: 0, last: null });
  }

  private async addAt(number: number, entry: PageEntry): Promise<void> {
    const { open } = this.level(number);
    const encoded = open.add(entry, number);
    if (cutsAfter(encoded, { entryCount: open.entries.length, bytes: open.bytes })) await this.closePage(number);
  }

  /** Stores the open page. Its entry goes to the level above only once a second page proves that there is one. */
  private async closePage(number: number): Promise<void> {
    const level = this.level(number);
    const { open } = level;
    level.open = new OpenPage();
    const entry = open.asEntry(await this.putPage(encodePage(number, open.entries)));
    level.closed++;
    if (level.closed === 1) {
      level.last = entry;
      return;
    }
    if (level.last) await this.addAt(number + 1, level.last);
    level.last = null;
    await this.addAt(number + 1, entry);
  }

  /** Closes what is open from this level up; the id of the root. */
  private async closeUpTo(number: number): Promise<Buffer> {
    if (this.level(number).open.entries.length > 0) await this.closePage(number);
    const only = this.level(number).last;
    return only ? only.id : this.closeUpTo(number + 1);
  }
}

export type ReadPayload = (id: Buffer) => Promise<Buffer>;

/** Reads a page that must be of the level given, or of any where none is. */
export async function readPage(read: ReadPayload, id: Buffer, level?: number): Promise<LayerPage> {
  const page = decodePage(await read(id));
  if (level === undefined || page.level === level) return page;
  throw new AppError('INTEGRITY_FAILURE', `The layer index page ${id.toString('hex')} is of a wrong level.`);
}

/** The chunks of a layer in key order; holds one page of each level in memory. */
export async function* walkLayer(read: ReadPayload, layer: LayerRef): AsyncIterable<ChunkEntry> {
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
