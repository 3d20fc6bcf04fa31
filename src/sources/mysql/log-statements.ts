/**
 * What a statement in the binary log may have done to tables. Rows are logged as rows; what is logged as text is DDL, the frame of
 * transactions, or a change that nobody can follow. Nothing is parsed: a table is taken for touched where its name occurs as a
 * word anywhere, comments included. What is not known to be harmless touches everything.
 */
import type { QueryBody } from './log-events';

/** Whose rows may have changed: nobody's, those of tables or schemas that it names, anybody's; or XA, which is logged out of order. */
export type StatementReach = 'NONE' | 'NAMED' | 'SCHEMA' | 'XA' | 'ALL';

const FRAME =
  /^((BEGIN|START TRANSACTION|COMMIT|ROLLBACK)( WORK)?|(SAVEPOINT|RELEASE SAVEPOINT|ROLLBACK( WORK)? TO( SAVEPOINT)?) (`(``|[^`])*`|\S+))$/i;
const HARMLESS = /^(ANALYZE|OPTIMIZE|FLUSH|GRANT|REVOKE|SET (PASSWORD|DEFAULT ROLE)|INSTALL|UNINSTALL)\b/i;
const OPTIONS = '((OR REPLACE|AGGREGATE|ALGORITHM ?= ?\\w+|DEFINER ?= ?\\S+( ?@ ?\\S+)?|SQL SECURITY \\w+) )*';
const WITHOUT_ROWS = new RegExp(
  `^(CREATE|ALTER|DROP|RENAME) ${OPTIONS}(PROCEDURE|FUNCTION|TRIGGER|EVENT|VIEW|USER|ROLE|SERVER|RESOURCE GROUP|TEMPORARY)\\b`,
  'i',
);
const OF_SCHEMA = /^(CREATE|ALTER|DROP) (OR REPLACE )?(DATABASE|SCHEMA)\b/i;
const DDL = /^(CREATE|ALTER|DROP|RENAME|TRUNCATE)\b/i;

export function reachOf(statement: string): StatementReach {
  const plain = withoutComments(statement);
  if (FRAME.test(plain)) return 'NONE';
  if (/^XA\b/i.test(plain)) return 'XA';
  if (HARMLESS.test(plain) || WITHOUT_ROWS.test(plain)) return 'NONE';
  if (OF_SCHEMA.test(plain)) return 'SCHEMA';
  // CREATE TABLE … SELECT is logged with its rows apart, unless the session logs statements: then functions may have run.
  if (DDL.test(plain)) return /\bSELECT\b/i.test(plain) ? 'ALL' : 'NAMED';
  return 'ALL';
}

/** Its first words as far as they are the language's own: names and values stay out. */
export function kindOf(statement: string): string {
  const words = withoutComments(statement)
    .toUpperCase()
    .split(/[^A-Z]+/);
  const end = words.findIndex((word) => !KIND_WORDS.has(word));
  return words.slice(0, end < 0 ? words.length : end).join(' ') || 'a statement of another kind';
}

const KIND_WORDS = new Set(
  (
    'ALTER BEGIN CALL COMMIT CREATE DATA DATABASE DELETE DO DROP EXISTS FROM IF IGNORE INDEX INSERT INTO LOAD NOT OR RENAME REPLACE ' +
    'SCHEMA SELECT SET TABLE TRUNCATE UNIQUE UPDATE WITH'
  ).split(' '),
);

/** What the server runs, in one line: comments at the beginning gone, and those that it runs opened up. */
function withoutComments(statement: string): string {
  const opened = statement.replace(/\/\*M?!\d*([\s\S]*?)\*\//g, ' $1 ');
  return opened
    .replace(/^(\s+|\/\*[\s\S]*?\*\/|(--\s|#)[^\n]*(\n|$))+/, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** True where the statement, run with `query.schema` as the current one, may name this table or schema. */
export function mayName({ schema: current, statement }: QueryBody, schema: string, table?: string): boolean {
  const inSchema = current.toLowerCase() === schema.toLowerCase() || hasWord(statement, schema);
  return inSchema && (table === undefined || hasWord(statement, table));
}

function hasWord(statement: string, name: string): boolean {
  // The statement is in a charset of its own: names beyond ASCII may be spelled in any way.
  if (!isAscii(name)) return !isAscii(statement);
  const escaped = name.replaceAll('`', '``').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\w$])${escaped}(?![\\w$])`, 'i').test(statement);
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}
