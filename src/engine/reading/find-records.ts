/**
 * Reads records of one table of a backup, page by page, within limits of bytes and time. Nothing is restored, locked or written: what a
 * backup needs stays stored as long as its manifest does.
 */
import type { FoundRecord, RecordColumn, RecordPlace, RecordsWanted } from '../../domain/backup-reader';
import type { BackupStore } from '../../domain/backup-store';
import { AppError } from '../../domain/errors';
import type { Manifest, TableManifest } from '../../domain/manifest';
import type { RecordFilter } from '../../domain/record-filter';
import { rowStart, type RowBatch, type RowCodec } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';
import type { RecordsResult } from '../../domain/task';
import type { JsonRow, JsonValue } from '../../domain/values';
import { throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import { compileFilter, type RecordTest } from '../rows/record-predicate';
import { TypedRows } from '../rows/typed-rows';
import { spanBytes, type ChunkSpan } from './backup-rows';
import { codecOf } from './codec-of';
import { KeyProbe } from './key-probe';
import { ownedBy, type OwnedRows } from './owned-by';
import { MAX_PAGE_BYTES, MAX_READ_BYTES, MAX_READ_MS } from './page-limits';
import { readInOrder } from './read-in-order';
import { asReadFailure, requireBackup } from './stored-backup';

/** Enough of a checksum that two states of one backup are told apart. */
const STATE_LENGTH = 12;

interface Reading {
  store: BackupStore;
  codec: RowCodec;
  context: TaskContext;
}

export async function findRecords(wanted: RecordsWanted, context: TaskContext): Promise<RecordsResult> {
  const store = await context.deps.store();
  const stored = await requireBackup(wanted.backupId, store);
  const table = requireTable(stored.manifest, wanted);
  const reading = { store, context, codec: await codecOf(stored.manifest, table, context.deps) };
  const state = stored.checksum.slice(0, STATE_LENGTH);
  if (wanted.from !== null && wanted.from.state !== state) throw otherState();
  const page = new RecordPage(table.structure, { ...wanted, codec: reading.codec, state });
  try {
    const owned = await ownedBy(wanted.businessId, { table, manifest: stored.manifest }, { ...reading, ...context });
    const next = owned === null ? null : await fill(page, { table, from: wanted.from, owned }, reading);
    return { kind: 'RECORDS', columns: columnsOf(table.structure), records: page.records, next };
  } catch (error) {
    throw await asReadFailure(error, { ...wanted, what: `Records of table ${wanted.table}` }, store);
  }
}

async function fill(
  page: RecordPage,
  { table, from, owned }: { table: TableManifest; from: RecordPlace | null; owned: OwnedRows },
  reading: Reading,
): Promise<RecordPlace | null> {
  const { clock } = reading.context.deps;
  const until = clock.monotonicMs() + MAX_READ_MS;
  let bytes = 0;
  for await (const span of owned.spans) {
    throwIfAborted(reading.context.signal);
    if (span.index < (from?.span ?? 0) || !page.mayBeWithin(span)) continue;
    if (page.isFull() || bytes >= MAX_READ_BYTES || (bytes > 0 && clock.monotonicMs() > until))
      return page.placeOf(span.index, 0);
    bytes += spanBytes(span);
    const rows = await readInOrder(table, span, reading);
    const rest = page.take(rows, { span: span.index, row: span.index === from?.span ? from.row : 0 }, owned.accepts);
    if (rest !== null) return rest;
  }
  return null;
}

/** The records found so far. */
class RecordPage {
  readonly records: FoundRecord[] = [];
  private bytes = 0;
  private readonly typed: TypedRows;
  private readonly test: RecordTest;
  /** Where the filter tells the whole key. */
  private readonly probe: KeyProbe | null;

  constructor(
    structure: TableStructure,
    private readonly options: Pick<RecordsWanted, 'filter' | 'limit'> & { codec: RowCodec; state: string },
  ) {
    this.typed = new TypedRows(options.codec, structure);
    const { filter } = options;
    this.test = filter === null ? () => true : compileFilter(filter, { structure, values: this.typed.values });
    const key = filter === null ? null : keyWanted(filter, structure);
    this.probe = key === null ? null : new KeyProbe(options.codec, structure, key);
  }

  mayBeWithin({ range }: ChunkSpan): boolean {
    return this.probe?.mayBeWithin(range) ?? true;
  }

  isFull(): boolean {
    return this.records.length >= this.options.limit || this.bytes >= MAX_PAGE_BYTES;
  }

  placeOf(span: number, row: number): RecordPlace {
    return { state: this.options.state, span, row };
  }

  /** Takes what is wanted of a range's rows; gives the place of the first that no longer fits, null where none is left out. */
  take(rows: RowBatch, from: { span: number; row: number }, owned: RecordTest): RecordPlace | null {
    for (let row = from.row; row < rows.ends.length; row++) {
      const start = rowStart(rows, row);
      const fields = this.typed.locate(rows.bytes, start);
      if (owned(rows.bytes, fields) !== true || this.test(rows.bytes, fields) !== true) continue;
      if (this.isFull()) return this.placeOf(from.span, row);
      this.bytes += (rows.ends[row] as number) - start;
      const next = this.placeOf(from.span, row + 1);
      this.records.push({ key: this.typed.key(rows.bytes, start), fields: this.typed.row(rows.bytes, start), next });
    }
    return null;
  }
}

/** The key that a record must have to pass the filter; null where it names no single one. */
function keyWanted(filter: RecordFilter, { key }: TableStructure): JsonRow | null {
  const wanted = new Map<string, JsonValue>();
  const open: RecordFilter[] = [filter];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (part.kind === 'AND') open.push(...part.of);
    else if (part.kind === 'COMPARE' && part.comparator === 'eq' && key.includes(part.column))
      wanted.set(part.column, part.value);
  }
  return wanted.size === key.length ? Object.fromEntries(wanted) : null;
}

function columnsOf({ columns, key }: TableStructure): RecordColumn[] {
  return columns.map(({ name, type, kind, nullable }) => ({
    ...{ name, type, kind },
    isNullable: nullable,
    isKey: key.includes(name),
  }));
}

export function requireTable(
  manifest: Manifest,
  { dataType, table }: Pick<RecordsWanted, 'dataType' | 'table'>,
): TableManifest {
  const found = manifest.tables.find((candidate) => candidate.table === table && candidate.dataType === dataType);
  if (found !== undefined) return found;
  throw new AppError('NOT_FOUND', `The backup holds no table ${table} of ${dataType}.`, {
    hint: "Name one of the backup's tables.",
    path: ['table'],
  });
}

function otherState(): AppError {
  return new AppError('CURSOR_EXPIRED', 'The backup was compacted since this cursor was given.', {
    hint: 'Start again without a cursor.',
    path: ['after'],
  });
}
