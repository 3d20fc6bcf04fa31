/** Which tables of an incremental backup are taken by the source's log, and why the others are compared. */
import type { BackupId } from '../../../src/domain/ids';
import type { Manifest, TableManifest } from '../../../src/domain/manifest';
import type { Progress } from '../../../src/domain/job';
import { backup, compact, restore, type EngineBench } from '../../support/engine-context';
import { memorySource, type MemorySource } from '../../support/engine-memory-source';
import { memoryStore, type MemoryStore } from '../../support/engine-memory-store';
import { PLATFORM, platformSource, stateOf } from '../../support/engine-platform';
import { batchOf } from '../../support/engine-rows';

interface Bench extends EngineBench {
  source: MemorySource;
  store: MemoryStore;
}

const NOTE_BYTES = 4000;

function bench(businesses = 300, { keepsLog = true, noteBytes = NOTE_BYTES } = {}): Bench {
  return { source: platformSource(businesses, noteBytes, keepsLog), store: memoryStore() };
}

const take = async (on: Bench, type: 'FULL' | 'INCREMENTAL' = 'INCREMENTAL'): Promise<Manifest> =>
  (await backup(on, { type })).stored.manifest;
const factorsOf = ({ tables }: Manifest): TableManifest => tables.find(({ table }) => table === 'factors')!;
const compared = (reason: string) => ({
  changeDetection: 'SCAN',
  changeDetectionReason: `Every row was compared with the parent backup: ${reason}.`,
});

/** Changes every n-th row, deletes the one after it and adds one. */
function change(on: Bench, every = 500): number {
  const rows = on.source.tables.get('factors')!;
  let changed = 0;
  [...rows].forEach(([key, row], i) => {
    if (i % every === 3) rows.set(key, [...row.slice(0, 3), `changed ${i}`.padEnd(NOTE_BYTES, '.')]);
    if (i % every === 4) rows.delete(key);
    if (i % every === 3 || i % every === 4) changed++;
  });
  rows.set(JSON.stringify([String(9e11 + 1e12).padStart(16, '0')]), [9e11, 'a0-0', 'new', 'added']);
  return changed + 1;
}

async function expectExact(on: Bench, backupId: BackupId): Promise<void> {
  const source = memorySource(PLATFORM);
  await restore({ ...on, source }, { backupId });
  expect(stateOf(source)).toEqual(stateOf(on.source));
}

describe('an incremental backup of a source that keeps a log', () => {
  it('looks up what the log names, in whatever range it is, and nothing else', async () => {
    const on = bench();
    const full = await take(on, 'FULL');
    expect(factorsOf(full).layers[0]!.chunkCount).toBeGreaterThan(6);
    const changed = change(on);
    const phases: string[] = [];
    on.onProgress = ({ phase }: Progress) => void (phases.at(-1) === phase || phases.push(phase));
    const manifest = await take(on);
    expect(factorsOf(manifest)).toMatchObject({ changeDetection: 'BINLOG', changedRowCount: changed });
    expect(manifest.tables.every(({ changeDetection }) => changeDetection === 'BINLOG')).toBe(true);
    expect(manifest.rowCount).toBe(Object.values(stateOf(on.source)).flat().length);
    expect(phases).toEqual(expect.arrayContaining(['reading the log', 'reading changes']));
    expect(phases).not.toContain('comparing');
    await expectExact(on, manifest.backupId);
  });

  it('estimates the bytes of what it did not read, and does not drift far', async () => {
    const on = bench();
    await take(on, 'FULL');
    for (let n = 0; n < 5; n++) change(on, 100);
    const estimated = factorsOf(await take(on)).rawBytes;
    const exact = factorsOf(await take(on, 'FULL')).rawBytes;
    expect(Math.abs(estimated / exact - 1)).toBeLessThan(0.05);
  });

  it('stands on a compacted backup, whose bytes were an estimate', async () => {
    const on = bench();
    await take(on, 'FULL');
    change(on, 100);
    const { backupId, tables } = await take(on);
    expect(tables.filter(({ rawBytesEstimated }) => rawBytesEstimated).map(({ table }) => table)).toEqual(['factors']);
    const compacted = await compact(on, backupId);
    expect(compacted.compactedTables).toEqual(['factors']);
    expect(factorsOf(compacted.stored.manifest).layers[0]!.chunkCount).toBeGreaterThan(6);
    change(on, 70);
    const next = await take(on);
    expect(factorsOf(next)).toMatchObject({ changeDetection: 'BINLOG', rawBytesEstimated: true });
    expect(next.parentId).toBe(backupId);
    await expectExact(on, next.backupId);
  });

  it('compares the tables that the log does not tell, and says why', async () => {
    const on = bench();
    await take(on, 'FULL');
    change(on);
    on.source.log!.unusable.set('factors', 'its definition was changed');
    const manifest = await take(on);
    expect(factorsOf(manifest)).toMatchObject(compared('its definition was changed'));
    expect(manifest.tables.filter(({ changeDetection }) => changeDetection === 'BINLOG')).toHaveLength(4);
    await expectExact(on, manifest.backupId);
  });

  it('compares where the source can not say where keys stand, where too many changed, and where there is no position', async () => {
    const on = bench(450, { noteBytes: 1000 });
    const full = await take(on, 'FULL');
    change(on);
    on.source.log!.doubtful = true;
    expect(factorsOf(await take(on))).toMatchObject(
      compared('the source can not tell for certain where keys such as these stand'),
    );
    on.source.log!.doubtful = false;
    change(on, 5);
    const many = await take(on);
    expect(factorsOf(many).changeDetectionReason).toMatch(/more than 1000 of its rows changed/);
    await expectExact(on, many.backupId);
    for (const [id, stored] of on.store.manifests) {
      on.store.manifests.set(id, { ...stored, manifest: { ...stored.manifest, position: null } });
    }
    expect(factorsOf(await take(on))).toMatchObject(
      compared(
        'where the parent backup stands in the log is not known: ' +
          'the source kept no log, or its user was not granted to see it (`npm run doctor` tells)',
      ),
    );
    expect(full.position).not.toBeNull();
  });

  it('compares where rows come in another order than the source put their keys in', async () => {
    const on = bench();
    await take(on, 'FULL');
    change(on);
    const { openConsistentRead } = on.source;
    on.source.openConsistentRead = async (options) => {
      const read = await openConsistentRead(options);
      const { byKey } = read;
      const readKeys: NonNullable<typeof byKey>['readKeys'] = async function* (table, asked) {
        const batches = [];
        for await (const batch of byKey!.readKeys(table, asked)) batches.push(batch);
        for (const { bytes, ends } of batches.reverse()) {
          const rows = [...ends].map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
          yield batchOf(rows.reverse());
        }
      };
      return { ...read, byKey: { ...byKey!, readKeys } };
    };
    const manifest = await take(on);
    expect(factorsOf(manifest)).toMatchObject(
      compared('the source gave rows in another order than it put their keys in'),
    );
    await expectExact(on, manifest.backupId);
  });

  it('takes a table whole where a range has changed too much to be merged in memory', async () => {
    const on = bench(120, { noteBytes: 20_000 });
    await take(on, 'FULL');
    const rows = on.source.tables.get('factors')!;
    for (let n = 0; n < 5; n++) rows.set(`["x${n}"]`, [`x${n}`, 'a', 'f', 'long'.repeat(1024 * 1024)]);
    expect(factorsOf(await take(on))).toMatchObject({ changeDetection: 'NONE', layers: [{ kind: 'BASE' }] });
  });

  it('does not build on an index that is damaged', async () => {
    const on = bench();
    await take(on, 'FULL');
    change(on);
    const { layerPage } = on.store;
    on.store.layerPage = async (id) => (id.includes('/') ? on.store.readChunk('gone') : layerPage(id)) as never;
    expect(factorsOf(await take(on)).changeDetectionReason).toContain('damaged');
  });
});

it('a source without a log is compared, and says so', async () => {
  const on = bench(20, { keepsLog: false });
  await take(on, 'FULL');
  expect(factorsOf(await take(on))).toMatchObject(compared('the source keeps no log of changes'));
});
