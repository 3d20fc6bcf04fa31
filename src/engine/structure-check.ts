/** Says whether rows of a backup fit a live table byte for byte: same columns, same types, same character sets, same key. */
import { AppError } from '../domain/errors';
import type { ColumnStructure, TableStructure } from '../domain/table';

/** What is told where structures differ. */
export interface Unfit {
  /** A sentence's beginning, before the problems. */
  what: string;
  hint: string;
}

/** Throws SCHEMA_MISMATCH that names every table and column where live and backup differ. */
export function requireSameStructures(
  backup: readonly TableStructure[],
  live: readonly TableStructure[],
  { rowEncoding, what, hint }: Unfit & { rowEncoding: string },
): void {
  const problems = backup.flatMap((table) => {
    const found = live.find(({ table: name }) => name === table.table);
    return found === undefined ? [] : structureDifferences(table, found, rowEncoding);
  });
  if (problems.length === 0) return;
  throw new AppError('SCHEMA_MISMATCH', `${what}: ${problems.join('; ')}.`, { hint });
}

/** What keeps rows of the one from being rows of the other; empty where nothing does. */
export function structureDifferences(backup: TableStructure, live: TableStructure, rowEncoding: string): string[] {
  const name = backup.table;
  if (backup.rowEncoding !== rowEncoding) return [`${name}: rows are in ${backup.rowEncoding}, not ${rowEncoding}`];
  const problems: string[] = [];
  for (const column of backup.columns) {
    const found = live.columns.find((candidate) => candidate.name === column.name);
    if (found === undefined) problems.push(`${name}.${column.name} is missing`);
    else problems.push(...columnProblems(backup, column, found));
  }
  for (const { name: column } of live.columns) {
    const known = backup.columns.some((candidate) => candidate.name === column);
    if (!known) problems.push(`${name}.${column} is new`);
  }
  if (backup.key.join() !== live.key.join()) {
    problems.push(`${name} has the key (${live.key.join(', ')}) instead of (${backup.key.join(', ')})`);
  }
  return problems;
}

function columnProblems(table: TableStructure, backup: ColumnStructure, live: ColumnStructure): string[] {
  const name = `${table.table}.${backup.name}`;
  const problems: string[] = [];
  const differs = (what: string, before?: string, now?: string): void => {
    if (before !== now) problems.push(`${name} has the ${what} ${now ?? 'none'} instead of ${before ?? 'none'}`);
  };
  differs('type', plainType(backup.type), plainType(live.type));
  differs('character set', backup.charset, live.charset);
  if (table.key.includes(backup.name)) differs('collation', backup.collation, live.collation);
  return problems;
}

/** Display widths of integers say nothing about values, and newer servers no longer print them. */
function plainType(type: string): string {
  return type.toLowerCase().replace(/^((?:tiny|small|medium|big)?int)\(\d+\)/, '$1');
}
