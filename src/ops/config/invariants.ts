/**
 * A source's invariants as the settings file writes them:
 *
 *     invariants:
 *       - name: every assessment has factors
 *         sql: SELECT a.id FROM risk_assessments a LEFT JOIN risk_factor_scores f ON f.assessment_id = a.id WHERE f.id IS NULL
 *         dataTypes: [ASSESSMENTS, FACTORS]
 *         perBusiness: true
 *
 * Each is one query that must give no row. It is asked of restored copies that hold all tables of its data types, by default all tables
 * that are mapped; and, without `perBusiness`, of no copy that holds one business alone.
 */
import { z } from 'zod';
import { DATA_TYPES, type DataType } from '../../domain/data-type';
import { invariantProblem, trimInvariant, type Invariant } from '../../domain/invariant';
import type { SourceMapping } from '../../domain/mapping';
import { besideProblems, flag, oneOf, show, text } from './leaf';

const INVARIANT_NAME = /^[^\p{Cc}]{1,100}$/u;

const sql = text('one SELECT statement').transform((value, context): string => {
  const trimmed = typeof value === 'string' ? trimInvariant(value) : '';
  const problem = invariantProblem(trimmed);
  if (problem !== null) context.addIssue({ code: 'custom', message: `is not allowed: ${problem}; give one SELECT` });
  return trimmed;
});

const invariant = z.strictObject({
  name: text('a name of at most 100 characters', INVARIANT_NAME),
  sql,
  dataTypes: z.array(oneOf(DATA_TYPES)).min(1, 'is an empty list: name a data type, or leave it out').optional(),
  perBusiness: flag().default(false),
});

export type InvariantEntry = z.infer<typeof invariant>;

export const invariantsSchema = z.array(invariant).superRefine(refuseRepeated, besideProblems);

function refuseRepeated(entries: unknown, context: z.RefinementCtx): void {
  const names = Array.isArray(entries) ? entries.map((entry) => (entry as Partial<InvariantEntry> | null)?.name) : [];
  names.forEach((name, at) => {
    if (typeof name !== 'string' || names.indexOf(name) === at) return;
    context.addIssue({ code: 'custom', path: [at, 'name'], message: `${show(name)} is another invariant's name` });
  });
}

/** Data types that an invariant names and no table is mapped to. The entry may be one that was refused. */
export function unmappedDataTypes(entry: unknown, mapping: SourceMapping): DataType[] {
  const { dataTypes } = (entry ?? {}) as Partial<InvariantEntry>;
  if (!Array.isArray(dataTypes)) return [];
  return DATA_TYPES.filter((type) => dataTypes.includes(type) && !mapping.some(({ dataType }) => dataType === type));
}

export function toInvariant(
  { name, sql: statement, dataTypes, perBusiness }: InvariantEntry,
  mapping: SourceMapping,
): Invariant {
  const needed = mapping.filter(({ dataType }) => dataTypes?.includes(dataType) ?? true);
  return { name, sql: statement, tables: needed.map(({ table }) => table), ...(perBusiness && { perBusiness }) };
}
