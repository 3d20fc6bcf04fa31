/** Compares all tables of a restore's scope with the backup, at one moment of the source: what differs goes into differences. */
import type { Source } from '../../domain/source';
import type { TaskContext } from '../ports';
import type { BackupRows } from '../reading/rows-in-scope';
import type { ScopedTable } from '../reading/scoped-table';
import { compareTable, type TableComparing } from './compare-tables';
import { TableDifferences } from './differences';
import { openLiveTables, type LiveTables, type LiveTablesOptions } from './live-tables';
import type { RestoreScope } from './restore-scope';

/** What a restore in place is about. */
export interface ScopeComparing {
  source: Source;
  scope: RestoreScope;
  rows: BackupRows;
  /** Tables of the scope that are not there: they come into being with the first change. */
  missing: ReadonlySet<string>;
  /** Look for rows of a business among rows of nobody too (`TableComparing.findStrays`). */
  findStrays: boolean;
}

/** Names of the triggers that will run on what is written, by table, as they are now. */
export type FiringTriggers = ReadonlyMap<string, readonly string[]>;

/** Differences of tables, to be filled; whoever makes them closes them. */
export function noDifferencesYet(
  tables: readonly ScopedTable[],
  { source }: Pick<ScopeComparing, 'source'>,
  { deps, moveUpdates }: { deps: TaskContext['deps']; moveUpdates: boolean },
): TableDifferences[] {
  const spooling = { codec: source.codec, tempDir: deps.tempDir, random: deps.random, moveUpdates };
  return tables.map((table) => new TableDifferences(table, spooling));
}

export async function compareAll(
  comparing: ScopeComparing,
  differences: readonly TableDifferences[],
  context: TaskContext,
): Promise<FiringTriggers> {
  const tables = differences.map(({ table }) => table);
  const read = await openRead({ ...comparing, tables }, context);
  try {
    for (const of of differences) {
      const options = { comparing: comparingWith(comparing, read), lanes: read.lanes, context };
      await compareTable(of.table, options, (stretch) => of.sink(stretch));
    }
    return firingTriggers({ ...comparing, tables }, read);
  } finally {
    await read.close();
  }
}

type OfTables = ScopeComparing & { tables: readonly ScopedTable[] };

/** Of a table that is there its own triggers fire, of a missing one those that it is created with. */
export function firingTriggers({ source, tables, missing }: LiveTablesOptions, read: LiveTables): FiringTriggers {
  if (!source.firesTriggers) return new Map();
  const created = tables.map(({ manifest }) => manifest.structure).filter(({ table }) => missing.has(table));
  const firing = [...read.tables, ...created].filter(({ triggers }) => triggers.length > 0);
  return new Map(firing.map(({ table, triggers }) => [table, triggers.map(({ name }) => name)]));
}

function openRead(comparing: OfTables, context: TaskContext): Promise<LiveTables> {
  const { scope, tables } = comparing;
  const total = (of: 'rowCount' | 'rawBytes'): number => tables.reduce((sum, { manifest }) => sum + manifest[of], 0);
  const totals = scope.filtered ? {} : { rowsTotal: total('rowCount'), bytesTotal: total('rawBytes') };
  context.progress.begin({ name: 'comparing', from: 30, to: 60, ...totals });
  return openLiveTables(comparing, context);
}

export function comparingWith(comparing: ScopeComparing, live: TableComparing['live']): TableComparing {
  const { rows, scope, source, findStrays } = comparing;
  return { rows, live, codec: source.codec, scope: scope.rows, findStrays };
}
