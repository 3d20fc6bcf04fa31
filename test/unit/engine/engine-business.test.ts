/** Restores of one business by the engine alone, on a source and a store in memory: what comes back, and that others stay as they are. */
import type { BackupId } from '../../../src/domain/ids';
import { backup, restore, type EngineBench } from '../../support/engine-context';
import { fill, memorySource, type MemorySource } from '../../support/engine-memory-source';
import { memoryStore, type MemoryStore } from '../../support/engine-memory-store';
import {
  ASSESSMENTS,
  BUSINESSES,
  CONFIG,
  FACTORS,
  platformSource,
  stateOf,
  TENANTS,
} from '../../support/engine-platform';
import { tableOf, type Row } from '../../support/engine-rows';

interface Bench extends EngineBench {
  source: MemorySource;
  store: MemoryStore;
}

const bench = (source = platformSource()): Bench => ({ source, store: memoryStore() });
const idOf = (result: { stored: { manifest: { backupId: BackupId } } }): BackupId => result.stored.manifest.backupId;
const error = (code: string) => expect.objectContaining({ code });

function expectNothingOpen({ source, store }: Bench): void {
  expect(source.openHandles()).toBe(0);
  expect(store.openSessions()).toBe(0);
}

describe('a restore of one business', () => {
  const backups = [
    ['from a full backup', { type: 'FULL' }],
    ['from a backup of its own', { type: 'BUSINESS', businessId: 'b7' }],
  ] as const;

  it.each(backups)('%s touches nothing of the others', async (_, spec) => {
    const on = bench();
    const before = stateOf(on.source);
    const id = idOf(await backup(on, spec));
    vandalize(on.source);
    const vandalized = stateOf(on.source);
    const result = await restore(on, { backupId: id, type: 'BUSINESS', businessId: 'b7' });
    const after = stateOf(on.source);
    const ours = (table: string, row: Row): boolean => rowOfB7(table, row);
    for (const table of ['businesses', 'assessments', 'factors']) {
      expect(after[table]?.filter((row) => ours(table, row))).toEqual(before[table]?.filter((row) => ours(table, row)));
      expect(after[table]?.filter((row) => !ours(table, row))).toEqual(
        vandalized[table]?.filter((row) => !ours(table, row)),
      );
    }
    // The tenant of b7 comes back, the renamed one stays renamed, config is nobody's.
    expect(after.tenants).toEqual([
      ['t0', 'Renamed'],
      ['t1', 'Tenant 1'],
      ['t2', 'Tenant 2'],
    ]);
    expect(after.config).toEqual(vandalized.config);
    expect(result.mode).toBe('IN_PLACE');
    expectNothingOpen(on);
  });

  it.each(backups)('%s fills a scratch schema with it alone', async (_, spec) => {
    const on = bench();
    const id = idOf(await backup(on, spec));
    const result = await restore(on, {
      backupId: id,
      type: 'BUSINESS',
      businessId: 'b7',
      target: { kind: 'SCRATCH', schema: 'one' },
    });
    const scratch = on.source.scratch.get('one');
    expect([...(scratch ?? [])].map(([name, rows]) => [name, rows.size]).sort()).toEqual([
      ['assessments', 4],
      ['businesses', 1],
      ['factors', 12],
      ['tenants', 1],
    ]);
    expect(result.verifiedRows).toBe(18);
  });

  it('does not change a parent that is there', async () => {
    const on = bench();
    const id = idOf(await backup(on));
    fill(on.source, TENANTS, [
      ['t0', 'a'],
      ['t1', 'b'],
      ['t2', 'c'],
      ['t3', 'd'],
    ]);
    await restore(on, { backupId: id, type: 'BUSINESS', businessId: 'b7' });
    expect(stateOf(on.source).tenants).toEqual([
      ['t0', 'a'],
      ['t1', 'b'],
      ['t2', 'c'],
      ['t3', 'd'],
    ]);
  });

  it.each([false, true])(
    'that the backup holds no row of is refused, and none is deleted (dry run: %s)',
    async (dryRun) => {
      const on = bench();
      const later = on.source.tables.get('businesses')!;
      const id = idOf(await backup(on));
      later.set('later', ['later', 't1', 'Came after the backup']);
      const before = stateOf(on.source);
      await expect(restore(on, { backupId: id, type: 'BUSINESS', businessId: 'later', dryRun })).rejects.toMatchObject({
        code: 'NOT_FOUND',
        message: expect.stringContaining('later') as string,
        hint: expect.any(String) as string,
        path: ['input', 'businessId'],
      });
      expect(stateOf(on.source)).toEqual(before);
      expectNothingOpen(on);
    },
  );

  it('brings it back where the backup holds rows of it alone that refer to nothing', async () => {
    const lone = tableOf(
      { dataType: 'CONFIG', table: 'preferences', business: { kind: 'COLUMN', column: 'business_id' } },
      ['id', 'business_id'],
    );
    const source = memorySource([lone]);
    fill(source, lone, [[1, 'b1'], [2, 'b2']]); // prettier-ignore
    const on = bench(source);
    const id = idOf(await backup(on));
    fill(source, lone, []);
    fill(source, lone, [[2, 'b2']]);
    await restore(on, { backupId: id, type: 'BUSINESS', businessId: 'b1' });
    expect(stateOf(source)).toEqual({ preferences: [[1, 'b1'], [2, 'b2']] }); // prettier-ignore
    await expect(restore(on, { backupId: id, type: 'BUSINESS', businessId: 'b3' })).rejects.toEqual(error('NOT_FOUND'));
  });

  it('is refused where a path cannot be followed', async () => {
    const on = bench();
    const id = idOf(await backup(on, { dataTypes: ['FACTORS'] }));
    await expect(restore(on, { backupId: id, type: 'BUSINESS', businessId: 'b7' })).rejects.toEqual(
      error('BACKUP_NOT_RESTORABLE'),
    );
  });

  function vandalize(source: MemorySource): void {
    fill(source, TENANTS, [
      ['t0', 'Renamed'],
      ['t2', 'Tenant 2'],
    ]);
    fill(
      source,
      BUSINESSES,
      (stateOf(source).businesses ?? []).filter(([id]) => id !== 'b7' && id !== 'b9'),
    );
    fill(source, ASSESSMENTS, [
      ...(stateOf(source).assessments ?? []).filter(([id]) => id !== 'a7-1' && id !== 'a8-0'),
      ['a7-new', 'b7', 1],
    ]);
    fill(source, FACTORS, [
      ...(stateOf(source).factors ?? []).map((row): Row =>
        row[1] === 'a7-2' || row[1] === 'a6-0' ? [...row.slice(0, 3), 'x'] : row,
      ),
      [999_999, 'a7-new', 'f0', 'new'],
    ]);
    fill(source, CONFIG, [[1, 'changed']]);
  }

  function rowOfB7(table: string, row: Row): boolean {
    if (table === 'businesses') return row[0] === 'b7';
    if (table === 'assessments') return row[1] === 'b7';
    return String(row[1]).startsWith('a7-');
  }
});
