/**
 * Restores into missing or empty tables, or a scratch schema: loads chunks on all lanes, builds indexes table by table, proves
 * references, reads everything back and compares chunk ids, and only then publishes. Whatever fails leaves nothing of it.
 */
import { AppError } from '../../domain/errors';
import type { ChunkId } from '../../domain/manifest';
import { rowCount, type RowBatch } from '../../domain/rows';
import type { BrokenReference, BulkWriteOptions, BulkWriter, ConsistentRead, Source } from '../../domain/source';
import type { RestoredTable } from '../../domain/task';
import { runLanes, throwIfAborted } from '../lanes';
import type { EngineStore, TaskContext } from '../ports';
import { isInKeyOrder, spanBytes, type ChunkSpan } from '../reading/backup-rows';
import type { BackupRows, Stretch } from '../reading/rows-in-scope';
import type { ScopedTable } from '../reading/scoped-table';
import { BufferPool } from '../rows/buffer-pool';
import { HeldBatches, RowCollector, encodeRowChunk, sortedRows } from '../rows/row-chunk';
import type { RestoreScope } from './restore-scope';
import { UNPROVEN_REFERENCES } from './restore-warnings';
import { openWriter, undoWrite } from './undo-write';

/** One payload at a time is enough to prove a unit. */
const POOLED_BYTES = 4 * 1024 * 1024;

export interface BulkRestore {
  jobId: string;
  source: Source;
  store: EngineStore;
  scope: RestoreScope;
  rows: BackupRows;
  /** Absent: into the source's own schema. */
  scratchSchema?: string;
  /** Told of each foreign key that rows break, which then fails nothing. Absent: the first one fails the restore. */
  onBrokenReference?: (broken: BrokenReference) => void;
  /** Called before what was loaded is published. */
  beforePublishing?(): Promise<void>;
}

export interface BulkResult {
  tables: RestoredTable[];
  verifiedRows: number;
  /** Stretches of rows that were read back and hashed, as the backup has them in chunks. */
  verifiedChunks: number;
}

export async function restoreInBulk(restore: BulkRestore, context: TaskContext): Promise<BulkResult> {
  const { source, scope, scratchSchema, jobId, onBrokenReference } = restore;
  const options: BulkWriteOptions = {
    jobId,
    scratchSchema,
    tables: scope.tables.map(({ manifest }) => manifest.structure),
    scope: scope.written,
    connections: context.deps.limits(source.name).connections,
    onBrokenReference,
    signal: context.signal,
  };
  const writer = await openWriter(() => source.openBulkWriter(options), context);
  try {
    const loads = scope.tables.map((table) => new TableLoad(table));
    await loadTables(restore, { writer, loads, context });
    context.progress.begin({ name: 'checking references', from: 75, to: 80 });
    await writer.finishTables();
    const proven = await readBack(restore, { writer, loads, context });
    await restore.beforePublishing?.();
    throwIfAborted(context.signal);
    context.progress.begin({ name: 'publishing', from: 98, to: 99 });
    context.committing = true;
    await writer.publish();
    return { tables: loads.map((load) => load.describe(writer)), ...proven };
  } catch (error) {
    await undoWrite(() => writer.abort(), context);
    throw error;
  }
}

interface BulkWork {
  writer: BulkWriter;
  loads: TableLoad[];
  context: TaskContext;
}

/** What the rows of a span must be when they are read back; `sorted`: once brought into the order of their bytes. */
interface Expectation {
  id: ChunkId;
  rowCount: number;
  sorted?: boolean;
}

/** One table on its way in: how many of its units are not loaded yet, and what its chunks must read back as. */
class TableLoad {
  loadedRows = 0;
  unfinishedUnits = 0;
  allUnitsKnown = false;
  /** Filtered and merged spans: what is expected of them instead of what the layer index says. Absent ones have no rows. */
  readonly expected = new Map<number, Expectation>();

  constructor(readonly table: ScopedTable) {}

  describe({ unproven }: BulkWriter): RestoredTable {
    const { dataType, table } = this.table.manifest;
    const warnings = unproven?.has(table) ? [UNPROVEN_REFERENCES] : [];
    return { dataType, table, inserts: this.loadedRows, updates: 0, deletes: 0, unchanged: 0, warnings };
  }
}

async function loadTables(restore: BulkRestore, { writer, loads, context }: BulkWork): Promise<void> {
  beginPhase(context, { name: 'loading', from: 30, to: 75 }, restore.scope);
  await runLanes({ lanes: writer.lanes, signal: context.signal }, unitsOf(restore, loads), async (work, signal) => {
    const { load, unit } = work;
    if (unit !== null) await loadUnit(restore, { writer, load, unit, context, signal });
    if (unit !== null) load.unfinishedUnits--;
    if (load.allUnitsKnown && load.unfinishedUnits === 0) await writer.finishLoading(load.table.manifest.structure);
  });
}

interface UnitWork {
  load: TableLoad;
  /** Null after the table's last unit. */
  unit: Stretch | null;
}

/** Largest tables first: their indexes take longest, and the lanes then end together. */
async function* unitsOf({ rows }: BulkRestore, loads: readonly TableLoad[]): AsyncGenerator<UnitWork> {
  const bySize = [...loads].sort((a, b) => b.table.manifest.rawBytes - a.table.manifest.rawBytes);
  for (const load of bySize) {
    for await (const unit of unitsIn(load.table, rows)) {
      load.unfinishedUnits++;
      yield { load, unit };
    }
    load.allUnitsKnown = true;
    if (load.unfinishedUnits === 0) yield { load, unit: null };
  }
}

async function* unitsIn({ manifest, isLost }: ScopedTable, rows: BackupRows): AsyncGenerator<Stretch> {
  if (!isLost) yield* rows.units(manifest);
}

async function loadUnit(
  restore: BulkRestore,
  work: { writer: BulkWriter; load: TableLoad; unit: Stretch; context: TaskContext; signal: AbortSignal },
): Promise<void> {
  const { writer, load, unit, context, signal } = work;
  const { manifest } = load.table;
  let given = 0;
  const rows = async function* (): AsyncGenerator<RowBatch> {
    for await (const { span, batch } of readAhead(restore.rows, load.table, unit.spans)) {
      throwIfAborted(signal);
      if (!restore.rows.isPlain(manifest.table, span)) expectRead(restore, load, { span, batch });
      if (batch.ends.length > 0) yield batch;
      given += batch.ends.length;
      context.progress.advance({ rows: rowCount(batch), bytes: spanBytes(span), table: manifest.table });
    }
  };
  const loaded = await writer.load(manifest.structure, rows());
  if (loaded !== given) throw notAsWritten(manifest.table, `${loaded} of ${given} rows arrived`);
  load.loadedRows += loaded;
}

/** Reads the next chunk while one is being loaded. */
async function* readAhead(
  rows: BackupRows,
  { manifest }: ScopedTable,
  spans: readonly ChunkSpan[],
): AsyncGenerator<{ span: ChunkSpan; batch: RowBatch }> {
  const read = (span: ChunkSpan | undefined): Promise<RowBatch> | null => {
    if (span === undefined) return null;
    const batch = rows.readToLoad(manifest, span);
    batch.catch(() => undefined); // awaited in its turn; unhandled it must not count
    return batch;
  };
  let next = read(spans[0]);
  for (const [i, span] of spans.entries()) {
    const batch = await (next as Promise<RowBatch>);
    next = read(spans[i + 1]);
    yield { span, batch };
  }
}

function expectRead(
  { store }: BulkRestore,
  load: TableLoad,
  { span, batch }: { span: ChunkSpan; batch: RowBatch },
): void {
  if (batch.ends.length === 0) return;
  const sorted = !isInKeyOrder(span);
  const rows = sorted ? sortedRows(batch) : batch;
  load.expected.set(span.index, { id: store.chunkId(encodeRowChunk(rows)), rowCount: batch.ends.length, sorted });
}

type Proven = Pick<BulkResult, 'verifiedRows' | 'verifiedChunks'>;

/** Reads back what was loaded, chunk by chunk, and compares it with the backup by chunk id. Gives how much was proven equal. */
async function readBack(restore: BulkRestore, { writer, loads, context }: BulkWork): Promise<Proven> {
  beginPhase(context, { name: 'checking', from: 80, to: 98 }, restore.scope);
  const read = await writer.openReadBack();
  try {
    const verified: Proven = { verifiedRows: 0, verifiedChunks: 0 };
    for (const load of loads) {
      const units = unitsIn(load.table, restore.rows);
      await runLanes({ lanes: read.lanes, signal: context.signal }, units, async (unit, signal) => {
        const proven = await proveUnit(restore, { read, load, unit, context, signal });
        verified.verifiedRows += proven.verifiedRows; // after the await: lanes add at the same time
        verified.verifiedChunks += proven.verifiedChunks;
      });
    }
    return verified;
  } finally {
    await read.close();
  }
}

async function proveUnit(
  restore: BulkRestore,
  work: { read: ConsistentRead; load: TableLoad; unit: Stretch; context: TaskContext; signal: AbortSignal },
): Promise<Proven> {
  const { read, load, unit, context, signal } = work;
  const { structure, table } = load.table.manifest;
  const proof = new UnitProof(restore, load, unit);
  for await (const batch of read.readRows(structure, { range: unit.range, signal })) {
    const [rows, bytes] = [rowCount(batch), batch.bytes.length];
    proof.push(batch);
    context.progress.advance({ rows, bytes, table });
  }
  return proof.finish();
}

/** Cuts rows read back by the row counts of the expected chunks and compares each chunk's id. */
class UnitProof {
  private readonly expected: Expectation[];
  private readonly pool = new BufferPool(POOLED_BYTES);
  private readonly rows = new RowCollector(this.pool);
  private readonly held = new HeldBatches();
  private next = 0;
  private proven = 0;

  constructor(
    private readonly restore: BulkRestore,
    private readonly load: TableLoad,
    unit: Stretch,
  ) {
    this.expected = unit.spans.flatMap((span) => this.expectation(span));
  }

  /** Releases the batch once its rows are proven. */
  push(batch: RowBatch): void {
    const { bytes, ends } = batch;
    let start = 0;
    for (const end of ends) {
      const chunk = this.expected[this.next];
      if (chunk === undefined) throw this.failure('there are more rows than were loaded');
      this.rows.add(bytes, start, end);
      if (this.rows.rowCount === chunk.rowCount) this.prove(chunk);
      start = end;
    }
    this.held.add(batch, this.rows.rowCount);
  }

  finish(): Proven {
    if (this.next < this.expected.length) throw this.failure('there are fewer rows than were loaded');
    return { verifiedRows: this.proven, verifiedChunks: this.expected.length };
  }

  private expectation(span: ChunkSpan): Expectation[] {
    if (this.restore.rows.isLost(span)) return [];
    if (this.restore.rows.isPlain(this.load.table.manifest.table, span)) return span.entry === null ? [] : [span.entry];
    const expected = this.load.expected.get(span.index);
    return expected === undefined ? [] : [expected];
  }

  private prove({ id, rowCount: rows, sorted }: Expectation): void {
    const payload = sorted ? encodeRowChunk(sortedRows(this.rows.takeBatch())) : this.rows.takePayload();
    if (this.restore.store.chunkId(payload) !== id) throw this.failure('rows differ from the backup');
    if (!sorted) this.pool.give(payload);
    this.proven += rows;
    this.next++;
  }

  private failure(what: string): AppError {
    return notAsWritten(this.load.table.manifest.table, what);
  }
}

function beginPhase(
  context: TaskContext,
  phase: { name: string; from: number; to: number },
  { tables, filtered }: RestoreScope,
): void {
  const total = (of: 'rowCount' | 'rawBytes'): number => tables.reduce((sum, { manifest }) => sum + manifest[of], 0);
  context.progress.begin({ ...phase, rowsTotal: filtered ? null : total('rowCount'), bytesTotal: total('rawBytes') });
}

function notAsWritten(table: string, what: string): AppError {
  return new AppError('CONFLICT', `Table ${table} did not read back as it was loaded: ${what}. Nothing was kept.`, {
    hint: `Make sure that nobody else writes to ${table} while it is restored, then restore again.`,
  });
}
