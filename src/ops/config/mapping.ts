/**
 * A source's mapping as the settings file writes it:
 *
 *     FACTORS: [{ table: risk_factor_scores, businessPath: "assessment_id -> risk_assessments.id", tenantColumn: tenant_id }]
 *
 * A table that was renamed lists the names it had as `formerly`, so that older backups are restored into it.
 *
 * A table belongs to a business by `businessColumn` or by `businessPath` (a column that leads to another mapped table,
 * whose business is then its own), to a tenant likewise, or to neither. Names that hold ` -> ` or a dot are
 * given as `{ column, table, referencedColumn }`.
 */
import { z } from 'zod';
import { DATA_TYPES, type DataType } from '../../domain/data-type';
import type { Ownership, SourceMapping, TableMapping } from '../../domain/mapping';
import { besideProblems, text } from './leaf';

const PATH_TEXT = /^\s*(.+?)\s*->\s*(.+)\.([^.]+?)\s*$/;
const name = (what: string) => text(`the name of a ${what}`);

const pathObject = z.strictObject({ column: name('column'), table: name('table'), referencedColumn: name('column') });
const path = z.unknown().transform((value, context): Ownership => {
  const parsed = typeof value === 'string' ? parsePathText(value) : pathObject.safeParse(value).data;
  if (parsed) {
    return {
      kind: 'PATH',
      column: parsed.column,
      referencedTable: parsed.table,
      referencedColumn: parsed.referencedColumn,
    };
  }
  context.addIssue({ code: 'custom', message: 'is not allowed: give "column -> table.column"' });
  return z.NEVER;
});

function parsePathText(value: string) {
  const match = PATH_TEXT.exec(value);
  return match && { column: match[1]!, table: match[2]!, referencedColumn: match[3]! };
}

const column = name('column').transform((value): Ownership => ({ kind: 'COLUMN', column: value }));
const tableEntry = z
  .strictObject({
    table: name('table'),
    formerly: z.array(name('table')).min(1, 'is an empty list: name a table, or leave it out').optional(),
    businessColumn: column.optional(),
    businessPath: path.optional(),
    tenantColumn: column.optional(),
    tenantPath: path.optional(),
  })
  .superRefine((entry, context) => {
    if (entry.businessColumn && entry.businessPath) context.addIssue(both('businessColumn', 'businessPath'));
    if (entry.tenantColumn && entry.tenantPath) context.addIssue(both('tenantColumn', 'tenantPath'));
  }, besideProblems);
type TableEntry = z.infer<typeof tableEntry>;

function both(column: string, path: string) {
  return { code: 'custom' as const, path: [path], message: `is set, and so is ${column}: give one of them` };
}

const tableList = z.array(tableEntry).min(1, 'is an empty list: name a table, or leave the data type out');
const dataTypes = Object.fromEntries(DATA_TYPES.map((type) => [type, tableList.optional()]));

/** Optional keys all: a data type that is left out has no tables in this source. */
export const mappingSchema = z
  .strictObject(dataTypes as Record<(typeof DATA_TYPES)[number], z.ZodOptional<typeof tableList>>)
  .superRefine((entries, context) => {
    for (const message of mappingProblems(entries)) context.addIssue({ code: 'custom', message });
  }, besideProblems)
  .transform((entries): SourceMapping =>
    DATA_TYPES.flatMap((dataType) => (entries[dataType] ?? []).map((entry) => toMapping(dataType, entry))),
  );

function toMapping(dataType: DataType, entry: TableEntry): TableMapping {
  const business = entry.businessColumn ?? entry.businessPath;
  const tenant = entry.tenantColumn ?? entry.tenantPath;
  const { table, formerly } = entry;
  return { dataType, table, ...(formerly && { formerly }), ...(business && { business }), ...(tenant && { tenant }) };
}

/** The entries may hold some that were refused: where a path leads is known only when every table is. */
function mappingProblems(entries: Partial<Record<DataType, unknown>>): string[] {
  const given = DATA_TYPES.filter((dataType) => entries[dataType] !== undefined);
  if (given.length === 0) return ['maps no table: name at least one'];
  const listed = given.flatMap((dataType) => [entries[dataType]].flat().map((entry: unknown) => ({ dataType, entry })));
  const mapping = listed.flatMap(({ dataType, entry }) => (namesTable(entry) ? [toMapping(dataType, entry)] : []));
  const repeated = [...duplicates(mapping), ...formerNames(mapping)];
  if (mapping.length < listed.length) return repeated;
  return [...repeated, ...paths(mapping, 'business'), ...paths(mapping, 'tenant')];
}

function namesTable(entry: unknown): entry is TableEntry {
  return typeof entry === 'object' && entry !== null && 'table' in entry && typeof entry.table === 'string';
}

function duplicates(mapping: SourceMapping): string[] {
  const names = mapping.map((entry) => entry.table);
  const repeated = new Set(names.filter((table, at) => names.indexOf(table) !== at));
  return [...repeated].map((table) => `table ${table} is mapped twice: a table belongs to one data type`);
}

/** Else nobody could say which table a backup means. */
function formerNames(mapping: SourceMapping): string[] {
  const former = mapping.flatMap(({ table, formerly }) => [formerly ?? []].flat().map((name) => ({ table, name })));
  return former.flatMap(({ table, name }, at) => {
    if (mapping.some((entry) => entry.table === name)) return [`${name}, a former name of ${table}, is mapped itself`];
    const other = former.find((entry, i) => i < at && entry.name === name);
    return other === undefined ? [] : [`${name} is a former name of ${other.table} and of ${table}`];
  });
}

/** Every path must lead, over mapped tables, to one that has the column. */
function paths(mapping: SourceMapping, owner: 'business' | 'tenant'): string[] {
  return mapping.flatMap((start) => pathProblem(mapping, start, owner) ?? []);
}

function pathProblem(mapping: SourceMapping, start: TableMapping, owner: 'business' | 'tenant'): string | undefined {
  const seen = new Set([start.table]);
  let step = start[owner];
  while (step?.kind === 'PATH') {
    const { referencedTable } = step;
    const next = mapping.find((entry) => entry.table === referencedTable);
    if (!next) return `the ${owner} path of ${start.table} leads to ${referencedTable}, which is not mapped`;
    if (!next[owner]) return `the ${owner} path of ${start.table} leads to ${referencedTable}, which has no ${owner}`;
    if (seen.has(next.table)) return `the ${owner} path of ${start.table} goes in a circle`;
    seen.add(next.table);
    step = next[owner];
  }
  return undefined;
}
