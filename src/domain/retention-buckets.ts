/** Names of the hours, days, ISO weeks, months and years of a time zone, as retention counts them. */

export const BUCKETS = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type Bucket = (typeof BUCKETS)[number];

const DAY_MS = 86_400_000;

interface LocalTime {
  year: string;
  month: string;
  day: string;
  hour: string;
  /** `+02:00`: tells an hour from the one of the same name when clocks are set back. */
  offset: string;
}

/** True for an IANA name of a time zone, such as Europe/Berlin, that this program knows. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false; // because: that is how an unknown name shows
  }
}

/** Gives the name of the bucket that a moment (ms since the epoch) falls into, e.g. `2026-11-25` for daily. */
export function bucketNamer(timeZone: string): (bucket: Bucket, ms: number) => string {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', timeZoneName: 'longOffset',
  }); // prettier-ignore
  let last: { ms: number; time: LocalTime } | undefined;
  return (bucket, ms) => {
    if (last?.ms !== ms) last = { ms, time: localTime(format, ms) }; // five rules ask for the same moment
    return NAME[bucket](last.time);
  };
}

function localTime(format: Intl.DateTimeFormat, ms: number): LocalTime {
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  const get = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
  return {
    year: get('year').padStart(4, '0'),
    month: get('month'),
    day: get('day'),
    hour: get('hour'),
    offset: get('timeZoneName').slice('GMT'.length) || '+00:00',
  };
}

const NAME: Record<Bucket, (time: LocalTime) => string> = {
  hourly: ({ year, month, day, hour, offset }) => `${year}-${month}-${day}T${hour}${offset}`,
  daily: ({ year, month, day }) => `${year}-${month}-${day}`,
  weekly: isoWeek,
  monthly: ({ year, month }) => `${year}-${month}`,
  yearly: ({ year }) => year,
};

/** ISO 8601: weeks begin on Monday and belong to the year of their Thursday. */
function isoWeek({ year, month, day }: LocalTime): string {
  const at = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const weekday = (new Date(at).getUTCDay() + 6) % 7;
  const thursday = at + (3 - weekday) * DAY_MS;
  const weekYear = new Date(thursday).getUTCFullYear();
  const week = 1 + Math.floor((thursday - Date.UTC(weekYear, 0, 1)) / (7 * DAY_MS));
  return `${weekYear}-W${String(week).padStart(2, '0')}`;
}
