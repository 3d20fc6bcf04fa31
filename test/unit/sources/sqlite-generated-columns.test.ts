/** Expressions of generated columns are found whatever surrounds them. */
import { generatedExpression } from '../../../src/sources/sqlite/create-statement';

const SQL = `CREATE TABLE "odd (name" ( -- a comment, with (parentheses
  a INT DEFAULT (1 + 2) CHECK (a > 0), "b as" TEXT DEFAULT 'x, as (y)',
  [c] INT GENERATED ALWAYS AS (a * (2 + 1)) STORED, \`d\`\`d\` TEXT AS ("b as" || ')') /* as (no) */ VIRTUAL,
  UNIQUE (a, c)
)`;

test.each([
  ['c', 'a * (2 + 1)'],
  ['C', 'a * (2 + 1)'],
  ['d`d', `"b as" || ')'`],
  ['a', ''],
  ['nope', ''],
])('column %s', (column, expression) => {
  expect(generatedExpression(SQL, column)).toBe(expression);
});
