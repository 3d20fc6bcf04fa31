/**
 * Fits a backup to the tables as they are now: where their structure changed, its rows are from then on read as rows of the live tables,
 * so that whatever compares, lists, writes, proves and undoes needs to know one structure alone. Refused is what could lose or guess a value.
 */
import { AppError } from '../../domain/errors';
import type { TableManifest } from '../../domain/manifest';
import type { Source } from '../../domain/source';
import type { TableStructure } from '../../domain/table';
import type { RestoredTable } from '../../domain/task';
import type { TaskContext } from '../ports';
import { fitTable, type Adaptation } from '../reading/adaptation';
import type { ScopedTable } from '../reading/scoped-table';
import { requireSameStructures, type Unfit } from '../structure-check';
import type { OpenedBackup } from './open-backup';
import type { RestoreScope } from './restore-scope';
import { structureWarnings } from './restore-warnings';

/** The backup for tables as they are; throws SCHEMA_MISMATCH that names every table and column that stands in the way. */
export async function fitToLive<Backup extends OpenedBackup>(
  backup: Backup,
  { source, missing }: { source: Source; missing: ReadonlySet<string> },
  context: TaskContext,
): Promise<Backup> {
  requireRenamed(backup, missing);
  const isThere = ({ manifest }: ScopedTable): boolean => !missing.has(manifest.table);
  const { scope, losses, rows } = backup;
  const there = [...scope.tables, ...losses.lost].filter(isThere).map(({ manifest }) => manifest);
  const live = await liveStructures(source, there, context);
  const fitted = scope.tables.map((table) => fit(table, { live, scope, source }));
  requireNone(fitted.filter(isProblem).flat());
  const tables = fitted.filter((found): found is ScopedTable => !isProblem(found));
  for (const [i, { adaptation }] of tables.entries()) {
    if (adaptation !== undefined) rows.adapt((scope.tables[i] as ScopedTable).manifest, adaptation);
  }
  const lost = losses.lost.map((table) => ({ ...table, manifest: asLive(table.manifest, live) }));
  return { ...backup, scope: { ...scope, tables }, losses: { ...losses, lost } };
}

/** Throws SCHEMA_MISMATCH where rows of these tables don't fit the live ones byte for byte; gives the live structures. */
export async function requireFittingTables(
  source: Source,
  { tables, unfit }: { tables: readonly TableLike[]; unfit: Unfit },
  context: TaskContext,
): Promise<readonly TableStructure[]> {
  const live = await liveStructures(source, tables, context);
  const structures = tables.map(({ structure }) => structure);
  requireSameStructures(structures, live, { rowEncoding: source.codec.name, ...unfit });
  return live;
}

type TableLike = Pick<TableManifest, 'dataType' | 'structure'>;

async function liveStructures(
  source: Source,
  tables: readonly TableLike[],
  { signal }: TaskContext,
): Promise<readonly TableStructure[]> {
  if (tables.length === 0) return [];
  const names = tables.map(({ structure }) => structure.table);
  const mapped = source.mapping.filter(({ table }) => names.includes(table));
  const read = await source.openConsistentRead({
    dataTypes: [...new Set([...tables, ...mapped].map(({ dataType }) => dataType))],
    tables: names,
    connections: 1,
    signal,
  });
  await read.close();
  return read.tables;
}

function isProblem(found: ScopedTable | readonly string[]): found is readonly string[] {
  return Array.isArray(found);
}

/** In words why not. */
function fit(
  table: ScopedTable,
  { live, scope, source }: { live: readonly TableStructure[]; scope: RestoreScope; source: Source },
): ScopedTable | readonly string[] {
  const { manifest } = table;
  const now = live.find(({ table: name }) => name === manifest.table);
  const found = now && fitTable(manifest.structure, now, source.codec);
  if (found === undefined || found.kind === 'SAME') return table;
  if (found.kind === 'UNFIT') return found.problems;
  const { adaptation } = found;
  const unowned = ownerProblems(table, { adaptation, scope });
  if (unowned.length > 0) return unowned;
  return { ...table, adaptation, manifest: { ...manifest, structure: adaptation.structure } };
}

/** A row whose owner is a default would be nobody's, or another's. */
function ownerProblems(
  { role }: ScopedTable,
  { adaptation: { structure, added }, scope }: { adaptation: Adaptation; scope: RestoreScope },
): string[] {
  const owner = structure.mapping.business?.column;
  if (scope.rows.kind !== 'BUSINESS' || role === 'PARENT' || !added.some(({ name }) => name === owner)) return [];
  return [`${structure.table}.${owner} says whose rows these are, and is new since the backup`];
}

function requireNone(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new AppError(
    'SCHEMA_MISMATCH',
    `The live tables can't hold all that the backup does: ${problems.join('; ')}.`,
    { hint: 'Restore into a scratch schema, or bring these columns to what they were at the backup.' },
  );
}

export function withStructureChanges<Table extends Pick<RestoredTable, 'table' | 'warnings'>>(
  table: Table,
  { scope, renamed }: Pick<OpenedBackup, 'scope' | 'renamed'>,
): Table {
  const adaptation = scope.tables.find(({ manifest }) => manifest.table === table.table)?.adaptation;
  const warnings = structureWarnings({ adaptation, formerName: renamed.get(table.table) });
  return { ...table, warnings: [...table.warnings, ...warnings] };
}

/** Of a table that is lost only live rows are read. */
function asLive(manifest: TableManifest, live: readonly TableStructure[]): TableManifest {
  const structure = live.find(({ table }) => table === manifest.table);
  return structure === undefined ? manifest : { ...manifest, structure };
}

/** The backup knows how to make tables under their former names alone. */
function requireRenamed({ scope, renamed }: OpenedBackup, missing: ReadonlySet<string>): void {
  const problems = scope.tables.flatMap(({ manifest: { table, structure } }) => {
    if (!missing.has(table)) return [];
    const before = renamed.get(table);
    if (before !== undefined) return [`there is no table ${table}, which the backup knows as ${before}`];
    const parent = structure.foreignKeys.find(({ referencedTable }) => renamed.has(referencedTable));
    return parent === undefined
      ? []
      : [`there is no table ${table}, which refers to ${parent.referencedTable}, renamed since`];
  });
  if (problems.length === 0) return;
  throw new AppError(
    'SCHEMA_MISMATCH',
    `Tables were renamed since the backup, and can't be made as it has them: ${problems.join('; ')}.`,
    {
      hint: 'Create these tables as the platform has them now, empty, and restore again; or restore into a scratch schema.',
    },
  );
}
