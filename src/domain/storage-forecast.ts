/**
 * How fast backups grow: a line fitted by least squares to the sum of all bytes newly stored so far, over a window of the last 30 days.
 * What deleting frees is left out, so it says when a size is reached if nothing is deleted.
 */

const DAY_MS = 86_400_000;
export const FORECAST_WINDOW_MS = 30 * DAY_MS;
/** Backups are taken together by the hour, so that a fit looks at no more than 720 points. */
export const FORECAST_STEP_MS = 3_600_000;
/** Fewer points, or all within a shorter time, are too little to say anything. */
export const MIN_FORECAST_POINTS = 3;
export const MIN_FORECAST_SPAN_MS = DAY_MS;
/** Dates beyond this one can't be written in four digits. */
const LAST_MOMENT_MS = Date.UTC(9999, 11, 31);

/** Bytes that completed backups newly stored within one hour. */
export interface StoredPoint {
  at: Date;
  storedBytes: number;
}

export interface StorageForecast {
  bytesPerDay: number;
  /** The first and the last hour that it was fitted to. */
  from: Date;
  to: Date;
}

/** Points are in order of time. Null where there are too few. */
export function forecastStorage(points: readonly StoredPoint[]): StorageForecast | null {
  const [from, to] = [points[0]?.at, points.at(-1)?.at];
  if (!from || !to || points.length < MIN_FORECAST_POINTS) return null;
  if (to.getTime() - from.getTime() < MIN_FORECAST_SPAN_MS) return null;
  let total = 0;
  const sums = points.map(({ at, storedBytes }) => ({
    x: (at.getTime() - from.getTime()) / DAY_MS,
    y: (total += storedBytes),
  }));
  return { bytesPerDay: Math.max(slopeOf(sums), 0), from, to };
}

function slopeOf(points: readonly { x: number; y: number }[]): number {
  const mean = { x: average(points.map(({ x }) => x)), y: average(points.map(({ y }) => y)) };
  const covariance = points.reduce((sum, { x, y }) => sum + (x - mean.x) * (y - mean.y), 0);
  return covariance / points.reduce((sum, { x }) => sum + (x - mean.x) ** 2, 0);
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** When `moreBytes` have been added from `now` on: `now` where none are wanted, null where nothing grows or it is ages away. */
export function growthReachedAt({ bytesPerDay }: StorageForecast, moreBytes: number, now: Date): Date | null {
  if (moreBytes <= 0) return now;
  const at = now.getTime() + (moreBytes / bytesPerDay) * DAY_MS;
  return at <= LAST_MOMENT_MS ? new Date(Math.round(at)) : null;
}
