/**
 * The rows in which two states of one table differ, both from backups. What the states share is not read: the same chunks hold the same
 * rows. What they do not share is joined by key bytes, a few megabytes at a time; a row that meets nothing of its key there waits on disk
 * for the rest. So memory does not grow with the table, and nothing has to be known of the order of keys.
 */
import { AppError } from '../../domain/errors';
import type { RowBatch } from '../../domain/rows';
import type { DiffCounts } from '../../domain/task';
import { OrderedWindow, throwIfAborted } from '../lanes';
import { joinStates, SIDES, type DiffSink, type RowMatching, type Side } from '../rows/join-states';
import { joinBatches } from '../rows/row-chunk';
import { SpilledJoin } from '../rows/spilled-join';
import { applyChanges, readBase, spanBytes, type SpanChunks } from './backup-rows';
import { matchingOf } from './compared-columns';
import { openState, type StateReading, type StateRows, type TableInBackup } from './state-rows';
import type { UnsharedRun } from './unshared-runs';
import { changedSpans, isSameBase, isSameStack, unsharedSpans } from './unshared-spans';

/** Null: that state has no such table. Not both are. */
export type TableStates = Record<Side, TableInBackup | null>;

/** The codec is that of the rows of both states; a business is meant that owns rows in the one or the other. */
export interface Diffing extends StateReading {
  /** Of both states together, joined at once; default: 16 MiB. */
  joinedBytes?: number;
}

const JOINED_BYTES = 16 * 1024 * 1024;
const CHUNKS_AT_ONCE = 8;

/**
 * Of a table whose key is another one in both states all rows are told as removed and as added. Throws INTEGRITY_FAILURE where a chunk is
 * damaged, or where the rows do not add up to what the manifests count; INVALID_INPUT for one business of a table that none owns.
 */
export async function diffTables(states: TableStates, diffing: Diffing, sink: DiffSink): Promise<DiffCounts> {
  const counts = { removed: 0, added: 0, changed: 0 };
  const equal = await tellDifferences(states, diffing, counting(sink, counts));
  return { ...counts, unchanged: diffing.businessId === null ? unchangedRows(states, counts) : equal };
}

/** Tells the sink, and counts. */
export function counting(sink: DiffSink, counts: Omit<DiffCounts, 'unchanged'>): DiffSink {
  return {
    removed: (row) => {
      counts.removed++;
      sink.removed(row);
    },
    added: (row) => {
      counts.added++;
      sink.added(row);
    },
    changed: (before, after) => {
      counts.changed++;
      sink.changed(before, after);
    },
    settle: () => sink.settle(),
  };
}

/** What was not read counts too, by the manifests. */
function unchangedRows(
  { before, after }: TableStates,
  { removed, added, changed }: Omit<DiffCounts, 'unchanged'>,
): number {
  const unchanged = (before?.table.rowCount ?? 0) - removed - changed;
  if (unchanged === (after?.table.rowCount ?? 0) - added - changed) return unchanged;
  const table = (before ?? after)?.table.table;
  throw new AppError('INTEGRITY_FAILURE', `The rows of table ${table} do not add up to what the backups count.`, {
    hint: 'Verify both backups to learn which of them is damaged.',
  });
}

/** Gives how many rows were read and found to be the same. */
async function tellDifferences({ before, after }: TableStates, diffing: Diffing, sink: DiffSink): Promise<number> {
  const opened = {
    before: before && (await openState(before, diffing)),
    after: after && (await openState(after, diffing)),
  };
  const both = isBoth(opened) ? opened : null;
  const matching = both && matchingOf({ before: both.before.structure, after: both.after.structure }, diffing.codec);
  if (both && matching) return new TableDiff(both, { ...diffing, matching }, sink).tell();
  for (const side of SIDES) for await (const rows of opened[side]?.all() ?? []) await tellAll(side, rows, sink);
  return 0;
}

type BothStates = Record<Side, StateRows>;

function isBoth(states: Record<Side, StateRows | null>): states is BothStates {
  return states.before !== null && states.after !== null;
}

/** Of one state alone. */
export async function tellAll(side: Side, { bytes, ends }: RowBatch, sink: DiffSink): Promise<void> {
  let start = 0;
  for (const end of ends) {
    if (side === 'before') sink.removed({ bytes, start, end });
    else sink.added({ bytes, start, end });
    start = end;
  }
  await sink.settle();
}

class TableDiff {
  private readonly gathered: Record<Side, SpanChunks[]> = { before: [], after: [] };
  private gatheredBytes = 0;

  constructor(
    private readonly states: BothStates,
    private readonly diffing: Diffing & { matching: RowMatching },
    private readonly sink: DiffSink,
  ) {}

  async tell(): Promise<number> {
    const { before, after } = this.states;
    const { store, businessId, matching } = this.diffing;
    // Whose a row is may change without the row, by what its path leads to; so of one business both sides are read.
    if (businessId !== null || matching.isSame) return this.tellRuns(inStep(before.spans, after.spans));
    if (isSameStack(before.table, after.table)) return 0;
    if (isSameBase(before.table, after.table)) return this.tellRanges();
    return this.tellRuns(unsharedSpans(store, before.table, after.table));
  }

  /** On one base a key belongs to the same range in both states. */
  private async tellRanges(): Promise<number> {
    const { before, after } = this.states;
    const { store } = this.diffing;
    let equal = 0;
    for await (const spans of changedSpans(store, before.table, after.table)) {
      throwIfAborted(this.diffing.context.signal);
      const base = await readBase(spans.before, store);
      const changed = async (side: Side): Promise<RowBatch> =>
        applyChanges(this.states[side].table, { span: spans[side], base }, this.diffing);
      const rows = { before: await changed('before'), after: await changed('after') };
      this.advance(rows.before.ends.length, spanBytes(spans.before) + spanBytes(spans.after));
      equal += await this.join(rows, this.sink);
    }
    return equal;
  }

  private async tellRuns(runs: AsyncIterable<UnsharedRun<SpanChunks>>): Promise<number> {
    const { matching, context } = this.diffing;
    const { tempDir, random } = context.deps;
    const expectedBytes = Math.min(...SIDES.map((side) => this.states[side].table.rawBytes));
    const waiting = new SpilledJoin({ matching, tempDir, random, signal: context.signal, expectedBytes });
    try {
      const equal = await this.joinNearby(runs, waiting);
      return equal + (await waiting.join(this.sink));
    } finally {
      await waiting.close();
    }
  }

  /** What finds nothing of its key among the rows that come with it may find it among others: it waits. */
  private async joinNearby(runs: AsyncIterable<UnsharedRun<SpanChunks>>, waiting: SpilledJoin): Promise<number> {
    const sink: DiffSink = {
      removed: (row) => waiting.add('before', row),
      added: (row) => waiting.add('after', row),
      changed: (before, after) => this.sink.changed(before, after),
      settle: async () => {
        await this.sink.settle();
        await waiting.settle();
      },
    };
    let equal = 0;
    for await (const run of runs) {
      for (const [side, span] of interleaved(run)) {
        if (this.isFull()) equal += await this.joinGathered(sink);
        this.gather(side, span);
      }
    }
    return equal + (await this.joinGathered(waiting.rowCount === 0 ? this.sink : sink));
  }

  private isFull(): boolean {
    return this.gatheredBytes >= (this.diffing.joinedBytes ?? JOINED_BYTES);
  }

  private gather(side: Side, span: SpanChunks): void {
    this.gathered[side].push(span);
    this.gatheredBytes += spanBytes(span);
  }

  private async joinGathered(sink: DiffSink): Promise<number> {
    throwIfAborted(this.diffing.context.signal);
    const rows = { before: await this.takeGathered('before'), after: await this.takeGathered('after') };
    this.gatheredBytes = 0;
    return this.join(rows, sink);
  }

  private async takeGathered(side: Side): Promise<RowBatch> {
    const spans = this.gathered[side];
    this.gathered[side] = [];
    const read = new OrderedWindow<RowBatch>(CHUNKS_AT_ONCE);
    try {
      for (const span of spans) await read.add(this.states[side].read(span));
      return joinBatches(await read.finish());
    } finally {
      await read.settle();
    }
  }

  private join(rows: Record<Side, RowBatch>, sink: DiffSink): Promise<number> {
    const held = { side: 'before', rows: rows.before } as const;
    return joinStates({ matching: this.diffing.matching, held, passing: one(rows.after) }, sink);
  }

  private advance(rows: number, bytes: number): void {
    this.diffing.context.progress.advance({ rows, bytes, table: this.states.before.table.table });
  }
}

async function* one(batch: RowBatch): AsyncGenerator<RowBatch> {
  yield batch;
}

type Spans = AsyncIterable<SpanChunks> | Iterable<SpanChunks>;

/** All spans of both. */
async function* inStep(before: Spans, after: Spans): AsyncGenerator<UnsharedRun<SpanChunks>> {
  const sides = { before: asAsync(before), after: asAsync(after) };
  for (;;) {
    const next = { before: await sides.before.next(), after: await sides.after.next() };
    if (next.before.done && next.after.done) return;
    yield { before: next.before.done ? [] : [next.before.value], after: next.after.done ? [] : [next.after.value] };
  }
}

async function* asAsync(spans: Spans): AsyncGenerator<SpanChunks, void> {
  yield* spans;
}

/** Both sides at the same pace, so that what belongs together comes together. */
function* interleaved({ before, after }: UnsharedRun<SpanChunks>): Generator<[Side, SpanChunks]> {
  let [earlier, later] = [0, 0];
  while (earlier < before.length || later < after.length) {
    const isBehind = earlier * after.length <= later * before.length;
    if (later === after.length || (isBehind && earlier < before.length))
      yield ['before', before[earlier++] as SpanChunks];
    else yield ['after', after[later++] as SpanChunks];
  }
}
