/**
 * Makes a restore's change set durable, before the restore is: what it is about to write, or the layers it loads. A repository that
 * takes no writes must not stop a restore: it goes on, and says that it can't be undone.
 */
import type { ChangeSetWriteSession } from '../../domain/backup-store';
import {
  changeCounts,
  NO_ROWS,
  type AppliedKind,
  type ChangeSet,
  type ChangeSetTable,
  type StoredChangeSet,
} from '../../domain/change-set';
import { isAppError, type AppError, type ErrorCode } from '../../domain/errors';
import type { ChangeSetId, JobId } from '../../domain/ids';
import type { RestoreJobSpec } from '../../domain/job';
import type { RowBatch } from '../../domain/rows';
import type { Source, TableState } from '../../domain/source';
import type { RestoreResult } from '../../domain/task';
import { untilAborted } from '../lanes';
import type { EngineStore, TaskContext } from '../ports';
import type { BackupRows } from '../reading/rows-in-scope';
import type { ScopedTable } from '../reading/scoped-table';
import { storeWait } from '../store-wait';
import { addSamples, storeRows } from '../writing/row-lists';
import type { TableDifferences } from './differences';
import { storeLists } from './row-lists';

export interface Keeping {
  store: EngineStore;
  source: Source;
  context: TaskContext;
}

/** What is said of a change set beside its tables. */
export type ChangeSetFacts = Pick<
  ChangeSet,
  'changeSetId' | 'kind' | 'jobId' | 'backupId' | 'scope' | 'threeWay' | 'basedOn' | 'notes'
> & {
  validForMs: number;
};

export async function keepChangeSet(
  { validForMs, ...facts }: ChangeSetFacts,
  { store, source, context }: Keeping,
  tablesOf: (session: ChangeSetWriteSession) => Promise<ChangeSetTable[]>,
): Promise<StoredChangeSet> {
  const session = await store.beginChangeSet(facts.changeSetId, storeWait(context));
  try {
    const tables = await tablesOf(session);
    const info = await source.info(context.signal);
    const now = context.deps.clock.now();
    return await session.commitChangeSet({
      formatVersion: 1,
      ...facts,
      source: { ...info, name: source.name },
      createdAt: now.toISOString(),
      expiresAt: new Date(now.getTime() + validForMs).toISOString(),
      tables,
      writtenBy: context.deps.writtenBy,
    });
  } catch (error) {
    await session.abort();
    throw error;
  }
}

/** Of the tables that a restore's backup holds. */
export interface BackupTables {
  rows: BackupRows;
  states: ReadonlyMap<string, TableState>;
  signal: AbortSignal;
}

export function stateOf(table: ScopedTable, { states }: Pick<BackupTables, 'states'>): TableState {
  return states.get(table.manifest.table) ?? 'MISSING';
}

/** True where all rows of the backup come, and nobody need copy them: the table has none. */
export function isLoaded(table: ScopedTable, of: Pick<BackupTables, 'rows' | 'states'>): boolean {
  return stateOf(table, of) !== 'FILLED' && of.rows.isWhole(table.manifest.table);
}

/** A table of which all rows that the restore is about come. */
export async function loadOrCopy(
  session: ChangeSetWriteSession,
  table: ScopedTable,
  of: BackupTables,
): Promise<ChangeSetTable> {
  const facts = { ...noChanges(table), before: stateOf(table, of) };
  if (table.isLost) return facts;
  if (!isLoaded(table, of)) {
    const { list, samples } = await storeRows(session, untilAborted(rowsOf(table, of), of.signal));
    return { ...facts, inserts: list, samples: { ...facts.samples, inserts: samples } };
  }
  const { layers, rowCount, rawBytes } = table.manifest;
  const samples = { ...facts.samples, inserts: await firstRows(table, of) };
  return { ...facts, load: { direction: 'IN', layers, rowCount, rawBytes }, samples };
}

async function* rowsOf({ manifest }: ScopedTable, { rows }: Pick<BackupTables, 'rows'>): AsyncGenerator<RowBatch> {
  for await (const { spans } of rows.units(manifest)) {
    for (const span of spans) yield await rows.readToLoad(manifest, span);
  }
}

async function firstRows(table: ScopedTable, of: BackupTables): Promise<string[]> {
  const samples: string[] = [];
  for await (const batch of rowsOf(table, of)) {
    addSamples(samples, batch);
    break;
  }
  return samples;
}

/** A table that was compared. */
export async function keepDifferences(
  session: ChangeSetWriteSession,
  differences: TableDifferences,
  of: BackupTables,
): Promise<ChangeSetTable> {
  const { table, counts } = differences;
  const comesWhole = counts.inserts === table.manifest.rowCount && counts.updates + counts.deletes === 0;
  if (comesWhole && isLoaded(table, of)) return loadOrCopy(session, table, of);
  const lists = await storeLists(session, differences, of.signal);
  return { ...noChanges(table), before: stateOf(table, of), unchanged: counts.unchanged, ...lists };
}

export function noChanges({ manifest: { dataType, table, structure } }: ScopedTable): ChangeSetTable {
  return {
    dataType,
    table,
    structure,
    before: 'FILLED',
    drops: false,
    deletes: NO_ROWS,
    updates: { before: NO_ROWS, after: NO_ROWS },
    inserts: NO_ROWS,
    load: null,
    unchanged: 0,
    samples: { inserts: [], updates: [], deletes: [] },
    warnings: [],
  };
}

export function changesNothing(tables: readonly ChangeSetTable[]): boolean {
  return tables.every((table) => {
    const { inserts, updates, deletes } = changeCounts(table);
    return inserts + updates + deletes === 0 && table.before !== 'MISSING';
  });
}

/** What stands in the way of writing alone; anything else is a failure of the restore. */
const IN_THE_WAY_OF_WRITING: readonly ErrorCode[] = ['REPOSITORY_UNAVAILABLE', 'REPOSITORY_FULL', 'LEASE_LOST'];

export function takesNoWrites(error: unknown): error is AppError {
  return isAppError(error) && IN_THE_WAY_OF_WRITING.includes(error.code);
}

export interface UndoFacts {
  jobId: JobId;
  spec: RestoreJobSpec;
  kind: AppliedKind;
  scope: ChangeSet['scope'];
  threeWay?: ChangeSet['threeWay'];
  basedOn: ChangeSetId | null;
  /** Of the restore; what keeps it from being undone is added. */
  notes: string[];
}

/** The change set of one restore, kept before it commits and taken away again where it does not. */
export class UndoKeeper {
  private kept: StoredChangeSet | null = null;

  constructor(
    private readonly facts: UndoFacts,
    private readonly keeping: Keeping,
  ) {}

  /** Keeps it anew, in the place of what this job kept before. */
  async keep(tablesOf: (session: ChangeSetWriteSession) => Promise<ChangeSetTable[]>): Promise<void> {
    const { spec, notes, ...facts } = this.facts;
    const { changeSetId, backupId, undoableForMs: validForMs } = spec;
    if (!(validForMs > 0)) return;
    try {
      await this.keeping.store.deleteChangeSet(changeSetId);
      this.kept = await keepChangeSet({ ...facts, changeSetId, backupId, validForMs, notes: [...notes] }, this.keeping, tablesOf); // prettier-ignore
    } catch (error) {
      if (!takesNoWrites(error)) throw error;
      this.kept = null;
      notes.push(`This can't be undone, for the repository takes no writes: ${error.message}`);
    }
  }

  /** What an earlier attempt of the job kept, which is known to have committed, or may have. */
  async recall({ mayBeNone } = { mayBeNone: false }): Promise<void> {
    this.kept = await this.keeping.store.findChangeSet(this.facts.spec.changeSetId);
    if (this.kept === null && !mayBeNone && this.facts.spec.undoableForMs > 0) {
      this.facts.notes.push("This can't be undone: the repository keeps nothing of what it changed.");
    }
  }

  /** After a failure before the commit: nothing was changed, so there is nothing to undo. */
  async discard(): Promise<void> {
    const { store, context } = this.keeping;
    if (this.kept === null) return;
    this.kept = null;
    try {
      await store.deleteChangeSet(this.facts.spec.changeSetId);
    } catch (error) {
      context.deps.log.warn('The change set of a failed restore stays until it expires.', { error: String(error) });
    }
  }

  get hasKept(): boolean {
    return this.kept !== null;
  }

  /** What the kept change set lists. */
  get tables(): readonly ChangeSetTable[] {
    return this.kept?.changeSet.tables ?? [];
  }

  describe(): RestoreResult['changeSet'] {
    if (this.kept === null) return null;
    const { hash, changeSet } = this.kept;
    return { changeSetId: changeSet.changeSetId, hash, expiresAt: changeSet.expiresAt };
  }
}
