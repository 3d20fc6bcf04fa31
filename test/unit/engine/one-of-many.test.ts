/**
 * One business out of a backup of many: whatever became of rows before and between backups, it is restored exactly and nobody else is
 * touched, and only the chunks that hold its rows are read.
 */
import fc from 'fast-check';
import type { BackupType } from '../../../src/domain/backup';
import type { BackupId } from '../../../src/domain/ids';
import type { StoredManifest } from '../../../src/domain/manifest';
import { isAppError } from '../../../src/domain/errors';
import { countingStore } from '../../support/counting-store';
import { backup, compact, restore, type EngineBench } from '../../support/engine-context';
import { fill, memorySource, type MemorySource } from '../../support/engine-memory-source';
import { memoryStore, type MemoryStore } from '../../support/engine-memory-store';
import { ASSESSMENTS, BUSINESSES, PLATFORM, stateOf, TENANTS } from '../../support/engine-platform';
import { tableOf, type Row } from '../../support/engine-rows';

const RUNS = { seed: 20261125, numRuns: process.env.LONG ? 250 : 25 };

/** Without a unique key, so that any row may become any other business's. */
const FACTORS = {
  ...tableOf(PLATFORM.find(({ table }) => table === 'factors')!.mapping, ['id', 'assessment_id', 'factor', 'note']),
  foreignKeys: PLATFORM.find(({ table }) => table === 'factors')!.foreignKeys,
};
const TABLES = [TENANTS, BUSINESSES, FACTORS, ASSESSMENTS];

/** Ids that differ by case alone, that no index can tell, that are numbers. */
const IDS = ['b0', 'B0', 'b1', 'é', 'b 1', 7, '8', ...Array.from({ length: 30 }, (_, i) => `c${i}`)];
const PLAIN_IDS = IDS.filter((id) => id !== 'é');
/** The first of them are restored, and get rows of others. */
const ASKED = 9;
const FACTORS_EACH = 6;
const NOTE_BYTES = 8000;

interface Bench extends EngineBench {
  source: MemorySource;
  store: MemoryStore;
}

/** Factors of one business are far apart, so that they stand in many chunks. */
function newBench({ keepsLog = false, noteBytes = NOTE_BYTES, ids = IDS } = {}): Bench {
  const source = memorySource(TABLES, 100_000, keepsLog);
  const factors: Row[] = [];
  for (const id of ids) {
    for (let i = 0; i < FACTORS_EACH; i++) factors.push([2 * ((factors.length * 97) % 1009), `a-${id}-${i % 2}`, `f${i}`, `${id}`.repeat(noteBytes)]); // prettier-ignore
  }
  fill(source, TENANTS, [['t0', 'T0'], ['t1', 'T1'], ['t2', 'T2']]); // prettier-ignore
  fill(source, BUSINESSES, ids.map((id, i) => [id, `t${i % 3}`, `Business ${id}`])); // prettier-ignore
  fill(source, ASSESSMENTS, ids.flatMap((id) => [[`a-${id}-0`, id, 0], [`a-${id}-1`, id, 1]])); // prettier-ignore
  fill(source, FACTORS, factors);
  return { source, store: memoryStore() };
}

interface Deed {
  table: 'businesses' | 'assessments' | 'factors';
  deed: 'DELETE' | 'CHANGE' | 'MOVE' | 'INSERT';
  at: number;
  to: number;
}

function act({ source }: Bench, { table, deed, at, to }: Deed): void {
  const rows = new Map(source.tables.get(table));
  const [key, row] = [...rows][at % Math.max(1, rows.size)] ?? [];
  if (key === undefined || row === undefined) return;
  const owner = IDS[to % ASKED]!;
  const reference = table === 'factors' ? `a-${owner}-${Math.floor(to / ASKED)}` : owner;
  if (deed === 'DELETE') rows.delete(key);
  if (deed === 'CHANGE') rows.set(key, [...row.slice(0, -1), `changed ${at}`]);
  if (deed === 'MOVE' && table !== 'businesses') rows.set(key, [row[0]!, reference, ...row.slice(2)]);
  const added = table === 'factors' ? 2 * at + 1 : `new-${at}`;
  if (deed === 'INSERT') rows.set(JSON.stringify([added]), [added, reference, 'f', 'n'].slice(0, row.length));
  const structure = TABLES.find((one) => one.table === table)!;
  fill(source, structure, [...rows.values()]);
}

type State = ReturnType<typeof stateOf>;

/** The business's own rows of a state, by table. */
function rowsOf(state: State, id: string): State {
  const assessments = state.assessments!.filter(([, owner]) => String(owner) === id);
  const own = new Set(assessments.map(([key]) => key));
  return {
    businesses: state.businesses!.filter(([key]) => String(key) === id),
    assessments,
    factors: state.factors!.filter(([, assessment]) => own.has(assessment)),
  };
}

const OWNER_COLUMN: Record<string, number> = { businesses: 0, assessments: 1, factors: 1 };

/** What a restore has to make of the live rows; null where a row is another business's by now. */
function expected(live: State, stored: State, id: string): State | null {
  const [wanted, there] = [rowsOf(stored, id), rowsOf(live, id)];
  const result: State = { ...live };
  for (const [table, rows] of Object.entries(wanted)) {
    const keys = new Set(rows.map(([key]) => key));
    const ours = new Set(there[table]!.map(([key]) => key));
    const taken = live[table]!.filter(([key]) => keys.has(key) && !ours.has(key));
    const column = OWNER_COLUMN[table]!;
    if (taken.some((row) => row[column] !== rows.find(([key]) => key === row[0])![column])) return null;
    result[table] = [...live[table]!.filter(([key]) => !keys.has(key) && !ours.has(key)), ...rows];
  }
  const known = new Set(live.tenants!.map(([key]) => key));
  const needed = new Set(wanted.businesses!.map(([, tenant]) => tenant));
  const parents = stored.tenants!.filter(([key]) => needed.has(key) && !known.has(key));
  return { ...result, tenants: [...live.tenants!, ...parents] };
}

function sorted(state: State): State {
  const byKey = (rows: Row[]): Row[] => [...rows].sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
  return Object.fromEntries(Object.entries(state).map(([table, rows]) => [table, byKey(rows)]));
}

function put({ source }: Bench, state: State): void {
  for (const structure of TABLES) fill(source, structure, state[structure.table]!);
}

const deed: fc.Arbitrary<Deed> = fc.record({
  table: fc.constantFrom('businesses', 'assessments', 'factors', 'factors'),
  deed: fc.constantFrom('DELETE', 'CHANGE', 'MOVE', 'INSERT'),
  at: fc.nat(1000),
  to: fc.nat(3 * ASKED - 1),
});
const history = fc.array(fc.tuple(fc.constantFrom<BackupType>('INCREMENTAL', 'INCREMENTAL', 'DIFFERENTIAL', 'FULL'), fc.array(deed, { maxLength: 12 })), { maxLength: 4 }); // prettier-ignore

it('is restored exactly, whatever moved, came or went, from full, incremental, differential and compacted backups', async () => {
  const seen = new Set<string>();
  const scene = fc.record({
    keepsLog: fc.boolean(),
    history,
    compacted: fc.nat(4),
    damage: fc.array(deed, { maxLength: 10 }),
    lostTenant: fc.boolean(),
    ids: fc.shuffledSubarray(IDS.slice(0, ASKED), { minLength: 3, maxLength: 3 }),
    indexed: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(scene, async ({ keepsLog, history: steps, compacted, damage, lostTenant, ids, indexed }) => {
      const bench = newBench({ keepsLog });
      const taken: [BackupId, State][] = [];
      for (const [type, deeds] of [['FULL', []] as [BackupType, Deed[]], ...steps]) {
        for (const one of deeds) act(bench, one);
        taken.push([(await backup(bench, { type })).stored.manifest.backupId, stateOf(bench.source)]);
      }
      await compact(bench, taken[compacted % taken.length]![0]);
      if (!indexed) withoutIndexes(bench.store);
      for (const one of damage) act(bench, one);
      if (lostTenant) fill(bench.source, TENANTS, [['t1', 'Renamed']]); // prettier-ignore
      const live = stateOf(bench.source);
      for (const [backupId, stored] of taken) {
        for (const id of ids.map(String)) {
          put(bench, live);
          const wanted = Object.values(rowsOf(stored, id)).flat().length === 0 ? null : expected(live, stored, id);
          const outcome = await restore(bench, { backupId, type: 'BUSINESS', businessId: id }).catch(codeOf);
          seen.add(typeof outcome === 'string' ? outcome : outcome.mode);
          if (wanted === null) expect(['CONFLICT', 'NOT_FOUND']).toContain(outcome);
          else expect(outcome).toMatchObject({ kind: 'RESTORE' });
          expect(sorted(stateOf(bench.source))).toEqual(sorted(wanted ?? live));
        }
      }
    }),
    RUNS,
  );
  expect([...seen]).toEqual(expect.arrayContaining(['IN_PLACE', 'CONFLICT']));
}, 300_000);

function codeOf(error: unknown): string {
  if (isAppError(error)) return error.code;
  throw error;
}

/** As an earlier program would have written them. */
function withoutIndexes({ manifests }: MemoryStore): void {
  for (const [id, stored] of manifests) {
    const tables = stored.manifest.tables.map((table) => ({ ...table, layers: table.layers.map(({ valueIndexes, ...layer }) => (void valueIndexes, layer)) })); // prettier-ignore
    manifests.set(id, { ...stored, manifest: { ...stored.manifest, tables } });
  }
}

describe('reads', () => {
  const CHANGES: Deed[] = Array.from({ length: 20 }, (_, i) => ({
    table: 'factors',
    deed: 'CHANGE',
    at: 11 * i,
    to: 0,
  }));
  const BACKUPS = ['full', 'incremental', 'compacted'] as const;

  async function take(bench: Bench, kind: (typeof BACKUPS)[number]): Promise<StoredManifest> {
    const { stored } = await backup(bench, { type: 'FULL' });
    if (kind === 'full') return stored;
    for (const one of CHANGES) act(bench, one);
    const incremental = await backup(bench, { type: 'INCREMENTAL' });
    return kind === 'compacted'
      ? (await compact(bench, incremental.stored.manifest.backupId)).stored
      : incremental.stored;
  }

  it.each(BACKUPS)(
    'no chunk of a %s backup but those that hold its rows, each once, and says nothing',
    async (kind) => {
      const bench = newBench({ keepsLog: true, noteBytes: 4 * NOTE_BYTES, ids: PLAIN_IDS });
      const { manifest } = await take(bench, kind);
      const wanted = stateOf(bench.source);
      const factors = manifest.tables.find(({ table }) => table === 'factors')!;
      expect(factors.layers[0]!.chunkCount).toBeGreaterThan(2 * FACTORS_EACH);
      fill(bench.source, FACTORS, []);
      const { store, reads } = countingStore(bench.store);
      const result = await restore(
        { ...bench, store },
        { backupId: manifest.backupId, type: 'BUSINESS', businessId: 'c20' },
      );
      expect(rowsOf(stateOf(bench.source), 'c20')).toEqual(rowsOf(wanted, 'c20'));
      expect(result).toMatchObject({ inserts: FACTORS_EACH, notes: [] });
      const rows = Object.values(rowsOf(wanted, 'c20')).flat().length;
      expect(new Set(reads.base).size).toBe(reads.base.length);
      expect(reads.base.length).toBeLessThanOrEqual(rows + TABLES.length);
      expect(reads.base.length + reads.delta.length).toBeLessThan(factors.layers[0]!.chunkCount);
      expect(reads.delta.length > 0).toBe(kind === 'incremental');
    },
  );

  it('all chunks of tables that are not indexed, and says so', async () => {
    const bench = newBench();
    const { manifest } = await take(bench, 'full');
    withoutIndexes(bench.store);
    const { store, reads } = countingStore(bench.store);
    const { notes } = await restore(
      { ...bench, store },
      { backupId: manifest.backupId, type: 'BUSINESS', businessId: 'c20' },
    );
    expect(reads.base).toHaveLength(manifest.tables.reduce((sum, { layers }) => sum + layers[0]!.chunkCount, 0));
    expect(notes).toEqual([expect.stringMatching(/table factors .*no index of it by assessment_id/)]);
  });

  it('all chunks of a table whose index is damaged, or may not tell what is equal, and says so', async () => {
    const bench = newBench();
    const { manifest } = await take(bench, 'full');
    const restored = { backupId: manifest.backupId, type: 'BUSINESS' } as const;
    expect((await restore(bench, { ...restored, businessId: 'é' })).notes).toEqual([
      expect.stringMatching(/table factors .*equal to one of the values/),
    ]);
    const { valueIndexes } = manifest.tables.find(({ table }) => table === 'factors')!.layers[0]!;
    bench.store.chunks.set(valueIndexes![0]!.root!, Buffer.from([5, 0, 9]));
    expect((await restore(bench, { ...restored, businessId: 'c20' })).notes).toEqual([
      expect.stringMatching(/table factors .*damaged/),
    ]);
  });
});

describe('of a damaged backup', () => {
  async function damaged(
    table: string,
    of: (bench: Bench, ids: string[]) => string,
  ): Promise<{ bench: Bench; id: BackupId }> {
    const bench = newBench({ noteBytes: 4 * NOTE_BYTES, ids: PLAIN_IDS });
    const { manifest } = (await backup(bench, { type: 'FULL' })).stored;
    const ids: string[] = [];
    for await (const { id } of bench.store.layerEntries(manifest.tables.find((one) => one.table === table)!.layers[0]!))
      ids.push(id);
    bench.store.chunks.set(of(bench, ids), Buffer.from('damaged'));
    return { bench, id: manifest.backupId };
  }

  /** The first chunk that a restore of the business reads of the factors. */
  async function firstRead(businessId: string): Promise<number> {
    const bench = newBench({ noteBytes: 4 * NOTE_BYTES, ids: PLAIN_IDS });
    const { manifest } = (await backup(bench, { type: 'FULL' })).stored;
    const ids: string[] = [];
    for await (const { id } of bench.store.layerEntries(
      manifest.tables.find((one) => one.table === 'factors')!.layers[0]!,
    ))
      ids.push(id);
    const { store, reads } = countingStore(bench.store);
    await restore({ ...bench, store }, { backupId: manifest.backupId, type: 'BUSINESS', businessId });
    return Math.min(...reads.base.map((id) => ids.indexOf(id)).filter((index) => index >= 0));
  }

  it('is restored where no chunk of its own is hurt', async () => {
    const mine = await firstRead('c20');
    const { bench, id } = await damaged('factors', (_, ids) => ids[mine + 1] ?? ids[mine - 1]!);
    const wanted = rowsOf(stateOf(bench.source), 'c20');
    fill(bench.source, FACTORS, []);
    const outcome = await restore(bench, { backupId: id, type: 'BUSINESS', businessId: 'c20' }).catch(codeOf);
    if (outcome === 'INTEGRITY_FAILURE') return; // because the neighbour holds a row of it too
    expect(rowsOf(stateOf(bench.source), 'c20')).toEqual(wanted);
  });

  it('is refused where one is; what is left of it comes back where that was asked for, and the rest stays', async () => {
    const mine = await firstRead('c20');
    const { bench, id } = await damaged('factors', (_, ids) => ids[mine]!);
    const before = stateOf(bench.source);
    const restored = { backupId: id, type: 'BUSINESS', businessId: 'c20' } as const;
    await expect(restore(bench, restored)).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
    fill(bench.source, FACTORS, before.factors!.map((row) => (String(row[1]).startsWith('a-c20-') ? [...row.slice(0, 3), 'x'] : row))); // prettier-ignore
    const { updates, notes } = await restore(bench, { ...restored, allowUnchecked: true });
    expect(updates).toBeGreaterThan(0);
    expect(updates).toBeLessThan(FACTORS_EACH);
    expect(notes).toEqual([expect.stringContaining('are lost with chunk')]);
    const left = rowsOf(stateOf(bench.source), 'c20').factors!;
    expect(left.filter(([, , , note]) => note === 'x')).toHaveLength(FACTORS_EACH - updates);
  });

  it('is refused, asked for or not, where it can not be told any more whose rows are whose', async () => {
    const { bench, id } = await damaged('assessments', (_, [first]) => first!);
    const before = stateOf(bench.source);
    const restored = restore(bench, { backupId: id, type: 'BUSINESS', businessId: 'c20', allowUnchecked: true });
    await expect(restored).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE', message: expect.stringContaining('factors') as string }); // prettier-ignore
    expect(stateOf(bench.source)).toEqual(before);
  });
});
