/**
 * The packs of the repository as far as this process knows them, and the index of their chunks. Other processes add and remove packs:
 * a miss looks again before it counts as one.
 */
import type { Log } from '../domain/ambient';
import { AppError, isAppError, toAppError } from '../domain/errors';
import { forEachBounded } from './bounded';
import { ChunkIndex } from './chunk-index';
import { INDEX_LOAD_CONCURRENCY } from './limits';
import { classify } from './object-names';
import { openChunk, packDamaged, readPackIndex, type PackAccess } from './pack-reader';
import type { ProvenPack } from './pack-writer';
import { isStorageFault, type ObjectInfo } from './storage/storage';

/** A pack by the number under which the index of one moment knows it. */
export interface NumberedPack extends ObjectInfo {
  number: number;
}

/** What was known at one moment. The index goes on growing: entries from `entryCount` on came later. */
export interface PackSnapshot {
  packs: NumberedPack[];
  index: ChunkIndex;
  entryCount: number;
}

export class PackSet {
  private index = new ChunkIndex();
  /** Pack names by number; null once the pack is gone. */
  private names: (string | null)[] = [];
  /** Their sizes, by the same number. */
  private readonly sizes: number[] = [];
  private readonly numbers = new Map<string, number>();
  /** Packs whose index cannot be read, with the reason. */
  private readonly unreadable = new Map<string, unknown>();
  private running: Promise<void> | null = null;
  private next: Promise<void> | null = null;
  private loaded = false;

  constructor(
    private readonly access: PackAccess,
    private readonly log: Log,
  ) {}

  /** Looks at the storage: learns new packs, forgets vanished ones. What it sees was there after the call. */
  refresh(): Promise<void> {
    if (!this.running) return this.start();
    this.next ??= this.running
      .catch((error: unknown) => void error) // because its own callers see it; this look is another one
      .then(() => this.start());
    return this.next;
  }

  private start(): Promise<void> {
    this.next = null;
    this.running = this.reload().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async reload(): Promise<void> {
    const before = new Set([...this.numbers.keys(), ...this.unreadable.keys()]);
    const found = new Map<string, ObjectInfo>();
    for await (const object of this.access.storage.list('packs/')) {
      if (classify(object.name)?.kind === 'PACK') found.set(object.name, object);
    }
    this.forget((name) => before.has(name) && !found.has(name)); // packs added meanwhile may be missing in the listing
    const fresh = [...found.values()].filter(({ name }) => !this.numbers.has(name));
    await forEachBounded(fresh, INDEX_LOAD_CONCURRENCY, (pack) => this.load(pack));
    this.loaded = true;
  }

  private async load(pack: ObjectInfo): Promise<void> {
    try {
      const records = await readPackIndex(this.access, pack);
      this.unreadable.delete(pack.name);
      this.add({ ...pack, records });
    } catch (error) {
      if (isStorageFault(error, 'MISSING')) return; // because another process may remove packs while we look
      if (!isAppError(error) || error.code !== 'INTEGRITY_FAILURE') throw error;
      if (!this.unreadable.has(pack.name)) this.log.warn('A pack has no readable index', { pack: pack.name });
      this.unreadable.set(pack.name, error);
    }
  }

  /** Takes in a pack that is durable and proven. */
  add(pack: ProvenPack): void {
    if (this.numbers.has(pack.name)) return;
    const number = this.names.push(pack.name) - 1;
    this.sizes.push(pack.sizeBytes);
    this.numbers.set(pack.name, number);
    for (const record of pack.records) this.index.add(number, record);
  }

  /** Forgets packs by name, their chunks too. */
  forget(gone: (name: string) => boolean): void {
    const lost = [...this.numbers.keys()].filter(gone);
    for (const name of this.unreadable.keys()) if (gone(name)) this.unreadable.delete(name);
    if (lost.length === 0) return;
    for (const name of lost) {
      this.names[this.numbers.get(name) as number] = null; // the number is not used again
      this.numbers.delete(name);
    }
    this.index = this.index.filtered((pack) => this.names[pack] !== null);
  }

  /** Packs whose index cannot be read, and why. */
  unreadablePacks(): ReadonlyMap<string, unknown> {
    return this.unreadable;
  }

  /** From now on these chunks of the pack do not count as stored. */
  markDamaged(name: string, ids: Iterable<Buffer>): void {
    const number = this.numbers.get(name);
    for (const id of ids) {
      for (const entry of this.index.find(id)) if (this.index.place(entry).pack === number) this.index.markBad(entry);
    }
  }

  /** The same for every chunk of the pack. */
  markAllDamaged(name: string): void {
    const number = this.numbers.get(name);
    for (let entry = 0; entry < this.index.size; entry++) {
      if (this.index.place(entry).pack === number) this.index.markBad(entry);
    }
  }

  snapshot(): PackSnapshot {
    const packs = [...this.numbers].map(([name, number]) => ({
      name,
      number,
      sizeBytes: this.sizes[number] as number,
    }));
    return { packs, index: this.index, entryCount: this.index.size };
  }

  /** Name of a pack that holds a sound copy of the chunk, as far as known; null where a writer should store it. */
  holderOf(id: Buffer): string | null {
    const entry = this.index.findSound(id);
    return entry < 0 ? null : (this.names[this.index.place(entry).pack] ?? null);
  }

  /** Every known pack that holds the chunk. */
  holdersOf(id: Buffer): string[] {
    return [...this.index.find(id)].flatMap((entry) => this.names[this.index.place(entry).pack] ?? []);
  }

  /** The payload, proven; tries every copy, and looks at the storage again before it gives up. */
  async read(id: Buffer): Promise<Buffer> {
    if (!this.loaded) await this.refresh();
    const first = await this.tryRead(id);
    if (first.payload) return first.payload;
    await this.refresh();
    const second = await this.tryRead(id);
    if (second.payload) return second.payload;
    throw toAppError(second.error ?? first.error ?? this.missing(id));
  }

  private missing(id: Buffer): AppError {
    const [unreadable] = this.unreadable.keys();
    const reason = `Chunk ${id.toString('hex')} is in no readable pack.`;
    if (unreadable !== undefined) return packDamaged(unreadable, reason);
    return new AppError('INTEGRITY_FAILURE', reason, { hint: 'Run a check of the repository at level STRUCTURE.' });
  }

  private async tryRead(id: Buffer): Promise<{ payload?: Buffer; error?: unknown }> {
    let failure: unknown;
    const index = this.index;
    for (const entry of index.find(id)) {
      const place = index.place(entry);
      const packName = this.names[place.pack] ?? null;
      if (packName === null) continue;
      try {
        const stored = await this.access.storage.getRange(packName, place.offset, place.storedLength);
        return await openChunk(stored, { ...place, id }, { keyring: this.access.keyring, packName });
      } catch (error) {
        if (isAppError(error) && error.code === 'REPOSITORY_UNAVAILABLE') throw error;
        failure = asDamage(error, packName);
        index.markBad(entry);
      }
    }
    return { error: failure };
  }
}

function asDamage(error: unknown, packName: string): unknown {
  return isStorageFault(error, 'MISSING') ? packDamaged(packName, 'It is missing.', error) : error;
}
