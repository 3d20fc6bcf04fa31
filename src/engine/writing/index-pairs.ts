/**
 * The pairs (number, chunk) of value indexes on their way to sorted trees: typed arrays while they are few, sorted runs on disk
 * beyond, merged at the end. Memory is bounded whatever the table's size. A pair is two 32-bit numbers, back to back.
 */
import type { ValueIndexBuilder } from '../../domain/backup-store';
import type { Random } from '../../domain/ambient';
import type { ChunkId } from '../../domain/manifest';
import { RowSpool } from '../rows/spool';
import { mergeRuns } from './merge-pairs';
import { sortPairs } from './sort-pairs';

/** Pairs in memory before a run of them goes to disk: 8 MiB, for each index of each table that is being stored. */
export const MAX_PAIRS_IN_MEMORY = 1024 * 1024;
/** Runs merged at once; each holds a file and a frame of a spool in memory. */
const MAX_RUNS = 128;
/** A frame of a spool holds several of these. */
const BLOCK_PAIRS = 4096;
const INITIAL_PAIRS = 1024;

/** Grows by doubling. */
export class PairList {
  length = 0;
  private pairs = new Uint32Array(2 * INITIAL_PAIRS);

  push(number: number, ordinal: number): void {
    if (2 * this.length === this.pairs.length) this.grow(this.length + 1);
    this.pairs[2 * this.length] = number;
    this.pairs[2 * this.length++ + 1] = ordinal;
  }

  /** Adds pairs, their ordinals moved up by `offset`. */
  append(pairs: Uint32Array, offset: number): void {
    const count = pairs.length / 2;
    if (2 * (this.length + count) > this.pairs.length) this.grow(this.length + count);
    const at = 2 * this.length;
    this.pairs.set(pairs, at);
    for (let i = at + 1; i < at + pairs.length; i += 2) this.pairs[i] = (this.pairs[i] as number) + offset;
    this.length += count;
  }

  /** Sharing the list's memory. */
  view(): Uint32Array {
    return this.pairs.subarray(0, 2 * this.length);
  }

  clear(): void {
    this.length = 0;
  }

  private grow(count: number): void {
    const grown = new Uint32Array(Math.max(2 * this.pairs.length, 2 * count));
    grown.set(this.view());
    this.pairs = grown;
  }
}

export interface PairSpill {
  folder: string;
  random: Random;
  /** Absent: MAX_PAIRS_IN_MEMORY. */
  maxPairs?: number;
}

export class IndexPairs {
  private readonly pairs = new PairList();
  private runs: RowSpool[] = [];

  constructor(private readonly spill: PairSpill) {}

  /** Pairs in ascending order of their ordinals, which are counted from `offset`. */
  async add(pairs: Uint32Array, offset: number): Promise<void> {
    const { maxPairs = MAX_PAIRS_IN_MEMORY } = this.spill;
    for (let at = 0; at < pairs.length;) {
      const room = 2 * (maxPairs - this.pairs.length);
      this.pairs.append(pairs.subarray(at, at + room), offset);
      at += room;
      if (this.pairs.length >= maxPairs) await this.writeRun();
    }
  }

  async finish(builder: ValueIndexBuilder): Promise<ChunkId | null> {
    if (this.runs.length === 0) await builder.add(sortPairs(this.pairs.view()));
    else {
      await this.writeRun();
      for await (const pairs of mergeRuns(this.runs)) await builder.add(pairs);
    }
    await this.close();
    return builder.finish();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    const runs = this.runs;
    this.runs = [];
    for (const run of runs) await run.close();
  }

  private async writeRun(): Promise<void> {
    if (this.pairs.length === 0) return;
    if (this.runs.length === MAX_RUNS) await this.joinRuns();
    const run = this.openRun();
    await addBlocks(run, sortPairs(this.pairs.view()));
    this.pairs.clear();
  }

  /** Makes one run of all, which keeps their order: ties between runs are decided by which is earlier. */
  private async joinRuns(): Promise<void> {
    const earlier = this.runs;
    this.runs = [...earlier];
    const joined = this.openRun();
    for await (const pairs of mergeRuns(earlier)) await addBlocks(joined, pairs);
    this.runs = [joined];
    for (const run of earlier) await run.close();
  }

  private openRun(): RowSpool {
    const run = new RowSpool(this.spill.folder, this.spill.random);
    this.runs.push(run);
    return run;
  }
}

async function addBlocks(run: RowSpool, pairs: Uint32Array): Promise<void> {
  for (let at = 0; at < pairs.length; at += 2 * BLOCK_PAIRS) {
    const block = pairs.subarray(at, at + 2 * BLOCK_PAIRS);
    const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
    run.add({ bytes, start: 0, end: bytes.length });
    await run.settle();
  }
}
