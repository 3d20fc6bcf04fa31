/**
 * What a restore is about: which tables of the backup, which of their rows, in which role. For one business out of a whole
 * backup the rows are found through the mapping: by a column, by a path to rows of a referenced table, or, for parents,
 * by the foreign keys of rows in scope.
 */
import { expandDataTypes } from '../../domain/data-type';
import { AppError } from '../../domain/errors';
import type { RestoreJobSpec } from '../../domain/job';
import type { Manifest, TableManifest } from '../../domain/manifest';
import { businessRoles } from '../../domain/ownership';
import { ALL_ROWS, type RowScope, type WrittenRows } from '../../domain/rows';
import type { ScopedTable } from '../reading/scoped-table';

/** What of a backup is meant, by a restore or by its plan. */
export type ScopeSpec = Pick<
  RestoreJobSpec,
  'source' | 'backupId' | 'type' | 'dataTypes' | 'businessId' | 'keys' | 'allowUnchecked'
> &
  /** Absent: in place. */
  Partial<Pick<RestoreJobSpec, 'target'>>;

export interface RestoreScope {
  tables: ScopedTable[];
  /** Which live rows are the restore's concern; of single records, whose they must be. */
  rows: RowScope;
  /** Which rows are written. */
  written: WrittenRows;
  /** True where the backup holds rows outside the scope. */
  filtered: boolean;
}

/** What of a damaged backup can't be restored. */
export interface Losses {
  /** Names of tables that lost some of their rows. */
  hurt: ReadonlySet<string>;
  /** Tables that lost all. */
  lost: readonly ScopedTable[];
}

/** The tables and rows a restore is about; throws what a caller can mend. */
export function restoreScope(spec: ScopeSpec, manifest: Manifest): RestoreScope {
  if (manifest.source.name !== spec.source) throw notRestorable(`it was taken of source ${manifest.source.name}`);
  const whole = (tables: TableManifest[]): RestoreScope => ({
    tables: tables.map((table) => ({ manifest: table, role: 'WHOLE' })),
    rows: ALL_ROWS,
    written: ALL_ROWS,
    filtered: false,
  });
  switch (spec.type) {
    case 'FULL':
      return manifest.scope.kind === 'BUSINESS' ? businessScope(spec, manifest) : whole(manifest.tables);
    case 'PARTIAL':
      return partialScope(spec, manifest, whole);
    case 'SYSTEM':
      return whole(requireTables(manifest.tables.filter(({ dataType }) => dataType === 'CONFIG')));
    case 'BUSINESS':
      return businessScope(spec, manifest);
  }
}

function partialScope(
  spec: ScopeSpec,
  manifest: Manifest,
  whole: (tables: TableManifest[]) => RestoreScope,
): RestoreScope {
  const wanted = expandDataTypes(spec.dataTypes);
  const missing = wanted.filter((type) => !manifest.dataTypes.includes(type));
  if (missing.length > 0) throw notRestorable(`it holds no ${missing.join(', ')}`);
  const tables = requireTables(manifest.tables.filter(({ dataType }) => wanted.includes(dataType)));
  return manifest.scope.kind === 'BUSINESS' ? businessScope(spec, { ...manifest, tables }) : whole(tables);
}

function businessScope(spec: ScopeSpec, manifest: Manifest): RestoreScope {
  const held = manifest.scope.kind === 'BUSINESS' ? manifest.scope.businessId : null;
  const businessId = spec.businessId ?? held;
  if (businessId === null) throw new AppError('INVALID_INPUT', 'A BUSINESS restore needs a businessId.');
  if (held !== null && held !== businessId) throw notRestorable(`it holds business ${held} alone`);
  const roles = businessRoles(manifest.tables.map(({ structure }) => structure));
  const tables: ScopedTable[] = [];
  for (const table of manifest.tables) {
    const role = roles.get(table.table);
    if (role === 'OWNED') tables.push({ manifest: table, role: 'WHOLE' });
    if (role === 'PARENT') tables.push({ manifest: table, role: 'PARENT' });
  }
  requireTables(tables);
  const rows: RowScope = { kind: 'BUSINESS', businessId };
  return { tables, rows, written: rows, filtered: held === null };
}

function requireTables<Table>(tables: Table[]): Table[] {
  if (tables.length === 0) throw notRestorable('it holds no table of the kind asked for');
  return tables;
}

function notRestorable(reason: string): AppError {
  return new AppError('BACKUP_NOT_RESTORABLE', `The backup can't be restored this way: ${reason}.`, {
    hint: 'Choose a backup that holds what is to be restored, or restore less.',
  });
}
