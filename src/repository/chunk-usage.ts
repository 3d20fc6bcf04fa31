/**
 * Which stored copies of chunks are needed, at one moment: a byte for each entry of the chunk index, whatever the number of backups.
 * Of several copies of a reachable chunk one is needed, chosen by the rule of FORMAT.md, section 10; all of them where none is sound.
 */
import type { NumberedPack, PackSnapshot } from './pack-set';
import type { ReachedChunks } from './reachable';

const REACHED = 1;
const WALKED = 2;
const NEEDED = 4;

export interface PackUse extends NumberedPack {
  /** Stored bytes of all its chunks: what it holds beside its index. */
  chunkBytes: number;
  /** Chunks of which this pack has the copy that is needed, and their stored bytes. */
  neededChunks: number;
  neededBytes: number;
}

/** A reachable chunk of a pack whose needed copy is in another one. */
export interface SpareCopy {
  pack: number;
  /** Entry of the copy that is needed. */
  needed: number;
}

export class ChunkUsage implements ReachedChunks {
  private readonly states: Uint8Array;

  constructor(private readonly snapshot: PackSnapshot) {
    this.states = new Uint8Array(snapshot.entryCount);
  }

  reach(id: Buffer): void {
    for (const entry of this.snapshot.index.find(id)) this.add(entry, REACHED);
  }

  reachPage(id: Buffer): boolean {
    let isNew = true;
    for (const entry of this.snapshot.index.find(id)) {
      if (this.has(entry, WALKED)) isNew = false;
      this.add(entry, REACHED | WALKED);
    }
    return isNew;
  }

  /** Every pack that has a copy of something reachable, needed or not. */
  reachedPacks(): Set<number> {
    const packs = new Set<number>();
    for (const entry of this.entries(REACHED)) packs.add(this.snapshot.index.packOf(entry));
    return packs;
  }

  /** Chooses the needed copies anew, from what is known to be damaged now. Packs named in a mark come last. */
  choose(isMarked: (name: string) => boolean): PackUse[] {
    const { packs, index } = this.snapshot;
    const chunkBytes = this.bytesByPack(() => true);
    const ranks = this.rank(chunkBytes, isMarked);
    const uses = new Map(
      packs.map((pack) => {
        return [pack.number, { ...pack, chunkBytes: chunkBytes[pack.number] ?? 0, neededChunks: 0, neededBytes: 0 }];
      }),
    );
    for (const entry of this.entries(REACHED)) {
      const best = this.bestCopy(entry, ranks);
      const isNeeded = best === null || best === entry;
      this.states[entry] = (this.states[entry] as number) & ~NEEDED;
      if (!isNeeded) continue;
      this.add(entry, NEEDED);
      const use = uses.get(index.packOf(entry)) as PackUse;
      use.neededChunks++;
      use.neededBytes += index.storedLengthOf(entry);
    }
    return [...uses.values()];
  }

  /** Entries of these packs whose copy is needed, in the order in which the packs hold them. */
  *neededIn(packs: ReadonlySet<number>): Iterable<number> {
    for (const entry of this.entries(NEEDED)) if (packs.has(this.snapshot.index.packOf(entry))) yield entry;
  }

  /** Reachable chunks of these packs that other packs keep. */
  *sparesIn(packs: ReadonlySet<number>): Iterable<SpareCopy> {
    const { index } = this.snapshot;
    for (const entry of this.entries(REACHED)) {
      const pack = index.packOf(entry);
      if (!packs.has(pack) || this.has(entry, NEEDED)) continue;
      for (const copy of index.find(index.id(entry))) if (this.has(copy, NEEDED)) yield { pack, needed: copy };
    }
  }

  /** The place in line of each pack: unmarked ones, then those of whose bytes more is reachable, then by name. */
  private rank(chunkBytes: Float64Array, isMarked: (name: string) => boolean): Uint32Array {
    const reached = this.bytesByPack((entry) => this.has(entry, REACHED));
    const share = (pack: number): number => (reached[pack] ?? 0) / (chunkBytes[pack] || 1);
    const inLine = this.snapshot.packs
      .map(({ name, number }) => ({ name, number, marked: Number(isMarked(name)), share: share(number) }))
      .sort((a, b) => a.marked - b.marked || b.share - a.share || (a.name < b.name ? -1 : 1));
    const ranks = new Uint32Array(chunkBytes.length);
    inLine.forEach(({ number }, place) => (ranks[number] = place));
    return ranks;
  }

  /** Stored bytes of the entries that count, by number of pack. */
  private bytesByPack(counts: (entry: number) => boolean): Float64Array {
    const { packs, index } = this.snapshot;
    const bytes = new Float64Array(1 + packs.reduce((highest, { number }) => Math.max(highest, number), -1));
    for (let entry = 0; entry < this.states.length; entry++) {
      if (!counts(entry)) continue;
      const pack = index.packOf(entry);
      bytes[pack] = (bytes[pack] as number) + index.storedLengthOf(entry);
    }
    return bytes;
  }

  /** The sound copy whose pack comes first; null where there is none. */
  private bestCopy(entry: number, ranks: Uint32Array): number | null {
    const { index } = this.snapshot;
    let best: number | null = null;
    for (const copy of index.find(index.id(entry))) {
      if (index.isBad(copy) || copy >= this.states.length) continue;
      const isBetter = best === null || (ranks[index.packOf(copy)] as number) < (ranks[index.packOf(best)] as number);
      if (isBetter) best = copy;
    }
    return best;
  }

  private *entries(state: number): Iterable<number> {
    for (let entry = 0; entry < this.states.length; entry++) if (this.has(entry, state)) yield entry;
  }

  private has(entry: number, state: number): boolean {
    return ((this.states[entry] ?? 0) & state) !== 0;
  }

  private add(entry: number, state: number): void {
    if (entry < this.states.length) this.states[entry] = (this.states[entry] as number) | state;
  }
}
