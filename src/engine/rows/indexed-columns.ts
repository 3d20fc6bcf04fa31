/** By which columns the chunks of a table are indexed: those by which its rows will be looked for in the backup (FORMAT.md, section 8). */
import { businessRoles } from '../../domain/ownership';
import { acts, type TableStructure } from '../../domain/table';
import { columnsOf, type IndexedColumns } from './value-reader';

/** Each list once. `tables`: all of the backup, which decide who is a parent. */
export function indexedColumns(structure: TableStructure, tables: readonly TableStructure[]): IndexedColumns[] {
  const lists = new Map<string, IndexedColumns>();
  for (const names of [...actingKeys(structure), ...ownerColumns(structure), ...parentKeys(structure, tables)]) {
    const columns = columnsOf(structure, names);
    if (columns !== null) lists.set(JSON.stringify(columns), columns);
  }
  return [...lists.values()];
}

/** Whom the server changes without logging it. */
function actingKeys({ foreignKeys }: TableStructure): string[][] {
  return foreignKeys.filter(acts).map(({ columns }) => columns);
}

function ownerColumns({ mapping }: TableStructure): string[][] {
  return mapping.business ? [[mapping.business.column]] : [];
}

/** What rows in the scope of a business refer to in a table that none owns. */
function parentKeys({ table }: TableStructure, tables: readonly TableStructure[]): string[][] {
  const roles = businessRoles(tables);
  if (roles.get(table) !== 'PARENT') return [];
  const children = tables.filter((child) => roles.get(child.table) !== 'OUTSIDE');
  return children
    .flatMap(({ foreignKeys }) => foreignKeys)
    .filter((key) => key.referencedTable === table && key.referencedSchema === undefined)
    .map(({ referencedColumns }) => referencedColumns);
}
