/** A rehearsal: a real restore into a scratch schema of the source's own server, checked and dropped. What it proves, and how it says so. */
import type { DamageFinding } from './backup-store';
import type { DataType } from './data-type';
import type { JobId } from './ids';

/**
 * What a verification found wrong. NOT_RESTORED: the restore itself failed, or gave other rows. BROKEN_REFERENCE: rows refer to rows that
 * are not there. BROKEN_INVARIANT: a query that must give no row gave some. UNCHECKED_INVARIANT: the query could not be asked.
 */
export const FINDING_PROBLEMS = [
  'MISSING', 'DAMAGED', 'UNREADABLE', 'UNEXPECTED',
  'NOT_RESTORED', 'BROKEN_REFERENCE', 'BROKEN_INVARIANT', 'UNCHECKED_INVARIANT',
] as const; // prettier-ignore
export type FindingProblem = (typeof FINDING_PROBLEMS)[number];

export interface VerificationFinding extends Omit<DamageFinding, 'problem'> {
  problem: FindingProblem;
  /** How many rows it is about, where that was counted. */
  rowCount?: number;
  /** Keys of the first ones. */
  firstKeys?: string[];
}

/** How much of a backup a rehearsal has proven. */
export interface RehearsalCoverage {
  /** Of which all tables that the backup holds were restored. */
  dataTypes: DataType[];
  tables: number;
  /** Tables that the backup holds. */
  tablesHeld: number;
  rows: number;
  rowsHeld: number;
  /** Foreign keys all of whose rows refer to rows that are there. */
  references: number;
  /** Foreign keys to tables that the backup does not hold, as `table.constraint`: nothing is proven of these. */
  unprovenReferences: string[];
  /** Names of invariants that were asked. */
  invariants: string[];
  /** Of those that were not: the backup lacks one of their tables, or holds one business alone, of which they need not hold. */
  skippedInvariants: string[];
}

/** What was measured and covered once all rows were restored. */
export interface RehearsalProof {
  /** From opening the backup to its rows published and read back; without invariants and dropping. */
  restoreMs: number;
  coverage: RehearsalCoverage;
}

/** How the names of all schemas of one job begin, so that they are found whatever becomes of it; covered by the grants for scratch schemas. */
export function rehearsalPrefix(jobId: JobId): string {
  return `scratch_${jobId.replaceAll('-', '')}_`;
}

const TOKEN_LENGTH = 12;

/** Of one attempt alone: one whose lease was lost may end after its successor began, and drops its own. */
export function rehearsalSchema(jobId: JobId, attempt: string): string {
  return rehearsalPrefix(jobId) + attempt.replaceAll('-', '').slice(0, TOKEN_LENGTH);
}
