/** The engine's small parts: spooling, progress, structures, lanes. */
import fc from 'fast-check';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes, randomUUID } from 'node:crypto';
import type { Progress } from '../../../src/domain/job';
import { OrderedWindow, runLanes } from '../../../src/engine/lanes';
import { ProgressMeter } from '../../../src/engine/progress';
import { RowSpool, splitPairs } from '../../../src/engine/rows/spool';
import { requireSameStructures } from '../../../src/engine/structure-check';
import { CONFIG } from '../../support/engine-platform';
import { rowsOf } from '../../support/engine-rows';

const random = { uuid: () => randomUUID(), bytes: (size: number) => randomBytes(size) };
const runs = { seed: 20261122, numRuns: process.env.LONG ? 200 : 20 };
const never = new AbortController().signal;

describe('the spool of differences', () => {
  const folder = mkdtempSync(join(tmpdir(), 'riskvault-spool-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('gives back what was added, in order, as often as asked, and leaves no file', async () => {
    const rows = fc.array(
      fc.uint8Array({ maxLength: 90_000 }).map((bytes) => Buffer.from(bytes)),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(rows, async (given) => {
        const spool = new RowSpool(folder, random);
        for (const bytes of given) {
          const copy = Buffer.from(bytes);
          spool.add({ bytes: copy, start: 0, end: copy.length });
          copy.fill(0); // the caller's buffer is its own again
          await spool.settle();
        }
        for (let round = 0; round < 2; round++) {
          const back: Buffer[] = [];
          for await (const batch of spool.batches()) back.push(...rowsOf(batch));
          expect(back).toEqual(given);
        }
        await spool.close();
        expect(readdirSync(folder)).toEqual([]);
      }),
      runs,
    );
  });

  it('keeps pairs together', async () => {
    const spool = new RowSpool(folder, random);
    const slice = (text: string) => ({ bytes: Buffer.from(text), start: 0, end: text.length });
    for (let i = 0; i < 20_000; i++) spool.add(slice(`old ${i}`), slice(`new ${i}`));
    let next = 0;
    for await (const batch of spool.batches()) {
      const { oldRows, newRows } = splitPairs(batch);
      const news = rowsOf(newRows);
      for (const [i, row] of rowsOf(oldRows).entries()) {
        expect([row.toString(), news[i]?.toString()]).toEqual([`old ${next}`, `new ${next}`]);
        next++;
      }
    }
    expect(next).toBe(20_000);
    await spool.close();
  });

  it('says what to do when the folder takes no file', async () => {
    const spool = new RowSpool(join(folder, 'nowhere'), random);
    spool.add({ bytes: Buffer.from('x'), start: 0, end: 1 });
    const read = async (): Promise<void> => {
      for await (const batch of spool.batches()) expect(batch).toBeDefined();
    };
    await expect(read()).rejects.toMatchObject({ code: 'INTERNAL', hint: expect.stringContaining('TMPDIR') });
    await spool.close();
  });
});

describe('progress', () => {
  it('never falls, smooths its rate and estimates what remains', () => {
    let now = 0;
    const seen: Progress[] = [];
    const meter = new ProgressMeter({ monotonicMs: () => now }, (progress) => seen.push(progress));
    meter.begin({ name: 'reading', from: 0, to: 90, rowsTotal: 1000, bytesTotal: 10_000 });
    for (let i = 0; i < 10; i++) {
      now += 1000;
      meter.advance({ rows: 100, bytes: 1500, table: 't' }); // half as much again as estimated
    }
    const last = seen.at(-1);
    expect(last).toMatchObject({
      percent: 89.1,
      rowsDone: 1000,
      bytesTotal: 15_000,
      rowsPerSecond: 100,
      currentTable: 't',
    });
    expect(last?.estimatedRemainingMs).toBeLessThan(2000);
    meter.begin({ name: 'earlier', from: 10, to: 20 });
    meter.finish();
    const percents = seen.map(({ percent }) => percent);
    expect(percents).toEqual([...percents].sort((a, b) => a - b));
    expect(seen.at(-1)).toMatchObject({ percent: 100, estimatedRemainingMs: 0 });
  });
});

describe('the structure check', () => {
  const told = { rowEncoding: CONFIG.rowEncoding, what: 'The tables differ', hint: 'Look.' };
  const check = (live: object): (() => void) => {
    return () => requireSameStructures([CONFIG], [{ ...CONFIG, ...live }], told);
  };
  const column = CONFIG.columns[1]!;

  it('lets the same structure and a different display width or column order pass', () => {
    expect(check({})).not.toThrow();
    expect(check({ columns: [...CONFIG.columns].reverse() })).not.toThrow();
    const int = (type: string) => ({ ...CONFIG, columns: [{ ...column, type }] });
    expect(() => requireSameStructures([int('int(11)')], [int('int')], told)).not.toThrow();
  });

  it.each([
    [{ columns: CONFIG.columns.slice(0, 1) }, 'config.value is missing'],
    [{ columns: [...CONFIG.columns, { ...column, name: 'more' }] }, 'config.more is new'],
    [{ columns: [CONFIG.columns[0], { ...column, type: 'INT' }] }, 'config.value has the type int'],
    [{ columns: [CONFIG.columns[0], { ...column, charset: 'latin1' }] }, 'config.value has the character set latin1'],
    [{ key: ['value'] }, 'config has the key (value) instead of (id)'],
  ])('names what differs: %#', (live, problem) => {
    expect(check(live)).toThrow(
      expect.objectContaining({ code: 'SCHEMA_MISMATCH', message: expect.stringContaining(problem) }),
    );
  });

  it('refuses rows in an encoding that the source does not speak', () => {
    const other = { ...told, rowEncoding: 'mysql-text-v1' };
    expect(() => requireSameStructures([CONFIG], [CONFIG], other)).toThrow(/sqlite-v1, not mysql-text-v1/);
  });
});

describe('lanes', () => {
  it('run no more than allowed at once and stop at the first error, leaving nothing running', async () => {
    let running = 0;
    let most = 0;
    const started: number[] = [];
    const work = async (item: number): Promise<void> => {
      started.push(item);
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      if (item === 10) throw new Error('ten');
    };
    await expect(
      runLanes(
        { lanes: 3, signal: never },
        Array.from({ length: 100 }, (_, i) => i),
        work,
      ),
    ).rejects.toThrow('ten');
    expect([most, running]).toEqual([3, 0]);
    expect(Math.max(...started)).toBeLessThan(14);
  });

  it('give results in the order of their promises', async () => {
    const window = new OrderedWindow<number>(3);
    for (let i = 0; i < 10; i++)
      await window.add(new Promise((resolve) => (i % 2 ? setImmediate(resolve, i) : resolve(i))));
    expect(await window.finish()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
