/** Which statements pass for an invariant: one query that only reads, whatever quotes hold, in every kind of source alike. */
import { invariantProblem, trimInvariant } from '../../../src/domain/invariant';

describe('an invariant', () => {
  it.each([
    ['a plain query', 'SELECT id FROM t WHERE a <> b'],
    ['a common table expression', 'WITH x AS (SELECT 1 AS n) SELECT n FROM x WHERE n = 2'],
    ['lines and small letters', 'select id\n  from t\n where x is null'],
    ['forbidden words as text', `SELECT id FROM t WHERE note = 'delete; update into -- # /* it''s'`],
    ['forbidden words as names', 'SELECT `update`, "into" FROM `a``;b`'],
    ['words that begin like forbidden ones', 'SELECT updated_at, deleted, intostring FROM t WHERE share > 0'],
    [
      'qualified by tables, aliases and what WITH names',
      'WITH w AS (SELECT 1.5 AS n) SELECT t.id FROM t JOIN `u` AS "x", w WHERE x.t_id = T.id AND w.n > `u`.n',
    ],
    ['EXTRACT, whose FROM names a column', 'SELECT a.id FROM assessments a WHERE EXTRACT(YEAR FROM a.created) < 2000'],
    ['a dot in text', `SELECT id FROM t WHERE host = 'kyb.t'`],
    ['REPLACE, the function', `SELECT REPLACE(a, 'x', 'y') FROM t`],
  ])('may be %s', (_, sql) => expect(invariantProblem(sql)).toBeNull());

  it.each([
    ['two statements', 'SELECT 1; DROP TABLE t', 'more than one'],
    ['no query', 'DELETE FROM t', 'does not begin'],
    ['a query in parentheses', '(SELECT 1)', 'does not begin'],
    ['nothing', '  ', 'does not begin'],
    ['a statement hidden in a comment that runs', 'SELECT 1 /*!50000 INTO OUTFILE "x" */', 'comment'],
    ['a comment to the end of the line', 'SELECT 1 -- x', 'comment'],
    ['a comment of the other kind', 'SELECT 1 # x', 'comment'],
    ['a query into a file', `SELECT 1 INTO OUTFILE '/tmp/x'`, 'INTO'],
    ['a query into a variable', 'SELECT 1 INTO @x', 'INTO'],
    ['a deletion behind WITH', 'WITH x AS (SELECT 1) DELETE FROM t', 'DELETE'],
    ['an insertion behind WITH', 'WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x', 'INSERT'],
    ['a query that locks', 'SELECT id FROM t FOR UPDATE', 'UPDATE'],
    ['one that locks for sharing', 'SELECT id FROM t FOR  SHARE', 'FOR  SHARE'],
    ['one that locks in the old way', 'SELECT id FROM t LOCK IN SHARE MODE', 'LOCK IN'],
    ['a quote that is open', `SELECT 'x`, 'quote'],
    ['a backslash, which closes no quote here and one there', String.raw`SELECT '\'; DROP TABLE t; --'`, 'backslash'],
    ['a query of another schema', 'SELECT COUNT(*) FROM kyb.t', 'kyb'],
    ['one of another schema behind a comma', 'SELECT a.id FROM a JOIN b ON a.id = b.id, kyb . t', 'kyb'],
    [
      'one of another schema in parentheses',
      "SELECT a.id FROM a WHERE a.id NOT IN (SELECT id FROM (`kyb`.`t`)) AND a.n <> 'kyb'",
      'kyb',
    ],
    ['one that qualifies a column by it', 'SELECT kyb.t.id FROM kyb.t WHERE t.id = 1', 'kyb'],
    ['a query of the main schema of SQLite', 'SELECT id FROM main.t', 'main'],
    ['a NUL', 'SELECT 1\0', 'quote'],
  ])('is not %s', (_, sql, reason) => expect(invariantProblem(sql)).toContain(reason));

  it('may end in a semicolon, which is left out', () => {
    expect(trimInvariant(' SELECT 1 ;\n')).toBe('SELECT 1');
    expect(invariantProblem(trimInvariant('SELECT 1;;'))).toContain('more than one');
  });
});
