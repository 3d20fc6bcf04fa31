/** JSON text as the value that it stands for, where that loses nothing. */
import type { JsonValue } from '../domain/values';
import { compareDecimals, parseDecimal } from './exact-decimal';

/**
 * Null where parsing would lose something: a number that JavaScript rounds, a member's name given twice, text that is no JSON; and for the
 * literal `null`, which could not be told from NULL. White space and the order of members do not count.
 */
export function parseExactJson(text: string): JsonValue {
  const value = tryParse(text);
  if (value === undefined || value === null) return null;
  const counts = { members: 0, exact: true };
  for (const [token] of text.matchAll(TOKEN)) count(token, counts);
  return counts.exact && counts.members === membersOf(value) ? value : null;
}

/** A string, one with the colon after it first; a number. By steps: a string of megabytes overflows a pattern with a choice in a loop. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(?:\s*:)?|-?\d[-+.\deE]*/g;

function count(token: string, counts: { members: number; exact: boolean }): void {
  if (token.endsWith(':')) counts.members++;
  else if (!token.startsWith('"') && !isExact(token)) counts.exact = false;
}

function isExact(number: string): boolean {
  const value = Number(number);
  if (!Number.isFinite(value) || Object.is(value, -0)) return false;
  const [written, read] = [parseDecimal(number), parseDecimal(String(value))];
  return written !== null && read !== null && compareDecimals(written, read) === 0;
}

function tryParse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined; // because: what is no JSON is shown as the text that it is
  }
}

/** Names of members, at all levels; by hand, since what is nested deep overflows recursion. */
function membersOf(value: JsonValue): number {
  let members = 0;
  const open: JsonValue[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    const inner = Array.isArray(next) ? next : Object.values(next);
    if (!Array.isArray(next)) members += inner.length;
    for (const item of inner) open.push(item);
  }
  return members;
}
