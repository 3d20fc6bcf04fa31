/** Reads the conflicts of a three-way plan, page by page: which fields they are follows from the rows that were kept. */
import type { ConflictKind, ConflictPlace, ConflictsWanted, FoundConflict } from '../../domain/restore-conflict';
import type { BackupStore } from '../../domain/backup-store';
import type { ChangeSet, ChangeSetTable, ConflictLists } from '../../domain/change-set';
import { AppError } from '../../domain/errors';
import type { RowCodec } from '../../domain/rows';
import type { ConflictsResult } from '../../domain/task';
import type { ColumnValues, JsonValue } from '../../domain/values';
import { throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import { codecOf } from '../reading/codec-of';
import { listedFrom } from '../reading/find-changes';
import type { RowSlice } from '../rows/compare-rows';
import { MAX_PAGE_BYTES } from '../reading/page-limits';
import { RowMerger, type RowImages } from '../rows/merge-row';
import { TypedRows } from '../rows/typed-rows';
import type { ConflictingRows } from './damage';
import { imagesAt } from './merge-damage';
import { damagedChangeSet } from './stored-changes';

export async function findConflicts(wanted: ConflictsWanted, context: TaskContext): Promise<ConflictsResult> {
  const store = await context.deps.store();
  const { tables, source } = await requireKept(wanted, store);
  const page = new ConflictPage(wanted.limit);
  const from = wanted.from ?? { table: 0, row: 0 };
  for (let i = from.table; i < tables.length; i++) {
    const table = tables[i] as ChangeSetTable;
    if (table.conflicts === undefined) continue;
    const codec = await codecOf({ source }, table, context.deps);
    const place = { table: i, row: i === from.table ? from.row : 0 };
    const next = await fill(page, { table, lists: table.conflicts, place, codec }, { store, context });
    if (next !== null) return { kind: 'CONFLICTS', conflicts: page.conflicts, next };
  }
  return { kind: 'CONFLICTS', conflicts: page.conflicts, next: null };
}

async function requireKept({ changeSetId }: ConflictsWanted, store: BackupStore): Promise<ChangeSet> {
  const found = await store.findChangeSet(changeSetId);
  if (found !== null) return found.changeSet;
  throw new AppError('PLAN_EXPIRED', 'The plan has expired; its conflicts are not kept any more.', {
    hint: 'Make a new plan.',
  });
}

interface Filling {
  table: ChangeSetTable;
  lists: ConflictLists;
  place: ConflictPlace;
  codec: RowCodec;
}

/** Gives the place of the first that no longer fits; null where none is left out. */
async function fill(
  page: ConflictPage,
  { table, lists, place, codec }: Filling,
  { store, context }: { store: BackupStore; context: TaskContext },
): Promise<ConflictPlace | null> {
  const shown = new ShownConflicts(table, codec);
  for await (const { rows, first } of conflictsFrom(lists, place.row, store)) {
    throwIfAborted(context.signal);
    for (let n = Math.max(0, place.row - first); n < rows.live.ends.length; n++) {
      const here = { table: place.table, row: first + n };
      const images = imagesAt(rows, n);
      if (!page.add(() => ({ ...shown.of(images), next: { ...here, row: here.row + 1 } }), bytesOf(images)))
        return here;
    }
  }
  return null;
}

/** From that row on, some at a time, and which row of the list each time begins with. */
async function* conflictsFrom(
  { undamaged, damaged, live }: ConflictLists,
  row: number,
  store: BackupStore,
): AsyncGenerator<{ rows: ConflictingRows; first: number }> {
  const reading = { store, from: { span: 0, row } };
  const [before, after] = [listedFrom(undamaged, reading), listedFrom(damaged, reading)];
  for await (const now of listedFrom(live, reading)) {
    const [was, bad] = [await before.next(), await after.next()];
    if (was.done || bad.done || [was, bad].some(({ value }) => value?.rows.ends.length !== now.rows.ends.length))
      throw damagedChangeSet('its rows in conflict are not as many on each side');
    yield { rows: { undamaged: was.value.rows, damaged: bad.value.rows, live: now.rows }, first: now.row - now.first };
  }
}

function bytesOf({ undamaged, damaged, live }: RowImages): number {
  return [undamaged, damaged, live].reduce((sum, row) => sum + (row === null ? 0 : row.end - row.start), 0);
}

class ConflictPage {
  readonly conflicts: FoundConflict[] = [];
  private bytes = 0;

  constructor(private readonly limit: number) {}

  /** False where it no longer fits. */
  add(show: () => FoundConflict, bytes: number): boolean {
    if (this.conflicts.length >= this.limit || (this.bytes > 0 && this.bytes + bytes > MAX_PAGE_BYTES)) return false;
    this.bytes += bytes;
    this.conflicts.push(show());
    return true;
  }
}

/** Shows rows of one table. */
class ShownConflicts {
  private readonly typed: TypedRows;
  private readonly merger: RowMerger;

  constructor(
    private readonly table: ChangeSetTable,
    codec: RowCodec,
  ) {
    this.typed = new TypedRows(codec, table.structure);
    this.merger = new RowMerger(codec, table.structure, 'FAIL');
  }

  of(images: RowImages): Omit<FoundConflict, 'next'> {
    const { dataType, table, structure } = this.table;
    const { conflicts } = this.merger.merge(images);
    const [undamaged, damaged, live] = [images.undamaged, images.damaged, images.live].map((row) => this.values(row, conflicts)) as [JsonValue[], JsonValue[], JsonValue[]]; // prettier-ignore
    const fields = conflicts.map((column, i) => ({
      name: structure.columns[column]?.name ?? '',
      undamaged: undamaged[i] ?? null,
      damaged: damaged[i] ?? null,
      live: live[i] ?? null,
    }));
    const row = (images.undamaged ?? images.live) as RowSlice;
    return { dataType, table, key: this.typed.key(row.bytes, row.start), kind: kindOf(images), fields };
  }

  private values(row: RowSlice | null, columns: readonly number[]): JsonValue[] {
    if (row === null) return [];
    const fields = this.typed.locate(row.bytes, row.start);
    return columns.map((column) => (this.typed.values[column] as ColumnValues).toJson(row.bytes, fields, 3 * column));
  }
}

function kindOf({ undamaged, damaged, live }: RowImages): ConflictKind {
  if (live === null) return 'DELETED';
  if (damaged === null) return 'RECREATED';
  return undamaged === null ? 'ADDED' : 'EDITED';
}
