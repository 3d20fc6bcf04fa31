/**
 * Merges what damage did to one table with what is live: looks the live row of each damaged key up, and gathers what has to change and where
 * fields are in conflict, spooled to disk. Reads no other live row, so that it costs what the damage did.
 */
import type { Random } from '../../domain/ambient';
import type { ConflictCounts } from '../../domain/change-set';
import { rowStart, type KeyBytes, type RowBatch, type RowCodec, type RowScope } from '../../domain/rows';
import { keyColumnIndexes, type TableStructure } from '../../domain/table';
import type { ConflictPolicy } from '../../domain/three-way';
import { throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import type { DifferenceSink, RowSlice } from '../rows/compare-rows';
import { KeyReader, keysOf } from '../rows/key-bytes';
import { RowMerger, type RowImages } from '../rows/merge-row';
import { RowCollector } from '../rows/row-chunk';
import { RowSpool, splitRows } from '../rows/spool';
import type { LiveReader } from './compare-tables';
import { NO_ROW, type ConflictingRows, type DamagedRows, type TableDamage } from './damage';
import { TableDifferences } from './differences';
import { OwnerCheck } from './owner-check';

export interface Merging {
  codec: RowCodec;
  conflictPolicy: ConflictPolicy;
  scope: RowScope;
  tempDir: string;
  random: Random;
  moveUpdates: boolean;
}

/** Of one table; whoever makes it closes it. */
export class TableMerge {
  readonly differences: TableDifferences;
  /** Rows of which something stays that was done after the damage. */
  keptEdits = 0;
  readonly conflicts: ConflictCounts = { rows: 0, fields: 0 };
  private readonly conflicting: RowSpool;
  private readonly merger: RowMerger;
  private readonly owners: OwnerCheck;
  private readonly sink: DifferenceSink;

  constructor(
    readonly damage: TableDamage,
    private readonly merging: Merging,
  ) {
    const { codec, conflictPolicy, scope, tempDir, random } = merging;
    this.differences = new TableDifferences(damage.table, merging);
    this.sink = this.differences.sink(OF_NO_CHUNK);
    this.conflicting = new RowSpool(tempDir, random);
    this.merger = new RowMerger(codec, this.structure, conflictPolicy);
    this.owners = new OwnerCheck(damage, { codec, scope });
  }

  get structure(): TableStructure {
    return this.damage.table.manifest.structure;
  }

  async mergeWith(live: LiveReader, { signal, progress }: TaskContext): Promise<void> {
    const { codec } = this.merging;
    for await (const rows of this.damage.batches()) {
      throwIfAborted(signal);
      const keys = keysOf(oneOfEach(rows), codec, keyColumnIndexes(this.structure));
      const liveRows = (scope?: RowScope) =>
        liveRowsOf(keys, { structure: this.structure, codec, live, scope, signal });
      const found = await liveRows();
      const own = await this.owners.ownOf(found, liveRows);
      found.forEach((row, n) =>
        this.take({ undamaged: rowAt(rows.undamaged, n), damaged: rowAt(rows.damaged, n), live: row }, own[n] === true),
      );
      await this.settle();
      const { table } = this.structure;
      progress.advance({ rows: keys.length, bytes: rows.undamaged.bytes.length + rows.damaged.bytes.length, table });
    }
  }

  /** As often as it is asked for. */
  async *conflictingRows(): AsyncGenerator<ConflictingRows> {
    for await (const batch of this.conflicting.batches()) {
      const [undamaged, damaged, live] = splitRows(batch, 3) as [RowBatch, RowBatch, RowBatch];
      yield { undamaged, damaged, live };
    }
  }

  async close(): Promise<void> {
    await this.differences.close();
    await this.conflicting.close();
  }

  private take(images: RowImages, isOwn: boolean): void {
    const isParent = this.damage.table.role === 'PARENT';
    if (isParent && images.live !== null) return this.note(images.live, images.live);
    this.owners.require(images, isOwn);
    const { row, conflicts, keepsEdit } = this.merger.merge(images);
    if (keepsEdit) this.keptEdits++;
    if (conflicts.length > 0) this.noteConflict(images, conflicts.length);
    this.note(images.live, row);
  }

  private noteConflict({ undamaged, damaged, live }: RowImages, fields: number): void {
    this.conflicts.rows++;
    this.conflicts.fields += fields;
    this.conflicting.add(undamaged ?? NO_ROW, damaged ?? NO_ROW, live ?? NO_ROW);
  }

  private note(live: RowSlice | null, row: RowSlice | null): void {
    if (row === live) this.sink.equal(1);
    else if (row === null) this.sink.extra(live as RowSlice);
    else if (live === null) this.sink.missing(row, 0);
    else this.sink.changed({ live, backup: row, index: 0 });
  }

  private async settle(): Promise<void> {
    await this.sink.settle();
    await this.conflicting.settle();
  }
}

/** Which of a chunk's rows are touched is told to nobody here. */
const OF_NO_CHUNK = { index: 0, rowCount: 0 };

export function imagesAt(rows: ConflictingRows, n: number): RowImages {
  return { undamaged: rowAt(rows.undamaged, n), damaged: rowAt(rows.damaged, n), live: rowAt(rows.live, n) };
}

function rowAt(batch: RowBatch, n: number): RowSlice | null {
  const [start, end] = [rowStart(batch, n), batch.ends[n] as number];
  return start === end ? null : { bytes: batch.bytes, start, end };
}

/** A row of each key, whichever is there. */
function oneOfEach({ undamaged, damaged }: DamagedRows): RowBatch {
  const rows = new RowCollector();
  for (let n = 0; n < undamaged.ends.length; n++) {
    const { bytes, start, end } = rowAt(undamaged, n) ?? rowAt(damaged, n) ?? NO_ROW;
    rows.add(bytes, start, end);
  }
  return rows.takeBatch();
}

/** In the order of the keys; null where there is no row, or none in the scope. */
async function liveRowsOf(
  keys: readonly KeyBytes[],
  {
    structure,
    codec,
    live,
    scope,
    signal,
  }: {
    structure: TableStructure;
    codec: RowCodec;
    live: LiveReader;
    scope?: RowScope | undefined;
    signal: AbortSignal;
  },
): Promise<(RowSlice | null)[]> {
  const places = new Map(keys.map((key, place) => [key.toString('latin1'), place]));
  const found: (RowSlice | null)[] = keys.map(() => null);
  const key = new KeyReader(codec, keyColumnIndexes(structure));
  for await (const batch of live.readRows(structure, { keys, ...(scope && { scope }), signal })) {
    for (let n = 0; n < batch.ends.length; n++) {
      const [start, end] = [rowStart(batch, n), batch.ends[n] as number];
      key.read(batch.bytes, start);
      const place = places.get(key.bytes.toString('latin1', key.start, key.end));
      if (place !== undefined) found[place] = wholeSlice(Buffer.from(batch.bytes.subarray(start, end)));
    }
    batch.release?.();
  }
  return found;
}

function wholeSlice(bytes: Buffer): RowSlice {
  return { bytes, start: 0, end: bytes.length };
}
