/** The sums that statistics show of what is stored: what they are of, and what they are of nothing. */
import fc from 'fast-check';
import { forecastStorage, growthReachedAt, type StoredPoint } from '../../../src/domain/storage-forecast';
import { storageRatios } from '../../../src/domain/storage-ratios';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 10, 1);
const at = (days: number): Date => new Date(START_MS + days * DAY_MS);
const point = (days: number, storedBytes: number): StoredPoint => ({ at: at(days), storedBytes });

describe('a forecast', () => {
  it('is the growth of backups that store the same each day, however large the first was', () => {
    const points = [point(0, 1_000_000), point(1, 100), point(2, 100), point(3, 100), point(4, 100)];
    const forecast = forecastStorage(points);
    expect(forecast).toMatchObject({ from: at(0), to: at(4) });
    expect(forecast?.bytesPerDay).toBeCloseTo(100);
  });

  it('fits a line by least squares', () => {
    // sums 0, 10, 40 on days 0, 1, 2: the slope is (-1 * 0 + 0 * 10 + 1 * 40) / 2
    expect(forecastStorage([point(0, 0), point(1, 10), point(2, 30)])?.bytesPerDay).toBeCloseTo(20);
  });

  it('never falls, whatever was stored when', () => {
    const history = fc.array(fc.tuple(fc.integer({ min: 1, max: 48 }), fc.nat(1e12)), { minLength: 3, maxLength: 60 });
    fc.assert(
      fc.property(history, (steps) => {
        let hours = 0;
        const points = steps.map(([gap, bytes]) => point((hours += gap) / 24, bytes));
        const forecast = forecastStorage(points);
        if (forecast !== null) expect(forecast.bytesPerDay).toBeGreaterThanOrEqual(0);
        const span = (points.at(-1)!.at.getTime() - points[0]!.at.getTime()) / DAY_MS;
        expect(forecast === null).toBe(span < 1);
      }),
    );
  });

  it.each([
    ['nothing', []],
    ['two points', [point(0, 5), point(9, 5)]],
    ['less than a day', [point(0, 5), point(0.5, 5), point(0.99, 5)]],
  ])('is none of %s', (_, points) => expect(forecastStorage(points)).toBeNull());

  it('says when a size is reached: now where it is, never where nothing grows', () => {
    const growing = { bytesPerDay: 100, from: at(0), to: at(4) };
    expect(growthReachedAt(growing, 250, at(5))).toEqual(at(7.5));
    expect(growthReachedAt(growing, 0, at(5))).toEqual(at(5));
    expect(growthReachedAt(growing, -1, at(5))).toEqual(at(5));
    expect(growthReachedAt(growing, 1e40, at(5))).toBeNull();
    expect(growthReachedAt({ ...growing, bytesPerDay: 0 }, 1, at(5))).toBeNull();
  });
});

describe('the ratios of what was stored', () => {
  it.each([
    ['nothing', [0, 0, 0, 0], [1, 1]],
    ['a first backup, half as large compressed', [1000, 1000, 500, 1000], [1, 2]],
    ['two equal ones', [2000, 1000, 500, 1000], [2, 2]],
    ['ten that changed little', [10_000, 1090, 550, 1000], [10_000 / 1090, 1090 / 550]],
    ['nine of them, the first being deleted', [9000, 90, 50, 1000], [9, 1.8]],
    ['one that stored nothing new', [1000, 0, 0, 1000], [1, 1]],
    ['one that stored only what belongs to a pack', [1000, 0, 80, 1000], [1, 1]],
    ['few rows in a pack that costs more than they', [10, 10, 100, 10], [1, 0.1]],
  ])('of %s', (_, sums, [deduplicationRatio, compressionRatio]) => {
    const [raw, newRaw, stored, largest] = sums as [number, number, number, number];
    const ratios = { rawBytes: raw, newRawBytes: newRaw, storedBytes: stored, largestRawBytes: largest };
    expect(storageRatios(ratios)).toEqual({ deduplicationRatio, compressionRatio });
  });
});
