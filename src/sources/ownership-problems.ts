/** What is wrong with how a mapping says rows belong to a business or tenant, given the columns that live tables have. Pure. */
import type { Ownership, SourceMapping, TableMapping } from '../domain/mapping';
import type { MappingProblem } from '../domain/source';

/** Column names by table, as the live schema has them; a table that is missing there is left out. */
export type LiveColumns = ReadonlyMap<string, readonly string[]>;

/** Problems of the business and tenant rules of every mapped table that exists. */
export function ownershipProblems(mapping: SourceMapping, columns: LiveColumns): MappingProblem[] {
  return mapping.flatMap((entry) => {
    if (!columns.has(entry.table)) return [];
    return (['business', 'tenant'] as const).flatMap((word) => problemsOf(entry, word, mapping, columns));
  });
}

function problemsOf(
  entry: TableMapping,
  word: 'business' | 'tenant',
  mapping: SourceMapping,
  columns: LiveColumns,
): MappingProblem[] {
  const ownership = entry[word];
  if (!ownership) return [];
  const missing = missingColumn(entry.table, ownership.column, `its ${word}`, columns);
  if (missing || ownership.kind === 'COLUMN') return missing ? [missing] : [];
  const problem =
    missingTarget(entry, ownership, word, mapping) ??
    missingColumn(
      ownership.referencedTable,
      ownership.referencedColumn,
      `the ${word} path of ${entry.table}`,
      columns,
    ) ??
    circularPath(entry, word, mapping);
  return problem ? [problem] : [];
}

function missingColumn(table: string, column: string, use: string, columns: LiveColumns): MappingProblem | null {
  const live = columns.get(table);
  if (!live || live.includes(column)) return null;
  return {
    table,
    problem: 'NO_SUCH_COLUMN',
    message: `Table ${table} has no column ${column}, which the mapping names for ${use}.`,
    hint: `Correct the column in the mapping; the table has: ${live.join(', ')}.`,
  };
}

function missingTarget(
  entry: TableMapping,
  path: Extract<Ownership, { kind: 'PATH' }>,
  word: 'business' | 'tenant',
  mapping: SourceMapping,
): MappingProblem | null {
  const target = mapping.find((other) => other.table === path.referencedTable);
  if (target?.[word]) return null;
  const why = target ? `has no ${word} of its own in the mapping` : 'is not mapped';
  return {
    table: entry.table,
    problem: 'UNSUPPORTED',
    message: `The ${word} path of ${entry.table} leads to ${path.referencedTable}, which ${why}.`,
    hint: `Map ${path.referencedTable} with a ${word} column or path, or give ${entry.table} a ${word} column.`,
  };
}

function circularPath(entry: TableMapping, word: 'business' | 'tenant', mapping: SourceMapping): MappingProblem | null {
  const seen = [entry.table];
  let ownership = entry[word];
  while (ownership?.kind === 'PATH') {
    const target: string = ownership.referencedTable;
    if (seen.includes(target)) return circle(entry.table, word, [...seen, target]);
    seen.push(target);
    ownership = mapping.find((other) => other.table === target)?.[word];
  }
  return null;
}

function circle(table: string, word: string, way: readonly string[]): MappingProblem {
  return {
    table,
    problem: 'UNSUPPORTED',
    message: `The ${word} path of ${table} runs in a circle: ${way.join(' -> ')}.`,
    hint: `End the path at a table with a ${word} column.`,
  };
}
