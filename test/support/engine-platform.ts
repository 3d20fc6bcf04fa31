/** A small risk platform in memory: tenants, businesses, assessments, factors by path, and config of nobody. */
import type { MemorySource } from './engine-memory-source';
import { fill, memorySource } from './engine-memory-source';
import { tableOf, type Row } from './engine-rows';

const reference = (column: string, referencedTable: string) => ({
  name: `fk_${column}`,
  columns: [column],
  referencedTable,
  referencedColumns: ['id'],
  onDelete: 'NO ACTION' as const,
  onUpdate: 'NO ACTION' as const,
});

export const TENANTS = tableOf({ dataType: 'BUSINESSES', table: 'tenants' }, ['id', 'name'], { unique: [['name']] });
export const BUSINESSES = tableOf(
  { dataType: 'BUSINESSES', table: 'businesses', business: { kind: 'COLUMN', column: 'id' } },
  ['id', 'tenant_id', 'name'],
  { foreignKeys: [reference('tenant_id', 'tenants')] },
);
export const ASSESSMENTS = tableOf(
  { dataType: 'ASSESSMENTS', table: 'assessments', business: { kind: 'COLUMN', column: 'business_id' } },
  ['id', 'business_id', 'score'],
  { foreignKeys: [reference('business_id', 'businesses')] },
);
export const FACTORS = tableOf(
  {
    dataType: 'FACTORS',
    table: 'factors',
    business: { kind: 'PATH', column: 'assessment_id', referencedTable: 'assessments', referencedColumn: 'id' },
  },
  ['id', 'assessment_id', 'factor', 'note'],
  { foreignKeys: [reference('assessment_id', 'assessments')], unique: [['assessment_id', 'factor']] },
);
export const CONFIG = tableOf({ dataType: 'CONFIG', table: 'config' }, ['id', 'value']);

/** Factors before assessments on purpose: paths lead to tables listed later. */
export const PLATFORM = [TENANTS, BUSINESSES, FACTORS, ASSESSMENTS, CONFIG];

/** Businesses b0, b1, ... of three tenants; b_i has assessments a_i_0.. and three factors each. */
export function platformSource(businesses = 60, noteBytes = 400, keepsLog = false): MemorySource {
  const source = memorySource(PLATFORM, 400, keepsLog);
  const assessments: Row[] = [];
  const factors: Row[] = [];
  for (let b = 0; b < businesses; b++) {
    for (let a = 0; a < 1 + (b % 4); a++) {
      assessments.push([`a${b}-${a}`, `b${b}`, b * a]);
      for (let f = 0; f < 3; f++) factors.push([factors.length, `a${b}-${a}`, `f${f}`, `${b}`.repeat(noteBytes)]);
    }
  }
  fill(
    source,
    TENANTS,
    [0, 1, 2].map((t) => [`t${t}`, `Tenant ${t}`]),
  );
  fill(
    source,
    BUSINESSES,
    Array.from({ length: businesses }, (_, b) => [`b${b}`, `t${b % 3}`, `Business ${b}`]),
  );
  fill(source, ASSESSMENTS, assessments);
  fill(source, FACTORS, factors);
  fill(
    source,
    CONFIG,
    Array.from({ length: 20 }, (_, i) => [i, `value ${i}`]),
  );
  return source;
}

/** All rows of all tables, or of those that are there, to compare states. */
export function stateOf(source: MemorySource): Record<string, Row[]> {
  const state: Record<string, Row[]> = {};
  for (const [name, rows] of source.tables)
    state[name] = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  return state;
}
