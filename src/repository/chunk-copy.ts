/** One particular copy of a chunk, by its entry in the index: read and proven, or known to be damaged from then on. */
import { isAppError } from '../domain/errors';
import type { RepositoryContext } from './context';
import { openChunk, type OpenedChunk } from './pack-reader';
import type { PackSnapshot } from './pack-set';
import { isStorageFault } from './storage/storage';

export class CopyReader {
  private readonly names: Map<number, string>;

  constructor(
    private readonly context: RepositoryContext,
    private readonly snapshot: PackSnapshot,
  ) {
    this.names = new Map(snapshot.packs.map(({ number, name }) => [number, name]));
  }

  /** Null where the copy does not give the chunk. Throws what else the storage throws. */
  async read(entry: number): Promise<OpenedChunk | null> {
    const { index } = this.snapshot;
    const packName = this.names.get(index.packOf(entry)) as string;
    try {
      const opened = await this.open(entry, packName);
      index.markProven(entry);
      return opened;
    } catch (error) {
      const isDamage = isStorageFault(error, 'MISSING') || (isAppError(error) && error.code === 'INTEGRITY_FAILURE');
      if (!isDamage) throw error;
      index.markBad(entry);
      this.context.log.warn('A stored chunk is damaged', { pack: packName, error });
      return null;
    }
  }

  private async open(entry: number, packName: string): Promise<OpenedChunk> {
    const { index } = this.snapshot;
    const { storage, keyring } = this.context.objects;
    const place = index.place(entry);
    const stored = await storage.getRange(packName, place.offset, place.storedLength);
    return openChunk(stored, { ...place, id: Buffer.from(index.id(entry)) }, { keyring, packName });
  }
}
