/** The demo's data is the same every time, and of the stated volume. */
import { createHash } from 'node:crypto';
import { DEMO_COLUMNS, demoRows } from '../../../src/sources/demo-data';

function digest(businesses: number, seed?: number): string {
  const hash = createHash('sha256');
  for (const { table, values } of demoRows({ businesses, seed })) hash.update(table + values.map(String).join('|'));
  return hash.digest('hex');
}

test('the same options give the same rows, another seed others', () => {
  expect(digest(30)).toBe(digest(30));
  expect(digest(30, 2)).not.toBe(digest(30));
});

test("each row has one value per column, and the volume is the platform's", () => {
  const counts: Record<string, number> = {};
  for (const { table, values } of demoRows({ businesses: 200 })) {
    expect(values).toHaveLength(DEMO_COLUMNS[table].length);
    counts[table] = (counts[table] ?? 0) + 1;
  }
  const { businesses, risk_assessments: assessments, risk_factor_scores: factors, risk_trends: trends } = counts;
  expect(businesses).toBe(200);
  expect(assessments).toBeGreaterThanOrEqual(400);
  expect(factors).toBeGreaterThanOrEqual(5 * (assessments as number));
  expect(trends).toBe(5 * (assessments as number));
  expect(Object.keys(counts).sort()).toEqual(Object.keys(DEMO_COLUMNS).sort());
});
