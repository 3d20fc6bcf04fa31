/**
 * Writes one layer of a table: chunks are stored, and put into the layer's index, and what its value indexes need to know of
 * their rows is gathered. Key ranges may finish in any order: entries and ordinals follow the ranges' own. Whoever makes layers, whole
 * or of changes, makes them here, so that none lacks its indexes.
 */
import type { BackupWriteSession, ChunkEntry, LayerBuilder } from '../../domain/backup-store';
import type { ValueIndexRef, LayerRef } from '../../domain/manifest';
import type { KeyRange, RowBatch, RowCodec } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';
import type { BufferPool } from '../rows/buffer-pool';
import type { ChunkDraft } from '../rows/chunker';
import { encodeDeltaChunk, type RangeDelta } from '../rows/delta-chunk';
import {
  FieldLocator, ValueReader, OTHER_NUMBER, positionsOf, HAS_NULL, type IndexedColumns,
} from '../rows/value-reader'; // prettier-ignore
import { NO_ROWS, decodeRowChunk } from '../rows/row-chunk';
import { IndexPairs, PairList, type PairSpill } from './index-pairs';

export interface LayerTarget {
  kind: LayerRef['kind'];
  session: BackupWriteSession;
  structure: TableStructure;
  codec: RowCodec;
  /** `BackupStore.chunkSeed` */
  seed: number;
  spill: PairSpill;
  /** `indexedColumns`; none for backups of one business, in which nothing has to be found. */
  indexedBy: readonly IndexedColumns[];
}

export class LayerWriter {
  /** Bytes of rows in chunks that were not stored before. */
  newRawBytes = 0;
  private readonly builder: LayerBuilder;
  private readonly pairs: IndexPairs[];
  private readonly outstanding = new Map<number, LayerRange>();
  private nextRange = 0;
  private chunkCount = 0;
  private adding: Promise<void> = Promise.resolve();

  constructor(private readonly target: LayerTarget) {
    this.builder = target.session.buildLayer(target.kind);
    this.pairs = target.indexedBy.map(() => new IndexPairs(target.spill));
  }

  /** Whether its indexes need to know the rows of chunks that are only listed. */
  get isIndexed(): boolean {
    return this.pairs.length > 0;
  }

  beginRange(): LayerRange {
    const onStored = (rawBytes: number): void => void (this.newRawBytes += rawBytes);
    return new LayerRange(this.target.session, { gathering: new ValueGathering(this.target), onStored });
  }

  /** Each range once, counted from 0 without a gap, when all of its chunks are stored. */
  async finishRange(index: number, range: LayerRange): Promise<void> {
    this.outstanding.set(index, range);
    this.adding = this.adding.then(() => this.addReady());
    await this.adding;
  }

  async finish(): Promise<LayerRef> {
    await this.adding;
    const layer = await this.builder.finish();
    const valueIndexes = await this.finishIndexes();
    return valueIndexes.length === 0 ? layer : { ...layer, valueIndexes };
  }

  /** Gives up what is not finished. Idempotent; harmless after `finish`. */
  async close(): Promise<void> {
    await this.adding.catch(() => undefined); // whoever awaited it has seen its error
    for (const pairs of this.pairs) await pairs.close();
  }

  private async addReady(): Promise<void> {
    for (;;) {
      const range = this.outstanding.get(this.nextRange);
      if (range === undefined) return;
      this.outstanding.delete(this.nextRange++);
      for (const entry of range.entries) await this.builder.add(entry);
      for (const [i, pairs] of this.pairs.entries()) await pairs.add(range.pairsOf(i), this.chunkCount);
      this.chunkCount += range.entries.length;
    }
  }

  private async finishIndexes(): Promise<ValueIndexRef[]> {
    const indexes: ValueIndexRef[] = [];
    for (const [i, columns] of this.target.indexedBy.entries()) {
      const root = await (this.pairs[i] as IndexPairs).finish(this.target.session.buildValueIndex());
      indexes.push({ columns, root });
    }
    return indexes;
  }
}

/** The chunks of one key range, in the order in which they are given. */
export class LayerRange {
  /** Those of chunks that are stored already. */
  readonly entries: ChunkEntry[] = [];
  private given = 0;

  constructor(
    private readonly session: BackupWriteSession,
    private readonly to: { gathering: ValueGathering; onStored: (rawBytes: number) => void },
  ) {}

  get isEmpty(): boolean {
    return this.given === 0;
  }

  /** Stores rows; gives the payload back to the pool where it came from. */
  async storeRows({ payload, ...facts }: ChunkDraft, pool?: BufferPool): Promise<void> {
    const rows = this.to.gathering.isNeeded ? decodeRowChunk(payload) : NO_ROWS;
    await this.store(facts, { payload, rows });
    // Not after a failure: another thread may be reading the payload still.
    pool?.give(payload);
  }

  /** Stores changes. */
  async storeDelta({ range, tombstones, upserts }: RangeDelta): Promise<void> {
    const facts = {
      rowCount: tombstones.ends.length + upserts.ends.length,
      rawBytes: tombstones.bytes.length + upserts.bytes.length,
      ...boundsOf(range),
    };
    await this.store(facts, { payload: encodeDeltaChunk({ range, tombstones, upserts }), rows: upserts });
  }

  /** Lists a chunk that is stored already, as it is, whose rows (or upserts) these are. */
  list(entry: ChunkEntry, rows: RowBatch): void {
    this.entries[this.take(rows)] = entry;
  }

  pairsOf(list: number): Uint32Array {
    return this.to.gathering.pairsOf(list);
  }

  private async store(
    facts: Omit<ChunkEntry, 'id'>,
    { payload, rows }: { payload: Buffer; rows: RowBatch },
  ): Promise<void> {
    const ordinal = this.take(rows);
    const { id, storedBytes } = await this.session.putChunk(payload);
    if (storedBytes > 0) this.to.onStored(facts.rawBytes);
    this.entries[ordinal] = { id, ...facts };
  }

  private take(rows: RowBatch): number {
    const ordinal = this.given++;
    if (this.to.gathering.isNeeded) this.to.gathering.add(rows, ordinal);
    return ordinal;
  }
}

const OPEN = Buffer.alloc(0);

function boundsOf({ from, to }: KeyRange): Pick<ChunkEntry, 'firstKey' | 'lastKey'> {
  return { firstKey: from ?? OPEN, lastKey: to ?? OPEN };
}

const NO_PAIRS = new Uint32Array(0);

/** The numbers of values in a range's chunks. Takes memory only once there is one. */
class ValueGathering {
  private keys: NumbersOfValues[] | null = null;
  private readonly positions: number[][];
  private readonly locator: FieldLocator;

  constructor(private readonly target: LayerTarget) {
    this.positions = target.indexedBy.map((columns) => positionsOf(target.structure, columns));
    this.locator = new FieldLocator(target.codec, this.positions.flat());
  }

  get isNeeded(): boolean {
    return this.positions.length > 0;
  }

  add({ bytes, ends }: RowBatch, ordinal: number): void {
    const keys = (this.keys ??= this.openKeys());
    for (const key of keys) key.beginChunk(ordinal);
    let start = 0;
    for (const end of ends) {
      const fields = this.locator.locate(bytes, start);
      for (const key of keys) key.add(bytes, fields);
      start = end;
    }
    for (const key of keys) key.endChunk();
  }

  pairsOf(list: number): Uint32Array {
    return this.keys?.[list]?.pairs.view() ?? NO_PAIRS;
  }

  private openKeys(): NumbersOfValues[] {
    const { seed, indexedBy } = this.target;
    return indexedBy.map((columns, i) => {
      return new NumbersOfValues(new ValueReader(columns, this.positions[i] as number[], seed));
    });
  }
}

/** Remembers the newest numbers of a chunk: children of one row mostly stand close to each other. */
const REMEMBERED = 4096;

class NumbersOfValues {
  readonly pairs = new PairList();
  private readonly recent = new Uint32Array(REMEMBERED);
  private hasOther = false;
  private ordinal = 0;

  constructor(private readonly reader: ValueReader) {}

  beginChunk(ordinal: number): void {
    this.ordinal = ordinal;
    this.hasOther = false;
    this.reader.forget();
    this.recent.fill(OTHER_NUMBER); // which is remembered apart
  }

  add(bytes: Buffer, fields: Int32Array): void {
    if (this.reader.isRepeated(bytes, fields)) return;
    const number = this.reader.read(bytes, fields);
    if (number === OTHER_NUMBER) this.hasOther = true;
    if (number === OTHER_NUMBER || number === HAS_NULL) return;
    const slot = number & (REMEMBERED - 1);
    if (this.recent[slot] === number) return;
    this.recent[slot] = number;
    this.pairs.push(number, this.ordinal);
  }

  endChunk(): void {
    if (this.hasOther) this.pairs.push(OTHER_NUMBER, this.ordinal);
  }
}
