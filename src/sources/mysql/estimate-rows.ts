/** Rows by table as the server's statistics tell: InnoDB samples some pages, and MySQL keeps the answer for a day. */
import type { SourceMapping } from '../../domain/mapping';
import { listTables } from './introspect';
import type { Session } from './session';

export async function estimateRows(
  session: Session,
  schema: string,
  mapping: SourceMapping,
): Promise<Map<string, number>> {
  const names = mapping.map(({ table }) => table);
  const live = await listTables(session, schema, names);
  const tables = [...live].filter(([, { type }]) => type === 'BASE TABLE');
  return new Map(tables.map(([name, { rows }]) => [name, rows]));
}
