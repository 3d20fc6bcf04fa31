/**
 * Asks invariants of a scratch schema: one session, in a transaction that can only read, whose statements the server itself ends after
 * their time. Rows are counted as they come; of the first ones the first column is kept.
 */
import { isAppError } from '../../domain/errors';
import {
  SHOWN_KEYS,
  shownKey,
  type Invariant,
  type InvariantCheck,
  type InvariantVerdict,
} from '../../domain/invariant';
import type { CheckInvariantsOptions, SourceFinding } from '../../domain/source';
import { invariantFinding } from '../invariant-finding';
import { isStatementTimeout } from './errors';
import { endThreads } from './recover-write';
import { openSession, type ConnectionTarget, type Session } from './session';
import { quoteName, quoteText } from './sql';

export interface MysqlInvariantOptions extends CheckInvariantsOptions {
  limitMs: number;
}

export async function checkInvariants(
  target: ConnectionTarget,
  options: MysqlInvariantOptions,
): Promise<InvariantCheck[]> {
  const session = await openSession(target, { signal: options.signal, noSchema: true });
  try {
    return await checkAll(session, options);
  } finally {
    // A statement goes on when its client has left, and dropping the schema would wait for it.
    if (session.ended) await endOnServer(target, session.threadId);
    else await session.close();
  }
}

async function checkAll(session: Session, options: MysqlInvariantOptions): Promise<InvariantCheck[]> {
  const { statementTimeVariable, statementTimeUnitMs } = session.dialect;
  await session.run(`USE ${quoteName(options.schema)}`);
  await session.run(`SET SESSION ${statementTimeVariable} = ${options.limitMs / statementTimeUnitMs}`);
  await session.run('START TRANSACTION READ ONLY');
  const checks: InvariantCheck[] = [];
  for (const { name, sql } of options.invariants) {
    checks.push({ name, ...(await checkOne(session, sql, options.limitMs)) });
  }
  return checks;
}

async function checkOne(session: Session, sql: string, limitMs: number): Promise<InvariantVerdict> {
  const firstKeys: string[] = [];
  let rowCount = 0;
  try {
    await session.visit(sql, ([first]) => {
      if (++rowCount <= SHOWN_KEYS) firstKeys.push(shownKey(asText(first)));
    });
  } catch (error) {
    if (session.ended) throw error; // because: then nobody can be asked any more
    return { verdict: 'UNCHECKED', reason: reasonOf(error, limitMs) };
  }
  return rowCount === 0 ? { verdict: 'HOLDS' } : { verdict: 'BROKEN', rowCount, firstKeys };
}

function reasonOf(error: unknown, limitMs: number): string {
  if (isStatementTimeout(error)) return `it took longer than ${limitMs / 1000} seconds and was ended`;
  return `the source refuses it: ${answerOf(error)}`;
}

/** The server's own words. */
function answerOf(error: unknown): string {
  return (isAppError(error) && error.cause instanceof Error ? error.cause : (error as Error)).message;
}

function asText(value: unknown): string {
  if (Buffer.isBuffer(value)) return `0x${value.toString('hex')}`;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

/** Whether the source understands each as its schema is now; asks none of them. */
export async function examineInvariants(session: Session, invariants: readonly Invariant[]): Promise<SourceFinding[]> {
  const findings: SourceFinding[] = [];
  for (const { name, sql } of invariants) findings.push(invariantFinding(name, await problemOf(session, sql)));
  return findings;
}

async function problemOf(session: Session, sql: string): Promise<string | null> {
  try {
    await session.run(`PREPARE riskvault_invariant FROM ${quoteText(sql)}`);
    await session.run('DEALLOCATE PREPARE riskvault_invariant');
    return null;
  } catch (error) {
    if (session.ended) throw error;
    return answerOf(error);
  }
}

async function endOnServer(target: ConnectionTarget, threadId: number): Promise<void> {
  const cleaner = await openSession(target, { noSchema: true });
  try {
    await endThreads(cleaner, [threadId]);
  } finally {
    await cleaner.close();
  }
}
