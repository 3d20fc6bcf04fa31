/**
 * Change detection by BINLOG, second half: looks up, by key, the rows that the log tells to have changed, and stores what is there now
 * as a delta layer on the parent's stack: live rows as upserts, keys that are gone as tombstones. Neither the parent's chunks nor the
 * other rows of the table are read, so that this costs what changed.
 *
 * What the parent's rows weigh that are replaced or gone is not known: those that are replaced count as long as what replaces them,
 * those that are gone as the parent's average. `rawBytes` of the table is therefore an estimate; its number of rows is exact.
 */
import type { KeyBytes, RowBatch } from '../../domain/rows';
import type { KeyedRead } from '../../domain/source';
import { keyColumnIndexes } from '../../domain/table';
import { OrderedWindow, runLanes } from '../lanes';
import { layersOf } from '../reading/backup-rows';
import { KeyReader } from '../rows/key-bytes';
import type { LayerRange, LayerWriter } from '../writing/layer-writer';
import { ChangesBelow } from './changes-below';
import type { LoggedKeys } from './logged-keys';
import { ChangeTally, deltaLayer, finishChanges, RangeChanges, TooManyChanges } from './range-changes';
import type { ChangeContext, ChangedTable, StoredChanges } from './range-changes';
import { touchedRanges, type TouchedRange } from './touched-ranges';

/** Keys that a lane looks up in one go, those of the last range beyond it. */
const LOOKED_UP_KEYS = 1000;
const CHUNKS_UNDER_WAY = 4;

/** In words, why the table's rows must be compared after all. */
export class NotByKey extends Error {}

export interface KeyedContext extends ChangeContext {
  byKey: KeyedRead;
}

/** Null where so much changed that the table had better be taken whole. Throws NotByKey. */
export async function storeLoggedChanges(
  table: ChangedTable,
  logged: LoggedKeys,
  storing: KeyedContext,
): Promise<StoredChanges | null> {
  const layer = deltaLayer(table.structure, storing);
  try {
    return await storeInto(layer, { table, logged }, storing);
  } catch (error) {
    if (error instanceof TooManyChanges) return null;
    throw error;
  } finally {
    await layer.close();
  }
}

async function storeInto(
  layer: LayerWriter,
  { table, logged }: { table: ChangedTable; logged: LoggedKeys },
  storing: KeyedContext,
): Promise<StoredChanges> {
  const { parent, structure } = table;
  const { context, read, store } = storing;
  const tally = new ChangeTally(parent.rawBytes);
  const { deltas } = layersOf(parent);
  const below = logged.size === 0 ? null : await ChangesBelow.of(store, deltas);
  const lanes = { lanes: read.lanes, signal: context.signal };
  await runLanes(lanes, lookUps(table, logged, storing), async (lookUp, signal) => {
    const bytesBelow = lookUp.ranges.map(({ range }) => below?.bytesOf(range) ?? 0);
    const chunks = layer.beginRange();
    await new LookUp(table, { lookUp, logged, tally, bytesBelow, chunks }, storing).store(signal);
    await layer.finishRange(lookUp.index, chunks);
    context.progress.advance({ rows: lookUp.keys, bytes: 0, table: structure.table });
  });
  return finishChanges(table, {
    tally,
    layer,
    changeDetection: 'BINLOG',
    changeDetectionReason: 'The binary log since the parent backup tells which rows changed.',
  });
}

/** Ranges next to each other, and their number within the layer's order. */
interface RangesToLookUp {
  index: number;
  ranges: TouchedRange[];
  keys: number;
}

async function* lookUps(
  { parent, structure }: ChangedTable,
  logged: LoggedKeys,
  { store, byKey, context: { signal } }: KeyedContext,
): AsyncGenerator<RangesToLookUp> {
  const place = async (keys: readonly KeyBytes[], bounds: readonly KeyBytes[]): Promise<Uint32Array> => {
    const places = await byKey.placeKeys(structure, { keys, bounds, signal });
    if (places === null) throw new NotByKey('the source can not tell for certain where keys such as these stand');
    return places;
  };
  let next: RangesToLookUp = { index: 0, ranges: [], keys: 0 };
  for await (const range of touchedRanges(layersOf(parent).base, logged.all(), { store, place })) {
    next.ranges.push(range);
    next.keys += range.keys.length;
    if (next.keys < LOOKED_UP_KEYS) continue;
    yield next;
    next = { index: next.index + 1, ranges: [], keys: 0 };
  }
  if (next.keys > 0) yield next;
}

interface LookingUp {
  lookUp: RangesToLookUp;
  logged: LoggedKeys;
  tally: ChangeTally;
  /** What the layers below hold of each range. */
  bytesBelow: readonly number[];
  chunks: LayerRange;
}

/** One pass over ranges next to each other: rows come in key order, so that a range is done once a row of a later one comes. */
class LookUp {
  private readonly rangeOf = new Map<string, number>();
  private readonly stored = new OrderedWindow<void>(CHUNKS_UNDER_WAY);
  private readonly key: KeyReader;
  private readonly averageBytes: number;
  private current = 0;
  private changes: RangeChanges;

  constructor(
    private readonly table: ChangedTable,
    private readonly what: LookingUp,
    private readonly storing: KeyedContext,
  ) {
    const { parent, structure } = table;
    this.key = new KeyReader(storing.codec, keyColumnIndexes(structure));
    this.averageBytes = parent.rowCount === 0 ? 0 : parent.rawBytes / parent.rowCount;
    what.lookUp.ranges.forEach(({ keys }, i) => keys.forEach((key) => this.rangeOf.set(key.toString('latin1'), i)));
    this.changes = this.changesOf(0);
  }

  async store(signal: AbortSignal): Promise<void> {
    const { ranges } = this.what.lookUp;
    const range = { from: ranges[0]?.range.from ?? null, to: ranges.at(-1)?.range.to ?? null };
    const keys = ranges.flatMap((touched) => touched.keys);
    try {
      for await (const batch of this.storing.byKey.readKeys(this.table.structure, { keys, range, signal })) {
        await this.takeLive(batch);
        this.changes.settle();
        batch.release?.();
      }
      while (this.current < ranges.length) await this.finishRange();
      await this.stored.finish();
    } finally {
      await this.stored.settle();
    }
  }

  private async takeLive({ bytes, ends }: RowBatch): Promise<void> {
    let start = 0;
    for (const end of ends) {
      this.key.read(bytes, start);
      const name = this.key.bytes.toString('latin1', this.key.start, this.key.end);
      const range = this.rangeOf.get(name);
      // A row that only the collation calls equal did not change.
      if (range !== undefined) {
        if (range < this.current) throw new NotByKey('the source gave rows in another order than it put their keys in');
        while (this.current < range) await this.finishRange();
        this.rangeOf.delete(name);
        this.upsert(name, { bytes, start, end });
      }
      start = end;
    }
  }

  private upsert(name: string, { bytes, start, end }: { bytes: Buffer; start: number; end: number }): void {
    const { logged } = this.what;
    if (logged.isAsBefore(name, bytes.subarray(start, end))) return;
    const was = logged.was(name);
    this.changes.upsert(bytes, start, end);
    this.what.tally.change(was ? 0 : 1, { before: was ? end - start : 0, after: end - start });
  }

  /** What was not met of the range's keys is gone, or was never more than passing. */
  private async finishRange(): Promise<void> {
    const { lookUp, logged, tally, chunks } = this.what;
    for (const key of lookUp.ranges[this.current]?.keys ?? []) {
      const name = key.toString('latin1');
      if (!this.rangeOf.has(name) || !logged.was(name)) continue;
      this.changes.remove(key);
      tally.change(-1, { before: this.averageBytes, after: 0 });
    }
    if (!this.changes.isEmpty) await this.stored.add(this.changes.storeIn(chunks));
    this.changes = this.changesOf(++this.current);
  }

  private changesOf(index: number): RangeChanges {
    const { lookUp, bytesBelow } = this.what;
    return new RangeChanges(lookUp.ranges[index]?.range ?? { from: null, to: null }, bytesBelow[index] ?? 0);
  }
}
