/** Columns that hold JSON though their type does not say so: a rule of the table has each of their values checked. */
import type { TableStructure } from '../domain/table';

/** Names as the statement spells them, in lower case. MariaDB writes such a rule for each column of its type JSON. */
export function checkedJsonColumns({ createStatement }: Pick<TableStructure, 'createStatement'>): ReadonlySet<string> {
  const found = createStatement.matchAll(/CHECK\s*\(\s*json_valid\s*\(\s*([`"[]?)([^`"\]()]+)[`"\]]?\s*\)\s*\)/gi);
  return new Set([...found].map((match) => (match[2] as string).trim().toLowerCase()));
}
