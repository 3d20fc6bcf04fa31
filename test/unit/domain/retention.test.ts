/** Retention: which backups stay and why, at the borders of years, weeks and daylight saving, and what holds for every policy. */
import fc from 'fast-check';
import type { BackupId } from '../../../src/domain/ids';
import {
  applyRetention, seriesOf, type RetainedBackup, type RetentionPolicy, type RetentionVerdict,
} from '../../../src/domain/retention'; // prettier-ignore
import { isTimeZone } from '../../../src/domain/retention-buckets';

const NOW = new Date('2026-11-25T12:00:00Z');
const DAY_MS = 86_400_000;

function backup(shown: string, more: Partial<RetainedBackup> = {}): RetainedBackup {
  const at = new Date(shown);
  const id = (more.id ?? shown) as BackupId;
  return { id, series: 's', type: 'FULL', status: 'COMPLETED', readAt: at, createdAt: at, expiresAt: null, onHold: false, ...more }; // prettier-ignore
}

const reasons = (verdicts: RetentionVerdict[]): Record<string, string[]> =>
  Object.fromEntries(verdicts.map(({ backup: { id }, reasons: why }) => [id, why]));
const kept = (verdicts: RetentionVerdict[]): string[] =>
  verdicts.filter(({ keep }) => keep).map(({ backup: { id } }) => id);
const apply = (policy: RetentionPolicy, shown: (string | RetainedBackup)[], timeZone?: string): RetentionVerdict[] =>
  applyRetention(policy, shown.map((one) => (typeof one === 'string' ? backup(one) : one)), { now: NOW, timeZone }); // prettier-ignore

describe('each rule', () => {
  const week = ['19', '20', '21', '22', '23', '24', '25'].flatMap((day) => [
    `2026-11-${day}T01:00Z`,
    `2026-11-${day}T11:00Z`,
  ]);

  test('keepLast counts backups', () => {
    const verdicts = apply({ keepLast: 3 }, week);
    expect(kept(verdicts)).toEqual(['2026-11-25T11:00Z', '2026-11-25T01:00Z', '2026-11-24T11:00Z']);
    expect(verdicts[0]?.reasons).toEqual(['newest', 'last 3']);
    expect(verdicts[3]).toMatchObject({ keep: false, reasons: ['no rule keeps it'] });
  });

  test('keepDaily keeps the newest of each day that has one, and counts no day without', () => {
    const verdicts = apply({ keepDaily: 3 }, week.filter((shown) => !shown.includes('11-24'))); // prettier-ignore
    expect(kept(verdicts)).toEqual(['2026-11-25T11:00Z', '2026-11-23T11:00Z', '2026-11-22T11:00Z']);
    expect(reasons(verdicts)['2026-11-23T11:00Z']).toEqual(['daily 2026-11-23']);
  });

  test('where there are fewer buckets than asked for, the oldest stays too', () => {
    const verdicts = apply({ keepMonthly: 2 }, week);
    expect(reasons(verdicts)).toMatchObject({
      '2026-11-25T11:00Z': ['newest', 'monthly 2026-11'],
      '2026-11-19T01:00Z': ['oldest for monthly'],
    });
    expect(kept(verdicts)).toHaveLength(2);
    expect(kept(apply({ keepMonthly: 1 }, week))).toHaveLength(1);
  });

  test('keepWithin looks from the newest backup, days from now', () => {
    const old = ['2026-10-01T00:00Z', '2026-10-03T00:00Z', '2026-10-08T00:00Z'];
    expect(kept(apply({ keepWithinMs: 5 * DAY_MS }, old))).toEqual(['2026-10-08T00:00Z', '2026-10-03T00:00Z']);
    expect(reasons(apply({ keepWithinMs: 7 * DAY_MS }, old))['2026-10-01T00:00Z']).toEqual(['within P7D']);
    const byDays = apply({ days: 3 }, [...old, '2026-11-22T12:00:00Z', '2026-11-22T12:00:01Z', '2026-11-25T00:00Z']);
    expect(kept(byDays)).toEqual(['2026-11-25T00:00Z', '2026-11-22T12:00:01Z']);
    expect(reasons(byDays)['2026-11-22T12:00:01Z']).toEqual(['younger than 3 days']);
  });

  test('the newest stays whatever the rules; a policy without any keeps all', () => {
    expect(kept(apply({ days: 1 }, ['2020-01-01T00:00Z', '2020-01-02T00:00Z']))).toEqual(['2020-01-02T00:00Z']);
    expect(reasons(apply({}, ['2020-01-01T00:00Z', '2020-01-02T00:00Z']))['2020-01-01T00:00Z']).toEqual([
      'the policy has no rule',
    ]);
  });

  test('several rules give several reasons', () => {
    const verdicts = apply({ keepLast: 1, keepHourly: 1, keepDaily: 1, keepWeekly: 1, keepMonthly: 1, keepYearly: 1 }, [
      '2026-11-25T11:00Z',
    ]);
    expect(verdicts[0]?.reasons).toEqual([
      'newest', 'last 1', 'hourly 2026-11-25T11+00:00', 'daily 2026-11-25', 'weekly 2026-W48', 'monthly 2026-11', 'yearly 2026',
    ]); // prettier-ignore
  });
});

describe('borders', () => {
  test.each([
    ['2026-12-31T12:00Z', 'weekly 2026-W53'],
    ['2027-01-03T23:59Z', 'weekly 2026-W53'], // a Sunday
    ['2027-01-04T00:00Z', 'weekly 2027-W01'], // a Monday
    ['2024-12-30T00:00Z', 'weekly 2025-W01'],
    ['2022-01-01T00:00Z', 'weekly 2021-W52'],
    ['2020-12-31T00:00Z', 'weekly 2020-W53'],
  ])('%s is in the ISO week %s', (shown, reason) => {
    expect(apply({ keepWeekly: 1 }, [shown])[0]?.reasons).toContain(reason);
  });

  test('a day, a month and a year begin where the time zone says', () => {
    const shown = ['2026-12-31T22:30Z', '2026-12-31T23:30Z'];
    expect(kept(apply({ keepYearly: 5 }, shown, 'UTC'))).toHaveLength(2); // one year, and the oldest
    expect(reasons(apply({ keepYearly: 2 }, shown, 'Europe/Berlin'))).toMatchObject({
      '2026-12-31T22:30Z': ['yearly 2026'],
      '2026-12-31T23:30Z': ['newest', 'yearly 2027'],
    });
    expect(reasons(apply({ keepDaily: 1 }, shown, 'Pacific/Kiritimati'))['2026-12-31T23:30Z']).toEqual([
      'newest',
      'daily 2027-01-01',
    ]);
  });

  test('when clocks are set back, the hour that comes twice is two hours of one day', () => {
    const shown = ['2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-25T02:30Z'];
    const hours = Object.values(reasons(apply({ keepHourly: 3 }, shown, 'Europe/Berlin'))).flat();
    expect(hours).toEqual(
      expect.arrayContaining(['hourly 2026-10-25T02+02:00', 'hourly 2026-10-25T02+01:00']) as string[],
    );
    expect(kept(apply({ keepHourly: 3 }, shown, 'Europe/Berlin'))).toHaveLength(3);
    expect(kept(apply({ keepDaily: 1 }, shown, 'Europe/Berlin'))).toEqual(['2026-10-25T02:30Z']);
  });

  test('when clocks are set forward, no hour is missed and the day has 23 of them', () => {
    const shown = Array.from({ length: 24 }, (_, hour) => new Date(Date.UTC(2026, 2, 28, 23 + hour)).toISOString());
    expect(kept(apply({ keepDaily: 1 }, shown, 'Europe/Berlin'))).toHaveLength(1);
    expect(kept(apply({ keepHourly: 24 }, shown, 'Europe/Berlin'))).toHaveLength(24);
    const days = Object.values(reasons(apply({ keepDaily: 2 }, shown, 'Europe/Berlin'))).flat();
    expect(days).toEqual(expect.arrayContaining(['daily 2026-03-29', 'daily 2026-03-30']) as string[]);
  });

  test('a time zone is an IANA name', () => {
    expect(['UTC', 'Europe/Berlin', 'America/St_Johns'].map(isTimeZone)).toEqual([true, true, true]);
    expect(['', 'Mars/Olympus', 'PST8PDT; DROP'].map(isTimeZone)).toEqual([false, false, false]);
  });
});

describe('what does not follow the rules', () => {
  test('a legal hold and a promised expiry keep, and say so', () => {
    const verdicts = apply({ keepLast: 1 }, [
      '2026-11-25T00:00Z',
      backup('2026-11-01T00:00Z', { onHold: true, expiresAt: new Date('2026-11-02T00:00Z') }),
      backup('2026-11-02T00:00Z', { expiresAt: new Date('2026-12-24T00:00:00Z') }),
    ]);
    expect(reasons(verdicts)).toMatchObject({
      '2026-11-01T00:00Z': ['legal hold'],
      '2026-11-02T00:00Z': ['not expired until 2026-12-24T00:00:00.000Z'],
    });
  });

  test('what expired by itself goes, and pushes nothing out', () => {
    const past = { expiresAt: new Date('2026-11-25T12:00Z'), status: 'EXPIRED' } as const;
    const verdicts = apply({ keepLast: 1 }, [backup('2026-11-25T00:00Z', past), '2026-11-24T00:00Z']);
    expect(kept(verdicts)).toEqual(['2026-11-24T00:00Z']);
    expect(verdicts[0]?.reasons).toEqual(['expired since 2026-11-25T12:00:00.000Z']);
  });

  test('what expired by itself and is on hold stays by its hold alone, and pushes nothing out', () => {
    const held = { expiresAt: new Date('2026-11-25T12:00Z'), status: 'EXPIRED', onHold: true } as const;
    const shown = [backup('2026-11-25T00:00Z', held), '2026-11-24T00:00Z', '2026-11-23T00:00Z'];
    expect(reasons(apply({ keepLast: 1 }, shown))).toEqual({
      '2026-11-25T00:00Z': ['legal hold'],
      '2026-11-24T00:00Z': ['newest', 'last 1'],
      '2026-11-23T00:00Z': ['no rule keeps it'],
    });
  });

  test.each(['PENDING', 'RUNNING', 'FAILED', 'CANCELLED'] as const)(
    'a %s backup neither counts nor is told',
    (status) => {
      const verdicts = apply({ keepLast: 1 }, [
        '2026-11-24T00:00Z',
        backup('2026-11-25T00:00Z', { status, readAt: null }),
      ]);
      expect(kept(verdicts)).toEqual(['2026-11-24T00:00Z']);
      expect(verdicts).toHaveLength(1);
    },
  );

  test('backups of other rows are judged apart: one business pushes out no full backup', () => {
    const full = { source: 'a', type: 'FULL', dataTypes: ['TRENDS', 'ALERTS'], businessId: null } as const;
    const one = { ...full, type: 'BUSINESS', businessId: 'b' } as const;
    expect(seriesOf(full)).toBe(seriesOf({ ...full, type: 'INCREMENTAL', dataTypes: ['ALERTS', 'TRENDS'] }));
    expect(
      new Set([full, one, { ...full, source: 'b' }, { ...full, type: 'SYSTEM' as const }].map(seriesOf)).size,
    ).toBe(4);
    const verdicts = apply({ keepLast: 1 }, [
      backup('2026-11-24T00:00Z', { series: seriesOf(full) }),
      backup('2026-11-25T00:00Z', { series: seriesOf(one) }),
    ]);
    expect(kept(verdicts)).toHaveLength(2);
  });
});

describe('for every policy and any backups', () => {
  const HOUR_MS = 3_600_000;
  const backups = fc
    .array(
      fc.record({
        hoursAgo: fc.integer({ min: 0, max: 24 * 800 }),
        expiresInHours: fc.option(fc.integer({ min: -500, max: 500 }), { freq: 6 }),
        onHold: fc.constantFrom(true, false, false, false),
        status: fc.constantFrom('COMPLETED', 'COMPLETED', 'COMPLETED', 'FAILED', 'RUNNING'),
        series: fc.constantFrom('a', 'b'),
      }),
      { maxLength: 40 },
    )
    .map((made) =>
      made.map(({ hoursAgo, expiresInHours, onHold, status, series }, index) =>
        backup(new Date(NOW.getTime() - hoursAgo * HOUR_MS).toISOString(), {
          id: `${index}` as BackupId,
          expiresAt: expiresInHours === null ? null : new Date(NOW.getTime() + expiresInHours * HOUR_MS),
          onHold,
          status: status as RetainedBackup['status'],
          series,
        }),
      ),
    );
  const count = fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined });
  const policies = fc.record({
    days: count, keepLast: count, keepHourly: count, keepDaily: count, keepWeekly: count, keepMonthly: count, keepYearly: count,
    keepWithinMs: fc.option(fc.integer({ min: 1, max: 90 * DAY_MS }), { nil: undefined }),
  }) as fc.Arbitrary<RetentionPolicy>; // prettier-ignore
  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe');

  test('larger numbers and more rules keep all that smaller and fewer keep', () => {
    fc.assert(
      fc.property(backups, policies, policies, zones, (made, policy, more, zone) => {
        fc.pre(Object.values(policy).some((value) => value !== undefined));
        const larger = Object.fromEntries(
          Object.entries({ ...more, ...policy }).map(([name, value]) => {
            const added = more[name as keyof RetentionPolicy] ?? 0;
            return [name, value === undefined ? more[name as keyof RetentionPolicy] : value + added];
          }),
        );
        const wide = new Set(kept(apply(larger, made, zone)));
        expect(kept(apply(policy, made, zone)).filter((id) => !wide.has(id))).toEqual([]);
      }),
    );
  });

  test('the order in which backups are given does not matter', () => {
    fc.assert(
      fc.property(backups, policies, fc.infiniteStream(fc.nat()), (made, policy, keys) => {
        const shuffled = made.map((one) => ({ one, key: keys.next().value })).sort((a, b) => a.key - b.key);
        expect(apply(policy, shuffled.map(({ one }) => one))).toEqual(apply(policy, made)); // prettier-ignore
      }),
    );
  });

  test('what is on hold stays, what is promised stays, and each verdict has a reason', () => {
    fc.assert(
      fc.property(backups, policies, (made, policy) => {
        for (const { backup: one, keep, reasons: why } of apply(policy, made)) {
          expect(why.length).toBeGreaterThan(0);
          if (one.onHold || (one.expiresAt && one.expiresAt > NOW)) expect(keep).toBe(true);
        }
      }),
    );
  });

  test('once applied, it finds nothing more to expire', () => {
    fc.assert(
      fc.property(backups, policies, zones, (made, policy, zone) => {
        const left = new Set(kept(apply(policy, made, zone)));
        const rest = made.filter(({ id }) => left.has(id));
        expect(kept(apply(policy, rest, zone))).toHaveLength(rest.length);
      }),
    );
  });
});
