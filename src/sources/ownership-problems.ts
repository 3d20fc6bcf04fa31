/** What is wrong with how a mapping says rows belong to a business or tenant, given the columns that live tables have. Pure. */
import type { Ownership, SourceMapping, TableMapping } from '../domain/mapping';
import type { MappingProblem } from '../domain/source';

/** Column names by table, as the live schema has them; a table that is missing there is left out. */
export type LiveColumns = ReadonlyMap<string, readonly string[]>;

type Word = 'business' | 'tenant';

/** One rule of the mapping: how rows of `entry` belong to a business or a tenant. */
interface Rule {
  entry: TableMapping;
  word: Word;
  ownership: Ownership;
}

/** Problems of the business and tenant rules of every mapped table that exists. */
export function ownershipProblems(mapping: SourceMapping, columns: LiveColumns): MappingProblem[] {
  return rulesOf(mapping)
    .filter(({ entry }) => columns.has(entry.table))
    .flatMap((rule) => problemOf(rule, mapping, columns) ?? []);
}

function rulesOf(mapping: SourceMapping): Rule[] {
  return mapping.flatMap((entry) =>
    (['business', 'tenant'] as const).flatMap((word) => {
      const ownership = entry[word];
      return ownership ? [{ entry, word, ownership }] : [];
    }),
  );
}

function problemOf(rule: Rule, mapping: SourceMapping, columns: LiveColumns): MappingProblem | null {
  const { entry, word, ownership } = rule;
  const missing = missingColumn({ table: entry.table, column: ownership.column, use: `its ${word}` }, columns);
  if (missing || ownership.kind === 'COLUMN') return missing;
  const use = `the ${word} path of ${entry.table}`;
  return (
    missingTarget(rule, ownership.referencedTable, mapping) ??
    missingColumn({ table: ownership.referencedTable, column: ownership.referencedColumn, use }, columns) ??
    circularPath(rule, mapping)
  );
}

interface NamedColumn {
  table: string;
  column: string;
  /** What the mapping names it for. */
  use: string;
}

function missingColumn({ table, column, use }: NamedColumn, columns: LiveColumns): MappingProblem | null {
  const live = columns.get(table);
  if (!live || live.includes(column)) return null;
  return {
    table,
    problem: 'NO_SUCH_COLUMN',
    message: `Table ${table} has no column ${column}, which the mapping names for ${use}.`,
    hint: `Correct the column in the mapping; the table has: ${live.join(', ')}.`,
  };
}

function missingTarget({ entry, word }: Rule, referenced: string, mapping: SourceMapping): MappingProblem | null {
  const target = mapping.find((other) => other.table === referenced);
  if (target?.[word]) return null;
  const why = target ? `has no ${word} of its own in the mapping` : 'is not mapped';
  return {
    table: entry.table,
    problem: 'UNSUPPORTED',
    message: `The ${word} path of ${entry.table} leads to ${referenced}, which ${why}.`,
    hint: `Map ${referenced} with a ${word} column or path, or give ${entry.table} a ${word} column.`,
  };
}

function circularPath({ entry, word }: Rule, mapping: SourceMapping): MappingProblem | null {
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

function circle(table: string, word: Word, way: readonly string[]): MappingProblem {
  return {
    table,
    problem: 'UNSUPPORTED',
    message: `The ${word} path of ${table} runs in a circle: ${way.join(' -> ')}.`,
    hint: `End the path at a table with a ${word} column.`,
  };
}
