/**
 * Retention: which backups a policy keeps, and why. A pure function of the backups, the policy and the time; it deletes nothing.
 *
 * - A rule keeps, none expires: a backup goes when no rule keeps it. More rules, or larger numbers, never keep less.
 * - Backups are judged series by series (what `series` says is comparable), newest first by the moment they show.
 * - keepHourly to keepYearly keep the newest backup of each of the newest so many hours, days, ISO weeks, months, years of the time zone
 *   that have one. Where there are fewer than asked for, the oldest backup is kept too: it stands for the time before.
 * - keepLast keeps the newest so many. keepWithin keeps what is at most so old as seen from the newest backup of its series, not from
 *   now, so that nothing goes only because no backups are being made; days counts from now.
 * - The newest backup of a series always stays, whatever the rules.
 * - A legal hold keeps. So does a backup's own `expiresAt` while it is ahead: it was promised. One that has passed makes the backup
 *   go, and it does not count for any rule, on hold or not: what is about to be deleted must not push out what stays.
 * - Only completed backups are judged; others neither count nor are told.
 * - A policy without any rule keeps everything that has not expired by itself.
 */
import type { BackupStatus, BackupType } from './backup';
import { formatDuration } from './duration';
import type { BackupId } from './ids';
import { bucketNamer, BUCKETS, type Bucket } from './retention-buckets';

/** A count that is absent is no rule; one that is there is at least 1. */
export interface RetentionPolicy {
  days?: number;
  keepLast?: number;
  keepHourly?: number;
  keepDaily?: number;
  keepWeekly?: number;
  keepMonthly?: number;
  keepYearly?: number;
  keepWithinMs?: number;
}

export interface RetainedBackup {
  id: BackupId;
  /** Backups that can stand for each other; see `seriesOf`. */
  series: string;
  type: BackupType;
  status: BackupStatus;
  /** The moment that it shows; null: that of its creation. */
  readAt: Date | null;
  createdAt: Date;
  expiresAt: Date | null;
  onHold: boolean;
}

export interface RetentionVerdict<Backup extends RetainedBackup = RetainedBackup> {
  backup: Backup;
  keep: boolean;
  /** At least one. */
  reasons: string[];
}

export interface RetentionOptions {
  now: Date;
  /** IANA name; default UTC. */
  timeZone?: string;
}

const DAY_MS = 86_400_000;
const LEGAL_HOLD = 'legal hold';
const COUNTS: Record<Bucket, 'keepHourly' | 'keepDaily' | 'keepWeekly' | 'keepMonthly' | 'keepYearly'> = {
  hourly: 'keepHourly',
  daily: 'keepDaily',
  weekly: 'keepWeekly',
  monthly: 'keepMonthly',
  yearly: 'keepYearly',
};

/** Backups of the same rows of the same source; full and incremental ones alike, since each stands alone. */
export function seriesOf(backup: {
  source: string;
  type: BackupType;
  dataTypes: readonly string[];
  businessId: string | null;
}): string {
  const { source, type, dataTypes, businessId } = backup;
  return JSON.stringify([source, type === 'SYSTEM', [...dataTypes].sort(), businessId]);
}

/** A verdict for each completed backup, newest first by the moment shown; the same for any order of `backups`. */
export function applyRetention<Backup extends RetainedBackup>(
  policy: RetentionPolicy,
  backups: readonly Backup[],
  { now, timeZone = 'UTC' }: RetentionOptions,
): RetentionVerdict<Backup>[] {
  const nameBucket = bucketNamer(timeZone);
  const verdicts: RetentionVerdict<Backup>[] = [];
  for (const series of bySeries(backups)) verdicts.push(...new SeriesJudge(policy, { now, nameBucket }).judge(series));
  return verdicts.sort((left, right) => newestFirst(left.backup, right.backup));
}

function bySeries<Backup extends RetainedBackup>(backups: readonly Backup[]): Backup[][] {
  const found = new Map<string, Backup[]>();
  for (const backup of backups) {
    if (backup.status !== 'COMPLETED' && backup.status !== 'EXPIRED') continue;
    const series = found.get(backup.series);
    if (series) series.push(backup);
    else found.set(backup.series, [backup]);
  }
  return [...found.values()];
}

function shownAt({ readAt, createdAt }: RetainedBackup): number {
  return (readAt ?? createdAt).getTime();
}

function newestFirst(left: RetainedBackup, right: RetainedBackup): number {
  const order = shownAt(right) - shownAt(left) || right.createdAt.getTime() - left.createdAt.getTime();
  return order || (left.id < right.id ? -1 : 1);
}

interface JudgeOptions {
  now: Date;
  nameBucket: (bucket: Bucket, ms: number) => string;
}

/** The rules over one series, which is walked once, newest first. */
class SeriesJudge {
  private readonly left: Record<Bucket, number>;
  private readonly lastName: Partial<Record<Bucket, string>> = {};
  private lastLeft: number;
  private readonly isEmpty: boolean;

  constructor(
    private readonly policy: RetentionPolicy,
    private readonly options: JudgeOptions,
  ) {
    this.left = Object.fromEntries(BUCKETS.map((bucket) => [bucket, policy[COUNTS[bucket]] ?? 0])) as never;
    this.lastLeft = policy.keepLast ?? 0;
    this.isEmpty = Object.values(policy).every((value) => value === undefined);
  }

  judge<Backup extends RetainedBackup>(series: readonly Backup[]): RetentionVerdict<Backup>[] {
    const sorted = [...series].sort(newestFirst);
    const counted = sorted.filter((backup) => !this.isPast(backup));
    const kept = new Map(counted.map((backup, index) => [backup.id, this.reasonsOf(backup, { counted, index })]));
    return sorted.map((backup) => this.verdict(backup, kept.get(backup.id)));
  }

  private isPast({ expiresAt }: RetainedBackup): boolean {
    return expiresAt !== null && expiresAt.getTime() <= this.options.now.getTime();
  }

  private verdict<Backup extends RetainedBackup>(
    backup: Backup,
    reasons: string[] | undefined,
  ): RetentionVerdict<Backup> {
    if (!reasons && backup.onHold) return { backup, keep: true, reasons: [LEGAL_HOLD] };
    if (!reasons) return { backup, keep: false, reasons: [`expired since ${String(backup.expiresAt?.toISOString())}`] };
    if (reasons.length === 0) return { backup, keep: false, reasons: ['no rule keeps it'] };
    return { backup, keep: true, reasons };
  }

  private reasonsOf(
    backup: RetainedBackup,
    { counted, index }: { counted: readonly RetainedBackup[]; index: number },
  ): string[] {
    const newest = counted[0] as RetainedBackup;
    const { expiresAt, onHold } = backup;
    const own = expiresAt && !this.isPast(backup) ? [`not expired until ${expiresAt.toISOString()}`] : [];
    return [
      ...(onHold ? [LEGAL_HOLD] : []),
      ...own,
      ...(this.isEmpty ? ['the policy has no rule'] : []),
      ...(index === 0 ? ['newest'] : []),
      ...this.byAge(backup, newest),
      ...BUCKETS.flatMap((bucket) => this.byBucket(bucket, { backup, isOldest: index === counted.length - 1 })),
    ];
  }

  private byAge(backup: RetainedBackup, newest: RetainedBackup): string[] {
    const { days, keepLast, keepWithinMs } = this.policy;
    const reasons: string[] = [];
    if (this.lastLeft-- > 0) reasons.push(`last ${keepLast}`);
    if (keepWithinMs !== undefined && shownAt(newest) - shownAt(backup) <= keepWithinMs) {
      reasons.push(`within ${formatDuration(keepWithinMs)}`);
    }
    if (days !== undefined && this.options.now.getTime() - shownAt(backup) < days * DAY_MS) {
      reasons.push(`younger than ${days} days`);
    }
    return reasons;
  }

  private byBucket(bucket: Bucket, { backup, isOldest }: { backup: RetainedBackup; isOldest: boolean }): string[] {
    if (this.left[bucket] <= 0) return [];
    const name = this.options.nameBucket(bucket, shownAt(backup));
    const isNew = this.lastName[bucket] !== name;
    if (!isNew && !isOldest) return [];
    this.lastName[bucket] = name;
    this.left[bucket]--;
    return [isNew ? `${bucket} ${name}` : `oldest for ${bucket}`];
  }
}
