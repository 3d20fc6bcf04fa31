/** The changes that a change set lists of one table, read chunk by chunk, and the proof that all of them can be read. */
import type { BackupStore } from '../../domain/backup-store';
import { changeCounts, type ChangeSetTable, type LayerLoad, type RowListRef } from '../../domain/change-set';
import { AppError } from '../../domain/errors';
import type { TableManifest } from '../../domain/manifest';
import { rowStart, type RowBatch, type RowCodec } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';
import { throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import { chunkSpans, readSpan } from '../reading/backup-rows';
import { proveChunks } from '../reading/prove-chunks';
import { RowCollector, decodeRowChunk } from '../rows/row-chunk';
import type { RowPairs } from '../rows/spool';
import type { TableChanges } from './table-changes';
import { collisionTest, type CollisionTest } from './unique-collisions';

export interface ChangesReading {
  store: BackupStore;
  codec: RowCodec;
}

export class StoredChanges implements TableChanges {
  private readonly collides: CollisionTest | null;

  constructor(
    readonly table: ChangeSetTable,
    private readonly reading: ChangesReading,
    { moveUpdates }: { moveUpdates: boolean },
  ) {
    this.collides = moveUpdates ? () => true : collisionTest(table.structure, reading.codec);
  }

  get structure(): TableStructure {
    return this.table.structure;
  }

  get images(): number {
    const { inserts, updates, deletes } = changeCounts(this.table);
    return inserts + 2 * updates + deletes;
  }

  async *deletes(): AsyncGenerator<RowBatch> {
    yield* listedRows(this.table.deletes, this.reading.store);
    yield* this.loaded('OUT');
  }

  async *inserts(): AsyncGenerator<RowBatch> {
    yield* listedRows(this.table.inserts, this.reading.store);
    yield* this.loaded('IN');
  }

  async *updates(): AsyncGenerator<RowPairs> {
    for await (const pairs of this.pairs()) yield this.choose(pairs, false);
  }

  async *moves(): AsyncGenerator<RowPairs> {
    if (this.collides === null) return;
    for await (const pairs of this.pairs()) yield this.choose(pairs, true);
  }

  private async *pairs(): AsyncGenerator<RowPairs> {
    const { before, after } = this.table.updates;
    const newRows = listedRows(after, this.reading.store);
    for await (const oldRows of listedRows(before, this.reading.store)) {
      const next = await newRows.next();
      if (next.done || next.value.ends.length !== oldRows.ends.length) throw unequalLists(this.table.table);
      yield { oldRows, newRows: next.value };
    }
    if (!(await newRows.next()).done) throw unequalLists(this.table.table);
  }

  private choose({ oldRows, newRows }: RowPairs, colliding: boolean): RowPairs {
    const { collides } = this;
    if (collides === null) return { oldRows, newRows };
    const chosen = [new RowCollector(), new RowCollector()] as const;
    for (let row = 0; row < oldRows.ends.length; row++) {
      const [old, next] = [slice(oldRows, row), slice(newRows, row)];
      if (collides(old, next) !== colliding) continue;
      chosen[0].add(old.bytes, old.start, old.end);
      chosen[1].add(next.bytes, next.start, next.end);
    }
    return { oldRows: chosen[0].takeBatch(), newRows: chosen[1].takeBatch() };
  }

  private async *loaded(direction: LayerLoad['direction']): AsyncGenerator<RowBatch> {
    const manifest = loadedTable(this.table);
    if (manifest === null || this.table.load?.direction !== direction) return;
    for await (const span of chunkSpans(this.reading.store, manifest)) {
      yield await readSpan(manifest, span, this.reading);
    }
  }
}

function slice(batch: RowBatch, row: number): { bytes: Buffer; start: number; end: number } {
  return { bytes: batch.bytes, start: rowStart(batch, row), end: batch.ends[row] as number };
}

/** The layers that a table loads, as a manifest would name them. Null where it loads none. */
export function loadedTable({ dataType, table, structure, load }: ChangeSetTable): TableManifest | null {
  if (load === null) return null;
  const { layers, rowCount, rawBytes } = load;
  const unknown = { changeDetection: 'NONE', changeDetectionReason: '', changedRowCount: 0 } as const;
  return { dataType, table, structure, layers, rowCount, rawBytes, ...unknown };
}

async function* listedRows(list: RowListRef, store: BackupStore): AsyncGenerator<RowBatch> {
  for await (const { id, rowCount } of store.layerEntries(list)) {
    const rows = decodeRowChunk(await store.readChunk(id));
    if (rows.ends.length !== rowCount) {
      throw damagedChangeSet(`a chunk holds ${rows.ends.length} rows instead of ${rowCount}`);
    }
    yield rows;
  }
}

/** Reads everything once, before the first write. Throws INTEGRITY_FAILURE where anything is lost. */
export async function proveStored(
  tables: readonly ChangeSetTable[],
  reading: ChangesReading,
  context: TaskContext,
): Promise<void> {
  const bytesTotal = tables.reduce((sum, table) => sum + bytesOf(table), 0);
  context.progress.begin({ name: 'verifying', from: 0, to: 30, bytesTotal });
  for (const table of tables) {
    for (const list of [table.deletes, table.updates.before, table.updates.after, table.inserts]) {
      await proveList(list, { ...reading, table: table.table }, context);
    }
  }
  const loads = tables.flatMap((table) => loadedTable(table) ?? []);
  const { losses } = await proveChunks(loads.map((manifest) => ({ manifest, role: 'WHOLE' })), { ...reading, context }); // prettier-ignore
  if (losses.length > 0) throw damagedChangeSet(losses[0] as string);
}

function bytesOf({ deletes, updates, inserts, load }: ChangeSetTable): number {
  const lists = [deletes, updates.before, updates.after, inserts];
  return lists.reduce((sum, { rawBytes }) => sum + rawBytes, load?.rawBytes ?? 0);
}

async function proveList(
  list: RowListRef,
  { store, table }: ChangesReading & { table: string },
  context: TaskContext,
): Promise<void> {
  let rows = 0;
  for await (const batch of listedRows(list, store)) {
    throwIfAborted(context.signal);
    rows += batch.ends.length;
    context.progress.advance({ rows: batch.ends.length, bytes: batch.bytes.length, table });
  }
  if (rows !== list.rowCount)
    throw damagedChangeSet(`a list of ${table} holds ${rows} rows instead of ${list.rowCount}`);
}

function unequalLists(table: string): AppError {
  return damagedChangeSet(`old and new rows of ${table} are not as many`);
}

export function damagedChangeSet(what: string): AppError {
  return new AppError('INTEGRITY_FAILURE', `The change set is damaged, nothing was written: ${what}.`, {
    hint: 'Make a new plan; what a restore changed can no longer be undone.',
  });
}
