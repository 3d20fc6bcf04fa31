/** What a retention policy would do to the backups there are. It only tells; nothing is deleted. */
import type { BackupFilter, Catalog } from '../catalog/catalog';
import type { Clock } from '../domain/ambient';
import { MAX_RETENTION_DAYS } from '../domain/backup';
import { parseDurationMs } from '../domain/duration';
import { AppError } from '../domain/errors';
import type { BackupId } from '../domain/ids';
import { applyRetention, type RetentionPolicy, type RetentionVerdict } from '../domain/retention';
import { isTimeZone } from '../domain/retention-buckets';
import { authorize } from './authorize';
import { InputProblems } from './input-problems';
import type { Given } from './input-rules';
import type { FreedBytes, RepositoryPort } from './ports';
import type { Principal } from './principal';
import { oneAfterAnother } from './questions';

export interface RetentionPolicyInput {
  days?: Given<number>;
  keepLast?: Given<number>;
  keepHourly?: Given<number>;
  keepDaily?: Given<number>;
  keepWeekly?: Given<number>;
  keepMonthly?: Given<number>;
  keepYearly?: Given<number>;
  /** ISO 8601. */
  keepWithin?: Given<string>;
}

export interface PreviewRequest {
  policy: RetentionPolicyInput;
  filter?: BackupFilter;
  timeZone: string;
  /** As if no backup had an expiry of its own. */
  ignoreExpiry: boolean;
}

export interface RetentionService {
  /** Newest first. INVALID_INPUT for a policy without a rule, one of numbers out of range, or more than MAX_JUDGED backups. */
  preview(principal: Principal, request: PreviewRequest): Promise<RetentionVerdict[]>;
  /** REPOSITORY_UNAVAILABLE where it takes longer than MAX_RECKONING_MS; or the signal aborted. */
  freedBy(principal: Principal, backupIds: readonly BackupId[], signal: AbortSignal): Promise<FreedBytes>;
}

export interface RetentionDependencies {
  catalog: Pick<Catalog, 'backups'>;
  repository: Pick<RepositoryPort, 'freedBy'>;
  clock: Clock;
}

/** As many as are judged within a blink on the event loop. */
export const MAX_JUDGED = 10_000;
export const MAX_RECKONING_MS = 60_000;
const MAX_COUNT = 100_000;
const DAY_MS = 86_400_000;
const COUNTS = ['keepLast', 'keepHourly', 'keepDaily', 'keepWeekly', 'keepMonthly', 'keepYearly'] as const;

export function createRetentionService({ catalog, repository, clock }: RetentionDependencies): RetentionService {
  const ask = oneAfterAnother({
    clock,
    maxMs: MAX_RECKONING_MS,
    maxOpen: Infinity,
    what: 'Reckoning what would be freed',
    hint: 'Ask again when fewer jobs run, or without freedBytes and deadBytes.',
  });
  return {
    async preview(principal, { policy, filter, timeZone, ignoreExpiry }) {
      authorize(principal, 'backup:read');
      const rules = checkPolicy(policy, timeZone);
      const backups = await catalog.backups.listRetained({ filter, limit: MAX_JUDGED + 1 });
      if (backups.length > MAX_JUDGED) throw tooMany();
      const judged = ignoreExpiry ? backups.map((backup) => ({ ...backup, expiresAt: null })) : backups;
      return applyRetention(rules, judged, { now: clock.now(), timeZone });
    },
    async freedBy(principal, backupIds, signal) {
      authorize(principal, 'backup:read');
      authorize(principal, 'repository:read');
      return ask(signal, (bounded) => repository.freedBy(backupIds, bounded));
    },
  };
}

function checkPolicy(input: RetentionPolicyInput, timeZone: string): RetentionPolicy {
  const problems = new InputProblems([]);
  const policy: RetentionPolicy = {};
  checkCount(input, { field: 'days', max: MAX_RETENTION_DAYS }, { policy, problems });
  for (const field of COUNTS) checkCount(input, { field, max: MAX_COUNT }, { policy, problems });
  checkWithin(input.keepWithin, { policy, problems });
  if (Object.values(input).every((value) => value === null || value === undefined)) {
    problems.add('policy', 'The policy has no rule.', 'Give at least one, such as keepDaily.');
  }
  if (!isTimeZone(timeZone)) {
    problems.add('timeZone', 'timeZone is no time zone.', 'Give an IANA name, such as Europe/Berlin.');
  }
  problems.throwIfAny();
  return policy;
}

interface Checked {
  policy: RetentionPolicy;
  problems: InputProblems;
}

function checkCount(
  input: RetentionPolicyInput,
  { field, max }: { field: 'days' | (typeof COUNTS)[number]; max: number },
  { policy, problems }: Checked,
): void {
  const value = input[field];
  if (value === null || value === undefined) return;
  if (value >= 1 && value <= max) policy[field] = value;
  else problems.add(`policy.${field}`, `${field} ${value} is out of range.`, `Give 1 to ${max}, or leave it out.`);
}

function checkWithin(keepWithin: Given<string>, { policy, problems }: Checked): void {
  if (keepWithin === null || keepWithin === undefined) return;
  const ms = parseDurationMs(keepWithin);
  if (ms !== null && ms > 0 && ms <= MAX_RETENTION_DAYS * DAY_MS) policy.keepWithinMs = ms;
  else {
    const hint = `Give an ISO 8601 duration of up to P${MAX_RETENTION_DAYS}D, such as P7D.`;
    problems.add('policy.keepWithin', 'keepWithin is no duration, or out of range.', hint);
  }
}

function tooMany(): AppError {
  return new AppError('INVALID_INPUT', `More than ${MAX_JUDGED} backups would have to be judged.`, {
    hint: 'Narrow it by a filter, such as one source or one type.',
    path: ['filter'],
  });
}
