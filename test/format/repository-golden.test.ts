/** Golden repositories: bytes that an earlier version wrote, sound and damaged, which every later version must read and judge. */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChangesWanted } from '../../src/domain/backup-reader';
import { ROW_CHANGE_KINDS } from '../../src/domain/change-set';
import type { RowChangesResult } from '../../src/domain/task';
import { childrenOf } from '../../src/engine/reading/backup-children';
import { openRepository, type Repository } from '../../src/repository/repository';
import { sqliteCodec } from '../../src/sources/sqlite/row-encoding';
import { BACKUP_TYPES_IN_ORDER, backupIdAt, platformAt, platformLater } from '../support/engine-changing-platform';
import { ACTING_TYPES_IN_ORDER, actingBackupIdAt, actingPlatformAt } from '../support/engine-acting-platform';
import { restore, run, undoTask } from '../support/engine-context';
import { memorySource } from '../support/engine-memory-source';
import { PLATFORM, stateOf } from '../support/engine-platform';
import { batchOf, decodeRow, encodeRow, rowsOf } from '../support/engine-rows';
import { FakeClock, MemoryLog, seededRandom } from '../support/repository-ambient';
import {
  arePayloadsOf,
  backupIdOf,
  changeSetIdOf,
  labelsOf,
  readBackup,
  TEST_SETTINGS,
} from '../support/repository-fixtures';

const FIRST = labelsOf('row', 24);
const SECOND = [...labelsOf('row', 12), 'new', ...labelsOf('row', 24).slice(12)];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rv-golden-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Opens a copy: a check writes a lease, and fixtures stay as they are. */
function openGolden(name: string, passphrase?: string): Promise<Repository> {
  cpSync(join(__dirname, 'golden', name), folder, { recursive: true });
  const settings = { ...TEST_SETTINGS, url: `file:${folder}`, passphrase };
  return openRepository({ settings, clock: new FakeClock(), random: seededRandom(name), log: new MemoryLog() });
}

async function expectWhole(repository: Repository): Promise<void> {
  expect(arePayloadsOf(await readBackup(repository, 1), FIRST)).toBe(true);
  expect(arePayloadsOf(await readBackup(repository, 2), SECOND)).toBe(true);
  const system = await repository.findManifest(backupIdOf(3));
  const document = await repository.readServiceDocument(system?.manifest.serviceSettings ?? '');
  expect(document).toEqual({ schedules: [{ cron: '0 3 * * *' }] });
}

test.each([
  ['plain', undefined],
  ['encrypted', 'golden'],
  ['encrypted', 'golden too'],
])('%s is read whole and checks clean (%s)', async (name, passphrase) => {
  const repository = await openGolden(name, passphrase);
  await expectWhole(repository);
  expect((await repository.check({ level: 'DATA' })).findings).toEqual([]);
});

test('the manifest of the plain one is what it was, to the byte', async () => {
  const stored = await (await openGolden('plain')).findManifest(backupIdOf(1));
  expect({ checksum: stored?.checksum, layers: stored?.manifest.tables[0]?.layers }).toMatchSnapshot();
});

test('encrypted is closed to another passphrase', async () => {
  await expect(openGolden('encrypted', 'silver')).rejects.toMatchObject({ code: 'WRONG_PASSPHRASE' });
});

test.each([
  ['damaged-pack', undefined, /^packs\/.*pack$/, 'DAMAGED'],
  ['damaged-pack-encrypted', 'golden', /^packs\/.*pack$/, 'DAMAGED'],
  ['truncated-pack', undefined, /^packs\/.*pack$/, 'DAMAGED'],
  ['missing-pack', undefined, /^packs\/$/, 'MISSING'],
  ['damaged-manifest', undefined, /^manifests\/.*-FULL-/, 'DAMAGED'],
])('%s is found, with the backups that it hurts', async (name, passphrase, object, problem) => {
  const repository = await openGolden(name, passphrase);
  const { findings } = await repository.check({ level: 'DATA' });
  expect(findings).toHaveLength(1);
  expect(findings[0]).toMatchObject({ object: expect.stringMatching(object), problem });
  for (const number of [1, 2]) {
    const broken = await readBackup(repository, number).then(() => false, () => true); // prettier-ignore
    expect(broken).toBe(findings[0]?.backupIds.includes(backupIdOf(number)));
  }
});

test.each(['damaged-config', 'damaged-key'])(
  '%s opens by the copy, reads whole, and says what is damaged',
  async (name) => {
    const repository = await openGolden(name, 'golden');
    await expectWhole(repository);
    const { findings } = await repository.check({ level: 'DATA' });
    expect(findings).toMatchObject([{ problem: 'DAMAGED', backupIds: [] }]);
  },
);

test.each(['deltas', 'compacted'])('%s: each backup is the platform at its moment, restored alone', async (name) => {
  for (const index of BACKUP_TYPES_IN_ORDER.keys()) {
    const store = await openGolden(name);
    expect((await store.check({ level: 'DATA' })).findings).toEqual([]);
    const { manifest } = (await store.findManifest(backupIdAt(index)))!;
    expect(manifest.type).toBe(BACKUP_TYPES_IN_ORDER[index]);
    const others = [...BACKUP_TYPES_IN_ORDER.keys()].filter((other) => other !== index);
    for (const other of others) await store.deleteManifest(backupIdAt(other));
    const source = memorySource(PLATFORM);
    await restore({ source, store }, { backupId: backupIdAt(index) });
    expect(stateOf(source)).toEqual(stateOf(platformAt(index)));
    rmSync(folder, { recursive: true });
  }
  mkdirSync(folder);
});

test.each(['deltas', 'compacted'])('%s: the stacks are what they were', async (name) => {
  const store = await openGolden(name);
  const stacks: unknown[] = [];
  for (const index of BACKUP_TYPES_IN_ORDER.keys()) {
    const { manifest } = (await store.findManifest(backupIdAt(index)))!;
    stacks.push(manifest.tables.map(({ table, layers }) => ({ table, layers })));
  }
  expect(stacks).toMatchSnapshot();
});

test('owners: one business is restored by the indexes of a repository made once', async () => {
  const store = await openGolden('owners');
  expect((await store.check({ level: 'DATA' })).findings).toEqual([]);
  for (const index of ACTING_TYPES_IN_ORDER.keys()) {
    const stored = (await store.findManifest(actingBackupIdAt(index)))!;
    expect(stored.manifest.tables.map(({ table, layers }) => ({ table, layers }))).toMatchSnapshot();
    const source = actingPlatformAt(index);
    const whole = stateOf(source);
    source.tables.set('businesses', new Map([...source.tables.get('businesses')!].slice(9)));
    const restored = { backupId: actingBackupIdAt(index), type: 'BUSINESS', businessId: 'b3' } as const;
    expect(await restore({ source, store }, restored)).toMatchObject({ inserts: 1 });
    expect(stateOf(source).businesses).toEqual(expect.arrayContaining(whole.businesses!.filter(([id]) => id === 'b3')));
  }
});

test('indexes: of each backup the rows that refer to a key are found, in a repository made once', async () => {
  const store = await openGolden('indexes');
  expect((await store.check({ level: 'DATA' })).findings).toEqual([]);
  for (const index of ACTING_TYPES_IN_ORDER.keys()) {
    const { manifest } = (await store.findManifest(actingBackupIdAt(index)))!;
    const table = manifest.tables.find((found) => found.table === 'factors')!;
    const wanted = { table, key: table.structure.foreignKeys[0]!, values: batchOf([encodeRow(['a7-0'])]) };
    const found = await childrenOf(wanted, { store, codec: sqliteCodec });
    const keys = found.kind === 'FOUND' ? rowsOf(found.rows).map((row) => decodeRow(row, 4)[0]) : found.reason;
    const live = [...actingPlatformAt(index).tables.get('factors')!.values()];
    const expected = live.filter(([, assessment]) => String(assessment).toLowerCase() === 'a7-0').map(([id]) => id);
    expect(keys).toEqual(expect.arrayContaining(expected));
    expect(keys).toHaveLength(expected.length);
    expect(table.layers).toMatchSnapshot();
  }
});

test('changes: the plan is what it was, is applied exactly, and what it did is undone', async () => {
  const store = await openGolden('changes');
  expect((await store.check({ level: 'DATA' })).findings).toEqual([]);
  const { hash, changeSet } = (await store.findChangeSet(changeSetIdOf(1)))!;
  const lists = changeSet.tables.map(({ table, before, deletes, updates, inserts, load, unchanged }) => {
    return { table, before, deletes, updates, inserts, load, unchanged };
  });
  expect({ hash, lists }).toMatchSnapshot();
  const source = platformAt(1);
  source.tables.delete('config');
  const damaged = stateOf(source);
  const backupId = backupIdAt(0);
  const applied = await restore({ source, store }, { backupId, plan: { planId: changeSetIdOf(1), planHash: hash } });
  expect(stateOf(source)).toEqual(stateOf(platformAt(0)));
  await run(undoTask(applied, backupId), { source, store });
  expect(stateOf(source)).toEqual(damaged);
});

test('comparison: what it found is what it was, row by row', async () => {
  const store = await openGolden('comparison');
  expect((await store.check({ level: 'DATA' })).findings).toEqual([]);
  const { changeSet } = (await store.findChangeSet(changeSetIdOf(1)))!;
  const { kind, backupId, compared, tables } = changeSet;
  expect({ kind, backupId, compared }).toMatchSnapshot();
  expect(
    tables.map(({ table, before, drops, unchanged, warnings }) => [table, before, drops, unchanged, warnings]),
  ).toMatchSnapshot();
  const all = { comparisonId: changeSetIdOf(1), dataType: null, table: null, kinds: ROW_CHANGE_KINDS };
  const wanted: ChangesWanted = { ...all, limit: 1000, from: null };
  const { changes, next } = (await run(
    { kind: 'ROW_CHANGES', wanted },
    { source: platformAt(0), store },
  )) as RowChangesResult;
  expect([changes.length, next]).toEqual([56, null]);
  expect(
    changes.map(({ table, kind: how, key, fields }) => [table, how, key, fields.map(({ name }) => name)]),
  ).toMatchSnapshot();
  expect(changes.find(({ table, kind: how }) => table === 'tenants' && how === 'CHANGED')).toEqual(
    expect.objectContaining({
      before: { id: 't1', name: 'Tenant 1' },
      after: { id: 't1', country: 'DE', name: 'another name' },
      fields: [{ name: 'name', before: 'Tenant 1', after: 'another name' }],
    }),
  );
});

test('conflicts: those of a three-way plan are what they were; resolved it is applied exactly, unresolved never', async () => {
  const store = await openGolden('conflicts');
  expect((await store.check({ level: 'DATA' })).findings).toEqual([]);
  const source = platformLater();
  const later = stateOf(source);
  const wanted = { changeSetId: changeSetIdOf(1), limit: 10, from: null };
  expect(await run({ kind: 'CONFLICTS', wanted }, { source, store })).toMatchSnapshot();
  const [open, resolved] = [
    (await store.findChangeSet(changeSetIdOf(1)))!,
    (await store.findChangeSet(changeSetIdOf(2)))!,
  ];
  expect(open.changeSet.tables.map(({ table, conflicts }) => ({ table, conflicts }))).toMatchSnapshot();
  const backupId = backupIdAt(0);
  const planOf = (n: number, { hash }: typeof open) => ({ planId: changeSetIdOf(n), planHash: hash });
  await expect(restore({ source, store }, { backupId, plan: planOf(1, open) })).rejects.toMatchObject({
    code: 'CONFLICT',
  });
  const applied = await restore({ source, store }, { backupId, plan: planOf(2, resolved) });
  const renamed = later.factors!.find((row) => row[2] === 'renamed')!;
  const expected = stateOf(platformAt(0)).factors!.map((row) => (row[0] === renamed[0] ? [...row.slice(0, 2), 'renamed', row[3]!] : row)); // prettier-ignore
  expect(stateOf(source).factors).toEqual(expected);
  await run(undoTask(applied, backupId), { source, store });
  expect(stateOf(source)).toEqual(later);
});

test('records: a plan of single records is what it was, is applied exactly, and what it did is undone', async () => {
  const store = await openGolden('records');
  expect((await store.check({ level: 'DATA' })).findings).toEqual([]);
  const { hash, changeSet } = (await store.findChangeSet(changeSetIdOf(1)))!;
  expect(changeSet.scope).toEqual({ kind: 'KEYS' });
  expect({ hash, tables: changeSet.tables.map(({ table, inserts, updates }) => ({ table, inserts, updates })) }).toMatchSnapshot(); // prettier-ignore
  const source = platformAt(1);
  source.tables.get('assessments')!.clear();
  const damaged = stateOf(source);
  const backupId = backupIdAt(0);
  const applied = await restore({ source, store }, { backupId, plan: { planId: changeSetIdOf(1), planHash: hash } });
  const [whole, now] = [stateOf(platformAt(0)), stateOf(source)];
  const [factor] = whole.factors!.filter(([id]) => id === 41);
  expect(now.assessments).toEqual(whole.assessments!.filter(([id]) => id === factor![1]));
  expect(now.factors).toContainEqual(factor);
  expect({ ...now, assessments: null, factors: null }).toEqual({ ...damaged, assessments: null, factors: null });
  await run(undoTask(applied, backupId), { source, store });
  expect(stateOf(source)).toEqual(damaged);
});
