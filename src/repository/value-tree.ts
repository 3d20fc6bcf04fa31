/** The tree of a value index: built from sorted pairs in constant memory, and looked into without reading all of it. */
import type { ValueIndexBuilder } from '../domain/backup-store';
import { AppError } from '../domain/errors';
import type { ChunkId } from '../domain/manifest';
import {
  decodeValuePage, MAX_ORDINALS, OpenInner, OpenLeaves,
  type ValuePage, type InnerEntry, type Leaf, type LeafReader,
} from './value-page'; // prettier-ignore
import { PageTree, type PutPage, type ReadPayload } from './page-tree';

export class ValueTreeBuilder implements ValueIndexBuilder {
  private readonly tree: PageTree<Leaf, InnerEntry>;
  private readonly leaf: Leaf = { number: 0, ordinals: new Uint32Array(MAX_ORDINALS), count: 0 };

  constructor(putPage: PutPage) {
    const openInner = (level: number): OpenInner => new OpenInner(level);
    this.tree = new PageTree({ openLeaves: () => new OpenLeaves(), openInner }, putPage);
  }

  async add(pairs: Uint32Array): Promise<void> {
    for (let at = 0; at < pairs.length; at += 2) {
      const storing = this.addPair(pairs[at] as number, pairs[at + 1] as number);
      if (storing) await storing;
    }
  }

  async finish(): Promise<ChunkId | null> {
    if (this.leaf.count > 0) await this.tree.add(this.leaf);
    return (await this.tree.finish())?.toString('hex') ?? null;
  }

  private addPair(number: number, ordinal: number): Promise<void> | undefined {
    const { leaf } = this;
    if (number === leaf.number && leaf.count > 0 && ordinal === leaf.ordinals[leaf.count - 1]) return undefined;
    let storing: Promise<void> | undefined;
    if (leaf.count > 0 && (number !== leaf.number || leaf.count === MAX_ORDINALS)) {
      storing = this.tree.add(leaf);
      leaf.count = 0;
    }
    leaf.number = number;
    leaf.ordinals[leaf.count++] = ordinal;
    return storing;
  }
}

/** Reads a page that must be of the level given, or of any where none is. */
export async function readValuePage(read: ReadPayload, id: Buffer, level?: number): Promise<ValuePage> {
  const page = decodeValuePage(await read(id));
  if (level === undefined || page.level === level) return page;
  throw new AppError('INTEGRITY_FAILURE', `The index page ${id.toString('hex')} is of a wrong level.`);
}

export interface ValueLookUp {
  read: ReadPayload;
  root: Buffer;
  /** Ascending. */
  numbers: Uint32Array;
  limit: number;
}

/** Ordinals of the chunks listed under any of the numbers, ascending; null for more than the limit. */
export async function lookUpValues(lookUp: ValueLookUp): Promise<Uint32Array | null> {
  const found = new Set<number>();
  const within = await lookInto({ id: lookUp.root, numbers: lookUp.numbers }, { ...lookUp, found });
  return within ? Uint32Array.from(found).sort() : null;
}

/** A page, and those of the numbers that may be below it. */
interface Place {
  id: Buffer;
  level?: number;
  numbers: Uint32Array;
}

/** False once there are more than the limit. */
async function lookInto(
  { id, level, numbers }: Place,
  looking: ValueLookUp & { found: Set<number> },
): Promise<boolean> {
  const { read, found, limit } = looking;
  const page = await readValuePage(read, id, level);
  if (page.level === 0) takeLeaves(page.leaves, numbers, found);
  for (const entry of page.inner) {
    const below = numbersBetween(numbers, entry);
    if (below.length === 0) continue;
    if (!(await lookInto({ id: entry.id, level: page.level - 1, numbers: below }, looking))) return false;
  }
  return found.size <= limit;
}

function takeLeaves(leaves: LeafReader, numbers: Uint32Array, found: Set<number>): void {
  let at = 0;
  while (leaves.next()) {
    while (at < numbers.length && (numbers[at] as number) < leaves.number) at++;
    const isWanted = numbers[at] === leaves.number;
    leaves.takeOrdinals(isWanted ? (ordinal) => found.add(ordinal) : ignore);
  }
}

function ignore(): void {
  // because ordinals must be read over to reach the next entry
}

function numbersBetween(numbers: Uint32Array, { first, last }: InnerEntry): Uint32Array {
  return numbers.subarray(lowerBound(numbers, first), lowerBound(numbers, last + 1));
}

/** The first position that holds `value` or more. */
function lowerBound(numbers: Uint32Array, value: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
