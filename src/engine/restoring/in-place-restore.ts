/**
 * Restores into filled tables: compares live with the backup, then applies nothing but the differences in one transaction, reads
 * back what it touched inside that transaction, and only then commits. All or nothing; a dry run stops after comparing.
 */
import { AppError, isAppError } from '../../domain/errors';
import type { RowBatch } from '../../domain/rows';
import type { ChangeWriteOptions, ChangeWriter, Source } from '../../domain/source';
import type { RestoredTable } from '../../domain/task';
import { throwIfAborted } from '../lanes';
import type { EngineStore, TaskContext } from '../ports';
import type { BackupRows } from '../reading/rows-in-scope';
import type { ScopedTable } from '../reading/scoped-table';
import type { DifferenceSink } from '../rows/compare-rows';
import { splitPairs, type RowSpool } from '../rows/spool';
import { compareStretch, compareTable, type TableComparing } from './compare-tables';
import { isTouched, TableDifferences } from './differences';
import { openLiveTables, type LiveTables } from './live-tables';
import { UNPROVEN_REFERENCES, type RestoreScope } from './restore-scope';
import { openWriter, undoWrite } from './undo-write';

export interface InPlaceRestore {
  jobId: string;
  source: Source;
  store: EngineStore;
  scope: RestoreScope;
  rows: BackupRows;
  /** Tables of the scope that are not there: they come into being with the first change. */
  missing: ReadonlySet<string>;
  /** Compare only; write nothing. */
  compareOnly: boolean;
}

export interface InPlaceResult {
  tables: RestoredTable[];
  verifiedRows: number;
}

/** How carefully to go about it; what costs more is done only once the plain way met what needs it. */
interface Care {
  /** Look for rows of a business among rows of nobody too (`TableComparing.findStrays`). */
  findStrays: boolean;
  /** Do every update as delete and insert: a unique key that the structures do not tell of stood in the way. */
  moveUpdates: boolean;
}

type Attempt = InPlaceRestore & Care;

/** Restores; what the plain way rolled back on is tried once more with the care that may cure it. */
export async function restoreInPlace(restore: InPlaceRestore, context: TaskContext): Promise<InPlaceResult> {
  if (restore.scope.tables.length === 0) return { tables: [], verifiedRows: 0 };
  // A plan must tell of such rows too; nothing is written that could meet one.
  const findStrays = restore.compareOnly && restore.scope.rows.kind === 'BUSINESS';
  let care: Care = { findStrays, moveUpdates: false };
  for (;;) {
    try {
      return await compareAndApply({ ...restore, ...care }, context);
    } catch (error) {
      const more = moreCare(care, restore, error);
      if (more === null || context.committing || context.signal.aborted) throw error;
      care = more;
    }
  }
}

function moreCare(care: Care, { scope, compareOnly }: InPlaceRestore, error: unknown): Care | null {
  if (!isAppError(error) || compareOnly) return null;
  const isBusiness = scope.rows.kind === 'BUSINESS';
  if (error.code === 'PLAN_DRIFTED' && isBusiness && !care.findStrays) return { ...care, findStrays: true };
  if (error.code === 'CONFLICT' && !care.moveUpdates) return { ...care, moveUpdates: true };
  return null;
}

async function compareAndApply(attempt: Attempt, context: TaskContext): Promise<InPlaceResult> {
  const { deps } = context;
  const { moveUpdates } = attempt;
  const spooling = { codec: attempt.source.codec, tempDir: deps.tempDir, random: deps.random, moveUpdates };
  const differences = attempt.scope.tables.map((table) => new TableDifferences(table, spooling));
  try {
    const triggers = await compareAll(attempt, differences, context);
    const hasWork = attempt.missing.size > 0 || differences.some(({ touched }) => touched.size > 0);
    if (!attempt.compareOnly && hasWork) {
      return await applyAll({ ...attempt, triggers }, differences, context);
    }
    return { tables: differences.map((of) => describe(of, { triggers })), verifiedRows: unchanged(differences) };
  } finally {
    for (const table of differences) await table.close();
  }
}

/** Names of the triggers that will run on what is written, by table, as they are now. */
type FiringTriggers = ReadonlyMap<string, readonly string[]>;
type Writing = Attempt & { triggers: FiringTriggers };

async function compareAll(
  restore: Attempt,
  differences: TableDifferences[],
  context: TaskContext,
): Promise<FiringTriggers> {
  const read = await openRead(restore, context);
  try {
    const comparing = comparingWith(restore, read);
    for (const table of differences) {
      await compareTable(table.table, { comparing, lanes: read.lanes, context }, (stretch) => table.sink(stretch));
    }
    return firingTriggers(restore, read);
  } finally {
    await read.close();
  }
}

/** Of a table that is there its own triggers fire, of a missing one those that it is created with. */
function firingTriggers({ source, scope, missing }: InPlaceRestore, read: LiveTables): FiringTriggers {
  if (!source.firesTriggers) return new Map();
  const created = scope.tables.map(({ manifest }) => manifest.structure).filter(({ table }) => missing.has(table));
  const firing = [...read.tables, ...created].filter(({ triggers }) => triggers.length > 0);
  return new Map(firing.map(({ table, triggers }) => [table, triggers.map(({ name }) => name)]));
}

function openRead(restore: InPlaceRestore, context: TaskContext): Promise<LiveTables> {
  const { tables, filtered } = restore.scope;
  const total = (of: 'rowCount' | 'rawBytes'): number => tables.reduce((sum, { manifest }) => sum + manifest[of], 0);
  const totals = filtered ? {} : { rowsTotal: total('rowCount'), bytesTotal: total('rawBytes') };
  context.progress.begin({ name: 'comparing', from: 30, to: 60, ...totals });
  return openLiveTables({ ...restore, tables: restore.scope.tables }, context);
}

function comparingWith(restore: Attempt, live: TableComparing['live']): TableComparing {
  const { rows, scope, source, findStrays } = restore;
  return { rows, live, codec: source.codec, scope: scope.rows, findStrays };
}

async function applyAll(
  restore: Writing,
  differences: TableDifferences[],
  context: TaskContext,
): Promise<InPlaceResult> {
  throwIfAborted(context.signal);
  const options: ChangeWriteOptions = {
    jobId: restore.jobId,
    tables: differences.map(({ table }) => table.manifest.structure),
    missing: [...restore.missing],
    scope: restore.scope.rows,
    signal: context.signal,
  };
  const writer = await openWriter(() => restore.source.openChangeWriter(options), context);
  try {
    await writeChanges(writer, differences, context);
    await writer.checkReferences();
    const result = await readBack(restore, { writer, differences, context });
    throwIfAborted(context.signal);
    context.progress.begin({ name: 'committing', from: 98, to: 99 });
    context.committing = true;
    await writer.commit();
    return result;
  } catch (error) {
    await undoWrite(() => writer.rollback(), context);
    throw error;
  }
}

/** Deletes before updates before inserts, over all tables, so that no unique key is taken when its new owner comes. */
async function writeChanges(
  writer: ChangeWriter,
  differences: TableDifferences[],
  context: TaskContext,
): Promise<void> {
  // Row images, as they pass: an update has two, a move passes twice.
  const images = ({ deletes, updates, moves, inserts }: TableDifferences): number =>
    deletes.rowCount + updates.rowCount + 2 * moves.rowCount + inserts.rowCount;
  const rowsTotal = differences.reduce((sum, of) => sum + images(of), 0);
  context.progress.begin({ name: 'writing', from: 60, to: 85, rowsTotal });
  for (const of of [...differences].reverse()) {
    const { structure } = of.table.manifest;
    await drain(of.deletes, context, (rows) => writer.deleteRows(structure, rows));
    await drain(of.moves, context, (pairs) => writer.deleteRows(structure, splitPairs(pairs).oldRows));
  }
  for (const { table, updates } of differences) {
    await drain(updates, context, (pairs) => {
      const { oldRows, newRows } = splitPairs(pairs);
      return writer.updateRows(table.manifest.structure, oldRows, newRows);
    });
  }
  for (const { table, moves, inserts } of differences) {
    const { structure } = table.manifest;
    await drain(moves, context, (pairs) => writer.insertRows(structure, splitPairs(pairs).newRows));
    await drain(inserts, context, (rows) => writer.insertRows(structure, rows));
  }
}

async function drain(spool: RowSpool, context: TaskContext, apply: (batch: RowBatch) => Promise<void>): Promise<void> {
  for await (const batch of spool.batches()) {
    throwIfAborted(context.signal);
    await apply(batch);
    context.progress.advance({ rows: batch.ends.length, bytes: batch.bytes.length });
  }
}

interface ReadingBack {
  writer: ChangeWriter;
  differences: TableDifferences[];
  context: TaskContext;
}

/**
 * Compares every touched stretch once more, inside the transaction: what was written must be what the backup holds. Where triggers
 * ran they may have written anywhere, so then every stretch is compared, and nothing may differ.
 */
async function readBack(restore: Writing, { writer, differences, context }: ReadingBack): Promise<InPlaceResult> {
  const comparing = comparingWith(restore, writer);
  context.progress.begin({ name: 'checking', from: 85, to: 98 });
  const result: InPlaceResult = { tables: [], verifiedRows: 0 };
  const ran = differences.flatMap(({ table, touched }) =>
    touched.size > 0 ? (restore.triggers.get(table.manifest.table) ?? []) : [],
  );
  for (const of of differences) {
    const proof = new WriteProof(of.table);
    for await (const stretch of restore.rows.stretches(of.table.manifest)) {
      const touched = of.touched.get(stretch.index) ?? (ran.length > 0 ? UNTOUCHED : undefined);
      if (touched === undefined) continue;
      const sink = proof.sink(touched);
      await compareStretch({ table: of.table, stretch, sink, signal: context.signal }, comparing);
      context.progress.advance({
        rows: stretch.rowCount,
        bytes: stretch.rawBytes,
        table: of.table.manifest.table,
      });
    }
    if (ran.length > 0 && proof.newerRows > 0) throw writtenByTriggers(of.table, ran);
    result.verifiedRows += proof.equalRows;
    const unproven = writer.unproven?.has(of.table.manifest.table);
    result.tables.push(describe(of, { triggers: restore.triggers, newerRows: proof.newerRows, unproven }));
  }
  return result;
}

const UNTOUCHED = new Uint8Array(0);

/** Inside the transaction a trigger's rows can't be told from rows that others committed meanwhile: neither is kept. */
function writtenByTriggers({ manifest: { table } }: ScopedTable, triggers: readonly string[]): AppError {
  return new AppError(
    'CONFLICT',
    `Table ${table} got other rows than the backup holds while triggers ran (${triggers.join(', ')}); nothing was changed.`,
    {
      hint: 'Drop these triggers for the time of the restore, or restore into a scratch schema. If others wrote, try again.',
    },
  );
}

/** Rows that were written must be there as written; rows nobody listed are newer than the comparison, and stay. */
class WriteProof {
  equalRows = 0;
  newerRows = 0;

  constructor(private readonly table: ScopedTable) {}

  sink(touched: Uint8Array): DifferenceSink {
    const differs = (index: number): void => {
      if (isTouched(touched, index)) throw this.notAsWritten();
      this.newerRows++;
    };
    return {
      equal: (rows) => {
        this.equalRows += rows;
      },
      // A parent that is there is left as it is, whatever it holds.
      changed: ({ index }) => {
        if (this.table.role === 'WHOLE' || isTouched(touched, index)) differs(index);
      },
      missing: (_, index) => differs(index),
      extra: () => {
        if (this.table.role === 'WHOLE') this.newerRows++;
      },
      settle: () => Promise.resolve(),
    };
  }

  private notAsWritten(): AppError {
    const { table } = this.table.manifest;
    return new AppError(
      'CONFLICT',
      `A row written to ${table} did not read back as the backup holds it; nothing was changed.`,
      {
        hint: `Look for triggers on ${table} that change what is written, and restore into a scratch schema meanwhile.`,
      },
    );
  }
}

function describe(
  { table, counts }: TableDifferences,
  { triggers, newerRows = 0, unproven }: { triggers: FiringTriggers; newerRows?: number; unproven?: boolean },
): RestoredTable {
  const { manifest } = table;
  const warnings: string[] = [];
  const firing = triggers.get(manifest.table) ?? [];
  if (firing.length > 0) warnings.push(`Triggers run while rows are written: ${firing.join(', ')}.`);
  if (newerRows > 0) warnings.push(`${newerRows} rows were changed by others meanwhile and were left as they are.`);
  if (unproven) warnings.push(UNPROVEN_REFERENCES);
  return { dataType: manifest.dataType, table: manifest.table, ...counts, warnings };
}

function unchanged(differences: TableDifferences[]): number {
  return differences.reduce((sum, { counts }) => sum + counts.unchanged, 0);
}
