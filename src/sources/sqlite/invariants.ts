/**
 * Asks invariants of a scratch schema, by a connection that can only read. A statement runs to its end: there is nobody on this thread to
 * cut it off. Values come as hexadecimal digits, since the driver ends the process on text that is no UTF-8.
 */
import { isAppError } from '../../domain/errors';
import { SHOWN_KEYS, shownKey, type Invariant, type InvariantCheck } from '../../domain/invariant';
import type { SourceFinding } from '../../domain/source';
import { invariantFinding } from '../invariant-finding';
import type { Database } from './database';
import { throwIfAborted } from './errors';

export function checkInvariants(
  database: Database,
  invariants: readonly Invariant[],
  signal?: AbortSignal,
): InvariantCheck[] {
  database.exec('PRAGMA query_only = ON');
  return invariants.map((invariant) => {
    throwIfAborted(signal);
    return checkOne(database, invariant);
  });
}

function checkOne(database: Database, { name, sql }: Invariant): InvariantCheck {
  try {
    const broken = `WITH broken (${columnNames(database, sql)}) AS (${sql})`;
    const rowCount = Number(database.value(`${broken} SELECT count(*) FROM broken`));
    if (rowCount === 0) return { name, verdict: 'HOLDS' };
    const first = database.rows(`${broken} SELECT typeof(c1), hex(c1) FROM broken LIMIT ${SHOWN_KEYS}`);
    return {
      name,
      verdict: 'BROKEN',
      rowCount,
      firstKeys: first.map(([type, hex]) => asText(String(type), String(hex))),
    };
  } catch (error) {
    return { name, verdict: 'UNCHECKED', reason: `the source refuses it: ${refusalOf(error)}` };
  }
}

/** Whether the source understands each as its schema is now; asks none of them. */
export function examineInvariants(database: Database, invariants: readonly Invariant[]): SourceFinding[] {
  return invariants.map(({ name, sql }) => invariantFinding(name, problemOf(database, sql)));
}

function problemOf(database: Database, sql: string): string | null {
  try {
    database.columnCount(sql);
    return null;
  } catch (error) {
    return refusalOf(error);
  }
}

/** The driver's own words for what is wrong with the statement; throws anything else. */
function refusalOf(error: unknown): string {
  if (!isAppError(error) || error.code !== 'SCHEMA_MISMATCH') throw error;
  return (error.cause instanceof Error ? error.cause : error).message;
}

function columnNames(database: Database, sql: string): string {
  return Array.from({ length: database.columnCount(sql) }, (_, index) => `c${index + 1}`).join(', ');
}

function asText(type: string, hex: string): string {
  if (type === 'null') return 'null';
  return shownKey(type === 'blob' ? `0x${hex.toLowerCase()}` : Buffer.from(hex, 'hex').toString('utf8'));
}
