/** Pages of what a comparison found, of the engine alone: nothing is lost or shown twice, and a late page reads no more than an early one. */
import { ROW_CHANGE_KINDS } from '../../../src/domain/change-set';
import type { ChangePlace, ChangesFound, ChangesWanted, FoundChange } from '../../../src/domain/backup-reader';
import type { ChangeSetId } from '../../../src/domain/ids';
import type { ComparisonResult } from '../../../src/domain/task';
import { runTask } from '../../../src/engine/engine';
import { countingStore } from '../../support/counting-store';
import { backup, comparisonTask, engineDeps, run, type EngineBench } from '../../support/engine-context';
import { fill } from '../../support/engine-memory-source';
import { memoryStore } from '../../support/engine-memory-store';
import { CONFIG, platformSource } from '../../support/engine-platform';

const ROWS = 9_000;
const bench = { source: platformSource(5), store: memoryStore() };
let comparison: ComparisonResult;

/** Of three rows one is removed, one changed, one stays; others come. */
beforeAll(async () => {
  const value = (text: string, i: number): string => `${text} ${i} `.repeat(80);
  fill(bench.source, CONFIG, Array.from({ length: ROWS }, (_, i) => [i, value('old', i)])); // prettier-ignore
  const base = (await backup(bench)).stored.manifest.backupId;
  const kept = Array.from({ length: ROWS }, (_, i) => i).filter((i) => i % 3 > 0);
  const rows = kept.map((i) => [i, value(i % 3 === 1 ? 'new' : 'old', i)]);
  fill(bench.source, CONFIG, [...rows, [ROWS, 'added'], [ROWS + 1, 'added']]);
  const target = (await backup(bench)).stored.manifest.backupId;
  comparison = (await run(comparisonTask({ backupId: base, targetId: target }), bench)) as ComparisonResult;
});

async function page(wanted: Partial<ChangesWanted>, on: EngineBench = bench): Promise<ChangesFound> {
  const all = { comparisonId: comparison.changeSet.changeSetId, dataType: null, table: null, kinds: ROW_CHANGE_KINDS };
  return (await run({ kind: 'ROW_CHANGES', wanted: { ...all, limit: 100, from: null, ...wanted } }, on)) as never;
}

async function pages(wanted: Partial<ChangesWanted>, read = page): Promise<FoundChange[]> {
  const found: FoundChange[] = [];
  for (let from: ChangePlace | null | undefined; from !== null;) {
    const { changes, next } = await read({ ...wanted, from: from ?? null });
    found.push(...changes);
    from = next;
  }
  return found;
}

const idsOf = (changes: readonly FoundChange[]): number[] => changes.map(({ key }) => key.id as number);
const third = (rest: number): number[] => Array.from({ length: ROWS / 3 }, (_, i) => 3 * i + rest);

it('holds what differs', () => {
  const { removed, added, changed, unchanged } = comparison.tables.find(({ table }) => table === 'config')!;
  expect({ removed, added, changed, unchanged }).toEqual({ removed: ROWS / 3, added: 2, changed: ROWS / 3, unchanged: ROWS / 3 }); // prettier-ignore
});

it('is shown whole, page by page, removed rows first and added ones last', async () => {
  const found = await pages({});
  expect(found).toHaveLength((2 * ROWS) / 3 + 2);
  expect(found.map(({ kind }) => kind).filter((kind, i, all) => kind !== all[i - 1])).toEqual(['REMOVED', 'CHANGED', 'ADDED']); // prettier-ignore
  const sorted = (kind: FoundChange['kind']): number[] => idsOf(found.filter((change) => change.kind === kind)).sort((a, b) => a - b); // prettier-ignore
  expect([sorted('REMOVED'), sorted('CHANGED'), sorted('ADDED')]).toEqual([third(0), third(1), [ROWS, ROWS + 1]]);
  for (const { kind, before, after, fields } of found)
    expect([kind, before === null, after === null, fields.length]).toEqual(
      kind === 'CHANGED' ? [kind, false, false, 1] : [kind, kind === 'ADDED', kind === 'REMOVED', 0],
    );
});

it('goes on behind any row, and reads only what holds the page', async () => {
  const all = idsOf(await pages({ kinds: ['CHANGED'], limit: 100 }));
  const { store, reads } = countingStore(bench.store);
  const whole = (await bench.store.findChangeSet(comparison.changeSet.changeSetId))!.changeSet;
  const { updates } = whole.tables.find(({ table }) => table === 'config')!;
  expect(updates.after.chunkCount).toBeGreaterThan(3);
  const { changes } = await page({ kinds: ['CHANGED'], limit: 100 });
  const last = { ...changes.at(-1)!.next, row: all.length - 5 };
  reads.base.length = 0;
  const late = await page({ kinds: ['CHANGED'], limit: 100, from: last }, { ...bench, store });
  expect(idsOf(late.changes)).toEqual(all.slice(-5));
  expect(late.next).toBeNull();
  expect(reads.base).toHaveLength(2);
});

it('ends a page where reading takes too long, and loses and repeats nothing', async () => {
  let now = 0;
  let asked = 0;
  const clock = { ...engineDeps(bench).clock, monotonicMs: () => (now += 6_000) };
  const slow: typeof page = async (wanted) => {
    asked++;
    const all = { comparisonId: comparison.changeSet.changeSetId, dataType: null, table: 'config', kinds: ROW_CHANGE_KINDS }; // prettier-ignore
    const hooks = { signal: new AbortController().signal, onProgress: () => undefined, onLog: () => undefined };
    const task = { kind: 'ROW_CHANGES', wanted: { ...all, limit: 100_000, from: null, ...wanted } } as const;
    return (await runTask(task, { ...engineDeps(bench), clock }, hooks)) as never;
  };
  expect(idsOf(await pages({ table: 'config' }, slow))).toEqual(idsOf(await pages({ table: 'config' })));
  expect(asked).toBeGreaterThan(3);
});

it('is refused once it is gone, where it is damaged, and where it is none', async () => {
  await expect(page({ comparisonId: 'x' as ChangeSetId })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(page({}, { ...bench, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'CANCELLED' });
  const { changeSet } = (await bench.store.findChangeSet(comparison.changeSet.changeSetId))!;
  const { deletes } = changeSet.tables.find(({ table }) => table === 'config')!;
  const entries = [];
  for await (const entry of bench.store.layerEntries(deletes)) entries.push(entry);
  bench.store.chunks.set(entries[0]!.id, Buffer.from('x'));
  await expect(page({})).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
});
