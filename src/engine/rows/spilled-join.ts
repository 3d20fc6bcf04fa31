/**
 * Joins rows of two states of which neither fits in memory, and of whose order nothing is known: both are spooled to disk, in parts by a
 * hash of their keys, and joined part by part. A part of which even the smaller side is large is parted again.
 */
import type { Random } from '../../domain/ambient';
import type { RowBatch } from '../../domain/rows';
import { throwIfAborted, untilAborted } from '../lanes';
import type { RowSlice } from './compare-rows';
import { joinStates, SIDES, type DiffSink, type RowMatching, type Side } from './join-states';
import { KeyReader } from './key-bytes';
import { RowCollector } from './row-chunk';
import { RowSpool } from './spool';

/** Rows of one side that are held at once. */
const HELD_BYTES = 16 * 1024 * 1024;
/** Each has a buffer of its own for both sides. */
const PARTS = 32;
/** A part that is still too large by then is one of very large rows. */
const MAX_DEPTH = 6;
const FIRST_SEED = 0x6a6f696e;

export interface JoinSpace {
  matching: RowMatching;
  tempDir: string;
  random: Random;
  signal: AbortSignal;
  /** What the smaller side may come to. */
  expectedBytes: number;
  /** Rows of one side that are held at once; default: 16 MiB. */
  heldBytes?: number;
}

export class SpilledJoin {
  rowCount = 0;
  private readonly parts: Record<Side, Part>[];
  private readonly keys: Record<Side, KeyReader>;
  private readonly heldBytes: number;

  constructor(
    private readonly space: JoinSpace,
    private readonly depth = 0,
  ) {
    const { matching, expectedBytes, tempDir, random } = space;
    this.heldBytes = space.heldBytes ?? HELD_BYTES;
    const count = expectedBytes <= this.heldBytes ? 1 : PARTS;
    const part = (): Part => ({ spool: new RowSpool(tempDir, random), bytes: 0 });
    this.parts = Array.from({ length: count }, () => ({ before: part(), after: part() }));
    const keysOf = (side: Side): KeyReader => new KeyReader(matching.codec, matching.keyColumns[side]);
    this.keys = { before: keysOf('before'), after: keysOf('after') };
  }

  /** Copies the row in. */
  add(side: Side, row: RowSlice): void {
    const part = (this.parts[this.partOf(side, row)] as Record<Side, Part>)[side];
    part.spool.add(row);
    part.bytes += row.end - row.start;
    this.rowCount++;
  }

  async addBatch(side: Side, { bytes, ends }: RowBatch): Promise<void> {
    let start = 0;
    for (const end of ends) {
      this.add(side, { bytes, start, end });
      start = end;
    }
    await this.settle();
  }

  /** Called between batches, for backpressure. */
  async settle(): Promise<void> {
    for (const part of this.parts) for (const side of SIDES) await part[side].spool.settle();
  }

  /** Once only, after all rows were added. Gives the number of rows that are the same in both states. */
  async join(sink: DiffSink): Promise<number> {
    let equal = 0;
    for (const part of this.parts) {
      throwIfAborted(this.space.signal);
      equal += this.fits(part) ? await this.joinPart(part, sink) : await this.joinApart(part, sink);
      await closePart(part);
    }
    return equal;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    for (const part of this.parts) await closePart(part);
  }

  private partOf(side: Side, row: RowSlice): number {
    if (this.parts.length === 1) return 0;
    const key = this.keys[side];
    key.read(row.bytes, row.start);
    return key.hash(FIRST_SEED + this.depth) % this.parts.length;
  }

  private fits({ before, after }: Record<Side, Part>): boolean {
    const smaller = before.bytes <= after.bytes ? before : after;
    return smaller.bytes <= this.heldBytes || smaller.spool.rowCount <= 1 || this.depth >= MAX_DEPTH;
  }

  private async joinPart(part: Record<Side, Part>, sink: DiffSink): Promise<number> {
    const side = part.before.bytes <= part.after.bytes ? 'before' : 'after';
    const other = side === 'before' ? 'after' : 'before';
    const rows = await allRows(part[side].spool);
    const { matching, signal } = this.space;
    return joinStates(
      { matching, held: { side, rows }, passing: untilAborted(part[other].spool.batches(), signal) },
      sink,
    );
  }

  private async joinApart(part: Record<Side, Part>, sink: DiffSink): Promise<number> {
    const apart = new SpilledJoin({ ...this.space, expectedBytes: Infinity }, this.depth + 1);
    try {
      for (const side of SIDES) await apart.addAll(side, part[side].spool);
      await closePart(part);
      return await apart.join(sink);
    } finally {
      await apart.close();
    }
  }

  private async addAll(side: Side, rows: RowSpool): Promise<void> {
    for await (const batch of untilAborted(rows.batches(), this.space.signal)) await this.addBatch(side, batch);
  }
}

interface Part {
  spool: RowSpool;
  bytes: number;
}

async function closePart(part: Record<Side, Part>): Promise<void> {
  for (const side of SIDES) await part[side].spool.close();
}

async function allRows(spool: RowSpool): Promise<RowBatch> {
  const rows = new RowCollector();
  for await (const batch of spool.batches()) rows.addBatch(batch);
  return rows.takeBatch();
}
