/** Which tables take part in the scope of one business, and in which role. Pure arithmetic over mapping and foreign keys. */
import type { TableStructure } from './table';

/** OWNED: rows of the business. PARENT: rows that owned rows reference (a tenant). OUTSIDE: nothing of this table. */
export type BusinessRole = 'OWNED' | 'PARENT' | 'OUTSIDE';

export function businessRoles(tables: readonly TableStructure[]): Map<string, BusinessRole> {
  const roles = new Map<string, BusinessRole>();
  for (const table of tables) roles.set(table.table, table.mapping.business ? 'OWNED' : 'OUTSIDE');
  let found = true;
  while (found) {
    found = false;
    for (const parent of tables) {
      if (roles.get(parent.table) !== 'OUTSIDE' || !isReferenced(parent, tables, roles)) continue;
      roles.set(parent.table, 'PARENT');
      found = true;
    }
  }
  return roles;
}

function isReferenced(
  parent: TableStructure,
  tables: readonly TableStructure[],
  roles: Map<string, BusinessRole>,
): boolean {
  return tables.some(
    (child) =>
      roles.get(child.table) !== 'OUTSIDE' &&
      child.foreignKeys.some((key) => key.referencedTable === parent.table && key.referencedSchema === undefined),
  );
}
