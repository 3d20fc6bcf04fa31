/**
 * Takes a CREATE TABLE statement, as the server prints it, apart into its definitions, and puts one together again without
 * secondary indexes and foreign keys: those come after the rows. Pure. Text in quotes is never looked into.
 */
import { AppError } from '../../domain/errors';
import { quoteName } from './sql';

export type DefinitionKind = 'COLUMN' | 'PRIMARY_KEY' | 'INDEX' | 'FOREIGN_KEY' | 'CHECK' | 'OTHER';

export interface Definition {
  kind: DefinitionKind;
  /** Name of the index or constraint; of the column for a column. Empty for a primary key. */
  name: string;
  text: string;
}

export interface CreateTable {
  definitions: Definition[];
  /** What follows the closing parenthesis: engine, charset, partitions. */
  options: string;
}

export function parseCreateTable(statement: string): CreateTable {
  const open = indexOutsideQuotes(statement, '(', 0);
  if (open < 0) throw notUnderstood();
  const definitions: Definition[] = [];
  let depth = 1;
  let start = open + 1;
  for (let at = start; at < statement.length; at = afterToken(statement, at)) {
    const character = statement[at];
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (depth === 0 || (depth === 1 && character === ',')) {
      definitions.push(classify(statement.slice(start, at).trim()));
      start = at + 1;
    }
    if (depth === 0) return { definitions, options: statement.slice(at + 1).trim() };
  }
  throw notUnderstood();
}

function notUnderstood(): AppError {
  return new AppError('SCHEMA_MISMATCH', 'A stored CREATE TABLE statement could not be understood.');
}

function indexOutsideQuotes(text: string, wanted: string, from: number): number {
  for (let at = from; at < text.length; at = afterToken(text, at)) if (text[at] === wanted) return at;
  return -1;
}

/** The offset after the character at `at`, or after the whole quoted text or comment that begins there. */
function afterToken(text: string, at: number): number {
  const quote = text[at] as string;
  if (quote !== "'" && quote !== '"' && quote !== '`') return at + 1;
  for (let next = at + 1; next < text.length; next++) {
    if (text[next] === '\\' && quote !== '`') next += 1;
    else if (text[next] === quote && text[next + 1] === quote) next += 1;
    else if (text[next] === quote) return next + 1;
  }
  return text.length;
}

const NAME = '`((?:[^`]|``)*)`';
const KINDS: readonly [DefinitionKind, RegExp][] = [
  ['COLUMN', new RegExp(`^${NAME}\\s`)],
  ['PRIMARY_KEY', /^PRIMARY KEY/],
  ['INDEX', new RegExp(`^(?:UNIQUE |FULLTEXT |SPATIAL |VECTOR )?(?:KEY|INDEX) ${NAME}`)],
  ['FOREIGN_KEY', new RegExp(`^CONSTRAINT ${NAME} FOREIGN KEY`)],
  ['CHECK', new RegExp(`^(?:CONSTRAINT ${NAME} )?CHECK`)],
];

function classify(text: string): Definition {
  for (const [kind, pattern] of KINDS) {
    const match = pattern.exec(text);
    if (match) return { kind, name: (match[1] ?? '').replaceAll('``', '`'), text };
  }
  return { kind: 'OTHER', name: '', text };
}

/** The statement under another name, with only the definitions that `keep` takes. `name` is quoted already. */
export function buildCreateTable(name: string, table: CreateTable, keep: (definition: Definition) => boolean): string {
  const lines = table.definitions.filter(keep).map(({ text }) => `  ${text}`);
  return `CREATE TABLE ${name} (\n${lines.join(',\n')}\n) ${table.options}`;
}

/**
 * Names of the indexes that the table must have from the start: what identifies its rows where that is no primary key, and
 * what numbers its AUTO_INCREMENT column.
 */
export function indexesFromStart(table: CreateTable, key: readonly string[], keyIsPrimary: boolean): Set<string> {
  const names = new Set<string>();
  const indexes = table.definitions.filter(({ kind }) => kind === 'INDEX');
  const startsWith = (text: string, columns: readonly string[]): boolean =>
    text.slice(text.indexOf('(')).startsWith(`(${columns.map(quoteName).join(',')}`);
  if (!keyIsPrimary) {
    const match = indexes.find(({ text }) => text.startsWith('UNIQUE') && startsWith(text, key));
    if (match) names.add(match.name);
  }
  const numbered = table.definitions.find(({ kind, text }) => kind === 'COLUMN' && isAutoIncrement(text));
  const primary = table.definitions.find(({ kind }) => kind === 'PRIMARY_KEY');
  if (numbered && !(primary && startsWith(primary.text, [numbered.name]))) {
    const match = indexes.find(({ text }) => startsWith(text, [numbered.name]));
    if (match) names.add(match.name);
  }
  return names;
}

function isAutoIncrement(text: string): boolean {
  return /\bAUTO_INCREMENT\b/.test(text.replace(/'(?:[^'\\]|''|\\.)*'|`(?:[^`]|``)*`/g, ''));
}
