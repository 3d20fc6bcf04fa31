/**
 * Reads the rows in which the two states of a comparison differ, page by page, within limits of bytes and time. No lease is held: what a
 * change set lists stays stored until it expires.
 */
import type { ChangePlace, ChangesWanted, FoundChange } from '../../domain/backup-reader';
import type { BackupStore } from '../../domain/backup-store';
import {
  ROW_CHANGE_KINDS,
  type ChangeSet,
  type ChangeSetTable,
  type RowChangeKind,
  type RowListRef,
} from '../../domain/change-set';
import { AppError, isAppError } from '../../domain/errors';
import { rowStart, type RowBatch, type RowCodec } from '../../domain/rows';
import type { RowChangesResult } from '../../domain/task';
import { throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import { ChangedFields } from '../rows/changed-fields';
import type { RowSlice } from '../rows/compare-rows';
import { decodeRowChunk } from '../rows/row-chunk';
import { TypedRows } from '../rows/typed-rows';
import { chunkSpans, readSpan } from './backup-rows';
import { codecOf } from './codec-of';
import { comparedColumns } from './compared-columns';
import { MAX_PAGE_BYTES, MAX_READ_BYTES, MAX_READ_MS } from './page-limits';

interface Reading {
  store: BackupStore;
  codec: RowCodec;
}

export async function findChanges(wanted: ChangesWanted, context: TaskContext): Promise<RowChangesResult> {
  const store = await context.deps.store();
  const changeSet = await requireComparison(wanted, store);
  const lists = listsOf(changeSet, wanted);
  const page = new ChangePage(wanted.limit);
  try {
    const next = await fill(page, { lists, changeSet, from: wanted.from }, { store, context });
    return { kind: 'ROW_CHANGES', changes: page.changes, next };
  } catch (error) {
    throw await asReadFailure(error, wanted, store);
  }
}

async function requireComparison({ comparisonId }: ChangesWanted, store: BackupStore): Promise<ChangeSet> {
  const stored = await store.findChangeSet(comparisonId);
  if (stored?.changeSet.kind === 'COMPARISON') return stored.changeSet;
  throw gone();
}

function gone(): AppError {
  return new AppError('NOT_FOUND', 'What the comparison found is kept no longer.', { hint: 'Compare again.' });
}

/** Rows that differ in one way, of one table. */
interface ChangeList {
  table: ChangeSetTable;
  kind: RowChangeKind;
}

/** The same for the same wish, so that a place among them stays one. */
function listsOf({ tables }: ChangeSet, { dataType, table: name, kinds }: ChangesWanted): ChangeList[] {
  const isWanted = (table: ChangeSetTable): boolean =>
    (dataType === null || table.dataType === dataType) && (name === null || table.table === name);
  const inOrder = ROW_CHANGE_KINDS.filter((kind) => kinds.includes(kind));
  return tables.filter(isWanted).flatMap((table) => inOrder.map((kind) => ({ table, kind })));
}

async function fill(
  page: ChangePage,
  { lists, changeSet, from }: { lists: readonly ChangeList[]; changeSet: ChangeSet; from: ChangePlace | null },
  { store, context }: { store: BackupStore; context: TaskContext },
): Promise<ChangePlace | null> {
  const { clock } = context.deps;
  const until = clock.monotonicMs() + MAX_READ_MS;
  for (let list = from?.list ?? 0; list < lists.length; list++) {
    const { table, kind } = lists[list] as ChangeList;
    const reading = { store, codec: await codecOf(changeSet, table, context.deps) };
    const shown = new ShownTable(table, kind, reading.codec);
    for await (const part of partsOf(table, kind, { ...reading, from: from?.list === list ? from : START })) {
      throwIfAborted(context.signal);
      const place = { list, span: part.span, row: part.row };
      if (page.isFull() || page.readBytes >= MAX_READ_BYTES || (page.readBytes > 0 && clock.monotonicMs() > until)) return place; // prettier-ignore
      const rest = page.take(part, { shown, list });
      if (rest !== null) return rest;
    }
  }
  return null;
}

const START = { span: 0, row: 0 };

/** Rows of a list that were read at once. */
interface ListPart {
  /** Of its first wanted row: which key range of a table, 0 within a list, and which row of that. */
  span: number;
  row: number;
  /** In which of the rows that is. */
  first: number;
  before: RowBatch | null;
  after: RowBatch | null;
}

type PartsReading = Reading & { from: { span: number; row: number } };

function partsOf(table: ChangeSetTable, kind: RowChangeKind, reading: PartsReading): AsyncIterable<ListPart> {
  return kind === 'CHANGED' ? pairsOf(table.updates, reading) : onesOf(table, kind, reading);
}

async function* onesOf(
  table: ChangeSetTable,
  kind: Exclude<RowChangeKind, 'CHANGED'>,
  reading: PartsReading,
): AsyncGenerator<ListPart> {
  const { load, deletes, inserts } = table;
  const list = kind === 'REMOVED' ? deletes : inserts;
  const isLoad = load?.direction === (kind === 'REMOVED' ? 'OUT' : 'IN');
  const parts = isLoad ? loadedFrom(table, reading) : listedFrom(list, reading);
  for await (const { rows, ...place } of parts) {
    yield { ...place, before: kind === 'REMOVED' ? rows : null, after: kind === 'REMOVED' ? null : rows };
  }
}

export interface RowsFrom {
  span: number;
  row: number;
  first: number;
  rows: RowBatch;
}

/** Only pages and chunks that hold rows from there on are read. */
export async function* listedFrom(
  { root }: Pick<RowListRef, 'root'>,
  { store, from }: Pick<PartsReading, 'store' | 'from'>,
  start = 0,
): AsyncGenerator<RowsFrom> {
  if (root === null) return;
  const { level, entries } = await store.layerPage(root);
  let begin = start;
  for (const { id, rowCount } of entries) {
    const row = Math.max(begin, from.row);
    const isBehind = begin + rowCount <= from.row;
    if (!isBehind && level > 0) yield* listedFrom({ root: id }, { store, from }, begin);
    if (!isBehind && level === 0)
      yield { span: 0, row, first: row - begin, rows: decodeRowChunk(await store.readChunk(id)) };
    begin += rowCount;
  }
}

async function* pairsOf({ before, after }: ChangeSetTable['updates'], reading: PartsReading): AsyncGenerator<ListPart> {
  const later = listedFrom(after, reading);
  for await (const { rows, ...place } of listedFrom(before, reading)) {
    const next = await later.next();
    if (next.done === true || next.value.rows.ends.length !== rows.ends.length) throw unequal();
    yield { ...place, before: rows, after: next.value.rows };
  }
}

function unequal(): AppError {
  return new AppError('INTEGRITY_FAILURE', 'Rows before and after are not as many.');
}

async function* loadedFrom(
  { table, structure, structureBefore, load }: ChangeSetTable,
  { from, ...reading }: PartsReading,
): AsyncGenerator<RowsFrom> {
  const layers = load?.layers ?? [];
  const stack = { table, layers, structure: load?.direction === 'OUT' ? (structureBefore ?? structure) : structure };
  for await (const span of chunkSpans(reading.store, stack)) {
    if (span.index < from.span) continue;
    const row = span.index === from.span ? from.row : 0;
    yield { span: span.index, row, first: row, rows: await readSpan(stack, span, reading) };
  }
}

/** Shows changes of one kind, of one table. */
class ShownTable {
  private readonly rows: { before: TypedRows; after: TypedRows };
  private readonly fields: ChangedFields;

  constructor(
    private readonly table: ChangeSetTable,
    private readonly kind: RowChangeKind,
    codec: RowCodec,
  ) {
    const structures = { before: table.structureBefore ?? table.structure, after: table.structure };
    this.rows = { before: new TypedRows(codec, structures.before), after: new TypedRows(codec, structures.after) };
    this.fields = new ChangedFields(codec, structures, comparedColumns(structures, codec).columns);
  }

  show(before: RowSlice | null, after: RowSlice | null): Omit<FoundChange, 'next'> {
    const { dataType, table } = this.table;
    const shown = before === null ? this.rows.after : this.rows.before;
    const { bytes, start } = (before ?? after) as RowSlice;
    return {
      dataType,
      table,
      kind: this.kind,
      key: shown.key(bytes, start),
      before: before && this.rows.before.row(before.bytes, before.start),
      after: after && this.rows.after.row(after.bytes, after.start),
      fields: before && after ? this.fields.of(before, after) : [],
    };
  }
}

/** The changes found so far. */
class ChangePage {
  readonly changes: FoundChange[] = [];
  /** Of rows that were read, whether they came into the page or not. */
  readBytes = 0;
  private bytes = 0;

  constructor(private readonly limit: number) {}

  isFull(): boolean {
    return this.changes.length >= this.limit || this.bytes >= MAX_PAGE_BYTES;
  }

  /** Gives the place of the first that no longer fits, null where none is left out. */
  take(part: ListPart, { shown, list }: { shown: ShownTable; list: number }): ChangePlace | null {
    const { span, first, before, after } = part;
    this.readBytes += (before?.bytes.length ?? 0) + (after?.bytes.length ?? 0);
    const count = (before ?? after)?.ends.length ?? 0;
    for (let row = first; row < count; row++) {
      const at = part.row + row - first;
      if (this.isFull()) return { list, span, row: at };
      const sides = [before && sliceOf(before, row), after && sliceOf(after, row)] as const;
      for (const side of sides) this.bytes += side === null ? 0 : side.end - side.start;
      this.changes.push({ ...shown.show(...sides), next: { list, span, row: at + 1 } });
    }
    return null;
  }
}

function sliceOf(batch: RowBatch, row: number): RowSlice {
  return { bytes: batch.bytes, start: rowStart(batch, row), end: batch.ends[row] as number };
}

/** What an expired comparison lacks by now is no damage. */
async function asReadFailure(error: unknown, { comparisonId }: ChangesWanted, store: BackupStore): Promise<unknown> {
  if (!isAppError(error) || error.code !== 'INTEGRITY_FAILURE') return error;
  if ((await store.findChangeSet(comparisonId)) === null) return gone();
  return new AppError('INTEGRITY_FAILURE', `What the comparison found can't be read: ${error.message}`, {
    hint: 'Compare again; verify the backups if that fails too.',
    cause: error,
  });
}
