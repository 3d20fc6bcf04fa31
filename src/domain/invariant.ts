/**
 * Invariants: what a platform promises of its rows, each a query that must give no row. A rehearsal asks them of the restored copy; they
 * may do nothing but read. What stands here is the same for every kind of source.
 */

export interface Invariant {
  name: string;
  /** One SELECT, without a comment. Its first column says which rows break the promise: best their key. */
  sql: string;
  /** Tables that must have been restored for it to mean anything. */
  tables: readonly string[];
  /** It holds of the rows of any one business too, so that backups of one are asked. Absent: it may count on the rows of all. */
  perBusiness?: true;
}

/** UNCHECKED: the source refused the statement, or ended it after its time. */
export type InvariantVerdict =
  | { verdict: 'HOLDS' }
  | { verdict: 'BROKEN'; rowCount: number; firstKeys: string[] }
  | { verdict: 'UNCHECKED'; reason: string };
export type InvariantCheck = { name: string } & InvariantVerdict;

/** How many of the rows that break a rule are named, by their keys alone: verdicts are kept, shown and logged, records are not theirs. */
export const SHOWN_KEYS = 3;
/** A longer key is cut. */
export const MAX_SHOWN_LENGTH = 80;

/** Literals and quoted names. A backslash means something in some databases only, so none may be in one. */
const QUOTED = /'(?:[^'\\]|'')*'|"(?:[^"\\]|"")*"|`(?:[^`\\]|``)*`/g;
const COMMENT = /--|#|\/\*/;
/** Quoted text and names, words, and whatever else stands alone. */
const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|[\p{L}\p{N}_$]+|\S/gu;
const NAME = /^(?!\d+$)[\p{L}\p{N}_$"`[]/u;
/** Words by which a statement that begins as a query writes or locks. */
const FORBIDDEN = /\b(INTO|INSERT|UPDATE|DELETE|LOCK\s+IN|FOR\s+SHARE)\b/i;

/** Why the statement is refused, as the end of a sentence; null where it is a single query. Refuses rather too much. */
export function invariantProblem(sql: string): string | null {
  const bare = sql.replace(QUOTED, ' x ');
  if (/['"`\\]/.test(bare) || bare.includes('\0')) return 'it holds a quote that is not closed, or a backslash';
  if (COMMENT.test(bare)) return 'it holds a comment';
  if (bare.includes(';')) return 'it holds more than one statement';
  if (!/^\s*(SELECT|WITH)\b/i.test(bare)) return 'it does not begin with SELECT or WITH';
  const forbidden = FORBIDDEN.exec(bare)?.[0];
  if (forbidden !== undefined) return `it holds ${forbidden.toUpperCase()}, by which queries write or lock`;
  const schema = qualifierFromOutside(sql);
  return schema === null ? null : `it asks ${schema}, which is neither a table nor an alias in it, and so a schema`;
}

/** What stands before a dot is a table or an alias, and so stands by itself somewhere too: else it would ask rows that were not restored. */
function qualifierFromOutside(sql: string): string | null {
  const tokens = sql.match(TOKEN) ?? [];
  const ofItself = new Set(tokens.filter((_, at) => tokens[at - 1] !== '.' && tokens[at + 1] !== '.').map(bareName));
  const qualifiers = tokens.filter((token, at) => tokens[at - 1] !== '.' && tokens[at + 1] === '.' && NAME.test(token));
  return qualifiers.find((token) => !ofItself.has(bareName(token))) ?? null;
}

function bareName(token: string): string {
  return token.replace(/^["`[]|["`\]]$/g, '').toLowerCase();
}

/** As it is kept: without space around it and without the semicolon at its end. */
export function trimInvariant(sql: string): string {
  return sql.trim().replace(/\s*;$/, '');
}

export function shownKey(text: string): string {
  return text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH)}...` : text;
}

/** How long an invariant may run where no setting says, ms. */
export const DEFAULT_INVARIANT_LIMIT_MS = 300_000;
