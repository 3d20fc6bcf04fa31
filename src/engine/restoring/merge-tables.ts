/** Finds what damage did to all tables of a three-way restore, and merges it with what is live at one moment of the source. */
import type { ThreeWay } from '../../domain/three-way';
import type { Source } from '../../domain/source';
import type { EngineStore, TaskContext } from '../ports';
import { diffTables } from '../reading/diff-tables';
import { firingTriggers, type FiringTriggers } from './compare-scope';
import { TableDamage } from './damage';
import { openLiveTables } from './live-tables';
import { TableMerge } from './merge-damage';
import type { ScopeSpec } from './restore-scope';
import { openThreeWay, type ThreeWayScope } from './three-way-scope';

export interface ThreeWayWork {
  spec: ScopeSpec;
  threeWay: ThreeWay;
  source: Source;
  store: EngineStore;
  /** Gets what an operator should know. */
  notes: string[];
}

export interface MergedTables {
  scope: ThreeWayScope;
  /** In the scope's order. */
  merges: readonly TableMerge[];
  triggers: FiringTriggers;
}

/** Gives what `use` does, and takes away what was spooled for it. */
export async function withMergedTables<Result>(
  work: ThreeWayWork,
  context: TaskContext,
  use: (merged: MergedTables) => Promise<Result>,
): Promise<Result> {
  const { spec, threeWay } = work;
  const scope = await openThreeWay(spec, threeWay, { ...work, context });
  const { tempDir, random } = context.deps;
  const damage = scope.tables.map(({ table, isMeant }) => new TableDamage(table, { tempDir, random, isMeant }));
  const merging = { ...threeWay, codec: work.source.codec, scope: scope.rows, tempDir, random, moveUpdates: false };
  const merges = damage.map((of) => new TableMerge(of, merging));
  try {
    await findDamage(scope, damage, { ...work, context });
    return await use({ scope, merges, triggers: await mergeAll(merges, work, context) });
  } finally {
    for (const merge of merges) await merge.close();
    for (const of of damage) await of.close();
  }
}

async function findDamage(
  { undamaged, damaged, tables }: ThreeWayScope,
  damage: readonly TableDamage[],
  { store, source, context }: ThreeWayWork & { context: TaskContext },
): Promise<void> {
  context.progress.begin({ name: 'finding the damage', from: 0, to: 40 });
  const diffing = { store, codec: source.codec, businessId: null, context };
  for (const [i, { table, damaged: later }] of tables.entries()) {
    const before = { table: table.manifest, manifest: undamaged };
    await diffTables({ before, after: { table: later, manifest: damaged } }, diffing, damage[i] as TableDamage);
  }
}

async function mergeAll(
  merges: readonly TableMerge[],
  { source }: ThreeWayWork,
  context: TaskContext,
): Promise<FiringTriggers> {
  const rowsTotal = merges.reduce((sum, { damage }) => sum + damage.rowCount, 0);
  context.progress.begin({ name: 'comparing', from: 40, to: 60, rowsTotal });
  const tables = merges.map(({ damage }) => damage.table);
  const live = { source, tables, missing: new Set<string>() };
  const read = await openLiveTables(live, context);
  try {
    for (const merge of merges) await merge.mergeWith(read, context);
    return firingTriggers(live, read);
  } finally {
    await read.close();
  }
}
