/** Compactions over a real catalog on both engines: started by themselves once a stack grew tall, and what they leave of a backup's record. */
import type { Catalog } from '../../src/catalog/catalog';
import type { BackupId } from '../../src/domain/ids';
import type { LayerRef, StoredManifest } from '../../src/domain/manifest';
import { backupSpec, CATALOG_ENGINES, completeBackup, storedManifest } from '../support/catalog-stand';
import { until } from '../support/fake-clock';
import { RunnerStand } from '../support/runner-stand';
import { tableOf } from '../support/repository-fixtures';

/** A backup with this many delta layers on its tallest table. */
function tallManifest(backupId: BackupId, deltas: number): StoredManifest {
  const layer = (kind: LayerRef['kind']): LayerRef => ({ kind, root: null, chunkCount: 0, rowCount: 0, rawBytes: 0 });
  const table = tableOf('risk_assessments', layer('BASE'));
  const layers = [layer('BASE'), ...Array.from({ length: deltas }, () => layer('DELTA'))];
  return storedManifest(backupId, { type: 'INCREMENTAL', tables: [table, { ...table, layers }] });
}

describe.each(CATALOG_ENGINES)('compaction, its catalog on %s,', (engine) => {
  let stand: RunnerStand;
  let catalog: Catalog;
  beforeEach(async () => {
    stand = await RunnerStand.open(engine);
    ({ catalog } = stand);
  });
  afterEach(() => stand.close());

  const compactions = async () => (await catalog.jobs.list({ filter: { kinds: ['COMPACTION'] }, limit: 10 })).items;

  it('follows, once, on a backup whose stack reached the height of the settings, and on no lower one', async () => {
    const runner = stand.startRunner({ compactAfterLayers: 3 });
    for (const [n, deltas] of [2, 3].entries()) {
      const spec = backupSpec({ type: 'INCREMENTAL' });
      const job = await stand.enqueue(spec);
      runner.wake();
      const held = await stand.executor.task(n + 1);
      held.answer({ kind: 'BACKUP', stored: tallManifest(spec.backupId, deltas) });
      await stand.untilState(job, 'COMPLETED');
      const expected = deltas < 3 ? [] : [{ backupId: spec.backupId, createdBy: 'local', source: null }];
      expect(await compactions()).toMatchObject(expected);
    }
    const compaction = await stand.executor.task(3);
    expect(compaction.task.kind).toBe('COMPACTION');
    compaction.succeed();
    await until(async () => (await compactions())[0]?.state === 'COMPLETED');
    expect(await compactions()).toHaveLength(1);
  });

  it("takes over the new manifest's name, checksum and bytes, and nothing else", async () => {
    const backupId = await completeBackup(catalog, { rowCount: 10, storedBytes: 400 });
    const before = await catalog.backups.find(backupId);
    const runner = stand.startRunner();
    const job = await stand.enqueue({ kind: 'COMPACTION', backupId });
    runner.wake();
    const held = await stand.executor.task(1);
    const next = { ...storedManifest(backupId, { storedBytes: 450, rowCount: 11 }), name: 'manifests/x.g2.json' };
    held.answer({
      kind: 'COMPACTION',
      stored: { ...next, checksum: 'e'.repeat(64) },
      compactedTables: ['t'],
      kept: [],
    });
    await stand.untilState(job, 'COMPLETED');
    const { completedAt, ...rest } = before!;
    expect(await catalog.backups.find(backupId)).toEqual({
      ...rest, completedAt, checksum: 'e'.repeat(64), manifestName: 'manifests/x.g2.json', storedBytes: 450,
    }); // prettier-ignore
  });

  it('that settled nothing before the service died is taken over from the repository', async () => {
    const backupId = await completeBackup(catalog);
    const next = {
      ...storedManifest(backupId, { storedBytes: 450 }),
      name: 'manifests/x.g2.json',
      checksum: 'f'.repeat(64),
    };
    async function* manifests(): AsyncGenerator<StoredManifest> {
      yield next;
    }
    expect(await catalog.backups.reconcile(manifests())).toMatchObject({ updated: [backupId], missing: [] });
    const { checksum, manifestName, storedBytes } = (await catalog.backups.find(backupId))!;
    expect({ checksum, manifestName, storedBytes }).toEqual({
      checksum: next.checksum, manifestName: next.name, storedBytes: 450,
    }); // prettier-ignore
  });

  it('brings no backup back that was deleted meanwhile', async () => {
    const runner = stand.startRunner();
    const backupId = backupSpec().backupId;
    const job = await stand.enqueue({ kind: 'COMPACTION', backupId });
    runner.wake();
    (await stand.executor.task(1)).succeed();
    await stand.untilState(job, 'COMPLETED');
    expect(await catalog.backups.find(backupId)).toBeNull();
  });
});
